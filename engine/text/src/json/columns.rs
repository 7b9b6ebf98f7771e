//! Columns being made from values, row by row. A row that turns out to be bad is taken back by `truncate`.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float64Type, Int64Type,
    TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, BooleanArray, ListArray, PrimitiveArray, StructArray};
use arrow_buffer::{BooleanBuffer, NullBuffer, OffsetBuffer};
use arrow_schema::{ArrowError, DataType, Field, Fields, TimeUnit};

use crate::csv::field::{Parse, trim_blanks};
use crate::csv::nulls::Nulls;
use crate::csv::number::{Decimal, Float64, Int64};
use crate::csv::time::{Boolean, Date, Timestamp};
use crate::index::views::Views;

/// The value is none of the column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Misfit;

/// One column, or the field of a struct, or the items of a list.
#[derive(Clone)]
pub(super) struct Column {
    pub data_type: DataType,
    is_nullable: bool,
    nulls: Nulls,
    pub cells: Cells,
}

#[derive(Clone)]
pub(super) enum Cells {
    Int64(Vec<i64>),
    Float64(Vec<f64>),
    Decimal(Vec<i128>, Decimal),
    Date(Vec<i32>),
    Timestamp(Vec<i64>, Timestamp),
    Boolean(Vec<bool>),
    Text(Views),
    Struct(Members),
    List(Box<Items>),
}

/// The items of lists.
#[derive(Clone)]
pub(super) struct Items {
    pub column: Column,
    ends: Vec<i32>,
}

/// Columns by name: the fields of a struct, or the columns of the table.
#[derive(Default, Clone)]
pub(super) struct Members {
    pub columns: Vec<Column>,
    names: Vec<String>,
    by_name: HashMap<Vec<u8>, usize>,
    rows: usize,
}

impl Members {
    /// None for the types: the field that has one that JSON is not read as.
    pub fn new(fields: &[Arc<Field>], is_table: bool) -> Result<Self, Arc<Field>> {
        let mut columns = Vec::with_capacity(fields.len());
        for field in fields {
            let column = Column::new(field).filter(|_| is_table || field.is_nullable());
            columns.push(column.ok_or_else(|| Arc::clone(field))?);
        }
        let name = |field: &Arc<Field>| field.name().clone();
        Ok(Self {
            by_name: fields
                .iter()
                .enumerate()
                .map(|(number, field)| (name(field).into_bytes(), number))
                .collect(),
            names: fields.iter().map(name).collect(),
            columns,
            rows: 0,
        })
    }

    /// The number of the column of this name.
    pub fn find(&self, name: &[u8]) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub fn name(&self, number: usize) -> &str {
        &self.names[number]
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// All keys of an object were read: what is missing is null. How many are.
    ///
    /// # Errors
    /// The first missing column that may not be null; the row is not ended then.
    #[inline]
    pub fn end_row(&mut self) -> Result<usize, usize> {
        let mut missing = 0;
        for (number, column) in self.columns.iter_mut().enumerate() {
            if column.len() == self.rows {
                column.push_null().map_err(|_| number)?;
                missing += 1;
            }
        }
        self.rows += 1;
        Ok(missing)
    }

    /// Each column that matters has a value for the next row.
    #[inline]
    pub fn add_row(&mut self) {
        self.add_rows(1);
    }

    /// Each column that matters has a value for so many rows more.
    #[inline]
    pub fn add_rows(&mut self, rows: usize) {
        self.rows += rows;
    }

    /// Forget the rows from `len` on, and what was pushed of one that did not end.
    pub fn truncate(&mut self, len: usize) {
        self.rows = len;
        for column in &mut self.columns {
            column.truncate(len);
        }
    }

    /// The arrays of all rows so far, leaving none.
    pub fn take(&mut self) -> Result<Vec<ArrayRef>, ArrowError> {
        self.rows = 0;
        self.columns.iter_mut().map(Column::take).collect()
    }
}

impl Column {
    fn new(field: &Field) -> Option<Self> {
        let cells = match field.data_type() {
            DataType::Int64 => Cells::Int64(vec![]),
            DataType::Float64 => Cells::Float64(vec![]),
            DataType::Decimal128(precision, scale) if *scale >= 0 => {
                Cells::Decimal(vec![], Decimal::new(*precision, *scale))
            }
            DataType::Date32 => Cells::Date(vec![]),
            DataType::Timestamp(TimeUnit::Microsecond, zone) => Cells::Timestamp(
                vec![],
                Timestamp {
                    utc: zone.is_some(),
                },
            ),
            DataType::Boolean => Cells::Boolean(vec![]),
            DataType::Utf8View => Cells::Text(Views::default()),
            DataType::Struct(fields) if !fields.is_empty() => {
                Cells::Struct(Members::new(fields, false).ok()?)
            }
            DataType::List(item) if item.is_nullable() => Cells::List(Box::new(Items {
                column: Self::new(item)?,
                ends: vec![],
            })),
            _ => return None,
        };
        Some(Self {
            data_type: field.data_type().clone(),
            is_nullable: field.is_nullable(),
            nulls: Nulls::default(),
            cells,
        })
    }

