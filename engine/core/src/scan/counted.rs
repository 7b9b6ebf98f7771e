//! The account of a shard whose rows are known before it is read: row groups of Parquet, batches of Arrow. Rows that
//! nobody asked for, because statistics rule them out or a LIMIT is reached, are accounted for without being read.

use std::sync::atomic::{AtomicU64, Ordering};

use karyaksham_text::{ShardReport, StartFound};
use serde::{Deserialize, Serialize};

use super::{ScanOutcome, Surroundings};
use crate::error::Result;
use crate::job::FileShardReport;

/// Consecutive blocks of rows of one file: row groups or batches. `lo` and `hi` cut the file so that the shards of a file
/// join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowGroups {
    /// Index of the first.
    pub first: usize,
    /// How many.
    pub count: usize,
    /// How many the file has.
    pub of: usize,
    /// Their rows.
    pub rows: u64,
    /// Offset at which they begin.
    pub lo: u64,
    /// Offset at which the next begin.
    pub hi: u64,
}

/// A shard of row groups while it is read.
#[derive(Debug)]
pub struct CountedRun {
    file: usize,
    groups: RowGroups,
    surroundings: Surroundings,
    rows_seen: AtomicU64,
    bytes_counted: AtomicU64,
}

impl CountedRun {
    pub(super) fn new(file: usize, groups: &RowGroups, surroundings: Surroundings) -> Self {
        Self {
            file,
            groups: groups.clone(),
            surroundings,
            rows_seen: AtomicU64::new(0),
            bytes_counted: AtomicU64::new(0),
        }
    }

    /// Rows have come out of the reader.
    pub(super) fn saw(&self, rows: u64) -> Result<()> {
        self.surroundings.cancel.check()?;
        let seen = (self.rows_seen.fetch_add(rows, Ordering::Relaxed) + rows).min(self.groups.rows);
        let size = u128::from(self.groups.hi - self.groups.lo);
        let bytes = (size * u128::from(seen) / u128::from(self.groups.rows.max(1))) as u64;
        let before = self.bytes_counted.swap(bytes, Ordering::Relaxed);
        self.surroundings
            .progress
            .add_read(bytes.saturating_sub(before), rows, 0);
        Ok(())
    }

    pub(super) fn finish(&self) -> ScanOutcome {
        let RowGroups { rows, lo, hi, .. } = self.groups;
        let seen = self.rows_seen.swap(rows, Ordering::Relaxed);
        let counted = self.bytes_counted.swap(hi - lo, Ordering::Relaxed);
        self.surroundings.progress.add_read(
            (hi - lo).saturating_sub(counted),
            rows.saturating_sub(seen),
            0,
        );
        let report = ShardReport {
            lo,
            hi,
            start: StartFound::Exact,
            ambiguous: false,
            first: lo,
            end: hi,
            bytes_read: hi - lo,
            rows_read: rows,
            rows_passed: rows,
            rows_rejected: 0,
            lines: 0,
            stopped_at_reject: false,
            marks: Vec::new(),
        };
        ScanOutcome {
            report: FileShardReport {
                file: self.file,
                report,
            },
            rejects: None,
            first_reject: None,
        }
    }
}
