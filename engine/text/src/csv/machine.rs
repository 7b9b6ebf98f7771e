//! The exact machine: one record at a time, byte by byte. Slower than the index, right on any bytes.

use encoding_rs::Encoding;

use crate::chunk::ChunkBuffer;
use crate::index::Symbols;
use crate::{LineEnding, RejectCode, ScanOptions, decode};

/// Raw text of a reject is cut here; a line that is skipped must have been seen this far.
pub(crate) const RAW_BYTES: usize = 4096;

pub(crate) const LONGEST_RECORD_BYTES: usize = 1 << 29;

/// The dialect and limits, as the machine needs them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grammar {
    pub symbols: Symbols,
    /// Of the bytes that are scanned.
    pub encoding: &'static Encoding,
    /// Fields of a record, the empty one after a trailing delimiter among them.
    pub columns: usize,
    /// Each record ends with a delimiter.
    pub trails: bool,
    pub max_record_bytes: usize,
}

impl Grammar {
    pub fn new(options: &ScanOptions) -> Self {
        let dialect = &options.dialect;
        let columns = options.schema.fields().len().max(1);
        let merges = dialect.merge_delimiters && dialect.delimiter.len() == 1;
        let trails = dialect.trailing_delimiter && !merges;
        Self {
            symbols: Symbols {
                delimiter: dialect.delimiter,
                quote: dialect.quote,
                escape: dialect
                    .escape
                    .filter(|_| dialect.quote.is_some() && dialect.escape != dialect.quote),
                comment: dialect.comment,
                line_ending: dialect.line_ending,
                skips_spaces: dialect.skip_initial_space
                    && !merges
                    && dialect.delimiter.first() != b' ',
                merges,
            },
            encoding: decode::scanned(dialect.encoding),
            columns: columns + usize::from(trails),
            trails,
            max_record_bytes: options.max_record_bytes.clamp(1, LONGEST_RECORD_BYTES),
        }
    }

    /// One past the last byte of the line that ends at `line`.
    pub fn line_content_end(&self, data: &[u8], start: usize, line: usize) -> usize {
        let returns = self.symbols.line_ending.takes_return();
        line - usize::from(returns && line > start && data[line - 1] == b'\r')
    }

    /// One past the last byte of a record that ends with the line end at `line`.
    pub fn content_end(&self, data: &[u8], start: usize, line: usize) -> usize {
        let end = self.line_content_end(data, start, line);
        match self.symbols.merges {
            true => end - self.padding(data[start..end].iter().rev()),
            false => end,
        }
    }

    /// The byte that may stand before a field and is no part of it.
    pub fn padding_byte(&self) -> Option<u8> {
        if self.symbols.merges {
            self.symbols.delimiter.byte()
        } else {
            self.symbols.skips_spaces.then_some(b' ')
        }
    }

    /// Where the field begins that begins at `start` with what may stand before it.
    pub fn content_start(&self, data: &[u8], start: usize, end: usize) -> usize {
        start + self.padding(data[start..end].iter())
    }

    fn padding<'a>(&self, bytes: impl Iterator<Item = &'a u8>) -> usize {
        self.padding_byte().map_or(0, |padding| {
            bytes.take_while(|byte| **byte == padding).count()
        })
    }

    /// Where column `column` begins after the end of the field before it.
    #[inline(always)]
    pub fn after(&self, end: u32, column: usize) -> usize {
        let gap = if column == 0 {
            1
        } else {
            self.symbols.delimiter.len()
        };
        (end as usize).wrapping_add(gap)
    }

    /// Where a record from `from` on has become too long. Of a line end that the file lacks, one byte counts.
    fn too_long(&self, window: Window<'_>, from: usize) -> usize {
        let over = from + self.max_record_bytes + 1;
        over + usize::from(window.missing_bytes > 1 && window.end == over + 1)
    }

    /// A line without its first line end is known to be too long once this many bytes of it were seen.
    pub fn patience_bytes(&self) -> usize {
        self.max_record_bytes.max(RAW_BYTES) + 2
    }
}

/// Where within a record the machine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// At the first byte of a field.
    FieldStart,
    /// In an unquoted field.
    Text,
    Quoted,
    /// After the escape character in a quoted field.
    Escaped,
    /// After a quote that ends the field, or is the first of two.
    Closed,
    /// After a closing quote and a CR.
    ClosedReturn,
}

/// What one byte does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    To(State),
    EndField,
    EndRecord,
    /// Text after a closing quote.
    Junk,
    /// Bytes that did not come yet tell whether this is junk.
    Wait,
}

