//! Compressed text out: what comes out is what was put in, in pieces that can be read alone.

use std::fs;
use std::io::{Cursor, Read};

use arrow::array::RecordBatch;
use flate2::read::MultiGzDecoder;
use karyaksham_core::commit::commit_parts;
use karyaksham_core::job::{Output, OutputFormat, columns_of};
use karyaksham_core::part::Keep;
use karyaksham_core::sink;

use crate::support::{Bench, Random, names_in, output, random_batch};

const TEXT: [OutputFormat; 2] = [OutputFormat::Csv, OutputFormat::Ndjson];

fn packed(format: OutputFormat, compression: &str) -> Output {
    Output {
        compression: Some(compression.to_owned()),
        ..output(format)
    }
}

fn batches(sizes: &[usize]) -> Vec<RecordBatch> {
    let mut random = Random::new(7);
    sizes
        .iter()
        .map(|rows| random_batch(&mut random, *rows))
        .collect()
}

fn unzipped(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    MultiGzDecoder::new(bytes).read_to_end(&mut text).unwrap();
    text
}

fn words(bytes: &[u8]) -> Vec<usize> {
    let words = bytes.chunks_exact(4);
    words
        .map(|w| u32::from_le_bytes(w.try_into().unwrap()) as usize)
        .collect()
}

#[test]
fn parts_of_any_size_join_into_the_text_that_they_hold() {
    for sizes in [&[0][..], &[3], &[1, 0, 2], &[40_000, 3, 9_000]] {
        let batches = batches(sizes);
        for format in TEXT {
            let bench = Bench::new();
            bench.write("plain", &output(format), &batches);
            bench.write("gzip", &packed(format, "gzip"), &batches);
            bench.write("zstd", &packed(format, "zstd"), &batches);
            let plain = fs::read(bench.path("plain")).unwrap();
            let gzip = fs::read(bench.path("gzip")).unwrap();
            let zstd = fs::read(bench.path("zstd")).unwrap();
            assert_eq!(unzipped(&gzip), plain);
            assert_eq!(zstd::stream::decode_all(Cursor::new(&zstd)).unwrap(), plain);
        }
    }
}

#[test]
fn gzip_is_bgzf_whose_members_say_how_long_they_are() {
    let bench = Bench::new();
    let output = packed(OutputFormat::Csv, "gzip");
    bench.write("out.csv.gz", &output, &batches(&[40_000, 3]));
    let bytes = fs::read(bench.path("out.csv.gz")).unwrap();
    let (mut at, mut members, mut last) = (0, 0, 0);
    while at < bytes.len() {
        assert_eq!(bytes[at..at + 4], [0x1f, 0x8b, 8, 4]);
        assert_eq!(bytes[at + 12..at + 14], *b"BC");
        let length = usize::from(u16::from_le_bytes([bytes[at + 16], bytes[at + 17]])) + 1;
        last = unzipped(&bytes[at..at + length]).len();
        (at, members) = (at + length, members + 1);
    }
    assert_eq!((at, last), (bytes.len(), 0));
    assert!(members > 20, "{members}");
}

#[test]
fn zstd_ends_with_a_table_of_all_its_frames() {
    let bench = Bench::new();
    let output = packed(OutputFormat::Ndjson, "zstd");
    bench.write("out", &output, &batches(&[40_000, 3, 9_000]));
    let bytes = fs::read(bench.path("out")).unwrap();
    assert_eq!(words(&bytes[bytes.len() - 4..]), [0x8F92_EAB1]);
    let count = words(&bytes[bytes.len() - 9..])[0];
    let table = &bytes[bytes.len() - 9 - 8 * count - 8..];
    assert_eq!(words(&table[..8]), [0x184D_2A5E, 8 * count + 9]);
    let mut at = 0;
    for entry in table[8..8 + 8 * count].chunks(8) {
        let sizes = words(entry);
        let frame = &bytes[at..at + sizes[0]];
        let text = zstd::bulk::decompress(frame, sizes[1]).unwrap();
        assert_eq!(text.len(), sizes[1]);
        at += sizes[0];
    }
    assert_eq!(at, bytes.len() - table.len());
    assert!(count > 3, "{count}");
}

#[test]
fn a_folder_has_whole_files_that_say_how_they_are_packed() {
    let bench = Bench::new();
    let batches = batches(&[50, 20]);
    let output = packed(OutputFormat::Csv, "zstd");
    let parts: Vec<_> = batches
        .iter()
        .map(|batch| bench.part(&output, Keep::File, std::slice::from_ref(batch)))
        .collect();
    let columns = columns_of(&batches[0].schema());
    commit_parts(bench.path("out"), &parts, &output, &columns).unwrap();
    let names = names_in(&bench.path("out"));
    assert_eq!(names[2..], ["part-00000.csv.zst", "part-00001.csv.zst"]);
    for name in &names[2..] {
        let bytes = fs::read(bench.path("out").join(name)).unwrap();
        let text = zstd::stream::decode_all(Cursor::new(bytes)).unwrap();
        assert!(text.starts_with(b"text,whole,money"));
    }
}

#[test]
fn what_a_format_cannot_be_packed_with_is_said() {
    for (format, compression) in [
        (OutputFormat::Csv, "snappy"),
        (OutputFormat::Arrow, "gzip"),
        (OutputFormat::Table, "zstd"),
        (OutputFormat::Parquet, "gzip"),
    ] {
        let error = sink::check(&packed(format, compression)).unwrap_err();
        assert_eq!(error.to_fault().code, "INVALID_OUTPUT");
    }
}
