//! Structural index: 64-byte blocks to the positions of delimiters and line ends outside quotes.
//!
//! A block becomes bitmasks of delimiters, line ends and quotes. The prefix xor of the quotes (a carry-less multiply)
//! says which bytes lie inside quotes; the structural bytes outside are compressed to positions. That parity reading
//! equals the RFC 4180 machine as long as each opening quote follows a delimiter, a line end or a quote, and each
//! closing quote is followed by a delimiter, a line end or a quote. Where that does not hold the pass stops: the caller
//! reads on with the exact machine.
//!
//! In dialects in which more than a byte says what a byte means, the bitmasks are made first (`marks`): quotes that are
//! escaped are dropped, delimiters of several bytes are found from the left, and a pass stops at each comment.
//!
//! This module alone holds unsafe code: SIMD, and string views whose bytes were checked as they were pushed.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod json;
mod marks;
mod pass;
mod portable;
pub(crate) mod views;

use std::sync::OnceLock;

use crate::{Delimiter, LineEnding};

pub use json::JsonIndex;

/// Bytes that must be readable after the last byte that is indexed: a block, and what a delimiter in it may reach past it.
pub const PADDING_BYTES: usize = 128;

/// How the index is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Simd {
    /// 64-bit words, any machine.
    Portable,
    /// AVX2, BMI and PCLMULQDQ.
    Avx2,
    /// AVX-512 with VBMI2.
    Avx512,
}

impl Simd {
    /// The fastest one of this machine, or a lower one that `KARYAKSHAM_SIMD` (avx512, avx2, portable) asks for. Read once.
    pub fn get() -> Self {
        static CHOSEN: OnceLock<Simd> = OnceLock::new();
        *CHOSEN.get_or_init(|| {
            let wanted = std::env::var("KARYAKSHAM_SIMD").unwrap_or_default();
            let limit = [Self::Portable, Self::Avx2]
                .into_iter()
                .find(|s| s.name() == wanted);
            limit.map_or(Self::best(), |s| s.min(Self::best()))
        })
    }

    /// The ones that this machine has, the slowest first.
    pub fn available() -> Vec<Self> {
        [Self::Portable, Self::Avx2, Self::Avx512]
            .into_iter()
            .filter(|s| *s <= Self::best())
            .collect()
    }

    /// `avx512`, `avx2` or `portable`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if !avx2::is_available() {
                Self::Portable
            } else if avx512::is_available() {
                Self::Avx512
            } else {
                Self::Avx2
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        Self::Portable
    }
}

/// The name of the structural index that this process uses.
pub fn simd_path() -> &'static str {
    Simd::get().name()
}

/// The bytes that have a meaning. They differ, and a delimiter holds none of the others. What it all means is said in
/// [`crate::Dialect`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbols {
    /// Between fields.
    pub delimiter: Delimiter,
    /// Around fields.
    pub quote: Option<u8>,
    /// Within quotes, before a byte that has no meaning then.
    pub escape: Option<u8>,
    /// Begins a line that is no record.
    pub comment: Option<u8>,
    /// Ends a record.
    pub line_ending: LineEnding,
    /// Spaces may come before an opening quote.
    pub skips_spaces: bool,
    /// Delimiters in a row are one: the first of them.
    pub merges: bool,
}

impl Symbols {
    /// A byte has the same meaning everywhere outside quotes, and one meaning is left to it inside: the quote.
    fn is_simple(&self) -> bool {
        self.delimiter.len() == 1
            && self.escape.is_none()
            && self.comment.is_none()
            && !self.skips_spaces
            && !self.merges
            && matches!(self.line_ending, LineEnding::Lf | LineEnding::Cr)
    }
}

/// Positions of structural bytes, ascending.
#[derive(Debug, Default)]
pub struct Index {
    /// Ends of fields: the first bytes of delimiters, and line ends. The first entry is the byte before the first record, so
    /// that a field always begins one past the entry before its own, or as many bytes as the delimiter has.
    pub ends: Vec<u32>,
    /// Line ends among them: ends of records.
    pub lines: Vec<u32>,
    /// There may be bytes that are no ASCII; false: there are none.
    pub has_non_ascii: bool,
    /// There may be carriage returns; false: there are none.
    pub has_returns: bool,
    /// There may be quotes next to each other, as in an empty field, or escapes within quotes; false: there are none.
    pub has_doubled_quotes: bool,
}

/// What one pass found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    /// Up to here whole records were indexed.
    pub boundary: usize,
    /// The first byte that shows that parity can't be trusted from here on, or that begins a comment.
    pub anomaly: Option<usize>,
    /// Line ends inside quotes, before `boundary`.
    pub quoted_lines: usize,
}

impl Index {
    /// Forget everything; the next record begins at `from`, which is at least 1.
    pub fn restart(&mut self, from: usize) {
        self.ends.clear();
        self.lines.clear();
        self.has_non_ascii = false;
        self.has_returns = false;
        self.has_doubled_quotes = false;
        self.ends.push(from as u32 - 1);
    }

    /// Index the whole records in `data[from..to]` and append them. `from` is the first byte of a record, outside quotes.
    ///
    /// # Panics
    /// When `data` has less than [`PADDING_BYTES`] after `to`, or is larger than 4 GiB.
    pub fn run(
        &mut self,
        simd: Simd,
        symbols: Symbols,
        data: &[u8],
        from: usize,
        to: usize,
    ) -> Pass {
        assert!(
            from <= to && to + PADDING_BYTES <= data.len() && u32::try_from(data.len()).is_ok()
        );
        let before = self.lines.len();
        let room = to - from + 2 * PADDING_BYTES;
        self.ends.reserve(room);
        self.lines.reserve(room);
        let (anomaly, quoted_lines) = match simd {
            #[cfg(target_arch = "x86_64")]
            Simd::Avx512 if avx512::is_available() => {
                // SAFETY: the features were just detected; bounds were asserted and room reserved above.
                unsafe { avx512::run(self, symbols, data, from, to) }
            }
            #[cfg(target_arch = "x86_64")]
            Simd::Avx2 | Simd::Avx512 if avx2::is_available() => {
                // SAFETY: as above.
                unsafe { avx2::run(self, symbols, data, from, to) }
            }
            // SAFETY: needs no features; bounds were asserted and room reserved above.
            _ => unsafe { pass::run::<portable::Words>(self, symbols, data, from, to) },
        };
        let last = if self.lines.len() > before {
            self.lines.last().copied()
        } else {
            None
        };
        let boundary = last.map_or(from, |line| line as usize + 1);
        // Fields of a record that does not end here come again with the rest of it.
        while self
            .ends
            .last()
            .is_some_and(|end| *end as usize >= boundary)
        {
            self.ends.pop();
        }
        Pass {
            boundary,
            anomaly,
            quoted_lines,
        }
    }
}
