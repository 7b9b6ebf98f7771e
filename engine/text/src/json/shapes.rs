//! Records of the shapes that came before, told whole. Of a shape everything is known but the strings and other values in
//! it: what stands between them, keys, colons, commas and brackets, is the same bytes in each of its records, in a few
//! pieces. The index says where each piece must be, as each holds a quote whose number in the record is known; so that a
//! record is compared piece by piece, and nothing waits for what was read before.
//!
//! A record whose pieces are all there, with strings and valid scalars between them, is right as the one that the shape
//! was learned from was: the same keys, each once in its object, nested alike. All others are left to the readers that go
//! from key to key, and lists of numbers are so always: nothing tells where the numbers in them are.

use crate::index::JsonIndex;

use super::columns::{Cells, Column, Members, Misfit};
use super::escapes;
use super::exact::{MAX_VALUES, number_end};

/// More shapes than this are not remembered; the one that came least often makes room.
const MAX_SHAPES: usize = 32;
/// A record is compared with at most so many shapes that have as many quotes as it.
const MAX_COMPARED: usize = 4;
/// A shape more is learned after this many records of known ones, so that learning costs little where all differ.
const RECORDS_PER_SHAPE: u64 = 64;
/// A longer record teaches no shape.
const MAX_TAUGHT_BYTES: usize = 64 << 10;

const CHUNK: usize = 16;

/// The shapes of a file.
#[derive(Default)]
pub(super) struct Shapes {
    /// Those that came often first.
    known: Vec<Shape>,
    learned: u64,
    read: u64,
    /// Reused for strings with escapes.
    text: Vec<u8>,
    guarded: Vec<u8>,
}

/// A record; its quotes are those of the index from its first one on.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    pub data: &'a [u8],
    pub quotes: &'a [u32],
    pub start: usize,
    pub end: usize,
    /// Some string has escapes; they are right.
    pub has_escapes: bool,
}

struct Shape {
    quotes: usize,
    pieces: Vec<Piece>,
    /// For each column of the table.
    values: Vec<Value>,
    /// Fields of its objects that it lacks.
    missing: usize,
    records: u64,
}

/// Text that is the same in all records of a shape; between two of them is one value.
struct Piece {
    text: Box<[u8]>,
    /// The first and last 16 bytes of it, of a shorter one all bytes, and which of the first count.
    head: u128,
    mask: u128,
    tail: u128,
    /// The number of its first quote in the record; None: it ends with the record.
    quote: Option<usize>,
    /// How much of it comes before that.
    before: usize,
    follows: Follows,
}

/// What comes before a piece.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Follows {
    Nothing,
    String,
    /// A number, or a word.
    Scalar,
}

/// Where a column's value is in a record.
enum Value {
    Missing,
    /// After the piece of this number.
    After(usize),
    Object(Vec<Value>),
}

impl Shapes {
    /// Read a record of a known shape into the next row of `table`: how many quotes it has; None: it is of none, and what
    /// was pushed is to be taken back. What the index says of it is all right.
    #[inline]
    pub fn read(&mut self, record: Record<'_>, table: &mut Members) -> Option<usize> {
        let mut spare = MAX_COMPARED;
        let is_end = |quote: Option<&u32>| quote.is_none_or(|quote| *quote as usize >= record.end);
        for place in 0..self.known.len() {
            let shape = &self.known[place];
            let Some(last) = record.quotes.get(shape.quotes - 1) else {
                continue;
            };
            if *last as usize >= record.end || !is_end(record.quotes.get(shape.quotes)) {
                continue;
            }
            if shape.fits(record) {
                shape
                    .fill(
                        &shape.values,
                        table,
                        record,
                        (&mut self.text, &mut self.guarded),
                    )
                    .ok()?;
                table.add_row();
                let quotes = shape.quotes;
                self.note(place);
                return Some(quotes);
            }
            spare -= 1;
            if spare == 0 {
                break;
            }
        }
        None
    }

    /// A record of the shape at `place` was read.
    #[inline(always)]
    fn note(&mut self, place: usize) {
        self.read += 1;
        self.known[place].records += 1;
        if place > 0 && self.known[place].records > self.known[place - 1].records {
            self.known.swap(place, place - 1);
        }
    }

    /// Whether one more is to be learned.
    pub fn is_due(&self) -> bool {
        self.learned < MAX_SHAPES as u64 + self.read / RECORDS_PER_SHAPE
    }

    /// Learn the shape of a record that was read into a row of `table`.
    pub fn learn(&mut self, record: Record<'_>, table: &Members) {
        if !self.is_due() || record.end - record.start > MAX_TAUGHT_BYTES {
            return;
        }
        self.learned += 1;
        if let Some(shape) = Pupil::learn(record, table) {
            self.known.truncate(MAX_SHAPES - 1);
            self.known.push(shape);
        }
    }
}

