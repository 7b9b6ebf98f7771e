//! All rows of a source, or of some spans of its files, in order and on one thread; rows that can't be read are left out. For looking at
//! data: jobs read through [`crate::scan`].

use std::collections::VecDeque;
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
    /// Rows of the first span that are dropped: only of Parquet, whose pages can be passed over.
    skipped: usize,
    rejected: u64,
    counting: Option<Counting>,
}

/// Which rows of the table come. Numbers count from 0, rows that can't be read among them.
#[derive(Debug, Default)]
struct Counting {
    /// The number of the next row.
    next: u64,
    /// The number of the first row of the span that is open.
    span: u64,
    /// Those that could not be read, as far as they are known, from `next` on.
    rejected: VecDeque<u64>,
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
            skipped: 0,
            rejected: 0,
            counting: None,
        })
    }

    /// With numbers, of which the first row has `first`; but for Parquet without the first `skipped` rows.
    #[must_use]
    pub(crate) fn numbered(mut self, first: u64, skipped: usize) -> Self {
        self.skipped = skipped;
        self.counting = Some(Counting {
            next: first + skipped as u64,
            span: first,
            rejected: VecDeque::new(),
        });
        self
    }

    /// The numbers of the `rows` rows that came last: to be asked for each batch.
    pub(crate) fn numbers(&mut self, rows: usize) -> Vec<u64> {
        let Some(counting) = &mut self.counting else {
            return Vec::new();
        };
        (0..rows).map(|_| counting.take()).collect()
    }

    /// Once all is read: the number after the last.
    pub(crate) fn number_after(&self) -> u64 {
        let counting = self.counting.as_ref();
        counting.map_or(0, |counting| counting.next.max(counting.span))
    }

    /// Rows that could not be read so far.
    pub(crate) fn rejected(&self) -> u64 {
        self.rejected
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
                    let rejects = scan.take_rejects();
                    self.rejected += rejects.len() as u64;
                    if let Some(counting) = &mut self.counting {
                        let numbers = rejects.iter().map(|r| counting.span + r.row - 1);
                        counting.rejected.extend(numbers);
                    }
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
                if let Some(counting) = &mut self.counting {
                    counting.span += scan.report().rows_read;
                }
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

    fn open_span(&mut self, number: usize, span: Span) -> Result<Open> {
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

    fn parquet(&mut self, number: usize, span: Span) -> Result<Open> {
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
        let skipped = std::mem::take(&mut self.skipped);
        let batches = storage::rows(file, metadata, mask, (groups, skipped), self.batch_rows)?;
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

impl Counting {
    /// The number of the next row that could be read.
    fn take(&mut self) -> u64 {
        while self.rejected.front() == Some(&self.next) {
            self.rejected.pop_front();
            self.next += 1;
        }
        self.next += 1;
        self.next - 1
    }
}

fn shaped(batch: Result<Option<RecordBatch>>, shape: &Shape) -> Result<Option<RecordBatch>> {
    batch?.map(|batch| shape.apply(batch)).transpose()
}
