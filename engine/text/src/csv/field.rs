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

    /// A text without quotes and blanks around it, not empty; None: it is no value.
    fn exact(&self, text: &[u8]) -> Option<Self::Value>;
}

/// A field that is no value of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FieldFault {
    /// Row of the batch.
    pub row: usize,
    /// Column of the file.
    pub column: usize,
    pub code: RejectCode,
    pub from: usize,
    pub to: usize,
}

/// What a range of rows is decoded from.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub data: &'a [u8],
    pub tokens: &'a Tokens,
    /// The first good row of the tokens.
    pub first: usize,
    pub count: usize,
    /// How many rows the batch can still take, these among them.
    pub room: usize,
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
    let quote = cold.grammar.symbols.quote.map_or(NO_QUOTE, u16::from);
    let mut fields = TextFields {
        data: rows.data,
        quote,
        views,
        cold,
    };
    visit(rows, fields.cold.column, &mut fields);
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

struct TextFields<'a> {
    data: &'a [u8],
    quote: u16,
    views: &'a mut Views,
    cold: Cold<'a>,
}

impl Fields for TextFields<'_> {
    #[inline(always)]
    fn field(&mut self, from: usize, to: usize) {
        if from == to {
            self.cold.null_text(self.views, from);
        } else if u16::from(self.data[from]) == self.quote {
            self.cold.quoted_text(self.views, from, to);
        } else if self.views.push(self.data, from, to).is_err() {
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
        first,
        count,
        ..
    } = rows;
    let ends = tokens.ends();
    let grammar = tokens.grammar();
    let may_return = column + 1 == grammar.columns && grammar.symbols.newline == b'\n';
    match tokens.map(first) {
        RowMap::Regular { first, stride } if !may_return => {
            let ends = &ends[first + column - 1..];
            for row in 0..count {
                let entry = row * stride;
                fields.field(
                    ends[entry].wrapping_add(1) as usize,
                    ends[entry + 1] as usize,
                );
            }
        }
        RowMap::Regular { first, stride } => {
            for row in 0..count {
                let entry = first + row * stride + column;
                let (from, to) = (
                    ends[entry - 1].wrapping_add(1) as usize,
                    ends[entry] as usize,
                );
                fields.field(from, to - usize::from(to > from && data[to - 1] == b'\r'));
            }
        }
        RowMap::Listed(entries) => {
            for entry in &entries[..count] {
                let entry = *entry as usize + column;
                let (from, to) = (
                    ends[entry - 1].wrapping_add(1) as usize,
                    ends[entry] as usize,
                );
                let returns = may_return && to > from && data[to - 1] == b'\r';
                fields.field(from, to - usize::from(returns));
            }
        }
    }
}

/// What is needed off the common path.
pub(crate) struct Cold<'a> {
    pub data: &'a [u8],
    pub grammar: &'a Grammar,
    pub column: usize,
    pub is_nullable: bool,
    pub nulls_bad_values: bool,
    pub nulls: &'a mut Nulls,
    pub faults: &'a mut Vec<FieldFault>,
    /// Reused for fields with doubled quotes or escapes.
    pub unescaped: Vec<u8>,
}

impl Cold<'_> {
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
            self.nulls.set(row);
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

    /// The last string was pushed as empty, because its bytes are not UTF-8.
    #[cold]
    #[inline(never)]
    fn bad_text(&mut self, views: &mut Views, from: usize, to: usize) {
        self.fault(views.len() - 1, RejectCode::InvalidEncoding, from, to);
    }

    fn null(&mut self, row: usize, from: usize, to: usize) {
        if self.is_nullable {
            self.nulls.set(row);
        } else {
            self.fault(row, RejectCode::Cast, from, to);
        }
    }

    fn fault(&mut self, row: usize, code: RejectCode, from: usize, to: usize) {
        self.faults.push(FieldFault {
            row,
            column: self.column,
            code,
            from,
            to,
        });
    }
}

fn trim_blanks(text: &[u8]) -> &[u8] {
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
        match self.escape {
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
            let escaped = byte == self.escape
                && next.is_some()
                && (next == self.symbols.quote || next == self.escape);
            let is_pair = doubled || escaped;
            text.extend_from_slice(&rest[..at]);
            text.push(rest[at + usize::from(is_pair)]);
            rest = &rest[at + 1 + usize::from(is_pair)..];
        }
        text.extend_from_slice(rest);
    }
}
