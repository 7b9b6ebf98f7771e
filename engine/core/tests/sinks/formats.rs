//! NDJSON, Parquet, Arrow and tables out, read back by the libraries of the formats.

use std::fs::File;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, Float64Array, Int64Array, ListArray, RecordBatch,
    StringArray, StringViewArray,
};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Int32Type};
use arrow::ipc::reader::FileReader;
use karyaksham_core::commit::OutputWriter;
use karyaksham_core::job::{OutputFormat, columns_of};
use karyaksham_core::part::Keep;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use serde_json::Value;

use crate::support::{Bench, Random, every_type, output, random_batch};

/// The same rows with the types that files hold.
fn plain(batch: &RecordBatch) -> Vec<ArrayRef> {
    let plain = |column: &ArrayRef| match column.data_type() {
        DataType::Utf8View => cast(column, &DataType::Utf8).unwrap(),
        _ => Arc::clone(column),
    };
    batch.columns().iter().map(plain).collect()
}

fn read_parquet(path: &std::path::Path) -> RecordBatch {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let schema = Arc::clone(builder.schema());
    let batches: Vec<RecordBatch> = builder.build().unwrap().map(Result::unwrap).collect();
    concat_batches(&schema, &batches).unwrap()
}

#[test]
fn ndjson_keeps_every_digit_and_every_null() {
    let bench = Bench::new();
    let lists =
        ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1), None]), None]);
    let decimals =
        arrow::array::Decimal128Array::from(vec![Some(123_456_789_012_345_678_901), None])
            .with_precision_and_scale(38, 2)
            .unwrap();
    let batch = RecordBatch::try_from_iter_with_nullable([
        (
            "s\"",
            Arc::new(StringViewArray::from(vec![Some("a\n\"\\\u{1}é"), None])) as ArrayRef,
            true,
        ),
        (
            "big",
            Arc::new(Int64Array::from(vec![i64::MAX, i64::MIN])),
            true,
        ),
        ("money", Arc::new(decimals), true),
        ("list", Arc::new(lists), true),
        (
            "float",
            Arc::new(Float64Array::from(vec![0.1, f64::NAN])),
            true,
        ),
        (
            "day",
            Arc::new(arrow::array::Date32Array::from(vec![0, 19_000])),
            true,
        ),
    ])
    .unwrap();
    bench.write("out.ndjson", &output(OutputFormat::Ndjson), &[batch]);
    let text = std::fs::read_to_string(bench.path("out.ndjson")).unwrap();
    let expected = concat!(
        r#"{"s\"":"a\n\"\\\u0001é","big":9223372036854775807,"money":1234567890123456789.01,"#,
        r#""list":[1,null],"float":0.1,"day":"1970-01-01"}"#,
        "\n",
        r#"{"s\"":null,"big":-9223372036854775808,"money":null,"list":null,"float":null,"day":"2022-01-08"}"#,
        "\n",
    );
    assert_eq!(text, expected);
}

#[test]
fn ndjson_lines_are_json_with_all_keys() {
    let bench = Bench::new();
    let batches = [
        random_batch(&mut Random::new(7), 3_000),
        random_batch(&mut Random::new(8), 100),
    ];
    bench.write("out.ndjson", &output(OutputFormat::Ndjson), &batches);
    let text = std::fs::read_to_string(bench.path("out.ndjson")).unwrap();
    let whole = concat_batches(&every_type(), &batches).unwrap();
    let strings = whole.column(0).as_string_view();
    assert_eq!(text.lines().count(), 3_100);
    for (row, line) in text.lines().enumerate() {
        let object: Value = serde_json::from_str(line).unwrap();
        assert_eq!(object.as_object().unwrap().len(), 10);
        let expected = if strings.is_null(row) {
            Value::Null
        } else {
            strings.value(row).into()
        };
        assert_eq!(object["text"], expected);
    }
}

#[test]
fn parquet_parts_become_one_file_with_all_rows() {
    let mut random = Random::new(11);
    for compression in [None, Some("zstd"), Some("lz4"), Some("none")] {
        let bench = Bench::new();
        let mut parquet = output(OutputFormat::Parquet);
        parquet.compression = compression.map(str::to_owned);
        let sizes = [10, 70_000, 1, 0, 66_000, 500];
        let batches: Vec<RecordBatch> = sizes
            .iter()
            .map(|n| random_batch(&mut random, *n))
            .collect();
        let committed = bench.write("out.parquet", &parquet, &batches);
        assert_eq!(committed.rows, 136_511);
        let path = bench.path("out.parquet");
        assert_eq!(committed.size_bytes, path.metadata().unwrap().len());
        let read = read_parquet(&path);
        let whole = concat_batches(&every_type(), &batches).unwrap();
        assert_eq!(read.columns(), plain(&whole));
        let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
        let groups: Vec<i64> = reader
            .metadata()
            .row_groups()
            .iter()
            .map(|g| g.num_rows())
            .collect();
        assert_eq!(groups, [10, 70_000, 1, 66_000, 500]);
    }
}

#[test]
fn many_small_parquet_parts_share_row_groups() {
    let mut random = Random::new(12);
    let batches: Vec<RecordBatch> = (0..40).map(|_| random_batch(&mut random, 25)).collect();
    let bench = Bench::new();
    bench.write("out.parquet", &output(OutputFormat::Parquet), &batches);
    let reader = SerializedFileReader::new(File::open(bench.path("out.parquet")).unwrap()).unwrap();
    assert_eq!(reader.metadata().num_row_groups(), 1);
    assert_eq!(reader.metadata().file_metadata().num_rows(), 1_000);
    let whole = concat_batches(&every_type(), &batches).unwrap();
    assert_eq!(
        read_parquet(&bench.path("out.parquet")).columns(),
        plain(&whole)
    );
}

