//! What sniffing says of NDJSON: which files it is, and the types of their keys.

use arrow_schema::{DataType, TimeUnit};
use karyaksham_text::{JsonSniffed, TextError, is_ndjson, sniff_json};

fn sniffed(text: &str) -> JsonSniffed {
    let bytes = text.as_bytes().to_vec();
    assert!(is_ndjson(&bytes).expect("it is text"), "{text}");
    let sniffed = sniff_json(&bytes).expect("it is NDJSON");
    assert_eq!(sniffed, sniff_json(&bytes).expect("it is NDJSON"));
    sniffed
}

/// The type of the key `a`, and why.
fn type_of(values: &[&str]) -> (DataType, String) {
    let lines = values.iter().map(|value| format!("{{\"a\":{value}}}\n"));
    let column = sniffed(&lines.collect::<String>()).columns.remove(0);
    (column.data_type, column.evidence)
}

#[test]
fn a_type_is_chosen_that_every_value_fits() {
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    for (values, expected) in [
        (vec!["1", "null", "-2"], DataType::Int64),
        (vec!["1", "2.5"], DataType::Float64),
        (vec!["1.25", "2.75"], DataType::Float64),
        (vec!["1e3"], DataType::Float64),
        (
            vec!["1", "9223372036854775808"],
            DataType::Decimal128(38, 0),
        ),
        (vec!["9223372036854775808", "1.5"], DataType::Utf8View),
        (vec!["true", "false"], DataType::Boolean),
        (vec!["\"1\"", "\"2\""], DataType::Utf8View),
        (vec!["\"true\""], DataType::Utf8View),
        (vec!["\"2024-01-02\"", "\"\""], DataType::Date32),
        (vec!["\"2024-01-02T03:04:05Z\""], utc),
        (vec!["\"2024-01-02\"", "5"], DataType::Utf8View),
        (vec!["1", "true"], DataType::Utf8View),
        (vec!["1", "{\"b\":1}"], DataType::Utf8View),
        (vec!["null"], DataType::Utf8View),
        (vec!["{}"], DataType::Utf8View),
    ] {
        assert_eq!(type_of(&values).0, expected, "{values:?}");
    }
}

#[test]
fn objects_are_structs_and_arrays_are_lists() {
    let shown = |values: &[&str]| type_of(values).0.to_string();
    assert_eq!(
        shown(&[
            "{\"x\":1,\"y\":\"a\"}",
            "{\"y\":null,\"z\":[true]}",
            "{\"x\":1.5}"
        ]),
        "Struct(\"x\": Float64, \"y\": Utf8View, \"z\": List(Boolean))"
    );
    assert_eq!(shown(&["[]"]), "List(Utf8View)");
    assert_eq!(shown(&["[1,2]", "[]", "[2.5]"]), "List(Float64)");
    assert_eq!(
        shown(&["[{\"b\":[[1]]}]", "[{\"\\u0063\":1}]"]),
        "List(Struct(\"b\": List(List(Int64)), \"c\": Int64))"
    );
    assert_eq!(shown(&["[1,\"x\"]"]), "List(Utf8View)");
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    assert!(shown(&[&deep]).ends_with(&format!("List(Utf8View{}", ")".repeat(16 - 1))));
}

#[test]
fn objects_of_very_many_keys_are_maps_and_read_as_text() {
    let values: Vec<String> = (0..1100).map(|n| format!("{{\"id {n}\":1}}")).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let (data_type, why) = type_of(&values);
    assert_eq!(data_type, DataType::Utf8View);
    assert!(why.contains("more than 1,000 keys"), "{why}");
}

#[test]
fn evidence_says_what_was_seen() {
    assert_eq!(type_of(&["1", "2"]).1, "all 2 sampled values are integers");
    assert_eq!(
        type_of(&["1", "2", "\"x\""]).1,
        "the sampled values are 1 strings and 2 numbers; read as text, each as it is spelled"
    );
    let sniffed = sniffed("\u{feff}{\"a\":1}\nnonsense\n\n{\"a\":2,\"\":3}\n");
    assert_eq!(sniffed.data_start, 3);
    assert_eq!(sniffed.columns.len(), 1);
    assert!(sniffed.confidence > 0.6 && sniffed.confidence < 0.7);
    assert_eq!(
        sniffed.evidence,
        [
            "2 of 3 sampled lines are JSON objects; 1 are not, and will be rejected",
            "a UTF-8 byte order mark is skipped",
            "the key \"\" can't be a column and is left out",
        ]
    );
}

#[test]
fn keys_and_types_far_into_the_file_are_seen() {
    let mut text = String::new();
    for n in 0..200_000 {
        let value = if n < 100_000 { "1" } else { "1.5" };
        let late = if n > 150_000 { ",\"late\":true" } else { "" };
        text.push_str(&format!("{{\"n\":{n},\"v\":{value}{late}}}\n"));
    }
    let types: Vec<_> = sniffed(&text)
        .columns
        .iter()
        .map(|column| (column.name.clone(), column.data_type.clone()))
        .collect();
    assert_eq!(
        types,
        [
            ("n".into(), DataType::Int64),
            ("v".into(), DataType::Float64),
            ("late".into(), DataType::Boolean),
        ]
    );
}

#[test]
fn other_text_is_no_ndjson() {
    for text in [
        "a,b\n1,2\n",
        "{id},name\n1,2\n",
        "{\n  \"a\": 1\n}\n",
        "[{\"a\":1}]\n",
        "[1]\n[2]\n",
        "{\"a\":1}\nx\ny\nz\n",
    ] {
        assert!(
            !is_ndjson(&text.as_bytes().to_vec()).expect("it is text"),
            "{text}"
        );
    }
    for text in ["a,b\n1,2\n", "[1]\n[2]\n", "{}\n{}\n"] {
        let failure = sniff_json(&text.as_bytes().to_vec());
        assert!(
            matches!(
                failure,
                Err(TextError::NotATable {
                    code: "NOT_A_TABLE",
                    ..
                })
            ),
            "{text}"
        );
    }
}
