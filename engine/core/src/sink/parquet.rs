//! Parquet out: a part is a whole Parquet file, whose row groups the commit splices into the output without decoding.

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::PartSink;
use super::portable::{portable, portable_schema};
use crate::error::{EngineError, Result};
use crate::job::Output;
use crate::part::{Destination, Part, PartBuffer, not_kept};

/// A row group is held in memory while it is made.
const MAX_ROW_GROUP_BYTES: usize = 128 << 20;
const MAX_ROW_GROUP_ROWS: usize = 1 << 20;

/// A part in Parquet.
pub(super) struct ParquetSink {
    schema: SchemaRef,
    writer: ArrowWriter<PartBuffer>,
    rows: u64,
}

impl ParquetSink {
    pub(super) fn new(output: &Output, schema: &Schema, destination: &Destination) -> Result<Self> {
        let schema = portable_schema(schema);
        let buffer = PartBuffer::new(destination, "output.parquet")?;
        let properties = properties(output)?;
        let writer = ArrowWriter::try_new(buffer, schema.clone(), Some(properties))
            .map_err(|e| write_error(e, not_kept))?;
        Ok(Self {
            schema,
            writer,
            rows: 0,
        })
    }
}

impl PartSink for ParquetSink {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        for batch in portable(batch, &self.schema)? {
            self.writer
                .write(&batch)
                .map_err(|e| write_error(e, not_kept))?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Part> {
        let buffer = self
            .writer
            .into_inner()
            .map_err(|e| write_error(e, not_kept))?;
        let (content, size_bytes) = buffer.finish()?;
        Ok(Part::new(content, self.rows, size_bytes))
    }
}

/// How the pages are compressed.
///
/// # Errors
/// InvalidJob INVALID_OUTPUT.
pub fn compression(output: &Output) -> Result<Compression> {
    match output.compression.as_deref() {
        None | Some("snappy") => Ok(Compression::SNAPPY),
        Some("zstd") => Ok(Compression::ZSTD(ZstdLevel::default())),
        Some("lz4") => Ok(Compression::LZ4_RAW),
        Some("none") => Ok(Compression::UNCOMPRESSED),
        Some(other) => Err(EngineError::invalid_job(
            "INVALID_OUTPUT",
            format!("Parquet can't be written with the compression {other:?}."),
        )
        .hint("Choose snappy, zstd, lz4 or none.")),
    }
}

/// Properties of every Parquet file of ours.
///
/// # Errors
/// As [`compression`].
pub(crate) fn properties(output: &Output) -> Result<WriterProperties> {
    Ok(WriterProperties::builder()
        .set_compression(compression(output)?)
        .set_max_row_group_row_count(Some(MAX_ROW_GROUP_ROWS))
        .set_max_row_group_bytes(Some(MAX_ROW_GROUP_BYTES))
        .set_created_by(concat!("karyaksham ", env!("CARGO_PKG_VERSION")).to_owned())
        .build())
}

/// A failure of writing, whose cause is most often the disk; `storage` says what that means here.
pub(crate) fn write_error(
    error: ParquetError,
    storage: impl Fn(std::io::Error) -> EngineError,
) -> EngineError {
    match error {
        ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
            Ok(inner) => storage(*inner),
            Err(other) => EngineError::internal(format!("Parquet could not be written: {other}")),
        },
        ParquetError::NYI(what) => EngineError::invalid_job(
            "UNSUPPORTED_TYPE",
            format!("Parquet can't hold a column of the result: {what}."),
        )
        .hint("Leave the column out, or cast it."),
        other => EngineError::internal(format!("Parquet could not be written: {other}")),
    }
}
