//! How text is to be read, in the words of jobs: characters as strings, what was detected with its evidence.

use karyaksham_text as text;
use serde::{Deserialize, Deserializer, Serialize};

use crate::error::{EngineError, Result};

/// How the bytes of a text file are to be read. All but the delimiter are single characters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dialect {
    /// Between fields; a few characters.
    pub delimiter: String,
    /// Delimiters in a row are one, and those at the ends of a record are none.
    #[serde(default)]
    pub merge_delimiters: bool,
    /// Each record ends with one more delimiter, which begins no field.
    #[serde(default)]
    pub trailing_delimiter: bool,
    /// Spaces at the beginning of a field are no part of it.
    #[serde(default)]
    pub skip_initial_space: bool,
    /// Around fields.
    pub quote: Option<String>,
    /// Before a quote inside a quoted field; None: the quote is doubled.
    pub escape: Option<String>,
    /// A record that begins with it is no record.
    pub comment: Option<String>,
    /// The first record names the columns.
    pub has_header: bool,
    /// Physical lines before the header.
    pub skip_rows: usize,
    /// Of the characters.
    #[serde(default = "utf8")]
    pub encoding: String,
    /// Of the file: gzip, zstd, bzip2, lz4, as found; `none`: its bytes are read as they are. None says nothing.
    #[serde(default)]
    pub compression: Option<String>,
    /// What ends a record.
    #[serde(default = "lf")]
    pub line_ending: text::LineEnding,
    /// 0 to 1.
    #[serde(default)]
    pub confidence: f64,
    /// Sentences that say what the choices rest on.
    #[serde(default)]
    pub evidence: Vec<String>,
}

/// Choices of a person that are not to be detected. Absent: detect; null: there is no such character.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DialectOverrides {
    /// See [`Dialect`].
    pub delimiter: Option<String>,
    /// See [`Dialect`].
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub quote: Option<Option<String>>,
    /// See [`Dialect`].
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub escape: Option<Option<String>>,
    /// See [`Dialect`].
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub comment: Option<Option<String>>,
    /// See [`Dialect`].
    pub has_header: Option<bool>,
    /// See [`Dialect`].
    pub skip_rows: Option<usize>,
    /// See [`Dialect`].
    pub merge_delimiters: Option<bool>,
    /// See [`Dialect`].
    pub trailing_delimiter: Option<bool>,
    /// See [`Dialect`].
    pub skip_initial_space: Option<bool>,
    /// See [`Dialect`].
    pub line_ending: Option<text::LineEnding>,
    /// See [`Dialect`].
    pub encoding: Option<String>,
    /// See [`Dialect`].
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub compression: Option<Option<String>>,
}

fn utf8() -> String {
    "utf-8".to_owned()
}

fn lf() -> text::LineEnding {
    text::LineEnding::Lf
}

fn given<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

impl Dialect {
    /// As the text crate has it.
    ///
    /// # Errors
    /// InvalidJob INVALID_DIALECT for characters that can't be used; SourceError UNSUPPORTED_FORMAT for encodings
    /// that can't be read.
    pub fn to_text(&self) -> Result<text::Dialect> {
        let encoding = encoding_named(&self.encoding)?;
        let delimiter = delimiter_of(&self.delimiter, encoding)?;
        if self.merge_delimiters && delimiter.len() > 1 {
            return Err(EngineError::invalid_job(
                "INVALID_DIALECT",
                "Only delimiters of one byte can be merged.",
            )
            .hint("Such as a space."));
        }
        Ok(text::Dialect {
            encoding,
            delimiter,
            merge_delimiters: self.merge_delimiters,
            trailing_delimiter: self.trailing_delimiter,
            skip_initial_space: self.skip_initial_space,
            quote: optional_byte("quote", self.quote.as_deref())?,
            escape: optional_byte("escape", self.escape.as_deref())?,
            comment: optional_byte("comment", self.comment.as_deref())?,
            has_header: self.has_header,
            skip_rows: self.skip_rows,
            line_ending: self.line_ending,
        })
    }

    /// For people and programs.
    pub fn from_text(dialect: &text::Dialect, confidence: f64, evidence: Vec<String>) -> Self {
        let character = |byte: u8| char::from(byte).to_string();
        Self {
            delimiter: text::decode::scanned(dialect.encoding)
                .decode_without_bom_handling(dialect.delimiter.as_bytes())
                .0
                .into_owned(),
            merge_delimiters: dialect.merge_delimiters,
            trailing_delimiter: dialect.trailing_delimiter,
            skip_initial_space: dialect.skip_initial_space,
            quote: dialect.quote.map(character),
            escape: dialect.escape.map(character),
            comment: dialect.comment.map(character),
            has_header: dialect.has_header,
            skip_rows: dialect.skip_rows,
            encoding: dialect.encoding.name().to_ascii_lowercase(),
            compression: None,
            line_ending: dialect.line_ending,
            confidence,
            evidence,
        }
    }
}

