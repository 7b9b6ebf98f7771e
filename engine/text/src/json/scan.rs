//! The scan of one shard, chunk by chunk.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::{Schema, SchemaRef};
use memchr::memchr;

use crate::chunk::{ChunkBuffer, PAGE_BYTES};
use crate::csv::machine::{LONGEST_RECORD_BYTES, RAW_BYTES};
use crate::csv::rejects::type_name;
use crate::index::{JsonIndex, Simd};
use crate::{
    BadRowPolicy, JsonOptions, LineEnding, MARK_BYTES, ReadAt, Reject, RowFilter, ShardRange,
    ShardReport, Start, StartFound, TextError, TextScan,
};

use super::columns::Members;
use super::exact::Exact;
use super::faults::Fault;
use super::filter::{Filtered, internal};
use super::learned::Learned;
use super::predict::{Cursor, Predicted};
use super::shapes::Shapes;

/// Large enough that calls are cheap, small enough that bytes and positions stay in the second-level cache.
const CHUNK_BYTES: usize = 256 << 10;
/// How much one call of `next_batch` reads.
const CALL_BYTES: usize = 1 << 20;
/// How much is read at once past the end of the shard, to end its last record.
const OVERRUN_BYTES: usize = 16 << 10;
/// A batch is handed on when the records in it have grown to this.
const BATCH_BYTES: usize = 32 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    New,
    Reading,
    Done,
}

/// Where the lines of the chunk begin that were not read yet.
#[derive(Debug, Default)]
struct Lines {
    /// Index of the next line end.
    next: usize,
    /// How many of them are of this shard.
    owned: usize,
}

/// A scan of one shard of an NDJSON file.
pub struct JsonScan {
    source: Arc<dyn ReadAt>,
    options: Arc<JsonOptions>,
    range: ShardRange,
    chunk_bytes: usize,
    simd: Simd,
    is_exact: bool,
    validates_all: bool,
    phase: Phase,
    report: ShardReport,
    mark_bytes: u64,
    schema: SchemaRef,
    buffer: ChunkBuffer,
    index: JsonIndex,
    lines: Lines,
    cursor: Cursor,
    learned: Learned,
    shapes: Shapes,
    text: (Vec<u8>, Vec<u8>),
    /// In the middle of a line that is too long, or comes before the first record.
    skips_line: bool,
    is_before_first: bool,
    /// The columns that are read, and for each column of the output which of them it is.
    table: Members,
    outputs: Vec<usize>,
    filter: Option<Box<dyn RowFilter>>,
    filtered: Option<Filtered>,
    batch_bytes: usize,
    rejects: Vec<Reject>,
}

impl JsonScan {
    /// Prepare to scan `range` of `source`. Reads nothing yet.
    pub fn new(source: Arc<dyn ReadAt>, options: Arc<JsonOptions>, range: ShardRange) -> Self {
        let fields: Vec<_> = options
            .projection
            .iter()
            .map(|column| options.schema.fields()[*column].clone())
            .collect();
        let report = ShardReport::of(range);
        Self {
            source,
            range,
            chunk_bytes: CHUNK_BYTES,
            simd: Simd::get(),
            is_exact: false,
            validates_all: false,
            phase: Phase::New,
            report,
            mark_bytes: MARK_BYTES,
            schema: Arc::new(Schema::new(fields)),
            buffer: ChunkBuffer::default(),
            index: JsonIndex::default(),
            lines: Lines::default(),
            cursor: Cursor::default(),
            learned: Learned::default(),
            shapes: Shapes::default(),
            text: (vec![], vec![]),
            skips_line: false,
            is_before_first: false,
            table: Members::default(),
            outputs: vec![],
            filter: None,
            filtered: None,
            batch_bytes: 0,
            rejects: vec![],
            options,
        }
    }

    /// For tests and measurements: another chunk size and another structural index. The results are the same.
    #[doc(hidden)]
    pub fn tuned(mut self, chunk_bytes: usize, simd: Simd) -> Self {
        self.chunk_bytes = chunk_bytes.max(1);
        self.buffer.page_bytes = PAGE_BYTES.min(self.chunk_bytes.next_power_of_two());
        self.simd = simd;
        self
    }

