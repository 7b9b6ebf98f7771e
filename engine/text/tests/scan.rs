//! The scan, one behaviour a test.

use std::io;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use karyaksham_text::{
    BadRowPolicy, CsvScan, Dialect, ReadAt, Reject, RejectCode, ScanOptions, ShardRange,
    ShardReport, Start, TextError, TextScan,
};

fn options(types: &[DataType], bad_rows: BadRowPolicy) -> ScanOptions {
    let field = |(column, data_type): (usize, &DataType)| {
        Field::new(format!("c{column}"), data_type.clone(), true)
    };
    ScanOptions {
        dialect: Dialect {
            has_header: false,
            ..Dialect::default()
        },
        schema: Arc::new(Schema::new(
            types.iter().enumerate().map(field).collect::<Vec<_>>(),
        )),
        projection: (0..types.len()).collect(),
        bad_rows,
        batch_rows: 8192,
        max_record_bytes: 16 << 20,
    }
}

fn scan(
    file: impl Into<Vec<u8>>,
    options: ScanOptions,
) -> (Vec<RecordBatch>, Vec<Reject>, ShardReport) {
    let file = file.into();
    let range = ShardRange {
        lo: 0,
        hi: file.len() as u64,
        start: Start::Exact(0),
    };
    let mut scan = CsvScan::new(Arc::new(file), Arc::new(options), range);
    let mut batches = vec![];
    while let Some(batch) = scan.next_batch().expect("memory can be read") {
        batches.push(batch);
    }
    batches.retain(|batch| batch.num_rows() > 0);
    (batches, scan.take_rejects(), scan.report().clone())
}

fn one(file: impl Into<Vec<u8>>, types: &[DataType]) -> RecordBatch {
    let (mut batches, rejects, _) = scan(file, options(types, BadRowPolicy::RejectRow));
    assert_eq!((batches.len(), rejects.len()), (1, 0), "{rejects:?}");
    batches.remove(0)
}

#[test]
fn every_type_is_decoded() {
    let types = [
        DataType::Int64,
        DataType::Decimal128(18, 2),
        DataType::Date32,
        DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        DataType::Boolean,
        DataType::Utf8View,
    ];
    let batch = one(
        "1,2.50,1970-01-02,1970-01-01T00:00:01,1970-01-01 01:00:00+01:00,true,a string of some length\n\
         \"-3\", 7 ,\"1969-12-31\",1970-01-01,1970-01-01T00:00:00Z,NO,\"it's \"\"quoted\"\"\"\n",
        &types,
    );
    assert_eq!(
        batch.column(0).as_primitive::<Int64Type>().values(),
        &[1, -3]
    );
    assert_eq!(
        batch.column(1).as_primitive::<Decimal128Type>().values(),
        &[250, 700]
    );
    assert_eq!(batch.column(1).data_type(), &DataType::Decimal128(18, 2));
    assert_eq!(
        batch.column(2).as_primitive::<Date32Type>().values(),
        &[1, -1]
    );
    assert_eq!(
        batch
            .column(3)
            .as_primitive::<TimestampMicrosecondType>()
            .values(),
        &[1_000_000, 0]
    );
    assert_eq!(
        batch
            .column(4)
            .as_primitive::<TimestampMicrosecondType>()
            .values(),
        &[0, 0]
    );
    assert_eq!(batch.column(4).data_type(), &types[4]);
    assert_eq!(
        batch
            .column(5)
            .as_boolean()
            .values()
            .iter()
            .collect::<Vec<_>>(),
        [true, false]
    );
    assert_eq!(
        batch.column(6).as_string_view().value(0),
        "a string of some length"
    );
    assert_eq!(batch.column(6).as_string_view().value(1), "it's \"quoted\"");
    assert!(
        batch
            .columns()
            .iter()
            .all(|column| column.nulls().is_none())
    );
}

