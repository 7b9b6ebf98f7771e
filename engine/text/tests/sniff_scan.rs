//! What sniffing promises, the scan keeps: in a file that was looked at as a whole, no value is refused by its type but
//! the strays that the evidence names.

use std::sync::Arc;

use arrow_schema::{Field, Schema};
use karyaksham_text::{
    BadRowPolicy, CsvScan, DialectOverrides, Reject, RejectCode, ScanOptions, ShardRange,
    ShardReport, Sniffed, Start, TextScan, sniff,
};
use proptest::prelude::*;

fn scan(bytes: Vec<u8>, sniffed: &Sniffed) -> (ShardReport, Vec<Reject>) {
    let columns = &sniffed.columns;
    let fields = columns
        .iter()
        .map(|c| Field::new(&c.name, c.data_type.clone(), true));
    let options = ScanOptions {
        dialect: sniffed.dialect.clone(),
        schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())),
        projection: (0..columns.len()).collect(),
        bad_rows: BadRowPolicy::RejectRow,
        batch_rows: 8192,
        max_record_bytes: 16 << 20,
    };
    let start = sniffed.data_start;
    let range = ShardRange {
        lo: start,
        hi: bytes.len() as u64,
        start: Start::Exact(start),
    };
    let mut scan = CsvScan::new(Arc::new(bytes), Arc::new(options), range);
    let (mut rows, mut rejects) = (0, Vec::new());
    while let Some(batch) = scan.next_batch().expect("it is in memory") {
        rows += batch.num_rows() as u64;
        rejects.extend(scan.take_rejects());
    }
    rejects.extend(scan.take_rejects());
    let report = scan.report().clone();
    assert_eq!(rows, report.rows_passed);
    (report, rejects)
}

fn sniffed(bytes: &[u8]) -> Option<Sniffed> {
    sniff(&bytes.to_vec(), &DialectOverrides::default()).ok()
}

/// Values of one type as people write them, and what is nearly one.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec![
            "0", "-7", "42", "9223372036854775807", "9223372036854775808", "00501", "+5", "-0", " 12 ", "1_000",
            "1.50", "-0.05", "12345678901234567.25", ".5", "5.", "1e5", "NaN", "-inf", "Infinity", "1.5E-3", "1,5",
            "2024-02-29", "2023-02-29", "2024-01-02T03:04:05", "2024-01-02 03:04", "2024-01-02 03:04:05.123456000",
            "2024-01-02T03:04:05Z", "2024-01-02 03:04:05+05:30", "2024-01-02 03:04:05-0800", "2024-01-02 03:04:05+01",
            "true", "FALSE", "False", "yes", "NA", "", " ",
        ])
        .prop_map(str::to_owned),
        1 => "-?[0-9]{1,25}(\\.[0-9]{1,13})?",
        1 => "[a-zé,\"\n]{0,6}",
    ]
}

/// A column repeats few values, so that types other than text come out often.
fn column(rows: usize) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(value(), 1..3)
        .prop_flat_map(move |few| prop::collection::vec(prop::sample::select(few), rows))
}

fn table() -> impl Strategy<Value = Vec<Vec<String>>> {
    (2..5usize, 3..30usize)
        .prop_flat_map(|(columns, rows)| (0..columns).map(|_| column(rows)).collect::<Vec<_>>())
}

fn quoted(value: &str, always: bool) -> String {
    match always || value.contains([',', '"', '\n']) {
        true => format!("\"{}\"", value.replace('"', "\"\"")),
        false => value.to_owned(),
    }
}

fn is_refused_unannounced(reject: &Reject, sniffed: &Sniffed) -> bool {
    let column = |name: &str| sniffed.columns.iter().find(|c| c.name == name);
    let announced = reject
        .column
        .as_deref()
        .and_then(column)
        .is_some_and(|c| c.evidence.contains("which will be rejected"));
    reject.code == RejectCode::Cast && !announced
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_row_of_a_clean_table_passes(columns in table(), always in any::<bool>(), end in "\r?\n") {
        let rows = columns[0].len();
        let names: Vec<String> = (0..columns.len()).map(|i| format!("name{i}")).collect();
        let mut text = names.join(",") + &end;
        for row in 0..rows {
            let fields: Vec<String> = columns.iter().map(|c| quoted(&c[row], always)).collect();
            text += &(fields.join(",") + &end);
        }
        let sniffed = sniffed(text.as_bytes()).expect("it is a table");
        prop_assert_eq!(sniffed.columns.len(), columns.len());
        let (report, rejects) = scan(text.clone().into_bytes(), &sniffed);
        let refused = rejects.iter().find(|reject| is_refused_unannounced(reject, &sniffed));
        prop_assert!(refused.is_none(), "{refused:?} {sniffed:?} {text}");
        let header = u64::from(sniffed.dialect.has_header);
        prop_assert_eq!(report.rows_read + header, rows as u64 + 1);
    }

    #[test]
    fn no_value_of_a_dirty_file_is_refused_by_its_type(bytes in "[ab015,;.:\"'\\\\#\r\n é-]{1,300}") {
        if let Some(sniffed) = sniffed(bytes.as_bytes()) {
            let (_, rejects) = scan(bytes.into_bytes(), &sniffed);
            let refused = rejects.iter().find(|reject| is_refused_unannounced(reject, &sniffed));
            prop_assert!(refused.is_none(), "{refused:?} {sniffed:?}");
        }
    }
}
