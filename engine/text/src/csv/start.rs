//! Where the first record of a shard begins, when no one knows: read on from the cut under both hypotheses, outside and
//! inside quotes, and take the one that meets less evidence against it. A wrong guess costs time and nothing else: shards
//! that do not join are read again.

use crate::index::Symbols;
use crate::{ReadAt, StartFound, TextError};

use super::machine::{Grammar, Machine, Move, State, Step, Window};

/// Bytes that a guess looks at first; four times as many each time it stays undecided.
const PROBE_BYTES: usize = 64 << 10;
/// A guess that is undecided after this many bytes is taken as it is.
const LONGEST_PROBE_BYTES: usize = 4 << 20;

/// Bytes before the cut that are looked at: a delimiter, a line end, a few escapes.
const BYTES_BEFORE: u64 = 8;

/// Where the first record of a shard was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Guess {
    pub first: u64,
    /// The first record begins after the next line end from `first`, which is too far away to have been probed.
    pub is_far: bool,
    pub start: StartFound,
    pub ambiguous: bool,
}

/// What a hypothesis meets in the bytes after the cut. Less evidence against it comes first, then more for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Evidence {
    /// The first record boundary.
    first: Option<usize>,
    /// Quotes where none should be.
    anomalies: usize,
    /// Records with another number of fields.
    misshapen: usize,
    /// Records as they should be.
    good: usize,
}

impl Evidence {
    fn rank(&self) -> (usize, bool, usize) {
        (self.anomalies, self.misshapen > self.good, self.misshapen)
    }
}

/// Find the first record boundary at or after `lo` by reading on under both hypotheses.
pub(crate) fn find_start(
    source: &dyn ReadAt,
    grammar: &Grammar,
    lo: u64,
) -> Result<Guess, TextError> {
    let size = source.size_bytes();
    if lo == 0 || lo >= size {
        let (first, start) = (lo.min(size), StartFound::Outside);
        return Ok(Guess {
            first,
            is_far: false,
            start,
            ambiguous: false,
        });
    }
    let mut probe_bytes = PROBE_BYTES;
    loop {
        let probe = Probe::read(source, grammar, lo, probe_bytes)?;
        let outside = probe.weigh(StartFound::Outside);
        let inside = grammar
            .symbols
            .quote
            .map(|_| probe.weigh(StartFound::Inside));
        let is_enough = probe.is_last || probe_bytes >= LONGEST_PROBE_BYTES;
        if let Some((evidence, start, ambiguous)) = decide(outside, inside, is_enough) {
            let first = lo - probe.cut as u64 + evidence.first.unwrap_or(probe.end) as u64;
            let is_far = evidence.first.is_none() && !probe.is_last;
            return Ok(Guess {
                first: first.min(size),
                is_far,
                start,
                ambiguous,
            });
        }
        probe_bytes *= 4;
    }
}

/// None: more bytes may tell.
fn decide(
    outside: Evidence,
    inside: Option<Evidence>,
    is_last: bool,
) -> Option<(Evidence, StartFound, bool)> {
    let Some(inside) = inside else {
        return (is_last || outside.first.is_some()).then_some((
            outside,
            StartFound::Outside,
            false,
        ));
    };
    let same = outside.first.is_some() && outside.first == inside.first;
    let (out_rank, in_rank) = (outside.rank(), inside.rank());
    let outside_fits = outside.anomalies == 0 && outside.good > outside.misshapen;
    if same || (outside_fits && inside.good == 0) || (out_rank < in_rank && outside.first.is_some())
    {
        return Some((outside, StartFound::Outside, false));
    }
    if in_rank < out_rank && inside.good > 0 {
        return Some((inside, StartFound::Inside, false));
    }
    is_last.then(|| {
        let start = if in_rank < out_rank && inside.first.is_some() {
            StartFound::Inside
        } else {
            StartFound::Outside
        };
        (
            if start == StartFound::Inside {
                inside
            } else {
                outside
            },
            start,
            true,
        )
    })
}

/// Bytes from a few before the cut.
struct Probe<'a> {
    grammar: &'a Grammar,
    data: Vec<u8>,
    cut: usize,
    end: usize,
    is_last: bool,
}