impl DialectOverrides {
    /// As the text crate has it.
    ///
    /// # Errors
    /// As [`Dialect::to_text`].
    pub fn to_text(&self) -> Result<text::DialectOverrides> {
        let choice = |name, value: &Option<Option<String>>| match value {
            None => Ok(None),
            Some(value) => optional_byte(name, value.as_deref()).map(Some),
        };
        let encoding = self.encoding()?;
        let delimiter = self.delimiter.as_deref();
        Ok(text::DialectOverrides {
            delimiter: delimiter
                .map(|text| delimiter_of(text, encoding.unwrap_or(text::decode::UTF_8)))
                .transpose()?,
            merge_delimiters: self.merge_delimiters,
            trailing_delimiter: self.trailing_delimiter,
            skip_initial_space: self.skip_initial_space,
            line_ending: self.line_ending,
            quote: choice("quote", &self.quote)?,
            escape: choice("escape", &self.escape)?,
            comment: choice("comment", &self.comment)?,
            has_header: self.has_header,
            skip_rows: self.skip_rows,
            encoding,
        })
    }
}

/// The bytes between fields of a file in `encoding`.
///
/// # Errors
/// InvalidJob INVALID_DIALECT.
fn delimiter_of(text: &str, encoding: &'static text::decode::Encoding) -> Result<text::Delimiter> {
    let (bytes, _, is_missing) = text::decode::scanned(encoding).encode(text);
    let delimiter = text::Delimiter::new(&bytes).filter(|_| !is_missing);
    delimiter.ok_or_else(|| {
        EngineError::invalid_job(
            "INVALID_DIALECT",
            format!(
                "The delimiter must be 1 to {} bytes without line ends, not {text:?}.",
                text::Delimiter::MAX_BYTES
            ),
        )
        .hint("Such as , ; | || or a tab.")
    })
}

/// The one byte of an option such as a delimiter.
///
/// # Errors
/// InvalidJob INVALID_DIALECT.
pub fn one_byte(name: &str, text: &str) -> Result<u8> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r') => Ok(*byte),
        _ => Err(EngineError::invalid_job(
            "INVALID_DIALECT",
            format!("The {name} must be one ASCII character, not {text:?}."),
        )
        .hint(r"Such as , ; | or a tab.")),
    }
}

fn optional_byte(name: &str, text: Option<&str>) -> Result<Option<u8>> {
    text.map(|t| one_byte(name, t)).transpose()
}

fn encoding_named(label: &str) -> Result<&'static text::decode::Encoding> {
    text::decode::encoding_named(label).ok_or_else(|| {
        EngineError::source_error(
            "UNSUPPORTED_FORMAT",
            format!("There is no encoding called {label:?}."),
        )
        .hint("Such as utf-8, windows-1252, iso-8859-2, utf-16le, shift_jis or gb18030.")
    })
}

/// What to say where a file is not compressed: it is read as it is, whatever its bytes look like.
const NOT_COMPRESSED: &str = "none";

impl Dialect {
    /// How `stored` is compressed, as its bytes say: the files of one source need not be compressed the same way.
    ///
    /// # Errors
    /// Those of reading.
    pub fn compression_of(&self, stored: &dyn text::ReadAt) -> Result<Option<text::Compression>> {
        match self.compression.as_deref() {
            Some(NOT_COMPRESSED) => Ok(None),
            _ => Ok(text::Compression::detect(stored)?),
        }
    }

    /// Its bytes say that the file is compressed.
    pub fn set_compression(&mut self, compression: text::Compression) {
        let name = compression.name();
        self.compression = Some(name.to_owned());
        self.evidence
            .push(format!("the file begins as {name} data does"));
    }
}

impl DialectOverrides {
    /// The encoding that was given.
    ///
    /// # Errors
    /// SourceError UNSUPPORTED_FORMAT for one that does not exist.
    pub fn encoding(&self) -> Result<Option<&'static text::decode::Encoding>> {
        self.encoding.as_deref().map(encoding_named).transpose()
    }

    /// How `stored` is compressed: as its bytes say, which must be what was given.
    ///
    /// # Errors
    /// InvalidJob INVALID_DIALECT for a compression that does not exist; SourceError UNSUPPORTED_FORMAT where the file
    /// has another one.
    pub fn compression_of(&self, stored: &dyn text::ReadAt) -> Result<Option<text::Compression>> {
        let given = match &self.compression {
            None => return Ok(text::Compression::detect(stored)?),
            Some(None) => return Ok(None),
            Some(Some(name)) if name == NOT_COMPRESSED => return Ok(None),
            Some(Some(name)) => text::Compression::named(name).ok_or_else(|| {
                EngineError::invalid_job(
                    "INVALID_DIALECT",
                    format!("There is no compression called {name:?}."),
                )
                .hint("Files may be compressed with gzip, zstd, bzip2 or lz4.")
            })?,
        };
        let found = text::Compression::detect(stored)?;
        if found == Some(given) {
            return Ok(found);
        }
        let is = found.map_or("not compressed", text::Compression::name);
        Err(EngineError::source_error(
            "UNSUPPORTED_FORMAT",
            format!("The file should be {}, and is {is}.", given.name()),
        )
        .hint("Leave the compression out: it is told from the bytes of the file."))
    }
}
