//! Whole or absent: what stands at the target after a commit, an abort, an error.

use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use karyaksham_core::commit::{OutputWriter, RejectsWriter, commit_parts};
use karyaksham_core::job::{FileReject, Output, OutputFormat};
use karyaksham_core::part::{Keep, Part, RejectsPart, RejectsPartWriter};
use karyaksham_text::{Reject, RejectCode};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::{Bench, column, names_in, output};

fn numbers(from: i64, to: i64) -> RecordBatch {
    let numbers: Int64Array = (from..to).map(Some).collect();
    RecordBatch::try_from_iter([("n", Arc::new(numbers) as ArrayRef)]).unwrap()
}

fn csv_part(bench: &Bench, keep: Keep, from: i64, to: i64) -> Part {
    bench.part(&output(OutputFormat::Csv), keep, &[numbers(from, to)])
}

fn writer(bench: &Bench, name: &str, checksum: bool) -> OutputWriter {
    let columns = [column("n", "Int64")];
    OutputWriter::new(
        bench.path(name),
        &output(OutputFormat::Csv),
        &columns,
        checksum,
    )
    .unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A folder of attempts beside the outputs would hide what a writer leaves behind.
fn outputs() -> Bench {
    Bench::new()
}

#[test]
fn parts_are_joined_in_order_with_one_header() {
    let (bench, staging) = (outputs(), Bench::new());
    for checksum in [true, false] {
        let mut writer = writer(&bench, "out.csv", checksum);
        writer
            .append(&csv_part(&staging, Keep::Memory, 0, 3))
            .unwrap();
        writer
            .append(&csv_part(&staging, Keep::File, 3, 5))
            .unwrap();
        let file = csv_part(&staging, Keep::File, 5, 6);
        let reopened = Part::open(file.path().unwrap(), file.rows(), file.size_bytes());
        writer.append(&reopened).unwrap();
        let committed = writer.commit().unwrap();
        let bytes = std::fs::read(bench.path("out.csv")).unwrap();
        assert_eq!(bytes, b"n\n0\n1\n2\n3\n4\n5\n");
        assert_eq!((committed.rows, committed.size_bytes), (6, 14));
        assert_eq!(committed.sha256, checksum.then(|| sha256(&bytes)));
        writer.abort();
        assert_eq!(bench.names(), ["out.csv"]);
    }
}

#[test]
fn every_format_has_the_checksum_of_its_file() {
    let bench = Bench::new();
    for format in [
        OutputFormat::Ndjson,
        OutputFormat::Parquet,
        OutputFormat::Arrow,
        OutputFormat::Table,
    ] {
        let committed = bench.write("out", &output(format), &[numbers(0, 70_000), numbers(0, 5)]);
        let bytes = std::fs::read(bench.path("out")).unwrap();
        assert_eq!(committed.sha256, Some(sha256(&bytes)));
        assert_eq!(
            (committed.rows, committed.size_bytes),
            (70_005, bytes.len() as u64)
        );
    }
}

#[test]
fn until_the_commit_the_target_is_as_it_was() {
    let (bench, staging) = (outputs(), Bench::new());
    let old = bench.path("out.csv");
    std::fs::write(&old, "old").unwrap();
    std::fs::set_permissions(&old, std::fs::Permissions::from_mode(0o640)).unwrap();
    let mut writer = writer(&bench, "out.csv", true);
    writer
        .append(&csv_part(&staging, Keep::Memory, 0, 3))
        .unwrap();
    assert_eq!(std::fs::read_to_string(&old).unwrap(), "old");
    writer.commit().unwrap();
    assert_eq!(std::fs::read_to_string(&old).unwrap(), "n\n0\n1\n2\n");
    assert_eq!(old.metadata().unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn abort_and_drop_leave_nothing() {
    let (bench, staging) = (outputs(), Bench::new());
    let part = csv_part(&staging, Keep::File, 0, 3);
    for format in [
        OutputFormat::Csv,
        OutputFormat::Parquet,
        OutputFormat::Arrow,
    ] {
        let part = match format {
            OutputFormat::Csv => part.clone(),
            other => staging.part(&output(other), Keep::Memory, &[numbers(0, 9)]),
        };
        let columns = [column("n", "Int64")];
        let open =
            || OutputWriter::new(bench.path("out"), &output(format), &columns, true).unwrap();
        let mut aborted = open();
        aborted.append(&part).unwrap();
        assert_eq!(bench.names().len(), 1);
        aborted.abort();
        aborted.abort();
        assert!(aborted.append(&part).is_err());
        let mut dropped = open();
        dropped.append(&part).unwrap();
        drop(dropped);
        assert!(bench.names().is_empty());
    }
}

#[test]
fn after_a_lost_part_there_is_nothing_to_commit() {
    let (bench, staging) = (outputs(), Bench::new());
    let part = csv_part(&staging, Keep::File, 0, 3);
    let shorter = Part::open(part.path().unwrap(), 3, 1_000);
    let missing = Part::open(staging.path("gone.csv"), 3, 6);
    for lost in [shorter, missing] {
        let mut writer = writer(&bench, "out.csv", true);
        let error = writer.append(&lost).unwrap_err();
        assert_eq!(error.to_fault().code, "PART_LOST");
        assert!(error.to_fault().retryable);
        assert!(writer.commit().is_err());
        assert!(bench.names().is_empty());
    }
}

#[test]
fn a_link_keeps_pointing_to_the_file_that_is_replaced() {
    let (bench, staging) = (outputs(), Bench::new());
    std::fs::write(bench.path("real.csv"), "old").unwrap();
    symlink("real.csv", bench.path("link.csv")).unwrap();
    let mut writer = writer(&bench, "link.csv", false);
    writer
        .append(&csv_part(&staging, Keep::Memory, 0, 1))
        .unwrap();
    writer.commit().unwrap();
    assert!(
        bench
            .path("link.csv")
            .symlink_metadata()
            .unwrap()
            .is_symlink()
    );
    assert_eq!(
        std::fs::read_to_string(bench.path("real.csv")).unwrap(),
        "n\n0\n"
    );
}

#[test]
fn targets_that_can_not_be_made_are_named() {
    let bench = outputs();
    std::fs::create_dir(bench.path("folder")).unwrap();
    let long = "x".repeat(300);
    for name in ["missing/out.csv", "folder", long.as_str()] {
        let columns = [column("n", "Int64")];
        let made = OutputWriter::new(bench.path(name), &output(OutputFormat::Csv), &columns, true);
        let error = made.err().unwrap();
        assert_eq!(
            (error.kind(), error.to_fault().code.as_ref()),
            ("InvalidJob", "OUTPUT_NOT_WRITABLE"),
            "{name}"
        );
    }
    assert_eq!(bench.names(), ["folder"]);
}

#[test]
fn a_full_disk_is_a_limit_and_a_closed_pipe_is_no_fault() {
    let staging = Bench::new();
    let columns = [column("n", "Int64")];
    for keep in [Keep::Memory, Keep::File] {
        for checksum in [true, false] {
            let part = csv_part(&staging, keep, 0, 100_000);
            let csv = output(OutputFormat::Csv);
            let mut full = OutputWriter::new("/dev/full", &csv, &columns, checksum).unwrap();
            assert_eq!(full.append(&part).unwrap_err().to_fault().code, "DISK_FULL");
            assert!(full.commit().is_err());

            let (reader, pipe) = std::io::pipe().unwrap();
            let path = format!("/dev/fd/{}", pipe.as_raw_fd());
            let mut closed = OutputWriter::new(path, &csv, &columns, checksum).unwrap();
            drop(reader);
            assert_eq!(closed.append(&part).unwrap_err().kind(), "Canceled");
        }
    }
    assert!(std::fs::exists("/dev/full").unwrap());
}

#[test]
fn a_pipe_gets_the_bytes_at_once() {
    let staging = Bench::new();
    let (mut reader, pipe) = std::io::pipe().unwrap();
    let path = format!("/dev/fd/{}", pipe.as_raw_fd());
    let columns = [column("n", "Int64")];
    let mut writer = OutputWriter::new(path, &output(OutputFormat::Csv), &columns, true).unwrap();
    drop(pipe);
    writer
        .append(&csv_part(&staging, Keep::File, 0, 2))
        .unwrap();
    let mut first = [0; 6];
    reader.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"n\n0\n1\n");
    assert_eq!(writer.commit().unwrap().size_bytes, 6);
}

fn parts_of(bench: &Bench, output: &Output) -> Vec<Part> {
    [numbers(0, 2), numbers(0, 0), numbers(2, 5)]
        .iter()
        .enumerate()
        .map(|(number, batch)| {
            let keep = if number == 0 {
                Keep::Memory
            } else {
                Keep::File
            };
            bench.part(output, keep, std::slice::from_ref(batch))
        })
        .collect()
}

#[test]
fn a_folder_of_parts_is_whole_and_says_so() {
    let (bench, staging) = (outputs(), Bench::new());
    let columns = [column("n", "Int64")];
    for format in [
        OutputFormat::Csv,
        OutputFormat::Ndjson,
        OutputFormat::Parquet,
        OutputFormat::Arrow,
    ] {
        let output = output(format);
        let parts = parts_of(&staging, &output);
        let committed = commit_parts(bench.path("out"), &parts, &output, &columns).unwrap();
        assert_eq!(committed.rows, 5);
        assert_eq!(bench.names(), ["out"]);
        let manifest = std::fs::read(bench.path("out/manifest.json")).unwrap();
        assert_eq!(committed.sha256, Some(sha256(&manifest)));
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        assert_eq!(manifest["rows"], 5);
        let mut expected = vec!["_SUCCESS".to_owned(), "manifest.json".to_owned()];
        let listed = manifest["parts"].as_array().unwrap();
        assert_eq!(listed.len(), 2);
        for part in listed {
            let name = part["name"].as_str().unwrap();
            let bytes = std::fs::read(bench.path("out").join(name)).unwrap();
            assert_eq!(part["sha256"], sha256(&bytes));
            assert_eq!(part["size_bytes"], bytes.len());
            expected.push(name.to_owned());
        }
        expected.sort();
        assert_eq!(names_in(&bench.path("out")), expected);
    }
}

#[test]
fn csv_files_of_a_folder_have_headers() {
    let (bench, staging) = (outputs(), Bench::new());
    let csv = output(OutputFormat::Csv);
    let columns = [column("n", "Int64")];
    commit_parts(bench.path("out"), &parts_of(&staging, &csv), &csv, &columns).unwrap();
    let second = std::fs::read_to_string(bench.path("out/part-00001.csv")).unwrap();
    assert_eq!(second, "n\n2\n3\n4\n");
    commit_parts(bench.path("none"), &[], &csv, &columns).unwrap();
    let empty = std::fs::read_to_string(bench.path("none/part-00000.csv")).unwrap();
    assert_eq!(empty, "n\n");
}

#[test]
fn a_folder_of_somebody_else_is_left_alone() {
    let (bench, staging) = (outputs(), Bench::new());
    let csv = output(OutputFormat::Csv);
    let columns = [column("n", "Int64")];
    std::fs::create_dir(bench.path("out")).unwrap();
    std::fs::write(bench.path("out/precious"), "").unwrap();
    let error =
        commit_parts(bench.path("out"), &parts_of(&staging, &csv), &csv, &columns).unwrap_err();
    assert_eq!(error.to_fault().code, "OUTPUT_EXISTS");
    assert_eq!(names_in(&bench.path("out")), ["precious"]);
    let lost = [Part::open(staging.path("gone"), 1, 1)];
    commit_parts(bench.path("new"), &lost, &csv, &columns).unwrap_err();
    assert_eq!(bench.names(), ["out"]);
}

fn reject(row: u64, raw: &str, column: Option<&str>) -> FileReject {
    FileReject {
        file: "data/orders.csv".into(),
        reject: Reject {
            row,
            line: row + 1,
            record_offset: 100 * row,
            field_offset: column.map(|_| 100 * row + 7),
            column: column.map(str::to_owned),
            expected: column.map(|_| "Int64".to_owned()),
            code: if column.is_some() {
                RejectCode::Cast
            } else {
                RejectCode::InvalidQuote
            },
            message: "It is no number.".into(),
            raw: raw.into(),
        },
    }
}

#[test]
fn rejects_are_counted_from_the_start_of_the_file() {
    let (bench, staging) = (outputs(), Bench::new());
    let mut rejects = RejectsWriter::new(bench.path("rejects.csv"), true).unwrap();
    for (keep, row_base, line_base) in [(Keep::Memory, 0, 0), (Keep::File, 1_000, 1_200)] {
        let mut part = RejectsPartWriter::new(&staging.destination(keep)).unwrap();
        part.push(&reject(3, "1,\"x\ny\",", Some("n"))).unwrap();
        part.push(&reject(4, "", None)).unwrap();
        let mut part = part.finish().unwrap();
        assert_eq!(part.rows(), 2);
        if let Some(path) = part.path() {
            part = RejectsPart::open(path, part.rows(), part.size_bytes());
        }
        rejects.append(&part, row_base, line_base).unwrap();
    }
    let committed = rejects.commit().unwrap();
    let text = std::fs::read_to_string(bench.path("rejects.csv")).unwrap();
    let expected = concat!(
        "file,row,line,record_offset,field_offset,column,expected,code,message,raw\n",
        "data/orders.csv,3,4,300,307,n,Int64,CAST,It is no number.,\"1,\"\"x\ny\"\",\"\n",
        "data/orders.csv,4,5,400,,,,INVALID_QUOTE,It is no number.,\"\"\n",
        "data/orders.csv,1003,1204,300,307,n,Int64,CAST,It is no number.,\"1,\"\"x\ny\"\",\"\n",
        "data/orders.csv,1004,1205,400,,,,INVALID_QUOTE,It is no number.,\"\"\n",
    );
    assert_eq!(text, expected);
    assert_eq!(
        (committed.rows, committed.sha256),
        (4, Some(sha256(text.as_bytes())))
    );
    assert_eq!(bench.names(), ["rejects.csv"]);
}

#[test]
fn rejects_that_are_given_up_leave_nothing() {
    let bench = outputs();
    let mut rejects = RejectsWriter::new(bench.path("rejects.csv"), false).unwrap();
    rejects.abort();
    assert!(rejects.commit().is_err());
    drop(RejectsWriter::new(bench.path("rejects.csv"), false).unwrap());
    assert!(bench.names().is_empty());
}