impl<'a> Probe<'a> {
    fn read(
        source: &dyn ReadAt,
        grammar: &'a Grammar,
        lo: u64,
        bytes: usize,
    ) -> Result<Self, TextError> {
        let cut = lo.min(BYTES_BEFORE);
        let from = lo - cut;
        let left = source.size_bytes() - from;
        let want = left.min(bytes as u64) as usize;
        let mut data = vec![0; want];
        let read = source
            .read_at(from, &mut data)
            .map_err(|error| TextError::reading(from, error))?;
        if read < want {
            return Err(TextError::Changed {
                offset: from + read as u64,
            });
        }
        let is_last = want as u64 == left;
        if is_last {
            data.extend_from_slice(grammar.symbols.line_ending.missing(&data));
        }
        let end = data.len();
        Ok(Self {
            grammar,
            data,
            cut: cut as usize,
            end,
            is_last,
        })
    }

    fn weigh(&self, start: StartFound) -> Evidence {
        let mut evidence = Evidence {
            first: None,
            anomalies: 0,
            misshapen: 0,
            good: 0,
        };
        let first = match self.state_at_cut(start) {
            None => Some(self.cut),
            Some(state) => self.end_record(state, &mut evidence),
        };
        evidence.first = first;
        let mut at = match first {
            Some(first) => first,
            None => return evidence,
        };
        let window = self.window();
        let mut machine = Machine::new(*self.grammar);
        let mut ends = vec![];
        while at < self.end {
            ends.clear();
            at = match machine.step(window, at, &mut ends) {
                Step::Record { next } => {
                    self.count_record(at, next - 1, &ends, &mut evidence);
                    next
                }
                Step::Comment { next } => next,
                Step::Reject { next, .. } => {
                    evidence.anomalies += 1;
                    next
                }
                Step::SkipLine { .. } | Step::More => break,
            };
        }
        evidence
    }

    fn window(&self) -> Window<'_> {
        Window {
            data: &self.data,
            end: self.end,
            is_last: self.is_last,
            missing_bytes: 0,
            base: 0,
        }
    }

    /// What the machine would be in at the cut, as far as the bytes before it tell; None: a record begins there.
    fn state_at_cut(&self, start: StartFound) -> Option<State> {
        let Symbols {
            delimiter,
            quote,
            escape,
            line_ending,
            ..
        } = self.grammar.symbols;
        let before = &self.data[..self.cut];
        let last = before.last().copied();
        if start == StartFound::Inside {
            let escapes = before
                .iter()
                .rev()
                .take_while(|byte| Some(**byte) == escape);
            return Some(match escapes.count() % 2 {
                0 => State::Quoted,
                _ => State::Escaped,
            });
        }
        let begins_field = before.ends_with(delimiter.as_bytes())
            || (last.is_some() && last == self.grammar.padding_byte());
        match last {
            None => None,
            Some(_) if line_ending.is_at(&self.data, self.cut - 1) => None,
            Some(_) if begins_field => Some(State::FieldStart),
            Some(byte) if Some(byte) == quote => Some(State::Closed),
            Some(_) => Some(State::Text),
        }
    }

    /// The end of the record that the cut lies in, read on from there.
    fn end_record(&self, mut state: State, evidence: &mut Evidence) -> Option<usize> {
        let window = self.window();
        let mut at = self.cut;
        while at < window.known_end(self.grammar.symbols.line_ending) {
            let is_stray =
                state == State::Text && Some(self.data[at]) == self.grammar.symbols.quote;
            evidence.anomalies += usize::from(is_stray);
            state = match self.grammar.advance(state, window, at) {
                Move::To(state) => state,
                Move::EndField => {
                    at += self.grammar.symbols.delimiter.len();
                    state = State::FieldStart;
                    continue;
                }
                Move::EndRecord => return Some(at + 1),
                Move::Junk => {
                    evidence.anomalies += 1;
                    State::Text
                }
                Move::Wait => return None,
            };
            at += 1;
        }
        None
    }

    fn count_record(&self, start: usize, line: usize, ends: &[u32], evidence: &mut Evidence) {
        let from = self.grammar.content_start(&self.data, start, line);
        let is_blank = ends.len() == 1 && self.grammar.content_end(&self.data, from, line) == from;
        if ends.len() == self.grammar.columns {
            evidence.good += 1;
        } else if !is_blank {
            evidence.misshapen += 1;
        }
        let Some(quote) = self.grammar.symbols.quote else {
            return;
        };
        for (column, end) in ends.iter().enumerate() {
            let end = *end as usize;
            let from = match column {
                0 => start,
                _ => self.grammar.after(ends[column - 1], column),
            };
            let field = &self.data[self.grammar.content_start(&self.data, from, end)..end];
            if field.first() != Some(&quote) {
                evidence.anomalies += memchr::memchr_iter(quote, field).count();
            }
        }
    }
}
