//! The specification of a CSV record as code: the whole file in memory, one byte at a time, no cleverness.

use karyaksham_text::{Dialect, LineEnding, RejectCode};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    Text,
    Integer,
    Double,
}

/// One value, as text that is the same for the same value.
pub type Cell = Option<String>;

#[derive(Debug, Clone, PartialEq)]
pub struct Rejected {
    pub row: u64,
    pub line: u64,
    pub offset: u64,
    pub field_offset: Option<u64>,
    pub code: RejectCode,
    pub raw: String,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    pub rows: Vec<Vec<Cell>>,
    pub rejects: Vec<Rejected>,
    pub lines: u64,
}

impl Outcome {
    /// What comes after the first `row` records, which has `lines` lines.
    pub fn after(&self, row: u64, lines: u64) -> Self {
        let rejected = self.rejects.iter().filter(|reject| reject.row <= row);
        let passed = row as usize - rejected.count();
        let rejects = self.rejects.iter().filter(|reject| reject.row > row);
        let counted = rejects.cloned().map(|reject| Rejected {
            row: reject.row - row,
            line: reject.line - (self.lines - lines),
            ..reject
        });
        Self {
            rows: self.rows[passed..].to_vec(),
            rejects: counted.collect(),
            lines,
        }
    }
}

pub struct Spec<'a> {
    pub dialect: &'a Dialect,
    pub kinds: &'a [Kind],
    /// Columns without nulls.
    pub required: &'a [bool],
    pub max_record_bytes: usize,
}

struct Field {
    start: usize,
    is_quoted: bool,
    text: Vec<u8>,
}

struct Fault {
    code: RejectCode,
    field: Option<usize>,
}

enum Seen {
    Byte(u8),
    End,
    Limit,
}

