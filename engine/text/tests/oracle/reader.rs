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
    fn newline(&self) -> u8 {
        if self.dialect.line_ending == LineEnding::Cr {
            b'\r'
        } else {
            b'\n'
        }
    }

    fn escape(&self) -> Option<u8> {
        self.dialect
            .escape
            .filter(|_| self.dialect.escape != self.dialect.quote)
    }

    /// Read a file whose first record begins at 0.
    pub fn read(&self, file: &[u8]) -> Outcome {
        let newline = self.newline();
        let mut outcome = Outcome {
            lines: lines(file, newline),
            ..Outcome::default()
        };
        let (mut at, mut row) = (0, 0);
        while at < file.len() {
            let line_end = file[at..]
                .iter()
                .position(|b| *b == newline)
                .map_or(file.len(), |n| at + n);
            let next_line = (line_end + 1).min(file.len());
            if Some(file[at]) == self.dialect.comment {
                at = next_line;
                continue;
            }
            let (result, next) = match self.record(file, at) {
                Ok((fields, next)) => {
                    let is_blank =
                        fields.len() == 1 && !fields[0].is_quoted && fields[0].text.is_empty();
                    if is_blank && self.kinds.len() != 1 {
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
                    raw = raw.strip_suffix(&[newline]).unwrap_or(raw);
                    if newline == b'\n' {
                        raw = raw.strip_suffix(b"\r").unwrap_or(raw);
                    }
                    outcome.rejects.push(Rejected {
                        row,
                        line: lines(&file[..at], newline) + 1,
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
        let newline = self.newline();
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
            let mut field = Field {
                start: at,
                is_quoted: false,
                text: vec![],
            };
            if self.dialect.quote.is_some()
                && matches!(see(at), Seen::Byte(b) if Some(b) == self.dialect.quote)
            {
                field.is_quoted = true;
                at = self.quoted(&see, at + 1, &mut field, &mut first_line)?;
            }
            // An unquoted field, or what follows a quoted one: a delimiter or a line end.
            loop {
                match see(at) {
                    Seen::Byte(byte) if byte == self.dialect.delimiter => {
                        at += 1;
                        fields.push(field);
                        break;
                    }
                    Seen::Byte(byte) if byte == newline => {
                        self.drop_return(&mut field);
                        fields.push(field);
                        return Ok((fields, at + 1));
                    }
                    Seen::End => {
                        self.drop_return(&mut field);
                        fields.push(field);
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
        see: &impl Fn(usize) -> Seen,
        from: usize,
        field: &mut Field,
        first_line: &mut Option<usize>,
    ) -> Result<usize, Fault> {
        let (quote, newline) = (self.dialect.quote, self.newline());
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
                        if next == newline {
                            first_line.get_or_insert(field.start);
                        }
                        field.text.push(next);
                        at += 2;
                    }
                    _ => at += 1,
                }
            } else if Some(byte) == quote {
                let returns = newline == b'\n' && matches!(next, Seen::Byte(b'\r'));
                match next {
                    Seen::Byte(next) if Some(next) == quote => {
                        field.text.push(next);
                        at += 2;
                    }
                    Seen::Byte(next) if next == self.dialect.delimiter || next == newline => {
                        return Ok(at + 1);
                    }
                    Seen::End | Seen::Limit => return Ok(at + 1),
                    _ if returns && !matches!(see(at + 2), Seen::Byte(b) if b != newline) => {
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
                if byte == newline {
                    first_line.get_or_insert(field.start);
                }
                field.text.push(byte);
                at += 1;
            }
        }
    }

    fn drop_return(&self, field: &mut Field) {
        if self.newline() == b'\n' && !field.is_quoted && field.text.last() == Some(&b'\r') {
            field.text.pop();
        }
    }

    fn cells(&self, fields: &[Field]) -> Result<Vec<Cell>, Fault> {
        let code = match fields.len().cmp(&self.kinds.len()) {
            std::cmp::Ordering::Less => RejectCode::TooFewColumns,
            std::cmp::Ordering::Greater => RejectCode::TooManyColumns,
            std::cmp::Ordering::Equal => {
                return fields
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

fn lines(bytes: &[u8], newline: u8) -> u64 {
    bytes.iter().filter(|byte| **byte == newline).count() as u64
}
