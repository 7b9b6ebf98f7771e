//! Scans of bytes in memory, in the words of the specification.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{DataType, Field, Schema};
use karyaksham_text::index::Simd;
use karyaksham_text::{
    BadRowPolicy, CsvScan, Dialect, Reject, RowFilter, ScanOptions, ShardRange, ShardReport, Start,
    TextScan, chain, cut,
};

use crate::reader::{Cell, Kind, Outcome, Rejected, Spec};

/// A file and how to read it.
#[derive(Clone)]
pub struct Case {
    pub file: Vec<u8>,
    pub dialect: Dialect,
    pub kinds: Vec<Kind>,
    pub required: Vec<bool>,
    pub max_record_bytes: usize,
    pub chunk_bytes: usize,
    pub batch_rows: usize,
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            file,
            dialect,
            kinds,
            required,
            max_record_bytes,
            chunk_bytes,
            batch_rows,
        } = self;
        write!(
            f,
            "b\"{}\" {dialect:?} {kinds:?} required {required:?} ",
            file.escape_ascii()
        )?;
        write!(
            f,
            "records <= {max_record_bytes} chunks {chunk_bytes} batches {batch_rows}"
        )
    }
}

impl Case {
    pub fn expected(&self) -> Outcome {
        let Self {
            dialect,
            kinds,
            required,
            max_record_bytes,
            ..
        } = self;
        Spec {
            dialect,
            kinds,
            required,
            max_record_bytes: *max_record_bytes,
        }
        .read(&self.file)
    }

    pub fn options(&self, bad_rows: BadRowPolicy) -> ScanOptions {
        let fields =
            self.kinds
                .iter()
                .zip(&self.required)
                .enumerate()
                .map(|(column, (kind, required))| {
                    let data_type = match kind {
                        Kind::Text => DataType::Utf8View,
                        Kind::Integer => DataType::Int64,
                        Kind::Double => DataType::Float64,
                    };
                    Field::new(format!("c{column}"), data_type, !required)
                });
        ScanOptions {
            dialect: self.dialect.clone(),
            schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())),
            projection: (0..self.kinds.len()).collect(),
            bad_rows,
            batch_rows: self.batch_rows,
            max_record_bytes: self.max_record_bytes,
        }
    }

    pub fn whole(&self) -> ShardRange {
        ShardRange {
            lo: 0,
            hi: self.file.len() as u64,
            start: Start::Exact(0),
        }
    }

    pub fn scan(&self, simd: Simd, range: ShardRange) -> (Outcome, ShardReport) {
        self.scan_with(simd, range, self.options(BadRowPolicy::RejectRow))
    }

    pub fn scan_with(
        &self,
        simd: Simd,
        range: ShardRange,
        options: ScanOptions,
    ) -> (Outcome, ShardReport) {
        let scan = CsvScan::new(Arc::new(self.file.clone()), Arc::new(options), range);
        self.run(scan.tuned(self.chunk_bytes, simd), true)
    }

    /// With marks every so many bytes.
    pub fn scan_marked(&self, range: ShardRange, every_bytes: u64) -> (Outcome, ShardReport) {
        let options = Arc::new(self.options(BadRowPolicy::RejectRow));
        let scan = CsvScan::new(Arc::new(self.file.clone()), options, range);
        self.run(
            scan.tuned(self.chunk_bytes, Simd::get())
                .marked(every_bytes),
            true,
        )
    }

    /// Only the rows that `chosen` takes, by the values of some columns.
    pub fn scan_chosen(
        &self,
        simd: Simd,
        range: ShardRange,
        options: ScanOptions,
        chosen: Chosen,
    ) -> (Outcome, ShardReport) {
        let scan = CsvScan::new(Arc::new(self.file.clone()), Arc::new(options), range);
        let scan = scan.with_filter(Box::new(chosen));
        self.run(scan.tuned(self.chunk_bytes, simd), false)
    }

    /// The rows as text; None where the dialect does not allow it.
    pub fn scan_text(
        &self,
        simd: Simd,
        options: ScanOptions,
        chosen: Option<Chosen>,
    ) -> Option<(Vec<u8>, usize, ShardReport)> {
        let file = Arc::new(self.file.clone());
        let mut scan = CsvScan::new(file, Arc::new(options), self.whole())
            .tuned(self.chunk_bytes, simd)
            .verbatim(self.dialect.delimiter.first())?;
        if let Some(chosen) = chosen {
            scan = scan.with_filter(Box::new(chosen));
        }
        let (mut text, mut rows) = (vec![], 0);
        while let Some(more) = scan.next_text(&mut text).expect("memory can be read") {
            rows += more;
        }
        let report = scan.report().clone();
        assert_eq!(report.rows_read, report.rows_passed + report.rows_rejected);
        assert_eq!(report.rows_rejected, scan.take_rejects().len() as u64);
        Some((text, rows, report))
    }

    /// The text that rows carry beside one of their columns, in the batches that they come in.
    pub fn scan_carried(
        &self,
        simd: Simd,
        mut options: ScanOptions,
        chosen: Option<Chosen>,
    ) -> Option<(Vec<u8>, usize, ShardReport)> {
        let file = Arc::new(self.file.clone());
        let columns = options.projection.clone();
        options.projection.truncate(1);
        let mut scan = CsvScan::new(file, Arc::new(options), self.whole())
            .tuned(self.chunk_bytes, simd)
            .carrying(&columns, self.dialect.delimiter.first())?;
        if let Some(chosen) = chosen {
            scan = scan.with_filter(Box::new(chosen));
        }
        let (mut text, mut rows) = (vec![], 0);
        while let Some(batch) = scan.next_batch().expect("memory can be read") {
            assert!(batch.num_rows() <= self.batch_rows);
            assert_eq!(batch.num_columns(), 2);
            rows += batch.num_rows();
            let lines = batch.column(1).as_binary_view();
            lines.iter().flatten().for_each(|line| text.extend(line));
        }
        Some((text, rows, scan.report().clone()))
    }

    fn run(&self, mut scan: CsvScan, all_rows: bool) -> (Outcome, ShardReport) {
        let batch_rows = self.batch_rows;
        let mut outcome = Outcome::default();
        let mut before = scan.report().clone();
        loop {
            let batch = scan.next_batch().expect("memory can be read");
            outcome
                .rejects
                .extend(scan.take_rejects().into_iter().map(rejected));
            let now = scan.report();
            let grows = before.rows_read <= now.rows_read && before.bytes_read <= now.bytes_read;
            assert!(
                grows && before.rows_rejected <= now.rows_rejected,
                "progress never goes back"
            );
            before = now.clone();
            let Some(batch) = batch else { break };
            assert!(batch.num_rows() <= batch_rows);
            outcome
                .rows
                .extend((0..batch.num_rows()).map(|row| cells(&batch, row)));
        }
        let report = scan.report().clone();
        outcome.lines = report.lines;
        assert_eq!(
            report.rows_read,
            report.rows_passed + report.rows_rejected,
            "the row balance closes"
        );
        assert!(!all_rows || report.rows_passed == outcome.rows.len() as u64);
        assert_eq!(report.rows_rejected, outcome.rejects.len() as u64);
        assert_eq!(report.bytes_read, report.end - report.first);
        (outcome, report)
    }

    /// Cut as `ranges`, read each, run again those that do not join, and put the results together.
    pub fn scan_shards(&self, simd: Simd, mut ranges: Vec<ShardRange>) -> Outcome {
        let mut runs: Vec<_> = ranges.iter().map(|range| self.scan(simd, *range)).collect();
        loop {
            let reports: Vec<_> = runs.iter().map(|(_, report)| report.clone()).collect();
            let Err(again) = chain(&reports, self.file.len() as u64) else {
                break;
            };
            let start = Start::Exact(reports[again - 1].end);
            assert_ne!(ranges[again].start, start, "an exact start joins");
            ranges[again].start = start;
            runs[again] = self.scan(simd, ranges[again]);
        }
        let mut whole = Outcome::default();
        let mut rows_read = 0;
        for (outcome, report) in runs {
            whole.rows.extend(outcome.rows);
            whole
                .rejects
                .extend(outcome.rejects.into_iter().map(|reject| Rejected {
                    row: reject.row + rows_read,
                    line: reject.line + whole.lines,
                    ..reject
                }));
            whole.lines += outcome.lines;
            rows_read += report.rows_read;
        }
        whole
    }

    /// Cut at these bytes.
    pub fn ranges(&self, cuts: &[usize]) -> Vec<ShardRange> {
        let size = self.file.len() as u64;
        let mut bounds: Vec<u64> = cuts.iter().map(|cut| (*cut as u64).min(size)).collect();
        bounds.push(0);
        bounds.push(size);
        bounds.sort_unstable();
        bounds.dedup();
        let mut ranges: Vec<_> = bounds
            .windows(2)
            .map(|pair| ShardRange {
                lo: pair[0],
                hi: pair[1],
                start: Start::Guess,
            })
            .collect();
        if ranges.is_empty() {
            return cut(0, size, 1);
        }
        ranges[0].start = Start::Exact(0);
        ranges
    }
}

