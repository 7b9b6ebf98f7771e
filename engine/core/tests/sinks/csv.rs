//! CSV out, and back through the text scan.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, DictionaryArray, Float64Array, Int32Array, Int64Array, LargeStringArray,
    ListArray, NullArray, RecordBatch, StringArray, StringViewArray, StructArray,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use karyaksham_core::job::{Output, OutputFormat};
use karyaksham_core::part::Keep;
use karyaksham_text::{
    BadRowPolicy, CsvScan, Dialect, FileSource, ReadAt, ScanOptions, ShardRange, Start, TextScan,
};

use crate::support::{Bench, Random, every_type, output, random_batch};

fn read_back(path: &Path, schema: &SchemaRef, delimiter: u8) -> RecordBatch {
    let source = FileSource::open(path).unwrap();
    let dialect = Dialect {
        delimiter: delimiter.into(),
        ..Dialect::default()
    };
    let data_start = karyaksham_text::sniff::data_start(&source, &dialect).unwrap();
    let range = ShardRange {
        lo: data_start,
        hi: source.size_bytes(),
        start: Start::Exact(data_start),
    };
    let options = ScanOptions {
        dialect,
        schema: Arc::clone(schema),
        projection: (0..schema.fields().len()).collect(),
        bad_rows: BadRowPolicy::RejectRow,
        batch_rows: 8192,
        max_record_bytes: 16 << 20,
    };
    let mut scan = CsvScan::new(Arc::new(source), Arc::new(options), range);
    let mut batches = Vec::new();
    while let Some(batch) = scan.next_batch().unwrap() {
        assert_eq!(scan.take_rejects(), []);
        batches.push(batch);
    }
    concat_batches(schema, &batches).unwrap()
}

fn text_of(columns: Vec<(&str, ArrayRef)>) -> String {
    let bench = Bench::new();
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    );
    bench.write("out.csv", &output(OutputFormat::Csv), &[batch.unwrap()]);
    std::fs::read_to_string(bench.path("out.csv")).unwrap()
}

#[test]
fn what_is_written_is_read_back_the_same() {
    let mut random = Random::new(1);
    for (round, delimiter) in [",", ";", "\t", "|", ","].iter().enumerate() {
        let bench = Bench::new();
        let mut csv = output(OutputFormat::Csv);
        csv.delimiter = Some((*delimiter).to_owned());
        let batches: Vec<RecordBatch> = (0..=round)
            .map(|_| random_batch(&mut random, 1_500))
            .collect();
        let committed = bench.write("out.csv", &csv, &batches);
        let whole = concat_batches(&every_type(), &batches).unwrap();
        assert_eq!(committed.rows, whole.num_rows() as u64);
        let read = read_back(
            &bench.path("out.csv"),
            &every_type(),
            delimiter.as_bytes()[0],
        );
        for (column, field) in every_type().fields().iter().enumerate() {
            assert_eq!(
                read.column(column),
                whole.column(column),
                "{}",
                field.name()
            );
        }
    }
}

#[test]
fn a_single_column_keeps_nulls_and_empty_strings() {
    let schema = Arc::new(Schema::new(vec![Field::new("s", DataType::Utf8View, true)]));
    let values = StringViewArray::from(vec![None, Some(""), Some("a"), None, Some("\n"), None]);
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(values)]).unwrap();
    let bench = Bench::new();
    bench.write(
        "out.csv",
        &output(OutputFormat::Csv),
        std::slice::from_ref(&batch),
    );
    assert_eq!(read_back(&bench.path("out.csv"), &schema, b','), batch);
}

#[test]
fn our_sniffer_finds_the_columns_that_were_written() {
    let mut random = Random::new(5);
    let bench = Bench::new();
    bench.write(
        "out.csv",
        &output(OutputFormat::Csv),
        &[random_batch(&mut random, 3_000)],
    );
    let source = bench.source(bench.path("out.csv").to_str().unwrap());
    let found: Vec<(String, String)> = source
        .columns
        .into_iter()
        .map(|column| (column.name, column.data_type))
        .collect();
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    let schema = every_type();
    let written: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    assert_eq!(names, written);
    for (name, data_type) in [
        ("whole", "Int64"),
        ("money", "Decimal128(18, 2)"),
        ("wide", "Decimal128(38, 10)"),
        ("float", "Float64"),
        ("day", "Date32"),
        ("at", "Timestamp(us)"),
        ("at_utc", "Timestamp(us, UTC)"),
        ("flag", "Boolean"),
        ("text", "Utf8"),
    ] {
        assert!(
            found.contains(&(name.to_owned(), data_type.to_owned())),
            "{name}: {found:?}"
        );
    }
}

#[test]
fn quotes_stand_only_where_they_must() {
    let values = [
        Some("plain"),
        Some(""),
        None,
        Some("a,b"),
        Some("say \"hi\""),
        Some("two\nlines"),
        Some("#comment"),
        Some(" blanks "),
        Some("a text of more than sixteen bytes, with a comma"),
        Some("a text of more than sixteen bytes without one"),
    ];
    let expected = "s,n\nplain,1\n\"\",1\n,1\n\"a,b\",1\n\"say \"\"hi\"\"\",1\n\"two\nlines\",1\n\"#comment\",1\n \
                    blanks ,1\n\"a text of more than sixteen bytes, with a comma\",1\n\
                    a text of more than sixteen bytes without one,1\n";
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1; values.len()]));
    let arrays: [ArrayRef; 3] = [
        Arc::new(StringViewArray::from(values.to_vec())),
        Arc::new(StringArray::from(values.to_vec())),
        Arc::new(LargeStringArray::from(values.to_vec())),
    ];
    for array in arrays {
        assert_eq!(
            text_of(vec![("s", array), ("n", Arc::clone(&numbers))]),
            expected
        );
    }
}

