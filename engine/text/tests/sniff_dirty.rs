//! Dirty files: a few bad bytes must not change how the rest of the file is understood.

use arrow_schema::DataType;
use karyaksham_text::{DialectOverrides, LineEnding, Sniffed, sniff};
use proptest::prelude::*;

/// Twenty good records with `dirt` after the tenth.
fn dirty(dirt: &[u8]) -> Sniffed {
    let mut bytes = b"id,name,price\n".to_vec();
    for i in 0..20 {
        if i == 10 {
            bytes.extend_from_slice(dirt);
        }
        bytes.extend_from_slice(format!("{i},\"name, {i}\",{i}.50\n").as_bytes());
    }
    sniff(&bytes, &DialectOverrides::default()).expect("it is a table")
}

fn says(sniffed: &Sniffed, words: &str) -> bool {
    sniffed
        .evidence
        .iter()
        .any(|sentence| sentence.contains(words))
}

#[track_caller]
fn assert_understood(sniffed: &Sniffed) {
    let dialect = &sniffed.dialect;
    assert_eq!(
        (dialect.delimiter, dialect.quote),
        (b','.into(), Some(b'"')),
        "{:?}",
        sniffed.evidence
    );
    assert_eq!((dialect.escape, dialect.comment), (None, None));
    assert_eq!((dialect.has_header, dialect.skip_rows), (true, 0));
    assert_eq!(dialect.line_ending, LineEnding::Lf);
    let names: Vec<_> = sniffed
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    assert_eq!(names, ["id", "name", "price"]);
    assert!(sniffed.confidence > 0.5, "{}", sniffed.confidence);
}

fn types(sniffed: &Sniffed) -> Vec<&DataType> {
    sniffed
        .columns
        .iter()
        .map(|column| &column.data_type)
        .collect()
}

const CLEAN: [&DataType; 3] = [
    &DataType::Int64,
    &DataType::Utf8View,
    &DataType::Decimal128(18, 2),
];

#[test]
fn faults_of_quoting_and_of_length_leave_types_alone() {
    for dirt in [
        "77,stray \" quote,7.50\n",
        "77,short\n",
        "77,long,7.50,9,9\n",
        "77,\"x\"junk,7.50\n",
        "77,\"never closed,7.50\n",
        "\n\n\r\n",
        "77,mixed,7.50\r\n78,mixed,8.50\r\n",
        ",,\n",
    ] {
        let sniffed = dirty(dirt.as_bytes());
        assert_understood(&sniffed);
        assert_eq!(types(&sniffed), CLEAN, "{dirt:?}");
    }
    let escaped = dirty(b"77,\"a \\\"backslash\\\" escape\",7.50\n");
    assert_eq!(
        (escaped.dialect.escape, types(&escaped)),
        (Some(b'\\'), CLEAN.to_vec())
    );
    assert!(says(
        &dirty(b"77,\"x\"junk,7.50\n"),
        "1 sampled records have a fault"
    ));
    assert!(says(&dirty(b"77,short\n"), "20 of 21") || says(&dirty(b"77,short\n"), "21 of 22"));
    assert!(says(
        &dirty(b"77,m,7.50\r\n"),
        "line ends are mixed: 1 CRLF"
    ));
}

#[test]
fn a_bad_value_late_leaves_its_column_typed_and_is_told() {
    let bad = dirty(b"12x,name,7.50\n");
    assert_understood(&bad);
    assert_eq!(bad.columns[0].data_type, DataType::Int64);
    assert!(bad.columns[0].evidence.contains("1 such as '12x'"));
    assert_eq!(bad.columns[2].data_type, DataType::Decimal128(18, 2));
    assert_eq!(
        dirty(b"00501,name,7.50\n").columns[0].data_type,
        DataType::Utf8View
    );
    let big = dirty(b"9223372036854775808,name,7.50\n");
    assert_eq!(big.columns[0].data_type, DataType::Decimal128(38, 0));
    let latin = dirty(b"77,M\xfcnchen,7.50\n");
    assert_understood(&latin);
    assert!(says(&latin, "not valid UTF-8"));
    assert_eq!(types(&latin), CLEAN);
}

