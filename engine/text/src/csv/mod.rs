//! The CSV scan, chunk by chunk (`scan`): records (`tokens`, with the exact machine of `machine` where
//! the structural index can't be trusted), columns (`column`, `field`, `digits`, `number`, `time`), what becomes of bad records
//! (`scan::faults`, `rejects`), which rows are wanted (`filter`), rows as they were (`verbatim`, `scan::carried`), and where a shard's first record begins (`start`).
//!
//! # What a record is
//! A record is read by the RFC 4180 machine from its first byte; a quote in the middle of an unquoted field is text. If a
//! closing quote is followed by anything but a delimiter, a line end or the end of the file, or a quote does not end
//! before the end of the file or within `max_record_bytes`, the record is rejected as its first physical line, and reading
//! resumes at the next line. So the state at a record boundary is only its offset. Blank lines are skipped and are no
//! records (with one column a blank line is a null). A CR before a line feed, or before the end of the file, belongs to
//! the line end.
//!
//! # What a field is worth
//! An empty unquoted field is null. `""` is the empty string, and null for other types. Blanks (spaces and tabs) around a
//! number, date, timestamp or boolean are ignored, and a field of blanks alone is null for these types; text keeps its
//! blanks.

mod column;
mod digits;
pub(crate) mod field;
mod filter;
pub(crate) mod machine;
pub(crate) mod nulls;
pub(crate) mod number;
pub(crate) mod rejects;
mod scan;
mod start;
pub(crate) mod time;
mod tokens;
mod verbatim;

use arrow_schema::SchemaRef;
use serde::{Deserialize, Serialize};

use crate::Dialect;

pub use filter::RowFilter;
pub use scan::{CsvScan, TEXT_COLUMN};

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
    /// A longer record is rejected; 16 MiB, at most 512 MiB. Counted without the line end.
    pub max_record_bytes: usize,
}
