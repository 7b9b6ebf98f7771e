//! Which dialect fits best: each candidate reads the beginning of the head, the best few read the whole sample.
//!
//! A candidate's score depends on nothing but its own reading, so that leaving other candidates out (an override)
//! can't change which of the rest wins. Ties go to the earlier candidate.

use memchr::memchr;

use super::DialectOverrides;
use super::delimiters::{self, Nature, nature};
use super::sample::{Head, Window};
use super::split::{Rules, after_lines};
use super::tally::{Tally, enter};
use crate::{Delimiter, LineEnding};

/// All candidates read this much of the head.
const TRIAL_BYTES: usize = 64 << 10;
/// Unless the best candidate fits everything, the best few, within this part of its score, read everything.
const FINALISTS: usize = 4;
const FINAL_PART: f64 = 0.8;
/// A table may be preceded by so many records of other sizes.
const PREAMBLE_RECORDS: usize = 100;

/// Score of one column, however consistent: any delimiter that splits is better.
const ONE_COLUMN: f64 = 0.05;
/// Added to it where the column's values are in quotes.
const QUOTED_COLUMN: f64 = 0.4;
/// Score of a delimiter that does not split consistently: one column is better.
const INCONSISTENT: f64 = 0.01;

/// A candidate and how it reads.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub rules: Rules,
    /// Physical lines before the table.
    pub skip_rows: usize,
    /// Where the table begins in the head.
    pub start: usize,
    /// Fields of a record.
    pub fields: usize,
    pub tally: Tally,
    pub score: f64,
    /// Where each window's records begin.
    pub entries: Vec<Option<usize>>,
    /// Everything was read, not only the beginning.
    complete: bool,
}

impl Reading {
    /// How much is to be believed of a delimiter, 0 to 1: text has some for other reasons.
    pub fn prior(&self) -> f64 {
        match nature(self.rules.delimiter) {
            Nature::Usual => 1.0,
            Nature::Sequence => 0.9,
            Nature::Rare => 0.6,
            Nature::Space => 0.5,
        }
    }

    /// Whether a delimiter that text has for other reasons is one here.
    fn is_evident(&self, share: f64, first_fits: bool) -> bool {
        let tally = &self.tally;
        let is_regular = share >= 0.98 && tally.records > 2;
        let typed = tally.typed_share();
        match nature(self.rules.delimiter) {
            Nature::Usual => true,
            Nature::Rare => is_regular && self.fields > 2 && !tally.has_typed_lines(),
            Nature::Sequence => is_regular && first_fits,
            // Words that happen to be as many in each line are prose, and a date with a time is one value.
            Nature::Space => {
                let few = if self.fields > 2 { 0.2 } else { 0.4 };
                let is_split = self.rules.merges || !tally.has_empty();
                is_regular && first_fits && is_split && typed >= few && !tally.has_typed_lines()
            }
        }
    }

    /// Every record has the same number of fields.
    fn is_perfect(&self) -> bool {
        self.tally.records > 0 && self.tally.of(self.fields) == self.tally.records
    }
}

/// The readings that were compared, best first. Never empty.
pub(super) fn detect(
    head: &Head,
    windows: &[Window],
    overrides: &DialectOverrides,
) -> Vec<Reading> {
    let bytes = &head.window.bytes;
    let trial = bytes.len().min(TRIAL_BYTES);
    let mut readings = readings(&head.window, trial, overrides);
    if readings[0].tally.records < 2 && trial < bytes.len() {
        readings = self::readings(&head.window, bytes.len(), overrides);
    }
    read_all(&mut readings[0], head, windows, overrides);
    if !readings[0].is_perfect() {
        let bar = readings[0].score * FINAL_PART;
        let finalists = readings.iter_mut().skip(1);
        for reading in finalists.filter(|r| r.score >= bar).take(FINALISTS - 1) {
            read_all(reading, head, windows, overrides);
        }
    }
    loop {
        readings.sort_by(|a, b| b.score.total_cmp(&a.score));
        match &mut readings[0] {
            best if best.complete => return readings,
            best => read_all(best, head, windows, overrides),
        }
    }
}

fn readings(head: &Window, end: usize, overrides: &DialectOverrides) -> Vec<Reading> {
    let mut readings: Vec<Reading> = Vec::new();
    for rules in candidates(&head.bytes[..end], overrides) {
        let plain = read(head, end, rules, overrides);
        if overrides.comment.is_none() {
            readings.extend(commented(head, end, &plain, overrides));
        }
        readings.push(plain);
    }
    drop_explained(&mut readings, &head.bytes[..end], overrides);
    // Stable: the earlier candidate wins a tie.
    readings.sort_by(|a, b| b.score.total_cmp(&a.score));
    readings
}