#[test]
fn empty_fields_are_nulls_and_empty_quotes_are_text() {
    let batch = one(
        "1,\n,\"\"\n\"\",x\n   ,  \n",
        &[DataType::Int64, DataType::Utf8View],
    );
    let nulls = |column: usize| {
        (0..4)
            .map(|row| batch.column(column).is_null(row))
            .collect::<Vec<_>>()
    };
    assert_eq!(nulls(0), [false, true, true, true]);
    assert_eq!(nulls(1), [true, false, false, false]);
    assert_eq!(batch.column(1).as_string_view().value(1), "");
    assert_eq!(batch.column(1).as_string_view().value(3), "  ");
}

#[test]
fn a_bad_value_is_rejected_with_all_that_is_needed_to_find_it() {
    let (batches, rejects, report) = scan(
        "1,\"two\nlines\"\n\nx9,b\n3,c\n",
        options(
            &[DataType::Int64, DataType::Utf8View],
            BadRowPolicy::RejectRow,
        ),
    );
    assert_eq!(
        batches[0].column(0).as_primitive::<Int64Type>().values(),
        &[1, 3]
    );
    let [reject] = &rejects[..] else {
        panic!("{rejects:?}")
    };
    assert_eq!(
        (
            reject.row,
            reject.line,
            reject.record_offset,
            reject.field_offset
        ),
        (2, 4, 15, Some(15))
    );
    assert_eq!(
        (reject.code, reject.column.as_deref()),
        (RejectCode::Cast, Some("c0"))
    );
    assert_eq!(
        (reject.expected.as_deref(), reject.raw.as_str()),
        (Some("Int64"), "x9,b")
    );
    assert_eq!(reject.message, "Column c0: x9 is no Int64.");
    assert_eq!(
        (
            report.rows_read,
            report.rows_passed,
            report.rows_rejected,
            report.lines
        ),
        (3, 2, 1, 5)
    );
}

#[test]
fn a_row_with_two_bad_values_is_one_reject_for_the_first_column() {
    let mut options = options(&[DataType::Int64, DataType::Int64], BadRowPolicy::RejectRow);
    options.projection = vec![1, 0];
    let (_, rejects, report) = scan("x,y\n", options);
    assert_eq!(
        (rejects.len(), rejects[0].column.as_deref()),
        (1, Some("c0"))
    );
    assert_eq!((report.rows_read, report.rows_rejected), (1, 1));
}

#[test]
fn set_null_replaces_bad_values_and_rejects_other_faults() {
    let types = [DataType::Int64, DataType::Utf8View];
    let (batches, rejects, _) = scan(
        b"x,a\n2,\xff\n3\n4,d\n",
        options(&types, BadRowPolicy::SetNull),
    );
    let numbers = batches[0].column(0).as_primitive::<Int64Type>();
    assert_eq!(numbers.iter().collect::<Vec<_>>(), [None, Some(4)]);
    let codes: Vec<_> = rejects.iter().map(|reject| reject.code).collect();
    assert_eq!(
        codes,
        [RejectCode::InvalidEncoding, RejectCode::TooFewColumns]
    );
}

#[test]
fn set_null_rejects_where_the_column_has_no_nulls() {
    let mut options = options(&[DataType::Int64], BadRowPolicy::SetNull);
    options.schema = Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, false)]));
    let (_, rejects, _) = scan("x\n\"\"\n1\n", options);
    assert_eq!(rejects.len(), 2);
    assert_eq!(rejects[0].message, "Column id: x is no Int64.");
}

