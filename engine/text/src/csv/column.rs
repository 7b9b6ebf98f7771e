//! One column of a batch being made: values, nulls, and the rows whose field is no value.

use std::sync::Arc;

use arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow_schema::{DataType, Field, TimeUnit};

use crate::RejectCode;
use crate::index::views::Views;

use super::machine::Grammar;
use super::number::{Decimal, Float64, Int64};
use super::time::{Boolean, Date, Timestamp};
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

enum Values {
    Int64(Vec<i64>),
    Float64(Vec<f64>),
    Decimal(Vec<i128>, Decimal),
    Date(Vec<i32>),
    Timestamp(Vec<i64>, Timestamp),
    Boolean(Vec<bool>),
    Text(Views),
}

/// A column of the output.
pub(crate) struct Column {
    number: usize,
    data_type: DataType,
    is_nullable: bool,
    nulls_bad_values: bool,
    values: Values,
    nulls: Nulls,
}

/// What a range of rows is decoded from.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub data: &'a [u8],
    pub tokens: &'a Tokens,
    /// The first good row of the tokens.
    pub first: usize,
    pub count: usize,
}

impl Column {
    /// None: the type is none that text is read as.
    pub fn new(number: usize, field: &Field, nulls_bad_values: bool) -> Option<Self> {
        let values = match field.data_type() {
            DataType::Int64 => Values::Int64(vec![]),
            DataType::Float64 => Values::Float64(vec![]),
            DataType::Decimal128(precision, scale) if *scale >= 0 => {
                Values::Decimal(vec![], Decimal::new(*precision, *scale))
            }
            DataType::Date32 => Values::Date(vec![]),
            DataType::Timestamp(TimeUnit::Microsecond, zone) => Values::Timestamp(
                vec![],
                Timestamp {
                    utc: zone.is_some(),
                },
            ),
            DataType::Boolean => Values::Boolean(vec![]),
            DataType::Utf8View => Values::Text(Views::default()),
            _ => return None,
        };
        let (data_type, is_nullable) = (field.data_type().clone(), field.is_nullable());
        Some(Self {
            number,
            data_type,
            is_nullable,
            nulls_bad_values,
            values,
            nulls: Nulls::default(),
        })
    }

    /// Bytes that the batch holds outside its rows.
    pub fn long_bytes(&self) -> usize {
        match &self.values {
            Values::Text(views) => views.long_bytes(),
            _ => 0,
        }
    }

    /// Append the fields of `rows`; a field at fault appends a default.
    pub fn append(&mut self, rows: Rows<'_>, faults: &mut Vec<FieldFault>) {
        let cold = Cold {
            data: rows.data,
            grammar: rows.tokens.grammar(),
            column: self.number,
            is_nullable: self.is_nullable,
            nulls_bad_values: self.nulls_bad_values,
            nulls: &mut self.nulls,
            faults,
        };
        match &mut self.values {
            Values::Int64(out) => append(&Int64, rows, out, cold),
            Values::Float64(out) => append(&Float64, rows, out, cold),
            Values::Decimal(out, parse) => append(parse, rows, out, cold),
            Values::Date(out) => append(&Date, rows, out, cold),
            Values::Timestamp(out, parse) => append(parse, rows, out, cold),
            Values::Boolean(out) => append(&Boolean, rows, out, cold),
            Values::Text(views) => {
                views.reserve(rows.count);
                let quote = cold.grammar.symbols.quote.map_or(NO_QUOTE, u16::from);
                visit(
                    rows,
                    cold.column,
                    &mut TextFields {
                        data: rows.data,
                        quote,
                        views,
                        cold,
                    },
                );
            }
        }
    }

    /// Keep the rows from `from` on for which `keep` says so.
    pub fn retain(&mut self, from: usize, len: usize, keep: impl Fn(usize) -> bool + Copy) {
        fn compact<T: Copy>(values: &mut Vec<T>, from: usize, keep: impl Fn(usize) -> bool) {
            let mut row = 0;
            values.retain(|_| {
                row += 1;
                row <= from || keep(row - 1)
            });
        }
        match &mut self.values {
            Values::Int64(values) | Values::Timestamp(values, _) => compact(values, from, keep),
            Values::Float64(values) => compact(values, from, keep),
            Values::Decimal(values, _) => compact(values, from, keep),
            Values::Date(values) => compact(values, from, keep),
            Values::Boolean(values) => compact(values, from, keep),
            Values::Text(views) => views.retain(from, keep),
        }
        self.nulls.retain(from, len, keep);
    }

