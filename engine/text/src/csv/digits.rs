//! Digits in 64-bit words, eight at a time. Words are read before the end of a field, so that up to 16 bytes before the
//! field must be readable.

const ZEROS: u64 = 0x3030_3030_3030_3030;
const DOTS: u64 = 0x2e2e_2e2e_2e2e_2e2e;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The eight bytes that end before `to`, the first of them lowest.
#[inline(always)]
pub(crate) fn word_before(data: &[u8], to: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&data[to - 8..to]);
    u64::from_le_bytes(word)
}

/// All ones for the last `len` bytes of a word; `len` is 1 to 8.
#[inline(always)]
fn last_bytes(len: usize) -> u64 {
    !0 << (64 - 8 * len)
}

/// High bits of bytes that are no digits: those above 9. Of bytes from 0x8a on only the lowest is right.
#[inline(always)]
pub(crate) fn other_bytes(values: u64) -> u64 {
    (values.wrapping_add(0x7676_7676_7676_7676) | values) & HIGHS
}

/// Eight digits as values 0 to 9, the most significant lowest; None when a byte is larger.
#[inline(always)]
pub(crate) fn eight_digits(values: u64) -> Option<u64> {
    if other_bytes(values) != 0 {
        return None;
    }
    let pairs = (values.wrapping_mul(10) + (values >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100) + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some((fours.wrapping_mul(10_000) + (fours >> 32)) & 0xffff_ffff)
}

/// An unsigned integer of 1 to 16 digits.
#[inline(always)]
pub(crate) fn integer(data: &[u8], from: usize, to: usize) -> Option<u64> {
    let len = to.wrapping_sub(from);
    let low = word_before(data, to) ^ ZEROS;
    if len.wrapping_sub(1) < 8 {
        eight_digits(low & last_bytes(len))
    } else if len.wrapping_sub(9) < 8 {
        let high = (word_before(data, to - 8) ^ ZEROS) & last_bytes(len - 8);
        Some(eight_digits(high)? * 100_000_000 + eight_digits(low)?)
    } else {
        None
    }
}

/// Whether this is an unsigned integer of 1 to 16 digits.
#[inline(always)]
pub(crate) fn is_integer(data: &[u8], from: usize, to: usize) -> bool {
    let len = to.wrapping_sub(from);
    let low = word_before(data, to) ^ ZEROS;
    if len.wrapping_sub(1) < 8 {
        other_bytes(low & last_bytes(len)) == 0
    } else if len.wrapping_sub(9) < 8 {
        let high = (word_before(data, to - 8) ^ ZEROS) & last_bytes(len - 8);
        other_bytes(high) | other_bytes(low) == 0
    } else {
        false
    }
}

/// What [`fixed_point`] would read, without its value: how many digits come before the dot and how many follow it. None
/// says nothing.
#[inline(always)]
pub(crate) fn fixed_shape(data: &[u8], from: usize, to: usize) -> Option<(usize, usize)> {
    const DOT: u64 = (b'.' ^ b'0') as u64;
    let len = to.wrapping_sub(from);
    let low = word_before(data, to) ^ ZEROS;
    let (word, others, past) = if len.wrapping_sub(1) < 8 {
        let low = low & last_bytes(len);
        (low, other_bytes(low), 0)
    } else if len.wrapping_sub(9) < 8 {
        let high = (word_before(data, to - 8) ^ ZEROS) & last_bytes(len - 8);
        match (other_bytes(high), other_bytes(low)) {
            (0, others) => (low, others, 0),
            (others, 0) => (high, others, 8),
            _ => return None,
        }
    } else {
        return None;
    };
    if others == 0 {
        return Some((len, 0));
    }
    let bit = others.trailing_zeros() & !7;
    let is_dot = (word >> bit) & 0xff == DOT && others & (others - 1) == 0 && len > 1;
    let fraction = 7 - bit as usize / 8 + past;
    is_dot.then(|| (len - 1 - fraction, fraction))
}

/// Digits with at most one dot among them, 1 to 16 bytes: all digits as a number, and how many follow the dot.
#[inline(always)]
pub(crate) fn fixed_point(data: &[u8], from: usize, to: usize) -> Option<(u64, usize)> {
    let len = to.wrapping_sub(from);
    let word = word_before(data, to);
    if len.wrapping_sub(1) < 8 {
        let kept = last_bytes(len);
        let dots = zero_bytes(word ^ DOTS) & kept;
        let values = (word ^ ZEROS) & kept;
        if dots == 0 {
            return Some((eight_digits(values)?, 0));
        }
        if len == 1 {
            return None;
        }
        let (values, fraction) = close_gap(values, dots, 0);
        Some((eight_digits(values)?, fraction))
    } else if len.wrapping_sub(9) < 8 {
        let kept = last_bytes(len - 8);
        let before = word_before(data, to - 8);
        let dots = zero_bytes(word ^ DOTS);
        let mut low = word ^ ZEROS;
        let mut high = (before ^ ZEROS) & kept;
        let mut fraction = 0;
        if dots != 0 {
            (low, fraction) = close_gap(low, dots, high >> 56);
            high <<= 8;
        } else {
            let dots = zero_bytes(before ^ DOTS) & kept;
            if dots != 0 {
                (high, fraction) = close_gap(high, dots, 0);
                fraction += 8;
            }
        }
        Some((
            eight_digits(high)? * 100_000_000 + eight_digits(low)?,
            fraction,
        ))
    } else {
        None
    }
}

/// The high bit of each byte that is zero.
#[inline(always)]
fn zero_bytes(word: u64) -> u64 {
    !(((word & !HIGHS) + !HIGHS) | word | !HIGHS)
}

/// Take out the byte of the first dot: the bytes below move up by one, and `carry` becomes the lowest.
#[inline(always)]
fn close_gap(values: u64, dots: u64, carry: u64) -> (u64, usize) {
    let bit = dots.trailing_zeros() & !7;
    let below = (1_u64 << bit) - 1;
    let above = values & !(below | 0xff_u64 << bit);
    (above | (values & below) << 8 | carry, 7 - bit as usize / 8)
}
