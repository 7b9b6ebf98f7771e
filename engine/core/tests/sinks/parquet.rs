//! Parquet files of ours beside those that the parquet crate writes of the same rows: the same values, the same
//! statistics, and an index whose pages hold what it says.

use std::fs::File;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Decimal128Array, Int32Array, Int64Array, RecordBatch,
    StringViewArray, TimestampMillisecondArray, TimestampNanosecondArray, new_null_array,
};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Field, Schema};
use karyaksham_core::job::OutputFormat;
use karyaksham_core::part::Keep;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::Encoding;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};
use parquet::file::page_index::column_index::ColumnIndexMetaData;

use crate::support::{Bench, Random, output};

const ROWS: usize = 60_000;

type Make = fn(&mut Random, usize) -> ArrayRef;

/// Columns that are encoded in each of the ways there are, and change over their rows.
const COLUMNS: [(&str, Make); 16] = [
    ("rising", |_, rows| {
        Arc::new((0..rows as i64).collect::<Int64Array>())
    }),
    ("extreme", |r, rows| {
        let pick =
            |r: &mut Random| [i64::MIN, i64::MAX, 0, -1, r.bits() as i64][r.below(5) as usize];
        Arc::new((0..rows).map(|_| r.maybe(pick)).collect::<Int64Array>())
    }),
    ("narrow", |r, rows| {
        let pick = |r: &mut Random| [i32::MIN, i32::MAX, 0, r.bits() as i32][r.below(4) as usize];
        Arc::new((0..rows).map(|_| r.maybe(pick)).collect::<Int32Array>())
    }),
    ("falling", |_, rows| {
        Arc::new(
            (0..rows as i32)
                .map(|n| Some(9_000 - n))
                .collect::<Date32Array>(),
        )
    }),
    ("millis", |r, rows| {
        Arc::new(
            (0..rows)
                .map(|_| r.maybe(|r| r.bits() as i64 >> 20))
                .collect::<TimestampMillisecondArray>(),
        )
    }),
    ("nanos", |r, rows| {
        Arc::new(
            (0..rows)
                .map(|_| Some(r.bits() as i64))
                .collect::<TimestampNanosecondArray>(),
        )
    }),
    ("money9", |r, rows| decimals(r, rows, 9)),
    ("money18", |r, rows| decimals(r, rows, 18)),
    ("money38", |r, rows| decimals(r, rows, 38)),
    ("one", |_, rows| {
        texts((0..rows).map(|_| Some("always the same text".to_owned())))
    }),
    ("few", |r, rows| {
        texts((0..rows).map(|_| {
            r.maybe(|r| {
                "ab cd ef gh ij kl mn op"
                    .chars()
                    .take(r.below(24) as usize)
                    .collect()
            })
        }))
    }),
    // Its dictionary is full after some thousand rows.
    ("fills", |r, rows| {
        texts((0..rows).map(|n| {
            if n < 3_000 {
                Some(format!("word {}", n % 7))
            } else {
                r.maybe(long)
            }
        }))
    }),
    ("runs", |_, rows| {
        texts((0..rows).map(|n| Some(format!("{}", n / 1_000 * 7 % 9))))
    }),
    ("own", |r, rows| texts((0..rows).map(|_| r.maybe(long)))),
    ("hard", |r, rows| {
        texts((0..rows).map(|_| r.maybe(Random::text)))
    }),
    ("nothing", |_, rows| {
        new_null_array(&DataType::Utf8View, rows)
    }),
];

fn decimals(random: &mut Random, rows: usize, precision: u8) -> ArrayRef {
    let digits = |r: &mut Random| i128::from(r.below(999_999_999)) - 500_000_000;
    let array: Decimal128Array = (0..rows).map(|_| random.maybe(digits)).collect();
    Arc::new(array.with_precision_and_scale(precision, 2).unwrap())
}

fn texts(texts: impl Iterator<Item = Option<String>>) -> ArrayRef {
    Arc::new(texts.collect::<StringViewArray>())
}