    /// For tests: marks every so many bytes.
    #[doc(hidden)]
    pub fn marked(mut self, every_bytes: u64) -> Self {
        self.mark_bytes = every_bytes;
        self
    }

    /// For tests and measurements: every record by the exact reader. The results are the same.
    #[doc(hidden)]
    pub fn exact(mut self) -> Self {
        self.is_exact = true;
        self
    }

    /// Hand on only the rows that `filter` wants. The others are read all the same, and rejected if they are bad.
    pub fn with_filter(mut self, filter: Box<dyn RowFilter>) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Reject records for bad values in any column, also in those that are not decoded.
    pub fn validate_all(mut self) -> Self {
        self.validates_all = true;
        self
    }

    fn max_record_bytes(&self) -> usize {
        self.options.max_record_bytes.clamp(1, LONGEST_RECORD_BYTES)
    }

    fn start(&mut self) -> Result<(), TextError> {
        let mut read: Vec<usize> = match self.validates_all {
            true => (0..self.options.schema.fields().len()).collect(),
            false => self.options.projection.clone(),
        };
        if let Some(filter) = &self.filter {
            read.extend(filter.columns());
        }
        read.sort_unstable();
        read.dedup();
        let place = |column: &usize| read.binary_search(column).unwrap_or_default();
        self.outputs = self.options.projection.iter().map(place).collect();
        let fields: Vec<_> = read
            .iter()
            .map(|column| self.options.schema.fields()[*column].clone())
            .collect();
        self.table = Members::new(&fields, true).map_err(|field| TextError::UnsupportedType {
            column: field.name().clone(),
            data_type: type_name(field.data_type()),
        })?;
        if let Some(filter) = self.filter.take() {
            let (schema, wanted) = (&self.options.schema, self.table.clone());
            let filtered = Filtered::new(filter, schema, place, &self.outputs, wanted)?;
            self.filtered = Some(filtered);
        }

        let size = self.source.size_bytes();
        let (first, is_before_first) = match self.range.start {
            Start::Exact(first) => (first.min(size), false),
            Start::Guess if self.range.lo == 0 || self.range.lo >= size => {
                self.report.start = StartFound::Outside;
                (self.range.lo.min(size), false)
            }
            // The first line begins after the first line end from the byte before.
            Start::Guess => {
                self.report.start = StartFound::Outside;
                (self.range.lo - 1, true)
            }
        };
        self.is_before_first = is_before_first;
        self.skips_line = is_before_first;
        self.buffer.start_at(first);
        self.report.first = if is_before_first {
            self.range.lo
        } else {
            first
        };
        self.report.end = self.report.first;
        let is_empty = !is_before_first && first >= self.range.hi.min(size);
        self.phase = if is_empty {
            Phase::Done
        } else {
            Phase::Reading
        };
        Ok(())
    }

    /// Read and index; all lines of the chunk before were read.
    fn next_chunk(&mut self) -> Result<(), TextError> {
        let size = self.source.size_bytes();
        let hi = self.range.hi.min(size);
        let page_bytes = self.buffer.page_bytes;
        let unit = self.chunk_bytes.next_multiple_of(page_bytes) as u64;
        let to_unit = unit - self.buffer.read_to % unit;
        let to_hi = hi
            .saturating_sub(self.buffer.read_to)
            .next_multiple_of(page_bytes as u64);
        let want = if to_hi > 0 {
            to_unit.min(to_hi)
        } else {
            to_unit.min(OVERRUN_BYTES as u64)
        } as usize;
        let carried = if self.skips_line {
            0
        } else {
            self.buffer.left()
        };
        self.buffer
            .fill(&*self.source, want.max(carried), LineEnding::Lf)?;
        if self.skips_line {
            self.skip_line();
        }
        self.lines = Lines::default();
        self.cursor = Cursor::default();
        if self.skips_line {
            self.index.lines.clear();
            if self.buffer.is_last {
                self.end_shard();
            }
            self.note_progress();
            return Ok(());
        }
        let at = self.buffer.at;
        let stop = at
            + usize::try_from(hi.saturating_sub(self.buffer.offset(at))).unwrap_or(usize::MAX / 2);
        self.index
            .run(self.simd, self.buffer.data(), at, self.buffer.end);
        let lines = &self.index.lines;
        // A line begins one past the line end before it.
        self.lines.owned = match at < stop {
            true => lines
                .len()
                .min(1 + lines.partition_point(|line| (*line as usize) + 1 < stop)),
            false => 0,
        };
        let boundary = match self.lines.owned {
            0 => at,
            owned => lines[owned - 1] as usize + 1,
        };
        if boundary >= stop || (self.buffer.is_last && boundary >= self.buffer.end) {
            self.end_shard();
        }
        Ok(())
    }

