//! What is wrong with compressed bytes. It crosses [`crate::ReadAt`] inside an `io::Error`.

use std::io;

/// Compressed bytes that can't be read.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct DecodeError {
    /// Stable code: TRUNCATED_FILE, CORRUPT_FILE, DECOMPRESSION_LIMIT.
    pub code: &'static str,
    /// A sentence for a person.
    pub message: String,
    /// What to do about it.
    pub hint: &'static str,
}

impl DecodeError {
    /// The data ends in the middle.
    pub(super) fn truncated(format: &str, at: u64) -> Self {
        Self {
            code: "TRUNCATED_FILE",
            message: format!("The {format} data ends too early, at byte {at} of the file."),
            hint: "The file was probably not written or copied completely; get it again.",
        }
    }

    /// The data is not what it should be.
    pub(super) fn corrupt(format: &str, at: u64, why: &str) -> Self {
        let why = why.trim_end_matches('.');
        Self {
            code: "CORRUPT_FILE",
            message: format!("The {format} data is damaged near byte {at} of the file: {why}."),
            hint: "Get the file again. Whatever follows the compressed data must be compressed data, too.",
        }
    }

    /// There is more text than is believable or allowed.
    pub(super) fn limit(format: &str, text: u64, stored: u64, max: Option<u64>) -> Self {
        let message = match max {
            Some(max) => format!("The {format} data holds more than the limit of {max} bytes."),
            None => format!(
                "The first {stored} bytes of {format} data hold more than {text} bytes of text, as a decompression bomb does."
            ),
        };
        Self {
            code: "DECOMPRESSION_LIMIT",
            message,
            hint: "If the file is what it should be, set max_text_bytes of the job, or decompress it first.",
        }
    }
}

impl From<DecodeError> for io::Error {
    fn from(error: DecodeError) -> Self {
        let kind = match error.code {
            "TRUNCATED_FILE" => io::ErrorKind::UnexpectedEof,
            _ => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}
