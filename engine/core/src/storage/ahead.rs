//! An object as [`ReadAt`]: a window of ranges that are here or under way, moving ahead of the reader.
//!
//! Where a reader will read is either told ([`ReadAt::will_read`]) or found out: reads that go on where the last one
//! ended get larger and larger ranges, and once they have the full size, several of them under way. A read anywhere else
//! is a small range, so that looking into a file at a few places does not fetch it.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use karyaksham_text::ReadAt;

use super::{Object, UnderWay, lost};
use crate::error::Result;

/// A range of its own costs a round trip, which takes as long as to send about this much.
const RANGE_BYTES: u64 = 8 << 20;

/// The first range at a place.
const FIRST_BYTES: u64 = 256 << 10;

/// Ranges grow by this factor while reads go on where they ended.
const GROWTH: u64 = 4;

/// Ranges that are here or under way, for one reader: 40 MB at most.
const RANGES: usize = 5;

/// Reads an object as if it were a file.
pub(crate) struct Ahead {
    object: Object,
    window: Mutex<Window>,
}

/// Ranges that follow each other.
#[derive(Default)]
struct Window {
    ranges: VecDeque<Fetched>,
    /// What the reader said that it will read.
    told: Range<u64>,
    /// Of the next range.
    next_bytes: u64,
}

struct Fetched {
    range: Range<u64>,
    bytes: Bytes,
    under_way: Option<UnderWay<Bytes>>,
}

impl Ahead {
    pub(crate) fn new(object: Object) -> Self {
        Self {
            object,
            window: Mutex::default(),
        }
    }

    pub(crate) fn object(&self) -> &Object {
        &self.object
    }

    /// Copy what is at `offset`, which must be in the object; at least one byte.
    fn copy(&self, window: &mut Window, offset: u64, buf: &mut [u8]) -> Result<usize> {
        self.move_to(window, offset, buf.len() as u64)?;
        let Some(first) = window.ranges.front_mut() else {
            return Err(lost());
        };
        if let Some(under_way) = first.under_way.take() {
            first.bytes = under_way.end()?;
        }
        let from = (offset - first.range.start) as usize;
        let bytes = first.bytes.get(from..).ok_or_else(lost)?;
        let length = bytes.len().min(buf.len());
        buf[..length].copy_from_slice(&bytes[..length]);
        Ok(length)
    }

    /// Make the first range of the window the one that has `offset`, and ask for those after it.
    fn move_to(&self, window: &mut Window, offset: u64, wanted: u64) -> Result<()> {
        let end = window.ranges.back().map(|last| last.range.end);
        let goes_on = window
            .ranges
            .front()
            .is_some_and(|f| f.range.start <= offset)
            && end.is_some_and(|end| offset <= end);
        if !goes_on {
            window.ranges.clear();
            window.next_bytes = FIRST_BYTES;
        }
        while window.ranges.front().is_some_and(|f| f.range.end <= offset) {
            window.ranges.pop_front();
        }
        let size_bytes = self.object.size_bytes();
        let limit = match window.told.contains(&offset) {
            true => window.told.end.min(size_bytes),
            false => size_bytes,
        };
        if window.told.contains(&offset) || wanted >= RANGE_BYTES {
            window.next_bytes = RANGE_BYTES;
        } else if !window.told.is_empty() {
            // The last record of a shard ends after it, and is short.
            window.next_bytes = FIRST_BYTES;
        }
        let mut at = window.ranges.back().map_or(offset, |last| last.range.end);
        while at < limit && (window.ranges.is_empty() || self.wants_more(window)) {
            let least = match window.ranges.is_empty() {
                true => wanted.max(window.next_bytes),
                false => window.next_bytes,
            };
            let range = at..limit.min(at + least.min(RANGE_BYTES));
            at = range.end;
            window.ranges.push_back(Fetched {
                under_way: Some(self.object.begin(range.clone())?),
                range,
                bytes: Bytes::new(),
            });
            window.next_bytes = (window.next_bytes * GROWTH).min(RANGE_BYTES);
        }
        Ok(())
    }

    /// Only what is read in large ranges is read ahead.
    fn wants_more(&self, window: &Window) -> bool {
        window.next_bytes == RANGE_BYTES && window.ranges.len() < RANGES
    }
}

impl ReadAt for Ahead {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        // After a panic the ranges are still what they say.
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let left = self.object.size_bytes().saturating_sub(offset);
        let wanted = (buf.len() as u64).min(left) as usize;
        let mut filled = 0;
        while filled < wanted {
            let at = offset + filled as u64;
            let copied = self.copy(&mut window, at, &mut buf[filled..wanted]);
            if copied.is_err() {
                window.ranges.clear();
            }
            filled += copied.map_err(io::Error::other)?;
        }
        Ok(filled)
    }

    fn size_bytes(&self) -> u64 {
        self.object.size_bytes()
    }

    fn identity(&self) -> Option<String> {
        self.object.identity()
    }

    fn will_read(&self, from: u64, to: u64) {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        window.told = from..to;
    }
}
