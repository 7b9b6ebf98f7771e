//! One record, read quickly: strings end where the index says, and keys are those that came before, compared eight bytes
//! at a time. Whatever is not as usual (a fault above all) is left to the exact reader, so that this one never decides
//! what is wrong. What it takes for right is right: every byte of the record is either part of a token that it checked,
//! or lies in a string, of which the index has shown that it holds no control character, and whose escapes were checked.

use crate::index::JsonIndex;

use super::MAX_DEPTH;
use super::columns::{Cells, Column, Members};
use super::escapes;
use super::exact::{MAX_VALUES, number_end};
use super::learned::{Learned, NONE, ROOT};
use super::shapes::{Record, Shapes};

/// The record is not as usual.
pub(super) struct Unsure;

/// Where each list of the index stands; the records of a chunk come in order.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    quote: usize,
    escape: usize,
    suspect: usize,
    wide: usize,
}

/// Reads records of one chunk.
pub(super) struct Predicted<'a> {
    pub data: &'a [u8],
    pub index: &'a JsonIndex,
    pub learned: &'a mut Learned,
    pub shapes: &'a mut Shapes,
    pub cursor: &'a mut Cursor,
    /// Reused for strings with escapes.
    pub text: &'a mut (Vec<u8>, Vec<u8>),
    end: usize,
    spare_values: usize,
}

#[inline(always)]
fn advance(list: &[u32], at: &mut usize, position: usize) {
    while list
        .get(*at)
        .is_some_and(|entry| (*entry as usize) < position)
    {
        *at += 1;
    }
}

impl<'a> Predicted<'a> {
    pub fn new(
        data: &'a [u8],
        index: &'a JsonIndex,
        (learned, shapes): (&'a mut Learned, &'a mut Shapes),
        cursor: &'a mut Cursor,
        text: &'a mut (Vec<u8>, Vec<u8>),
    ) -> Self {
        Self {
            data,
            index,
            learned,
            shapes,
            cursor,
            text,
            end: 0,
            spare_values: 0,
        }
    }

    /// Read the record `data[start..end]` into the next row of `table`; what was pushed is to be taken back if it fails.
    #[inline]
    pub fn read(&mut self, start: usize, end: usize, table: &mut Members) -> Result<(), Unsure> {
        self.end = end;
        // No byte stands for more than one value, but missing ones take none.
        self.spare_values = MAX_VALUES.checked_sub(end - start).ok_or(Unsure)?;
        let has_escapes = self.check(start)?;
        let (quote, row) = (self.cursor.quote, table.rows());
        let record = Record::new(self.data, self.index, quote, (start, end), has_escapes);
        if let Some(quotes) = self.shapes.read(record, table) {
            self.cursor.quote += quotes;
            return Ok(());
        }
        table.truncate(row);
        let at = self.skip_blanks(start);
        if self.data[at] != b'{' {
            return Err(Unsure);
        }
        let at = self.object(ROOT, Some(table), at + 1, 1)?;
        // A CR that belongs to the line end is a blank as well.
        if self.skip_blanks(at) < end {
            return Err(Unsure);
        }
        table.end_row().map_err(|_| Unsure)?;
        self.shapes.learn(record, table);
        Ok(())
    }

    /// Learn the shape of the record `data[start..end]`, which is right.
    #[cold]
    pub fn learn(&mut self, start: usize, end: usize, table: &Members) {
        if !self.shapes.is_due() {
            return;
        }
        let quotes = &self.index.quotes;
        let quote = quotes.partition_point(|quote| (*quote as usize) < start);
        let record = Record::new(self.data, self.index, quote, (start, end), true);
        self.shapes.learn(record, table);
    }

