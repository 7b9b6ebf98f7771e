//! The CSV scan: chunks of bytes, index, decode, batches of rows and rejects.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use serde::{Deserialize, Serialize};

use crate::{Dialect, ReadAt, Reject, ShardRange, ShardReport, TextError};

/// What happens to a record that can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BadRowPolicy {
    /// The scan stops at it.
    FailJob,
    /// It is left out and reported.
    RejectRow,
    /// A field that is no value of its type becomes null; other faults reject the row.
    SetNull,
}

/// How to scan.
#[derive(Debug, Clone)]
pub struct ScanOptions {
    /// How the bytes are to be read.
    pub dialect: Dialect,
    /// All columns of the file, in its order. Types: those of [`crate::ColumnGuess`].
    pub schema: SchemaRef,
    /// The columns to decode, in the order of the output. May be empty: batches then have rows and no columns.
    pub projection: Vec<usize>,
    /// What to do with bad records.
    pub bad_rows: BadRowPolicy,
    /// At most this many rows a batch; 8192.
    pub batch_rows: usize,
    /// A longer record is rejected; 16 MiB.
    pub max_record_bytes: usize,
}

/// A scan of one shard: an iterator in spirit, blocking, without threads of its own.
pub struct CsvScan {
    _private: (),
}

impl CsvScan {
    /// Prepare to scan `range` of `source`. Reads nothing yet.
    pub fn new(source: Arc<dyn ReadAt>, options: Arc<ScanOptions>, range: ShardRange) -> Self {
        let _ = (source, options, range);
        todo!()
    }

    /// The next rows of the projection, or None at the end of the shard. Does about one chunk (1 MiB) of work at most
    /// a call, so a caller that checks for cancellation between calls is prompt; an empty batch means "nothing yet".
    pub fn next_batch(&mut self) -> Result<Option<RecordBatch>, TextError> {
        todo!()
    }

    /// The rejects found since the last call.
    pub fn take_rejects(&mut self) -> Vec<Reject> {
        todo!()
    }

    /// Where the scan stands; final once `next_batch` returned None.
    pub fn report(&self) -> &ShardReport {
        todo!()
    }
}