impl Grammar {
    /// What the byte at `at` does, with those after it up to the end of the window.
    #[inline(always)]
    pub fn advance(&self, state: State, window: Window<'_>, at: usize) -> Move {
        let symbols = &self.symbols;
        let byte = window.data[at];
        let rest = &window.data[at..window.end];
        let ends_line = || symbols.line_ending.is_at(window.data, at);
        let is_open = matches!(state, State::FieldStart | State::Text | State::Closed);
        if is_open && symbols.delimiter.begins(rest) {
            return match state {
                State::FieldStart if symbols.merges => Move::To(State::FieldStart),
                _ => Move::EndField,
            };
        }
        match state {
            State::FieldStart | State::Text if ends_line() => Move::EndRecord,
            State::FieldStart if Some(byte) == symbols.quote => Move::To(State::Quoted),
            State::FieldStart if symbols.skips_spaces && byte == b' ' => {
                Move::To(State::FieldStart)
            }
            State::FieldStart | State::Text => Move::To(State::Text),
            State::Quoted if Some(byte) == symbols.escape => Move::To(State::Escaped),
            State::Quoted if Some(byte) == symbols.quote => Move::To(State::Closed),
            State::Quoted | State::Escaped => Move::To(State::Quoted),
            State::Closed if Some(byte) == symbols.quote => Move::To(State::Quoted),
            State::Closed | State::ClosedReturn if ends_line() => Move::EndRecord,
            State::Closed if byte == b'\r' && symbols.line_ending.takes_return() => {
                Move::To(State::ClosedReturn)
            }
            State::Closed if !window.is_last && symbols.delimiter.as_bytes().starts_with(rest) => {
                Move::Wait
            }
            State::Closed | State::ClosedReturn => Move::Junk,
        }
    }
}

/// What was found at a record boundary. `next` is the next boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A record; the ends of its fields were appended.
    Record { next: usize },
    /// A comment.
    Comment { next: usize },
    /// A rejected line; parity can't be trusted before `resume`.
    Reject {
        fault: Fault,
        next: usize,
        resume: usize,
    },
    /// The line at the boundary ends after these bytes. It is rejected, or with None a comment.
    SkipLine { fault: Option<Fault> },
    /// More bytes are needed.
    More,
}

/// Why a line was rejected, and the field at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    pub code: RejectCode,
    pub field: Option<usize>,
}

/// Bytes in memory. `data[at]` has the offset `base + at` in the file.
#[derive(Clone, Copy)]
pub(crate) struct Window<'a> {
    pub data: &'a [u8],
    /// One past the last byte.
    pub end: usize,
    /// The file ends at `end`.
    pub is_last: bool,
    /// Bytes before `end` that the file lacks.
    pub missing_bytes: usize,
    pub base: u64,
}

impl<'a> Window<'a> {
    /// Up to here it is known which bytes end lines: of a carriage return that comes last, what follows may tell.
    pub fn known_end(&self, line_ending: LineEnding) -> usize {
        let may_go_on = line_ending == LineEnding::Any;
        let is_open = may_go_on && !self.is_last && self.end > 0;
        self.end - usize::from(is_open && self.data[self.end - 1] == b'\r')
    }

    pub fn of(buffer: &'a ChunkBuffer) -> Self {
        Self {
            data: buffer.data(),
            end: buffer.end,
            is_last: buffer.is_last,
            missing_bytes: buffer.missing_bytes,
            base: buffer.base,
        }
    }
}

/// A stretch of a record that did not end well: whoever comes to a line end within it inside quotes is in `state` at
/// its end. Without this, a file in which every line opens a quote would be read once for each of its lines.
#[derive(Debug, Clone, Copy)]
struct Known {
    from: u64,
    to: u64,
    state: Option<State>,
}

#[derive(Debug)]
pub(crate) struct Machine {
    pub grammar: Grammar,
    known: Option<Known>,
}

enum Stop {
    Record(usize),
    Junk(usize),
    /// The window or the longest record ends here.
    Edge(usize, State),
}

struct Run {
    stop: Stop,
    /// Of the field in which the run stopped.
    field: usize,
    /// The first line end inside quotes, and the field around it.
    first_line: Option<(usize, usize)>,
    jumped: bool,
}

impl Machine {
    pub fn new(grammar: Grammar) -> Self {
        Self {
            grammar,
            known: None,
        }
    }

    /// Read what begins at the record boundary `from`, which is before the window's end.
    pub fn step(&mut self, window: Window<'_>, from: usize, ends: &mut Vec<u32>) -> Step {
        if Some(window.data[from]) == self.grammar.symbols.comment {
            return match self.find_line(window, from) {
                Some(line) => Step::Comment { next: line + 1 },
                None if window.is_last => Step::Comment { next: window.end },
                None if self.may_skip(window, from) => Step::SkipLine { fault: None },
                None => Step::More,
            };
        }
        let mark = ends.len();
        let mut run = self.run(window, from, ends, true);
        if run.jumped && matches!(run.stop, Stop::Record(_)) {
            ends.truncate(mark);
            run = self.run(window, from, ends, false);
        }
        if let Stop::Record(line) = run.stop {
            return Step::Record { next: line + 1 };
        }
        ends.truncate(mark);
        self.fail(window, from, &run)
    }

