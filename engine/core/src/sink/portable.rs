//! Types that other programs read. Inside, strings are views and Parquet's dictionaries stay dictionaries; files hold
//! plain strings and plain values.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};

use crate::error::Result;

/// Strings of one batch and column are addressed with 31 bits; a batch with more than this is cut in two.
const MAX_STRING_BYTES: usize = 1 << 30;

/// The type a file holds for `data_type`.
pub(crate) fn portable_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::Dictionary(_, values) => portable_type(values),
        DataType::RunEndEncoded(_, values) => portable_type(values.data_type()),
        DataType::List(item) | DataType::ListView(item) => DataType::List(portable_field(item)),
        DataType::LargeList(item) | DataType::LargeListView(item) => {
            DataType::LargeList(portable_field(item))
        }
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(portable_field(item), *size),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(portable_field).collect()),
        DataType::Map(entries, sorted) => DataType::Map(portable_field(entries), *sorted),
        other => other.clone(),
    }
}

fn portable_field(field: &FieldRef) -> FieldRef {
    let data_type = portable_type(field.data_type());
    Arc::new(Field::new(field.name(), data_type, field.is_nullable()))
}

/// The schema a file holds for `schema`.
pub(crate) fn portable_schema(schema: &Schema) -> SchemaRef {
    let fields: Vec<FieldRef> = schema.fields().iter().map(portable_field).collect();
    Arc::new(Schema::new(fields))
}

/// The rows as `schema`, which [`portable_schema`] made, in one batch unless their strings are very long.
///
/// # Errors
/// Those of casting, which a portable type never meets but for memory.
pub(crate) fn portable(batch: &RecordBatch, schema: &SchemaRef) -> Result<Vec<RecordBatch>> {
    let mut todo = vec![batch.clone()];
    let mut done = Vec::new();
    while let Some(batch) = todo.pop() {
        if batch.num_rows() > 1 && longest_column_bytes(&batch) > MAX_STRING_BYTES {
            let half = batch.num_rows() / 2;
            todo.push(batch.slice(half, batch.num_rows() - half));
            todo.push(batch.slice(0, half));
            continue;
        }
        let columns: Result<Vec<_>> = batch
            .columns()
            .iter()
            .zip(schema.fields())
            .map(|(column, field)| Ok(cast(column, field.data_type())?))
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        done.push(RecordBatch::try_new_with_options(
            Arc::clone(schema),
            columns?,
            &options,
        )?);
    }
    Ok(done)
}

fn longest_column_bytes(batch: &RecordBatch) -> usize {
    let bytes = |column: &dyn Array| match column.data_type() {
        DataType::Utf8View => column.as_string_view().total_buffer_bytes_used(),
        DataType::BinaryView => column.as_binary_view().total_buffer_bytes_used(),
        _ => 0,
    };
    let columns = batch.columns().iter();
    columns.map(|column| bytes(column)).max().unwrap_or(0)
}