/// A stray `|` in the text of a table with `||` makes no delimiter of it, unless all records have as many.
fn drop_explained(readings: &mut Vec<Reading>, bytes: &[u8], overrides: &DialectOverrides) {
    let sequences: Vec<_> = readings.iter().map(|r| r.rules.delimiter).collect();
    let mut sequences: Vec<_> = sequences.into_iter().filter(|d| d.len() > 1).collect();
    sequences.dedup();
    readings.retain(|reading| {
        let byte = reading.rules.delimiter.byte();
        let byte = byte.filter(|_| !reading.is_perfect() && overrides.delimiter.is_none());
        !byte.is_some_and(|byte| {
            sequences
                .iter()
                .any(|s| delimiters::explains(bytes, *s, byte))
        })
    });
}

/// Every dialect that the bytes could be in, in the order of preference.
fn candidates(bytes: &[u8], overrides: &DialectOverrides) -> Vec<Rules> {
    let occurs = |byte: &u8| memchr(*byte, bytes).is_some();
    let given = [overrides.quote, overrides.escape, overrides.comment];
    let is_free = |delimiter: &Delimiter| {
        let bytes = delimiter.as_bytes().iter();
        bytes
            .copied()
            .all(|byte| !given.contains(&Some(Some(byte))))
    };
    let merged = |found: Vec<(Delimiter, bool)>| match overrides.merge_delimiters {
        None => found,
        Some(merges) => {
            let mut all: Vec<_> = found.into_iter().map(|(d, _)| (d, merges)).collect();
            all.dedup();
            all.retain(|(delimiter, _)| !merges || delimiter.len() == 1);
            all
        }
    };
    let delimiters = merged(match overrides.delimiter {
        Some(delimiter) if delimiter == b' ' => vec![(delimiter, false), (delimiter, true)],
        Some(delimiter) => vec![(delimiter, false)],
        None => {
            let found = delimiters::candidates(bytes).into_iter();
            found.filter(|(delimiter, _)| is_free(delimiter)).collect()
        }
    });
    let quotes = match overrides.quote {
        Some(quote) => vec![quote],
        None => {
            let is_delimiter = |quote: u8| {
                let given = overrides.delimiter.iter();
                given.flat_map(|d| d.as_bytes()).any(|byte| *byte == quote)
            };
            let mut quotes = vec![Some(b'"').filter(|&quote| !is_delimiter(quote))];
            quotes.extend(occurs(&b'"').then_some(None));
            quotes.extend((occurs(&b'\'') && !is_delimiter(b'\'')).then_some(Some(b'\'')));
            quotes
        }
    };
    let mut candidates = Vec::new();
    let line_endings = match overrides.line_ending {
        Some(line_ending) => vec![line_ending],
        None => line_endings(bytes),
    };
    for line_ending in line_endings {
        for &(delimiter, merges) in &delimiters {
            for &quote in &quotes {
                let plain = Rules {
                    delimiter,
                    merges,
                    skips_spaces: false,
                    quote,
                    escape: None,
                    comment: overrides.comment.flatten(),
                    line_ending,
                };
                for skips_spaces in spaces(bytes, plain, overrides) {
                    for escape in escapes(bytes, quote, overrides) {
                        candidates.push(Rules {
                            skips_spaces,
                            escape,
                            ..plain
                        });
                    }
                }
            }
        }
    }
    candidates
}

/// Spaces before an opening quote are the sign that they belong to no field.
fn spaces(bytes: &[u8], rules: Rules, overrides: &DialectOverrides) -> Vec<bool> {
    let may_be = rules.delimiter.first() != b' ' && !rules.merges;
    if let Some(given) = overrides.skip_initial_space {
        return vec![given && may_be];
    }
    let Some(quote) = rules.quote.filter(|_| may_be) else {
        return vec![false];
    };
    let delimiter = rules.delimiter.as_bytes();
    let before_quote = |at: usize| {
        let field = &bytes[at + delimiter.len()..];
        let after = field.iter().find(|byte| **byte != b' ');
        field.first() == Some(&b' ') && after == Some(&quote)
    };
    match memchr::memmem::find_iter(bytes, delimiter).any(before_quote) {
        true => vec![false, true],
        false => vec![false],
    }
}

fn escapes(bytes: &[u8], quote: Option<u8>, overrides: &DialectOverrides) -> Vec<Option<u8>> {
    match (overrides.escape, quote) {
        (Some(escape), _) => vec![escape.filter(|_| escape != quote)],
        (None, Some(quote)) if memchr::memmem::find(bytes, &[b'\\', quote]).is_some() => {
            vec![None, Some(b'\\')]
        }
        _ => vec![None],
    }
}

/// CR alone is a candidate where it is more frequent than LF can explain.
fn line_endings(bytes: &[u8]) -> Vec<LineEnding> {
    let feeds = memchr::memchr_iter(b'\n', bytes).count();
    let bare = memchr::memchr_iter(b'\r', bytes)
        .filter(|&i| bytes.get(i + 1) != Some(&b'\n'))
        .count();
    match (feeds, bare) {
        (0, 1..) => vec![LineEnding::Cr],
        _ if bare * 2 > feeds => vec![LineEnding::Lf, LineEnding::Cr],
        _ => vec![LineEnding::Lf],
    }
}

