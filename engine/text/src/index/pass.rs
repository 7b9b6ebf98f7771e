//! One pass over a range, the same for every instruction set.

use super::marks::{Found, Marks};
use super::{Index, Symbols};
use crate::LineEnding;

/// What a pass needs of an instruction set.
pub(super) trait Blocks {
    /// 64 bytes in registers.
    type Block: Copy;

    /// Read 64 bytes.
    ///
    /// # Safety
    /// They are readable, and the instruction set is available.
    unsafe fn load(at: *const u8) -> Self::Block;

    /// Bit i says whether byte i equals `byte`.
    ///
    /// # Safety
    /// The instruction set is available.
    unsafe fn equal(block: Self::Block, byte: u8) -> u64;

    /// Bit i says whether byte i is below 0x20.
    ///
    /// # Safety
    /// The instruction set is available.
    unsafe fn controls(block: Self::Block) -> u64;

    /// Bit i says whether byte i is no ASCII.
    ///
    /// # Safety
    /// The instruction set is available.
    unsafe fn high(block: Self::Block) -> u64;

    /// Bit i is the xor of the bits 0 to i.
    ///
    /// # Safety
    /// The instruction set is available.
    unsafe fn prefix_xor(mask: u64) -> u64;

    /// Write `base` + the number of each set bit; returns how many. May write up to 64 entries whatever the mask.
    ///
    /// # Safety
    /// 64 entries are writable at `out`, and the instruction set is available.
    unsafe fn positions(mask: u64, base: u32, out: *mut u32) -> usize;
}

/// Append the structural positions in `data[from..to]`, up to the first anomaly: its position, and the line ends inside
/// quotes before the last line end outside.
///
/// # Safety
/// `B`'s instruction set is available; `data` has 128 bytes after `to`; both vectors have room for `to - from + 128` more.
#[inline(always)]
pub(super) unsafe fn run<B: Blocks>(
    index: &mut Index,
    symbols: Symbols,
    data: &[u8],
    from: usize,
    to: usize,
) -> (Option<usize>, usize) {
    // SAFETY: blocks begin below `to`, so that they, and what a delimiter in them reaches past them, end within the 128
    // bytes after it. Each byte of the range gives at most one entry to each vector and a write touches 64 entries past the
    // count, so `to - from + 128` are enough, and the entries up to the counts are written before the lengths are set.
    unsafe {
        let takes_return = symbols.line_ending.takes_return();
        match (symbols.is_simple(), symbols.quote) {
            (true, Some(_)) if takes_return => {
                pass::<B, true, true, false>(index, symbols, data, from, to)
            }
            (true, Some(_)) => pass::<B, true, false, false>(index, symbols, data, from, to),
            (true, None) => pass::<B, false, false, false>(index, symbols, data, from, to),
            (false, Some(_)) if takes_return => {
                pass::<B, true, true, true>(index, symbols, data, from, to)
            }
            (false, Some(_)) => pass::<B, true, false, true>(index, symbols, data, from, to),
            (false, None) => pass::<B, false, false, true>(index, symbols, data, from, to),
        }
    }
}

/// A block without quotes takes a shorter way after this many others. Where quotes are frequent, guessing for each block
/// whether it has one would cost more than the longer way.
const QUIET_BLOCKS: usize = 32;

