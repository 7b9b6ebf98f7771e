//! A record that could not be read, with everything a person needs to find and mend it.

use serde::{Deserialize, Serialize};

/// Why a record was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum RejectCode {
    /// A field is no value of its column's type.
    Cast,
    /// Fewer fields than columns.
    TooFewColumns,
    /// More fields than columns.
    TooManyColumns,
    /// Text between a closing quote and the next delimiter.
    InvalidQuote,
    /// A quoted field that never ends.
    UnterminatedQuote,
    /// Longer than the limit.
    RecordTooLong,
    /// Bytes that are not valid in the file's encoding.
    InvalidEncoding,
    /// Not JSON.
    InvalidJson,
}

/// One rejected record. `row` and `line` count from 1 at the shard's first record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// Record number within the shard, from 1; blank and comment lines do not count.
    pub row: u64,
    /// Physical line on which the record begins, within the shard, from 1.
    pub line: u64,
    /// Offset of the record's first byte in the file.
    pub record_offset: u64,
    /// Offset of the field's first byte in the file, where one field is at fault.
    pub field_offset: Option<u64>,
    /// Name of the column at fault.
    pub column: Option<String>,
    /// The type that was expected, such as `Int64`.
    pub expected: Option<String>,
    /// Why.
    pub code: RejectCode,
    /// A sentence for a person.
    pub message: String,
    /// The record's first 4 KiB, without its line end, bytes that are not UTF-8 as U+FFFD.
    pub raw: String,
}
