//! BGZF: gzip members of at most 64 KiB of text, each of which says in its header where the next one begins.

use std::io;

use super::blocks::Index;
use super::error::DecodeError;
use crate::ReadAt;

/// Of a header with the one extra field that BGZF has; others are read as plain gzip.
const HEADER_BYTES: usize = 18;
/// Checksum and size of the text.
const TRAILER_BYTES: u64 = 8;
const TEXT_MAX_BYTES: u64 = 64 << 10;

/// The size of the block that begins with these bytes.
fn block_bytes(header: &[u8]) -> Option<u64> {
    match header {
        [
            0x1f,
            0x8b,
            8,
            4,
            _,
            _,
            _,
            _,
            _,
            _,
            6,
            0,
            b'B',
            b'C',
            2,
            0,
            low,
            high,
            ..,
        ] => Some(u64::from(u16::from_le_bytes([*low, *high])) + 1),
        _ => None,
    }
}

/// None: it is not BGZF, or not throughout.
///
/// # Errors
/// Those of reading. TRUNCATED_FILE where the empty block is missing that such a file ends with: the blocks before it
/// look whole wherever the file was cut.
pub(super) fn index(stored: &dyn ReadAt) -> io::Result<Option<Index>> {
    let size = stored.size_bytes();
    let mut header = [0; HEADER_BYTES];
    let mut read = stored.read_at(0, &mut header)?;
    let mut index = Index::new();
    let mut text_bytes = 1;
    let mut at = 0;
    while at < size {
        let Some(bytes) = block_bytes(&header[..read]) else {
            return Ok(None);
        };
        let next = at + bytes;
        if bytes < HEADER_BYTES as u64 + TRAILER_BYTES || next > size {
            return Ok(None);
        }
        // The size of this block's text, and the header of the next.
        let mut around = [0; 4 + HEADER_BYTES];
        let got = stored.read_at(next - 4, &mut around)?;
        let [a, b, c, d, rest @ ..] = around;
        text_bytes = u64::from(u32::from_le_bytes([a, b, c, d]));
        if got < 4 || text_bytes > TEXT_MAX_BYTES {
            return Ok(None);
        }
        index.push(bytes, text_bytes);
        header = rest;
        read = got - 4;
        at = next;
    }
    if text_bytes > 0 {
        return Err(DecodeError::truncated("BGZF", size).into());
    }
    Ok(Some(index))
}
