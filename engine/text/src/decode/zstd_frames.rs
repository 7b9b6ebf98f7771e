//! zstd files of several frames: those of a seek table, and those whose headers say how much text they hold.

use std::io;

use super::blocks::{BLOCK_MAX_BYTES, Index};
use crate::ReadAt;

const MAGIC: u32 = 0xfd2f_b528;
const SKIPPABLE: u32 = 0x184d_2a50;
const SEEK_TABLE: u32 = 0x184d_2a5e;
const SEEK_TABLE_END: u32 = 0x8f92_eab1;
const SEEK_TABLE_END_BYTES: u64 = 9;
/// Magic number and size of a skippable frame.
const SKIPPABLE_HEADER_BYTES: u64 = 8;
const FRAME_HEADER_MAX_BYTES: usize = 18;
const BLOCK_HEADER_BYTES: u64 = 3;
/// A larger table is not believed.
const SEEK_TABLE_MAX_BYTES: u64 = 256 << 20;

fn word(bytes: &[u8]) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[..4]);
    u32::from_le_bytes(word)
}

fn read(stored: &dyn ReadAt, at: u64, bytes: usize) -> io::Result<Option<Vec<u8>>> {
    let mut buffer = vec![0; bytes];
    let got = stored.read_at(at, &mut buffer)?;
    Ok((got == bytes).then_some(buffer))
}

/// None: there is one frame, or one that does not say what it holds, or too much.
///
/// # Errors
/// Those of reading.
pub(super) fn index(stored: &dyn ReadAt) -> io::Result<Option<Index>> {
    let found = match by_table(stored)? {
        None => by_headers(stored)?,
        found => found,
    };
    Ok(found.filter(|index| index.end().0 == stored.size_bytes()))
}

fn by_table(stored: &dyn ReadAt) -> io::Result<Option<Index>> {
    let size = stored.size_bytes();
    if size < SKIPPABLE_HEADER_BYTES + SEEK_TABLE_END_BYTES {
        return Ok(None);
    }
    let at = size - SEEK_TABLE_END_BYTES;
    let Some(end) = read(stored, at, SEEK_TABLE_END_BYTES as usize)? else {
        return Ok(None);
    };
    if word(&end[5..]) != SEEK_TABLE_END {
        return Ok(None);
    }
    let entry_bytes = if end[4] & 0x80 == 0 { 8 } else { 12 };
    let entries = u64::from(word(&end)) * entry_bytes;
    let frame_bytes = SKIPPABLE_HEADER_BYTES + entries + SEEK_TABLE_END_BYTES;
    if frame_bytes > size.min(SEEK_TABLE_MAX_BYTES) {
        return Ok(None);
    }
    let Some(table) = read(stored, size - frame_bytes, frame_bytes as usize)? else {
        return Ok(None);
    };
    if word(&table) != SEEK_TABLE {
        return Ok(None);
    }
    let mut index = Index::new();
    let entries = &table[SKIPPABLE_HEADER_BYTES as usize..][..entries as usize];
    for entry in entries.chunks_exact(entry_bytes as usize) {
        let text_bytes = u64::from(word(&entry[4..]));
        if text_bytes > BLOCK_MAX_BYTES {
            return Ok(None);
        }
        index.push(u64::from(word(entry)), text_bytes);
    }
    index.push(frame_bytes, 0);
    Ok(Some(index))
}

fn by_headers(stored: &dyn ReadAt) -> io::Result<Option<Index>> {
    let size = stored.size_bytes();
    let mut index = Index::new();
    let (mut at, mut frames) = (0, 0);
    while at < size {
        let mut header = [0; FRAME_HEADER_MAX_BYTES];
        let got = stored.read_at(at, &mut header)?;
        let (bytes, text_bytes) = match word(&header) {
            MAGIC => match frame(stored, at, &header[..got])? {
                Some(found) => found,
                None => return Ok(None),
            },
            magic if magic & !0xf == SKIPPABLE && got >= 8 => {
                (SKIPPABLE_HEADER_BYTES + u64::from(word(&header[4..])), 0)
            }
            _ => return Ok(None),
        };
        frames += u64::from(text_bytes > 0);
        index.push(bytes, text_bytes);
        at += bytes;
    }
    Ok((frames > 1).then_some(index))
}

/// The size of the frame at `at`, and of its text.
fn frame(stored: &dyn ReadAt, at: u64, header: &[u8]) -> io::Result<Option<(u64, u64)>> {
    let Some(descriptor) = header.get(4) else {
        return Ok(None);
    };
    let is_single = descriptor & 0x20 != 0;
    let size_bytes = match (descriptor >> 6, is_single) {
        (0, false) => return Ok(None),
        (flag, _) => 1_usize << flag,
    };
    let dictionary_bytes = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let size_at = 5 + usize::from(!is_single) + dictionary_bytes;
    let Some(size) = header.get(size_at..size_at + size_bytes) else {
        return Ok(None);
    };
    let mut text_bytes = [0; 8];
    text_bytes[..size_bytes].copy_from_slice(size);
    let text_bytes = u64::from_le_bytes(text_bytes) + if size_bytes == 2 { 256 } else { 0 };
    if text_bytes > BLOCK_MAX_BYTES {
        return Ok(None);
    }
    let mut next = at + (size_at + size_bytes) as u64;
    loop {
        let Some(block) = read(stored, next, BLOCK_HEADER_BYTES as usize)? else {
            return Ok(None);
        };
        let block = u32::from_le_bytes([block[0], block[1], block[2], 0]);
        // A run is one byte, however long.
        let is_run = block >> 1 & 3 == 1;
        next += BLOCK_HEADER_BYTES + if is_run { 1 } else { u64::from(block >> 3) };
        if block & 1 == 1 {
            break;
        }
    }
    next += if descriptor & 4 == 0 { 0 } else { 4 };
    Ok(Some((next - at, text_bytes)))
}