    /// How many rows there are.
    #[inline]
    pub fn len(&self) -> usize {
        match &self.cells {
            Cells::Int64(values) | Cells::Timestamp(values, _) => values.len(),
            Cells::Float64(values) => values.len(),
            Cells::Decimal(values, _) => values.len(),
            Cells::Date(values) => values.len(),
            Cells::Boolean(values) => values.len(),
            Cells::Text(views) => views.len(),
            Cells::Struct(members) => members.rows,
            Cells::List(items) => items.ends.len(),
        }
    }

    /// Push a null, if the column may have one.
    pub fn push_null(&mut self) -> Result<(), Misfit> {
        if !self.is_nullable {
            return Err(Misfit);
        }
        self.push_default();
        self.nulls.set(self.len() - 1);
        Ok(())
    }

    /// Push a value that means nothing.
    pub fn push_default(&mut self) {
        match &mut self.cells {
            Cells::Int64(values) | Cells::Timestamp(values, _) => values.push(0),
            Cells::Float64(values) => values.push(0.0),
            Cells::Decimal(values, _) => values.push(0),
            Cells::Date(values) => values.push(0),
            Cells::Boolean(values) => values.push(false),
            Cells::Text(views) => views.push_empty(),
            Cells::Struct(members) => {
                members
                    .end_row()
                    .expect("the fields of a struct may be null");
            }
            Cells::List(items) => items.end_row(),
        }
    }

    /// Push `data[from..to]`: the text of a string, or how another value is spelled. 16 bytes before it are readable.
    #[inline]
    pub fn push(&mut self, data: &[u8], from: usize, to: usize) -> Result<(), Misfit> {
        #[inline(always)]
        fn parsed<P: Parse>(parse: &P, data: &[u8], from: usize, to: usize) -> Parsed<P::Value> {
            match parse.fast(data, from, to) {
                Some(value) => Parsed::Value(value),
                None => exactly(parse, &data[from..to]),
            }
        }
        match &mut self.cells {
            Cells::Int64(values) => match parsed(&Int64, data, from, to) {
                Parsed::Value(value) => values.push(value),
                other => return self.push_other(other.is_blank()),
            },
            Cells::Float64(values) => match parsed(&Float64, data, from, to) {
                Parsed::Value(value) => values.push(value),
                other => return self.push_other(other.is_blank()),
            },
            Cells::Decimal(values, parse) => match parsed(parse, data, from, to) {
                Parsed::Value(value) => values.push(value),
                other => return self.push_other(other.is_blank()),
            },
            Cells::Date(values) => match parsed(&Date, data, from, to) {
                Parsed::Value(value) => values.push(value),
                other => return self.push_other(other.is_blank()),
            },
            Cells::Timestamp(values, parse) => match parsed(parse, data, from, to) {
                Parsed::Value(value) => values.push(value),
                other => return self.push_other(other.is_blank()),
            },
            Cells::Boolean(values) => match parsed(&Boolean, data, from, to) {
                Parsed::Value(value) => values.push(value),
                other => return self.push_other(other.is_blank()),
            },
            // The record was checked as UTF-8, so this can't fail.
            Cells::Text(views) => return views.push(data, from, to).map_err(|_| Misfit),
            Cells::Struct(_) | Cells::List(_) => return Err(Misfit),
        }
        Ok(())
    }

    /// Push a text that lies elsewhere.
    pub fn push_text(&mut self, text: &[u8], guarded: &mut Vec<u8>) -> Result<(), Misfit> {
        const GUARD: [u8; 16] = [0; 16];
        guarded.clear();
        guarded.extend_from_slice(&GUARD);
        guarded.extend_from_slice(text);
        let to = guarded.len();
        guarded.extend_from_slice(&GUARD);
        self.push(guarded, GUARD.len(), to)
    }

    #[cold]
    fn push_other(&mut self, is_blank: bool) -> Result<(), Misfit> {
        if is_blank {
            self.push_null()
        } else {
            Err(Misfit)
        }
    }

    /// Forget the rows from `len` on, and what was pushed of one that did not end.
    pub fn truncate(&mut self, len: usize) {
        match &mut self.cells {
            Cells::Int64(values) | Cells::Timestamp(values, _) => values.truncate(len),
            Cells::Float64(values) => values.truncate(len),
            Cells::Decimal(values, _) => values.truncate(len),
            Cells::Date(values) => values.truncate(len),
            Cells::Boolean(values) => values.truncate(len),
            Cells::Text(views) => views.truncate(len),
            Cells::Struct(members) => members.truncate(len),
            Cells::List(items) => items.truncate(len),
        }
        self.nulls.truncate(len);
    }