#[test]
fn a_result_without_rows_still_has_its_columns() {
    let bench = Bench::new();
    let columns = columns_of(&every_type());
    for format in [
        OutputFormat::Parquet,
        OutputFormat::Arrow,
        OutputFormat::Csv,
        OutputFormat::Ndjson,
    ] {
        let path = bench.path("out");
        let mut writer = OutputWriter::new(&path, &output(format), &columns, true).unwrap();
        assert_eq!(writer.commit().unwrap().rows, 0);
        let text = std::fs::read(&path).unwrap();
        match format {
            OutputFormat::Parquet => assert_eq!(read_parquet(&path).num_columns(), 10),
            OutputFormat::Arrow => {
                let reader = FileReader::try_new(File::open(&path).unwrap(), None).unwrap();
                assert_eq!(reader.schema().fields().len(), 10);
            }
            OutputFormat::Csv => assert!(text.starts_with(b"text,whole,money,")),
            _ => assert!(text.is_empty()),
        }
    }
}

#[test]
fn arrow_parts_become_one_file_of_plain_types() {
    let mut random = Random::new(13);
    let batches: Vec<RecordBatch> = [100, 0, 9_000].map(|n| random_batch(&mut random, n)).into();
    let bench = Bench::new();
    bench.write("out.arrow", &output(OutputFormat::Arrow), &batches);
    let reader = FileReader::try_new(File::open(bench.path("out.arrow")).unwrap(), None).unwrap();
    let schema = reader.schema();
    let read: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    let whole = concat_batches(&every_type(), &batches).unwrap();
    assert_eq!(
        concat_batches(&schema, &read).unwrap().columns(),
        plain(&whole)
    );
}

#[test]
fn dictionaries_become_what_they_hold() {
    let words: DictionaryArray<Int32Type> = vec!["yes", "no", "yes"].into_iter().collect();
    let batch = RecordBatch::try_from_iter([("word", Arc::new(words) as ArrayRef)]).unwrap();
    let bench = Bench::new();
    bench.write(
        "out.parquet",
        &output(OutputFormat::Parquet),
        std::slice::from_ref(&batch),
    );
    let expected: ArrayRef = Arc::new(StringArray::from(vec!["yes", "no", "yes"]));
    assert_eq!(
        read_parquet(&bench.path("out.parquet")).column(0),
        &expected
    );
}

#[test]
fn a_table_shows_the_first_rows_and_counts_the_rest() {
    let bench = Bench::new();
    let part = |from: i64, to: i64| {
        let numbers: Int64Array = (from..to).map(Some).collect();
        let names: StringViewArray = (from..to)
            .map(|n| (n != 1).then(|| format!("näme\n{}", "日".repeat(n as usize % 3))))
            .collect();
        RecordBatch::try_from_iter_with_nullable([
            ("n", Arc::new(numbers) as ArrayRef, true),
            ("name", Arc::new(names), true),
        ])
        .unwrap()
    };
    let table = output(OutputFormat::Table);
    let committed = bench.write("out.txt", &table, &[part(0, 3), part(3, 1_000)]);
    assert_eq!(committed.rows, 1_000);
    let text = std::fs::read_to_string(bench.path("out.txt")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..6],
        [
            "┌────┬───────────┐",
            "│  n │ name      │",
            "├────┼───────────┤",
            "│  0 │ näme⏎     │",
            "│  1 │ NULL      │",
            "│  2 │ näme⏎日日 │",
        ]
    );
    assert_eq!(lines.len(), 3 + 40 + 2);
    assert_eq!(lines[44], "… and 960 more rows");
}

#[test]
fn options_that_do_not_fit_are_refused() {
    let refused = [
        (
            OutputFormat::Parquet,
            Some("brotli"),
            None,
            "INVALID_OUTPUT",
        ),
        (OutputFormat::Csv, Some("snappy"), None, "INVALID_OUTPUT"),
        (OutputFormat::Csv, None, Some("\""), "INVALID_DIALECT"),
        (OutputFormat::Csv, None, Some("::"), "INVALID_DIALECT"),
    ];
    for (format, compression, delimiter, code) in refused {
        let mut output = output(format);
        output.compression = compression.map(str::to_owned);
        output.delimiter = delimiter.map(str::to_owned);
        let error = karyaksham_core::sink::check(&output).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_fault().code.as_ref()),
            ("InvalidJob", code)
        );
    }
}

#[test]
fn a_full_disk_is_named_for_every_format() {
    let batch = random_batch(&mut Random::new(17), 40_000);
    for (format, name) in [
        (OutputFormat::Csv, "output.csv"),
        (OutputFormat::Ndjson, "output.ndjson"),
        (OutputFormat::Parquet, "output.parquet"),
        (OutputFormat::Arrow, "output.arrow"),
    ] {
        let bench = Bench::new();
        let destination = bench.destination(Keep::File);
        std::os::unix::fs::symlink("/dev/full", destination.staging_dir.join(name)).unwrap();
        let mut sink =
            karyaksham_core::sink::open(&output(format), batch.schema(), &destination).unwrap();
        let result = sink.write(&batch).and_then(|()| sink.finish().map(drop));
        let error = result.unwrap_err();
        assert_eq!(
            (error.kind(), error.to_fault().code.as_ref()),
            ("ResourceError", "DISK_FULL"),
            "{name}"
        );
        assert!(error.to_fault().hint.is_some());
    }
}
