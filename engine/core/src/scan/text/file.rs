//! One text file of a source: its bytes, and the scan that its format needs. Whatever reads text comes through here.

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use karyaksham_text::{
    BadRowPolicy, CsvScan, Dialect, FileSource, ReadAt, RowFilter, SIZE_UNKNOWN, ScanOptions,
    ShardRange, Start, TextError, TextScan, cut, decode, sniff,
};

use super::no_dialect;
use crate::error::{EngineError, Result};
use crate::job::{Source, Validate};
use crate::scan::open_unchanged;

/// A file that has not changed since the job was made.
pub(crate) struct TextFile<'a> {
    path: &'a str,
    dialect: Dialect,
    /// Its text, whatever is stored.
    bytes: Arc<dyn ReadAt>,
    stored_bytes: u64,
}

/// What a scan is to do with the records of a file.
pub(crate) struct Reading {
    /// All columns of the file, in its order.
    pub(crate) schema: SchemaRef,
    /// The columns to decode, in the order of the output.
    pub(crate) projection: Vec<usize>,
    /// Which rows are wanted; None: all.
    pub(crate) filter: Option<Box<dyn RowFilter>>,
    /// Rows are wanted as text with this delimiter, where the file has them so.
    pub(crate) verbatim: Option<u8>,
    /// Whether bad values count in columns that are not read.
    pub(crate) validate: Validate,
    /// What to do with bad records.
    pub(crate) bad_rows: BadRowPolicy,
    /// At most this many rows a batch.
    pub(crate) batch_rows: usize,
    /// A longer record is rejected.
    pub(crate) max_record_bytes: usize,
}

impl<'a> TextFile<'a> {
    /// The file `number` of a source.
    ///
    /// # Errors
    /// SourceError SOURCE_NOT_FOUND, SOURCE_CHANGED, UNSUPPORTED_FORMAT; InvalidJob INVALID_DIALECT.
    pub(crate) fn open(source: &'a Source, number: usize) -> Result<Self> {
        Self::open_within(source, number, None)
    }

    /// The same, of which no more than `max_text_bytes` are decompressed; None: as much as is believable.
    ///
    /// # Errors
    /// As `open`.
    pub(crate) fn open_within(
        source: &'a Source,
        number: usize,
        max_text_bytes: Option<u64>,
    ) -> Result<Self> {
        let given = source
            .dialect_of(number)
            .ok_or_else(|| no_dialect(source))?;
        let dialect = given.to_text()?;
        drop(open_unchanged(source, number)?);
        let path = source.files[number].path.as_str();
        let in_file = |e: std::io::Error| EngineError::from(e).in_file(path);
        let stored: Arc<dyn ReadAt> = Arc::new(FileSource::open(Path::new(path)).map_err(in_file)?);
        let compression = given
            .compression_of(&*stored)
            .map_err(|e| e.in_file(path))?;
        let stored_bytes = stored.size_bytes();
        Ok(Self {
            path,
            bytes: decode::text_of(stored, compression, dialect.encoding, max_text_bytes)
                .map_err(|e| EngineError::from(TextError::reading(0, e)).in_file(path))?,
            dialect,
            stored_bytes,
        })
    }

    /// Offset of the first record, past a BOM, skipped lines and the header.
    ///
    /// # Errors
    /// Those of reading.
    pub(crate) fn data_start(&self) -> Result<u64> {
        sniff::data_start(&*self.bytes, &self.dialect)
            .map_err(|e| EngineError::from(e).in_file(self.path))
    }

    /// Offset of its end, as far as it is known.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.bytes.size_bytes()
    }

    /// Pieces of about `target` bytes, each with the stored bytes that it reads; one piece where cutting gains nothing.
    ///
    /// # Errors
    /// Those of reading.
    pub(crate) fn shards(&self, target: u64) -> Result<Vec<(ShardRange, u64)>> {
        let start = self.data_start()?;
        if self.bytes.is_stream() {
            let range = ShardRange {
                lo: start,
                hi: SIZE_UNKNOWN,
                start: Start::Exact(start),
            };
            return Ok(vec![(range, self.stored_bytes)]);
        }
        let ranges = cut(start, self.bytes.size_bytes().max(start), target);
        let stored = |range: &ShardRange| self.bytes.stored_bytes(range.lo, range.hi);
        Ok(ranges.into_iter().map(|r| (r, stored(&r))).collect())
    }

    /// Physical lines before the first record.
    ///
    /// # Errors
    /// Those of reading.
    pub(crate) fn header_lines(&self) -> Result<u64> {
        sniff::header_lines(&*self.bytes, &self.dialect)
            .map_err(|e| EngineError::from(e).in_file(self.path))
    }

    /// Its text, which says how many stored bytes were read.
    pub(crate) fn bytes(&self) -> Arc<dyn ReadAt> {
        Arc::clone(&self.bytes)
    }

    /// A scan of `range`, which has read nothing yet, and whether it hands rows on as text.
    pub(crate) fn scan(self, reading: Reading, range: ShardRange) -> (Box<dyn TextScan>, bool) {
        let options = Arc::new(ScanOptions {
            dialect: self.dialect,
            schema: reading.schema,
            projection: reading.projection,
            bad_rows: reading.bad_rows,
            batch_rows: reading.batch_rows,
            max_record_bytes: reading.max_record_bytes,
        });
        let scan = || {
            let scan = CsvScan::new(Arc::clone(&self.bytes), Arc::clone(&options), range);
            match reading.validate {
                Validate::Touched => scan,
                Validate::All => scan.validate_all(),
            }
        };
        let verbatim = reading.verbatim.and_then(|d| scan().verbatim(d));
        let is_text = verbatim.is_some();
        let mut scan = verbatim.unwrap_or_else(scan);
        if let Some(filter) = reading.filter {
            scan = scan.with_filter(filter);
        }
        (Box::new(scan), is_text)
    }
}
