//! One column of a batch being made: its values and nulls.

use std::sync::Arc;

use arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::{DataType, Field, TimeUnit};

use crate::index::views::Views;

use super::field::{Cold, FieldFault, Rows, append, append_text};
use super::nulls::Nulls;
use super::number::{Decimal, Float64, Int64};
use super::time::{Boolean, Date, Timestamp};

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
            unescaped: vec![],
        };
        match &mut self.values {
            Values::Int64(out) => append(&Int64, rows, out, cold),
            Values::Float64(out) => append(&Float64, rows, out, cold),
            Values::Decimal(out, parse) => append(parse, rows, out, cold),
            Values::Date(out) => append(&Date, rows, out, cold),
            Values::Timestamp(out, parse) => append(parse, rows, out, cold),
            Values::Boolean(out) => append(&Boolean, rows, out, cold),
            Values::Text(views) => append_text(rows, views, cold),
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
            let mut values = std::mem::take(values);
            if values.len() < values.capacity() / 4 {
                values.shrink_to_fit();
            }
            PrimitiveArray::new(values.into(), nulls)
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
