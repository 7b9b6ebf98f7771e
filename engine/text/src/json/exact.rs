//! One record byte by byte: the authority on what is right, and the only place that says what is wrong.

use std::collections::HashSet;

use super::MAX_DEPTH;
use super::columns::{Cells, Column, Members};
use super::escapes;
use super::faults::Fault;

/// A record stands for at most so many values, missing keys of its objects counted, for each takes memory.
pub(super) const MAX_VALUES: usize = 16 << 20;

/// Reads the record `data[start..end]` into the next row of `table`. On a fault the row is left unfinished.
pub(super) struct Exact<'a> {
    pub data: &'a [u8],
    pub at: usize,
    pub end: usize,
    /// A value that does not fit is null, where that is allowed.
    pub nulls_bad_values: bool,
    path: Vec<Step<'a>>,
    misfit: Option<Fault>,
    values: usize,
    guarded: Vec<u8>,
}

/// On the way to a value.
#[derive(Clone, Copy)]
enum Step<'a> {
    Key(&'a [u8]),
    Item,
}

impl<'a> Exact<'a> {
    pub fn new(data: &'a [u8], start: usize, end: usize, nulls_bad_values: bool) -> Self {
        Self {
            data,
            at: start,
            end,
            nulls_bad_values,
            path: vec![],
            misfit: None,
            values: 0,
            guarded: vec![],
        }
    }

    /// Read the record, which is not blank.
    pub fn read(mut self, table: &mut Members) -> Result<(), Fault> {
        if let Err(error) = std::str::from_utf8(&self.data[self.at..self.end]) {
            return Err(Fault::encoding(self.at + error.valid_up_to()));
        }
        self.skip_blanks();
        if self.peek() != Some(b'{') {
            return Err(self.syntax("it does not begin with {"));
        }
        self.object(Some(table), 1)?;
        self.skip_blanks();
        if self.at < self.end {
            return Err(self.syntax("something follows its closing brace"));
        }
        if let Some(misfit) = self.misfit {
            return Err(misfit);
        }
        match table.end_row() {
            Ok(_) => Ok(()),
            Err(number) => {
                let data_type = &table.columns[number].data_type;
                Err(Fault::missing(table.name(number).to_owned(), data_type))
            }
        }
    }

    fn syntax(&self, what: &str) -> Fault {
        Fault::syntax(self.at, what)
    }

