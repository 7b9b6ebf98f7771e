//! Parquet out: a part is a whole Parquet file, whose row groups the commit splices into the output without decoding.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use parquet::arrow::add_encoded_arrow_schema_to_metadata;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use super::PartSink;
use super::columns::Columns;
use super::dictionaries;
use super::portable::{portable, portable_schema};
use crate::error::{EngineError, Result};
use crate::job::Output;
use crate::part::{Destination, Part, PartBuffer, not_kept};

/// A row group is held in memory while it is made.
const MAX_ROW_GROUP_BYTES: usize = 128 << 20;
const MAX_ROW_GROUP_ROWS: usize = 1 << 20;

/// A part in Parquet. The writer is made with the first rows, which tell how to write them.
pub(super) struct ParquetSink {
    output: Output,
    /// As the rows come: strings may be views, which the writer takes as they are.
    written: SchemaRef,
    /// As others read it.
    portable: SchemaRef,
    buffer: Option<PartBuffer>,
    writer: Option<Columns<PartBuffer>>,
    rows: u64,
}

impl ParquetSink {
    pub(super) fn new(output: &Output, schema: &Schema, destination: &Destination) -> Result<Self> {
        compression(output)?;
        let portable = portable_schema(schema);
        Ok(Self {
            output: output.clone(),
            written: with_views(schema, &portable),
            portable,
            buffer: Some(PartBuffer::new(destination, "output.parquet")?),
            writer: None,
            rows: 0,
        })
    }

    fn writer(&mut self, first: Option<&RecordBatch>) -> Result<&mut Columns<PartBuffer>> {
        if let Some(buffer) = self.buffer.take() {
            let mut builder = properties(&self.output)?.into_builder();
            let without = first.map(dictionaries::without).transpose()?;
            let without = without.unwrap_or_default();
            for (column, encoding) in &without {
                let path = ColumnPath::from(vec![self.portable.field(*column).name().clone()]);
                builder = builder
                    .set_column_dictionary_enabled(path.clone(), false)
                    .set_column_encoding(path, *encoding);
            }
            let mut properties = builder.build();
            add_encoded_arrow_schema_to_metadata(&self.portable, &mut properties);
            let compression = compression(&self.output)?;
            let writer = Columns::new(buffer, &self.written, properties, compression, &without)
                .map_err(|e| write_error(e, not_kept))?;
            return Ok(self.writer.insert(writer));
        }
        self.writer
            .as_mut()
            .ok_or_else(|| EngineError::internal("a Parquet part was ended before"))
    }
}

impl PartSink for ParquetSink {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        for batch in portable(batch, &self.written)? {
            self.writer(Some(&batch))?
                .write(&batch)
                .map_err(|e| write_error(e, not_kept))?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Part> {
        self.writer(None)?;
        let writer = self
            .writer
            .ok_or_else(|| EngineError::internal("a Parquet part was ended before"))?;
        let buffer = writer.finish().map_err(|e| write_error(e, not_kept))?;
        let (content, size_bytes) = buffer.finish()?;
        Ok(Part::new(content, self.rows, size_bytes))
    }
}

/// `portable`, but with the string views of `schema` outside of nested types.
fn with_views(schema: &Schema, portable: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().zip(portable.fields());
    let fields: Vec<FieldRef> = fields
        .map(|(field, portable)| match field.data_type() {
            DataType::Utf8View => Arc::clone(field),
            _ => Arc::clone(portable),
        })
        .collect();
    Arc::new(Schema::new(fields))
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