fn read(head: &Window, end: usize, rules: Rules, overrides: &DialectOverrides) -> Reading {
    let skip_rows = overrides.skip_rows.unwrap_or(0);
    let start = after_lines(&head.bytes[..end], skip_rows, rules.line_ending);
    let mut tally = Tally::default();
    tally.read(head, start, end, rules);
    let fields = tally.usual();
    let mut reading = Reading {
        rules,
        skip_rows,
        start,
        fields,
        tally,
        score: 0.0,
        entries: Vec::new(),
        complete: false,
    };
    if overrides.skip_rows.is_none()
        && let Some(start) = table_start(&reading.tally, fields)
    {
        reading.start = start;
        reading.skip_rows = rules.line_ending.count(&head.bytes, 0, start);
        reading.tally = Tally::default();
        reading.tally.read(head, start, end, rules);
    }
    reading.score = score(&reading, overrides);
    reading
}

/// Where the table begins, if it is preceded by lines of other field counts.
fn table_start(tally: &Tally, fields: usize) -> Option<usize> {
    let lines = &tally.lines;
    if fields < 2 || lines.first()?.fields == fields {
        return None;
    }
    let (index, line) = lines
        .iter()
        .enumerate()
        .take(PREAMBLE_RECORDS)
        .find(|(_, line)| line.fields == fields)?;
    let after = &lines[index..lines.len().min(index + 10)];
    let fitting = after.iter().filter(|line| line.fields == fields).count();
    (fitting >= 2 && fitting * 5 >= after.len() * 4).then_some(line.start)
}

/// The reading with `#` as comment character, if lines that begin with it are no records of the table.
fn commented(
    head: &Window,
    end: usize,
    plain: &Reading,
    overrides: &DialectOverrides,
) -> Option<Reading> {
    let begins = head.bytes.starts_with(b"#")
        || memchr::memmem::find(&head.bytes[..end], &[plain.rules.line_end(), b'#']).is_some();
    if !begins {
        return None;
    }
    let rules = Rules {
        comment: Some(b'#'),
        ..plain.rules
    };
    let reading = read(head, end, rules, overrides);
    let mut lines = Tally::default();
    let start = after_lines(
        &head.bytes[..end],
        overrides.skip_rows.unwrap_or(0),
        rules.line_ending,
    );
    lines.read(head, start, end, plain.rules);
    let mut hashes = lines.lines.iter().filter(|line| line.hash).peekable();
    let evident = hashes.peek().is_some() && hashes.all(|line| line.fields != reading.fields);
    (evident && reading.fields > 1).then_some(reading)
}

/// Read the whole sample, windows with the beginning that fits best.
fn read_all(reading: &mut Reading, head: &Head, windows: &[Window], overrides: &DialectOverrides) {
    let (rules, fields) = (reading.rules, reading.fields);
    let mut tally = Tally::default();
    tally.read(&head.window, reading.start, head.window.bytes.len(), rules);
    reading.entries.clear();
    for window in windows {
        let (entry, inner) = enter(window, rules, fields);
        reading.entries.push(entry);
        tally.add(&inner);
    }
    reading.fields = tally.usual();
    reading.tally = tally;
    reading.score = score(reading, overrides);
    reading.complete = true;
}

fn score(reading: &Reading, overrides: &DialectOverrides) -> f64 {
    let (tally, fields) = (&reading.tally, reading.fields);
    let share = tally.share(fields);
    // Quotes that pair well are evidence for what stands between the fields, too.
    let pairing = tally.pairing();
    let is_given = overrides.delimiter.is_some();
    if fields < 2 && nature(reading.rules.delimiter) == Nature::Space && !is_given {
        return INCONSISTENT * share;
    }
    if fields < 2 {
        return (ONE_COLUMN + QUOTED_COLUMN * pairing) * share;
    }
    let first_fits = tally
        .lines
        .first()
        .is_some_and(|line| line.fields == fields);
    let consistent = share >= 0.7 || (share >= 0.45 && fields > 2 && first_fits);
    let evident = is_given || reading.is_evident(share, first_fits);
    let is_spaced = reading.rules.skips_spaces && overrides.skip_initial_space.is_none();
    if !consistent || !evident || (is_spaced && tally.spaced == 0) {
        return INCONSISTENT * share;
    }
    let columns = 1.0 - 1.0 / fields as f64;
    let whole = if reading.skip_rows == 0 { 1.0 } else { 0.9 };
    let prior = reading.prior();
    // One stray quote is a fault of its record; a file in which quotes are text has many.
    let unquoted = reading.rules.quote.is_none() && !tally.has_strays();
    let quotes = if unquoted { 0.5 } else { 1.0 } - 0.3 * tally.leftover_share();
    let shape = 0.55 * columns + 0.45 * tally.typed_share();
    share.powf(1.5) * shape * whole * prior * quotes * (1.0 + pairing)
}