    fn peek(&self) -> Option<u8> {
        (self.at < self.end).then(|| self.data[self.at])
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// At an opening brace. The row of `target` is not ended.
    fn object(&mut self, mut target: Option<&mut Members>, depth: usize) -> Result<(), Fault> {
        self.enter(depth)?;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        let mut seen: HashSet<Vec<u8>> = HashSet::new();
        loop {
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.syntax("a key in quotes is expected"));
            }
            let (from, to) = self.string()?;
            let mut key = vec![];
            escapes::unescape(&self.data[from..to], &mut key);
            self.skip_blanks();
            if self.peek() != Some(b':') {
                return Err(self.syntax("a colon is expected after a key"));
            }
            self.at += 1;
            self.skip_blanks();
            let column = target.as_deref_mut().and_then(|members| {
                let number = members.find(&key)?;
                Some(&mut members.columns[number])
            });
            self.path.push(Step::Key(&self.data[from..to]));
            if !seen.insert(key) {
                self.at = start;
                return Err(self.syntax("a key comes twice in one object"));
            }
            self.value(column, depth)?;
            self.path.pop();
            if self.ends(b'}', "a comma or } is expected after a value")? {
                return Ok(());
            }
        }
    }

    /// At an opening bracket. The row of the list is not ended.
    fn array(&mut self, mut items: Option<&mut Column>, depth: usize) -> Result<(), Fault> {
        self.enter(depth)?;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        self.path.push(Step::Item);
        loop {
            self.value(items.as_deref_mut(), depth)?;
            if self.ends(b']', "a comma or ] is expected after a value")? {
                self.path.pop();
                return Ok(());
            }
        }
    }

    fn enter(&mut self, depth: usize) -> Result<(), Fault> {
        if depth > MAX_DEPTH {
            return Err(self.syntax("it is nested too deeply"));
        }
        self.at += 1;
        self.skip_blanks();
        Ok(())
    }

    /// After a value: whether the closing byte comes, or else a comma.
    fn ends(&mut self, closing: u8, expectation: &str) -> Result<bool, Fault> {
        self.skip_blanks();
        match self.peek() {
            Some(byte) if byte == closing => {
                self.at += 1;
                Ok(true)
            }
            Some(b',') => {
                self.at += 1;
                self.skip_blanks();
                Ok(false)
            }
            _ => Err(self.syntax(expectation)),
        }
    }

    fn value(&mut self, column: Option<&mut Column>, depth: usize) -> Result<(), Fault> {
        self.count(1)?;
        let start = self.at;
        match self.peek() {
            Some(b'{') => self.composite(column, depth, true),
            Some(b'[') => self.composite(column, depth, false),
            Some(b'"') => {
                let (from, to) = self.string()?;
                let Some(column) = column else { return Ok(()) };
                let inner = &self.data[from..to];
                let pushed = if inner.contains(&b'\\') {
                    let mut text = vec![];
                    escapes::unescape(inner, &mut text);
                    column.push_text(&text, &mut self.guarded)
                } else {
                    column.push(self.data, from, to)
                };
                pushed.or_else(|_| self.misfit(column, start))
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                let Some(column) = column else { return Ok(()) };
                column
                    .push(self.data, start, self.at)
                    .or_else(|_| self.misfit(column, start))
            }
            _ => {
                let word = self.word()?;
                let Some(column) = column else { return Ok(()) };
                let pushed = match word {
                    b"null" => column.push_null(),
                    _ => column.push(self.data, start, self.at),
                };
                pushed.or_else(|_| self.misfit(column, start))
            }
        }
    }

    /// An object or an array.
    fn composite(
        &mut self,
        column: Option<&mut Column>,
        depth: usize,
        is_object: bool,
    ) -> Result<(), Fault> {
        let start = self.at;
        let Some(column) = column else {
            return self.skip(depth, is_object);
        };
        match &mut column.cells {
            Cells::Struct(members) if is_object => {
                self.object(Some(members), depth + 1)?;
                let missing = members.end_row().unwrap_or_default();
                self.count(missing)
            }
            Cells::List(items) if !is_object => {
                self.array(Some(&mut items.column), depth + 1)?;
                items.end_row();
                Ok(())
            }
            Cells::Text(_) => {
                self.skip(depth, is_object)?;
                column
                    .push(self.data, start, self.at)
                    .or_else(|_| self.misfit(column, start))
            }
            _ => {
                self.skip(depth, is_object)?;
                self.misfit(column, start)
            }
        }
    }

    fn skip(&mut self, depth: usize, is_object: bool) -> Result<(), Fault> {
        if is_object {
            self.object(None, depth + 1)
        } else {
            self.array(None, depth + 1)
        }
    }

    fn count(&mut self, values: usize) -> Result<(), Fault> {
        self.values += values;
        if self.values > MAX_VALUES {
            return Err(Fault::too_many_values(MAX_VALUES));
        }
        Ok(())
    }

    /// The value that begins at `start` and was just read does not fit.
    fn misfit(&mut self, column: &mut Column, start: usize) -> Result<(), Fault> {
        if self.nulls_bad_values && column.push_null().is_ok() {
            return Ok(());
        }
        column.push_default();
        if self.misfit.is_none() {
            let mut name = String::new();
            for step in &self.path {
                match step {
                    Step::Key(_) if name.is_empty() => {}
                    Step::Key(_) => name.push('.'),
                    Step::Item => name.push_str("[]"),
                }
                if let Step::Key(key) = step {
                    let mut text = vec![];
                    escapes::unescape(key, &mut text);
                    name.push_str(&String::from_utf8_lossy(&text));
                }
            }
            let value = &self.data[start..self.at];
            self.misfit = Some(Fault::misfit(start, name, &column.data_type, value));
        }
        Ok(())
    }

    /// At a quote; the bounds of what is inside.
    fn string(&mut self) -> Result<(usize, usize), Fault> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok((start + 1, self.at - 1));
                }
                Some(b'\\') => match escapes::length(&self.data[..self.end], self.at) {
                    Some(length) => self.at += length,
                    None => return Err(self.syntax("an escape stands for no character")),
                },
                Some(0..0x20) => {
                    return Err(self.syntax("a control character in a string must be escaped"));
                }
                Some(_) => self.at += 1,
                None => {
                    self.at = start;
                    return Err(self.syntax("a string does not end"));
                }
            }
        }
    }

    fn number(&mut self) -> Result<(), Fault> {
        match number_end(self.data, self.at, self.end) {
            Some(end) => {
                self.at = end;
                Ok(())
            }
            None => Err(self.syntax("a number is not spelled as JSON has it")),
        }
    }

    fn word(&mut self) -> Result<&'a [u8], Fault> {
        let rest = &self.data[self.at..self.end];
        for word in [&b"null"[..], b"true", b"false"] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(word);
            }
        }
        Err(self.syntax("a value is expected"))
    }
}

/// One past a number that begins at `at`.
pub(super) fn number_end(data: &[u8], at: usize, end: usize) -> Option<usize> {
    let byte = |at: usize| if at < end { data[at] } else { 0 };
    let digits = |from: usize| {
        let mut at = from;
        while byte(at).is_ascii_digit() {
            at += 1;
        }
        (at > from).then_some(at)
    };
    let whole = at + usize::from(byte(at) == b'-');
    let mut at = if byte(whole) == b'0' {
        whole + 1
    } else {
        digits(whole)?
    };
    if byte(at) == b'.' {
        at = digits(at + 1)?;
    }
    if matches!(byte(at), b'e' | b'E') {
        at += 1;
        at += usize::from(matches!(byte(at), b'+' | b'-'));
        at = digits(at)?;
    }
    Some(at)
}
