//! Scans of bytes in memory, in the words of the specification.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{DataType, Field, Schema};
use karyaksham_text::index::Simd;
use karyaksham_text::{
    BadRowPolicy, JsonOptions, JsonScan, Reject, RejectCode, RowFilter, ShardRange, ShardReport,
    Start, TextScan, chain,
};

use crate::spec::{Cell, Outcome, Rejected, Spec};

/// A file and how to read it.
#[derive(Clone)]
pub struct Case {
    pub file: Vec<u8>,
    pub fields: Vec<Field>,
    pub projection: Vec<usize>,
    pub max_record_bytes: usize,
    pub chunk_bytes: usize,
    pub batch_rows: usize,
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let types: Vec<_> = self.fields.iter().map(|f| f.to_string()).collect();
        write!(
            f,
            "b\"{}\" {types:?} read {:?} records <= {} chunks {} batches {}",
            self.file.escape_ascii(),
            self.projection,
            self.max_record_bytes,
            self.chunk_bytes,
            self.batch_rows
        )
    }
}

/// How a scan is made.
#[derive(Clone)]
pub struct Way {
    pub simd: Simd,
    pub is_exact: bool,
    pub bad_rows: BadRowPolicy,
    pub filter: Option<Chosen>,
}

impl Way {
    pub fn usual() -> Self {
        Self {
            simd: Simd::get(),
            is_exact: false,
            bad_rows: BadRowPolicy::RejectRow,
            filter: None,
        }
    }
}

impl Case {
    pub fn expected(&self, nulls_bad_values: bool) -> Outcome {
        let fields: Vec<_> = self
            .projection
            .iter()
            .map(|column| (*column, self.fields[*column].clone()))
            .collect();
        Spec {
            fields: &fields,
            max_record_bytes: self.max_record_bytes,
            nulls_bad_values,
        }
        .read(&self.file)
    }

    /// The same, of which `chosen` takes rows.
    pub fn expected_of(&self, chosen: &Chosen, nulls_bad_values: bool) -> Outcome {
        let mut all = self.clone();
        all.projection.extend(&chosen.columns);
        let mut outcome = all.expected(nulls_bad_values);
        outcome.rows.retain_mut(|row| {
            let seen = row.split_off(self.projection.len());
            chosen.takes(&seen)
        });
        outcome
    }

    pub fn whole(&self) -> ShardRange {
        ShardRange {
            lo: 0,
            hi: self.file.len() as u64,
            start: Start::Exact(0),
        }
    }

    pub fn scan(&self, way: &Way, range: ShardRange) -> (Outcome, ShardReport) {
        let options = JsonOptions {
            schema: Arc::new(Schema::new(self.fields.clone())),
            projection: self.projection.clone(),
            bad_rows: way.bad_rows,
            batch_rows: self.batch_rows,
            max_record_bytes: self.max_record_bytes,
        };
        let mut scan = JsonScan::new(Arc::new(self.file.clone()), Arc::new(options), range)
            .tuned(self.chunk_bytes, way.simd)
            .marked(32);
        if way.is_exact {
            scan = scan.exact();
        }
        if let Some(chosen) = &way.filter {
            scan = scan.with_filter(Box::new(chosen.clone()));
        }
        let mut outcome = Outcome::default();
        let mut before = scan.report().clone();
        loop {
            let batch = scan.next_batch().expect("memory can be read");
            outcome
                .rejects
                .extend(scan.take_rejects().into_iter().map(rejected));
            let now = scan.report();
            assert!(
                before.rows_read <= now.rows_read
                    && before.bytes_read <= now.bytes_read
                    && before.rows_rejected <= now.rows_rejected,
                "progress never goes back"
            );
            before = now.clone();
            let Some(batch) = batch else { break };
            assert!(batch.num_rows() <= self.batch_rows);
            for row in 0..batch.num_rows() {
                let cells = batch.columns().iter().map(|column| cell(column, row));
                outcome.rows.push(cells.collect());
            }
        }
        let report = scan.report().clone();
        outcome.lines = report.lines;
        assert_eq!(report.rows_read, report.rows_passed + report.rows_rejected);
        let passed = outcome.rows.len() as u64;
        assert!(
            report.rows_passed == passed || (way.filter.is_some() && report.rows_passed > passed)
        );
        assert_eq!(report.rows_rejected, outcome.rejects.len() as u64);
        assert_eq!(report.bytes_read, report.end - report.first);
        (outcome, report)
    }

