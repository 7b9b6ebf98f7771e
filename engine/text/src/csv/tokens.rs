//! One chunk as records: the index where it holds, the exact machine where it does not, and the shape of what came out.

use crate::RejectCode;
use crate::chunk::ChunkBuffer;
use crate::index::{Index, Simd};

use super::machine::{Fault, Grammar, Machine, Step, Window};

/// A record without rows: rejected by its structure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BadRecord {
    /// How many good rows of the chunk come before it.
    pub before: usize,
    pub start: usize,
    /// One past its line end.
    pub next: usize,
    pub fault: Fault,
    /// Fields found, where their number is the fault.
    pub fields: usize,
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    /// Which line of the index.
    line: usize,
    /// None: a comment.
    fault: Option<Fault>,
}

/// The records of one chunk.
#[derive(Debug)]
pub(crate) struct Tokens {
    machine: Machine,
    simd: Simd,
    index: Index,
    marks: Vec<Mark>,
    quoted_lines: usize,
    /// The machine read some of it, and did not look at what its bytes are.
    is_unusual: bool,
    /// Where the first record begins.
    start: usize,
    /// One past the last record.
    pub boundary: usize,
    /// The last record's line end lies beyond the chunk.
    pub skips_line: bool,
    /// Good rows.
    pub rows: usize,
    /// Every record has the right number of fields: they are found by arithmetic.
    is_regular: bool,
    /// Else: for each good row, the entry of its first field.
    listed: Vec<u32>,
    pub bad: Vec<BadRecord>,
}

/// Where the fields of rows are within the ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RowMap<'a> {
    Regular { first: usize, stride: usize },
    Listed(&'a [u32]),
}

impl RowMap<'_> {
    /// Without the first `rows`.
    pub fn from(self, rows: usize) -> Self {
        match self {
            Self::Regular { first, stride } => Self::Regular {
                first: first + rows * stride,
                stride,
            },
            Self::Listed(entries) => Self::Listed(&entries[rows..]),
        }
    }
}

impl Tokens {
    pub fn new(grammar: Grammar, simd: Simd) -> Self {
        Self {
            machine: Machine::new(grammar),
            simd,
            index: Index::default(),
            marks: vec![],
            quoted_lines: 0,
            is_unusual: false,
            start: 0,
            boundary: 0,
            skips_line: false,
            rows: 0,
            is_regular: true,
            listed: vec![],
            bad: vec![],
        }
    }

    pub fn grammar(&self) -> &Grammar {
        &self.machine.grammar
    }

    pub fn ends(&self) -> &[u32] {
        &self.index.ends
    }

