//! One column of a batch as a writer of text meets it: downcast once, then asked cell by cell. What is rare is cast to
//! something common here, so that the writers know few kinds.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, LargeStringArray, LargeStringBuilder, OffsetSizeTrait, StringArray,
    StringViewArray,
};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Fields};

use super::value::Scalar;
use crate::error::{EngineError, Result};

/// A column, ready to be written row by row.
pub(crate) struct Column {
    nulls: Option<NullBuffer>,
    pub(crate) cells: Cells,
}

/// The values of a [`Column`]; those of null rows mean nothing.
pub(crate) enum Cells {
    /// Every row is null.
    Null,
    /// Numbers, dates, booleans.
    Scalar(Scalar),
    View(StringViewArray),
    Utf8(StringArray),
    LargeUtf8(LargeStringArray),
    /// Row to its elements in the child.
    List(Vec<Range<usize>>, Box<Column>),
    /// Names and children of the same rows.
    Struct(Vec<(String, Column)>),
    /// Row to its entries in the children: keys, values.
    Map(Vec<Range<usize>>, Box<(Column, Column)>),
}

impl Column {
    /// Look at `array` once.
    ///
    /// # Errors
    /// InvalidJob UNSUPPORTED_TYPE for types that have no text.
    pub(crate) fn of(array: &ArrayRef) -> Result<Self> {
        let nulls = array.nulls().cloned();
        if let Some(scalar) = Scalar::of(array) {
            return Ok(Self {
                nulls,
                cells: Cells::Scalar(scalar),
            });
        }
        let cells = match array.data_type() {
            DataType::Null => Cells::Null,
            DataType::Utf8View => Cells::View(array.as_string_view().clone()),
            DataType::Utf8 => Cells::Utf8(array.as_string().clone()),
            DataType::LargeUtf8 => Cells::LargeUtf8(array.as_string().clone()),
            DataType::List(_) => list::<i32>(array)?,
            DataType::LargeList(_) => list::<i64>(array)?,
            DataType::Struct(fields) => structure(fields, array.as_struct().columns())?,
            DataType::Map(_, _) => {
                let map = array.as_map();
                let entries = (Self::of(map.keys())?, Self::of(map.values())?);
                Cells::Map(ranges(map.offsets()), Box::new(entries))
            }
            other => return Self::of(&common(array, other)?),
        };
        Ok(Self { nulls, cells })
    }

    /// Whether any row may be NULL.
    pub(crate) fn has_nulls(&self) -> bool {
        self.nulls.is_some() || matches!(self.cells, Cells::Null)
    }

    /// Whether `row` is NULL.
    #[inline]
    pub(crate) fn is_null(&self, row: usize) -> bool {
        match &self.nulls {
            Some(nulls) => nulls.is_null(row),
            None => matches!(self.cells, Cells::Null),
        }
    }
}

fn list<O: OffsetSizeTrait>(array: &ArrayRef) -> Result<Cells> {
    let list = array.as_list::<O>();
    let child = Column::of(list.values())?;
    Ok(Cells::List(ranges(list.offsets()), Box::new(child)))
}

fn ranges<O: OffsetSizeTrait>(offsets: &[O]) -> Vec<Range<usize>> {
    offsets
        .windows(2)
        .map(|pair| pair[0].as_usize()..pair[1].as_usize())
        .collect()
}

fn structure(fields: &Fields, columns: &[ArrayRef]) -> Result<Cells> {
    let named = fields.iter().zip(columns);
    let children: Result<Vec<_>> = named
        .map(|(field, column)| Ok((field.name().clone(), Column::of(column)?)))
        .collect();
    Ok(Cells::Struct(children?))
}

/// The same values as a type that [`Column::of`] knows.
fn common(array: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    let target = match data_type {
        DataType::Dictionary(_, values) => values.as_ref().clone(),
        DataType::RunEndEncoded(_, values) => values.data_type().clone(),
        DataType::ListView(item) | DataType::FixedSizeList(item, _) => {
            DataType::List(Arc::clone(item))
        }
        DataType::LargeListView(item) => DataType::LargeList(Arc::clone(item)),
        DataType::Float16 => DataType::Float32,
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Binary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            DataType::LargeBinary
        }
        DataType::LargeBinary => return Ok(hexadecimal(array)),
        DataType::Union(_, _) => {
            return Err(EngineError::invalid_job(
                "UNSUPPORTED_TYPE",
                format!("Values of type {data_type} have no text form."),
            )
            .hint("Leave the column out, or write Arrow."));
        }
        _ => DataType::Utf8,
    };
    Ok(cast(array, &target)?)
}

fn hexadecimal(array: &ArrayRef) -> ArrayRef {
    let mut texts = LargeStringBuilder::new();
    for bytes in array.as_binary::<i64>() {
        texts.append_option(bytes.map(hex));
    }
    Arc::new(texts.finish())
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}