    /// Cut at these bytes, read each shard, and put the results together; every cut joins at once.
    pub fn scan_shards(&self, way: &Way, cuts: &[usize]) -> Outcome {
        let size = self.file.len() as u64;
        let mut bounds: Vec<u64> = cuts.iter().map(|cut| *cut as u64).collect();
        bounds.extend([0, size]);
        bounds.sort_unstable();
        bounds.dedup();
        let runs: Vec<_> = bounds
            .windows(2)
            .map(|pair| {
                let start = match pair[0] {
                    0 => Start::Exact(0),
                    _ => Start::Guess,
                };
                let (lo, hi) = (pair[0], pair[1]);
                self.scan(way, ShardRange { lo, hi, start })
            })
            .collect();
        let reports: Vec<_> = runs.iter().map(|(_, report)| report.clone()).collect();
        if size > 0 {
            assert_eq!(chain(&reports, size), Ok(()), "{reports:?}");
        }
        let mut whole = Outcome::default();
        let mut rows_read = 0;
        for (outcome, report) in runs {
            whole.rows.extend(outcome.rows);
            let rejects = outcome.rejects.into_iter().map(|reject| Rejected {
                row: reject.row + rows_read,
                line: reject.line + whole.lines,
                ..reject
            });
            whole.rejects.extend(rejects);
            whole.lines += outcome.lines;
            rows_read += report.rows_read;
        }
        whole
    }
}

/// Takes rows by a sum over the bytes of how some columns are written.
#[derive(Debug, Clone)]
pub struct Chosen {
    pub columns: Vec<usize>,
    pub one_in: u64,
}

impl Chosen {
    fn takes(&self, values: &[Cell]) -> bool {
        let text = format!("{values:?}");
        text.bytes().map(u64::from).sum::<u64>() % self.one_in == 0
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
        assert!(batch.num_rows() > 0);
        let takes = |row| {
            let cells: Vec<_> = batch.columns().iter().map(|c| cell(c, row)).collect();
            self.takes(&cells)
        };
        Ok(BooleanBuffer::collect_bool(batch.num_rows(), takes))
    }
}

fn rejected(reject: Reject) -> Rejected {
    assert!(!reject.message.is_empty());
    assert_eq!(reject.expected.is_some(), reject.code == RejectCode::Cast);
    Rejected {
        row: reject.row,
        line: reject.line,
        offset: reject.record_offset,
        // Where a faulty structure shows is told, and no part of the specification.
        field_offset: reject
            .field_offset
            .filter(|_| reject.code == RejectCode::Cast),
        column: reject.column,
        code: reject.code,
        raw: reject.raw,
    }
}

pub fn cell(column: &ArrayRef, row: usize) -> Cell {
    if column.is_null(row) {
        return Cell::Null;
    }
    match column.data_type() {
        DataType::Boolean => Cell::Bool(column.as_boolean().value(row)),
        DataType::Int64 => Cell::Int(column.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => Cell::Float(column.as_primitive::<Float64Type>().value(row)),
        DataType::Date32 => Cell::Day(column.as_primitive::<Date32Type>().value(row)),
        DataType::Struct(_) => {
            let columns = column.as_struct().columns();
            Cell::Struct(columns.iter().map(|column| cell(column, row)).collect())
        }
        DataType::List(_) => {
            let items = column.as_list::<i32>().value(row);
            Cell::List((0..items.len()).map(|item| cell(&items, item)).collect())
        }
        _ => Cell::Text(column.as_string_view().value(row).to_owned()),
    }
}
