//! Numbers from text: eight digits at a time in the common case, exact in every case.

use super::digits::{fixed_point, fixed_shape, integer, is_integer};
use super::field::Parse;

const POWERS: [u64; 20] = {
    let mut powers = [1; 20];
    let mut i = 1;
    while i < 20 {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};

const EXACT_POWERS: [f64; 16] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];

/// 64-bit integers: digits with an optional sign.
pub(crate) struct Int64;

impl Parse for Int64 {
    type Value = i64;

    #[inline(always)]
    fn fast(&self, data: &[u8], from: usize, to: usize) -> Option<i64> {
        let negative = i64::from(data[from] == b'-');
        let value = integer(data, from + negative as usize, to)? as i64;
        Some((value ^ -negative) + negative)
    }

    #[inline(always)]
    fn accepts(&self, data: &[u8], from: usize, to: usize) -> bool {
        is_integer(data, from + usize::from(data[from] == b'-'), to)
    }

    fn exact(&self, text: &[u8]) -> Option<i64> {
        std::str::from_utf8(text).ok()?.parse().ok()
    }
}

/// Any number that a double can stand for: digits, a fraction, an exponent, `inf`, `nan`; rounded to the nearest,
/// and none if it is too large.
pub(crate) struct Float64;

impl Parse for Float64 {
    type Value = f64;

    #[inline(always)]
    fn fast(&self, data: &[u8], from: usize, to: usize) -> Option<f64> {
        let negative = data[from] == b'-';
        let (digits, fraction) = fixed_point(data, from + usize::from(negative), to)?;
        // Both operands are exact, so that the one rounding of the division is the right one.
        if digits > 1 << 53 {
            return None;
        }
        let value = digits as f64 / EXACT_POWERS[fraction];
        Some(f64::from_bits(value.to_bits() | u64::from(negative) << 63))
    }

    #[inline(always)]
    fn accepts(&self, data: &[u8], from: usize, to: usize) -> bool {
        fixed_shape(data, from + usize::from(data[from] == b'-'), to).is_some()
    }

    fn exact(&self, text: &[u8]) -> Option<f64> {
        let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
        let overflows = value.is_infinite() && text.iter().any(u8::is_ascii_digit);
        (!overflows).then_some(value)
    }
}

/// Decimals of a precision and a scale, never rounded: digits after the scale must be zeros.
#[derive(Clone)]
pub(crate) struct Decimal {
    precision: usize,
    scale: usize,
    limit: u128,
    /// 10 to the power of what is missing to the scale, for 0 to 16 fraction digits; 0: not this way.
    factors: [u64; 17],
}

impl Decimal {
    /// Precision 1 to 38, scale 0 to the precision.
    pub fn new(precision: u8, scale: i8) -> Self {
        let scale = scale.max(0) as usize;
        let mut factors = [0; 17];
        for (fraction, factor) in factors.iter_mut().enumerate() {
            *factor = scale
                .checked_sub(fraction)
                .and_then(|missing| POWERS.get(missing).copied())
                .unwrap_or(0);
        }
        Self {
            precision: usize::from(precision.min(38)),
            scale,
            limit: 10_u128.pow(u32::from(precision.min(38))),
            factors,
        }
    }
}

impl Parse for Decimal {
    type Value = i128;

    #[inline(always)]
    fn fast(&self, data: &[u8], from: usize, to: usize) -> Option<i128> {
        let negative = i128::from(data[from] == b'-');
        let (digits, fraction) = fixed_point(data, from + negative as usize, to)?;
        let factor = self.factors[fraction];
        let value = u128::from(digits) * u128::from(factor);
        if factor == 0 || value >= self.limit {
            return None;
        }
        Some((value as i128 ^ -negative) + negative)
    }

    /// So few digits that no value of them is too large.
    #[inline(always)]
    fn accepts(&self, data: &[u8], from: usize, to: usize) -> bool {
        match fixed_shape(data, from + usize::from(data[from] == b'-'), to) {
            Some((whole, fraction)) => {
                fraction <= self.scale && whole + self.scale <= self.precision
            }
            None => false,
        }
    }

