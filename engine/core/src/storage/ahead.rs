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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    const SIZE: usize = 50 << 20;

    fn content() -> Vec<u8> {
        (0..SIZE as u32)
            .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect()
    }

    /// A number from 0 to below `limit`, the next of a fixed sequence.
    fn next(state: &mut u64, limit: u64) -> u64 {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (*state >> 20) % limit
    }

    fn check(ahead: &Ahead, content: &[u8], offset: u64, length: usize) {
        let mut buf = vec![0; length];
        let read = ahead.read_at(offset, &mut buf).unwrap();
        let end = content.len().min(offset as usize + length);
        let wanted = &content[content.len().min(offset as usize)..end];
        assert!(buf[..read] == *wanted, "{length} bytes at {offset}");
    }

    #[test]
    fn reads_of_any_kind_give_what_is_there() {
        let content = content();
        let object = Object::in_memory(content.clone());
        let mut state = 7;
        for round in 0..40 {
            let ahead = Ahead::new(object.clone());
            let mut at = next(&mut state, SIZE as u64);
            if round % 2 == 0 {
                ahead.will_read(at, at + next(&mut state, 20 << 20));
            }
            for _ in 0..20 {
                let length = next(&mut state, 3 << 20) as usize;
                check(&ahead, &content, at, length);
                at = match next(&mut state, 6) {
                    0 => next(&mut state, SIZE as u64 + 9),
                    1 => at.saturating_sub(next(&mut state, 1 << 20)),
                    _ => at + length as u64,
                };
            }
        }
        check(&Ahead::new(object.clone()), &content, 0, SIZE);
        check(&Ahead::new(object), &content, SIZE as u64 + 1, 10);
    }

    #[test]
    fn a_glance_fetches_little_and_a_shard_no_more_than_it_is() {
        let fetched = |ahead: &Ahead| -> u64 {
            let window = ahead.window.lock().unwrap();
            window
                .ranges
                .iter()
                .map(|f| f.range.end - f.range.start)
                .sum()
        };
        let content = content();
        let object = Object::in_memory(content.clone());
        let glance = Ahead::new(object.clone());
        check(&glance, &content, 1 << 20, 100);
        assert_eq!(fetched(&glance), FIRST_BYTES);

        let shard = Ahead::new(object);
        shard.will_read(1 << 20, 18 << 20);
        check(&shard, &content, 1 << 20, 100);
        assert_eq!(fetched(&shard), 17 << 20);
        // The last record ends behind it.
        for at in (1 << 20..18 << 20).step_by(1 << 20) {
            check(&shard, &content, at, 1 << 20);
        }
        check(&shard, &content, 18 << 20, 1000);
        assert!(fetched(&shard) <= FIRST_BYTES);
    }

    #[test]
    fn large_ranges_come_in_pieces_and_in_order() {
        let content = content();
        let object = Object::in_memory(content.clone());
        let ranges = vec![3..SIZE as u64 - 5, 10..20, 40 << 20..(40 << 20) + 7];
        let wanted: Vec<&[u8]> = ranges
            .iter()
            .map(|r| &content[r.start as usize..r.end as usize])
            .collect();
        let storage = object.storage().clone();
        let asked = ranges.clone();
        let found = storage
            .wait(async move { object.ranges(asked).await })
            .unwrap();
        assert!(
            found
                .iter()
                .zip(wanted)
                .all(|(found, wanted)| found[..] == *wanted)
        );
    }
}
