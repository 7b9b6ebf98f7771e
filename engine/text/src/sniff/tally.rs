//! What one reading of some bytes looks like: how many records have how many fields, and how its quotes fare.

use std::collections::BTreeMap;

use super::sample::Window;
use super::split::{Field, Rules, Splitter, Step, enter_inside, enter_outside};
use super::value::classify;

/// Records at the beginning whose places are kept, to find where the table begins.
const KEPT_LINES: usize = 256;

/// One of the first records.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub start: usize,
    /// 0: a fault.
    pub fields: usize,
    /// It begins with `#`.
    pub hash: bool,
}

/// Counts over the records of one reading.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// Faulty ones among them.
    pub records: u64,
    pub faults: u64,
    pub quoted: u64,
    /// Those with a space before the quote.
    pub spaced: u64,
    counts: BTreeMap<usize, u64>,
    pub lines: Vec<Line>,
    /// Of the first records: values that are not null.
    cells: u64,
    typed: u64,
    /// Of the first records: values within a kind of quotes that the reading does not take for quotes.
    leftover: u64,
    /// Of the first records: values that begin with a double quote which the reading takes for text, and those that end
    /// with one. As many of both are fields that were cut at a delimiter within quotes.
    opening: u64,
    closing: u64,
    /// Of the first records: values that are nothing, and records that are one number, date or time as a whole.
    empty: u64,
    typed_lines: u64,
}

impl Tally {
    /// Read on from `at`, a record's beginning, to the end of the bytes.
    pub fn read(&mut self, window: &Window, at: usize, end: usize, rules: Rules) {
        let bytes = &window.bytes[..end];
        let whole = window.whole && end == window.bytes.len();
        let mut splitter = Splitter::new(bytes, at, whole, rules);
        let mut fields = Vec::new();
        // Records of one size mostly follow each other.
        let (mut size, mut run) = (0, 0);
        loop {
            let start = match splitter.advance(&mut fields) {
                Step::Record { start } => {
                    if fields.len() != size {
                        self.count(size, run);
                        (size, run) = (fields.len(), 0);
                    }
                    run += 1;
                    start
                }
                Step::Fault { start } => {
                    self.faults += 1;
                    start
                }
                Step::Cut | Step::End => break,
            };
            self.records += 1;
            if self.lines.len() < KEPT_LINES {
                let hash = bytes[start] == b'#';
                self.lines.push(Line {
                    start,
                    fields: fields.len(),
                    hash,
                });
                self.look_at(bytes, &fields, rules);
                let line = bytes[start..splitter.position()].trim_ascii();
                self.typed_lines += u64::from(classify(line).is_typed());
            }
            for field in fields.iter().filter(|field| field.quoted) {
                self.quoted += 1;
                self.spaced += u64::from(field.start > 1 && bytes[field.start - 2] == b' ');
            }
        }
        self.count(size, run);
    }

    fn count(&mut self, fields: usize, records: u64) {
        if records > 0 {
            *self.counts.entry(fields).or_default() += records;
        }
    }

    /// Count what was read elsewhere too; the first records stay those of this one.
    pub fn add(&mut self, other: &Self) {
        self.records += other.records;
        self.faults += other.faults;
        self.quoted += other.quoted;
        self.spaced += other.spaced;
        for (&fields, &records) in &other.counts {
            self.count(fields, records);
        }
    }

    fn look_at(&mut self, bytes: &[u8], fields: &[Field], rules: Rules) {
        let is_empty = |field: &&Field| field.start == field.end && !field.quoted;
        self.empty += fields.iter().filter(is_empty).count() as u64;
        for field in fields.iter().filter(|field| field.start < field.end) {
            let value = &bytes[field.start..field.end];
            self.cells += 1;
            self.typed += u64::from(is_typed(value));
            let (first, last) = (value[0], value[value.len() - 1]);
            if field.quoted || value.len() == 1 {
                continue;
            }
            let is_pair = first == last && rules.quote != Some(first);
            self.leftover += u64::from(is_pair && matches!(first, b'"' | b'\''));
            if rules.quote != Some(b'"') && !is_pair {
                self.opening += u64::from(first == b'"');
                self.closing += u64::from(last == b'"');
            }
        }
    }

