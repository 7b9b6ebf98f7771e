//! The specification: NDJSON read byte by byte, as plainly as can be.

use std::collections::HashSet;

use arrow_schema::{DataType, Field};
use karyaksham_text::RejectCode;

/// A value of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Day(i32),
    Text(String),
    Struct(Vec<Cell>),
    List(Vec<Cell>),
}

/// A rejected record. `field_offset` only where a value does not fit its column.
#[derive(Debug, Clone, PartialEq)]
pub struct Rejected {
    pub row: u64,
    pub line: u64,
    pub offset: u64,
    pub field_offset: Option<u64>,
    pub column: Option<String>,
    pub code: RejectCode,
    pub raw: String,
}

/// Everything a file says.
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

/// How a file is read.
pub struct Spec<'a> {
    /// The columns that are read, each with its number in the schema.
    pub fields: &'a [(usize, Field)],
    pub max_record_bytes: usize,
    pub nulls_bad_values: bool,
}

#[derive(Debug)]
enum Json {
    Null,
    Bool(bool),
    Number,
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

#[derive(Debug)]
struct Node {
    json: Json,
    from: usize,
    to: usize,
}

struct Misfit {
    at: Option<usize>,
    column: String,
}

impl Spec<'_> {
    pub fn read(&self, file: &[u8]) -> Outcome {
        let mut outcome = Outcome::default();
        let mut at = 0;
        let mut row = 0;
        while at < file.len() {
            let line = file[at..].iter().position(|byte| *byte == b'\n');
            let next = line.map_or(file.len(), |line| at + line + 1);
            let mut end = line.map_or(file.len(), |line| at + line);
            if end > at && file[end - 1] == b'\r' {
                end -= 1;
            }
            let record = &file[at..end];
            let is_long = record.len() > self.max_record_bytes;
            if is_long || !record.iter().all(|byte| b" \t\r".contains(byte)) {
                row += 1;
                match self.record(record, is_long) {
                    Ok(cells) => outcome.rows.push(cells),
                    Err((code, misfit)) => outcome.rejects.push(Rejected {
                        row,
                        line: outcome.lines + 1,
                        offset: at as u64,
                        field_offset: misfit
                            .as_ref()
                            .and_then(|misfit| Some((at + misfit.at?) as u64)),
                        column: misfit.map(|misfit| misfit.column),
                        code,
                        raw: String::from_utf8_lossy(&record[..record.len().min(4096)]).into(),
                    }),
                }
            }
            outcome.lines += u64::from(line.is_some());
            at = next;
        }
        outcome
    }

    fn record(
        &self,
        record: &[u8],
        is_long: bool,
    ) -> Result<Vec<Cell>, (RejectCode, Option<Misfit>)> {
        if is_long {
            return Err((RejectCode::RecordTooLong, None));
        }
        let Ok(text) = std::str::from_utf8(record) else {
            return Err((RejectCode::InvalidEncoding, None));
        };
        let mut parser = Parser { text, at: 0 };
        parser.blanks();
        let node = parser.value(0);
        parser.blanks();
        let Some(Json::Object(members)) = node
            .filter(|_| parser.at == text.len())
            .map(|node| node.json)
        else {
            return Err((RejectCode::InvalidJson, None));
        };
        let (mut misfits, mut missing) = (vec![], vec![]);
        let mut cells = vec![];
        for (number, field) in self.fields {
            let found = members.iter().find(|(key, _)| key == field.name());
            match found {
                Some((_, node)) => {
                    cells.push(self.cell(text, node, field, field.name(), &mut misfits));
                }
                None if field.is_nullable() => cells.push(Cell::Null),
                None => {
                    let column = field.name().clone();
                    missing.push((number, column));
                }
            }
        }
        misfits.sort_by_key(|misfit| misfit.at);
        let missing = missing.into_iter().min();
        let missing = missing.map(|(_, column)| Misfit { at: None, column });
        match misfits.into_iter().next().or(missing) {
            Some(misfit) => Err((RejectCode::Cast, Some(misfit))),
            None => Ok(cells),
        }
    }

    fn cell(
        &self,
        text: &str,
        node: &Node,
        field: &Field,
        path: &str,
        misfits: &mut Vec<Misfit>,
    ) -> Cell {
        let spelled = &text[node.from..node.to];
        let found = match (&node.json, field.data_type()) {
            (Json::Null, _) => None,
            (Json::Object(members), DataType::Struct(fields)) => {
                let cells = fields.iter().map(|field| {
                    let path = format!("{path}.{}", field.name());
                    match members.iter().find(|(key, _)| key == field.name()) {
                        Some((_, node)) => self.cell(text, node, field, &path, misfits),
                        None => Cell::Null,
                    }
                });
                return Cell::Struct(cells.collect());
            }
            (Json::List(nodes), DataType::List(item)) => {
                let path = format!("{path}[]");
                let cells = nodes
                    .iter()
                    .map(|node| self.cell(text, node, item, &path, misfits));
                return Cell::List(cells.collect());
            }
            (Json::Text(content), DataType::Utf8View) => Some(Cell::Text(content.clone())),
            (_, DataType::Utf8View) => Some(Cell::Text(spelled.to_owned())),
            (Json::Object(_) | Json::List(_), _) => Some(Cell::List(vec![])).filter(|_| false),
            (Json::Text(content), data_type) => scalar(content, data_type),
            (Json::Bool(value), DataType::Boolean) => Some(Cell::Bool(*value)),
            (_, data_type) => scalar(spelled, data_type),
        };
        let is_blank = match &node.json {
            Json::Null => true,
            Json::Text(content) => {
                !is_nested(field.data_type()) && content.trim_matches([' ', '\t']).is_empty()
            }
            _ => false,
        };
        match found {
            Some(cell) => cell,
            None if field.is_nullable() && (is_blank || self.nulls_bad_values) => Cell::Null,
            None => {
                misfits.push(Misfit {
                    at: Some(node.from),
                    column: path.to_owned(),
                });
                Cell::Null
            }
        }
    }
}

