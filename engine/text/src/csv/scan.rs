//! The scan of one shard, chunk by chunk.

mod carried;
mod decode;
mod faults;

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};

use crate::chunk::{ChunkBuffer, PAGE_BYTES};
use crate::index::Simd;
use crate::{
    BadRowPolicy, LineEnding, MARK_BYTES, ReadAt, Reject, ScanOptions, ShardRange, ShardReport,
    Start, StartFound, TextError, TextScan,
};

use super::column::Column;
use super::field::Found;
use super::filter::{Filtered, RowFilter};
use super::machine::{Grammar, Window};
use super::start::{Guess, find_start};
use super::tokens::Tokens;
use super::verbatim::Verbatim;
use carried::Carried;

/// Large enough that calls are cheap, small enough that bytes and positions stay in the second-level cache.
const CHUNK_BYTES: usize = 256 << 10;
/// How much one call of `next_batch` reads.
const CALL_BYTES: usize = 1 << 20;
/// How much is read at once past the end of the shard, to end its last record.
const OVERRUN_BYTES: usize = 16 << 10;
/// Memory is reserved for a whole batch at once, up to this many rows.
const RESERVED_ROWS: usize = 8192;
/// A batch is handed on when a column's text has grown to this.
const BATCH_TEXT_BYTES: usize = 32 << 20;

/// The column of a scan that carries text. No column of a file is called so.
pub const TEXT_COLUMN: &str = "\0text";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    New,
    Reading,
    Done,
}

/// A scan of one shard.
pub struct CsvScan {
    source: Arc<dyn ReadAt>,
    options: Arc<ScanOptions>,
    range: ShardRange,
    chunk_bytes: usize,
    phase: Phase,
    report: ShardReport,
    mark_bytes: u64,
    schema: SchemaRef,
    buffer: ChunkBuffer,
    tokens: Tokens,
    /// In the middle of a line that is too long, or comes before the first record.
    skips_line: bool,
    first_is_far: bool,
    /// Good rows of the chunk that were decoded, and bad records that were passed.
    decoded: usize,
    passed_bad: usize,
    /// Line ends of the chunk, and those counted for rejects: up to which position, how many in the shard.
    chunk_lines: u64,
    counted: (usize, u64),
    filter: Option<Box<dyn RowFilter>>,
    filtered: Option<Filtered>,
    verbatim: Option<Verbatim>,
    carried: Option<Carried>,
    columns: Vec<OutputColumn>,
    /// Columns that nobody asked for, and that are to be right all the same.
    checked: Vec<Column>,
    validates_all: bool,
    batch_rows: usize,
    found: Found,
    /// Reused.
    entries: Vec<u32>,
    rejects: Vec<Reject>,
}

/// A column of the output, and where the filter has it.
struct OutputColumn {
    column: Column,
    filtered: Option<usize>,
}