    /// The number of fields that most records have; the first record's where two are as frequent.
    pub fn usual(&self) -> usize {
        let first = self.lines.first().map_or(0, |line| line.fields);
        let most = self
            .counts
            .iter()
            .max_by_key(|&(&fields, &n)| (n, fields == first, fields));
        most.map_or(0, |(&fields, _)| fields)
    }

    /// Records of that many fields.
    pub fn of(&self, fields: usize) -> u64 {
        self.counts.get(&fields).copied().unwrap_or_default()
    }

    /// Records of another number of fields, and faulty ones.
    fn misfits(&self, fields: usize) -> u64 {
        self.records - self.of(fields)
    }

    /// Part of all records that have that many fields.
    pub fn share(&self, fields: usize) -> f64 {
        ratio(self.of(fields), self.records)
    }

    /// Part of the first values that are numbers, dates and the like.
    pub fn typed_share(&self) -> f64 {
        ratio(self.typed, self.cells)
    }

    /// How well quotes pair, 0 to 1: 0 when there are none, 1 when one field in twenty records is quoted and none is faulty.
    pub fn pairing(&self) -> f64 {
        let frequent = ratio(self.quoted * 20, self.records).min(1.0);
        frequent * ratio(self.quoted, self.quoted + self.faults * 10)
    }

    /// Quotes are evidently text: several of the first records have one that is no pair's.
    pub fn has_strays(&self) -> bool {
        let stray = self.opening.saturating_sub(self.closing);
        stray > 2 && stray * 20 >= self.lines.len() as u64
    }

    /// One of the first values is nothing.
    pub fn has_empty(&self) -> bool {
        self.empty > 0
    }

    /// Many of the first records are one value.
    pub fn has_typed_lines(&self) -> bool {
        self.typed_lines * 2 > self.lines.len() as u64
    }

    /// Part of the first values that keep quotes around them.
    pub fn leftover_share(&self) -> f64 {
        ratio(self.leftover, self.cells)
    }
}

/// Where to begin in a window so that the reading fits best, taking its first byte to lie outside quotes, or inside,
/// and what is read from there. None: no record begins in it.
pub(super) fn enter(window: &Window, rules: Rules, fields: usize) -> (Option<usize>, Tally) {
    let outside = from(window, enter_outside(&window.bytes, rules), rules);
    if outside.1.misfits(fields) == 0 && outside.1.of(fields) > 0 {
        return outside;
    }
    let inside = from(window, enter_inside(&window.bytes, rules), rules);
    let merit = |tally: &Tally| i128::from(tally.of(fields)) - i128::from(tally.misfits(fields));
    if merit(&inside.1) > merit(&outside.1) {
        inside
    } else {
        outside
    }
}

fn from(window: &Window, at: Option<usize>, rules: Rules) -> (Option<usize>, Tally) {
    let mut tally = Tally::default();
    if let Some(at) = at {
        tally.read(window, at, window.bytes.len(), rules);
    }
    (at, tally)
}

/// Wider than a type's grammar: other countries' numbers and dates are no text either.
fn is_typed(value: &[u8]) -> bool {
    if classify(value).is_typed() {
        return true;
    }
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    let marks = value
        .iter()
        .filter(|b| matches!(b, b',' | b'.' | b'-' | b'/' | b':' | b' ' | b'%'));
    let commas = value.iter().filter(|&&b| b == b',').count();
    digits > 0 && commas <= 1 && marks.count() <= 5 && value.iter().all(|b| is_numeric(*b))
}

fn is_numeric(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b',' | b'.' | b'-' | b'/' | b':' | b' ' | b'%')
}

fn ratio(part: u64, all: u64) -> f64 {
    if all == 0 {
        0.0
    } else {
        part as f64 / all as f64
    }
}
