//! What can go wrong while reading text; bad rows are not errors but [`crate::Reject`]s.

use std::io;

use crate::decode::DecodeError;

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
    /// Compressed bytes can't be read.
    #[error(transparent)]
    Undecodable(DecodeError),
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

impl TextError {
    /// Of a read that began at `offset`.
    pub fn reading(offset: u64, source: io::Error) -> Self {
        match source
            .get_ref()
            .and_then(|e| e.downcast_ref::<DecodeError>())
        {
            Some(error) => Self::Undecodable(error.clone()),
            None => Self::Io { offset, source },
        }
    }
}