#[test]
fn headers_are_quoted_as_text_is() {
    let one: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let text = text_of(vec![
        ("#first", Arc::clone(&one)),
        ("", Arc::clone(&one)),
        ("a \"b\", c", one),
    ]);
    assert_eq!(text, "\"#first\",\"\",\"a \"\"b\"\", c\"\n1,1,1\n");
}

#[test]
fn a_text_longer_than_every_buffer_is_whole() {
    let long = "0123456789,\"".repeat(100_000);
    let plain = "x".repeat(700_000);
    let array = StringViewArray::from(vec![long.as_str(), plain.as_str()]);
    let quoted = long.replace('"', "\"\"");
    assert_eq!(
        text_of(vec![("s", Arc::new(array))]),
        format!("s\n\"{quoted}\"\n{plain}\n")
    );
}

#[test]
fn rare_types_have_a_text() {
    let numbers = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![
        Some(vec![Some(1), None]),
        None,
        Some(vec![]),
    ]);
    let fields = vec![
        (
            Arc::new(Field::new("a", DataType::Int32, true)),
            Arc::new(Int32Array::from(vec![1, 2, 3])) as ArrayRef,
        ),
        (
            Arc::new(Field::new("b", DataType::Utf8, true)),
            Arc::new(StringArray::from(vec![Some("x"), None, Some("\"")])) as ArrayRef,
        ),
    ];
    let words: DictionaryArray<Int32Type> = vec!["yes", "no", "yes"].into_iter().collect();
    let text = text_of(vec![
        ("list", Arc::new(numbers)),
        ("struct", Arc::new(StructArray::from(fields))),
        ("word", Arc::new(words)),
        (
            "bytes",
            Arc::new(BinaryArray::from(vec![&b"\x00\xff"[..], b"", b"A"])),
        ),
        ("nothing", Arc::new(NullArray::new(3))),
        (
            "float",
            Arc::new(Float64Array::from(vec![f64::NAN, f64::INFINITY, 1.0])),
        ),
    ]);
    let expected = concat!(
        "list,struct,word,bytes,nothing,float\n",
        "\"[1,null]\",\"{\"\"a\"\":1,\"\"b\"\":\"\"x\"\"}\",yes,00ff,,NaN\n",
        ",\"{\"\"a\"\":2,\"\"b\"\":null}\",no,\"\",,inf\n",
        "[],\"{\"\"a\"\":3,\"\"b\"\":\"\"\\\"\"\"\"}\",yes,41,,1.0\n",
    );
    assert_eq!(text, expected);
}

#[test]
fn memory_and_file_hold_the_same_bytes() {
    let batch = random_batch(&mut Random::new(3), 20_000);
    let bench = Bench::new();
    let csv = output(OutputFormat::Csv);
    let memory = bench.part(&csv, Keep::Memory, &[batch.clone(), batch.clone()]);
    let file = bench.part(&csv, Keep::File, &[batch.clone(), batch]);
    assert_eq!(memory.rows(), 40_000);
    assert_eq!(memory.path(), None);
    let karyaksham_core::part::Content::Memory(chunks) = memory.content() else {
        panic!("not in memory");
    };
    let path = file.path().unwrap();
    assert!(path.ends_with("output.csv"));
    assert_eq!(std::fs::read(path).unwrap(), chunks.concat());
    assert_eq!(file.size_bytes(), memory.size_bytes());
}

#[test]
fn a_part_that_outgrows_memory_moves_into_its_folder() {
    let text = StringViewArray::from(vec!["x".repeat(1 << 20).as_str(); 10]);
    let batch = RecordBatch::try_from_iter([("s", Arc::new(text) as ArrayRef)]).unwrap();
    let bench = Bench::new();
    let part = bench.part(&output(OutputFormat::Csv), Keep::Memory, &vec![batch; 8]);
    assert_eq!(part.size_bytes(), 80 * ((1 << 20) + 1));
    let size = std::fs::metadata(part.path().unwrap()).unwrap().len();
    assert_eq!(size, part.size_bytes());
}

#[test]
fn text_that_a_spreadsheet_would_run_is_written_as_text() {
    let bench = Bench::new();
    let texts: StringViewArray = ["=1+1", "+a", "-b", "@c", "\td", "e", "=", ""]
        .into_iter()
        .map(Some)
        .collect();
    let numbers: Int64Array = (0..8).map(|n| Some(-n)).collect();
    let batch = RecordBatch::try_from_iter([
        ("=text", Arc::new(texts) as ArrayRef),
        ("n", Arc::new(numbers)),
    ])
    .unwrap();
    let output = Output {
        formula_safe: true,
        ..output(OutputFormat::Csv)
    };
    bench.write("out.csv", &output, &[batch]);
    assert_eq!(
        std::fs::read_to_string(bench.path("out.csv")).unwrap(),
        "'=text,n\n\"'=1+1\",0\n\"'+a\",-1\n\"'-b\",-2\n\"'@c\",-3\n\"'\td\",-4\ne,-5\n\"'=\",-6\n\"\",-7\n"
    );
}
