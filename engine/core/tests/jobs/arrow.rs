//! Arrow sources: shards are batches, of files and of streams, and nothing is lost between them.

use std::fs::File;
use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Int32Type;
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use karyaksham_core::job::{FileFormat, Source};
use karyaksham_core::plan::plan;

use crate::common::{Bench, fault, in_shards, job, source};

const BATCHES: i64 = 20;
const ROWS_OF_BATCH: i64 = 250;
const COLUMNS: [&str; 4] = ["id:Int64", "city:Utf8", "kind:Utf8", "weight:Float64"];

fn batch(number: i64, dictionary: &ArrayRef) -> RecordBatch {
    let rows = number * ROWS_OF_BATCH..(number + 1) * ROWS_OF_BATCH;
    let ids: Int64Array = rows.clone().collect();
    let cities: StringArray = rows
        .clone()
        .map(|n| (n % 10 != 3).then(|| format!("a city with a long name {}", n * 7 % 13)))
        .collect();
    let keys = rows.clone().map(|n| (n % 5 != 1).then_some((n % 3) as i32));
    let kinds = DictionaryArray::<Int32Type>::new(keys.collect(), Arc::clone(dictionary));
    let weights: Float64Array = rows
        .map(|n| (n % 4 != 1).then_some(n as f64 / 7.0))
        .collect();
    RecordBatch::try_from_iter_with_nullable([
        ("id", Arc::new(ids) as ArrayRef, true),
        ("city", Arc::new(cities), true),
        ("kind", Arc::new(kinds), true),
        ("weight", Arc::new(weights), true),
    ])
    .unwrap()
}

fn batches() -> Vec<RecordBatch> {
    let dictionary: ArrayRef = Arc::new(StringArray::from(vec!["red", "green", "blue"]));
    (0..BATCHES).map(|n| batch(n, &dictionary)).collect()
}

fn sample(bench: &Bench, name: &str, compression: Option<CompressionType>) -> Source {
    let path = bench.path(&format!("{name}.arrow"));
    let options = IpcWriteOptions::default()
        .try_with_compression(compression)
        .unwrap();
    let file = File::create(&path).unwrap();
    let batches = batches();
    let mut writer = FileWriter::try_new_with_options(file, &batches[0].schema(), options).unwrap();
    batches
        .iter()
        .for_each(|batch| writer.write(batch).unwrap());
    writer.finish().unwrap();
    source("t", FileFormat::Arrow, &path, &COLUMNS)
}

fn stream(bench: &Bench, name: &str) -> Source {
    let path = bench.path(&format!("{name}.arrows"));
    let batches = batches();
    let mut writer =
        StreamWriter::try_new(File::create(&path).unwrap(), &batches[0].schema()).unwrap();
    for (number, batch) in batches.iter().enumerate() {
        // A stream may replace its dictionary on the way.
        let names = if number < 10 {
            ["red", "green", "blue"]
        } else {
            ["blue", "red", "green"]
        };
        let dictionary: ArrayRef = Arc::new(StringArray::from(names.to_vec()));
        let replaced = self::batch(number as i64, &dictionary);
        assert_eq!(replaced.schema(), batch.schema());
        writer.write(&replaced).unwrap();
    }
    writer.finish().unwrap();
    source("t", FileFormat::Arrow, &path, &COLUMNS)
}

#[test]
fn any_number_of_shards_gives_the_same_bytes_and_counts_every_row() {
    let bench = Bench::new();
    let sources = [
        sample(&bench, "plain", None),
        sample(&bench, "lz4", Some(CompressionType::LZ4_FRAME)),
        sample(&bench, "zstd", Some(CompressionType::ZSTD)),
        stream(&bench, "stream"),
    ];
    for sql in [
        "SELECT * FROM t",
        "SELECT count(*) AS n FROM t",
        "SELECT kind, city, id FROM t WHERE id >= 4700 AND kind = 'red'",
        "SELECT kind, count(*) AS n, sum(weight) AS w FROM t GROUP BY kind ORDER BY kind",
        "SELECT id FROM t LIMIT 5",
    ] {
        for source in &sources {
            let mut answers = Vec::new();
            for shards in [1, 2, 7, 64] {
                let done = bench
                    .run(in_shards(job(sql, std::slice::from_ref(source)), shards))
                    .unwrap_or_else(|e| panic!("{sql}: {e}"));
                let read: u64 = done.reports.iter().map(|r| r.report.rows_read).sum();
                assert_eq!(read, (BATCHES * ROWS_OF_BATCH) as u64, "{sql}");
                for pair in done.reports.windows(2) {
                    assert_eq!(pair[0].report.end, pair[1].report.first);
                }
                answers.push(done.text);
            }
            answers.dedup();
            assert_eq!(answers.len(), 1, "{sql}");
        }
    }
}