    /// Append these rows of a column of the same type.
    pub fn extend(&mut self, from: &Self, rows: &[u32]) {
        fn pick<T: Copy>(values: &mut Vec<T>, from: &[T], rows: &[u32]) {
            values.extend(rows.iter().map(|row| from[*row as usize]));
        }
        let first = self.len();
        match (&mut self.cells, &from.cells) {
            (Cells::Int64(values), Cells::Int64(from))
            | (Cells::Timestamp(values, _), Cells::Timestamp(from, _)) => pick(values, from, rows),
            (Cells::Float64(values), Cells::Float64(from)) => pick(values, from, rows),
            (Cells::Decimal(values, _), Cells::Decimal(from, _)) => pick(values, from, rows),
            (Cells::Date(values), Cells::Date(from)) => pick(values, from, rows),
            (Cells::Boolean(values), Cells::Boolean(from)) => pick(values, from, rows),
            (Cells::Text(views), Cells::Text(from)) => views.extend_from(from, rows),
            (Cells::Struct(members), Cells::Struct(from)) => {
                for (column, from) in members.columns.iter_mut().zip(&from.columns) {
                    column.extend(from, rows);
                }
                members.rows += rows.len();
            }
            (Cells::List(items), Cells::List(from)) => items.extend(from, rows),
            _ => unreachable!("columns of one field have one type"),
        }
        for (place, row) in rows.iter().enumerate() {
            if from.nulls.is_set(*row as usize) {
                self.nulls.set(first + place);
            }
        }
    }

    /// The array of all rows so far, leaving none.
    pub fn take(&mut self) -> Result<ArrayRef, ArrowError> {
        let nulls = self.nulls.take(self.len());
        fn primitive<T: ArrowPrimitiveType>(
            values: &mut Vec<T::Native>,
            nulls: Option<NullBuffer>,
            data_type: &DataType,
        ) -> Result<ArrayRef, ArrowError> {
            let array = PrimitiveArray::<T>::try_new(std::mem::take(values).into(), nulls)?;
            Ok(Arc::new(array.with_data_type(data_type.clone())))
        }
        let data_type = &self.data_type;
        match &mut self.cells {
            Cells::Int64(values) => primitive::<Int64Type>(values, nulls, data_type),
            Cells::Float64(values) => primitive::<Float64Type>(values, nulls, data_type),
            Cells::Decimal(values, _) => primitive::<Decimal128Type>(values, nulls, data_type),
            Cells::Date(values) => primitive::<Date32Type>(values, nulls, data_type),
            Cells::Timestamp(values, _) => {
                primitive::<TimestampMicrosecondType>(values, nulls, data_type)
            }
            Cells::Boolean(values) => {
                let values = BooleanBuffer::from(std::mem::take(values));
                Ok(Arc::new(BooleanArray::new(values, nulls)))
            }
            Cells::Text(views) => Ok(Arc::new(views.take(nulls))),
            Cells::Struct(members) => {
                let rows = members.rows;
                let fields = match data_type {
                    DataType::Struct(fields) => fields.clone(),
                    _ => Fields::empty(),
                };
                let array = StructArray::try_new_with_length(fields, members.take()?, nulls, rows)?;
                Ok(Arc::new(array))
            }
            Cells::List(items) => {
                let item = match data_type {
                    DataType::List(item) => Arc::clone(item),
                    other => Arc::new(Field::new_list_field(other.clone(), true)),
                };
                let mut offsets = vec![0];
                offsets.append(&mut items.ends);
                let values = items.column.take()?;
                let array =
                    ListArray::try_new(item, OffsetBuffer::new(offsets.into()), values, nulls)?;
                debug_assert!(array.null_count() <= array.len());
                Ok(Arc::new(array))
            }
        }
    }
}

impl Items {
    /// All items of a list were pushed. A batch has fewer than 2^31: each comes from a byte, and bytes are bounded.
    pub fn end_row(&mut self) {
        self.ends
            .push(i32::try_from(self.column.len()).expect("items of a batch are bounded"));
    }

    /// Append these rows of other lists.
    fn extend(&mut self, from: &Self, rows: &[u32]) {
        for row in rows {
            let row = *row as usize;
            let first = row.checked_sub(1).map_or(0, |before| from.ends[before]);
            let items: Vec<u32> = (first as u32..from.ends[row] as u32).collect();
            self.column.extend(&from.column, &items);
            self.end_row();
        }
    }

    fn truncate(&mut self, len: usize) {
        self.ends.truncate(len);
        let items = self.ends.last().map_or(0, |end| *end as usize);
        self.column.truncate(items);
    }
}

enum Parsed<T> {
    Value(T),
    Blank,
    Misfit,
}

impl<T> Parsed<T> {
    fn is_blank(&self) -> bool {
        matches!(self, Self::Blank)
    }
}

#[cold]
fn exactly<P: Parse>(parse: &P, text: &[u8]) -> Parsed<P::Value> {
    let text = trim_blanks(text);
    if text.is_empty() {
        return Parsed::Blank;
    }
    parse.exact(text).map_or(Parsed::Misfit, Parsed::Value)
}
