//! Cutting one file: a shard [lo, hi) owns each record whose first byte lies in it, and reads past `hi` to end its
//! last one. Where no start is known it is guessed, reported, and proved when shards are joined.

use serde::{Deserialize, Serialize};

/// Where the first record of a shard begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Start {
    /// At this offset: the beginning of data, or where the previous shard ended.
    Exact(u64),
    /// To be found from the bytes at `lo`.
    Guess,
}

/// A piece of one file, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardRange {
    /// First byte.
    pub lo: u64,
    /// One past the last byte.
    pub hi: u64,
    /// How to find the first record.
    pub start: Start,
}

/// How the first record was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StartFound {
    /// It was told.
    Exact,
    /// `lo` was taken to lie outside quotes.
    Outside,
    /// `lo` was taken to lie inside quotes.
    Inside,
}

/// Between two marks, where records are not larger than that. The smallest shards that a job is cut into by itself are
/// as large, so that each can begin at a mark.
pub const MARK_BYTES: u64 = 16 << 20;

/// Of one shard; with more, every other one is dropped, and the next come half as often.
const MARKS_MAX: usize = 4096;

/// Where a record begins, and how many come before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u64, u64)", into = "(u64, u64)")]
pub struct Mark {
    /// Of the record's first byte.
    pub offset: u64,
    /// Records before it, rejected ones among them.
    pub row: u64,
}

impl From<(u64, u64)> for Mark {
    fn from((offset, row): (u64, u64)) -> Self {
        Self { offset, row }
    }
}

impl From<Mark> for (u64, u64) {
    fn from(mark: Mark) -> Self {
        (mark.offset, mark.row)
    }
}

/// What a scan says of the bytes it read. `end` of one shard equals `first` of the next in a whole chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardReport {
    /// The shard's range.
    pub lo: u64,
    /// The shard's range.
    pub hi: u64,
    /// How the first record was found.
    pub start: StartFound,
    /// Both hypotheses were possible.
    pub ambiguous: bool,
    /// Offset of the first record owned; with none, equal to `end`.
    pub first: u64,
    /// Offset of the first record not owned (at the end: the file's size).
    pub end: u64,
    /// Bytes of [first, end) consumed so far.
    pub bytes_read: u64,
    /// Records seen, rejected ones among them.
    pub rows_read: u64,
    /// Records handed on.
    pub rows_passed: u64,
    /// Records rejected.
    pub rows_rejected: u64,
    /// Line ends in [first, end), those inside quotes among them.
    pub lines: u64,
    /// Under `BadRowPolicy::FailJob`: the scan stopped at its first reject.
    pub stopped_at_reject: bool,
    /// Records of the shard about every [`MARK_BYTES`], for an index of the file.
    #[serde(default)]
    pub marks: Vec<Mark>,
}

impl ShardReport {
    /// Of a shard of which nothing was read yet.
    pub(crate) fn of(range: ShardRange) -> Self {
        Self {
            lo: range.lo,
            hi: range.hi,
            start: StartFound::Exact,
            ambiguous: false,
            first: range.lo,
            end: range.lo,
            bytes_read: 0,
            rows_read: 0,
            rows_passed: 0,
            rows_rejected: 0,
            lines: 0,
            stopped_at_reject: false,
            marks: vec![],
        }
    }

    /// A record begins at `end`, and all before it are counted: mark it, if it is `every` bytes past the last mark.
    pub(crate) fn mark(&mut self, every: &mut u64) {
        let last = self.marks.last().map_or(self.first, |mark| mark.offset);
        if self.end < last.saturating_add(*every) {
            return;
        }
        self.marks.push(Mark {
            offset: self.end,
            row: self.rows_read,
        });
        if self.marks.len() == MARKS_MAX {
            *every = every.saturating_mul(2);
            let mut is_kept = false;
            self.marks.retain(|_| {
                is_kept = !is_kept;
                !is_kept
            });
        }
    }
}

/// Cut [`data_start`, `size_bytes`) into ranges of about `shard_bytes`. The first begins exactly; the last is never
/// shorter than half of `shard_bytes`, unless it is the only one. A file without data gives one empty range.
pub fn cut(data_start: u64, size_bytes: u64, shard_bytes: u64) -> Vec<ShardRange> {
    let data_start = data_start.min(size_bytes);
    let shard_bytes = shard_bytes.max(1);
    let mut ranges = vec![];
    let mut lo = data_start;
    loop {
        let start = if ranges.is_empty() {
            Start::Exact(data_start)
        } else {
            Start::Guess
        };
        let left = size_bytes - lo;
        if left < shard_bytes.saturating_add(shard_bytes / 2).max(2) {
            ranges.push(ShardRange {
                lo,
                hi: size_bytes,
                start,
            });
            return ranges;
        }
        ranges.push(ShardRange {
            lo,
            hi: lo + shard_bytes,
            start,
        });
        lo += shard_bytes;
    }
}

/// The same ranges, cut at the marks of an earlier reading instead: each cut moves to the mark that is next to it, if
/// one is nearer than half a shard. The rest stay guesses. `marks` in their order.
pub fn at_marks(mut ranges: Vec<ShardRange>, marks: &[Mark]) -> Vec<ShardRange> {
    let cuts: Vec<u64> = ranges.iter().map(|range| range.lo).collect();
    let half = |from: usize| (cuts[from + 1] - cuts[from]).div_ceil(2);
    for number in 1..ranges.len() {
        let cut = cuts[number];
        let after = marks.partition_point(|mark| mark.offset < cut);
        let beside = &marks[after.saturating_sub(1)..marks.len().min(after + 1)];
        let nearest = beside.iter().min_by_key(|mark| mark.offset.abs_diff(cut));
        let is_near = |mark: &&Mark| {
            let room = half(number - 1);
            mark.offset.abs_diff(cut) < room && mark.offset < ranges[number].hi
        };
        if let Some(mark) = nearest.filter(is_near) {
            ranges[number - 1].hi = mark.offset;
            ranges[number].lo = mark.offset;
            ranges[number].start = Start::Exact(mark.offset);
        }
    }
    ranges
}

/// Prove that shards join: each begins where the one before ended, and the last ends with the file.
///
/// # Errors
/// The index of the first report that does not join: run that shard again with `Start::Exact` of the `end` before it.
/// The number of reports, when all join but the file is longer.
pub fn chain(reports: &[ShardReport], size_bytes: u64) -> Result<(), usize> {
    if let Some(break_at) = reports
        .windows(2)
        .position(|pair| pair[0].end != pair[1].first)
    {
        return Err(break_at + 1);
    }
    if reports.last().is_some_and(|last| last.end == size_bytes) {
        Ok(())
    } else {
        Err(reports.len())
    }
}
