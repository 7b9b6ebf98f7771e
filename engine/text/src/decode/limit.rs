//! How much text is believed to be in a compressed file.

use super::error::DecodeError;

/// Text is believed to be this many times its stored size; tables of repeated rows come to some hundreds.
const MAX_RATIO: u64 = 1_000;
/// Small enough to be made without asking for the ratio.
const UNASKED_BYTES: u64 = 1 << 30;
/// No file holds more text.
const MAX_BYTES: u64 = 1 << 44;

/// A limit that was given; None: as much as is believable.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit(pub Option<u64>);

impl Limit {
    /// Fail if `text` bytes are too much for `stored` ones.
    ///
    /// # Errors
    /// DECOMPRESSION_LIMIT.
    pub fn check(self, format: &str, text: u64, stored: u64) -> Result<(), DecodeError> {
        let too_much = match self.0 {
            Some(max) => text > max,
            None => text > MAX_BYTES || (text > UNASKED_BYTES && text / MAX_RATIO > stored.max(1)),
        };
        if too_much {
            return Err(DecodeError::limit(format, text, stored, self.0));
        }
        Ok(())
    }
}
