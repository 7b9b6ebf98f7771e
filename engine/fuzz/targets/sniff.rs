//! Any bytes: an answer or an error, the same each time, and an answer that the file can be read with to its end.
#![no_main]

use std::sync::Arc;

use arrow_schema::{Field, Schema};
use karyaksham_text::{
    BadRowPolicy, CsvScan, DialectOverrides, ScanOptions, ShardRange, Start, TextScan, sniff,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let file = Arc::new(bytes.to_vec());
    let overrides = DialectOverrides::default();
    let found = sniff(file.as_ref(), &overrides);
    let again = sniff(file.as_ref(), &overrides);
    assert_eq!(format!("{found:?}"), format!("{again:?}"));
    let Ok(found) = found else { return };
    assert!((0.0..=1.0).contains(&found.confidence), "{found:?}");
    assert!(!found.evidence.is_empty() && !found.columns.is_empty());
    assert!(found.data_start <= bytes.len() as u64);
    let mut names: Vec<_> = found.columns.iter().map(|column| &column.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(
        names.len(),
        found.columns.len(),
        "names are told apart: {found:?}"
    );

    let fields = found.columns.iter();
    let fields = fields.map(|column| Field::new(&column.name, column.data_type.clone(), true));
    let options = ScanOptions {
        dialect: found.dialect.clone(),
        schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())),
        projection: (0..found.columns.len()).collect(),
        bad_rows: BadRowPolicy::RejectRow,
        batch_rows: 8192,
        max_record_bytes: 1 << 20,
    };
    let range = ShardRange {
        lo: found.data_start,
        hi: bytes.len() as u64,
        start: Start::Exact(found.data_start),
    };
    let mut scan = CsvScan::new(file.clone(), Arc::new(options), range);
    while scan.next_batch().expect("memory can be read").is_some() {}
    let report = scan.report();
    assert_eq!(report.rows_read, report.rows_passed + report.rows_rejected);
    assert_eq!(report.end, bytes.len() as u64);
});
