//! The fields of one column, row by row: the common form in the loop, everything else (quotes, blanks, nulls, bad values)
//! off it.

use memchr::{memchr, memchr2};

use crate::RejectCode;
use crate::index::views::Views;

use super::machine::Grammar;
use super::nulls::Nulls;
use super::tokens::{RowMap, Tokens};

/// A parser of one type.
pub(crate) trait Parse {
    type Value: Copy + Default;

    /// The field `data[from..to]` in its common form; None says nothing. May read the 16 bytes before the field.
    fn fast(&self, data: &[u8], from: usize, to: usize) -> Option<Self::Value>;

    /// Whether the field is a value, where that is seen at once; false says nothing. May read as `fast` does.
    #[inline(always)]
    fn accepts(&self, data: &[u8], from: usize, to: usize) -> bool {
        self.fast(data, from, to).is_some()
    }

    /// A text without quotes and blanks around it, not empty; None: it is no value.
    fn exact(&self, text: &[u8]) -> Option<Self::Value>;
}

/// A field that is no value of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FieldFault {
    /// Of the rows that were decoded together.
    pub row: usize,
    /// Column of the file.
    pub column: usize,
    pub code: RejectCode,
    pub from: usize,
    pub to: usize,
}

/// Rows that are decoded together.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub data: &'a [u8],
    pub tokens: &'a Tokens,
    /// Where they are.
    pub map: RowMap<'a>,
    pub count: usize,
    /// How many of the rows that faults are counted from came before these.
    pub before: usize,
    /// How many rows the batch can still take, these among them.
    pub room: usize,
}

/// The fields of so many rows, and where they are, stay in the first-level cache while column after column is read.
const BLOCK_ROWS: usize = 128;

impl<'a> Rows<'a> {
    /// The same rows, block by block.
    pub fn blocks(self) -> impl Iterator<Item = Rows<'a>> {
        (0..self.count).step_by(BLOCK_ROWS).map(move |at| Rows {
            map: self.map.from(at),
            count: BLOCK_ROWS.min(self.count - at),
            before: self.before + at,
            room: self.room - at,
            ..self
        })
    }
}

/// No byte.
const NO_QUOTE: u16 = 256;

/// Append a column of values.
#[inline(always)]
pub(crate) fn append<P: Parse>(parse: &P, rows: Rows<'_>, out: &mut Vec<P::Value>, cold: Cold<'_>) {
    out.reserve(rows.room);
    visit(
        rows,
        cold.column,
        &mut ParsedFields {
            data: rows.data,
            parse,
            out,
            cold,
        },
    );
}

/// Append a column of text.
pub(crate) fn append_text(rows: Rows<'_>, views: &mut Views, cold: Cold<'_>) {
    views.reserve(rows.room);
    views.decode_from(cold.grammar.encoding);
    let quote = cold.grammar.symbols.quote.map_or(NO_QUOTE, u16::from);
    let mut fields = TextFields {
        data: rows.data,
        quote,
        // Then what is between the quotes stands for itself.
        is_plain: !rows.tokens.has_doubled_quotes(),
        views,
        cold,
    };
    visit(rows, fields.cold.column, &mut fields);
}

/// Find the fields of a column that are no values.
#[inline(always)]
pub(crate) fn check<P: Parse>(parse: &P, rows: Rows<'_>, cold: Cold<'_>) {
    let column = cold.column;
    let mut fields = CheckedFields {
        data: rows.data,
        parse,
        row: rows.before,
        cold,
    };
    visit(rows, column, &mut fields);
}

/// Find the fields of a column that are no text.
pub(crate) fn check_text(rows: Rows<'_>, cold: Cold<'_>) {
    if cold.is_nullable && !rows.tokens.has_non_ascii() {
        return;
    }
    let column = cold.column;
    let mut fields = CheckedText {
        row: rows.before,
        cold,
    };
    visit(rows, column, &mut fields);
}

/// Takes the fields of a column one after the other.
trait Fields {
    fn field(&mut self, from: usize, to: usize);
}

struct ParsedFields<'a, P: Parse> {
    data: &'a [u8],
    parse: &'a P,
    out: &'a mut Vec<P::Value>,
    cold: Cold<'a>,
}

impl<P: Parse> Fields for ParsedFields<'_, P> {
    #[inline(always)]
    fn field(&mut self, from: usize, to: usize) {
        let value = match self.parse.fast(self.data, from, to) {
            Some(value) => value,
            None => self.cold.value(self.parse, self.out.len(), from, to),
        };
        self.out.push(value);
    }
}

struct CheckedFields<'a, P: Parse> {
    data: &'a [u8],
    parse: &'a P,
    row: usize,
    cold: Cold<'a>,
}

