//! Rows out. A task writes its rows through a [`PartSink`] into one part in the output's format; the parts of all tasks
//! become one file, or a folder of files, in [`crate::commit`].

mod arrow;
mod aside;
mod cells;
mod columns;
pub mod csv;
mod dictionaries;
mod digits;
mod ndjson;
mod pack;
pub mod parquet;
mod partitions;
mod portable;
pub mod table;
mod value;

use ::arrow::array::RecordBatch;
use ::arrow::datatypes::SchemaRef;

use crate::error::{EngineError, Result};
use crate::job::{Output, OutputFormat, one_byte};
use crate::part::{Destination, Part};

pub(crate) use aside::Aside;
pub(crate) use cells::{Cells, Column as TextColumn, hex};
pub(crate) use ndjson::write_json;
pub(crate) use pack::{Joined, Packing};
pub(crate) use partitions::{Bundled, check as check_partitions, unbundled};
pub(crate) use portable::{portable_schema, portable_type};
pub(crate) use table::text as table_text;
pub(crate) use value::{MAX_SCALAR_BYTES, Scalar};

/// Writes one task's rows.
pub trait PartSink: Send {
    /// Add rows.
    ///
    /// # Errors
    /// ResourceError DISK_FULL, and others of writing; InvalidJob UNSUPPORTED_TYPE for types the format can't hold.
    fn write(&mut self, batch: &RecordBatch) -> Result<()>;

    /// Add rows that are text of the format already, as whole lines; see [`takes_text`].
    ///
    /// # Errors
    /// ResourceError DISK_FULL, and others of writing.
    fn write_text(&mut self, _text: &[u8], _rows: u64) -> Result<()> {
        Err(EngineError::internal("this output takes no text"))
    }

    /// All of them.
    ///
    /// # Errors
    /// Those of writing.
    fn finish(self: Box<Self>) -> Result<Part>;
}

/// A sink for rows of `schema`.
///
/// # Errors
/// As [`check`], and those of making the part's file.
pub fn open(
    output: &Output,
    schema: SchemaRef,
    destination: &Destination,
) -> Result<Box<dyn PartSink>> {
    check(output)?;
    if !output.partition_by.is_empty() {
        let sink = partitions::PartitionSink::new(output, &schema, destination)?;
        return Ok(Box::new(sink));
    }
    Ok(match output.format {
        OutputFormat::Csv => Box::new(csv::CsvSink::new(output, destination)?),
        OutputFormat::Ndjson => Box::new(ndjson::NdjsonSink::new(output, destination)?),
        OutputFormat::Parquet => Box::new(parquet::ParquetSink::new(output, &schema, destination)?),
        OutputFormat::Arrow => Box::new(arrow::ArrowSink::new(&schema, destination)?),
        OutputFormat::Table => Box::new(table::TableSink::new(schema, destination)),
    })
}

/// The delimiter of text that an output takes as it is; None: it takes none.
pub fn takes_text(output: &Output) -> Option<u8> {
    if !output.partition_by.is_empty() {
        return None;
    }
    match output.format {
        OutputFormat::Csv if !output.formula_safe => delimiter(output).ok(),
        _ => None,
    }
}

/// Whether the options of an output fit together.
///
/// # Errors
/// InvalidJob INVALID_DIALECT and INVALID_OUTPUT.
pub fn check(output: &Output) -> Result<()> {
    delimiter(output)?;
    match output.format {
        OutputFormat::Parquet => parquet::compression(output).map(drop),
        _ => Packing::of(output).map(drop),
    }
}

/// Between the fields of CSV.
///
/// # Errors
/// InvalidJob INVALID_DIALECT.
pub fn delimiter(output: &Output) -> Result<u8> {
    let delimiter = output
        .delimiter
        .as_deref()
        .map_or(Ok(b','), |text| one_byte("delimiter", text))?;
    if delimiter == b'"' {
        return Err(EngineError::invalid_job(
            "INVALID_DIALECT",
            "The delimiter can't be the quote.",
        ));
    }
    Ok(delimiter)
}

/// How the names of an output's files end: `csv`, `ndjson.gz`.
///
/// # Errors
/// As [`check`].
pub fn extension(output: &Output) -> Result<String> {
    let format = match output.format {
        OutputFormat::Csv => "csv",
        OutputFormat::Ndjson => "ndjson",
        OutputFormat::Parquet => "parquet",
        OutputFormat::Arrow => "arrow",
        OutputFormat::Table => "txt",
    };
    let packing = Packing::of(output)?.map_or("", Packing::extension);
    Ok(format!("{format}{packing}"))
}
