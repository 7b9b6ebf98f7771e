//! The bytes being worked on: a block read at a page boundary, with the unfinished record of the block before in front of
//! it. Address and file offset agree modulo the page size, because reads into memory that is a few bytes off are several
//! times slower.

use std::sync::Once;

use crate::index::PADDING_BYTES;
use crate::{LineEnding, ReadAt, TextError};

pub(crate) const PAGE_BYTES: usize = 4096;
/// Readable before the first byte in use: parsers load words that end with a field.
const GUARD_BYTES: usize = 64;
const FRONT_BYTES: usize = 16 * PAGE_BYTES;
/// More than the memory that a scan needs at once, batches aside.
const SCAN_BYTES: usize = 4 << 20;

/// Have the memory of one scan kept for the next one. By itself the allocator of glibc gives back to the system what is
/// free at the end of its memory, and a scan of 64 MB would get its own back page by page; from a block of some size that
/// is freed it learns that such are common, and keeps twice as much. The block is never touched, so it costs nothing.
fn keep_memory() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| drop(std::hint::black_box(Vec::<u8>::with_capacity(SCAN_BYTES))));
}

/// Reused memory. Positions count from a page boundary.
pub(crate) struct ChunkBuffer {
    /// Reads begin and end at multiples of it; a power of two.
    pub page_bytes: usize,
    bytes: Vec<u8>,
    /// Position 0 within `bytes`.
    origin: usize,
    /// The first byte that was not consumed.
    pub at: usize,
    /// One past the last byte.
    pub end: usize,
    /// File offset of position 0, modulo 2^64.
    pub base: u64,
    /// The next byte to read from the file.
    pub read_to: u64,
    /// The file ends at `end`.
    pub is_last: bool,
    /// The last byte is a line end that the file lacks.
    pub ends_virtually: bool,
    /// Bytes at the end that the file lacks.
    pub missing_bytes: usize,
}

impl Default for ChunkBuffer {
    fn default() -> Self {
        Self {
            page_bytes: PAGE_BYTES,
            bytes: vec![],
            origin: 0,
            at: 0,
            end: 0,
            base: 0,
            read_to: 0,
            is_last: false,
            ends_virtually: false,
            missing_bytes: 0,
        }
    }
}

impl ChunkBuffer {
    /// Empty, to be filled from `offset`.
    pub fn start_at(&mut self, offset: u64) {
        keep_memory();
        let page = offset - offset % self.page_bytes as u64;
        self.at = GUARD_BYTES;
        self.end = GUARD_BYTES;
        self.base = offset.wrapping_sub(GUARD_BYTES as u64);
        self.read_to = page;
        self.is_last = false;
        self.ends_virtually = false;
        self.missing_bytes = 0;
    }

    /// File offset of a position.
    pub fn offset(&self, position: usize) -> u64 {
        self.base.wrapping_add(position as u64)
    }

    /// All memory; positions index it.
    pub fn data(&self) -> &[u8] {
        &self.bytes[self.origin..]
    }

    /// Bytes that were not consumed.
    pub fn left(&self) -> usize {
        self.end - self.at
    }

    /// Drop what was consumed and read `want` bytes more (fewer at the end of the file), rounded up to a page. At the end
    /// of the file a line end is added when it lacks one.
    pub fn fill(
        &mut self,
        source: &dyn ReadAt,
        want: usize,
        line_ending: LineEnding,
    ) -> Result<(), TextError> {
        let next = self.offset(self.at);
        let carried = if next < self.read_to { self.left() } else { 0 };
        let front = (carried + GUARD_BYTES)
            .next_multiple_of(PAGE_BYTES)
            .max(FRONT_BYTES);
        let want = want.next_multiple_of(self.page_bytes);
        self.make_room(front, carried, front + want + PADDING_BYTES + PAGE_BYTES);

        let size = source.size_bytes();
        let expected = (size.saturating_sub(self.read_to)).min(want as u64) as usize;
        let target = &mut self.bytes[self.origin + front..][..expected];
        let read = source
            .read_at(self.read_to, target)
            .map_err(|error| TextError::reading(self.read_to, error))?;
        // The end of a stream is seen by reading past it.
        let size = source.size_bytes();
        if read < expected && self.read_to + (read as u64) < size {
            return Err(TextError::Changed {
                offset: self.read_to + read as u64,
            });
        }
        self.base = self.read_to.wrapping_sub(front as u64);
        self.read_to += read as u64;
        self.end = front + read;
        self.at = next.wrapping_sub(self.base) as usize;
        self.is_last = self.read_to >= size;
        if self.is_last && self.end > self.at {
            let end = self.origin + self.end;
            let missing = line_ending.missing(&self.bytes[self.origin + self.at..end]);
            self.bytes[end..end + missing.len()].copy_from_slice(missing);
            // What lies there from earlier reads must not follow a carriage return that comes last.
            self.bytes[end + missing.len()] = 0;
            self.end += missing.len();
            self.missing_bytes = missing.len();
            self.ends_virtually = !missing.is_empty();
        }
        Ok(())
    }

    /// Move the carried bytes so that they end at `front`.
    fn make_room(&mut self, front: usize, carried: usize, size: usize) {
        let from = self.origin + self.end - carried;
        if self.bytes.len() < self.origin + size {
            let bytes = vec![0; size + PAGE_BYTES];
            // Never fails for bytes; if it did, reads would only be slower.
            self.origin = bytes.as_ptr().align_offset(PAGE_BYTES) % PAGE_BYTES;
            let old = std::mem::replace(&mut self.bytes, bytes);
            let to = self.origin + front;
            self.bytes[to - carried..to].copy_from_slice(&old[from.min(old.len())..][..carried]);
        } else {
            self.bytes
                .copy_within(from..from + carried, self.origin + front - carried);
        }
    }
}
