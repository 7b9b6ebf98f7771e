//! All rows of a source in order, file after file, on one thread; rows that can't be read are left out. For looking at
//! data: jobs read through [`crate::scan`].

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use karyaksham_text::{BadRowPolicy, ShardRange, Start, TextScan};
use parquet::arrow::ProjectionMask;

use crate::error::Result;
use crate::job::{FileFormat, MAX_RECORD_BYTES, Source, Validate};
use crate::scan::{ArrowRows, Reading, Shape, Table, TextFile, open_arrow, open_unchanged};
use crate::storage;

const MAX_BATCH_ROWS: usize = 8192;

/// Reads a source.
pub(crate) struct Rows<'a> {
    source: &'a Source,
    batch_rows: usize,
    schema: SchemaRef,
    projection: Vec<usize>,
    next_file: usize,
    bytes_before: u64,
    open: Option<Open>,
}

enum Open {
    Text(Box<dyn TextScan>, Shape),
    Parquet(storage::Batches, Shape),
    Arrow(Box<ArrowRows>),
}

impl<'a> Rows<'a> {
    /// In batches of at most `batch_rows` rows, where the format lets it.
    ///
    /// # Errors
    /// SourceError UNSUPPORTED_FORMAT, InvalidJob for columns that can't be read.
    pub(crate) fn new(source: &'a Source, batch_rows: usize) -> Result<Self> {
        let schema = Table::new(0, source, 1)?.schema();
        Ok(Self {
            source,
            batch_rows: batch_rows.clamp(1, MAX_BATCH_ROWS),
            projection: (0..schema.fields().len()).collect(),
            schema,
            next_file: 0,
            bytes_before: 0,
            open: None,
        })
    }

    /// Of text files.
    pub(crate) fn bytes_read(&self) -> u64 {
        match &self.open {
            Some(Open::Text(scan, _)) => self.bytes_before + scan.report().bytes_read,
            _ => self.bytes_before,
        }
    }

    /// The next rows, perhaps none of them yet; None at the end.
    ///
    /// # Errors
    /// SourceError where a file is missing or has changed.
    pub(crate) fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            let batch = match &mut self.open {
                None => Ok(None),
                Some(Open::Text(scan, shape)) => {
                    let batch = scan.next_batch().map_err(Into::into);
                    scan.take_rejects();
                    shaped(batch, shape)
                }
                Some(Open::Parquet(reader, shape)) => {
                    let batch = reader.next().transpose();
                    let in_order = |batch: RecordBatch| Ok(batch.project(shape.read())?);
                    shaped(batch.and_then(|b| b.map(in_order).transpose()), shape)
                }
                Some(Open::Arrow(rows)) => rows.next_batch(),
            };
            let batch = match batch {
                Ok(batch) => batch,
                Err(error) => return Err(self.in_file(error)),
            };
            if batch.is_some() {
                return Ok(batch);
            }
            self.bytes_before = self.bytes_read();
            self.open = None;
            if self.next_file == self.source.files.len() {
                return Ok(None);
            }
            self.open = Some(self.open_file(self.next_file)?);
            self.next_file += 1;
        }
    }

    fn in_file(&self, error: crate::EngineError) -> crate::EngineError {
        error.in_file(&self.source.files[self.next_file - 1].path)
    }

    fn open_file(&self, number: usize) -> Result<Open> {
        let path = &self.source.files[number].path;
        let opened = match self.source.format {
            FileFormat::Parquet => self.parquet(number),
            FileFormat::Arrow => self.arrow(number),
            FileFormat::Csv | FileFormat::Ndjson => self.text(number),
        };
        opened.map_err(|e| e.in_file(path))
    }

    fn text(&self, number: usize) -> Result<Open> {
        let text = TextFile::open(self.source, number)?;
        let data_start = text.data_start()?;
        let range = ShardRange {
            lo: data_start,
            hi: text.size_bytes(),
            start: Start::Exact(data_start),
        };
        let (shape, schema) = Shape::of_text(self.source, number, &self.schema, &self.projection)?;
        let reading = Reading {
            projection: shape.read().to_vec(),
            schema,
            filter: None,
            verbatim: None,
            carries: None,
            validate: Validate::Touched,
            bad_rows: BadRowPolicy::RejectRow,
            batch_rows: self.batch_rows,
            max_record_bytes: MAX_RECORD_BYTES,
        };
        Ok(Open::Text(text.scan(reading, range)?.0, shape))
    }

    fn parquet(&self, number: usize) -> Result<Open> {
        let file = open_unchanged(self.source, number)?;
        let metadata = storage::metadata(&file)?;
        let (schema, projection) = (&self.schema, &self.projection);
        let in_file = Arc::clone(metadata.schema());
        let shape = Shape::of_schema(self.source, number, schema, projection, &in_file)?;
        // Columns come in the order of the file, and only those that are read.
        let mut read = shape.read().to_vec();
        read.sort_unstable();
        let mask = ProjectionMask::roots(metadata.parquet_schema(), read.iter().copied());
        let in_order: Schema = in_file.project(&read)?;
        let shape = Shape::of_schema(self.source, number, schema, projection, &in_order)?;
        let batches = storage::rows(file, metadata, mask, self.batch_rows)?;
        Ok(Open::Parquet(batches, shape))
    }

    fn arrow(&self, number: usize) -> Result<Open> {
        let file = open_arrow(self.source, number)?;
        let count = file.batches().count();
        let table = (&self.schema, self.projection.as_slice());
        let rows = ArrowRows::new(file, self.source, number, table, 0, count)?;
        Ok(Open::Arrow(Box::new(rows)))
    }
}

fn shaped(batch: Result<Option<RecordBatch>>, shape: &Shape) -> Result<Option<RecordBatch>> {
    batch?.map(|batch| shape.apply(batch)).transpose()
}
