//! How the bytes of a delimited text file are to be read.

use encoding_rs::{Encoding, UTF_8};
use serde::{Deserialize, Serialize};

/// What ends a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineEnding {
    /// `\n`, with one `\r` before it belonging to it; files that mix both are read.
    Lf,
    /// `\r` alone.
    Cr,
}

/// A dialect of delimited text. A byte order mark is skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialect {
    /// Between fields.
    pub delimiter: u8,
    /// Around fields that hold delimiters or line ends; none: quotes are text.
    pub quote: Option<u8>,
    /// Before a quote inside a quoted field; none: the quote is doubled.
    pub escape: Option<u8>,
    /// A record that begins with it is no record.
    pub comment: Option<u8>,
    /// The first record names the columns.
    pub has_header: bool,
    /// Physical lines before the header (or the first record).
    pub skip_rows: usize,
    /// What ends a record.
    pub line_ending: LineEnding,
    /// Of the characters in the file. Bytes of other encodings than those of one byte a character are scanned as the UTF-8
    /// that [`crate::decode::text_of`] makes of them.
    pub encoding: &'static Encoding,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            delimiter: b',',
            quote: Some(b'"'),
            escape: None,
            comment: None,
            has_header: true,
            skip_rows: 0,
            line_ending: LineEnding::Lf,
            encoding: UTF_8,
        }
    }
}