    /// What the index says of the record at `start` is all right; whether it has escapes.
    #[inline(always)]
    fn check(&mut self, start: usize) -> Result<bool, Unsure> {
        let (index, cursor, end) = (self.index, &mut *self.cursor, self.end);
        let within = |list: &[u32], at: usize| list.get(at).is_some_and(|p| (*p as usize) < end);
        advance(&index.quotes, &mut cursor.quote, start);
        advance(&index.suspects, &mut cursor.suspect, start);
        advance(&index.escapes, &mut cursor.escape, start);
        advance(&index.wide, &mut cursor.wide, start & !63);
        if within(&index.suspects, cursor.suspect) {
            return Err(Unsure);
        }
        if within(&index.wide, cursor.wide) && std::str::from_utf8(&self.data[start..end]).is_err()
        {
            return Err(Unsure);
        }
        let mut at = cursor.escape;
        while within(&index.escapes, at) {
            match escapes::length(&self.data[..end], index.escapes[at] as usize) {
                None => return Err(Unsure),
                Some(12) => at += 2,
                Some(_) => at += 1,
            }
        }
        Ok(at > cursor.escape)
    }

    #[inline(always)]
    fn skip_blanks(&self, mut at: usize) -> usize {
        while matches!(self.data[at], b' ' | b'\t' | b'\r') {
            at += 1;
        }
        at
    }

    /// After an opening brace; one past the closing one. The row of `target` is not ended.
    fn object(
        &mut self,
        place: u32,
        mut target: Option<&mut Members>,
        at: usize,
        depth: usize,
    ) -> Result<usize, Unsure> {
        if depth > MAX_DEPTH {
            return Err(Unsure);
        }
        let object = self.learned.open();
        let mut last = NONE;
        let mut at = self.skip_blanks(at);
        if self.data[at] == b'}' {
            return Ok(at + 1);
        }
        loop {
            let key = match self.learned.predict(place, last, self.data, at) {
                Some(key) => key,
                None => self.look_up(place, last, at, target.as_deref())?,
            };
            if !self.learned.mark(key, object) {
                return Err(Unsure);
            }
            self.cursor.quote += 2;
            let found = &self.learned.keys[key as usize];
            let (values, number) = (found.place, found.column as usize);
            at = self.skip_blanks(at + found.len());
            let column = target
                .as_deref_mut()
                .and_then(|members| members.columns.get_mut(number));
            at = self.value(values, column, at, depth)?;
            at = self.skip_blanks(at);
            match self.data[at] {
                b',' => at = self.skip_blanks(at + 1),
                b'}' => return Ok(at + 1),
                _ => return Err(Unsure),
            }
            last = key;
        }
    }

    /// A key that was not expected.
    #[inline(never)]
    fn look_up(
        &mut self,
        place: u32,
        last: u32,
        at: usize,
        members: Option<&Members>,
    ) -> Result<u32, Unsure> {
        let (from, to) = self.string(at)?;
        let name = &self.data[from..to];
        if self.data[to + 1] != b':' || name.contains(&b'\\') {
            return Err(Unsure);
        }
        self.learned
            .look_up(place, last, name, members)
            .ok_or(Unsure)
    }

    /// The bounds of what is inside a string that begins at `at`.
    #[inline(always)]
    fn string(&self, at: usize) -> Result<(usize, usize), Unsure> {
        match self.index.quotes.get(self.cursor.quote..) {
            Some([open, close, ..]) if *open as usize == at && (*close as usize) < self.end => {
                Ok((at + 1, *close as usize))
            }
            _ => Err(Unsure),
        }
    }

    #[inline]
    fn value(
        &mut self,
        place: u32,
        column: Option<&mut Column>,
        at: usize,
        depth: usize,
    ) -> Result<usize, Unsure> {
        match self.data[at] {
            b'"' => {
                let (from, to) = self.string(at)?;
                self.cursor.quote += 2;
                if let Some(column) = column {
                    self.push_string(column, from, to)?;
                }
                Ok(to + 1)
            }
            b'-' | b'0'..=b'9' => {
                let end = self.number(at)?;
                if let Some(column) = column {
                    column.push(self.data, at, end).map_err(|_| Unsure)?;
                }
                Ok(end)
            }
            b'{' | b'[' => self.composite(place, column, at, depth),
            first => {
                let word: &[u8] = match first {
                    b't' => b"true",
                    b'f' => b"false",
                    b'n' => b"null",
                    _ => return Err(Unsure),
                };
                let end = at + word.len();
                if self.data.get(at..end) != Some(word) {
                    return Err(Unsure);
                }
                match column {
                    Some(column) if first == b'n' => column.push_null(),
                    Some(column) => column.push(self.data, at, end),
                    None => Ok(()),
                }
                .map_err(|_| Unsure)?;
                Ok(end)
            }
        }
    }

