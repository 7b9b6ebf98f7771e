//! Numbers in as few bits as they need, as Parquet lays them out: least significant bit first.

/// Values that are packed together, so that they end at a whole byte.
const GROUP: usize = 8;

/// Values that have a width in common.
pub(super) const BLOCK: usize = 32;

/// Repetitions from which a run takes less than packed values.
const MIN_RUN: usize = 16;

/// Append `value` seven bits at a time.
pub(super) fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Append a number that may be negative.
pub(super) fn zigzag(value: i64, out: &mut Vec<u8>) {
    varint(((value << 1) ^ (value >> 63)) as u64, out);
}

/// Append `values` in `width` bits each. They must be below 2^`width`; the last byte is filled up with zeros.
#[inline]
pub(super) fn pack(values: impl IntoIterator<Item = u64>, width: u32, out: &mut Vec<u8>) {
    let (mut word, mut filled) = (0_u64, 0);
    for value in values {
        word |= value << filled;
        filled += width;
        if filled >= u64::BITS {
            out.extend_from_slice(&word.to_le_bytes());
            filled -= u64::BITS;
            word = value.checked_shr(width - filled).unwrap_or(0);
        }
    }
    out.extend_from_slice(&word.to_le_bytes()[..filled.div_ceil(8) as usize]);
}

/// Append values below 2^`width`. Up to 32 bits, where each value goes is known to the compiler.
#[inline]
pub(super) fn pack_block(values: &[u64; BLOCK], width: u32, out: &mut Vec<u8>) {
    macro_rules! known {
        ($($width:literal)*) => {
            match width {
                0 => {}
                $($width => pack_known::<$width>(values, out),)*
                _ => pack(values.iter().copied(), width, out),
            }
        };
    }
    known!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32);
}

fn pack_known<const WIDTH: usize>(values: &[u64; BLOCK], out: &mut Vec<u8>) {
    const WORD: usize = u64::BITS as usize;
    let mut words = [0_u64; BLOCK / 2 + 1];
    for (index, value) in values.iter().enumerate() {
        let at = index * WIDTH;
        words[at / WORD] |= value << (at % WORD);
        if at % WORD + WIDTH > WORD {
            words[at / WORD + 1] = value >> (WORD - at % WORD);
        }
    }
    let mut bytes = [[0; WORD / 8]; BLOCK / 2 + 1];
    for (bytes, word) in bytes.iter_mut().zip(words) {
        *bytes = word.to_le_bytes();
    }
    out.extend_from_slice(&bytes.as_flattened()[..BLOCK / 8 * WIDTH]);
}

/// Append the positions of values in a dictionary: runs of one value, and packed ones between them.
pub(super) fn hybrid(values: &[u32], width: u32, out: &mut Vec<u8>) {
    let (mut packed, mut at) = (0, 0);
    while let Some(group) = values.get(at..at + GROUP) {
        let first = group[0];
        if group.iter().all(|value| *value == first) {
            let rest = &values[at..];
            let run = rest.iter().take_while(|value| **value == first).count();
            if run >= MIN_RUN {
                groups(&values[packed..at], width, out);
                varint((run as u64) << 1, out);
                out.extend_from_slice(&first.to_le_bytes()[..width.div_ceil(8) as usize]);
                at += run;
                packed = at;
                continue;
            }
        }
        at += GROUP;
    }
    groups(&values[packed..], width, out);
}

fn groups(values: &[u32], width: u32, out: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    let count = values.len().div_ceil(GROUP);
    varint((count as u64) << 1 | 1, out);
    let padding = count * GROUP - values.len();
    let padding = std::iter::repeat_n(0, padding);
    pack(
        values.iter().map(|value| u64::from(*value)).chain(padding),
        width,
        out,
    );
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn bits(bytes: &[u8], width: u32, index: usize) -> u64 {
        let first = width as usize * index;
        (0..width as usize)
            .map(|bit| first + bit)
            .enumerate()
            .map(|(to, from)| u64::from(bytes[from / 8] >> (from % 8) & 1) << to)
            .sum()
    }

    #[test]
    fn what_was_packed_is_found_at_its_bits() {
        for width in 1..=64 {
            let mask = u64::MAX >> (64 - width);
            let values: Vec<u64> = (1..=32_u64)
                .map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) & mask)
                .collect();
            let mut out = Vec::new();
            pack(values.iter().copied(), width, &mut out);
            assert_eq!(out.len(), 4 * width as usize);
            for (index, value) in values.iter().enumerate() {
                assert_eq!(bits(&out, width, index), *value, "{width} {index}");
            }
            let mut block = Vec::new();
            pack_block(values.as_slice().try_into().unwrap(), width, &mut block);
            assert_eq!(block, out, "{width}");
        }
    }

    #[test]
    fn runs_and_packed_values_alternate() {
        let mut values = vec![1, 2, 3, 0, 1, 2, 3, 0];
        values.extend([3; 20]);
        values.extend([2, 1]);
        let mut out = Vec::new();
        hybrid(&values, 2, &mut out);
        let packed = 0b0011_1001;
        assert_eq!(out, [3, packed, packed, 40, 3, 3, 0b0110, 0]);
    }
}
