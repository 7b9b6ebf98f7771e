//! Compressed files: the text of each format, the faults of each, and scans over them.

use std::io::Write;
use std::sync::Arc;

use arrow_schema::{Field, Schema};
use karyaksham_text::decode::{UTF_8, text_of};
use karyaksham_text::{
    BadRowPolicy, Compression, CsvScan, DialectOverrides, ReadAt, SIZE_UNKNOWN, ScanOptions,
    ShardRange, ShardReport, Start, TextError, TextScan, sniff,
};

const ALL: [Compression; 4] = [
    Compression::Gzip,
    Compression::Zstd,
    Compression::Bzip2,
    Compression::Lz4,
];

fn packed(compression: Compression, text: &[u8]) -> Vec<u8> {
    match compression {
        Compression::Gzip => {
            let mut writer = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
            writer.write_all(text).expect("memory can be written");
            writer.finish().expect("memory can be written")
        }
        Compression::Zstd => {
            let mut writer = zstd::stream::write::Encoder::new(vec![], 1).expect("it can be made");
            writer.include_checksum(true).expect("it is not begun");
            writer.write_all(text).expect("memory can be written");
            writer.finish().expect("memory can be written")
        }
        Compression::Bzip2 => {
            let mut writer = bzip2::write::BzEncoder::new(vec![], bzip2::Compression::fast());
            writer.write_all(text).expect("memory can be written");
            writer.finish().expect("memory can be written")
        }
        Compression::Lz4 => {
            let info = lz4_flex::frame::FrameInfo::new().content_checksum(true);
            let mut writer = lz4_flex::frame::FrameEncoder::with_frame_info(info, vec![]);
            writer.write_all(text).expect("memory can be written");
            writer.finish().expect("memory can be written")
        }
    }
}

/// More than the reader keeps, and not all the same.
fn table(rows: usize) -> Vec<u8> {
    let mut text = b"id,name,amount\n".to_vec();
    for row in 0..rows {
        writeln!(
            text,
            "{row},\"name, {}\n of {row}\",{}.25",
            row % 97,
            row * 7 % 1009
        )
        .expect("memory can be written");
    }
    text
}

fn opened(stored: Vec<u8>) -> Arc<dyn ReadAt> {
    let stored: Arc<dyn ReadAt> = Arc::new(stored);
    let found = Compression::detect(&*stored).expect("memory can be read");
    text_of(stored, found, UTF_8, None).expect("memory can be read")
}

fn whole(source: &dyn ReadAt) -> std::io::Result<Vec<u8>> {
    let mut text = vec![];
    loop {
        let mut piece = vec![0; 100_000];
        let read = source.read_at(text.len() as u64, &mut piece)?;
        text.extend_from_slice(&piece[..read]);
        if read < piece.len() {
            return Ok(text);
        }
    }
}

fn fault(stored: Vec<u8>) -> (&'static str, String) {
    let error = whole(&*opened(stored)).expect_err("it is no whole file");
    match TextError::reading(0, error) {
        TextError::Undecodable(error) => (error.code, error.message),
        other => panic!("expected a fault of the data, got {other}"),
    }
}

fn scanned(source: Arc<dyn ReadAt>) -> Result<ShardReport, TextError> {
    let sniffed = sniff(&*source, &DialectOverrides::default())?;
    let fields = sniffed.columns.iter();
    let fields: Vec<Field> = fields
        .map(|column| Field::new(&column.name, column.data_type.clone(), true))
        .collect();
    let options = ScanOptions {
        dialect: sniffed.dialect,
        projection: (0..fields.len()).collect(),
        schema: Arc::new(Schema::new(fields)),
        bad_rows: BadRowPolicy::FailJob,
        batch_rows: 8192,
        max_record_bytes: 16 << 20,
    };
    let range = ShardRange {
        lo: sniffed.data_start,
        hi: source.size_bytes(),
        start: Start::Exact(sniffed.data_start),
    };
    let mut scan = CsvScan::new(source, Arc::new(options), range);
    while scan.next_batch()?.is_some() {}
    Ok(scan.report().clone())
}

#[test]
fn the_text_of_every_format_is_what_was_compressed() {
    let text = table(30_000);
    for compression in ALL {
        let stored = packed(compression, &text);
        assert_eq!(Compression::of(&stored), Some(compression));
        let stored_bytes = stored.len() as u64;
        let source = opened(stored);
        assert_eq!(source.size_bytes(), SIZE_UNKNOWN);
        assert!(source.is_stream());
        assert_eq!(
            whole(&*source).expect("it is whole"),
            text,
            "{compression:?}"
        );
        assert_eq!(source.size_bytes(), text.len() as u64);
        assert_eq!(source.stored_bytes(0, source.size_bytes()), stored_bytes);
        let mut again = [0; 20];
        assert_eq!(source.read_at(5, &mut again).expect("it is whole"), 20);
        assert_eq!(again, text[5..25]);
        assert_eq!(source.read_at(1 << 40, &mut again).expect("it is whole"), 0);
    }
}

