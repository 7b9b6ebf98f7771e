//! What a file is, from its head and from windows over the whole of it, with the evidence for each choice.
//!
//! [`sample`] takes the bytes, [`format`] refuses those that are no delimited text, [`detect`] compares dialects by
//! what they make of the sample ([`split`], [`tally`]), [`columns`] finds names and types ([`header`], [`types`],
//! [`value`]), [`evidence`] says why, and [`start`] finds where the data begins. [`json`] does all of it for NDJSON.

use arrow_schema::DataType;
use encoding_rs::Encoding;

use crate::{Delimiter, Dialect, LineEnding, ReadAt, TextError};

mod columns;
mod delimiters;
mod detect;
mod evidence;
mod format;
mod header;
mod json;
mod sample;
mod split;
mod start;
mod tally;
mod types;
mod value;

pub use json::{JsonSniffed, is_ndjson, sniff_json};
pub use start::{data_start, header_lines};

use sample::Head;

/// Choices that were made by a person and are not to be detected. A field that is None is detected;
/// `Some(None)` says that there is no such character.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DialectOverrides {
    /// See [`Dialect`].
    pub delimiter: Option<Delimiter>,
    /// See [`Dialect`].
    pub merge_delimiters: Option<bool>,
    /// See [`Dialect`].
    pub trailing_delimiter: Option<bool>,
    /// See [`Dialect`].
    pub skip_initial_space: Option<bool>,
    /// See [`Dialect`].
    pub line_ending: Option<LineEnding>,
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
    /// See [`Dialect`]; the bytes are what [`crate::decode::text_of`] made with it.
    pub encoding: Option<&'static Encoding>,
}

impl DialectOverrides {
    /// No character can have two meanings.
    fn check(&self) -> Result<(), TextError> {
        let given = [
            self.quote.flatten(),
            self.escape.flatten().filter(|_| self.escape != self.quote),
            self.comment.flatten(),
        ];
        let mut given: Vec<u8> = given.into_iter().flatten().collect();
        let mut delimiter = self.delimiter.map_or(vec![], |d| d.as_bytes().to_vec());
        delimiter.sort_unstable();
        delimiter.dedup();
        given.extend(delimiter);
        given.extend(b"\n\r");
        given.sort_unstable();
        let is_long = self.delimiter.is_some_and(|delimiter| delimiter.len() > 1);
        if is_long && self.merge_delimiters == Some(true) {
            return Err(format::not_a_table(
                "Only delimiters of one byte can be merged.".into(),
                "Give a delimiter of one byte, such as a space, or leave merge_delimiters out.",
            ));
        }
        match given.windows(2).find(|pair| pair[0] == pair[1]) {
            None => Ok(()),
            Some(pair) => Err(format::not_a_table(
                format!(
                    "The character {:?} can't have two meanings in one dialect.",
                    char::from(pair[0])
                ),
                "Give delimiter, quote, escape and comment characters that differ from each other and from line ends.",
            )),
        }
    }
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
/// [`TextError::NotATable`] for empty, binary or compressed bytes, and for overrides that contradict each other.
pub fn sniff(source: &dyn ReadAt, overrides: &DialectOverrides) -> Result<Sniffed, TextError> {
    overrides.check()?;
    let mut head = Head::read(source)?;
    if overrides.delimiter.is_none() {
        format::check_json(&head.window.bytes)?;
    }
    let mut windows = head.windows(source)?;
    let mut readings = detect::detect(&head, &windows, overrides);
    while readings[0].tally.records < 2 && head.grow(source)? {
        windows = head.windows(source)?;
        readings = detect::detect(&head, &windows, overrides);
    }
    let mut best = readings.remove(0);
    if best.tally.records == 0 && head.window.whole {
        return Err(format::empty(
            "No record is left after comments and skipped lines.",
        ));
    }
    let columns = columns::read(&head.window, &windows, &mut best, overrides)?;
    let dialect = Dialect {
        delimiter: best.rules.delimiter,
        merge_delimiters: best.rules.merges,
        trailing_delimiter: columns.trails,
        skip_initial_space: best.rules.skips_spaces,
        quote: best.rules.quote,
        escape: best.rules.escape,
        comment: best.rules.comment,
        has_header: columns.has_header,
        skip_rows: best.skip_rows,
        line_ending: best.rules.line_ending,
        encoding: columns.encoding,
    };
    let rival = readings
        .iter()
        .find(|other| other.rules.delimiter != dialect.delimiter);
    Ok(Sniffed {
        confidence: evidence::confidence(&head, &best, rival, &columns),
        evidence: evidence::sentences(&head, &best, rival, &columns, overrides),
        data_start: data_start(source, &dialect)?,
        columns: columns.guesses,
        dialect,
    })
}