#[test]
fn a_replaced_dictionary_holds_for_the_batches_after_it() {
    let bench = Bench::new();
    let sql = "SELECT kind FROM t WHERE id IN (0, 4998)";
    for shards in [1, 20] {
        let run = in_shards(job(sql, &[stream(&bench, "t")]), shards);
        assert_eq!(bench.run(run).unwrap().text, "kind\nred\nblue\n");
    }
}

#[test]
fn a_file_is_cut_at_its_batches() {
    let bench = Bench::new();
    let planned = plan(in_shards(
        job("SELECT * FROM t", &[sample(&bench, "t", None)]),
        64,
    ));
    assert_eq!(planned.unwrap().stages[0].task_count, BATCHES as usize);
}

#[test]
fn an_empty_file_has_no_rows() {
    let bench = Bench::new();
    let path = bench.path("t.arrow");
    let schema = batches()[0].schema();
    let mut writer = FileWriter::try_new(File::create(&path).unwrap(), &schema).unwrap();
    writer.finish().unwrap();
    let empty = source("t", FileFormat::Arrow, &path, &COLUMNS);
    let done = bench.run(job("SELECT kind FROM t", &[empty])).unwrap();
    assert_eq!(done.text, "kind\n");
}

#[test]
fn damage_is_an_error_that_names_the_file_and_never_a_panic() {
    let bench = Bench::new();
    for whole in [
        sample(&bench, "t", Some(CompressionType::ZSTD)),
        stream(&bench, "s"),
    ] {
        let bytes = std::fs::read(&whole.files[0].path).unwrap();
        let step = (bytes.len() / 60).max(1);
        let mut refused = 0;
        for at in (0..bytes.len()).step_by(step) {
            for damaged in [bytes[..at].to_vec(), flipped(&bytes, at)] {
                let path = bench.path("damaged.arrow");
                std::fs::write(&path, damaged).unwrap();
                let damaged = source("t", FileFormat::Arrow, &path, &COLUMNS);
                if let Err(error) = bench.run(job("SELECT * FROM t", &[damaged])) {
                    assert_ne!(error.kind(), "InternalError", "{error}");
                    refused += 1;
                }
            }
        }
        assert!(refused > 60, "{refused}");
    }
    let path = bench.path("short.arrow");
    std::fs::write(&path, b"ARROW1\0\0").unwrap();
    let short = source("t", FileFormat::Arrow, &path, &COLUMNS);
    let (kind, code, message) = fault(plan(job("SELECT * FROM t", &[short])));
    assert_eq!(
        (kind.as_str(), code.as_str()),
        ("SourceError", "INVALID_ARROW")
    );
    assert!(message.starts_with("short.arrow: "), "{message}");
}

fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] = !bytes[at];
    bytes
}

#[test]
fn a_claim_of_endless_bytes_is_refused_before_they_are_allocated() {
    let bench = Bench::new();
    let whole = sample(&bench, "t", Some(CompressionType::ZSTD));
    let mut bytes = std::fs::read(&whole.files[0].path).unwrap();
    // Of the compressed buffers in the file, each begins with its unpacked length.
    let frame = [0x28, 0xb5, 0x2f, 0xfd];
    let at = (8..bytes.len() - 4)
        .find(|at| bytes[*at..at + 4] == frame)
        .unwrap();
    bytes[at - 8..at].copy_from_slice(&(1i64 << 60).to_le_bytes());
    let path = bench.path("bomb.arrow");
    std::fs::write(&path, bytes).unwrap();
    let bomb = source("t", FileFormat::Arrow, &path, &COLUMNS);
    assert_eq!(
        fault(bench.run(job("SELECT * FROM t", &[bomb]))).1,
        "TOO_LARGE"
    );
}