#[test]
fn members_frames_and_streams_follow_each_other() {
    let parts = [table(3000), vec![], b"1,a,2.5\n".to_vec(), table(4000)];
    for compression in ALL {
        let stored = parts.iter().map(|part| packed(compression, part));
        let source = opened(stored.collect::<Vec<_>>().concat());
        assert_eq!(
            whole(&*source).expect("it is whole"),
            parts.concat(),
            "{compression:?}"
        );
    }
}

#[test]
fn data_that_ends_too_early_is_an_error_and_never_a_short_result() {
    let text = table(3_000);
    for compression in ALL {
        let stored = packed(compression, &text);
        let cuts = (16..stored.len()).step_by(stored.len() / 97 + 1);
        for cut in cuts.chain([stored.len() - 1]) {
            let (code, message) = fault(stored[..cut].to_vec());
            assert_eq!(
                code, "TRUNCATED_FILE",
                "{compression:?} at {cut}: {message}"
            );
            assert!(message.contains(compression.name()), "{message}");
            assert!(message.contains(&format!("at byte {cut} ")), "{message}");
        }
    }
}

#[test]
fn damage_and_what_follows_the_data_are_errors() {
    let text = table(3_000);
    for compression in ALL {
        let stored = packed(compression, &text);
        let garbage = [&stored[..], b"this is no compressed data at all"].concat();
        let (code, message) = fault(garbage);
        assert_eq!(code, "CORRUPT_FILE", "{compression:?}: {message}");
        let mut damaged = stored.clone();
        let middle = damaged.len() / 2;
        damaged[middle..middle + 4]
            .iter_mut()
            .for_each(|b| *b = !*b);
        let (code, message) = fault(damaged);
        assert!(
            ["CORRUPT_FILE", "TRUNCATED_FILE"].contains(&code),
            "{compression:?}: {message}"
        );
        assert!(message.contains(" byte "), "{message}");
    }
}

#[test]
fn a_decompression_bomb_stops_at_a_limit() {
    let text = vec![b'a'; 40 << 20];
    for compression in ALL {
        let stored: Arc<dyn ReadAt> = Arc::new(packed(compression, &text));
        let max = Some(1 << 20);
        let source =
            text_of(Arc::clone(&stored), Some(compression), UTF_8, max).expect("it is a stream");
        let error = whole(&*source).expect_err("it is more than allowed");
        let TextError::Undecodable(error) = TextError::reading(0, error) else {
            panic!("expected a fault of the data");
        };
        assert_eq!(error.code, "DECOMPRESSION_LIMIT");
        assert!(error.message.contains("1048576"), "{}", error.message);
        let allowed =
            text_of(stored, Some(compression), UTF_8, Some(40 << 20)).expect("it is a stream");
        assert_eq!(whole(&*allowed).expect("it is allowed").len(), text.len());
    }
    // Of a bomb that is a gigabyte and more, only the first gigabyte is made.
    let megabyte = packed(Compression::Zstd, &vec![b'a'; 16 << 20]);
    let (code, message) = fault(megabyte.repeat(80));
    assert_eq!(code, "DECOMPRESSION_LIMIT", "{message}");
}

#[test]
fn a_compressed_file_is_sniffed_and_scanned_as_one_shard() {
    let text = table(60_000);
    let plain = scanned(Arc::new(text.clone())).expect("it is a table");
    for compression in ALL {
        let report = scanned(opened(packed(compression, &text))).expect("it is a table");
        assert_eq!(report, plain, "{compression:?}");
        assert_eq!(report.rows_passed, 60_000);
        assert_eq!(
            (report.end, report.hi),
            (text.len() as u64, text.len() as u64)
        );
        for small in ["id,name\n", "id,name\n1,a", "id\n"] {
            let report = scanned(opened(packed(compression, small.as_bytes())));
            let expected = scanned(Arc::new(small.as_bytes().to_vec()));
            assert_eq!(report.expect("it is one"), expected.expect("it is one"));
        }
    }
}

#[test]
fn a_scan_of_a_truncated_file_fails_after_the_rows_before() {
    let stored = packed(Compression::Gzip, &table(60_000));
    let source = opened(stored[..stored.len() - 9].to_vec());
    match scanned(source) {
        Err(TextError::Undecodable(error)) => assert_eq!(error.code, "TRUNCATED_FILE"),
        other => panic!("expected an error, got {other:?}"),
    }
}

#[test]
fn what_only_looks_compressed_is_text() {
    for text in ["BZh,1\n2,3\n", "BZh91,x\n1,2\n", "PK,1\n2,3\n"] {
        assert_eq!(Compression::of(text.as_bytes()), None, "{text}");
    }
}

