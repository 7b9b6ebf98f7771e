//! How the rows of one file become rows of its table: columns by name, in the order and with the types of the table; NULL
//! where a file has no such column; and for columns that the file's folders name (`year=2024`), their value.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::util::display::FormatOptions;
use datafusion::common::ScalarValue;

use crate::error::{EngineError, Result};
use crate::job::{FileRef, Source};

/// From the columns that are read of one file to those that a query wants of its table.
#[derive(Debug)]
pub(crate) struct Shape {
    /// Indexes into the file's columns.
    read: Vec<usize>,
    origins: Vec<Origin>,
    schema: SchemaRef,
    plain: bool,
}

#[derive(Debug)]
enum Origin {
    /// Index into what is read.
    Read(usize),
    /// The same for all rows of the file.
    Constant(ScalarValue),
}

impl Shape {
    /// For a file whose columns are those that `in_file` names.
    ///
    /// # Errors
    /// SourceError SOURCE_CHANGED where a column is gone; InvalidJob where the value in a folder's name does not fit.
    pub(crate) fn of_schema(
        source: &Source,
        number: usize,
        table: &SchemaRef,
        projection: &[usize],
        in_file: &Schema,
    ) -> Result<Self> {
        let names: Vec<&str> = in_file.fields().iter().map(|f| f.name().as_str()).collect();
        let known = source.columns_in(number);
        if let Some(gone) = known.iter().find(|name| !names.contains(name)) {
            let message = format!("The file has no column '{gone}' any more.");
            return Err(EngineError::source_error("SOURCE_CHANGED", message)
                .hint("Inspect the file again."));
        }
        Self::new(&source.files[number], table, projection, &names)
    }

    /// For a text file, with the schema by which its fields are to be read.
    ///
    /// # Errors
    /// As [`Self::of_schema`].
    pub(crate) fn of_text(
        source: &Source,
        number: usize,
        table: &SchemaRef,
        projection: &[usize],
    ) -> Result<(Self, SchemaRef)> {
        let names = source.columns_in(number);
        let field = |name: &&str| match table.field_with_name(name) {
            Ok(field) => field.clone(),
            Err(_) => Field::new(*name, DataType::Utf8View, true),
        };
        let fields: Vec<Field> = names.iter().map(field).collect();
        let shape = Self::new(&source.files[number], table, projection, &names)?;
        Ok((shape, Arc::new(Schema::new(fields))))
    }

    fn new(
        file: &FileRef,
        table: &SchemaRef,
        projection: &[usize],
        names: &[&str],
    ) -> Result<Self> {
        let mut read = Vec::new();
        let mut origins = Vec::new();
        for index in projection {
            let field = table.field(*index);
            let place = names.iter().position(|name| name == field.name());
            origins.push(match (file.partition.get(field.name()), place) {
                (Some(value), _) => Origin::Constant(value_of(field, value.as_deref())?),
                (None, Some(place)) => {
                    read.push(place);
                    Origin::Read(read.len() - 1)
                }
                (None, None) => Origin::Constant(ScalarValue::try_from(field.data_type())?),
            });
        }
        Ok(Self {
            plain: origins.len() == read.len(),
            read,
            origins,
            schema: project(table, projection),
        })
    }

    /// Which columns of the file to read, in this order.
    pub(crate) fn read(&self) -> &[usize] {
        &self.read
    }

    /// Whether all columns are read.
    pub(crate) fn is_plain(&self) -> bool {
        self.plain
    }

    /// Rows of the table from rows of the file.
    ///
    /// # Errors
    /// SourceError SCHEMA_MISMATCH where a value does not fit the type of its column.
    pub(crate) fn apply(&self, batch: RecordBatch) -> Result<RecordBatch> {
        if self.plain && batch.schema_ref() == &self.schema {
            return Ok(batch);
        }
        let rows = batch.num_rows();
        let columns: Result<Vec<ArrayRef>> = self
            .origins
            .iter()
            .zip(self.schema.fields())
            .map(|(origin, field)| match origin {
                Origin::Read(index) => converted(batch.column(*index), field),
                Origin::Constant(value) if value.is_null() => {
                    Ok(new_null_array(field.data_type(), rows))
                }
                Origin::Constant(value) => Ok(value.to_array_of_size(rows)?),
            })
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let schema = Arc::clone(&self.schema);
        Ok(RecordBatch::try_new_with_options(
            schema, columns?, &options,
        )?)
    }
}

/// The value that a folder's name gives a column.
///
/// # Errors
/// InvalidJob INVALID_COLUMNS.
pub(crate) fn value_of(field: &Field, value: Option<&str>) -> Result<ScalarValue> {
    let data_type = field.data_type();
    let Some(text) = value else {
        return Ok(ScalarValue::try_from(data_type)?);
    };
    ScalarValue::try_from_string(text.to_owned(), data_type).map_err(|_| {
        let message = format!(
            "Column '{}' is {data_type}, and a folder says {text:?}.",
            field.name()
        );
        EngineError::invalid_job("INVALID_COLUMNS", message).hint("Give the column the type Utf8.")
    })
}

fn converted(column: &ArrayRef, field: &Field) -> Result<ArrayRef> {
    if column.data_type() == field.data_type() {
        return Ok(Arc::clone(column));
    }
    let strict = CastOptions {
        safe: false,
        format_options: FormatOptions::default(),
    };
    cast_with_options(column, field.data_type(), &strict).map_err(|error| {
        let message = format!(
            "Column '{}' can't be read as {}: {error}.",
            field.name(),
            field.data_type()
        );
        EngineError::source_error("SCHEMA_MISMATCH", message)
    })
}

/// Some columns of a schema.
pub(super) fn project(schema: &SchemaRef, projection: &[usize]) -> SchemaRef {
    let fields = projection.iter().map(|i| Arc::clone(&schema.fields()[*i]));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}