    /// Nothing more is to be read; where a stream ends is known now.
    fn end_shard(&mut self) {
        self.phase = Phase::Done;
        self.report.hi = self.report.hi.min(self.source.size_bytes());
    }

    /// Drop bytes up to the end of the line.
    fn skip_line(&mut self) {
        let (at, end) = (self.buffer.at, self.buffer.end);
        let found = memchr(b'\n', &self.buffer.data()[at..end]);
        self.skips_line = found.is_none();
        self.buffer.at = found.map_or(end, |line| at + line + 1);
        if self.is_before_first {
            self.report.first = self.position();
            self.report.end = self.report.first;
            self.is_before_first = self.skips_line;
        } else if found.is_some() {
            self.count_line();
        }
    }

    /// Offset of what was not read yet.
    fn position(&self) -> u64 {
        let offset = self.buffer.offset(self.buffer.at);
        offset.min(self.source.size_bytes())
    }

    /// The line that ends at the buffer's position.
    fn count_line(&mut self) {
        let is_virtual = self.buffer.ends_virtually && self.buffer.at == self.buffer.end;
        self.report.lines += u64::from(!is_virtual);
    }

    fn note_progress(&mut self) {
        if !self.is_before_first {
            self.report.end = self.position();
            self.report.bytes_read = self.report.end - self.report.first;
        }
    }

    /// The rows of the batch so far.
    fn batch(&mut self) -> &mut Members {
        match &mut self.filtered {
            Some(filtered) => &mut filtered.wanted,
            None => &mut self.table,
        }
    }

    /// How many rows the batch can still take.
    fn room(&mut self) -> usize {
        self.options.batch_rows.max(1) - self.batch().rows()
    }

    /// No room for more rows, or too much in those there are.
    fn batch_is_full(&mut self) -> bool {
        let enough = match self.filtered {
            None => 1,
            // Rows are filtered many at a time.
            Some(_) => (self.lines.owned - self.lines.next).min(self.options.batch_rows.max(1)),
        };
        let is_heavy = self.batch_bytes >= BATCH_BYTES;
        self.batch().rows() > 0 && (is_heavy || self.room() < enough)
    }

    /// Read lines until the batch is full, the chunk is done, or (under `FailJob`) one is rejected.
    fn read_lines(&mut self) {
        let room = self.room() + usize::from(self.filtered.is_none()) * self.table.rows();
        let max_record_bytes = self.max_record_bytes();
        let data = self.buffer.data();
        let mut predicted = Predicted::new(
            data,
            &self.index,
            (&mut self.learned, &mut self.shapes),
            &mut self.cursor,
            &mut self.text,
        );
        let mut at = self.buffer.at;
        let mut found = None;
        while self.lines.next < self.lines.owned
            && self.table.rows() < room
            && self.batch_bytes < BATCH_BYTES
        {
            let line = self.index.lines[self.lines.next] as usize;
            let end = line - usize::from(line > at && data[line - 1] == b'\r');
            self.batch_bytes += end - at;
            let row = self.table.rows();
            let is_short = end - at <= max_record_bytes;
            if !is_short || self.is_exact || predicted.read(at, end, &mut self.table).is_err() {
                self.table.truncate(row);
                if !is_short {
                    found = Some((end, Fault::too_long(max_record_bytes)));
                    break;
                }
                if !is_blank(&data[at..end]) {
                    let nulls = self.options.bad_rows == BadRowPolicy::SetNull;
                    let exact = Exact::new(data, at, end, nulls);
                    if let Err(fault) = exact.read(&mut self.table) {
                        self.table.truncate(row);
                        found = Some((end, fault));
                        break;
                    }
                    self.report.rows_read += 1;
                    if !self.is_exact {
                        predicted.learn(at, end, &self.table);
                    }
                }
            } else {
                self.report.rows_read += 1;
            }
            at = line + 1;
            self.lines.next += 1;
            let is_virtual = self.buffer.ends_virtually && at == self.buffer.end;
            self.report.lines += u64::from(!is_virtual);
        }
        self.buffer.at = at;
        if let Some((end, fault)) = found {
            self.reject(end, fault);
            self.buffer.at = self.index.lines[self.lines.next] as usize + 1;
            self.lines.next += 1;
            self.count_line();
        }
        self.note_progress();
        if self.phase == Phase::Reading {
            self.report.mark(&mut self.mark_bytes);
        }
    }