/// BGZF as its writers write it.
fn bgzf(text: &[u8], block_bytes: usize) -> Vec<u8> {
    let mut stored = vec![];
    let blocks = text.chunks(block_bytes).chain([&[][..]]);
    for block in blocks {
        let mut writer = flate2::write::DeflateEncoder::new(vec![], flate2::Compression::fast());
        writer.write_all(block).expect("memory can be written");
        let deflated = writer.finish().expect("memory can be written");
        let mut checksum = flate2::Crc::new();
        checksum.update(block);
        stored.extend_from_slice(b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0");
        stored.extend_from_slice(&(deflated.len() as u16 + 25).to_le_bytes());
        stored.extend_from_slice(&deflated);
        stored.extend_from_slice(&checksum.sum().to_le_bytes());
        stored.extend_from_slice(&(block.len() as u32).to_le_bytes());
    }
    stored
}

/// Frames that say how long they are, with a seek table or without.
fn frames(text: &[u8], frame_bytes: usize, has_table: bool) -> Vec<u8> {
    let (mut stored, mut table) = (vec![], vec![]);
    let mut count = 0_u32;
    for part in text.chunks(frame_bytes) {
        let mut writer = zstd::bulk::Compressor::new(1).expect("it can be made");
        writer.include_checksum(true).expect("it is not begun");
        let frame = writer.compress(part).expect("memory can be written");
        table.extend_from_slice(&(frame.len() as u32).to_le_bytes());
        table.extend_from_slice(&(part.len() as u32).to_le_bytes());
        stored.extend_from_slice(&frame);
        count += 1;
    }
    if has_table {
        stored.extend_from_slice(&0x184d_2a5e_u32.to_le_bytes());
        stored.extend_from_slice(&(table.len() as u32 + 9).to_le_bytes());
        stored.extend_from_slice(&table);
        stored.extend_from_slice(&count.to_le_bytes());
        stored.push(0);
        stored.extend_from_slice(&0x8f92_eab1_u32.to_le_bytes());
    }
    stored
}

#[test]
fn files_of_blocks_are_read_at_any_place_and_cut() {
    let text = table(30_000);
    let plain = scanned(Arc::new(text.clone())).expect("it is a table");
    for stored in [
        bgzf(&text, 65_280),
        bgzf(&text, 777),
        frames(&text, 100_000, true),
        frames(&text, 100_000, false),
        frames(&text, 333, true),
    ] {
        let stored_bytes = stored.len() as u64;
        let source = opened(stored);
        assert!(!source.is_stream());
        let size = text.len() as u64;
        assert_eq!(source.size_bytes(), size);
        assert_eq!(source.stored_bytes(0, size), stored_bytes);
        let parts = (0..20).map(|i| source.stored_bytes(size * i / 20, size * (i + 1) / 20));
        assert_eq!(parts.sum::<u64>(), stored_bytes);
        assert_eq!(whole(&*source).expect("it is whole"), text);
        for at in (0..text.len()).rev().step_by(text.len() / 31) {
            let mut piece = [0; 1000];
            let read = source.read_at(at as u64, &mut piece).expect("it is whole");
            assert_eq!(piece[..read], text[at..text.len().min(at + 1000)]);
        }
        assert_eq!(scanned(source).expect("it is a table"), plain);
    }
}

#[test]
fn a_file_of_blocks_that_was_cut_or_damaged_is_an_error() {
    let text = table(3_000);
    let packed = bgzf(&text, 5_000);
    // Cut between two blocks, both of which are whole.
    let end = packed.len() - bgzf(b"", 1).len();
    let stored: Arc<dyn ReadAt> = Arc::new(packed[..end].to_vec());
    let found = text_of(stored, Some(Compression::Gzip), UTF_8, None);
    match TextError::reading(0, found.err().expect("its end is missing")) {
        TextError::Undecodable(error) => assert_eq!(error.code, "TRUNCATED_FILE"),
        other => panic!("expected a fault of the data, got {other}"),
    }
    for cut in [30, packed.len() / 2, packed.len() - 1] {
        assert_eq!(fault(packed[..cut].to_vec()).0, "TRUNCATED_FILE", "{cut}");
    }
    for stored in [
        packed,
        frames(&text, 5_000, true),
        frames(&text, 5_000, false),
    ] {
        let mut damaged = stored.clone();
        let middle = damaged.len() / 2;
        damaged[middle..middle + 8]
            .iter_mut()
            .for_each(|b| *b = !*b);
        let source = opened(damaged);
        let error = whole(&*source).expect_err("it is damaged");
        assert!(matches!(
            TextError::reading(0, error),
            TextError::Undecodable(_)
        ));
    }
}