    #[inline(always)]
    fn push_string(&mut self, column: &mut Column, from: usize, to: usize) -> Result<(), Unsure> {
        let escapes = &self.index.escapes;
        advance(escapes, &mut self.cursor.escape, from);
        let escape = escapes.get(self.cursor.escape);
        let pushed = if escape.is_some_and(|escape| (*escape as usize) < to) {
            let (text, guarded) = &mut *self.text;
            text.clear();
            escapes::unescape(&self.data[from..to], text);
            column.push_text(text, guarded)
        } else {
            column.push(self.data, from, to)
        };
        pushed.map_err(|_| Unsure)
    }

    /// An object or a list.
    fn composite(
        &mut self,
        place: u32,
        column: Option<&mut Column>,
        at: usize,
        depth: usize,
    ) -> Result<usize, Unsure> {
        let is_object = self.data[at] == b'{';
        let Some(column) = column else {
            return self.skip(place, at, depth);
        };
        match &mut column.cells {
            Cells::Struct(members) if is_object => {
                let end = self.object(place, Some(members), at + 1, depth + 1)?;
                let missing = members.end_row().map_err(|_| Unsure)?;
                self.spare_values = self.spare_values.checked_sub(missing).ok_or(Unsure)?;
                Ok(end)
            }
            Cells::List(items) if !is_object => {
                let end = self.list(place, Some(&mut items.column), at + 1, depth + 1)?;
                items.end_row();
                Ok(end)
            }
            Cells::Text(_) => {
                let end = self.skip(place, at, depth)?;
                column.push(self.data, at, end).map_err(|_| Unsure)?;
                Ok(end)
            }
            _ => Err(Unsure),
        }
    }

    #[inline]
    fn skip(&mut self, place: u32, at: usize, depth: usize) -> Result<usize, Unsure> {
        if self.data[at] == b'{' {
            self.object(place, None, at + 1, depth + 1)
        } else {
            self.list(place, None, at + 1, depth + 1)
        }
    }

    /// After an opening bracket; one past the closing one. The row of the list is not ended.
    fn list(
        &mut self,
        place: u32,
        mut column: Option<&mut Column>,
        at: usize,
        depth: usize,
    ) -> Result<usize, Unsure> {
        if depth > MAX_DEPTH {
            return Err(Unsure);
        }
        let mut at = self.skip_blanks(at);
        if self.data[at] == b']' {
            return Ok(at + 1);
        }
        let items = self.learned.items(place).ok_or(Unsure)?;
        loop {
            at = self.value(items, column.as_deref_mut(), at, depth)?;
            at = self.skip_blanks(at);
            match self.data[at] {
                b',' => at = self.skip_blanks(at + 1),
                b']' => return Ok(at + 1),
                _ => return Err(Unsure),
            }
        }
    }

    /// One past the number at `at`. Up to seven digits are found at once.
    #[inline(always)]
    fn number(&self, at: usize) -> Result<usize, Unsure> {
        let mut word = [0; 8];
        word.copy_from_slice(&self.data[at..at + 8]);
        let values = u64::from_le_bytes(word) ^ 0x3030_3030_3030_3030;
        // A carry only goes up, so that the lowest byte that is no digit is found right.
        let others = (values.wrapping_add(0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080;
        let digits = others.trailing_zeros() as usize / 8;
        let ends = digits > 0 && digits < 8 && matches!(self.data[at + digits], b',' | b'}' | b']');
        if ends && (word[0] != b'0' || digits == 1) {
            return Ok(at + digits);
        }
        number_end(self.data, at, self.end).ok_or(Unsure)
    }
}
