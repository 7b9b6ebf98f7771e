//! The marks of JSON lines: quotes, line ends, and where a closer look is needed. A line feed always ends a record, for
//! no JSON string holds one; so the reading begins anew after each line, and a line whose quotes are odd can't disturb
//! the next.

use super::pass::Blocks;
use super::{PADDING_BYTES, Simd, portable};
#[cfg(target_arch = "x86_64")]
use super::{avx2, avx512};

/// Positions, each list ascending.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct JsonIndex {
    /// Quotes that no backslash escapes.
    pub quotes: Vec<u32>,
    /// Line feeds.
    pub lines: Vec<u32>,
    /// Backslashes that no backslash escapes.
    pub escapes: Vec<u32>,
    /// Control characters inside strings; a line feed there ends a line whose quotes are odd.
    pub suspects: Vec<u32>,
    /// Blocks of 64 bytes with bytes above 0x7f, by their first byte.
    pub wide: Vec<u32>,
}

impl JsonIndex {
    /// Index `data[from..to]`, forgetting what was there. `from` is the first byte of a line.
    ///
    /// # Panics
    /// When `data` has less than [`PADDING_BYTES`] after `to`, or is larger than 4 GiB.
    pub fn run(&mut self, simd: Simd, data: &[u8], from: usize, to: usize) {
        assert!(
            from <= to && to + PADDING_BYTES <= data.len() && u32::try_from(data.len()).is_ok()
        );
        self.escapes.clear();
        self.suspects.clear();
        self.wide.clear();
        self.quotes.clear();
        self.lines.clear();
        let room = to - from + 2 * PADDING_BYTES;
        self.quotes.reserve(room);
        self.lines.reserve(room);
        match simd {
            #[cfg(target_arch = "x86_64")]
            Simd::Avx512 if avx512::is_available() => {
                // SAFETY: the features were just detected; bounds were asserted and room reserved above.
                unsafe { avx512::run_json(self, data, from, to) }
            }
            #[cfg(target_arch = "x86_64")]
            Simd::Avx2 | Simd::Avx512 if avx2::is_available() => {
                // SAFETY: as above.
                unsafe { avx2::run_json(self, data, from, to) }
            }
            // SAFETY: needs no features; bounds were asserted and room reserved above.
            _ => unsafe { pass::<portable::Words>(self, data, from, to) },
        }
    }
}

/// # Safety
/// `B`'s instruction set is available; `data` has 64 bytes after `to`; `quotes` and `lines` are empty and have room for
/// `to - from + 128` entries.
#[inline(always)]
pub(super) unsafe fn pass<B: Blocks>(index: &mut JsonIndex, data: &[u8], from: usize, to: usize) {
    let (mut quotes_len, mut lines_len) = (0, 0);
    let quotes_out = index.quotes.as_mut_ptr();
    let lines_out = index.lines.as_mut_ptr();

    let mut inside_before = 0_u64; // all ones: the block begins inside a string
    let mut escaped_before = 0_u64; // 1: the block's first byte is escaped
    let mut valid = !0_u64 << (from & 63);
    let mut base = from & !63;
    while base < to {
        if base + 64 > to {
            valid &= (1_u64 << (to - base)) - 1;
        }
        // SAFETY: base < to, and 64 bytes after `to` are readable; the caller vouches for the instruction set.
        let (backslashes, quotes, lines, controls, wide) = unsafe {
            let block = B::load(data.as_ptr().add(base));
            (
                B::equal(block, b'\\') & valid,
                B::equal(block, b'"') & valid,
                B::equal(block, b'\n') & valid,
                B::controls(block) & valid,
                B::high(block) & valid,
            )
        };
        let escaped = if backslashes == 0 {
            std::mem::take(&mut escaped_before)
        } else {
            find_escaped(backslashes, &mut escaped_before)
        };
        let quotes = quotes & !escaped;
        // SAFETY: the caller vouches for the instruction set.
        let inside = unsafe { B::prefix_xor(quotes) } ^ inside_before;
        let broken = lines & inside;
        let mut kept = !0;
        if broken == 0 {
            inside_before = ((inside as i64) >> 63) as u64;
        } else {
            // The rest of the block is read again, from outside.
            kept = !0 >> (63 - broken.trailing_zeros());
            inside_before = 0;
            escaped_before = 0;
        }
        let suspects = controls & inside & kept;
        if suspects | backslashes | wide != 0 {
            append(&mut index.suspects, suspects, base);
            append(&mut index.escapes, backslashes & !escaped & kept, base);
            if wide & kept != 0 && index.wide.last() != Some(&(base as u32)) {
                index.wide.push(base as u32);
            }
        }
        // SAFETY: each byte gives at most one entry to each list, a write touches 64 entries past the count, and there
        // is room for 128 more than there are bytes.
        unsafe {
            quotes_len += B::positions(quotes & kept, base as u32, quotes_out.add(quotes_len));
            lines_len += B::positions(lines & kept, base as u32, lines_out.add(lines_len));
        }
        valid = !kept;
        if valid == 0 {
            valid = !0;
            base += 64;
        }
    }
    // SAFETY: the entries up to these lengths were written, within the capacity.
    unsafe {
        index.quotes.set_len(quotes_len);
        index.lines.set_len(lines_len);
    }
}

/// The bytes that a backslash escapes: those after runs of odd length. `before` says so of the first byte, and of the
/// first byte of the next block afterwards.
#[inline(always)]
pub(super) fn find_escaped(backslashes: u64, before: &mut u64) -> u64 {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    let starts = backslashes & !*before;
    let follows = starts << 1 | *before;
    // A run that begins at an odd bit carries out at a bit whose parity tells the run's length.
    let odd_starts = starts & !EVEN & !follows;
    let (sums, carries) = odd_starts.overflowing_add(starts);
    *before = u64::from(carries);
    (EVEN ^ sums << 1) & follows
}

#[inline(always)]
fn append(list: &mut Vec<u32>, mut mask: u64, base: usize) {
    while mask != 0 {
        list.push(base as u32 + mask.trailing_zeros());
        mask &= mask - 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Byte by byte.
    fn plain(data: &[u8], from: usize, to: usize) -> JsonIndex {
        let mut index = JsonIndex::default();
        let (mut inside, mut escaped) = (false, false);
        for (at, &byte) in data.iter().enumerate().take(to).skip(from) {
            let position = at as u32;
            let is_escaped = std::mem::take(&mut escaped);
            let block = position & !63;
            if byte > 0x7f && index.wide.last() != Some(&block) {
                index.wide.push(block);
            }
            if byte == b'\\' && !is_escaped {
                index.escapes.push(position);
                escaped = true;
            }
            if byte < 0x20 && inside {
                index.suspects.push(position);
            }
            if byte == b'"' && !is_escaped {
                index.quotes.push(position);
                inside = !inside;
            }
            if byte == b'\n' {
                index.lines.push(position);
                if inside {
                    (inside, escaped) = (false, false);
                }
            }
        }
        index
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

        #[test]
        fn the_index_is_what_a_byte_machine_finds(text in "([a\\\\\"\n\r\té]|\\\\\\\\|\"a|[a-z]{20}){0,90}", from in 0_usize..70) {
            let from = from.min(text.len());
            let mut data = text.into_bytes();
            let to = data.len();
            data.resize(to + PADDING_BYTES, b'"');
            let expected = plain(&data, from, to);
            for simd in Simd::available() {
                let mut index = JsonIndex::default();
                index.run(simd, &data, from, to);
                prop_assert_eq!(&index, &expected, "{}", simd.name());
            }
        }
    }
}
