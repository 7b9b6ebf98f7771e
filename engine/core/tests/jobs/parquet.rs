//! Parquet sources: shards are row groups, and nothing is lost between them.

use std::fs::File;
use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray};
use karyaksham_core::job::{FileFormat, Source};
use karyaksham_core::plan::plan;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use crate::common::{Bench, fault, in_shards, job, source};

const ROWS: i64 = 5_000;

fn sample(bench: &Bench, name: &str) -> Source {
    let ids: Int64Array = (0..ROWS).collect();
    let cities: StringArray = (0..ROWS)
        .map(|n| (n % 10 != 3).then(|| format!("city {}", n * 7 % 13)))
        .collect();
    let amounts = Decimal128Array::from_iter_values((0..ROWS).map(|n| i128::from(n * 31 % 1_000)));
    let weights: Float64Array = (0..ROWS)
        .map(|n| (n % 4 != 1).then_some(n as f64 / 7.0))
        .collect();
    let batch = RecordBatch::try_from_iter([
        ("id", Arc::new(ids) as ArrayRef),
        ("city", Arc::new(cities)),
        (
            "amount",
            Arc::new(amounts.with_precision_and_scale(12, 2).unwrap()),
        ),
        ("weight", Arc::new(weights)),
    ])
    .unwrap();
    let path = bench.path(&format!("{name} of #1 50%.parquet"));
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(300))
        .build();
    let mut writer = ArrowWriter::try_new(
        File::create(&path).unwrap(),
        batch.schema(),
        Some(properties),
    )
    .unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let columns = [
        "id:Int64",
        "city:Utf8",
        "amount:Decimal128(12, 2)",
        "weight:Float64",
    ];
    source(name, FileFormat::Parquet, &path, &columns)
}

#[test]
fn any_number_of_shards_gives_the_same_bytes_and_counts_every_row() {
    let bench = Bench::new();
    let sources = [sample(&bench, "p")];
    for sql in [
        "SELECT * FROM p",
        "SELECT count(*) AS n FROM p",
        "SELECT city, id FROM p WHERE id >= 4700 AND amount > 5",
        "SELECT city, count(*) AS n, sum(amount) AS s, avg(amount) AS a, sum(weight) AS w FROM p GROUP BY city",
        "SELECT * FROM p ORDER BY amount DESC LIMIT 12",
        "SELECT id FROM p LIMIT 5",
        "SELECT a.id FROM p a JOIN p b ON a.id = b.id + 1 WHERE b.city = 'city 3'",
    ] {
        let mut answers = Vec::new();
        for shards in [1, 2, 7, 64] {
            let done = bench
                .run(in_shards(job(sql, &sources), shards))
                .unwrap_or_else(|e| panic!("{sql}: {e}"));
            let scans = done.reports.iter().filter(|r| r.report.lo == 0).count() as u64;
            assert_eq!(
                done.reports.iter().map(|r| r.report.rows_read).sum::<u64>(),
                scans * ROWS as u64,
                "{sql}"
            );
            for pair in done.reports.windows(2).filter(|pair| pair[1].report.lo > 0) {
                assert_eq!(pair[0].report.end, pair[1].report.first);
            }
            answers.push(done.text);
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{sql}");
    }
}

#[test]
fn row_groups_that_cannot_match_are_not_read() {
    let bench = Bench::new();
    let sources = [sample(&bench, "p")];
    let planned = plan(job("SELECT city FROM p WHERE id = 17", &sources)).unwrap();
    assert!(
        planned.text.contains("pruning_predicate"),
        "{}",
        planned.text
    );
    assert_eq!(
        bench
            .run(job("SELECT city FROM p WHERE id = 17", &sources))
            .unwrap()
            .text,
        "city\ncity 2\n"
    );
}

#[test]
fn parquet_and_csv_join() {
    let bench = Bench::new();
    let sources = [
        sample(&bench, "p"),
        bench.csv(
            "c",
            &["key:Int64", "word:Utf8"],
            "7,seven\n4999,last\n9999,none\n",
        ),
    ];
    let done = bench
        .run(in_shards(
            job("SELECT word, amount FROM c JOIN p ON key = id", &sources),
            7,
        ))
        .unwrap();
    assert_eq!(done.text, "word,amount\nseven,2.17\nlast,9.69\n");
}

#[test]
fn what_is_no_parquet_is_said() {
    let bench = Bench::new();
    let whole = sample(&bench, "p");
    let path = bench.path("cut.parquet");
    let bytes = std::fs::read(&whole.files[0].path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let cut = source("p", FileFormat::Parquet, &path, &["id:Int64"]);
    let (kind, code, message) = fault(plan(job("SELECT * FROM p", &[cut])));
    assert_eq!(
        (kind.as_str(), code.as_str()),
        ("SourceError", "INVALID_PARQUET"),
        "{message}"
    );
    let mut other = whole.clone();
    other.columns.remove(0);
    assert_eq!(
        fault(plan(job("SELECT * FROM p", &[other]))).1,
        "SOURCE_CHANGED"
    );
}

#[test]
fn every_row_counts_where_conditions_choose_before_columns_are_decoded() {
    let bench = Bench::new();
    let sources = [sample(&bench, "p")];
    for sql in [
        "SELECT id, weight FROM p WHERE city = 'city 3' AND amount > 5",
        "SELECT id, weight FROM p WHERE id >= 700 AND id < 1300",
        "SELECT city FROM p WHERE city LIKE '%y 1%' AND weight IS NULL",
        "SELECT count(*) AS n FROM p WHERE id IN (1, 4999) OR city IS NULL",
    ] {
        let mut answers = Vec::new();
        for shards in [1, 7] {
            let done = bench.run(in_shards(job(sql, &sources), shards)).unwrap();
            let read: u64 = done.reports.iter().map(|r| r.report.rows_read).sum();
            assert_eq!(read, ROWS as u64, "{sql}");
            answers.push(done.text);
        }
        // The same rows, chosen after all columns are decoded.
        let late = sql.replace("WHERE ", "WHERE random() >= 0 AND (") + ")";
        answers.push(bench.run(job(&late, &sources)).unwrap().text);
        answers.dedup();
        assert_eq!(answers.len(), 1, "{sql}");
    }
}