    /// The array of all rows so far, leaving none.
    pub fn take(&mut self, len: usize) -> ArrayRef {
        let nulls = self.nulls.take(len);
        fn primitive<T: ArrowPrimitiveType>(
            values: &mut Vec<T::Native>,
            nulls: Option<NullBuffer>,
        ) -> PrimitiveArray<T> {
            PrimitiveArray::new(std::mem::take(values).into(), nulls)
        }
        match &mut self.values {
            Values::Int64(values) => Arc::new(primitive::<Int64Type>(values, nulls)),
            Values::Float64(values) => Arc::new(primitive::<Float64Type>(values, nulls)),
            Values::Decimal(values, _) => Arc::new(
                primitive::<Decimal128Type>(values, nulls).with_data_type(self.data_type.clone()),
            ),
            Values::Date(values) => Arc::new(primitive::<Date32Type>(values, nulls)),
            Values::Timestamp(values, _) => Arc::new(
                primitive::<TimestampMicrosecondType>(values, nulls)
                    .with_data_type(self.data_type.clone()),
            ),
            Values::Boolean(values) => Arc::new(BooleanArray::new(
                BooleanBuffer::from(std::mem::take(values)),
                nulls,
            )),
            Values::Text(views) => Arc::new(views.take(nulls)),
        }
    }
}

/// No byte.
const NO_QUOTE: u16 = 256;

#[inline(always)]
fn append<P: Parse>(parse: &P, rows: Rows<'_>, out: &mut Vec<P::Value>, cold: Cold<'_>) {
    out.reserve(rows.count);
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
struct Cold<'a> {
    data: &'a [u8],
    grammar: &'a Grammar,
    column: usize,
    is_nullable: bool,
    nulls_bad_values: bool,
    nulls: &'a mut Nulls,
    faults: &'a mut Vec<FieldFault>,
}

impl Cold<'_> {
    #[cold]
    #[inline(never)]
    fn value<P: Parse>(&mut self, parse: &P, row: usize, from: usize, to: usize) -> P::Value {
        let field = &self.data[from..to];
        let mut unescaped = vec![];
        let text = self.grammar.text(field, &mut unescaped).unwrap_or(field);
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
        let mut unescaped = vec![];
        let text = self
            .grammar
            .text(&self.data[from..to], &mut unescaped)
            .unwrap_or_default();
        if views.push_checked(text).is_err() {
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
    /// What a quoted field stands for; None: it is not quoted.
    pub fn text<'a>(&self, field: &'a [u8], unescaped: &'a mut Vec<u8>) -> Option<&'a [u8]> {
        let quote = self.symbols.quote?;
        let [first, inner @ .., _] = field else {
            return None;
        };
        if *first != quote {
            return None;
        }
        let escape = self.escape.unwrap_or(quote);
        if memchr::memchr2(quote, escape, inner).is_none() {
            return Some(inner);
        }
        let mut at = 0;
        while at < inner.len() {
            // A quote here is the first of two; an escape that escapes nothing stands for itself.
            let next = inner.get(at + 1).copied();
            let is_pair = (inner[at] == quote && next == Some(quote))
                || (inner[at] == escape && (next == Some(quote) || next == Some(escape)));
            at += usize::from(is_pair);
            unescaped.push(inner[at]);
            at += 1;
        }
        Some(unescaped)
    }
}

/// Rows that are null, as bits; nothing is stored while there are none.
#[derive(Debug, Default)]
struct Nulls {
    words: Vec<u64>,
}

impl Nulls {
    fn set(&mut self, row: usize) {
        if self.words.len() <= row / 64 {
            self.words.resize(row / 64 + 1, 0);
        }
        self.words[row / 64] |= 1 << (row % 64);
    }

    fn is_set(&self, row: usize) -> bool {
        self.words
            .get(row / 64)
            .is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    fn retain(&mut self, from: usize, len: usize, keep: impl Fn(usize) -> bool) {
        if self.words.is_empty() {
            return;
        }
        let mut kept = from;
        let mut words = Self::default();
        (0..from)
            .filter(|row| self.is_set(*row))
            .for_each(|row| words.set(row));
        for row in from..len {
            if keep(row) {
                if self.is_set(row) {
                    words.set(kept);
                }
                kept += 1;
            }
        }
        *self = words;
    }

    fn take(&mut self, len: usize) -> Option<NullBuffer> {
        if self.words.is_empty() {
            return None;
        }
        let mut words = std::mem::take(&mut self.words);
        words.resize(len.div_ceil(64), 0);
        words.iter_mut().for_each(|word| *word = !*word);
        Some(NullBuffer::new(BooleanBuffer::new(
            Buffer::from_vec(words),
            0,
            len,
        )))
    }
}
