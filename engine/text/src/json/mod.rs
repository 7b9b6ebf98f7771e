//! The NDJSON scan, chunk by chunk (`scan`): lines, from a structural index ([`crate::index::JsonIndex`]); each line
//! compared as a whole with the shapes of lines before it (`shapes`), or read with the keys that were learned from them
//! (`predict`, `learned`), or, where anything about it is unusual, byte by byte (`exact`), which alone decides what is wrong; values into columns (`columns`, `escapes`), of which
//! only the wanted rows are handed on (`filter`), and what is said of a
//! line that can't be read (`faults`).
//!
//! # What a record is
//! A line is a record; it ends at a line feed, which no JSON value holds in the raw. So a cut is exact: a shard owns the
//! lines whose first byte lies in it. Lines of nothing but blanks are skipped and are no records. A record must be one
//! JSON object (RFC 8259) in UTF-8, at most [`MAX_DEPTH`] levels deep, in which no key comes twice in one object and
//! every escape stands for a character. All of that is checked in every record, whatever is read of it: first the length,
//! then the encoding, then the structure.
//!
//! # What a value is worth
//! A key that is missing is null, as is an explicit `null`. Keys that the schema does not know are ignored. The text of a
//! string, and the spelling of a number or of `true` and `false`, is read by the column's type as a CSV field is: blanks
//! around it are ignored, and a string of nothing but blanks is null, unless the column is text. A text column holds the
//! text of strings, and anything else as it is spelled in the file, objects and lists among them. A struct is read from an
//! object, a list from an array; nothing else fits them. Of several values that fit no column, the first in the record is
//! reported.

mod columns;
pub(crate) mod escapes;
mod exact;
mod faults;
mod filter;
mod learned;
mod predict;
mod scan;
mod shapes;

use arrow_schema::SchemaRef;

use crate::BadRowPolicy;

pub use scan::JsonScan;

/// Deeper values are rejected.
pub const MAX_DEPTH: usize = 128;

/// Whether `text` is one JSON object that a scan takes for a record.
pub(crate) fn is_object(text: &[u8]) -> bool {
    let mut none = columns::Members::default();
    exact::Exact::new(text, 0, text.len(), false)
        .read(&mut none)
        .is_ok()
}

/// How to scan.
#[derive(Debug, Clone)]
pub struct JsonOptions {
    /// All columns of the file. Types: Int64, Float64, Decimal128, Date32, Timestamp(us), Boolean, Utf8View, and structs
    /// and lists of them, whose fields and items are nullable.
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
