//! Digits as text. Most numbers are short, so eight digits are made at once and stored at once, whatever of them is
//! needed; the caller leaves room for that.

const POWERS: [u64; 9] = {
    let mut powers = [1; 9];
    let mut i = 1;
    while i < 9 {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};

#[inline]
pub(super) fn put(text: &[u8], out: &mut [u8]) -> usize {
    out[..text.len()].copy_from_slice(text);
    text.len()
}

/// Write `bytes` at `at`, of which the first `length` count; returns where these end. A store of fixed size is one
/// instruction, where a copy of the right length is a call.
#[inline(always)]
pub(super) fn store<const N: usize>(
    out: &mut [u8],
    at: usize,
    bytes: [u8; N],
    length: usize,
) -> usize {
    let place = out[at..].first_chunk_mut();
    *place.expect("a scalar has MAX_SCALAR_BYTES to be written to") = bytes;
    at + length
}

/// The eight digits of a number below 10^8, the first one in the lowest byte: halves of four digits, of two, of one, all
/// halves at once.
#[inline(always)]
pub(super) fn eight_digits(value: u64) -> u64 {
    let fours = (value / 10_000) | (value % 10_000) << 32;
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let twos = hundreds | (fours - 100 * hundreds) << 16;
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | (twos - 10 * tens) << 8
}

/// Added to digits, it makes them text.
pub(super) const ZEROS: u64 = u64::from_le_bytes(*b"00000000");
const TEN_TO_8: u64 = 100_000_000;

/// The digits of `value` without leading zeros; returns where they end.
#[inline(always)]
pub(super) fn write_u64(value: u64, out: &mut [u8], at: usize) -> usize {
    if value >= TEN_TO_8 {
        let at = write_u64_slowly(value / TEN_TO_8, out, at, 1);
        let digits = eight_digits(value % TEN_TO_8) | ZEROS;
        return store(out, at, digits.to_le_bytes(), 8);
    }
    let digits = eight_digits(value);
    let leading = (digits.trailing_zeros() / 8).min(7);
    let text = (digits | ZEROS) >> (8 * leading);
    store(out, at, text.to_le_bytes(), 8 - leading as usize)
}

/// At least `width` digits of `value`; returns where they end.
pub(super) fn write_u64_slowly(mut value: u64, out: &mut [u8], at: usize, width: usize) -> usize {
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    while value > 0 {
        first -= 1;
        digits[first] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    let first = first.min(digits.len() - width);
    at + put(&digits[first..], &mut out[at..])
}

#[inline(always)]
pub(super) fn write_i64(value: i64, out: &mut [u8]) -> usize {
    out[0] = b'-';
    write_u64(value.unsigned_abs(), out, usize::from(value < 0))
}

#[inline(always)]
pub(super) fn write_decimal(value: i128, scale: usize, out: &mut [u8]) -> usize {
    out[0] = b'-';
    let sign = usize::from(value < 0);
    let Ok(small) = u64::try_from(value.unsigned_abs()) else {
        return sign + write_wide_decimal(value.unsigned_abs(), scale, &mut out[sign..]);
    };
    match scale {
        0 => write_u64(small, out, sign),
        1..=8 => {
            let whole = write_u64(small / POWERS[scale], out, sign);
            out[whole] = b'.';
            let fraction = (eight_digits(small % POWERS[scale]) | ZEROS) >> (64 - 8 * scale);
            store(out, whole + 1, fraction.to_le_bytes(), scale)
        }
        _ => sign + write_wide_decimal(small.into(), scale, &mut out[sign..]),
    }
}

#[cold]
fn write_wide_decimal(mut value: u128, scale: usize, out: &mut [u8]) -> usize {
    let mut digits = [b'0'; 40];
    let mut first = digits.len();
    while value > 0 {
        first -= 1;
        digits[first] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    let point = digits.len() - scale;
    let first = first.min(point - 1);
    let whole = put(&digits[first..point], out);
    if scale == 0 {
        return whole;
    }
    out[whole] = b'.';
    whole + 1 + put(&digits[point..], &mut out[whole + 1..])
}
