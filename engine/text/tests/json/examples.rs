//! Values and rejects that people should be able to count on.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Decimal128Type;
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use karyaksham_text::{
    BadRowPolicy, JsonOptions, JsonScan, Reject, RejectCode, ShardRange, Start, TextError, TextScan,
};

use crate::harness::cell;
use crate::spec::Cell;

fn read(file: &str, fields: Vec<Field>) -> Result<(Vec<RecordBatch>, Vec<Reject>), TextError> {
    let options = JsonOptions {
        projection: (0..fields.len()).collect(),
        schema: Arc::new(Schema::new(fields)),
        bad_rows: BadRowPolicy::RejectRow,
        batch_rows: 8192,
        max_record_bytes: 1 << 20,
    };
    let range = ShardRange {
        lo: 0,
        hi: file.len() as u64,
        start: Start::Exact(0),
    };
    let mut scan = JsonScan::new(Arc::new(file.as_bytes().to_vec()), Arc::new(options), range);
    let (mut batches, mut rejects) = (vec![], vec![]);
    while let Some(batch) = scan.next_batch()? {
        batches.push(batch);
        rejects.extend(scan.take_rejects());
    }
    rejects.extend(scan.take_rejects());
    Ok((batches, rejects))
}

fn one_column(file: &str, data_type: DataType) -> (Vec<Cell>, Vec<Reject>) {
    let (batches, rejects) = read(file, vec![Field::new("a", data_type, true)]).expect("it reads");
    let cells = batches
        .iter()
        .flat_map(|batch| (0..batch.num_rows()).map(|row| cell(batch.column(0), row)))
        .collect();
    (cells, rejects)
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

#[test]
fn text_columns_hold_strings_and_the_spelling_of_everything_else() {
    let file = r#"{"a":"x\ty"}
{"a":1.50}
{"a": {"b" : [1, "\u0041"]} }
{"a":null}
{}
{"a":true}
{"a":""}
"#;
    let (cells, rejects) = one_column(file, DataType::Utf8View);
    assert_eq!(
        cells,
        [
            text("x\ty"),
            text("1.50"),
            text(r#"{"b" : [1, "\u0041"]}"#),
            Cell::Null,
            Cell::Null,
            text("true"),
            text("")
        ]
    );
    assert_eq!(rejects, []);
}

#[test]
fn whole_numbers_past_64_bits_are_rejected_or_decimals() {
    let file = "{\"a\":9223372036854775807}\n{\"a\":9223372036854775808}\n{\"a\":1.0}\n";
    let (cells, rejects) = one_column(file, DataType::Int64);
    assert_eq!(cells, [Cell::Int(i64::MAX)]);
    assert_eq!(rejects.len(), 2);
    assert_eq!(rejects[0].code, RejectCode::Cast);
    assert_eq!(rejects[0].column.as_deref(), Some("a"));
    assert_eq!(rejects[0].expected.as_deref(), Some("Int64"));
    assert_eq!((rejects[0].row, rejects[0].line), (2, 2));
    assert_eq!(
        (rejects[0].record_offset, rejects[0].field_offset),
        (26, Some(31))
    );
    assert_eq!(
        rejects[0].message,
        "Column a: 9223372036854775808 is no Int64."
    );
    let (batches, rejects) = read(
        file,
        vec![Field::new("a", DataType::Decimal128(38, 2), true)],
    )
    .expect("it reads");
    let values = batches[0]
        .column(0)
        .as_primitive::<Decimal128Type>()
        .values()
        .to_vec();
    assert_eq!(values, [922337203685477580700, 922337203685477580800, 100]);
    assert_eq!(rejects, []);
}

#[test]
fn moments_are_read_from_strings() {
    let micros = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let file = "{\"a\":\"1970-01-01T00:00:01Z\"}\n{\"a\":\"yesterday\"}\n{\"a\":5}\n";
    let (batches, rejects) = read(file, vec![Field::new("a", micros, true)]).expect("it reads");
    assert_eq!(batches[0].num_rows(), 1);
    assert_eq!(rejects.len(), 2);
    assert_eq!(rejects[0].expected.as_deref(), Some("Timestamp(us, UTC)"));
}

#[test]
fn what_is_no_object_is_rejected_with_a_reason() {
    for (line, why) in [
        ("[1]", "it does not begin with {"),
        ("a,b", "it does not begin with {"),
        ("{\"a\":1", "a comma or } is expected"),
        ("{\"a\":1}}", "something follows"),
        ("{\"a\":1} {\"a\":2}", "something follows"),
        ("{\"a\":1,\"a\":2}", "a key comes twice"),
        ("{\"a\":1,\"\\u0061\":2}", "a key comes twice"),
        ("{\"b\":{\"c\":1,\"c\":1}}", "a key comes twice"),
        ("{\"a\":01}", "a comma or } is expected"),
        ("{\"a\":.5}", "a value is expected"),
        ("{\"a\":'x'}", "a value is expected"),
        ("{\"a\":NaN}", "a value is expected"),
        ("{a:1}", "a key in quotes"),
        ("{\"a\":1,}", "a key in quotes"),
        ("{\"b\":\"\\ud800\"}", "an escape stands for no character"),
        ("{\"b\":\"\t\"}", "a control character"),
        ("{\"b\":\"x}", "a string does not end"),
    ] {
        let file = format!("{{\"a\":1}}\n{line}\n{{\"a\":2}}\n");
        let (cells, rejects) = one_column(&file, DataType::Int64);
        assert_eq!(cells, [Cell::Int(1), Cell::Int(2)], "{line}");
        assert_eq!(rejects.len(), 1, "{line}");
        assert_eq!(rejects[0].code, RejectCode::InvalidJson, "{line}");
        assert_eq!((rejects[0].row, rejects[0].line), (2, 2));
        assert_eq!(rejects[0].raw, line);
        assert!(
            rejects[0].message.contains(why),
            "{line}: {}",
            rejects[0].message
        );
    }
}

#[test]
fn deep_and_long_records_are_rejected_and_reading_goes_on() {
    let deep = |levels: usize| format!("{{\"b\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    let long = format!("{{\"b\":\"{}\"}}", "x".repeat(3 << 20));
    let file = format!("{}\n{}\n{long}\n{{\"a\":3}}\n", deep(127), deep(128));
    let (cells, rejects) = one_column(&file, DataType::Int64);
    assert_eq!(cells, [Cell::Null, Cell::Int(3)]);
    let codes: Vec<_> = rejects.iter().map(|reject| reject.code).collect();
    assert_eq!(codes, [RejectCode::InvalidJson, RejectCode::RecordTooLong]);
    assert_eq!(rejects[1].raw.len(), 4096);
    assert_eq!(rejects[1].line, 3);
}

/// Each empty object stands for a thousand nulls.
#[test]
fn a_short_record_can_not_ask_for_unbounded_memory() {
    let wide: Vec<_> = (0..1000)
        .map(|number| Field::new(format!("k{number}"), DataType::Int64, true))
        .collect();
    let item = Field::new_list_field(DataType::Struct(wide.into()), true);
    let file = format!("{{\"a\":[{}{{}}]}}\n{{\"a\":[]}}\n", "{},".repeat(100_000));
    let (cells, rejects) = one_column(&file, DataType::List(item.into()));
    assert_eq!(cells, [Cell::List(vec![])]);
    assert_eq!(rejects[0].code, RejectCode::RecordTooLong);
}

#[test]
fn many_keys_and_places_are_read_without_being_remembered() {
    let mut file = String::new();
    for row in 0..6000 {
        file.push_str(&format!(
            "{{\"key {row}\":{{\"b\":[{{\"c\":{row}}}]}},\"a\":{row}}}\n"
        ));
    }
    let (cells, rejects) = one_column(&file, DataType::Int64);
    assert_eq!(cells, (0..6000).map(Cell::Int).collect::<Vec<_>>());
    assert_eq!(rejects, []);
}

#[test]
fn types_that_json_is_not_read_as_are_refused() {
    let required = Field::new("x", DataType::Int64, false);
    for data_type in [
        DataType::Int8,
        DataType::Utf8,
        DataType::Struct(vec![required].into()),
        DataType::Struct(vec![Field::new("x", DataType::Binary, true)].into()),
    ] {
        let error = read("{}\n", vec![Field::new("a", data_type, true)]);
        assert!(matches!(error, Err(TextError::UnsupportedType { .. })));
    }
}
