//! Rows from the middle of files, with and without a record index.

use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use karyaksham_core::job::{FileRef, OutputFormat, RecordIndex, Source};
use karyaksham_core::preview::preview;
use karyaksham_text::Mark;
use serde_json::{Value, json};

use crate::support::{Bench, output};

const ROWS: u64 = 40_000;

/// Rows that name themselves in their first column: the text and where each begins. Some are of two lines, some can't be read.
fn dirty(is_csv: bool) -> (String, Vec<u64>) {
    let mut text = if is_csv { "id,note\n" } else { "" }.to_owned();
    let mut begins = Vec::new();
    for id in 1..=ROWS {
        begins.push(text.len() as u64);
        text += &match (is_csv, id % 97, id % 50) {
            (true, 5, _) => format!("x{id},no number\n"),
            (true, 6 | 7, _) => format!("{id}\n"),
            (true, _, 3) => format!("{id},\"two\nlines, \"\"{id}\"\"\"\n\n"),
            (true, ..) => format!("{id},plain\n"),
            (false, 5..8, _) => format!("{{\"id\":{id}\n"),
            (false, ..) => format!("{{\"id\":{id},\"note\":\"a\"}}\n"),
        };
    }
    (text, begins)
}

fn index(begins: &[u64]) -> RecordIndex {
    let marks = begins.iter().zip(0..).skip(1).step_by(3001);
    RecordIndex {
        rows: ROWS,
        marks: marks.map(|(at, row)| Mark::from((*at, row))).collect(),
    }
}

fn is_readable(id: u64) -> bool {
    !(5..8).contains(&(id % 97))
}

/// Each row that is shown is the one that its number says, none is missing, and the end is told.
fn check(source: &Source, offset: u64, rows: u64) {
    let found = preview(source, 40, offset).unwrap();
    let expected: Vec<u64> = (offset + 1..=rows)
        .filter(|id| is_readable((id - 1) % ROWS + 1))
        .take(40)
        .collect();
    assert_eq!(found.row_numbers, expected, "after {offset}");
    let ids = expected.iter().map(|number| (number - 1) % ROWS + 1);
    let shown: Vec<Value> = found.rows.iter().map(|row| row[0].clone()).collect();
    assert_eq!(json!(shown), json!(ids.collect::<Vec<u64>>()));
    let is_indexed = source.files.iter().all(|file| file.index.is_some());
    if is_indexed || !found.truncated {
        assert_eq!(found.row_count, Some(rows), "after {offset}");
    }
}

const OFFSETS: [u64; 12] = [
    0, 1, 4, 5, 3000, 3001, 3002, 8191, 8192, 25_000, 39_970, 39_999,
];

#[test]
fn text_is_shown_from_any_row_on() {
    for name in ["a.csv", "a.ndjson"] {
        let bench = Bench::new();
        let (text, begins) = dirty(name == "a.csv");
        let mut source = bench.source(&bench.file(name, text));
        for known in [None, Some(index(&begins))] {
            source.files[0].index = known;
            OFFSETS.iter().for_each(|at| check(&source, *at, ROWS));
            for beyond in [ROWS, ROWS + 1, u64::MAX] {
                let found = preview(&source, 40, beyond).unwrap();
                assert!(found.rows.is_empty() && !found.truncated);
                assert_eq!(found.row_count, Some(ROWS));
            }
        }
    }
}

#[test]
fn rows_are_counted_on_over_several_files() {
    let bench = Bench::new();
    let (text, begins) = dirty(true);
    let mut source = bench.source(&bench.file("a.csv", &text));
    let path = bench.file("b.csv", text);
    source.files.push(FileRef {
        path,
        ..source.files[0].clone()
    });
    for known in [[false, false], [true, false], [false, true], [true, true]] {
        for (file, is_known) in source.files.iter_mut().zip(known) {
            file.index = is_known.then(|| index(&begins));
        }
        for at in OFFSETS {
            check(&source, at, 2 * ROWS);
            check(&source, ROWS + at, 2 * ROWS);
        }
        let found = preview(&source, 40, 2 * ROWS).unwrap();
        assert_eq!((found.rows.len(), found.row_count), (0, Some(2 * ROWS)));
    }
}

#[test]
fn what_is_before_the_nearest_mark_is_not_read() {
    let bench = Bench::new();
    let (mut text, begins) = dirty(true);
    let mut source = bench.source(&bench.file("a.csv", &text));
    source.files[0].index = Some(index(&begins));
    let (from, to) = (begins[1] as usize, begins[20_000] as usize);
    text.replace_range(from..to, &"\"".repeat(to - from));
    bench.file("a.csv", text);
    check(&source, 30_000, ROWS);
}

#[test]
fn row_groups_and_batches_are_passed_over() {
    for format in [OutputFormat::Parquet, OutputFormat::Arrow] {
        let bench = Bench::new();
        let ids = Int64Array::from_iter_values(1..=ROWS as i64);
        let schema = Schema::new(vec![Field::new("id", DataType::Int64, false)]);
        let whole = RecordBatch::try_new(Arc::new(schema), vec![Arc::new(ids)]).unwrap();
        let batches = [whole.slice(0, 25_000), whole.slice(25_000, 15_000)];
        bench.write("b", &output(format), &batches);
        let source = bench.source(bench.path("b").to_str().unwrap());
        for at in OFFSETS {
            let found = preview(&source, 3, at).unwrap();
            let expected: Vec<u64> = (at + 1..=ROWS).take(3).collect();
            let shown: Vec<Value> = found.rows.iter().map(|row| row[0].clone()).collect();
            assert_eq!(
                (json!(shown), &found.row_numbers),
                (json!(expected), &expected)
            );
        }
        let found = preview(&source, 3, ROWS).unwrap();
        assert_eq!((found.rows.len(), found.row_count), (0, Some(ROWS)));
    }
}
