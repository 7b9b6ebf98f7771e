//! One Parquet file from the parts' files: row groups are copied as they are, page by page, without decoding. Parts of
//! few rows are decoded and gathered, so that many small parts do not make a file of many small row groups.

use std::io::BufWriter;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::reader::ChunkReader;
use parquet::file::writer::SerializedFileWriter;

use super::target::{Target, not_written};
use crate::error::{EngineError, Result};
use crate::job::Output;
use crate::part::{Content, Part, open_whole};
use crate::sink::parquet::{properties, write_error};
use crate::sink::portable_schema;

/// Parts with fewer rows are gathered.
const SMALL_PART_ROWS: u64 = 64 << 10;

/// Gathered rows become a row group when there are this many.
const GATHERED_ROWS: u64 = 512 << 10;

type Out = BufWriter<Target>;

/// The file, begun with the first part because the parts know its schema best.
pub(super) struct ParquetFile {
    output: Output,
    target: Option<Target>,
    writer: Option<SerializedFileWriter<Out>>,
    gathered: Option<ArrowWriter<Vec<u8>>>,
    gathered_rows: u64,
}

impl ParquetFile {
    pub(super) fn new(target: Target, output: &Output) -> Self {
        Self {
            output: output.clone(),
            target: Some(target),
            writer: None,
            gathered: None,
            gathered_rows: 0,
        }
    }

    pub(super) fn append(&mut self, part: &Part) -> Result<()> {
        match part.content() {
            Content::Memory(chunks) => self.take_in(Bytes::from(chunks.concat()), part.rows()),
            Content::File(path) => self.take_in(open_whole(path, part.size_bytes())?, part.rows()),
        }
    }

    pub(super) fn finish(mut self, schema: &SchemaRef) -> Result<Target> {
        self.flush_gathered()?;
        let out = match (self.writer.take(), self.target.take()) {
            (Some(writer), _) => writer.into_inner().map_err(failed)?,
            (None, Some(target)) => {
                let out = BufWriter::new(target);
                ArrowWriter::try_new(
                    out,
                    portable_schema(schema),
                    Some(properties(&self.output)?),
                )
                .and_then(ArrowWriter::into_inner)
                .map_err(failed)?
            }
            (None, None) => return Err(EngineError::internal("a Parquet file has no target")),
        };
        out.into_inner().map_err(|e| not_written(e.into_error()))
    }

    fn take_in<R: ChunkReader + 'static>(&mut self, reader: R, rows: u64) -> Result<()> {
        let metadata = ParquetMetaDataReader::new()
            .with_page_index_policy(PageIndexPolicy::Optional)
            .parse_and_finish(&reader)
            .map_err(failed)?;
        self.begin(&metadata)?;
        if rows < SMALL_PART_ROWS {
            return self.gather(reader, rows);
        }
        self.flush_gathered()?;
        self.splice(&reader, &metadata)
    }

    fn begin(&mut self, metadata: &ParquetMetaData) -> Result<()> {
        let Some(target) = self.target.take() else {
            return Ok(());
        };
        let file = metadata.file_metadata();
        let properties = properties(&self.output)?
            .into_builder()
            .set_key_value_metadata(file.key_value_metadata().cloned())
            .build();
        let schema = file.schema_descr().root_schema_ptr();
        let out = BufWriter::with_capacity(1 << 20, target);
        let writer =
            SerializedFileWriter::new(out, schema, Arc::new(properties)).map_err(failed)?;
        self.writer = Some(writer);
        Ok(())
    }

    fn gather<R: ChunkReader + 'static>(&mut self, reader: R, rows: u64) -> Result<()> {
        let reader = ParquetRecordBatchReaderBuilder::try_new(reader)
            .and_then(ParquetRecordBatchReaderBuilder::build)
            .map_err(failed)?;
        for batch in reader {
            let batch = batch?;
            if self.gathered.is_none() {
                let properties = properties(&self.output)?;
                let writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties));
                self.gathered = Some(writer.map_err(failed)?);
            }
            if let Some(writer) = &mut self.gathered {
                writer.write(&batch).map_err(failed)?;
            }
        }
        self.gathered_rows += rows;
        if self.gathered_rows >= GATHERED_ROWS {
            self.flush_gathered()?;
        }
        Ok(())
    }

    fn flush_gathered(&mut self) -> Result<()> {
        self.gathered_rows = 0;
        let Some(writer) = self.gathered.take() else {
            return Ok(());
        };
        let bytes = Bytes::from(writer.into_inner().map_err(failed)?);
        let metadata = ParquetMetaDataReader::new()
            .with_page_index_policy(PageIndexPolicy::Optional)
            .parse_and_finish(&bytes)
            .map_err(failed)?;
        self.splice(&bytes, &metadata)
    }

    fn splice<R: ChunkReader>(&mut self, reader: &R, metadata: &ParquetMetaData) -> Result<()> {
        let Some(writer) = &mut self.writer else {
            return Err(EngineError::internal("a Parquet file was not begun"));
        };
        for (number, group) in metadata.row_groups().iter().enumerate() {
            let column_indexes = metadata.column_index().and_then(|all| all.get(number));
            let offset_indexes = metadata.offset_index().and_then(|all| all.get(number));
            let mut group_out = writer.next_row_group().map_err(failed)?;
            for (position, column) in group.columns().iter().enumerate() {
                let closed = ColumnCloseResult {
                    bytes_written: column.compressed_size().try_into().unwrap_or(0),
                    rows_written: group.num_rows().try_into().unwrap_or(0),
                    metadata: column.clone(),
                    bloom_filter: None,
                    column_index: column_indexes.and_then(|all| all.get(position)).cloned(),
                    offset_index: offset_indexes.and_then(|all| all.get(position)).cloned(),
                };
                group_out.append_column(reader, closed).map_err(failed)?;
            }
            group_out.close().map_err(failed)?;
        }
        Ok(())
    }
}

fn failed(error: ParquetError) -> EngineError {
    write_error(error, not_written)
}
