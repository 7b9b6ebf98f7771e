//! Stored bytes to text: decompression (`formats`), by content and never by name, and transcoding (`transcode`).
//!
//! Files of blocks that were compressed one by one are read at any place, and cut like plain ones (`blocks`: BGZF in `bgzf`,
//! zstd in `zstd_frames`). Others are read in order, on a thread of their own, so that decompressing and parsing overlap
//! (`stream`). The size of the text is then known only once its end was seen, and the file is one shard. Offsets, in shards and in rejects,
//! are offsets of the text; progress counts the stored bytes that were used up ([`ReadAt::stored_bytes`]).
//!
//! Encodings of one byte a character are not transcoded here: their structure is ASCII, so the scan reads them as they are
//! and decodes the fields it hands on. All others become UTF-8 here; what is malformed becomes a byte that UTF-8 does not
//! have, so that its record is rejected where it is read, as in a UTF-8 file.
//!
//! Data that ends too early, is damaged, goes on with something else, or grows out of all proportion is an error that
//! says where; it is never a short result.

mod bgzf;
mod blocks;
mod error;
mod formats;
mod input;
mod limit;
mod stream;
mod transcode;
mod zstd_frames;

use std::io;
use std::sync::Arc;

use encoding_rs::{UTF_16BE, UTF_16LE};
use serde::{Deserialize, Serialize};

use crate::ReadAt;
use blocks::Blocks;
use limit::Limit;
use stream::{Pipeline, Stream};

pub use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
pub use error::DecodeError;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// RFC 1952, of one or several members.
    Gzip,
    /// RFC 8878, of one or several frames.
    Zstd,
    /// Of one or several streams.
    Bzip2,
    /// LZ4 frames.
    Lz4,
}

/// More stored bytes than say what they are.
const MAGIC_BYTES: usize = 16;
/// Enough to see where zero bytes lie.
const UTF16_BYTES: usize = 4096;

impl Compression {
    /// What the first bytes of a file say.
    pub fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, 8, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            [0x04, 0x22, 0x4d, 0x18, ..] => Some(Self::Lz4),
            // A skippable frame, as parallel and seekable zstd files begin with.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..] => (rest.starts_with(b"1AY&SY")
                || rest.starts_with(b"\x17\x72\x45\x38\x50\x90"))
            .then_some(Self::Bzip2),
            _ => None,
        }
    }

    /// What the first bytes of `stored` say.
    ///
    /// # Errors
    /// Those of reading.
    pub fn detect(stored: &dyn ReadAt) -> std::io::Result<Option<Self>> {
        let mut head = [0; MAGIC_BYTES];
        let read = stored.read_at(0, &mut head)?;
        Ok(Self::of(&head[..read]))
    }

    /// `gzip`, `zstd`, `bzip2` or `lz4`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Lz4 => "lz4",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Gzip, Self::Zstd, Self::Bzip2, Self::Lz4]
            .into_iter()
            .find(|compression| compression.name() == name)
    }
}

/// Whether the scan reads bytes of this encoding as they are.
pub fn is_read_raw(encoding: &'static Encoding) -> bool {
    encoding == UTF_8 || encoding.is_single_byte()
}

/// The encoding of the bytes that the scan sees.
pub fn scanned(encoding: &'static Encoding) -> &'static Encoding {
    if is_read_raw(encoding) {
        encoding
    } else {
        UTF_8
    }
}

/// The encoding that a label of the web means: `latin-1` and `iso-8859-1` are windows-1252, `utf-16` is UTF-16LE where no
/// mark says otherwise. ASCII is read as UTF-8. None: there is none of that name.
pub fn encoding_named(label: &str) -> Option<&'static Encoding> {
    match label.trim().to_ascii_lowercase().as_str() {
        "ascii" | "us-ascii" | "utf-8-sig" => Some(UTF_8),
        "latin-1" => Some(encoding_rs::WINDOWS_1252),
        label => Encoding::for_label(label.as_bytes()).filter(|e| *e != encoding_rs::REPLACEMENT),
    }
}

/// What a mark at the beginning of the text, or its zero bytes, say; None: nothing, as in most files.
///
/// # Errors
/// Those of reading.
pub fn utf16_of(text: &dyn ReadAt) -> std::io::Result<Option<&'static Encoding>> {
    let mut head = vec![0; UTF16_BYTES];
    let read = text.read_at(0, &mut head)?;
    Ok(utf16(&head[..read]))
}

/// The byte order, from the mark or from where the zero bytes lie.
pub(crate) fn utf16(head: &[u8]) -> Option<&'static Encoding> {
    match head {
        [0xff, 0xfe, ..] => return Some(UTF_16LE),
        [0xfe, 0xff, ..] => return Some(UTF_16BE),
        _ => {}
    }
    let pairs = head.len() / 2;
    if pairs < 8 {
        return None;
    }
    let zeros = |offset: usize| {
        let bytes = head[..pairs * 2].iter().skip(offset).step_by(2);
        bytes.filter(|&&b| b == 0).count()
    };
    match (zeros(0), zeros(1)) {
        (0, odd) if odd * 2 > pairs => Some(UTF_16LE),
        (even, 0) if even * 2 > pairs => Some(UTF_16BE),
        _ => None,
    }
}

/// The text of `stored`: decompressed, and as UTF-8 unless [`is_read_raw`]. At most `max_text_bytes` are
/// decompressed; None: what no honest file exceeds.
///
/// # Errors
/// Those of reading, where blocks are looked for; a limit that is exceeded.
pub fn text_of(
    stored: Arc<dyn ReadAt>,
    compression: Option<Compression>,
    encoding: &'static Encoding,
    max_text_bytes: Option<u64>,
) -> io::Result<Arc<dyn ReadAt>> {
    let limit = Limit(max_text_bytes);
    let transcoded = Some(encoding).filter(|encoding| !is_read_raw(encoding));
    match (compression, transcoded) {
        (None, None) => return Ok(stored),
        (Some(compression), None) => {
            if let Some(blocks) = Blocks::open(&stored, compression, limit)? {
                return Ok(Arc::new(blocks));
            }
        }
        _ => {}
    }
    Ok(Arc::new(Stream::new(Pipeline {
        stored,
        compression,
        transcoded,
        limit,
    })))
}
