//! The first rows of files.

use karyaksham_core::job::{FileRef, OutputFormat};
use karyaksham_core::preview::preview;
use serde_json::{Value, json};

use crate::support::{Bench, Random, is_csv, output, random_batch};

#[test]
fn cells_are_json_that_a_browser_reads_without_loss() {
    let bench = Bench::new();
    let rows = "id,big,price,day,flag,name,weight\n\
                1,9007199254740993,2.50,2024-01-02,true,\"a, b\",0.1\n\
                2,3,13.25,2024-01-03,false,,1e300\n\
                3,4,1.00,2024-01-04,true,\"\",-2.5\n";
    let source = bench.source(&bench.file("a.csv", rows));
    let found = preview(&source, 50, 0).unwrap();
    assert_eq!(found.columns, source.columns);
    assert!(!found.truncated);
    assert_eq!(
        json!(found.rows),
        json!([
            [1, "9007199254740993", 2.5, "2024-01-02", true, "a, b", 0.1],
            [2, 3, 13.25, "2024-01-03", false, null, 1e300],
            [3, 4, 1.0, "2024-01-04", true, "", -2.5],
        ])
    );
}

#[test]
fn nested_cells_are_shown_as_they_nest() {
    let bench = Bench::new();
    let rows = "{\"id\":1,\"who\":{\"name\":\"a\",\"at\":[1,null]}}\n{\"id\":x}\n{\"id\":2,\"who\":null}\n{\"who\":{}}\n";
    let source = bench.source(&bench.file("a.ndjson", rows));
    let found = preview(&source, 50, 0).unwrap();
    assert_eq!(
        json!(found.rows),
        json!([
            [1, {"name": "a", "at": [1, null]}],
            [2, null],
            [null, {"name": null, "at": null}],
        ])
    );
}

#[test]
fn only_the_first_rows_are_shown() {
    let bench = Bench::new();
    let rows: String = (0..100_000).map(|n| format!("{n},x{n}\n")).collect();
    let source = bench.source(&bench.file("a.csv", format!("n,s\n{rows}")));
    for (limit, shown, truncated) in [
        (0, 0, true),
        (1, 1, true),
        (50, 50, true),
        (20_000, 10_000, true),
    ] {
        let found = preview(&source, limit, 0).unwrap();
        assert_eq!((found.rows.len(), found.truncated), (shown, truncated));
    }
    let short = bench.source(&bench.file("b.csv", "n,s\n1,a\n2,b\n"));
    let found = preview(&short, 2, 0).unwrap();
    assert_eq!((found.rows.len(), found.truncated), (2, false));
}

#[test]
fn rows_that_can_not_be_read_are_left_out() {
    let bench = Bench::new();
    let mut text = "n,s\n".to_owned();
    for n in 0..100 {
        text.push_str(&format!("{n},x\n"));
    }
    let source = bench.source(&bench.file("a.csv", &text));
    let path = bench.file(
        "a.csv",
        text.replacen("1,x", "y,x", 1).replacen("3,x", "3,x,z", 1),
    );
    let mut changed = source.clone();
    changed.files[0].size_bytes = std::fs::metadata(path).unwrap().len();
    let found = preview(&changed, 3, 0).unwrap();
    assert_eq!(json!(found.rows), json!([[0, "x"], [2, "x"], [4, "x"]]));
}

#[test]
fn long_cells_are_cut_and_marked() {
    let bench = Bench::new();
    let long = "ä".repeat(10_000);
    let source = bench.source(&bench.file("a.csv", format!("n,s\n1,{long}\n2,b\n")));
    let found = preview(&source, 5, 0).unwrap();
    let Value::String(cell) = &found.rows[0][1] else {
        panic!("no text");
    };
    assert!(cell.ends_with('…'));
    assert_eq!(cell.len(), 4096 + '…'.len_utf8());
}

#[test]
fn artifacts_of_every_readable_format_look_the_same() {
    let batch = random_batch(&mut Random::new(4), 300);
    let bench = Bench::new();
    let mut seen: Vec<Vec<Vec<Value>>> = Vec::new();
    for format in [
        OutputFormat::Csv,
        OutputFormat::Parquet,
        OutputFormat::Arrow,
    ] {
        bench.write("file", &output(format), std::slice::from_ref(&batch));
        let source = bench.source(bench.path("file").to_str().unwrap());
        assert_eq!(is_csv(&source), format == OutputFormat::Csv);
        seen.push(preview(&source, 300, 0).unwrap().rows);
    }
    assert_eq!(seen[1], seen[2]);
    let name = |rows: &Vec<Vec<Value>>, column: usize| {
        rows.iter()
            .map(|row| row[column].clone())
            .collect::<Vec<_>>()
    };
    for column in [0, 1, 2, 5, 6, 7, 8, 9] {
        assert_eq!(
            name(&seen[0], column),
            name(&seen[1], column),
            "column {column}"
        );
    }
}

#[test]
fn rows_go_on_in_the_next_file() {
    let bench = Bench::new();
    let mut source = bench.source(&bench.file("a.csv", "n,s\n1,a\n2,b\n"));
    let second = bench.file("b.csv", "n,s\n3,c\n");
    source.files.push(FileRef {
        size_bytes: std::fs::metadata(&second).unwrap().len(),
        path: second,
        ..FileRef::default()
    });
    let found = preview(&source, 10, 0).unwrap();
    assert_eq!(json!(found.rows), json!([[1, "a"], [2, "b"], [3, "c"]]));
}

#[test]
fn a_file_that_changed_is_not_shown() {
    let bench = Bench::new();
    let path = bench.file("a.csv", "n,s\n1,a\n2,b\n");
    let source = bench.source(&path);
    std::fs::write(path, "n,s\n1,a\n2,b\n3,c\n").unwrap();
    assert_eq!(
        preview(&source, 10, 0).unwrap_err().to_fault().code,
        "SOURCE_CHANGED"
    );
}
