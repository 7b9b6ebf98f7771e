//! Rejects: what a person needs to find and mend a record.

use arrow_schema::{DataType, SchemaRef, TimeUnit};

use crate::chunk::ChunkBuffer;
use crate::{Reject, RejectCode};

use super::field::FieldFault;
use super::machine::{Grammar, RAW_BYTES};
use super::tokens::BadRecord;

const QUOTED_CHARS: usize = 60;

/// Makes the rejects of one chunk, in the order of their records.
pub(crate) struct RejectWriter<'a> {
    pub buffer: &'a ChunkBuffer,
    pub grammar: &'a Grammar,
    pub schema: &'a SchemaRef,
    /// Up to here lines were counted.
    pub counted: &'a mut (usize, u64),
}

impl RejectWriter<'_> {
    /// A record with a structural fault.
    pub fn structural(&mut self, row: u64, bad: &BadRecord) -> Reject {
        let trails = self.grammar.trails;
        let columns = self.grammar.columns - usize::from(trails);
        let code = bad.fault.code;
        let message = match code {
            RejectCode::TooFewColumns | RejectCode::TooManyColumns if trails => format!(
                "The record has {} delimiter{} where {columns} are expected, with nothing after the last.",
                bad.fields - 1,
                if bad.fields == 2 { "" } else { "s" }
            ),
            RejectCode::TooFewColumns | RejectCode::TooManyColumns => format!(
                "The record has {} field{} where {columns} are expected.",
                bad.fields,
                if bad.fields == 1 { "" } else { "s" }
            ),
            RejectCode::InvalidQuote => {
                "There is text after a closing quote; a quote inside a quoted field must be doubled.".to_owned()
            }
            RejectCode::RecordTooLong => {
                format!("The record is longer than the limit of {} bytes.", self.grammar.max_record_bytes)
            }
            _ => "A quoted field that begins on this line does not end properly; only this line was rejected.".to_owned(),
        };
        let line = self.line_of(bad.start);
        let (column, field_offset) = match bad.fault.field {
            Some(field) => (None, Some(self.buffer.offset(field))),
            None => (None, None),
        };
        Reject {
            row,
            line,
            record_offset: self.buffer.offset(bad.start),
            field_offset,
            column,
            expected: None,
            code,
            message,
            raw: self.raw(bad.start, bad.next),
        }
    }

    /// A record with a field that is no value; `start` and `line_end` are those of the record.
    pub fn field(&mut self, row: u64, start: usize, line_end: usize, fault: &FieldFault) -> Reject {
        let field = self.schema.field(fault.column);
        let name = field.name();
        let expected = type_name(field.data_type());
        let bytes = &self.buffer.data()[fault.from..fault.to];
        let message = if fault.code == RejectCode::InvalidEncoding {
            format!("Column {name} holds bytes that are not valid in the encoding of the file.")
        } else if bytes.is_empty() {
            format!("Column {name} is empty but must have a value of type {expected}.")
        } else {
            let seen = &bytes[..bytes.len().min(4 * QUOTED_CHARS)];
            let (text, _) = self.grammar.encoding.decode_without_bom_handling(seen);
            let shown: String = text.chars().take(QUOTED_CHARS).collect();
            let is_all = shown.len() == text.len() && seen.len() == bytes.len();
            let more = if is_all { "" } else { "..." };
            format!("Column {name}: {shown}{more} is no {expected}.")
        };
        Reject {
            row,
            line: self.line_of(start),
            record_offset: self.buffer.offset(start),
            field_offset: Some(self.buffer.offset(fault.from)),
            column: Some(name.clone()),
            expected: Some(expected),
            code: fault.code,
            message,
            raw: self.raw(start, line_end + 1),
        }
    }

    /// The line on which a position lies, from 1; positions must not descend.
    fn line_of(&mut self, position: usize) -> u64 {
        let (from, lines) = *self.counted;
        let line_ending = self.grammar.symbols.line_ending;
        *self.counted = (
            position,
            lines + line_ending.count(self.buffer.data(), from, position) as u64,
        );
        self.counted.1 + 1
    }

    fn raw(&self, start: usize, next: usize) -> String {
        let data = self.buffer.data();
        let line_ending = self.grammar.symbols.line_ending;
        let ends = next > start && line_ending.is_at(data, next - 1);
        let end = if ends {
            self.grammar.line_content_end(data, start, next - 1)
        } else {
            next
        };
        let raw = &data[start..end.min(start + RAW_BYTES)];
        let (text, _) = self.grammar.encoding.decode_without_bom_handling(raw);
        text.into_owned()
    }
}

/// The name of a type, as the engine's callers write it.
pub(crate) fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8View => "Utf8".to_owned(),
        DataType::Decimal128(precision, scale) => format!("Decimal128({precision}, {scale})"),
        DataType::Timestamp(TimeUnit::Microsecond, None) => "Timestamp(us)".to_owned(),
        DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) => format!("Timestamp(us, {zone})"),
        other => other.to_string(),
    }
}