impl Shape {
    #[inline(always)]
    fn fits(&self, record: Record<'_>) -> bool {
        let Some(quotes) = record.quotes.get(..self.quotes) else {
            return false;
        };
        let mut from = record.start;
        for piece in &self.pieces {
            let at = piece.start(quotes, record.end);
            let follows = match piece.follows {
                Follows::Nothing => at == from,
                Follows::String => at >= from,
                Follows::Scalar => is_scalar(record.data, from, at),
            };
            if !follows || !piece.is_at(record.data, at) {
                return false;
            }
            from = at + piece.text.len();
        }
        from == record.end && record.end - record.start + self.missing <= MAX_VALUES
    }

    /// Push the values of a record that fits; on an error the row is left unfinished.
    #[inline]
    fn fill(
        &self,
        values: &[Value],
        members: &mut Members,
        record: Record<'_>,
        (text, guarded): (&mut Vec<u8>, &mut Vec<u8>),
    ) -> Result<(), Misfit> {
        for (value, column) in values.iter().zip(&mut members.columns) {
            match value {
                Value::Missing => column.push_null()?,
                Value::Object(fields) => {
                    let Cells::Struct(inner) = &mut column.cells else {
                        return Err(Misfit);
                    };
                    self.fill(fields, inner, record, (text, guarded))?;
                    inner.add_row();
                }
                Value::After(number) => {
                    let [before, after] = [&self.pieces[*number], &self.pieces[*number + 1]];
                    let from = before.start(record.quotes, record.end) + before.text.len();
                    let to = after.start(record.quotes, record.end);
                    let is_string = after.follows == Follows::String;
                    let escaped = is_string
                        && record.has_escapes
                        && memchr::memchr(b'\\', &record.data[from..to]).is_some();
                    if escaped {
                        text.clear();
                        escapes::unescape(&record.data[from..to], text);
                        column.push_text(text, guarded)?;
                    } else if !is_string && record.data[from] == b'n' {
                        column.push_null()?;
                    } else {
                        column.push(record.data, from, to)?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[inline(always)]
fn load(data: &[u8], at: usize) -> Option<u128> {
    let bytes = data.get(at..at.wrapping_add(CHUNK))?;
    Some(u128::from_le_bytes(*bytes.first_chunk()?))
}

impl Piece {
    fn new(text: &[u8], quote: Option<usize>, before: usize, follows: Follows) -> Self {
        let len = text.len();
        let mut padded = text.to_vec();
        padded.resize(len.max(CHUNK), 0);
        let word = |at: usize| load(&padded, at).unwrap_or_default();
        Self {
            head: word(0),
            mask: match len {
                CHUNK.. => !0,
                _ => (1 << (8 * len)) - 1,
            },
            tail: word(padded.len() - CHUNK),
            text: text.into(),
            quote,
            before,
            follows,
        }
    }

    /// Where it must be; anywhere in a record that is not of the shape.
    #[inline(always)]
    fn start(&self, quotes: &[u32], end: usize) -> usize {
        match self.quote {
            Some(quote) => (quotes[quote] as usize).wrapping_sub(self.before),
            None => end.wrapping_sub(self.before),
        }
    }

    #[inline(always)]
    fn is_at(&self, data: &[u8], at: usize) -> bool {
        let len = self.text.len();
        if load(data, at).is_none_or(|head| (head ^ self.head) & self.mask != 0) {
            return false;
        }
        if len <= CHUNK {
            return true;
        }
        if load(data, at + len - CHUNK) != Some(self.tail) {
            return false;
        }
        len <= 2 * CHUNK
            || data.get(at + CHUNK..at + len - CHUNK) == self.text.get(CHUNK..len - CHUNK)
    }
}

/// Whether `data[from..to]` is a number or a word, and nothing else. Up to 16 digits are seen at once.
#[inline(always)]
fn is_scalar(data: &[u8], from: usize, to: usize) -> bool {
    const ZEROS: u128 = u128::from_le_bytes([b'0'; CHUNK]);
    const BEYOND_NINE: u128 = u128::from_le_bytes([0x76; CHUNK]);
    const HIGH_BITS: u128 = u128::from_le_bytes([0x80; CHUNK]);
    let len = to.wrapping_sub(from);
    if (1..=CHUNK).contains(&len)
        && let Some(word) = load(data, from)
    {
        // Of the bytes that count; the others are zeros. A carry can only make a digit look like none.
        let values = (word ^ ZEROS) << (8 * (CHUNK - len));
        let others = (values.wrapping_add(BEYOND_NINE) | values) & HIGH_BITS;
        if others == 0 && (len == 1 || word as u8 != b'0') {
            return true;
        }
    }
    is_other_scalar(data, from, to)
}

#[inline(never)]
fn is_other_scalar(data: &[u8], from: usize, to: usize) -> bool {
    match data.get(from..to) {
        None | Some([]) => false,
        Some(b"true" | b"false" | b"null") => true,
        Some(_) => number_end(data, from, to) == Some(to),
    }
}

/// Goes over a record that is known to be right, and takes it apart.
struct Pupil<'a> {
    record: Record<'a>,
    at: usize,
    /// Quotes so far.
    quote: usize,
    /// Where the piece begins, and what came before it.
    piece: (usize, usize, Follows),
    pieces: Vec<Piece>,
    missing: usize,
}

impl<'a> Pupil<'a> {
    /// None: it is none that pieces tell.
    fn learn(record: Record<'a>, table: &Members) -> Option<Shape> {
        let mut pupil = Self {
            record,
            at: record.start,
            quote: 0,
            piece: (record.start, 0, Follows::Nothing),
            pieces: vec![],
            missing: 0,
        };
        pupil.skip_blanks();
        let values = pupil.object(Some(table))?;
        pupil.end_piece(record.end)?;
        let missing = values.iter().filter(|v| matches!(v, Value::Missing));
        Some(Shape {
            quotes: pupil.quote,
            missing: pupil.missing - missing.count(),
            pieces: pupil.pieces,
            values,
            records: 0,
        })
        .filter(|shape| shape.quotes > 0)
    }

    fn byte(&self) -> Option<u8> {
        let byte = self.record.data.get(self.at).copied();
        byte.filter(|_| self.at < self.record.end)
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\r') = self.byte() {
            self.at += 1;
        }
    }

    fn skip(&mut self, byte: u8) -> Option<()> {
        self.skip_blanks();
        (self.byte()? == byte).then(|| self.at += 1)?;
        self.skip_blanks();
        Some(())
    }

    /// The bounds of what is inside a string.
    fn string(&mut self) -> Option<(usize, usize)> {
        let [open, close] = *self.record.quotes.get(self.quote..)?.first_chunk()?;
        if open as usize != self.at || close as usize >= self.record.end {
            return None;
        }
        self.quote += 2;
        self.at = close as usize + 1;
        Some((open as usize + 1, close as usize))
    }

    /// The piece ends at `to`.
    fn end_piece(&mut self, to: usize) -> Option<()> {
        let (from, quote, follows) = self.piece;
        let text = self.record.data.get(from..to)?;
        if text.contains(&b'\\') {
            return None;
        }
        let first = self.record.quotes.get(quote).map(|first| *first as usize);
        let piece = match first.filter(|first| *first < to) {
            Some(first) => Piece::new(text, Some(quote), first - from, follows),
            None if to == self.record.end => Piece::new(text, None, text.len(), follows),
            None => return None,
        };
        self.pieces.push(piece);
        Some(())
    }

    /// What each of `members` is in an object.
    fn object(&mut self, members: Option<&Members>) -> Option<Vec<Value>> {
        let mut values: Vec<Value> = vec![];
        values.resize_with(members.map_or(0, |m| m.columns.len()), || Value::Missing);
        self.skip(b'{')?;
        if self.byte()? != b'}' {
            loop {
                let (from, to) = self.string()?;
                let name = self.record.data.get(from..to)?;
                self.skip(b':')?;
                let number = members.and_then(|members| members.find(name));
                let column = members.zip(number).map(|(m, number)| &m.columns[number]);
                let value = self.value(column)?;
                if let Some(number) = number {
                    values[number] = value;
                }
                self.skip_blanks();
                if self.byte()? == b'}' {
                    break;
                }
                self.skip(b',')?;
            }
        }
        self.at += 1;
        let is_missing = |value: &&Value| matches!(value, Value::Missing);
        self.missing += values.iter().filter(is_missing).count();
        Some(values)
    }

    fn value(&mut self, column: Option<&Column>) -> Option<Value> {
        match (self.byte()?, column.map(|column| &column.cells)) {
            (b'{', None) => self.object(None).map(Value::Object),
            (b'{', Some(Cells::Struct(members))) => self.object(Some(members)).map(Value::Object),
            (b'[', None) => {
                self.skip(b'[')?;
                while self.byte()? != b']' {
                    self.value(None)?;
                    self.skip_blanks();
                    if self.byte()? == b',' {
                        self.skip(b',')?;
                    }
                }
                self.at += 1;
                Some(Value::Missing)
            }
            (b'{' | b'[', Some(_)) => None,
            (b'"', _) => {
                let (from, to) = self.string()?;
                self.end_piece(from)?;
                // The next piece begins with the closing quote.
                self.piece = (to, self.quote - 1, Follows::String);
                Some(Value::After(self.pieces.len() - 1))
            }
            _ => {
                let from = self.at;
                self.end_piece(from)?;
                while !matches!(self.byte()?, b',' | b'}' | b']' | b' ' | b'\t' | b'\r') {
                    self.at += 1;
                }
                self.piece = (self.at, self.quote, Follows::Scalar);
                Some(Value::After(self.pieces.len() - 1))
            }
        }
    }
}

impl<'a> Record<'a> {
    /// The record `data[start..end]`, whose first quote is `index.quotes[quote]`.
    pub fn new(
        data: &'a [u8],
        index: &'a JsonIndex,
        quote: usize,
        (start, end): (usize, usize),
        has_escapes: bool,
    ) -> Self {
        Self {
            data,
            quotes: index.quotes.get(quote..).unwrap_or_default(),
            start,
            end,
            has_escapes,
        }
    }
}