impl Spec<'_> {
    /// A line ends with this byte.
    fn ends_line(&self, file: &[u8], at: usize) -> bool {
        let is = |at: usize, byte: u8| file.get(at) == Some(&byte);
        match self.dialect.line_ending {
            LineEnding::Lf => is(at, b'\n'),
            LineEnding::Cr => is(at, b'\r'),
            LineEnding::Any => is(at, b'\n') || (is(at, b'\r') && !is(at + 1, b'\n')),
        }
    }

    /// A carriage return before a line end, or before the end of the file, is no text.
    fn takes_return(&self) -> bool {
        self.dialect.line_ending != LineEnding::Cr
    }

    fn lines(&self, file: &[u8]) -> u64 {
        (0..file.len())
            .filter(|at| self.ends_line(file, *at))
            .count() as u64
    }

    fn delimiter_at(&self, file: &[u8], at: usize) -> bool {
        file[at..].starts_with(self.dialect.delimiter.as_bytes())
    }

    /// The byte that may come before a field.
    fn padding(&self) -> Option<u8> {
        match self.dialect.merge_delimiters {
            true => Some(self.dialect.delimiter.first()),
            false => self.dialect.skip_initial_space.then_some(b' '),
        }
    }

    /// Delimiters and fields of a record, one more than columns where each record ends with a delimiter.
    fn width(&self) -> usize {
        self.kinds.len() + usize::from(self.dialect.trailing_delimiter)
    }

    fn escape(&self) -> Option<u8> {
        self.dialect
            .escape
            .filter(|_| self.dialect.escape != self.dialect.quote)
    }

    /// Read a file whose first record begins at 0.
    pub fn read(&self, file: &[u8]) -> Outcome {
        let mut outcome = Outcome {
            lines: self.lines(file),
            ..Outcome::default()
        };
        let (mut at, mut row) = (0, 0);
        while at < file.len() {
            let line_end = (at..file.len())
                .find(|at| self.ends_line(file, *at))
                .unwrap_or(file.len());
            let next_line = (line_end + 1).min(file.len());
            if Some(file[at]) == self.dialect.comment {
                at = next_line;
                continue;
            }
            let (result, next) = match self.record(file, at) {
                Ok((fields, next)) => {
                    let is_blank =
                        fields.len() == 1 && !fields[0].is_quoted && fields[0].text.is_empty();
                    if is_blank && self.width() != 1 {
                        at = next;
                        continue;
                    }
                    (self.cells(&fields), next)
                }
                Err(fault) => (Err(fault), next_line),
            };
            row += 1;
            match result {
                Ok(cells) => outcome.rows.push(cells),
                Err(fault) => {
                    let mut raw = &file[at..next];
                    let is_ended = self.ends_line(file, next - 1);
                    raw = &raw[..raw.len() - usize::from(is_ended)];
                    if self.takes_return() && (is_ended || next == file.len()) {
                        raw = raw.strip_suffix(b"\r").unwrap_or(raw);
                    }
                    outcome.rejects.push(Rejected {
                        row,
                        line: self.lines(&file[..at]) + 1,
                        offset: at as u64,
                        field_offset: fault.field.map(|field| field as u64),
                        code: fault.code,
                        raw: String::from_utf8_lossy(&raw[..raw.len().min(4096)]).into_owned(),
                    });
                }
            }
            at = next;
        }
        outcome
    }

    fn record(&self, file: &[u8], start: usize) -> Result<(Vec<Field>, usize), Fault> {
        let see = |at: usize| match file.get(at) {
            _ if at - start > self.max_record_bytes => Seen::Limit,
            Some(byte) => Seen::Byte(*byte),
            None => Seen::End,
        };
        let too_long = || Fault {
            code: RejectCode::RecordTooLong,
            field: None,
        };
        let mut fields = vec![];
        let mut first_line = None;
        let mut at = start;
        loop {
            while matches!(see(at), Seen::Byte(b) if Some(b) == self.padding()) {
                at += 1;
            }
            let mut field = Field {
                start: at,
                is_quoted: false,
                text: vec![],
            };
            if self.dialect.quote.is_some()
                && matches!(see(at), Seen::Byte(b) if Some(b) == self.dialect.quote)
            {
                field.is_quoted = true;
                at = self.quoted(file, &see, at + 1, &mut field, &mut first_line)?;
            }
            // An unquoted field, or what follows a quoted one: a delimiter or a line end.
            loop {
                match see(at) {
                    Seen::Byte(_) if self.delimiter_at(file, at) => {
                        at += self.dialect.delimiter.len();
                        fields.push(field);
                        break;
                    }
                    Seen::Byte(_) if self.ends_line(file, at) => {
                        self.push_last(field, &mut fields);
                        return Ok((fields, at + 1));
                    }
                    Seen::End => {
                        self.push_last(field, &mut fields);
                        return Ok((fields, at));
                    }
                    Seen::Byte(b'\r') if field.is_quoted => at += 1,
                    Seen::Byte(byte) => {
                        field.text.push(byte);
                        at += 1;
                    }
                    Seen::Limit if field.is_quoted && first_line.is_some() => {
                        return Err(Fault {
                            code: RejectCode::UnterminatedQuote,
                            field: first_line,
                        });
                    }
                    Seen::Limit => return Err(too_long()),
                }
            }
        }
    }

    /// The text of a quoted field; one past its closing quote, which is followed by what may follow it.
    fn quoted(
        &self,
        file: &[u8],
        see: &impl Fn(usize) -> Seen,
        from: usize,
        field: &mut Field,
        first_line: &mut Option<usize>,
    ) -> Result<usize, Fault> {
        let quote = self.dialect.quote;
        let mut at = from;
        loop {
            let byte = match see(at) {
                Seen::Byte(byte) => byte,
                Seen::Limit if first_line.is_none() => {
                    return Err(Fault {
                        code: RejectCode::RecordTooLong,
                        field: None,
                    });
                }
                Seen::End | Seen::Limit => {
                    let field = first_line.unwrap_or(field.start);
                    return Err(Fault {
                        code: RejectCode::UnterminatedQuote,
                        field: Some(field),
                    });
                }
            };
            let next = see(at + 1);
            if Some(byte) == self.escape() {
                match next {
                    Seen::Byte(next) => {
                        if Some(next) != quote && Some(next) != self.escape() {
                            field.text.push(byte);
                        }
                        if self.ends_line(file, at + 1) {
                            first_line.get_or_insert(field.start);
                        }
                        field.text.push(next);
                        at += 2;
                    }
                    _ => at += 1,
                }
            } else if Some(byte) == quote {
                let returns = self.takes_return() && matches!(next, Seen::Byte(b'\r'));
                match next {
                    Seen::Byte(next) if Some(next) == quote => {
                        field.text.push(next);
                        at += 2;
                    }
                    Seen::Byte(_)
                        if self.delimiter_at(file, at + 1) || self.ends_line(file, at + 1) =>
                    {
                        return Ok(at + 1);
                    }
                    Seen::End | Seen::Limit => return Ok(at + 1),
                    _ if returns
                        && (self.ends_line(file, at + 2)
                            || !matches!(see(at + 2), Seen::Byte(_))) =>
                    {
                        return Ok(at + 1);
                    }
                    _ => {
                        let code = match first_line {
                            None => RejectCode::InvalidQuote,
                            Some(_) => RejectCode::UnterminatedQuote,
                        };
                        return Err(Fault {
                            code,
                            field: Some(first_line.unwrap_or(field.start)),
                        });
                    }
                }
            } else {
                if self.ends_line(file, at) {
                    first_line.get_or_insert(field.start);
                }
                field.text.push(byte);
                at += 1;
            }
        }
    }

    fn push_last(&self, mut field: Field, fields: &mut Vec<Field>) {
        if self.takes_return() && !field.is_quoted && field.text.last() == Some(&b'\r') {
            field.text.pop();
        }
        let is_padding = !field.is_quoted && field.text.is_empty() && !fields.is_empty();
        if !(self.dialect.merge_delimiters && is_padding) {
            fields.push(field);
        }
    }

    fn cells(&self, fields: &[Field]) -> Result<Vec<Cell>, Fault> {
        let last = fields.last().filter(|_| self.dialect.trailing_delimiter);
        let trails = last.is_none_or(|field| !field.is_quoted && field.text.is_empty());
        let code = match fields.len().cmp(&self.width()) {
            std::cmp::Ordering::Less => RejectCode::TooFewColumns,
            std::cmp::Ordering::Greater => RejectCode::TooManyColumns,
            std::cmp::Ordering::Equal if !trails => RejectCode::TooManyColumns,
            std::cmp::Ordering::Equal => {
                return fields[..self.kinds.len()]
                    .iter()
                    .enumerate()
                    .map(|(column, field)| self.cell(column, field))
                    .collect();
            }
        };
        Err(Fault { code, field: None })
    }

    fn cell(&self, column: usize, field: &Field) -> Result<Cell, Fault> {
        let fault = |code| Fault {
            code,
            field: Some(field.start),
        };
        let text = std::str::from_utf8(&field.text);
        let cell = match self.kinds[column] {
            Kind::Text if field.text.is_empty() && !field.is_quoted => None,
            Kind::Text => Some(
                text.map_err(|_| fault(RejectCode::InvalidEncoding))?
                    .to_owned(),
            ),
            kind => {
                let text = text
                    .map_err(|_| fault(RejectCode::Cast))?
                    .trim_matches([' ', '\t']);
                match kind {
                    _ if text.is_empty() => None,
                    Kind::Integer => Some(
                        text.parse::<i64>()
                            .map_err(|_| fault(RejectCode::Cast))?
                            .to_string(),
                    ),
                    _ => {
                        let value = text.parse::<f64>();
                        // A number too large for a double is none, rather than infinite.
                        let digits = text.contains(|c: char| c.is_ascii_digit());
                        let value = value.ok().filter(|v| v.is_finite() || !digits);
                        Some(value.ok_or(fault(RejectCode::Cast))?.to_string())
                    }
                }
            }
        };
        if cell.is_none() && self.required[column] {
            Err(fault(RejectCode::Cast))
        } else {
            Ok(cell)
        }
    }
}