fn is_nested(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Struct(_) | DataType::List(_))
}

/// None: no value of the type, or blank.
fn scalar(text: &str, data_type: &DataType) -> Option<Cell> {
    let text = text.trim_matches([' ', '\t']);
    match data_type {
        DataType::Int64 => text.parse().ok().map(Cell::Int),
        DataType::Float64 => {
            let value: f64 = text.parse().ok()?;
            let overflows = value.is_infinite() && text.contains(|c: char| c.is_ascii_digit());
            (!overflows).then_some(Cell::Float(value))
        }
        DataType::Boolean => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" => Some(Cell::Bool(true)),
            "false" | "f" | "no" | "n" | "0" => Some(Cell::Bool(false)),
            _ => None,
        },
        DataType::Date32 => match text {
            "1970-01-01" => Some(Cell::Day(0)),
            "1970-03-01" => Some(Cell::Day(59)),
            _ => None,
        },
        _ => None,
    }
}

/// One byte after the other; None wherever the grammar is not followed.
struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek() == Some(byte)).then(|| self.at += 1)
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Option<Node> {
        let from = self.at;
        let json = match self.peek()? {
            b'{' | b'[' if depth >= karyaksham_text::json::MAX_DEPTH => return None,
            b'{' => self.object(depth)?,
            b'[' => self.list(depth)?,
            b'"' => Json::Text(self.string()?),
            b'n' => self.word("null", Json::Null)?,
            b't' => self.word("true", Json::Bool(true))?,
            b'f' => self.word("false", Json::Bool(false))?,
            _ => self.number()?,
        };
        let to = self.at;
        Some(Node { json, from, to })
    }

    fn word(&mut self, word: &str, json: Json) -> Option<Json> {
        self.text[self.at..].starts_with(word).then(|| {
            self.at += word.len();
            json
        })
    }

    fn object(&mut self, depth: usize) -> Option<Json> {
        self.take(b'{')?;
        self.blanks();
        let mut members = vec![];
        let mut keys = HashSet::new();
        if self.take(b'}').is_some() {
            return Some(Json::Object(members));
        }
        loop {
            let key = self.string()?;
            self.blanks();
            self.take(b':')?;
            self.blanks();
            members.push((key.clone(), self.value(depth + 1)?));
            if !keys.insert(key) {
                return None;
            }
            self.blanks();
            if self.take(b'}').is_some() {
                return Some(Json::Object(members));
            }
            self.take(b',')?;
            self.blanks();
        }
    }

    fn list(&mut self, depth: usize) -> Option<Json> {
        self.take(b'[')?;
        self.blanks();
        let mut nodes = vec![];
        if self.take(b']').is_some() {
            return Some(Json::List(nodes));
        }
        loop {
            nodes.push(self.value(depth + 1)?);
            self.blanks();
            if self.take(b']').is_some() {
                return Some(Json::List(nodes));
            }
            self.take(b',')?;
            self.blanks();
        }
    }

    fn string(&mut self) -> Option<String> {
        self.take(b'"')?;
        let mut units: Vec<u16> = vec![];
        loop {
            let c = self.text[self.at..].chars().next()?;
            self.at += c.len_utf8();
            match c {
                '"' => return String::from_utf16(&units).ok(),
                '\\' => {
                    let escape = self.peek()?;
                    self.at += 1;
                    units.push(match escape {
                        b'"' | b'\\' | b'/' => escape.into(),
                        b'b' => 8,
                        b'f' => 12,
                        b'n' => 10,
                        b'r' => 13,
                        b't' => 9,
                        b'u' => {
                            let digits = self.text.get(self.at..self.at + 4)?;
                            let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                            self.at += 4;
                            u16::from_str_radix(digits, 16).ok().filter(|_| is_hex)?
                        }
                        _ => return None,
                    });
                }
                '\0'..' ' => return None,
                _ => units.extend_from_slice(c.encode_utf16(&mut [0; 2])),
            }
        }
    }

    fn digits(&mut self) -> Option<()> {
        let from = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > from).then_some(())
    }

    fn number(&mut self) -> Option<Json> {
        let _ = self.take(b'-');
        if self.take(b'0').is_none() {
            self.digits()?;
        }
        if self.take(b'.').is_some() {
            self.digits()?;
        }
        if self.take(b'e').or_else(|| self.take(b'E')).is_some() {
            let _ = self.take(b'+').or_else(|| self.take(b'-'));
            self.digits()?;
        }
        Some(Json::Number)
    }
}
