//! What is wrong with a record, and the reject that says so.

use arrow_schema::DataType;

use crate::chunk::ChunkBuffer;
use crate::csv::machine::RAW_BYTES;
use crate::csv::rejects::type_name;
use crate::{Reject, RejectCode};

const QUOTED_CHARS: usize = 60;

/// What is wrong with a record; positions are those of the chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub code: RejectCode,
    /// The byte where it shows.
    pub at: Option<usize>,
    /// The column, with the names on the way to a nested value: `actor.login`, `commits[].sha`.
    pub column: Option<String>,
    pub expected: Option<String>,
    pub message: String,
}

impl Fault {
    /// `what` ends a sentence.
    pub fn syntax(at: usize, what: &str) -> Self {
        Self {
            code: RejectCode::InvalidJson,
            at: Some(at),
            column: None,
            expected: None,
            message: format!("The record is no JSON object: {what}."),
        }
    }

    pub fn encoding(at: usize) -> Self {
        Self {
            code: RejectCode::InvalidEncoding,
            message: "The record holds bytes that are not valid UTF-8.".into(),
            ..Self::syntax(at, "")
        }
    }

    pub fn too_long(max_record_bytes: usize) -> Self {
        Self {
            code: RejectCode::RecordTooLong,
            at: None,
            message: format!("The record is longer than the limit of {max_record_bytes} bytes."),
            ..Self::syntax(0, "")
        }
    }

    pub fn too_many_values(limit: usize) -> Self {
        Self {
            code: RejectCode::RecordTooLong,
            at: None,
            message: format!(
                "The record stands for more than {limit} values, those that are missing in its objects among them."
            ),
            ..Self::syntax(0, "")
        }
    }

    /// `value` is how it is spelled in the file.
    pub fn misfit(at: usize, column: String, data_type: &DataType, value: &[u8]) -> Self {
        let expected = type_name(data_type);
        let text = String::from_utf8_lossy(&value[..value.len().min(4 * QUOTED_CHARS)]);
        let shown: String = text.chars().take(QUOTED_CHARS).collect();
        let more = if shown.len() < value.len() { "..." } else { "" };
        let message = if value == b"null" {
            format!("Column {column} is null but must have a value of type {expected}.")
        } else {
            format!("Column {column}: {shown}{more} is no {expected}.")
        };
        Self {
            code: RejectCode::Cast,
            at: Some(at),
            column: Some(column),
            expected: Some(expected),
            message,
        }
    }

    pub fn missing(column: String, data_type: &DataType) -> Self {
        let expected = type_name(data_type);
        let message =
            format!("The record has no key {column}, which must have a value of type {expected}.");
        Self {
            code: RejectCode::Cast,
            at: None,
            column: Some(column),
            expected: Some(expected),
            message,
        }
    }

    /// Of the record `data[start..end]`, which may have been cut off after its first 4 KiB.
    pub fn into_reject(
        self,
        buffer: &ChunkBuffer,
        (start, end): (usize, usize),
        (row, line): (u64, u64),
    ) -> Reject {
        let raw = &buffer.data()[start..end.min(start + RAW_BYTES)];
        Reject {
            row,
            line,
            record_offset: buffer.offset(start),
            field_offset: self.at.map(|at| buffer.offset(at)),
            column: self.column,
            expected: self.expected,
            code: self.code,
            message: self.message,
            raw: String::from_utf8_lossy(raw).into_owned(),
        }
    }
}
