//! Text files to rows, without DataFusion: stored bytes to text ([`decode`]), what the bytes are ([`sniff`]), where the records lie ([`index`],
//! [`shard`]), what they hold ([`csv`], [`json`]) and which of them can't be read ([`reject`]).

pub(crate) mod chunk;
pub mod csv;
pub mod decode;
pub mod dialect;
pub mod error;
pub mod index;
pub mod json;
pub mod reject;
pub mod scan;
pub mod shard;
pub mod sniff;
pub mod source;

pub use csv::{BadRowPolicy, CsvScan, RowFilter, ScanOptions, TEXT_COLUMN};
pub use decode::Compression;
pub use dialect::{Delimiter, Dialect, LineEnding};
pub use error::TextError;
pub use index::simd_path;
pub use json::{JsonOptions, JsonScan};
pub use reject::{Reject, RejectCode};
pub use scan::TextScan;
pub use shard::{
    MARK_BYTES, Mark, ShardRange, ShardReport, Start, StartFound, at_marks, chain, cut,
};
pub use sniff::{
    ColumnGuess, DialectOverrides, JsonSniffed, Sniffed, is_ndjson, sniff, sniff_json,
};
pub use source::{FileSource, ReadAt, SIZE_UNKNOWN};
