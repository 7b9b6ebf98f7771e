//! Rows as the text that they were: for results in the dialect of the file. Neighbours are copied in one go where all
//! columns are wanted; else field by field, with the quotes they have. What other readers could stumble over gets
//! quotes: text with a quote in its middle or a carriage return, and a record that begins with `#`. A field that became
//! null because it is no value is left empty.

use encoding_rs::UTF_8;

use super::field::Nulled;
use super::machine::Grammar;
use super::tokens::Tokens;
use crate::LineEnding;

const QUOTE: u8 = b'"';

/// Writes records.
pub(super) struct Verbatim {
    columns: Vec<usize>,
    /// The columns are all of the file's, in its order.
    is_whole: bool,
}

impl Verbatim {
    /// For these columns of the file.
    pub fn new(columns: &[usize], grammar: &Grammar) -> Self {
        let is_whole = columns.iter().copied().eq(0..grammar.columns);
        Self {
            columns: columns.to_vec(),
            is_whole,
        }
    }

    /// Whether records of this grammar can be copied: results have this delimiter, doubled quotes and `\n`.
    pub fn fits(grammar: &Grammar, delimiter: u8) -> bool {
        let symbols = grammar.symbols;
        symbols.delimiter == delimiter
            && symbols.quote == Some(QUOTE)
            && symbols.line_ending == LineEnding::Lf
            && symbols.escape.is_none()
            && grammar.padding_byte().is_none()
            && !grammar.trails
            && grammar.encoding == UTF_8
    }

    /// Append the records whose first fields are `entries`. `nulled` names rows by their place in `entries`.
    pub fn write(
        &self,
        data: &[u8],
        tokens: &Tokens,
        entries: &[u32],
        nulled: &[Nulled],
        out: &mut Vec<u8>,
    ) {
        if self.is_whole && nulled.is_empty() && !tokens.needs_care() {
            return self.write_whole(data, tokens, entries, out);
        }
        let mut nulled = nulled.iter().peekable();
        for (row, entry) in entries.iter().enumerate() {
            let mut missing = Vec::new();
            while let Some(null) = nulled.next_if(|null| null.row == row) {
                missing.push(null.column);
            }
            self.write_fields(data, tokens, *entry as usize, &missing, out);
        }
    }

    fn write_whole(&self, data: &[u8], tokens: &Tokens, entries: &[u32], out: &mut Vec<u8>) {
        let ends = tokens.ends();
        let columns = self.columns.len();
        let (mut from, mut to) = (0, 0);
        for entry in entries {
            let entry = *entry as usize;
            let start = ends[entry - 1].wrapping_add(1) as usize;
            let next = ends[entry + columns - 1] as usize + 1;
            let is_comment = data[start] == b'#';
            if start != to || is_comment {
                out.extend_from_slice(&data[from..to]);
                from = start;
            }
            to = next;
            if is_comment {
                self.write_fields(data, tokens, entry, &[], out);
                from = next;
            }
        }
        out.extend_from_slice(&data[from..to]);
    }

    fn write_fields(
        &self,
        data: &[u8],
        tokens: &Tokens,
        entry: usize,
        missing: &[usize],
        out: &mut Vec<u8>,
    ) {
        let ends = tokens.ends();
        let last = tokens.grammar().columns - 1;
        let needs_care = tokens.needs_care();
        for (place, column) in self.columns.iter().enumerate() {
            if place > 0 {
                out.push(tokens.grammar().symbols.delimiter.first());
            }
            let from = ends[entry + column - 1].wrapping_add(1) as usize;
            let mut to = ends[entry + column] as usize;
            if *column == last {
                to = tokens.grammar().content_end(data, from, to);
            }
            let field = &data[from..to];
            if !missing.is_empty() && missing.contains(column) {
                continue;
            }
            let begins_comment = place == 0 && field.first() == Some(&b'#');
            if begins_comment || (needs_care && is_odd(field)) {
                write_quoted(field, out);
            } else {
                out.extend_from_slice(field);
            }
        }
        out.push(b'\n');
    }
}

/// Text without quotes around it that holds a quote or a carriage return.
fn is_odd(field: &[u8]) -> bool {
    field.first() != Some(&QUOTE) && memchr::memchr2(QUOTE, b'\r', field).is_some()
}

fn write_quoted(field: &[u8], out: &mut Vec<u8>) {
    out.push(QUOTE);
    for piece in field.split_inclusive(|byte| *byte == QUOTE) {
        out.extend_from_slice(piece);
        if piece.ends_with(&[QUOTE]) {
            out.push(QUOTE);
        }
    }
    out.push(QUOTE);
}