/// Takes rows by a sum over the bytes of some columns.
#[derive(Debug, Clone)]
pub struct Chosen {
    pub columns: Vec<usize>,
    pub one_in: u64,
}

impl Chosen {
    /// Whether a row with these values in its columns is taken.
    pub fn takes(&self, values: &[Cell]) -> bool {
        let bytes = values.iter().flat_map(|cell| match cell {
            None => b"null".iter(),
            Some(text) => text.as_bytes().iter(),
        });
        bytes.map(|byte| u64::from(*byte)).sum::<u64>() % self.one_in == 0
    }

    /// Whether a row of all columns is taken.
    pub fn takes_row(&self, row: &[Cell]) -> bool {
        let values: Vec<_> = self.columns.iter().map(|c| row[*c].clone()).collect();
        self.takes(&values)
    }
}

impl RowFilter for Chosen {
    fn columns(&self) -> &[usize] {
        &self.columns
    }

    fn keep(
        &mut self,
        batch: &RecordBatch,
    ) -> Result<BooleanBuffer, Box<dyn std::error::Error + Send + Sync>> {
        let takes = |row| self.takes(&cells(batch, row));
        Ok(BooleanBuffer::collect_bool(batch.num_rows(), takes))
    }
}

fn rejected(reject: Reject) -> Rejected {
    Rejected {
        row: reject.row,
        line: reject.line,
        offset: reject.record_offset,
        field_offset: reject.field_offset,
        code: reject.code,
        raw: reject.raw,
    }
}

fn cells(batch: &RecordBatch, row: usize) -> Vec<Cell> {
    let cell = |column: &Arc<dyn Array>| {
        column.is_valid(row).then(|| match column.data_type() {
            DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
            DataType::Float64 => column.as_primitive::<Float64Type>().value(row).to_string(),
            _ => column.as_string_view().value(row).to_owned(),
        })
    };
    batch.columns().iter().map(cell).collect()
}