    /// The last byte of the line end at or after `from`.
    fn find_line(&self, window: Window<'_>, from: usize) -> Option<usize> {
        let line_ending = self.grammar.symbols.line_ending;
        let to = window.known_end(line_ending).max(from);
        line_ending.find(window.data, from, to)
    }

    /// Enough was seen of a line that does not end in the window.
    fn may_skip(&self, window: Window<'_>, from: usize) -> bool {
        let is_known = window.known_end(self.grammar.symbols.line_ending) == window.end;
        is_known && window.end - from > self.grammar.patience_bytes()
    }

    fn run(&self, window: Window<'_>, from: usize, ends: &mut Vec<u32>, may_jump: bool) -> Run {
        let Symbols {
            delimiter,
            line_ending,
            merges,
            ..
        } = self.grammar.symbols;
        let mark = ends.len();
        let known = window.known_end(line_ending);
        let limit = known.min(self.grammar.too_long(window, from));
        let mut state = State::FieldStart;
        let mut run = Run {
            stop: Stop::Edge(limit, state),
            field: from,
            first_line: None,
            jumped: false,
        };
        let mut at = from;
        while at < limit {
            let inside = matches!(state, State::Quoted | State::Escaped);
            match self.grammar.advance(state, window, at) {
                Move::To(next) => {
                    if next == State::FieldStart {
                        run.field = at + 1;
                    }
                    state = next;
                }
                Move::EndField => {
                    ends.push(at as u32);
                    state = State::FieldStart;
                    at += delimiter.len();
                    run.field = at;
                    continue;
                }
                Move::EndRecord => {
                    let is_padding =
                        self.grammar.content_end(window.data, run.field, at) == run.field;
                    if merges && is_padding && ends.len() > mark {
                        ends.pop();
                    }
                    ends.push(at as u32);
                    run.stop = Stop::Record(at);
                    return run;
                }
                Move::Junk => {
                    run.stop = Stop::Junk(at);
                    return run;
                }
                Move::Wait => {
                    run.stop = Stop::Edge(at, state);
                    return run;
                }
            }
            if inside && run.first_line.is_none() && line_ending.is_at(window.data, at) {
                run.first_line = Some((at, run.field));
                if let Some((to, known)) = self.jump(window, at, limit).filter(|_| may_jump) {
                    run.jumped = true;
                    let Some(known) = known else {
                        run.stop = Stop::Junk(to);
                        return run;
                    };
                    state = known;
                    at = to;
                    continue;
                }
            }
            at += 1;
        }
        run.stop = Stop::Edge(at, state);
        run
    }

    /// From the line end at `line`, inside quotes, to where an earlier run stopped.
    fn jump(
        &self,
        window: Window<'_>,
        line: usize,
        limit: usize,
    ) -> Option<(usize, Option<State>)> {
        let known = self.known?;
        let offset = window.base.wrapping_add(line as u64);
        let to = known.to.wrapping_sub(window.base) as usize;
        (known.from <= offset && offset < known.to && to <= limit).then_some((to, known.state))
    }

    fn fail(&mut self, window: Window<'_>, from: usize, run: &Run) -> Step {
        let (at, state) = match run.stop {
            Stop::Junk(at) => (at, None),
            Stop::Record(at) => (at, Some(State::FieldStart)),
            Stop::Edge(at, state) => (at, Some(state)),
        };
        let too_long = at >= self.grammar.too_long(window, from);
        if state.is_some() && !too_long && !window.is_last {
            return Step::More;
        }
        let inside = !matches!(state, Some(State::FieldStart | State::Text));
        let code = match (state, run.first_line) {
            (None, None) => RejectCode::InvalidQuote,
            (None, Some(_)) => RejectCode::UnterminatedQuote,
            (Some(_), None) if too_long => RejectCode::RecordTooLong,
            (Some(_), _) if inside => RejectCode::UnterminatedQuote,
            (Some(_), _) => RejectCode::RecordTooLong,
        };
        let field = match run.first_line {
            _ if code == RejectCode::RecordTooLong => None,
            Some((_, field)) => Some(field),
            None => Some(run.field),
        };
        let fault = Fault { code, field };
        let line = match run.first_line {
            Some((line, _)) => Some(line),
            None => self.find_line(window, at),
        };
        match line {
            Some(line) => {
                if run.first_line.is_some() {
                    let [from, to] = [line, at].map(|at| window.base.wrapping_add(at as u64));
                    self.known = Some(Known { from, to, state });
                }
                Step::Reject {
                    fault,
                    next: line + 1,
                    resume: at,
                }
            }
            None if window.is_last => Step::Reject {
                fault,
                next: window.end,
                resume: at,
            },
            None if self.may_skip(window, from) => Step::SkipLine { fault: Some(fault) },
            None => Step::More,
        }
    }
}
