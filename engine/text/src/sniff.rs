//! What a file is, from its head and from windows over the whole of it, with the evidence for each choice.

use arrow_schema::DataType;
use serde::{Deserialize, Serialize};

use crate::{Dialect, ReadAt, TextError};

/// Choices that were made by a person and are not to be detected. A field that is None is detected;
/// `Some(None)` says that there is no such character.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DialectOverrides {
    /// See [`Dialect`].
    pub delimiter: Option<u8>,
    /// See [`Dialect`].
    pub quote: Option<Option<u8>>,
    /// See [`Dialect`].
    pub escape: Option<Option<u8>>,
    /// See [`Dialect`].
    pub comment: Option<Option<u8>>,
    /// See [`Dialect`].
    pub has_header: Option<bool>,
    /// See [`Dialect`].
    pub skip_rows: Option<usize>,
}

/// One column as it was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnGuess {
    /// From the header (made unique), or `column_1` and so on.
    pub name: String,
    /// Int64, Decimal128(18 or 38, s), Float64, Date32, Timestamp(us, none or UTC), Boolean or Utf8View.
    pub data_type: DataType,
    /// What the type rests on, in a sentence.
    pub evidence: String,
}

/// What a delimited text file is.
#[derive(Debug, Clone, PartialEq)]
pub struct Sniffed {
    /// How to read it.
    pub dialect: Dialect,
    /// Its columns.
    pub columns: Vec<ColumnGuess>,
    /// 0 to 1.
    pub confidence: f64,
    /// Sentences that say what the dialect rests on.
    pub evidence: Vec<String>,
    /// Offset of the first record after BOM, skipped lines and header.
    pub data_start: u64,
}

/// Find out what `source` is. The same bytes give the same answer.
///
/// # Errors
/// [`TextError::NotATable`] for empty, binary or compressed bytes.
pub fn sniff(source: &dyn ReadAt, overrides: &DialectOverrides) -> Result<Sniffed, TextError> {
    let _ = (source, overrides);
    todo!()
}

/// Offset of the first record of `source` under a known dialect: after BOM, skipped lines and header.
pub fn data_start(source: &dyn ReadAt, dialect: &Dialect) -> Result<u64, TextError> {
    let _ = (source, dialect);
    todo!()
}
