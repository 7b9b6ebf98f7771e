//! What becomes of records that can't be read: they are reported in the order of the file, and their rows leave the batch
//! or the scan stops at the first.

use super::super::rejects::RejectWriter;
use super::{BadRowPolicy, CsvScan, Phase};

/// A range of good rows just decoded, with the bad records among and after them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decoded {
    /// The first row of the chunk.
    pub from: usize,
    pub count: usize,
    pub bad_count: usize,
}

/// What is left of a range in which something was at fault.
#[derive(Debug)]
pub(super) struct Settled {
    /// The rows that can be read, counted from the first.
    pub good: Vec<u32>,
    /// The scan stops at a reject that ends here.
    pub stop: Option<usize>,
}

/// Where a scan stops: after this many good rows of the chunk and one reject, which ends at `next`.
struct Stop {
    good: usize,
    next: usize,
}

impl CsvScan {
    /// Account for what was decoded, and report what is at fault in it.
    #[cold]
    pub(super) fn settle(&mut self, decoded: Decoded) -> Settled {
        let faults = &mut self.found.faults;
        faults.sort_by_key(|fault| (fault.row, fault.column));
        faults.dedup_by_key(|fault| fault.row);
        let settled = if let Some(stop) = self.report_rejects(decoded) {
            let good = stop.good - decoded.from;
            self.report.rows_read += good as u64 + 1;
            Settled {
                good: (0..good as u32).collect(),
                stop: Some(stop.next),
            }
        } else {
            self.report.rows_read += (decoded.count + decoded.bad_count) as u64;
            self.passed_bad += decoded.bad_count;
            let mut faults = self.found.faults.iter().map(|fault| fault.row).peekable();
            let is_good = |row: &usize| faults.next_if_eq(row).is_none();
            Settled {
                good: (0..decoded.count)
                    .filter(is_good)
                    .map(|row| row as u32)
                    .collect(),
                stop: None,
            }
        };
        self.found.faults.clear();
        settled
    }

    /// Report rows and records in the order of the file; under `FailJob` only the first.
    fn report_rejects(&mut self, decoded: Decoded) -> Option<Stop> {
        let mut writer = RejectWriter {
            buffer: &self.buffer,
            grammar: self.tokens.grammar(),
            schema: &self.options.schema,
            counted: &mut self.counted,
        };
        let mut bad = self.tokens.bad[self.passed_bad..][..decoded.bad_count]
            .iter()
            .peekable();
        let mut faults = self.found.faults.iter().peekable();
        // The number of a record: good rows of the chunk before it, and everything else before it.
        let mut others = self.report.rows_read - decoded.from as u64 + 1;
        loop {
            let fault_row = faults.peek().map(|fault| decoded.from + fault.row);
            let is_first = |good: usize| fault_row.is_none_or(|row| good <= row);
            let (reject, stop) = if let Some(record) = bad.next_if(|record| is_first(record.before))
            {
                let reject = writer.structural(others + record.before as u64, record);
                others += 1;
                (
                    reject,
                    Stop {
                        good: record.before,
                        next: record.next,
                    },
                )
            } else if let (Some(fault), Some(row)) = (faults.next(), fault_row) {
                let (start, line) = (self.tokens.row_start(row), self.tokens.row_line(row));
                (
                    writer.field(others + row as u64, start, line, fault),
                    Stop {
                        good: row,
                        next: line + 1,
                    },
                )
            } else {
                return None;
            };
            self.rejects.push(reject);
            self.report.rows_rejected += 1;
            if self.options.bad_rows == BadRowPolicy::FailJob {
                return Some(stop);
            }
        }
    }

    /// The scan ends after the record that ends at `next`.
    pub(super) fn stop_at(&mut self, next: usize) {
        let line_ending = self.tokens.grammar().symbols.line_ending;
        let (from, lines) = self.counted;
        self.report.lines = lines + line_ending.count(self.buffer.data(), from, next) as u64;
        if self.buffer.ends_virtually && next == self.buffer.end {
            self.report.lines -= 1;
        }
        self.report.stopped_at_reject = true;
        self.tokens.clear();
        self.decoded = 0;
        self.passed_bad = 0;
        self.note_progress(next);
        self.phase = Phase::Done;
    }
}