    fn exact(&self, text: &[u8]) -> Option<i128> {
        let (negative, digits) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        let dot = memchr::memchr(b'.', digits).unwrap_or(digits.len());
        let whole = &digits[..dot];
        let fraction = digits.get(dot + 1..).unwrap_or_default();
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let kept = &fraction[..fraction.len().min(self.scale)];
        if fraction[kept.len()..].iter().any(|digit| *digit != b'0') {
            return None;
        }
        let missing = std::iter::repeat_n(&b'0', self.scale - kept.len());
        let mut value = 0_u128;
        for digit in whole.iter().chain(kept).chain(missing) {
            let digit = digit.wrapping_sub(b'0');
            value = value * 10 + u128::from(digit);
            if digit > 9 || value >= self.limit {
                return None;
            }
        }
        Some(if negative {
            -(value as i128)
        } else {
            value as i128
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fast<P: Parse>(parse: &P, text: &str) -> Option<P::Value> {
        let data = format!("9999.9999,9999.9999,{text},9999.9999");
        parse.fast(data.as_bytes(), 20, 20 + text.len())
    }

    const TEXTS: [&str; 46] = [
        "0",
        "7",
        "-7",
        "00501",
        "12345678",
        "-12345678",
        "123456789",
        "1234567890123456",
        "12345678901234567",
        "-",
        "+5",
        ".",
        "-.",
        "1.",
        ".5",
        "-.5",
        "0.05",
        "1.2.3",
        "12345.67",
        "-12345.67",
        "1234567.891",
        "123456789.12",
        "12345678.1234567",
        "1.23456789012345",
        "9007199254740993",
        "900719925474099.3",
        "1e3",
        "inf",
        "nan",
        "1:3",
        "1/3",
        "a",
        "1a",
        "12345678.",
        ".12345678",
        "-0",
        "-0.0",
        "9223372036854775807",
        "9223372036854775808",
        "--1",
        "-9223372036854775808",
        "99999999",
        "0000000000000001",
        "1 2",
        "..12345678",
        "1.2345678.9",
    ];

    #[test]
    fn fast_paths_agree_with_exact_ones() {
        TEXTS.iter().for_each(|text| agree(text));
    }

    /// What is accepted has a value.
    fn is_right<P: Parse>(parse: &P, text: &str) {
        let data = format!("9999.9999,9999.9999,{text},9999.9999");
        if parse.accepts(data.as_bytes(), 20, 20 + text.len()) {
            let value = fast(parse, text).or_else(|| parse.exact(text.as_bytes()));
            assert!(value.is_some(), "{text}");
        }
    }

    fn agree(text: &str) {
        is_right(&Int64, text);
        is_right(&Float64, text);
        if let Some(value) = fast(&Int64, text) {
            assert_eq!(Int64.exact(text.as_bytes()), Some(value), "{text}");
        }
        if let Some(value) = fast(&Float64, text) {
            let exact = Float64.exact(text.as_bytes());
            assert_eq!(exact.map(f64::to_bits), Some(value.to_bits()), "{text}");
        }
        for (precision, scale) in [(18, 2), (38, 10), (5, 0), (18, 18), (38, 38)] {
            let decimal = Decimal::new(precision, scale);
            is_right(&decimal, text);
            if let Some(value) = fast(&decimal, text) {
                assert_eq!(
                    decimal.exact(text.as_bytes()),
                    Some(value),
                    "{text} {precision} {scale}"
                );
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

        #[test]
        fn fast_paths_agree_with_exact_ones_on_anything(text in "[+-]?[0-9]{0,17}[.]?[0-9]{0,5}[0-9.e:/ -]?") {
            agree(&text);
        }
    }

    #[test]
    fn common_numbers_are_accepted_without_their_value() {
        fn accepts<P: Parse>(parse: &P, text: &str) -> bool {
            let data = format!("9999.9999,9999.9999,{text},9999.9999");
            parse.accepts(data.as_bytes(), 20, 20 + text.len())
        }
        let decimal = Decimal::new(18, 2);
        for text in ["0", "-7", "12345678", "-123456789012345"] {
            assert!(accepts(&Int64, text) && accepts(&Float64, text) && accepts(&decimal, text));
        }
        for text in ["0.05", "-104949.50", ".5", "5.", "1234567890.12"] {
            assert!(accepts(&Float64, text) && accepts(&decimal, text) && !accepts(&Int64, text));
        }
        for text in [
            "",
            "-",
            ".",
            "1.2.3",
            "12345678.1234.5",
            "1.2345678.9",
            "1a",
            "1/3",
            "\u{fe}",
        ] {
            assert!(!accepts(&Int64, text) && !accepts(&Float64, text) && !accepts(&decimal, text));
        }
    }

    #[test]
    fn common_numbers_take_the_fast_path() {
        assert_eq!(
            fast(&Int64, "-1234567890123456"),
            Some(-1_234_567_890_123_456)
        );
        assert_eq!(fast(&Float64, "-12.3"), Some(-12.3));
        assert_eq!(fast(&Float64, "-0"), Some(-0.0));
        assert_eq!(fast(&Decimal::new(18, 2), "104949.5"), Some(10_494_950));
        assert_eq!(
            fast(&Decimal::new(18, 2), "-123456789.12"),
            Some(-12_345_678_912)
        );
    }

    #[test]
    fn integers_end_at_64_bits() {
        assert_eq!(Int64.exact(b"-9223372036854775808"), Some(i64::MIN));
        assert_eq!(Int64.exact(b"9223372036854775808"), None);
    }

    #[test]
    fn decimals_are_exact_or_refused() {
        let decimal = Decimal::new(5, 2);
        assert_eq!(decimal.exact(b"999.99"), Some(99_999));
        assert_eq!(decimal.exact(b"1000"), None);
        assert_eq!(decimal.exact(b"1.230"), Some(123));
        assert_eq!(decimal.exact(b"1.235"), None);
        assert_eq!(decimal.exact(b"-.5"), Some(-50));
        assert_eq!(decimal.exact(b"."), None);
        assert_eq!(decimal.exact(b"1e1"), None);
    }
}