#[test]
fn one_stray_quote_does_not_make_quotes_text() {
    for dirt in ["2,\"x\"junk", "2,\"never closed", "\"2\" ,x"] {
        let text = format!("id,name\n1,a\n{dirt}\n3,c\n4,d\n");
        let sniffed =
            sniff(&text.as_bytes().to_vec(), &DialectOverrides::default()).expect("it is a table");
        assert_eq!(sniffed.dialect.quote, Some(b'"'), "{dirt}");
        assert_eq!(sniffed.columns[0].data_type, DataType::Int64, "{dirt}");
        assert!(says(&sniffed, "1 sampled records have a fault"));
    }
}

#[test]
fn short_and_long_rows_do_not_make_one_column() {
    let text = "a,b,c\n1,2,3\n4,5\n6,7,8,9\n1,1,1\n";
    let sniffed =
        sniff(&text.as_bytes().to_vec(), &DialectOverrides::default()).expect("it is a table");
    assert_eq!(sniffed.columns.len(), 3);
    assert!(sniffed.confidence < 0.8);
}

fn field(delimiter: char) -> impl Strategy<Value = String> {
    let text = prop_oneof![
        "[a-z]{1,8}",
        "[0-9]{1,6}",
        Just(format!("a{delimiter}b")),
        Just("two\nlines".to_owned()),
        Just("a \"q\" b".to_owned()),
        Just(String::new()),
    ];
    text.prop_map(move |text| match text.contains([delimiter, '\n', '"']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    })
}

fn table() -> impl Strategy<Value = (char, usize, Vec<Vec<String>>)> {
    (prop::sample::select(vec![',', ';', '\t', '|']), 2..6usize).prop_flat_map(
        |(delimiter, columns)| {
            let row = prop::collection::vec(field(delimiter), columns);
            (
                Just(delimiter),
                Just(columns),
                prop::collection::vec(row, 5..60),
            )
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn well_formed_tables_are_split_as_they_were_written((delimiter, columns, rows) in table()) {
        let header: Vec<String> = (0..columns).map(|i| format!("name{i}")).collect();
        let mut text = header.join(&delimiter.to_string()) + "\n";
        for row in &rows {
            text += &(row.join(&delimiter.to_string()) + "\n");
        }
        let source = text.into_bytes();
        let free = sniff(&source, &DialectOverrides::default()).expect("it is a table");
        prop_assert_eq!(free.dialect.delimiter, delimiter as u8);
        prop_assert_eq!(free.columns.len(), columns);
    }

    // Without CR: line ends can't be overridden, and skipped lines are others where they are others.
    #[test]
    fn overriding_with_the_answer_gives_the_answer(bytes in "[ab1,;|:\t\"'\\\\#\n -]{1,200}") {
        let source = bytes.into_bytes();
        let Ok(free) = sniff(&source, &DialectOverrides::default()) else { return Ok(()) };
        let dialect = free.dialect.clone();
        let given = DialectOverrides {
            delimiter: Some(dialect.delimiter),
            merge_delimiters: Some(dialect.merge_delimiters),
            trailing_delimiter: Some(dialect.trailing_delimiter),
            skip_initial_space: Some(dialect.skip_initial_space),
            line_ending: Some(dialect.line_ending),
            quote: Some(dialect.quote),
            escape: Some(dialect.escape),
            comment: Some(dialect.comment),
            has_header: Some(dialect.has_header),
            skip_rows: Some(dialect.skip_rows),
            encoding: Some(dialect.encoding),
        };
        let again = sniff(&source, &given).expect("it was a table before");
        prop_assert_eq!(&again.dialect, &dialect);
        prop_assert_eq!(again.data_start, free.data_start);
        prop_assert_eq!(types(&again), types(&free));
        let names = |sniffed: Sniffed| sniffed.columns.into_iter().map(|column| column.name).collect::<Vec<_>>();
        prop_assert_eq!(names(again), names(free));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = sniff(&bytes, &DialectOverrides::default());
    }
}
