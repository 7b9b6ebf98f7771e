//! What can go wrong while reading text; bad rows are not errors but [`crate::Reject`]s.

use std::io;

/// A failure of reading as a whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// Storage failed.
    #[error("reading at byte {offset} failed: {source}")]
    Io {
        /// Where the read began.
        offset: u64,
        /// What the system said.
        source: io::Error,
    },
    /// The object became shorter while it was read.
    #[error("the file changed while it was read: byte {offset} is gone")]
    Changed {
        /// The first missing byte.
        offset: u64,
    },
    /// The bytes are no table.
    #[error("{message}")]
    NotATable {
        /// Stable code: EMPTY_FILE, BINARY_FILE, UNSUPPORTED_FORMAT, NOT_A_TABLE.
        code: &'static str,
        /// A sentence for a person.
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// A column was given a type that text is not read as.
    #[error(
        "column {column} can't be read as {data_type}; use Int64, Decimal128, Float64, Date32, Timestamp(us), Boolean or Utf8"
    )]
    UnsupportedType {
        /// Its name.
        column: String,
        /// The type.
        data_type: String,
    },
    /// What chooses rows has failed.
    #[error("{0}")]
    Filter(Box<dyn std::error::Error + Send + Sync>),
    /// A fault of this library.
    #[error("internal error: {0}")]
    Internal(String),
}