    /// The last line of the chunk has no end yet: reject it if it is known to be too long.
    fn check_last_line(&mut self) {
        let max_record_bytes = self.max_record_bytes();
        let is_whole = self.buffer.is_last || self.phase == Phase::Done;
        if !is_whole && self.buffer.left() >= max_record_bytes.max(RAW_BYTES) + 2 {
            let end = self.buffer.end;
            self.reject(end, Fault::too_long(max_record_bytes));
            self.buffer.at = end;
            self.skips_line = true;
            self.note_progress();
        }
    }

    /// The record from the buffer's position to `end` is bad.
    fn reject(&mut self, end: usize, fault: Fault) {
        self.report.rows_read += 1;
        self.report.rows_rejected += 1;
        let record = (self.buffer.at, end);
        let place = (self.report.rows_read, self.report.lines + 1);
        self.rejects
            .push(fault.into_reject(&self.buffer, record, place));
        if self.options.bad_rows == BadRowPolicy::FailJob {
            self.report.stopped_at_reject = true;
            self.lines.owned = 0;
            self.phase = Phase::Done;
        }
    }

    /// Keep the rows that are wanted, of those that were read last.
    fn sift(&mut self, bytes_before: usize) -> Result<(), TextError> {
        let rows = self.table.rows();
        if let (Some(filtered), 1..) = (&mut self.filtered, rows) {
            self.report.rows_passed += rows as u64;
            if filtered.sift(&mut self.table)? == 0 {
                self.batch_bytes = bytes_before;
            }
        }
        Ok(())
    }

    fn emit(&mut self) -> Result<RecordBatch, TextError> {
        let batch = self.batch();
        let rows = batch.rows();
        let arrays = batch.take().map_err(internal)?;
        let columns = self
            .outputs
            .iter()
            .map(|column| Arc::clone(&arrays[*column]))
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            .map_err(internal)?;
        self.batch_bytes = 0;
        if self.filtered.is_none() {
            self.report.rows_passed += rows as u64;
        }
        Ok(batch)
    }
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}

impl TextScan for JsonScan {
    fn next_batch(&mut self) -> Result<Option<RecordBatch>, TextError> {
        if self.phase == Phase::New {
            self.start()?;
        }
        let mut budget = CALL_BYTES as u64;
        loop {
            while self.lines.next < self.lines.owned {
                if self.batch_is_full() {
                    return self.emit().map(Some);
                }
                let bytes_before = self.batch_bytes;
                self.read_lines();
                self.sift(bytes_before)?;
                if self.batch().rows() == 0 {
                    self.batch_bytes = 0;
                }
            }
            if self.phase == Phase::Reading && !self.skips_line {
                self.check_last_line();
            }
            if self.phase == Phase::Done {
                return if self.batch().rows() > 0 {
                    self.emit().map(Some)
                } else {
                    Ok(None)
                };
            }
            if budget == 0 {
                return Ok(Some(RecordBatch::new_empty(self.schema.clone())));
            }
            let before = self.buffer.read_to;
            self.next_chunk()?;
            budget = budget.saturating_sub((self.buffer.read_to - before).max(PAGE_BYTES as u64));
        }
    }

    fn take_rejects(&mut self) -> Vec<Reject> {
        std::mem::take(&mut self.rejects)
    }

    fn report(&self) -> &ShardReport {
        &self.report
    }
}
