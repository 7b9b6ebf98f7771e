//! The exact machine: one record at a time, byte by byte. Slower than the index, right on any bytes.

use encoding_rs::Encoding;
use memchr::memchr;

use crate::chunk::ChunkBuffer;
use crate::index::Symbols;
use crate::{Dialect, LineEnding, RejectCode, ScanOptions, decode};

/// Raw text of a reject is cut here; a line that is skipped must have been seen this far.
pub(crate) const RAW_BYTES: usize = 4096;

pub(crate) const LONGEST_RECORD_BYTES: usize = 1 << 29;

/// The dialect and limits, as the machine needs them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grammar {
    pub symbols: Symbols,
    pub escape: Option<u8>,
    pub comment: Option<u8>,
    /// Of the bytes that are scanned.
    pub encoding: &'static Encoding,
    pub columns: usize,
    pub max_record_bytes: usize,
}

impl Grammar {
    pub fn new(options: &ScanOptions) -> Self {
        let Dialect {
            delimiter,
            quote,
            escape,
            comment,
            ..
        } = options.dialect;
        let newline = match options.dialect.line_ending {
            LineEnding::Lf => b'\n',
            LineEnding::Cr => b'\r',
        };
        Self {
            symbols: Symbols {
                delimiter,
                quote,
                newline,
            },
            escape: escape.filter(|_| quote.is_some() && escape != quote),
            comment,
            encoding: decode::scanned(options.dialect.encoding),
            columns: options.schema.fields().len().max(1),
            max_record_bytes: options.max_record_bytes.clamp(1, LONGEST_RECORD_BYTES),
        }
    }

    /// The structural index knows neither escapes nor comments.
    pub fn needs_machine(&self) -> bool {
        self.escape.is_some() || self.comment.is_some()
    }

    /// One past the last byte of a record that ends with the line end at `line`.
    pub fn content_end(&self, data: &[u8], start: usize, line: usize) -> usize {
        let returns = self.symbols.newline == b'\n' && line > start && data[line - 1] == b'\r';
        line - usize::from(returns)
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
}

impl Grammar {
    #[inline(always)]
    pub fn advance(&self, state: State, byte: u8) -> Move {
        let Symbols {
            delimiter,
            quote,
            newline,
        } = self.symbols;
        match state {
            State::FieldStart | State::Text if byte == delimiter => Move::EndField,
            State::FieldStart | State::Text if byte == newline => Move::EndRecord,
            State::FieldStart if Some(byte) == quote => Move::To(State::Quoted),
            State::FieldStart | State::Text => Move::To(State::Text),
            State::Quoted if Some(byte) == self.escape => Move::To(State::Escaped),
            State::Quoted if Some(byte) == quote => Move::To(State::Closed),
            State::Quoted | State::Escaped => Move::To(State::Quoted),
            State::Closed if Some(byte) == quote => Move::To(State::Quoted),
            State::Closed if byte == delimiter => Move::EndField,
            State::Closed | State::ClosedReturn if byte == newline => Move::EndRecord,
            State::Closed if byte == b'\r' && newline == b'\n' => Move::To(State::ClosedReturn),
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
    pub base: u64,
}

impl<'a> Window<'a> {
    pub fn of(buffer: &'a ChunkBuffer) -> Self {
        Self {
            data: buffer.data(),
            end: buffer.end,
            is_last: buffer.is_last,
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
        let newline = self.grammar.symbols.newline;
        if Some(window.data[from]) == self.grammar.comment {
            return match memchr(newline, &window.data[from..window.end]) {
                Some(line) => Step::Comment {
                    next: from + line + 1,
                },
                None if window.is_last => Step::Comment { next: window.end },
                None if window.end - from > self.grammar.patience_bytes() => {
                    Step::SkipLine { fault: None }
                }
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

    fn run(&self, window: Window<'_>, from: usize, ends: &mut Vec<u32>, may_jump: bool) -> Run {
        let newline = self.grammar.symbols.newline;
        let limit = window.end.min(from + self.grammar.max_record_bytes + 1);
        let mut state = State::FieldStart;
        let mut run = Run {
            stop: Stop::Edge(limit, state),
            field: from,
            first_line: None,
            jumped: false,
        };
        let mut at = from;
        while at < limit {
            let byte = window.data[at];
            let inside = matches!(state, State::Quoted | State::Escaped);
            match self.grammar.advance(state, byte) {
                Move::To(next) => state = next,
                Move::EndField => {
                    ends.push(at as u32);
                    state = State::FieldStart;
                    run.field = at + 1;
                }
                Move::EndRecord => {
                    ends.push(at as u32);
                    run.stop = Stop::Record(at);
                    return run;
                }
                Move::Junk => {
                    run.stop = Stop::Junk(at);
                    return run;
                }
            }
            if inside && byte == newline && run.first_line.is_none() {
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
        run.stop = Stop::Edge(limit, state);
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
        let too_long = at == from + self.grammar.max_record_bytes + 1;
        if state.is_some() && !too_long && !window.is_last {
            return Step::More;
        }
        let newline = self.grammar.symbols.newline;
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
            None => memchr(newline, &window.data[at..window.end]).map(|n| at + n),
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
            None if window.end - from > self.grammar.patience_bytes() => {
                Step::SkipLine { fault: Some(fault) }
            }
            None => Step::More,
        }
    }
}