impl<P: Parse> Fields for CheckedFields<'_, P> {
    #[inline(always)]
    fn field(&mut self, from: usize, to: usize) {
        if !self.parse.accepts(self.data, from, to) {
            self.cold.check(self.parse, self.row, from, to);
        }
        self.row += 1;
    }
}

struct CheckedText<'a> {
    row: usize,
    cold: Cold<'a>,
}

impl Fields for CheckedText<'_> {
    fn field(&mut self, from: usize, to: usize) {
        self.cold.check_text(self.row, from, to);
        self.row += 1;
    }
}

struct TextFields<'a> {
    data: &'a [u8],
    quote: u16,
    is_plain: bool,
    views: &'a mut Views,
    cold: Cold<'a>,
}

impl Fields for TextFields<'_> {
    #[inline(always)]
    fn field(&mut self, from: usize, to: usize) {
        if from == to {
            self.cold.null_text(self.views, from);
            return;
        }
        let (mut inner_from, mut inner_to) = (from, to);
        if u16::from(self.data[from]) == self.quote {
            if !self.is_plain {
                return self.cold.quoted_text(self.views, from, to);
            }
            inner_from += 1;
            inner_to -= 1;
        }
        let pushed = self.views.push(self.data, inner_from, inner_to);
        if pushed.is_err() {
            self.cold.bad_text(self.views, from, to);
        }
    }
}

/// Call `fields` with the bounds of each row's field of a column.
#[inline(always)]
fn visit(rows: Rows<'_>, column: usize, fields: &mut impl Fields) {
    let Rows {
        data,
        tokens,
        map,
        count,
        ..
    } = rows;
    let ends = tokens.ends();
    let grammar = tokens.grammar();
    let is_last = column + 1 == grammar.columns;
    let may_return = is_last && grammar.symbols.line_ending.takes_return();
    let gap = grammar.after(0, column) as u32;
    if grammar.padding_byte().is_some() {
        return visit_padded(rows, column, fields);
    }
    match map {
        RowMap::Regular { first, stride } if !may_return => {
            let ends = &ends[first + column - 1..];
            for row in 0..count {
                let entry = row * stride;
                fields.field(
                    ends[entry].wrapping_add(gap) as usize,
                    ends[entry + 1] as usize,
                );
            }
        }
        RowMap::Regular { first, stride } => {
            for row in 0..count {
                let entry = first + row * stride + column;
                let (from, to) = (
                    ends[entry - 1].wrapping_add(gap) as usize,
                    ends[entry] as usize,
                );
                fields.field(from, to - usize::from(to > from && data[to - 1] == b'\r'));
            }
        }
        RowMap::Listed(entries) => {
            for entry in &entries[..count] {
                let entry = *entry as usize + column;
                let (from, to) = (
                    ends[entry - 1].wrapping_add(gap) as usize,
                    ends[entry] as usize,
                );
                let returns = may_return && to > from && data[to - 1] == b'\r';
                fields.field(from, to - usize::from(returns));
            }
        }
    }
}

/// The same where bytes before a field are no part of it.
#[inline(never)]
fn visit_padded(rows: Rows<'_>, column: usize, fields: &mut impl Fields) {
    let ends = rows.tokens.ends();
    let grammar = rows.tokens.grammar();
    for row in 0..rows.count {
        let entry = column
            + match rows.map {
                RowMap::Regular { first, stride } => first + row * stride,
                RowMap::Listed(entries) => entries[row] as usize,
            };
        let mut to = ends[entry] as usize;
        let from = grammar.content_start(rows.data, grammar.after(ends[entry - 1], column), to);
        if column + 1 == grammar.columns {
            to = grammar.content_end(rows.data, from, to);
        }
        fields.field(from, to);
    }
}

/// A field that became null because it is no value of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Nulled {
    /// Of the rows that were decoded together.
    pub row: usize,
    /// Column of the file.
    pub column: usize,
}

/// What is not as it should be among rows that are decoded together.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub faults: Vec<FieldFault>,
    pub nulled: Vec<Nulled>,
}

/// What is needed off the common path. Rows are rows of the batch, from `first_row` on.
pub(crate) struct Cold<'a> {
    pub data: &'a [u8],
    pub grammar: &'a Grammar,
    pub column: usize,
    pub is_nullable: bool,
    pub nulls_bad_values: bool,
    /// The row of the batch that the first row becomes.
    pub first_row: usize,
    /// None: only check.
    pub nulls: Option<&'a mut Nulls>,
    pub found: &'a mut Found,
    /// Reused for fields with doubled quotes or escapes.
    pub unescaped: Vec<u8>,
}

