//! One text file of a source: its bytes, and the scan that its format needs. Whatever reads text comes through here.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use karyaksham_text::{
    BadRowPolicy, Compression, CsvScan, Dialect, JsonOptions, JsonScan, ReadAt, RowFilter,
    SIZE_UNKNOWN, ScanOptions, ShardRange, Start, TextError, TextScan, at_marks, cut, decode,
    sniff,
};

use super::no_dialect;
use crate::error::{EngineError, Result};
use crate::job::{FileFormat, RecordIndex, Source, Validate};
use crate::scan::open_unchanged;

/// A file that has not changed since the job was made.
pub(crate) struct TextFile<'a> {
    path: &'a str,
    grammar: Grammar,
    /// Its text, whatever is stored.
    bytes: Arc<dyn ReadAt>,
    stored_bytes: u64,
    index: Option<&'a RecordIndex>,
}

/// What the bytes are.
enum Grammar {
    Csv(Dialect),
    Ndjson,
}

impl Grammar {
    /// What tells where the first record begins. A byte order mark is all that may come before that of NDJSON.
    fn dialect(&self) -> Dialect {
        match self {
            Self::Csv(dialect) => dialect.clone(),
            Self::Ndjson => Dialect {
                has_header: false,
                ..Dialect::default()
            },
        }
    }
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
    /// Each row is wanted as the text of some columns too, which the file must have so.
    pub(crate) carries: Option<Carries>,
    /// Whether bad values count in columns that are not read.
    pub(crate) validate: Validate,
    /// What to do with bad records.
    pub(crate) bad_rows: BadRowPolicy,
    /// At most this many rows a batch.
    pub(crate) batch_rows: usize,
    /// A longer record is rejected.
    pub(crate) max_record_bytes: usize,
}

/// Rows that come with the text of some of their columns, see [`CsvScan::carrying`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Carries {
    /// Of the file, in the order of the text.
    pub(crate) columns: Vec<usize>,
    /// Between them.
    pub(crate) delimiter: u8,
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
        let given = source.dialect_of(number);
        let dialect = given.map(|given| given.to_text()).transpose()?;
        let encoding = dialect.as_ref().map_or(decode::UTF_8, |d| d.encoding);
        let grammar = match (source.format, dialect) {
            (FileFormat::Ndjson, _) => Grammar::Ndjson,
            (_, Some(dialect)) => Grammar::Csv(dialect),
            (_, None) => return Err(no_dialect(source)),
        };
        let opened = open_unchanged(source, number)?;
        let path = source.files[number].path.as_str();
        let stored = opened.into_source(path).map_err(|e| e.in_file(path))?;
        let compression = match given {
            Some(dialect) => dialect.compression_of(&*stored),
            None => Compression::detect(&*stored).map_err(Into::into),
        };
        let compression = compression.map_err(|e| e.in_file(path))?;
        let stored_bytes = stored.size_bytes();
        Ok(Self {
            path,
            grammar,
            bytes: decode::text_of(stored, compression, encoding, max_text_bytes)
                .map_err(|e| EngineError::from(TextError::reading(0, e)).in_file(path))?,
            stored_bytes,
            index: source.files[number].index.as_ref(),
        })
    }

    /// Offset of the first record, past a BOM, skipped lines and the header.
    ///
    /// # Errors
    /// Those of reading.
    pub(crate) fn data_start(&self) -> Result<u64> {
        sniff::data_start(&*self.bytes, &self.grammar.dialect())
            .map_err(|e| EngineError::from(e).in_file(self.path))
    }

    /// Whether it can only be read from the first byte on.
    pub(crate) fn is_stream(&self) -> bool {
        self.bytes.is_stream()
    }

    /// Offset of its end, as far as it is known.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.bytes.size_bytes()
    }

    /// Pieces of about `target` bytes, each with the stored bytes that it reads; one piece where cutting gains nothing.
    /// Where there is an index of the file, they begin where it says that records do.
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
        let marks = self.index.map_or(&[][..], |index| &index.marks);
        let ranges = at_marks(ranges, marks);
        let stored = |range: &ShardRange| self.bytes.stored_bytes(range.lo, range.hi);
        Ok(ranges.into_iter().map(|r| (r, stored(&r))).collect())
    }

    /// Physical lines before the first record.
    ///
    /// # Errors
    /// Those of reading.
    pub(crate) fn header_lines(&self) -> Result<u64> {
        sniff::header_lines(&*self.bytes, &self.grammar.dialect())
            .map_err(|e| EngineError::from(e).in_file(self.path))
    }

    /// Whether its rows can be carried as text with this delimiter.
    pub(crate) fn carries(&self, schema: SchemaRef, delimiter: u8) -> bool {
        let Grammar::Csv(dialect) = &self.grammar else {
            return false;
        };
        let options = ScanOptions {
            dialect: dialect.clone(),
            schema,
            projection: Vec::new(),
            bad_rows: BadRowPolicy::FailJob,
            batch_rows: 1,
            max_record_bytes: 1,
        };
        let nothing = ShardRange {
            lo: 0,
            hi: 0,
            start: Start::Exact(0),
        };
        let scan = CsvScan::new(Arc::clone(&self.bytes), Arc::new(options), nothing);
        scan.carrying(&[], delimiter).is_some()
    }

    /// Its text, which says how many stored bytes were read.
    pub(crate) fn bytes(&self) -> Arc<dyn ReadAt> {
        Arc::clone(&self.bytes)
    }

    /// A scan of `range`, which has read nothing yet, and whether it hands rows on as text.
    ///
    /// # Errors
    /// SourceError SOURCE_CHANGED where rows can no longer be carried as text.
    pub(crate) fn scan(
        self,
        reading: Reading,
        range: ShardRange,
    ) -> Result<(Box<dyn TextScan>, bool)> {
        let Reading {
            schema,
            projection,
            bad_rows,
            batch_rows,
            max_record_bytes,
            ..
        } = reading;
        self.bytes.will_read(range.lo, range.hi);
        let dialect = match self.grammar {
            Grammar::Csv(dialect) => dialect,
            Grammar::Ndjson => {
                let options = JsonOptions {
                    schema,
                    projection,
                    bad_rows,
                    batch_rows,
                    max_record_bytes,
                };
                let mut scan = JsonScan::new(self.bytes, Arc::new(options), range);
                if reading.validate == Validate::All {
                    scan = scan.validate_all();
                }
                if let Some(filter) = reading.filter {
                    scan = scan.with_filter(filter);
                }
                return Ok((Box::new(scan), false));
            }
        };
        let options = Arc::new(ScanOptions {
            dialect,
            schema,
            projection,
            bad_rows,
            batch_rows,
            max_record_bytes,
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
        if let Some(Carries { columns, delimiter }) = &reading.carries {
            let carrying = scan.carrying(columns, *delimiter);
            scan = carrying.ok_or_else(|| {
                let message = "The file is not in the dialect any more that the job was made for.";
                EngineError::source_error("SOURCE_CHANGED", message).in_file(self.path)
            })?;
        }
        if let Some(filter) = reading.filter {
            scan = scan.with_filter(filter);
        }
        Ok((Box::new(scan), is_text))
    }
}
