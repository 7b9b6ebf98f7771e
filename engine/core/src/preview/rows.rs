//! All rows of a source, or of some spans of its files, in order and on one thread; rows that can't be read are left out. For looking at
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

/// Some rows of a file that stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Span {
    /// All.
    File,
    /// Those of a piece of a text file.
    Text(ShardRange),
    /// Those of some row groups of a Parquet file, or batches of an Arrow file: the first, and how many.
    Blocks(usize, usize),
}

/// Reads a source.
pub(crate) struct Rows<'a> {
    source: &'a Source,
    batch_rows: usize,
    schema: SchemaRef,
    projection: Vec<usize>,
    /// With the numbers of their files.
    spans: Vec<(usize, Span)>,
    next_span: usize,
    bytes_before: u64,
    first: u64,
    end: u64,
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
        let files = 0..source.files.len();
        Self::of(source, batch_rows, files.map(|f| (f, Span::File)).collect())
    }

    /// The same, of these spans alone.
    ///
    /// # Errors
    /// As `new`.
    pub(crate) fn of(
        source: &'a Source,
        batch_rows: usize,
        spans: Vec<(usize, Span)>,
    ) -> Result<Self> {
        let schema = Table::new(0, source, 1)?.schema();
        Ok(Self {
            source,
            batch_rows: batch_rows.clamp(1, MAX_BATCH_ROWS),
            projection: (0..schema.fields().len()).collect(),
            schema,
            spans,
            next_span: 0,
            bytes_before: 0,
            first: 0,
            end: 0,
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

    /// Once all is read: where the records of the first span began, if it is of text, and where those of the last one ended.
    pub(crate) fn ends(&self) -> (u64, u64) {
        (self.first, self.end)
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
            if let Some(Open::Text(scan, _)) = &self.open {
                if self.next_span == 1 {
                    self.first = scan.report().first;
                }
                self.end = scan.report().end;
            }
            self.open = None;
            let Some((number, span)) = self.spans.get(self.next_span) else {
                return Ok(None);
            };
            self.open = Some(self.open_span(*number, *span)?);
            self.next_span += 1;
        }
    }

    fn in_file(&self, error: crate::EngineError) -> crate::EngineError {
        let (number, _) = self.spans[self.next_span - 1];
        error.in_file(&self.source.files[number].path)
    }

    fn open_span(&self, number: usize, span: Span) -> Result<Open> {
        let path = &self.source.files[number].path;
        let opened = match self.source.format {
            FileFormat::Parquet => self.parquet(number, span),
            FileFormat::Arrow => self.arrow(number, span),
            FileFormat::Csv | FileFormat::Ndjson => self.text(number, span),
        };
        opened.map_err(|e| e.in_file(path))
    }

    fn text(&self, number: usize, span: Span) -> Result<Open> {
        let text = TextFile::open(self.source, number)?;
        let range = match span {
            Span::Text(range) => range,
            _ => {
                let data_start = text.data_start()?;
                ShardRange {
                    lo: data_start,
                    hi: text.size_bytes(),
                    start: Start::Exact(data_start),
                }
            }
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

    fn parquet(&self, number: usize, span: Span) -> Result<Open> {
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
        let groups = match span {
            Span::Blocks(first, count) => Some(first..first + count),
            _ => None,
        };
        let batches = storage::rows(file, metadata, mask, groups, self.batch_rows)?;
        Ok(Open::Parquet(batches, shape))
    }

    fn arrow(&self, number: usize, span: Span) -> Result<Open> {
        let file = open_arrow(self.source, number)?;
        let (first, count) = match span {
            Span::Blocks(first, count) => (first, count),
            _ => (0, file.batches().count()),
        };
        let table = (&self.schema, self.projection.as_slice());
        let rows = ArrowRows::new(file, self.source, number, table, first, count)?;
        Ok(Open::Arrow(Box::new(rows)))
    }
}

fn shaped(batch: Result<Option<RecordBatch>>, shape: &Shape) -> Result<Option<RecordBatch>> {
    batch?.map(|batch| shape.apply(batch)).transpose()
}