impl CsvScan {
    /// Prepare to scan `range` of `source`. Reads nothing yet.
    pub fn new(source: Arc<dyn ReadAt>, options: Arc<ScanOptions>, range: ShardRange) -> Self {
        let grammar = Grammar::new(&options);
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
            phase: Phase::New,
            report,
            mark_bytes: MARK_BYTES,
            schema: Arc::new(Schema::new(fields)),
            buffer: ChunkBuffer::default(),
            tokens: Tokens::new(grammar, Simd::get()),
            skips_line: false,
            first_is_far: false,
            decoded: 0,
            passed_bad: 0,
            chunk_lines: 0,
            counted: (0, 0),
            filter: None,
            filtered: None,
            verbatim: None,
            carried: None,
            columns: vec![],
            checked: vec![],
            validates_all: false,
            batch_rows: 0,
            found: Found::default(),
            entries: vec![],
            rejects: vec![],
            options,
        }
    }

    /// Hand on only the rows that `filter` wants. The others are read all the same, and rejected if they are bad.
    pub fn with_filter(mut self, filter: Box<dyn RowFilter>) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Reject rows for bad values in any column, and not only in those that are handed on or filtered by.
    pub fn validate_all(mut self) -> Self {
        self.validates_all = true;
        self
    }

    /// Hand rows on as the text that they were, through [`TextScan::next_text`]; None where records of this dialect are
    /// none of results that are delimited by `delimiter`.
    pub fn verbatim(mut self, delimiter: u8) -> Option<Self> {
        let grammar = self.tokens.grammar();
        if !Verbatim::fits(grammar, delimiter) {
            return None;
        }
        self.verbatim = Some(Verbatim::new(&self.options.projection, grammar));
        Some(self)
    }

    /// Hand on each row also as the text of these `columns`, a line in one more column, [`TEXT_COLUMN`], for what only
    /// moves rows. What is wrong in them counts as in columns that are handed on. None as in [`Self::verbatim`].
    pub fn carrying(mut self, columns: &[usize], delimiter: u8) -> Option<Self> {
        let grammar = self.tokens.grammar();
        if !Verbatim::fits(grammar, delimiter) {
            return None;
        }
        self.carried = Some(Carried::new(columns, Verbatim::new(columns, grammar)));
        let mut fields = self.schema.fields().to_vec();
        fields.push(Arc::new(Field::new(
            TEXT_COLUMN,
            DataType::BinaryView,
            false,
        )));
        self.schema = Arc::new(Schema::new(fields));
        Some(self)
    }

    /// For tests and measurements: another chunk size and another structural index. The results are the same.
    #[doc(hidden)]
    pub fn tuned(mut self, chunk_bytes: usize, simd: Simd) -> Self {
        self.chunk_bytes = chunk_bytes.max(1);
        self.buffer.page_bytes = PAGE_BYTES.min(self.chunk_bytes.next_power_of_two());
        self.tokens = Tokens::new(*self.tokens.grammar(), simd);
        self
    }

    /// For tests: marks every so many bytes.
    #[doc(hidden)]
    pub fn marked(mut self, every_bytes: u64) -> Self {
        self.mark_bytes = every_bytes;
        self
    }

    fn rows_per_batch(&self) -> usize {
        self.options.batch_rows.max(1)
    }

    /// No room for more rows, or too much text in those there are.
    fn batch_is_full(&self) -> bool {
        let is_heavy = |output: &OutputColumn| output.column.long_bytes() >= BATCH_TEXT_BYTES;
        let room = self.rows_per_batch() - self.batch_rows;
        let enough = match self.filtered {
            None => 1,
            // Rows are filtered many at a time.
            Some(_) => self.left_rows().min(self.rows_per_batch()),
        };
        let carried = self.carried.as_ref().map_or(0, Carried::bytes);
        let is_heavy = carried >= BATCH_TEXT_BYTES || self.columns.iter().any(is_heavy);
        self.batch_rows > 0 && (room < enough || is_heavy)
    }

    /// Good rows of the chunk that were not decoded.
    fn left_rows(&self) -> usize {
        self.tokens.rows - self.decoded
    }

    fn chunk_is_decoded(&self) -> bool {
        self.decoded == self.tokens.rows && self.passed_bad == self.tokens.bad.len()
    }

    fn start(&mut self) -> Result<(), TextError> {
        if let Some(filter) = self.filter.take() {
            self.filtered = Some(Filtered::new(filter, &self.options)?);
        }
        for &number in &self.options.projection {
            let filtered = self.filtered.as_ref();
            self.columns.push(OutputColumn {
                column: Column::of(number, &self.options)?,
                filtered: filtered.and_then(|filtered| filtered.position(number)),
            });
        }
        let carried = self.carried.as_ref().map_or(&[][..], Carried::columns);
        if self.validates_all || !carried.is_empty() {
            let filtered = self.filtered.as_ref();
            let is_read = |number: &usize| {
                self.options.projection.contains(number)
                    || filtered.is_some_and(|filtered| filtered.position(*number).is_some())
            };
            self.checked = (0..self.options.schema.fields().len())
                .filter(|number| self.validates_all || carried.contains(number))
                .filter(|number| !is_read(number))
                .map(|number| Column::of(number, &self.options))
                .collect::<Result<_, _>>()?;
        }
        let size = self.source.size_bytes();
        let guess = match self.range.start {
            Start::Exact(first) => Guess {
                first: first.min(size),
                is_far: false,
                start: StartFound::Exact,
                ambiguous: false,
            },
            Start::Guess => find_start(&*self.source, self.tokens.grammar(), self.range.lo)?,
        };
        self.report.start = guess.start;
        self.report.ambiguous = guess.ambiguous;
        self.report.first = guess.first;
        self.report.end = guess.first;
        self.buffer.start_at(guess.first);
        self.skips_line = guess.is_far;
        self.first_is_far = guess.is_far;
        let is_empty = guess.first >= self.range.hi.min(size) && !guess.is_far;
        self.phase = if is_empty {
            Phase::Done
        } else {
            Phase::Reading
        };
        Ok(())
    }

    /// The next chunk, and what it takes off the budget of a call.
    fn read_on(&mut self, budget: &mut u64) -> Result<(), TextError> {
        let before = self.buffer.read_to;
        self.next_chunk()?;
        let read = (self.buffer.read_to - before).max(PAGE_BYTES as u64);
        *budget = budget.saturating_sub(read);
        Ok(())
    }

    /// Read and tokenise; all records of the chunk before were decoded.
    fn next_chunk(&mut self) -> Result<(), TextError> {
        let hi = self.range.hi.min(self.source.size_bytes());
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
        let line_ending = self.tokens.grammar().symbols.line_ending;
        self.buffer
            .fill(&*self.source, want.max(carried), line_ending)?;
        if self.skips_line {
            self.skip_line(line_ending);
        }
        if self.first_is_far && !self.skips_line {
            self.first_is_far = false;
            self.report.first = self
                .buffer
                .offset(self.buffer.at)
                .min(self.source.size_bytes());
        }
        let stop = self.buffer.at
            + usize::try_from(hi.saturating_sub(self.buffer.offset(self.buffer.at)))
                .unwrap_or(usize::MAX / 2);
        self.chunk_lines = 0;
        self.counted = (self.buffer.at, self.report.lines);
        self.decoded = 0;
        self.passed_bad = 0;
        if self.skips_line || self.buffer.left() == 0 {
            self.tokens.clear();
            self.tokens.boundary = self.buffer.at;
        } else {
            self.chunk_lines = self.tokens.read(&self.buffer, stop);
            self.skips_line = self.tokens.skips_line;
        }
        let ends_here = self.tokens.boundary >= stop && !self.skips_line;
        let is_done = ends_here || (self.buffer.is_last && self.tokens.boundary >= self.buffer.end);
        if is_done {
            self.phase = Phase::Done;
            // Where a stream ends is known now.
            self.report.hi = self.report.hi.min(self.source.size_bytes());
        }
        if self.chunk_is_decoded() {
            self.end_chunk();
        }
        Ok(())
    }

    /// Drop bytes up to the end of the line.
    fn skip_line(&mut self, line_ending: LineEnding) {
        let window = Window::of(&self.buffer);
        let end = window.known_end(line_ending).max(self.buffer.at);
        let found = line_ending.find(window.data, self.buffer.at, end);
        self.skips_line = found.is_none() && !self.buffer.is_last;
        self.buffer.at = found.map_or(end, |line| line + 1);
    }

    /// Everything up to the boundary was decoded.
    fn end_chunk(&mut self) {
        self.report.lines += self.chunk_lines;
        self.chunk_lines = 0;
        self.buffer.at = self.tokens.boundary;
        self.note_progress(self.buffer.at);
        if self.phase == Phase::Reading && !self.skips_line && !self.first_is_far {
            self.report.mark(&mut self.mark_bytes);
        }
        if self.phase == Phase::Done
            && self.buffer.ends_virtually
            && self.buffer.at == self.buffer.end
        {
            self.report.lines -= 1;
        }
    }

    fn note_progress(&mut self, position: usize) {
        if self.first_is_far {
            return;
        }
        self.report.end = self.buffer.offset(position).min(self.source.size_bytes());
        self.report.bytes_read = self.report.end - self.report.first;
    }

    fn emit(&mut self) -> Result<RecordBatch, TextError> {
        let rows = std::mem::take(&mut self.batch_rows);
        let columns = self.columns.iter_mut();
        let mut arrays: Vec<_> = columns.map(|output| output.column.take(rows)).collect();
        arrays.extend(self.carried.as_mut().map(Carried::take));
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options)
            .map_err(internal)?;
        if self.filtered.is_none() {
            self.report.rows_passed += batch.num_rows() as u64;
        }
        Ok(batch)
    }
}

