//! One column of a batch being made: its values and nulls.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::{DataType, Field, TimeUnit};

use crate::index::views::Views;
use crate::{BadRowPolicy, ScanOptions, TextError};

use super::field::{Cold, Found, Rows, append, append_text, check, check_text};
use super::nulls::Nulls;
use super::number::{Decimal, Float64, Int64};
use super::rejects::type_name;
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
    fn new(number: usize, field: &Field, nulls_bad_values: bool) -> Option<Self> {
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

    /// The column `number` of the file.
    pub fn of(number: usize, options: &ScanOptions) -> Result<Self, TextError> {
        let field = options.schema.field(number);
        let nulls_bad_values = options.bad_rows == BadRowPolicy::SetNull;
        Self::new(number, field, nulls_bad_values).ok_or_else(|| TextError::UnsupportedType {
            column: field.name().clone(),
            data_type: type_name(field.data_type()),
        })
    }

    /// Append the fields of `rows`; a field at fault appends a default.
    pub fn append(&mut self, rows: Rows<'_>, found: &mut Found) {
        let first_row = self.len() - rows.before;
        let cold = Cold {
            data: rows.data,
            grammar: rows.tokens.grammar(),
            column: self.number,
            is_nullable: self.is_nullable,
            nulls_bad_values: self.nulls_bad_values,
            first_row,
            nulls: Some(&mut self.nulls),
            found,
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

    /// Find what `append` would find in `rows`, and append nothing.
    pub fn check(&self, rows: Rows<'_>, found: &mut Found) {
        let cold = Cold {
            data: rows.data,
            grammar: rows.tokens.grammar(),
            column: self.number,
            is_nullable: self.is_nullable,
            nulls_bad_values: self.nulls_bad_values,
            first_row: 0,
            nulls: None,
            found,
            unescaped: vec![],
        };
        match &self.values {
            Values::Int64(_) => check(&Int64, rows, cold),
            Values::Float64(_) => check(&Float64, rows, cold),
            Values::Decimal(_, parse) => check(parse, rows, cold),
            Values::Date(_) => check(&Date, rows, cold),
            Values::Timestamp(_, parse) => check(parse, rows, cold),
            Values::Boolean(_) => check(&Boolean, rows, cold),
            Values::Text(_) => check_text(rows, cold),
        }
    }

    /// Append rows of an array of this column's type.
    pub fn extend(&mut self, array: &ArrayRef, rows: &[u32]) {
        fn primitive<T: ArrowPrimitiveType>(
            values: &mut Vec<T::Native>,
            array: &ArrayRef,
            rows: &[u32],
        ) {
            let from = array.as_primitive::<T>().values();
            values.extend(rows.iter().map(|row| from[*row as usize]));
        }
        let first_row = self.len();
        match &mut self.values {
            Values::Int64(values) => primitive::<Int64Type>(values, array, rows),
            Values::Float64(values) => primitive::<Float64Type>(values, array, rows),
            Values::Decimal(values, _) => primitive::<Decimal128Type>(values, array, rows),
            Values::Date(values) => primitive::<Date32Type>(values, array, rows),
            Values::Timestamp(values, _) => {
                primitive::<TimestampMicrosecondType>(values, array, rows);
            }
            Values::Boolean(values) => {
                let from = array.as_boolean().values();
                values.extend(rows.iter().map(|row| from.value(*row as usize)));
            }
            Values::Text(views) => views.extend(array.as_string_view(), rows),
        }
        if let Some(nulls) = array.nulls() {
            for (at, row) in rows.iter().enumerate() {
                if nulls.is_null(*row as usize) {
                    self.nulls.set(first_row + at);
                }
            }
        }
    }

    /// Of the rows from `from` on, keep those with these numbers, counted from there and ascending.
    pub fn select(&mut self, from: usize, rows: &[u32]) {
        fn compact<T: Copy>(values: &mut Vec<T>, from: usize, rows: &[u32]) {
            for (kept, row) in rows.iter().enumerate() {
                values[from + kept] = values[from + *row as usize];
            }
            values.truncate(from + rows.len());
        }
        match &mut self.values {
            Values::Int64(values) | Values::Timestamp(values, _) => compact(values, from, rows),
            Values::Float64(values) => compact(values, from, rows),
            Values::Decimal(values, _) => compact(values, from, rows),
            Values::Date(values) => compact(values, from, rows),
            Values::Boolean(values) => compact(values, from, rows),
            Values::Text(views) => views.select(from, rows),
        }
        self.nulls.select(from, rows);
    }

    fn len(&self) -> usize {
        match &self.values {
            Values::Int64(values) | Values::Timestamp(values, _) => values.len(),
            Values::Float64(values) => values.len(),
            Values::Decimal(values, _) => values.len(),
            Values::Date(values) => values.len(),
            Values::Boolean(values) => values.len(),
            Values::Text(views) => views.len(),
        }
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