/// Long enough for its bound to be cut, in the middle of a character perhaps.
fn long(random: &mut Random) -> String {
    let end = ["é", "\u{10ffff}", "z", "日"][random.below(4) as usize];
    format!(
        "{:x}{}",
        random.bits(),
        end.repeat(random.below(60) as usize)
    )
}

fn batches(rows: usize, nullable: bool) -> Vec<RecordBatch> {
    let mut random = Random::new(3);
    let columns = COLUMNS.map(|(name, make)| (name, make(&mut random, rows)));
    let columns: Vec<(&str, ArrayRef)> = columns
        .into_iter()
        .filter(|(_, column)| nullable || column.null_count() == 0)
        .collect();
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, column)| Field::new(*name, column.data_type().clone(), nullable))
        .collect();
    let arrays = columns.into_iter().map(|(_, column)| column).collect();
    let whole = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap();
    let mut at = 0;
    let mut cut = Vec::new();
    while at < rows {
        let step = [8_192, 1, 100, 20_000, 8_191][cut.len() % 5].min(rows - at);
        cut.push(whole.slice(at, step));
        at += step;
    }
    cut
}

fn ours(bench: &Bench, compression: Option<&str>, batches: &[RecordBatch]) -> File {
    let mut parquet = output(OutputFormat::Parquet);
    parquet.compression = compression.map(str::to_owned);
    let part = bench.part(&parquet, Keep::File, batches);
    File::open(part.path().unwrap()).unwrap()
}

fn theirs(bench: &Bench, batches: &[RecordBatch]) -> File {
    let path = bench.path("theirs.parquet");
    let mut writer =
        ArrowWriter::try_new(File::create(&path).unwrap(), batches[0].schema(), None).unwrap();
    batches
        .iter()
        .for_each(|batch| writer.write(batch).unwrap());
    writer.close().unwrap();
    File::open(path).unwrap()
}

fn builder(file: &File) -> ParquetRecordBatchReaderBuilder<File> {
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
    let file = file.try_clone().unwrap();
    ParquetRecordBatchReaderBuilder::try_new_with_options(file, options).unwrap()
}

fn read(builder: ParquetRecordBatchReaderBuilder<File>) -> RecordBatch {
    let schema = Arc::clone(builder.schema());
    let batches: Vec<RecordBatch> = builder.build().unwrap().map(Result::unwrap).collect();
    concat_batches(&schema, &batches).unwrap()
}

fn stored(batch: &RecordBatch) -> Vec<ArrayRef> {
    let stored = |column: &ArrayRef| match column.data_type() {
        DataType::Utf8View => cast(column, &DataType::Utf8).unwrap(),
        _ => Arc::clone(column),
    };
    batch.columns().iter().map(stored).collect()
}

#[test]
fn every_encoding_gives_the_rows_back() {
    let bench = Bench::new();
    for (nullable, compression) in [
        (true, None),
        (true, Some("zstd")),
        (false, Some("lz4")),
        (false, Some("none")),
    ] {
        let batches = batches(ROWS, nullable);
        let whole = concat_batches(&batches[0].schema(), &batches).unwrap();
        let file = ours(&bench, compression, &batches);
        assert_eq!(read(builder(&file)).columns(), stored(&whole));
        // By the index, from within a page.
        let some = read(builder(&file).with_offset(33_333).with_limit(20_000));
        assert_eq!(some.columns(), stored(&whole.slice(33_333, 20_000)));
    }
}