impl Cold<'_> {
    #[inline(never)]
    fn check<P: Parse>(&mut self, parse: &P, row: usize, from: usize, to: usize) {
        if parse.fast(self.data, from, to).is_none() {
            self.value(parse, row, from, to);
        }
    }

    #[cold]
    #[inline(never)]
    fn value<P: Parse>(&mut self, parse: &P, row: usize, from: usize, to: usize) -> P::Value {
        let field = &self.data[from..to];
        self.unescaped.clear();
        let text = match field {
            [first, inner @ .., _] if Some(*first) == self.grammar.symbols.quote => {
                self.grammar.unescape(inner, &mut self.unescaped);
                &self.unescaped
            }
            _ => field,
        };
        let text = trim_blanks(text);
        if text.is_empty() {
            self.null(row, from, to);
        } else if let Some(value) = parse.exact(text) {
            return value;
        } else if self.nulls_bad_values && self.is_nullable {
            self.found.nulled.push(Nulled {
                row: row - self.first_row,
                column: self.column,
            });
            self.null(row, from, to);
        } else {
            self.fault(row, RejectCode::Cast, from, to);
        }
        P::Value::default()
    }

    #[inline(never)]
    fn null_text(&mut self, views: &mut Views, at: usize) {
        views.push_empty();
        self.null(views.len() - 1, at, at);
    }

    #[inline(never)]
    fn quoted_text(&mut self, views: &mut Views, from: usize, to: usize) {
        let inner = &self.data[from + 1..to - 1];
        let pushed = match self.grammar.find_special(inner) {
            None => views.push(self.data, from + 1, to - 1),
            Some(_) => {
                self.unescaped.clear();
                self.grammar.unescape(inner, &mut self.unescaped);
                views.push_checked(&self.unescaped)
            }
        };
        if pushed.is_err() {
            self.bad_text(views, from, to);
        }
    }

    #[inline(never)]
    fn check_text(&mut self, row: usize, from: usize, to: usize) {
        let field = &self.data[from..to];
        if field.is_empty() {
            self.null(row, from, to);
        } else if !field.is_ascii() {
            let inner = match field {
                [first, inner @ .., _] if Some(*first) == self.grammar.symbols.quote => inner,
                _ => field,
            };
            // Taking out quotes and escapes, which are ASCII, makes no difference.
            let encoding = self.grammar.encoding;
            if encoding
                .decode_without_bom_handling_and_without_replacement(inner)
                .is_none()
            {
                self.fault(row, RejectCode::InvalidEncoding, from, to);
            }
        }
    }

    /// The last string was pushed as empty, because its bytes are not valid in their encoding.
    #[cold]
    #[inline(never)]
    fn bad_text(&mut self, views: &mut Views, from: usize, to: usize) {
        self.fault(views.len() - 1, RejectCode::InvalidEncoding, from, to);
    }

    fn null(&mut self, row: usize, from: usize, to: usize) {
        if self.is_nullable {
            if let Some(nulls) = &mut self.nulls {
                nulls.set(row);
            }
        } else {
            self.fault(row, RejectCode::Cast, from, to);
        }
    }

    fn fault(&mut self, row: usize, code: RejectCode, from: usize, to: usize) {
        self.found.faults.push(FieldFault {
            row: row - self.first_row,
            column: self.column,
            code,
            from,
            to,
        });
    }
}

pub(crate) fn trim_blanks(text: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let from = text
        .iter()
        .position(|byte| !is_blank(byte))
        .unwrap_or(text.len());
    let to = text
        .iter()
        .rposition(|byte| !is_blank(byte))
        .map_or(from, |last| last + 1);
    &text[from..to]
}

impl Grammar {
    /// The first byte inside a quoted field that may not stand for itself.
    fn find_special(&self, inner: &[u8]) -> Option<usize> {
        let quote = self.symbols.quote?;
        match self.symbols.escape {
            Some(escape) => memchr2(quote, escape, inner),
            None => memchr(quote, inner),
        }
    }

    /// Append what the inside of a quoted field stands for.
    fn unescape(&self, inner: &[u8], text: &mut Vec<u8>) {
        let mut rest = inner;
        while let Some(at) = self.find_special(rest) {
            let byte = Some(rest[at]);
            let next = rest.get(at + 1).copied();
            // A quote here is the first of two; an escape that escapes nothing stands for itself.
            let doubled = byte == self.symbols.quote && next == byte;
            let escaped = byte == self.symbols.escape
                && next.is_some()
                && (next == self.symbols.quote || next == self.symbols.escape);
            let is_pair = doubled || escaped;
            text.extend_from_slice(&rest[..at]);
            text.push(rest[at + usize::from(is_pair)]);
            rest = &rest[at + 1 + usize::from(is_pair)..];
        }
        text.extend_from_slice(rest);
    }
}