impl TextScan for CsvScan {
    fn next_batch(&mut self) -> Result<Option<RecordBatch>, TextError> {
        if self.phase == Phase::New {
            self.start()?;
        }
        let mut budget = CALL_BYTES as u64;
        loop {
            while !self.chunk_is_decoded() {
                if self.batch_is_full() {
                    return self.emit().map(Some);
                }
                self.decode_some(None)?;
            }
            if self.phase == Phase::Done {
                return if self.batch_rows > 0 {
                    self.emit().map(Some)
                } else {
                    Ok(None)
                };
            }
            if self.batch_is_full() {
                return self.emit().map(Some);
            }
            if budget == 0 {
                return Ok(Some(RecordBatch::new_empty(self.schema.clone())));
            }
            self.read_on(&mut budget)?;
        }
    }

    fn next_text(&mut self, out: &mut Vec<u8>) -> Result<Option<usize>, TextError> {
        if self.phase == Phase::New {
            self.start()?;
        }
        let mut budget = CALL_BYTES as u64;
        let mut rows = 0;
        loop {
            while !self.chunk_is_decoded() {
                rows += self.decode_some(Some(out))?;
            }
            if self.phase == Phase::Done || budget == 0 {
                let is_over = self.phase == Phase::Done && rows == 0;
                return Ok((!is_over).then_some(rows));
            }
            self.read_on(&mut budget)?;
        }
    }

    fn take_rejects(&mut self) -> Vec<Reject> {
        std::mem::take(&mut self.rejects)
    }

    fn report(&self) -> &ShardReport {
        &self.report
    }
}

/// A fault of ours.
pub(super) fn internal(error: ArrowError) -> TextError {
    TextError::Internal(error.to_string())
}
