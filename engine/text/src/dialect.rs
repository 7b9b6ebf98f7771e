//! How the bytes of a delimited text file are to be read.

use encoding_rs::{Encoding, UTF_8};
use memchr::{memchr_iter, memchr2_iter};
use serde::{Deserialize, Serialize};

/// What ends a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineEnding {
    /// `\n`, with one `\r` before it belonging to it; files that mix both are read.
    Lf,
    /// `\r` alone.
    Cr,
    /// `\n`, `\r\n` or `\r`.
    Any,
}

impl LineEnding {
    /// Whether a line ends with the byte at `at` of bytes that begin a record or lie within one.
    #[inline(always)]
    pub(crate) fn is_at(self, bytes: &[u8], at: usize) -> bool {
        match bytes[at] {
            b'\n' => match self {
                Self::Lf | Self::Any => true,
                Self::Cr => false,
            },
            b'\r' => match self {
                Self::Cr => true,
                Self::Any => bytes.get(at + 1) != Some(&b'\n'),
                Self::Lf => false,
            },
            _ => false,
        }
    }

    /// The last byte of the first line end in `bytes[from..to]`, which may be looked past.
    pub(crate) fn find(self, bytes: &[u8], from: usize, to: usize) -> Option<usize> {
        self.ends(bytes, from, to).next()
    }

    /// How many lines end in `bytes[from..to]`, which may be looked past.
    pub(crate) fn count(self, bytes: &[u8], from: usize, to: usize) -> usize {
        match self {
            Self::Lf => memchr_iter(b'\n', &bytes[from..to]).count(),
            Self::Cr => memchr_iter(b'\r', &bytes[from..to]).count(),
            Self::Any => self.ends(bytes, from, to).count(),
        }
    }

    fn ends(self, bytes: &[u8], from: usize, to: usize) -> impl Iterator<Item = usize> + '_ {
        let other = match self {
            Self::Lf => b'\n',
            Self::Cr | Self::Any => b'\r',
        };
        let first = if self == Self::Any { b'\n' } else { other };
        memchr2_iter(first, other, &bytes[from..to])
            .map(move |at| from + at)
            .filter(move |at| self.is_at(bytes, *at))
    }

    /// What a file lacks that ends without a line end.
    pub(crate) fn missing(self, last: &[u8]) -> &'static [u8] {
        match (self, last) {
            (Self::Lf | Self::Any, [.., b'\n']) => b"",
            (Self::Cr | Self::Any, [.., b'\r']) => b"",
            (Self::Cr, _) => b"\r",
            (Self::Lf | Self::Any, _) => b"\n",
        }
    }

    /// A `\r` before a line end belongs to it.
    pub(crate) fn takes_return(self) -> bool {
        self != Self::Cr
    }
}

/// What stands between fields: a few bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Delimiter {
    bytes: [u8; Self::MAX_BYTES],
    length: u8,
}

impl Delimiter {
    /// Of one delimiter.
    pub const MAX_BYTES: usize = 8;

    /// None: no bytes, too many, or a line end among them.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let fits = (1..=Self::MAX_BYTES).contains(&bytes.len());
        if !fits || bytes.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
            return None;
        }
        let mut delimiter = Self::from(0);
        delimiter.bytes[..bytes.len()].copy_from_slice(bytes);
        delimiter.length = bytes.len() as u8;
        Some(delimiter)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len()]
    }

    /// How many bytes it has, one at least.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        usize::from(self.length)
    }

    /// Its first byte.
    pub fn first(&self) -> u8 {
        self.bytes[0]
    }

    /// The byte that it is, if it is one.
    pub fn byte(&self) -> Option<u8> {
        (self.length == 1).then_some(self.bytes[0])
    }

    /// Whether `bytes` begin with it.
    #[inline(always)]
    pub(crate) fn begins(&self, bytes: &[u8]) -> bool {
        bytes.first() == Some(&self.bytes[0])
            && (self.length == 1 || bytes.starts_with(self.as_bytes()))
    }
}

impl From<u8> for Delimiter {
    fn from(byte: u8) -> Self {
        let mut bytes = [0; Self::MAX_BYTES];
        bytes[0] = byte;
        Self { bytes, length: 1 }
    }
}

impl PartialEq<u8> for Delimiter {
    fn eq(&self, byte: &u8) -> bool {
        self.byte() == Some(*byte)
    }
}

impl std::fmt::Debug for Delimiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "b\"{}\"", self.as_bytes().escape_ascii())
    }
}

/// A dialect of delimited text. A byte order mark is skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialect {
    /// Between fields.
    pub delimiter: Delimiter,
    /// Delimiters in a row are one, and those before the first field and after the last are none; of one byte.
    pub merge_delimiters: bool,
    /// Each record ends with one more delimiter, which begins no field. Says nothing where delimiters are merged.
    pub trailing_delimiter: bool,
    /// Spaces at the beginning of a field are no part of it, so that a quote may follow them. Says nothing where delimiters
    /// are merged, or begin with a space.
    pub skip_initial_space: bool,
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
            delimiter: Delimiter::from(b','),
            merge_delimiters: false,
            trailing_delimiter: false,
            skip_initial_space: false,
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