#[test]
fn columns_are_encoded_by_what_is_in_them() {
    let file = ours(&Bench::new(), None, &batches(ROWS, true));
    let builder = builder(&file);
    let has = |name: &str, encoding: Encoding| {
        let columns = builder.metadata().row_group(0).columns();
        let mut columns = columns.iter().filter(|c| c.column_path().string() == name);
        columns
            .next()
            .unwrap()
            .encodings()
            .any(|found| found == encoding)
    };
    for name in ["rising", "falling", "money9", "money18"] {
        assert!(has(name, Encoding::DELTA_BINARY_PACKED), "{name}");
    }
    for name in ["one", "few", "fills", "runs"] {
        assert!(has(name, Encoding::RLE_DICTIONARY), "{name}");
    }
    assert!(has("own", Encoding::PLAIN) && !has("own", Encoding::RLE_DICTIONARY));
}

#[test]
fn statistics_are_those_of_the_parquet_crate() {
    let bench = Bench::new();
    let batches = batches(ROWS, true);
    let (ours, theirs) = (
        builder(&ours(&bench, None, &batches)),
        builder(&theirs(&bench, &batches)),
    );
    let columns = |metadata: &ParquetMetaData| metadata.row_group(0).columns().to_vec();
    for (ours, theirs) in columns(ours.metadata())
        .iter()
        .zip(columns(theirs.metadata()))
    {
        let name = ours.column_path();
        assert_eq!(ours.statistics(), theirs.statistics(), "{name}");
        assert_eq!(ours.num_values(), theirs.num_values(), "{name}");
        assert_eq!(
            ours.definition_level_histogram(),
            theirs.definition_level_histogram(),
            "{name}"
        );
        assert_eq!(
            ours.unencoded_byte_array_data_bytes(),
            theirs.unencoded_byte_array_data_bytes(),
            "{name}"
        );
    }
}

#[test]
fn no_page_has_a_value_beyond_its_bounds() {
    let batches = batches(ROWS, true);
    let whole = concat_batches(&batches[0].schema(), &batches).unwrap();
    let builder = builder(&ours(&Bench::new(), None, &batches));
    let (columns, offsets) = (
        builder.metadata().column_index().unwrap(),
        builder.metadata().offset_index().unwrap(),
    );
    for (at, (index, offsets)) in columns[0].iter().zip(&offsets[0]).enumerate() {
        let column = whole.column(at);
        let starts: Vec<usize> = offsets
            .page_locations()
            .iter()
            .map(|p| p.first_row_index as usize)
            .collect();
        assert!(starts.len() > 2, "{}", COLUMNS[at].0);
        for (page, start) in starts.iter().enumerate() {
            let end = starts.get(page + 1).copied().unwrap_or(ROWS);
            let rows = column.slice(*start, end - start);
            assert_eq!(index.null_count(page), Some(rows.null_count() as i64));
            assert_eq!(index.is_null_page(page), rows.null_count() == rows.len());
            match index {
                ColumnIndexMetaData::INT64(index) if *rows.data_type() == DataType::Int64 => {
                    let values = rows.as_primitive::<arrow::datatypes::Int64Type>();
                    assert_eq!(index.min_value(page).copied(), arrow::compute::min(values));
                    assert_eq!(index.max_value(page).copied(), arrow::compute::max(values));
                }
                ColumnIndexMetaData::BYTE_ARRAY(index)
                    if *rows.data_type() == DataType::Utf8View =>
                {
                    for value in rows.as_string_view().iter().flatten() {
                        assert!(index.min_value(page).unwrap() <= value.as_bytes());
                        assert!(index.max_value(page).unwrap() >= value.as_bytes());
                    }
                }
                _ => {}
            }
        }
    }
}

#[test]
fn row_groups_end_where_they_are_long_enough() {
    let numbers: Int64Array = (0..(1 << 20) + 5_000).collect();
    let batch = RecordBatch::try_from_iter([("n", Arc::new(numbers) as ArrayRef)]).unwrap();
    let builder = builder(&ours(&Bench::new(), None, std::slice::from_ref(&batch)));
    let groups: Vec<i64> = builder
        .metadata()
        .row_groups()
        .iter()
        .map(|g| g.num_rows())
        .collect();
    assert_eq!(groups, [1 << 20, 5_000]);
    assert_eq!(read(builder).columns(), batch.columns());
}
