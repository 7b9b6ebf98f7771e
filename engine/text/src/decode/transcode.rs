//! Characters of any encoding as UTF-8, piece by piece.

use encoding_rs::{Decoder, DecoderResult, Encoding};

/// Stands for what is malformed: no UTF-8 holds it, so that whoever reads the text notices.
const MALFORMED: u8 = 0xff;

/// Keeps a character that was cut between two pieces.
pub(super) struct Transcoder(Decoder);

impl Transcoder {
    /// A byte order mark at the beginning is dropped, and what it says holds.
    pub fn new(encoding: &'static Encoding) -> Self {
        Self(encoding.new_decoder())
    }

    /// The text of the next bytes; `last`: no more will come.
    pub fn next(&mut self, mut bytes: &[u8], last: bool) -> Vec<u8> {
        let mut text = Vec::new();
        loop {
            let from = text.len();
            let room = self
                .0
                .max_utf8_buffer_length_without_replacement(bytes.len())
                .unwrap_or(bytes.len());
            text.resize(from + room.max(16), 0);
            let (result, read, written) =
                self.0
                    .decode_to_utf8_without_replacement(bytes, &mut text[from..], last);
            text.truncate(from + written);
            bytes = &bytes[read..];
            match result {
                DecoderResult::InputEmpty => return text,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => text.push(MALFORMED),
            }
        }
    }
}
