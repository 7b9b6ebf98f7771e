//! Stored bytes to text: whatever they are, an end or an error, the same for any pieces they are read in, and never more
//! text than the limit allows.
#![no_main]

use std::io;
use std::sync::Arc;

use karyaksham_fuzz::Input;
use karyaksham_text::decode::{Compression, Encoding, text_of};
use libfuzzer_sys::fuzz_target;

/// Of what is decompressed. A byte of it is at most three of text.
const LIMIT_BYTES: u64 = 1 << 20;
const ENCODINGS: [&str; 8] = [
    "utf-8",
    "utf-16le",
    "utf-16be",
    "windows-1252",
    "shift_jis",
    "gb18030",
    "big5",
    "iso-2022-jp",
];

fuzz_target!(|bytes: &[u8]| {
    let Some(input) = Input::new(bytes) else {
        return;
    };
    let named = input.choose(
        0,
        &[
            None,
            Some(Compression::Gzip),
            Some(Compression::Zstd),
            Some(Compression::Bzip2),
            Some(Compression::Lz4),
        ],
    );
    let compression = named.or(Compression::of(input.file));
    let label = input.choose(1, &ENCODINGS);
    let encoding = Encoding::for_label(label.as_bytes()).expect("encoding_rs knows it");
    let read = |piece_bytes| read(input.file, compression, encoding, piece_bytes);
    let (text, outcome) = read(1 << 16);
    assert!(text.len() as u64 <= LIMIT_BYTES * 3, "{} bytes", text.len());
    let (again, other) = read(input.choose(2, &[1, 7, 64, 1000]));
    // An error is told when its piece is asked for; what came before it is text all the same.
    assert_eq!(outcome, other);
    if outcome.is_ok() {
        assert!(text == again, "other text in other pieces");
    }
});

/// All text in pieces of this size, and how it ended.
fn read(
    stored: &[u8],
    compression: Option<Compression>,
    encoding: &'static Encoding,
    piece_bytes: usize,
) -> (Vec<u8>, Result<(), String>) {
    let source = text_of(
        Arc::new(stored.to_vec()),
        compression,
        encoding,
        Some(LIMIT_BYTES),
    );
    let source = match source {
        Ok(source) => source,
        Err(error) => return (vec![], Err(error.to_string())),
    };
    let (mut text, mut piece) = (vec![], vec![0; piece_bytes]);
    loop {
        match source.read_at(text.len() as u64, &mut piece) {
            Ok(0) => break,
            Ok(n) => text.extend_from_slice(&piece[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (text, Err(error.to_string())),
        }
        // Pieces of one byte of a million would be a long wait for little.
        if piece_bytes < 64 && text.len() > 4096 {
            piece.resize(1 << 16, 0);
        }
    }
    assert_eq!(
        source.size_bytes(),
        text.len() as u64,
        "its size is known at the end"
    );
    (text, Ok(()))
}