#[inline(always)]
unsafe fn pass<B: Blocks, const QUOTES: bool, const CRLF: bool, const MARKS: bool>(
    index: &mut Index,
    symbols: Symbols,
    data: &[u8],
    from: usize,
    to: usize,
) -> (Option<usize>, usize) {
    let mut ends_len = index.ends.len();
    let mut lines_len = index.lines.len();
    let ends = index.ends.as_mut_ptr();
    let lines = index.lines.as_mut_ptr();

    let mut inside_before = 0_u64; // all ones: the block begins inside quotes
    let mut close_before = 0_u64; // 1: the byte before the block is a closing quote
    let mut close_cr_before = 0_u64; // 1: a closing quote and a CR come before the block
    let mut opening_may_start = 1_u64 << (from & 63); // bits where the byte before lets a quote open
    let mut valid = !0_u64 << (from & 63);
    let mut anomaly = None;
    let mut quoted_lines = 0; // before the last line end outside quotes
    let mut quoted_lines_after = 0; // and since then
    let mut quiet_blocks = QUIET_BLOCKS + 1; // blocks since the last quote
    let mut high = 0_u64;
    let mut returns_seen = 0_u64;
    let mut doubled = 0_u64;
    let mut record_may_start = opening_may_start; // bits where the byte before the block ends a record
    let mut marks = Marks::new(symbols, to);
    let (delimiter, quote) = (symbols.delimiter.first(), symbols.quote.unwrap_or_default());
    let newline = if symbols.line_ending == LineEnding::Cr {
        b'\r'
    } else {
        b'\n'
    };

    let mut base = from & !63;
    while base < to {
        if base + 64 > to {
            valid &= (1_u64 << (to - base)) - 1;
        }
        // SAFETY: base < to, and 64 bytes after `to` are readable.
        let block = unsafe { B::load(data.as_ptr().add(base)) };
        // SAFETY: the caller vouches for the instruction set.
        let found = unsafe {
            if MARKS {
                marks.read::<B>(data, base, valid)
            } else {
                let delimiters = B::equal(block, delimiter) & valid;
                Found {
                    delimiters,
                    ends: delimiters,
                    newlines: B::equal(block, newline) & valid,
                    quotes: if QUOTES {
                        B::equal(block, quote) & valid
                    } else {
                        0
                    },
                    escapes: 0,
                    comments: 0,
                    spaces: 0,
                }
            }
        };
        let Found {
            delimiters,
            newlines,
            quotes,
            ..
        } = found;
        // SAFETY: as above.
        unsafe {
            high |= B::high(block);
            returns_seen |= B::equal(block, b'\r');
        }
        let mut structural = found.ends | newlines;
        let mut records = newlines;
        let openings = if MARKS {
            let (openings, next) = marks.openings(found, opening_may_start);
            opening_may_start = next;
            openings
        } else {
            0
        };
        let mut comments = 0;
        if QUOTES {
            let pending =
                inside_before | close_before | close_cr_before | quoted_lines_after as u64;
            if quotes | pending == 0 && quiet_blocks > QUIET_BLOCKS {
                if MARKS {
                    comments = found.comments & (records << 1 | record_may_start);
                } else {
                    opening_may_start = structural >> 63;
                }
            } else {
                quiet_blocks = if quotes == 0 { quiet_blocks + 1 } else { 0 };
                // SAFETY: as above.
                let inside = unsafe { B::prefix_xor(quotes) } ^ inside_before;
                let opening = quotes & inside;
                let closing = quotes & !inside;
                let separators = delimiters | newlines | quotes;
                let closed = (closing << 1) | close_before;
                doubled |= closed & quotes;
                let mut bad = if MARKS {
                    doubled |= found.escapes & inside;
                    opening & !openings
                } else {
                    opening & !((separators << 1) | opening_may_start)
                };
                if CRLF {
                    // SAFETY: as above.
                    let returns = unsafe { B::equal(block, b'\r') } & valid;
                    let mut closed_cr = closed & returns;
                    if MARKS {
                        closed_cr &= !newlines;
                    }
                    bad |= closed & !(separators | returns);
                    bad |= ((closed_cr << 1) | close_cr_before) & !newlines;
                    close_cr_before = closed_cr >> 63;
                } else {
                    bad |= closed & !separators;
                }
                bad &= valid;
                let mut quoted_newlines = newlines & inside;
                structural &= !inside;
                records &= !inside;
                inside_before = ((inside as i64) >> 63) as u64;
                close_before = closing >> 63;
                if MARKS {
                    bad |= found.comments & (records << 1 | record_may_start);
                } else {
                    opening_may_start = separators >> 63;
                }
                if bad != 0 {
                    let first = bad.trailing_zeros();
                    anomaly = Some(base + first as usize);
                    let good = (1_u64 << first) - 1;
                    structural &= good;
                    records &= good;
                    quoted_newlines &= good;
                }
                if quoted_newlines == 0 && quoted_lines_after == 0 {
                    // Nothing to count, as in most blocks.
                } else if records != 0 {
                    let below = (1_u64 << (63 - records.leading_zeros())) - 1;
                    let inner = (quoted_newlines & below).count_ones() as usize;
                    quoted_lines += quoted_lines_after + inner;
                    quoted_lines_after = quoted_newlines.count_ones() as usize - inner;
                } else {
                    quoted_lines_after += quoted_newlines.count_ones() as usize;
                }
            }
        }
        if MARKS {
            if !QUOTES {
                comments = found.comments & (records << 1 | record_may_start);
            }
            if comments != 0 {
                let first = comments.trailing_zeros();
                anomaly = Some(base + first as usize);
                structural &= (1 << first) - 1;
                records &= (1 << first) - 1;
            }
            record_may_start = records >> 63;
        }
        // SAFETY: room for 64 entries past the counts was reserved by the caller.
        unsafe {
            ends_len += B::positions(structural, base as u32, ends.add(ends_len));
            // Without a branch: whether a block has a line end is a coin toss in many files.
            lines_len += B::positions(records, base as u32, lines.add(lines_len));
        }
        if (QUOTES || MARKS) && anomaly.is_some() {
            break;
        }
        valid = !0;
        base += 64;
    }
    // SAFETY: the entries up to these lengths were written, within the capacity.
    unsafe {
        index.ends.set_len(ends_len);
        index.lines.set_len(lines_len);
    }
    index.has_non_ascii |= high != 0;
    index.has_returns |= returns_seen != 0;
    index.has_doubled_quotes |= doubled != 0;
    (anomaly, quoted_lines)
}