#[test]
fn a_line_of_100_mb_is_one_reject_in_bounded_memory() {
    struct Long(u64);
    impl ReadAt for Long {
        fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
            assert!(buf.len() <= 40 << 20, "the buffer stays bounded");
            let count = buf.len().min((self.0 - offset) as usize);
            for (at, byte) in (offset..).zip(&mut buf[..count]) {
                *byte = if at == 1 || at == self.0 - 3 || at == self.0 - 1 {
                    b'\n'
                } else {
                    b'7'
                };
            }
            Ok(count)
        }
        fn size_bytes(&self) -> u64 {
            self.0
        }
    }
    let size = 100_000_000;
    let range = ShardRange {
        lo: 0,
        hi: size,
        start: Start::Exact(0),
    };
    let options = Arc::new(options(&[DataType::Int64], BadRowPolicy::RejectRow));
    let mut scan = CsvScan::new(Arc::new(Long(size)), options, range);
    let mut rows = 0;
    while let Some(batch) = scan.next_batch().expect("memory can be read") {
        rows += batch.num_rows();
    }
    let rejects = scan.take_rejects();
    assert_eq!(rows, 2);
    assert_eq!(
        (rejects.len(), rejects[0].code),
        (1, RejectCode::RecordTooLong)
    );
    assert_eq!(
        (
            rejects[0].line,
            rejects[0].record_offset,
            rejects[0].raw.len()
        ),
        (2, 2, 4096)
    );
    assert_eq!((scan.report().lines, scan.report().end), (3, size));
}

#[test]
fn a_record_larger_than_a_chunk_is_read_whole() {
    let text = "long, \"\"text\"\"\n".repeat(200_000);
    let batch = one(
        format!("1,\"{text}\"\n2,b\n"),
        &[DataType::Int64, DataType::Utf8View],
    );
    assert_eq!(batch.num_rows(), 2);
    assert_eq!(
        batch.column(1).as_string_view().value(0).len(),
        200_000 * "long, \"text\"\n".len()
    );
}

#[test]
fn a_shard_that_begins_in_a_long_line_begins_after_it() {
    let file = [vec![b'7'; 9 << 20], b"\n1\n2".to_vec()].concat();
    let size = file.len() as u64;
    let options = Arc::new(options(&[DataType::Utf8View], BadRowPolicy::RejectRow));
    for (lo, hi, rows, first) in [
        (100, size, 2, size - 3),
        (100, size - 3, 0, size - 3),
        (size - 1, size, 1, size - 1),
    ] {
        let range = ShardRange {
            lo,
            hi,
            start: Start::Guess,
        };
        let mut scan = CsvScan::new(Arc::new(file.clone()), options.clone(), range);
        let mut found = 0;
        while let Some(batch) = scan.next_batch().expect("memory can be read") {
            found += batch.num_rows();
        }
        let report = scan.report();
        assert_eq!(
            (found, report.first, report.bytes_read),
            (rows, first, report.end - first),
            "{lo}..{hi}"
        );
        assert_eq!(report.end, if rows == 0 { first } else { size });
    }
}

#[test]
fn no_bytes_give_no_rows() {
    let (batches, rejects, report) = scan("", options(&[DataType::Int64], BadRowPolicy::RejectRow));
    assert!(batches.is_empty() && rejects.is_empty());
    assert_eq!((report.first, report.end, report.rows_read), (0, 0, 0));
}

#[test]
fn a_type_that_text_is_not_read_as_is_an_error() {
    let range = ShardRange {
        lo: 0,
        hi: 1,
        start: Start::Exact(0),
    };
    let options = options(&[DataType::Int8], BadRowPolicy::RejectRow);
    let mut scan = CsvScan::new(Arc::new(vec![b'1']), Arc::new(options), range);
    assert!(matches!(
        scan.next_batch(),
        Err(TextError::UnsupportedType { .. })
    ));
}

#[test]
fn a_file_that_became_shorter_is_an_error() {
    struct Cut;
    impl ReadAt for Cut {
        fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
            vec![b'7'; 5000].read_at(offset, buf)
        }
        fn size_bytes(&self) -> u64 {
            9000
        }
    }
    let range = ShardRange {
        lo: 0,
        hi: 9000,
        start: Start::Exact(0),
    };
    let mut scan = CsvScan::new(
        Arc::new(Cut),
        Arc::new(options(&[DataType::Int64], BadRowPolicy::RejectRow)),
        range,
    );
    assert!(matches!(
        scan.next_batch(),
        Err(TextError::Changed { offset: 5000 })
    ));
}
