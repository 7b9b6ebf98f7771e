//! The bitmasks of a block, in dialects in which a byte alone does not say what it means: delimiters of several bytes,
//! escaped quotes, comments, spaces before quotes, line ends of two bytes or of several kinds.

use super::json::find_escaped;
use super::pass::Blocks;
use super::{LineEnding, Symbols};

/// What is carried from one block to the next.
pub(super) struct Marks {
    symbols: Symbols,
    to: usize,
    /// 1: the first byte is escaped.
    escaped_before: u64,
    /// The first bytes, as far as they belong to a delimiter that begins in the block before.
    taken: u64,
    /// 1: a delimiter comes before the first byte.
    delimiter_before: u64,
}

/// Bit i is about byte i.
#[derive(Clone, Copy)]
pub(super) struct Found {
    /// It begins a delimiter.
    pub delimiters: u64,
    /// It begins one that is an end of a field.
    pub ends: u64,
    /// A line ends with it.
    pub newlines: u64,
    /// It is a quote that is not escaped.
    pub quotes: u64,
    /// It is an escape character.
    pub escapes: u64,
    /// It begins a comment, where a record may begin.
    pub comments: u64,
    /// It may stand between a delimiter and an opening quote.
    pub spaces: u64,
}

impl Marks {
    pub fn new(symbols: Symbols, to: usize) -> Self {
        Self {
            symbols,
            to,
            escaped_before: 0,
            taken: 0,
            delimiter_before: 0,
        }
    }

    /// Of the block at `base`; bytes count where `valid` says so.
    ///
    /// # Safety
    /// `B`'s instruction set is available, and 128 bytes are readable from `base` on.
    #[inline(always)]
    pub unsafe fn read<B: Blocks>(&mut self, data: &[u8], base: usize, valid: u64) -> Found {
        let symbols = self.symbols;
        // SAFETY: `load` asks for 64 bytes, at most `Delimiter::MAX_BYTES` past `base`; the caller vouches for the rest.
        let load = |past: usize| unsafe { B::load(data.as_ptr().add(base + past)) };
        let block = load(0);
        // SAFETY: the caller vouches for the instruction set.
        let find = |byte: u8| unsafe { B::equal(block, byte) } & valid;
        let find_some = |byte: Option<u8>| byte.map_or(0, find);

        let mut delimiters = find(symbols.delimiter.first());
        for (past, byte) in symbols.delimiter.as_bytes().iter().enumerate().skip(1) {
            if delimiters == 0 {
                break;
            }
            // SAFETY: as above.
            delimiters &= unsafe { B::equal(load(past), *byte) };
        }
        if symbols.delimiter.len() > 1 {
            delimiters = self.leftmost(delimiters);
        }
        let mut ends = delimiters;
        if symbols.merges {
            ends &= !(delimiters << 1 | self.delimiter_before);
            self.delimiter_before = delimiters >> 63;
        }
        let newlines = match symbols.line_ending {
            LineEnding::Lf => find(b'\n'),
            LineEnding::Cr => find(b'\r'),
            LineEnding::Any => {
                // SAFETY: as above.
                let before_feed = unsafe { B::equal(load(1), b'\n') };
                let mut alone = find(b'\r') & !before_feed;
                if self.to <= base + 64 {
                    // What comes after the last byte is not known.
                    alone &= !(1 << (self.to - 1 - base));
                }
                find(b'\n') | alone
            }
        };
        let escapes = find_some(symbols.escape);
        let mut quotes = find_some(symbols.quote);
        if escapes | self.escaped_before != 0 {
            quotes &= !find_escaped(escapes, &mut self.escaped_before);
        }
        Found {
            delimiters,
            ends,
            newlines,
            quotes,
            escapes,
            comments: find_some(symbols.comment),
            spaces: if symbols.skips_spaces { find(b' ') } else { 0 },
        }
    }

    /// Of delimiters that overlap, those that a reader from the left takes.
    #[inline(always)]
    fn leftmost(&mut self, delimiters: u64) -> u64 {
        let length = self.symbols.delimiter.len();
        let mut rest = delimiters & !self.taken;
        let overlap = (1..length).fold(0, |all, past| all | rest << past);
        let mut found = rest;
        if rest & overlap != 0 {
            found = 0;
            while rest != 0 {
                let first = rest.trailing_zeros();
                found |= 1 << first;
                rest &= !(((1 << length) - 1) << first);
            }
        }
        self.taken = (1..length).fold(0, |all, past| all | found >> (64 - past));
        found
    }

    /// Where a quote may open, and the same for the next block: at the beginning of a field, or after another quote.
    #[inline(always)]
    pub fn openings(&self, found: Found, before: u64) -> (u64, u64) {
        let length = self.symbols.delimiter.len();
        let others = found.newlines | found.quotes;
        let mut openings = others << 1 | found.delimiters << length | before;
        let mut next = others >> 63 | found.delimiters >> (64 - length);
        if found.spaces != 0 {
            // A carry runs through the spaces after each of them.
            let (past, carry) = found.spaces.overflowing_add(openings & found.spaces);
            openings |= past & !found.spaces;
            next |= u64::from(carry);
        }
        (openings, next)
    }
}
