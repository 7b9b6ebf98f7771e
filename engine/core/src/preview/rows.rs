//! All rows of a source in order, file after file, on one thread; rows that can't be read are left out. For looking at
//! data: jobs read through [`crate::scan`].

use std::fs::File;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::FileReader;
use datafusion::catalog::TableProvider;
use karyaksham_text::{BadRowPolicy, ShardRange, Start, TextScan};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use crate::error::Result;
use crate::job::{FileFormat, MAX_RECORD_BYTES, Source};
use crate::scan::{Reading, Table, TextFile, open_unchanged};

const MAX_BATCH_ROWS: usize = 8192;

/// Reads a source.
pub(crate) struct Rows<'a> {
    source: &'a Source,
    batch_rows: usize,
    schema: Option<SchemaRef>,
    next_file: usize,
    bytes_before: u64,
    open: Option<Open>,
}

enum Open {
    Text(Box<dyn TextScan>),
    Parquet(Box<ParquetRecordBatchReader>),
    Arrow(Box<FileReader<std::io::BufReader<File>>>),
}

impl<'a> Rows<'a> {
    /// In batches of at most `batch_rows` rows, where the format lets it.
    ///
    /// # Errors
    /// SourceError UNSUPPORTED_FORMAT, InvalidJob for columns that can't be read.
    pub(crate) fn new(source: &'a Source, batch_rows: usize) -> Result<Self> {
        let schema = match source.format {
            FileFormat::Arrow => None,
            _ => Some(Table::new(0, source, 1)?.schema()),
        };
        Ok(Self {
            source,
            batch_rows: batch_rows.clamp(1, MAX_BATCH_ROWS),
            schema,
            next_file: 0,
            bytes_before: 0,
            open: None,
        })
    }

    /// Of text files.
    pub(crate) fn bytes_read(&self) -> u64 {
        match &self.open {
            Some(Open::Text(scan)) => self.bytes_before + scan.report().bytes_read,
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
                None => None,
                Some(Open::Text(scan)) => {
                    let batch = scan.next_batch();
                    scan.take_rejects();
                    batch.map_err(|e| self.in_file(e.into()))?
                }
                Some(Open::Parquet(reader)) => reader
                    .next()
                    .transpose()
                    .map_err(|e| self.in_file(e.into()))?,
                Some(Open::Arrow(reader)) => reader
                    .next()
                    .transpose()
                    .map_err(|e| self.in_file(e.into()))?,
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
        let file = open_unchanged(self.source, number)?;
        let opened = match self.source.format {
            FileFormat::Parquet => parquet(file, self.batch_rows),
            FileFormat::Arrow => FileReader::try_new_buffered(file, None)
                .map(|reader| Open::Arrow(Box::new(reader)))
                .map_err(Into::into),
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
        let schema = self
            .schema
            .clone()
            .unwrap_or_else(|| Arc::new(arrow::datatypes::Schema::empty()));
        let reading = Reading {
            projection: (0..schema.fields().len()).collect(),
            schema,
            filter: None,
            verbatim: None,
            bad_rows: BadRowPolicy::RejectRow,
            batch_rows: self.batch_rows,
            max_record_bytes: MAX_RECORD_BYTES,
        };
        Ok(Open::Text(text.scan(reading, range).0))
    }
}

fn parquet(file: File, batch_rows: usize) -> Result<Open> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)?
        .with_batch_size(batch_rows)
        .build()?;
    Ok(Open::Parquet(Box::new(reader)))
}