    /// The good rows from `row` on.
    pub fn map(&self, row: usize) -> RowMap<'_> {
        let stride = self.machine.grammar.columns;
        if self.is_regular {
            RowMap::Regular {
                first: 1 + row * stride,
                stride,
            }
        } else {
            RowMap::Listed(&self.listed[row..])
        }
    }

    /// The first byte of a good row.
    pub fn row_start(&self, row: usize) -> usize {
        let entry = match self.map(row) {
            RowMap::Regular { first, .. } => first,
            RowMap::Listed(entries) => entries[0] as usize,
        };
        self.index.ends[entry - 1] as usize + 1
    }

    /// The first byte of a good row, or one past the last record.
    pub fn row_start_or_boundary(&self, row: usize) -> usize {
        if row < self.rows {
            self.row_start(row)
        } else {
            self.boundary
        }
    }

    /// The line end of a good row.
    pub fn row_line(&self, row: usize) -> usize {
        let columns = self.machine.grammar.columns;
        let entry = match self.map(row) {
            RowMap::Regular { first, .. } => first,
            RowMap::Listed(entries) => entries[0] as usize,
        };
        self.index.ends[entry + columns - 1] as usize
    }

    /// The good rows from `row` on whose numbers, counted from there, are `rows`: their entries, for [`RowMap::Listed`].
    pub fn entries(&self, row: usize, rows: &[u32], entries: &mut Vec<u32>) {
        entries.clear();
        match self.map(row) {
            RowMap::Regular { first, stride } => {
                entries.extend(
                    rows.iter()
                        .map(|row| (first + *row as usize * stride) as u32),
                );
            }
            RowMap::Listed(listed) => entries.extend(rows.iter().map(|row| listed[*row as usize])),
        }
    }

    /// There may be bytes that are no ASCII; false: there are none.
    pub fn has_non_ascii(&self) -> bool {
        self.is_unusual || self.index.has_non_ascii
    }

    /// Quotes may stand for others than themselves inside quoted fields; false: there are none.
    pub fn has_doubled_quotes(&self) -> bool {
        self.is_unusual || self.index.has_doubled_quotes
    }

    /// There may be carriage returns, or quotes where they are text; false: there are none.
    pub fn needs_care(&self) -> bool {
        self.is_unusual || self.index.has_returns
    }

    /// No records.
    pub fn clear(&mut self) {
        self.rows = 0;
        self.bad.clear();
        self.listed.clear();
    }

    /// Read the records of the buffer that begin before `stop`. Returns the line ends up to the boundary.
    pub fn read(&mut self, buffer: &ChunkBuffer, stop: usize) -> u64 {
        let window = Window::of(buffer);
        self.start = buffer.at;
        self.marks.clear();
        self.quoted_lines = 0;
        self.is_unusual = false;
        self.skips_line = false;
        self.index.restart(buffer.at);
        self.boundary = self.tokenize(window, stop);
        let lines = self.keep_owned(window, stop);
        self.shape(window);
        lines
    }

    fn tokenize(&mut self, window: Window<'_>, stop: usize) -> usize {
        let grammar = self.machine.grammar;
        let mut at = self.start;
        while at < window.end && at < stop {
            let mut exact_until;
            if window.end - at > grammar.max_record_bytes {
                exact_until = window.end - grammar.max_record_bytes;
            } else {
                let entries = (self.index.ends.len(), self.index.lines.len());
                let pass = self
                    .index
                    .run(self.simd, grammar.symbols, window.data, at, window.end);
                if grammar.symbols.merges {
                    self.drop_padding(window.data, entries);
                }
                at = pass.boundary;
                self.quoted_lines += pass.quoted_lines;
                exact_until = match pass.anomaly {
                    Some(anomaly) => anomaly,
                    None if window.is_last => at,
                    None => return at,
                };
            }
            while at <= exact_until && at < window.end && at < stop {
                match self.machine.step(window, at, &mut self.index.ends) {
                    Step::Record { next } => {
                        self.is_unusual = true;
                        self.index.lines.push(next as u32 - 1);
                        let line_ending = grammar.symbols.line_ending;
                        self.quoted_lines += line_ending.count(window.data, at, next - 1);
                        at = next;
                    }
                    Step::Comment { next } => {
                        self.mark(None, next);
                        at = next;
                    }
                    Step::Reject {
                        fault,
                        next,
                        resume,
                    } => {
                        self.mark(Some(fault), next);
                        exact_until = exact_until.max(resume);
                        at = next;
                    }
                    Step::SkipLine { fault } => {
                        self.mark(fault, window.end);
                        self.skips_line = true;
                        return window.end;
                    }
                    Step::More => return at,
                }
            }
        }
        at
    }

    /// Delimiters that are merged begin no record and end none: drop them from the entries that were just found.
    fn drop_padding(&mut self, data: &[u8], (mut read, lines): (usize, usize)) {
        let grammar = &self.machine.grammar;
        let ends = &mut self.index.ends;
        let mut kept = read;
        for line in &self.index.lines[lines..] {
            let start = ends[kept - 1].wrapping_add(1);
            let first = kept;
            while let Some(&end) = ends.get(read) {
                read += 1;
                let is_line = end == *line;
                if is_line && kept > first {
                    let (from, to) = (ends[kept - 1] as usize + 1, end as usize);
                    let from = grammar.content_start(data, from, to);
                    kept -= usize::from(grammar.content_end(data, from, to) == from);
                }
                if is_line || end != start {
                    ends[kept] = end;
                    kept += 1;
                }
                if is_line {
                    break;
                }
            }
        }
        ends.truncate(kept);
    }

    fn mark(&mut self, fault: Option<Fault>, next: usize) {
        self.marks.push(Mark {
            line: self.index.lines.len(),
            fault,
        });
        self.index.ends.push(next as u32 - 1);
        self.index.lines.push(next as u32 - 1);
    }

    /// Drop the records that begin at `stop` or later: the index does not know of it.
    fn keep_owned(&mut self, window: Window<'_>, stop: usize) -> u64 {
        let lines = &mut self.index.lines;
        if self.boundary <= stop || lines.is_empty() {
            return (lines.len() + self.quoted_lines) as u64;
        }
        // A record begins one past the line end before it.
        let owned = if self.start >= stop {
            0
        } else {
            1 + lines.partition_point(|line| (*line as usize) + 1 < stop)
        };
        if owned < lines.len() {
            lines.truncate(owned);
            self.boundary = lines.last().map_or(self.start, |line| *line as usize + 1);
            let boundary = self.boundary;
            let kept = self
                .index
                .ends
                .partition_point(|end| (*end as usize) < boundary);
            self.index.ends.truncate(kept.max(1));
            self.marks.retain(|mark| mark.line < owned);
            self.skips_line = false;
        }
        let line_ending = self.machine.grammar.symbols.line_ending;
        line_ending.count(window.data, self.start, self.boundary) as u64
            + u64::from(self.skips_line)
    }

    /// Find the good rows, and the records with too few or too many fields.
    fn shape(&mut self, window: Window<'_>) {
        self.clear();
        let grammar = &self.machine.grammar;
        let columns = grammar.columns;
        // Whether nothing comes after the delimiter at `end`, where a record ends with one.
        let trails = |end: u32, line: u32| {
            let (from, to) = (grammar.after(end, 1), line as usize);
            let from = grammar.content_start(window.data, from, to);
            grammar.content_end(window.data, from, to) == from
        };
        let Index { ends, lines, .. } = &self.index;
        self.is_regular = self.marks.is_empty()
            && ends.len() == 1 + lines.len() * columns
            && ends[1..]
                .chunks_exact(columns)
                .zip(lines)
                .fold(true, |same, (row, line)| same & (row[columns - 1] == *line))
            && (!grammar.trails
                || ends[1..]
                    .chunks_exact(columns)
                    .all(|row| trails(row[columns - 2], row[columns - 1])));
        if self.is_regular {
            self.rows = lines.len();
            return;
        }
        let mut marks = self.marks.iter().peekable();
        let mut entry = 1;
        for (number, line) in lines.iter().enumerate() {
            let start = ends[entry - 1] as usize + 1;
            let next = *line as usize + 1;
            let before = self.listed.len();
            if let Some(mark) = marks.next_if(|mark| mark.line == number) {
                self.bad.extend(mark.fault.map(|fault| BadRecord {
                    before,
                    start,
                    next,
                    fault,
                    fields: 0,
                }));
                entry += 1;
            } else if ends.get(entry + columns - 1) == Some(line)
                && (!grammar.trails || trails(ends[entry + columns - 2], *line))
            {
                self.listed.push(entry as u32);
                entry += columns;
            } else {
                let fields = 1 + ends[entry..]
                    .iter()
                    .position(|end| end == line)
                    .unwrap_or(0);
                entry += fields;
                let from = grammar.content_start(window.data, start, next - 1);
                let is_blank =
                    fields == 1 && grammar.content_end(window.data, from, next - 1) == from;
                if !is_blank {
                    let code = if fields < columns {
                        RejectCode::TooFewColumns
                    } else {
                        RejectCode::TooManyColumns
                    };
                    let fault = Fault { code, field: None };
                    self.bad.push(BadRecord {
                        before,
                        start,
                        next,
                        fault,
                        fields,
                    });
                }
            }
        }
        self.rows = self.listed.len();
    }
}
