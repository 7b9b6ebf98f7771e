//! Values of bounded width as text, spelled so that our own reader takes them back: integers, decimals of fixed scale,
//! the shortest floats that round-trip, ISO dates and timestamps, booleans. CSV and NDJSON write the same spelling.

use arrow::array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::array::{Array, AsArray};
use arrow::buffer::{BooleanBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, TimeUnit};

/// No scalar's text is longer.
pub(crate) const MAX_SCALAR_BYTES: usize = 64;

const POWERS: [u64; 20] = {
    let mut powers = [1; 20];
    let mut i = 1;
    while i < 20 {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};

/// One column of values of bounded width, downcast once.
pub(crate) enum Scalar {
    I8(ScalarBuffer<i8>),
    I16(ScalarBuffer<i16>),
    I32(ScalarBuffer<i32>),
    I64(ScalarBuffer<i64>),
    U8(ScalarBuffer<u8>),
    U16(ScalarBuffer<u16>),
    U32(ScalarBuffer<u32>),
    U64(ScalarBuffer<u64>),
    F32(ScalarBuffer<f32>),
    F64(ScalarBuffer<f64>),
    Bool(BooleanBuffer),
    Decimal {
        values: ScalarBuffer<i128>,
        scale: usize,
    },
    Date(ScalarBuffer<i32>),
    Timestamp {
        values: ScalarBuffer<i64>,
        clock: Clock,
    },
}

/// What a timestamp's integer counts.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    ticks_per_second: i64,
    fraction_digits: usize,
    utc: bool,
}

impl Scalar {
    /// None: the type's text has no bound, or it is rare enough to be cast first.
    pub(crate) fn of(array: &dyn Array) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Int8 => Self::I8(values::<Int8Type>(array)),
            DataType::Int16 => Self::I16(values::<Int16Type>(array)),
            DataType::Int32 => Self::I32(values::<Int32Type>(array)),
            DataType::Int64 => Self::I64(values::<Int64Type>(array)),
            DataType::UInt8 => Self::U8(values::<UInt8Type>(array)),
            DataType::UInt16 => Self::U16(values::<UInt16Type>(array)),
            DataType::UInt32 => Self::U32(values::<UInt32Type>(array)),
            DataType::UInt64 => Self::U64(values::<UInt64Type>(array)),
            DataType::Float32 => Self::F32(values::<Float32Type>(array)),
            DataType::Float64 => Self::F64(values::<Float64Type>(array)),
            DataType::Boolean => Self::Bool(array.as_boolean().values().clone()),
            DataType::Decimal128(_, scale @ 0..) => Self::Decimal {
                values: values::<Decimal128Type>(array),
                scale: *scale as usize,
            },
            DataType::Date32 => Self::Date(values::<Date32Type>(array)),
            DataType::Timestamp(unit, zone) => {
                let (values, ticks_per_second, fraction_digits) = match unit {
                    TimeUnit::Second => (values::<TimestampSecondType>(array), 1, 0),
                    TimeUnit::Millisecond => (values::<TimestampMillisecondType>(array), 1_000, 3),
                    TimeUnit::Microsecond => {
                        (values::<TimestampMicrosecondType>(array), 1_000_000, 6)
                    }
                    TimeUnit::Nanosecond => {
                        (values::<TimestampNanosecondType>(array), 1_000_000_000, 9)
                    }
                };
                let clock = Clock {
                    ticks_per_second,
                    fraction_digits,
                    utc: zone.is_some(),
                };
                Self::Timestamp { values, clock }
            }
            _ => return None,
        })
    }

    /// A date or timestamp, which JSON knows only as a string.
    pub(crate) fn is_temporal(&self) -> bool {
        matches!(self, Self::Date(_) | Self::Timestamp { .. })
    }

    /// A date or timestamp of the same kind: `ticks` in its only row.
    pub(crate) fn of_ticks(&self, ticks: i64) -> Self {
        match self {
            Self::Timestamp { clock, .. } => Self::Timestamp {
                values: vec![ticks].into(),
                clock: *clock,
            },
            Self::Date(_) => Self::Date(vec![ticks as i32].into()),
            _ => Self::I64(vec![ticks].into()),
        }
    }

    /// NaN or infinite, which JSON has no number for.
    pub(crate) fn is_not_finite(&self, row: usize) -> bool {
        match self {
            Self::F32(values) => !values[row].is_finite(),
            Self::F64(values) => !values[row].is_finite(),
            _ => false,
        }
    }

    /// Write the value of `row` at the start of `out`, which holds at least [`MAX_SCALAR_BYTES`]; returns its length.
    #[inline]
    pub(crate) fn write(&self, row: usize, out: &mut [u8]) -> usize {
        match self {
            Self::I8(v) => write_i64(v[row].into(), out),
            Self::I16(v) => write_i64(v[row].into(), out),
            Self::I32(v) => write_i64(v[row].into(), out),
            Self::I64(v) => write_i64(v[row], out),
            Self::U8(v) => write_u64(v[row].into(), out, 0),
            Self::U16(v) => write_u64(v[row].into(), out, 0),
            Self::U32(v) => write_u64(v[row].into(), out, 0),
            Self::U64(v) => write_u64(v[row], out, 0),
            Self::F32(v) => put(zmij::Buffer::new().format(v[row]).as_bytes(), out),
            Self::F64(v) => put(zmij::Buffer::new().format(v[row]).as_bytes(), out),
            Self::Bool(v) if v.value(row) => store(out, 0, *b"true", 4),
            Self::Bool(_) => store(out, 0, *b"false", 5),
            Self::Decimal { values, scale } => write_decimal(values[row], *scale, out),
            Self::Date(v) => write_date(v[row].into(), out),
            Self::Timestamp { values, clock } => write_timestamp(values[row], *clock, out),
        }
    }
}

fn values<T: ArrowPrimitiveType>(array: &dyn Array) -> ScalarBuffer<T::Native> {
    array.as_primitive::<T>().values().clone()
}

#[inline]
fn put(text: &[u8], out: &mut [u8]) -> usize {
    out[..text.len()].copy_from_slice(text);
    text.len()
}

/// Write `bytes` at `at`, of which the first `length` count; returns where these end. A store of fixed size is one
/// instruction, where a copy of the right length is a call.
#[inline(always)]
fn store<const N: usize>(out: &mut [u8], at: usize, bytes: [u8; N], length: usize) -> usize {
    let place = out[at..].first_chunk_mut();
    *place.expect("a scalar has MAX_SCALAR_BYTES to be written to") = bytes;
    at + length
}

/// The eight digits of a number below 10^8, the first one in the lowest byte: halves of four digits, of two, of one, all
/// halves at once.
#[inline(always)]
fn eight_digits(value: u64) -> u64 {
    let fours = (value / 10_000) | (value % 10_000) << 32;
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let twos = hundreds | (fours - 100 * hundreds) << 16;
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | (twos - 10 * tens) << 8
}

const ZEROS: u64 = u64::from_le_bytes(*b"00000000");
const TEN_TO_8: u64 = 100_000_000;

/// The digits of `value` without leading zeros; returns where they end.
#[inline(always)]
fn write_u64(value: u64, out: &mut [u8], at: usize) -> usize {
    if value >= TEN_TO_8 {
        let at = write_long(value / TEN_TO_8, out, at);
        let digits = eight_digits(value % TEN_TO_8) | ZEROS;
        return store(out, at, digits.to_le_bytes(), 8);
    }
    let digits = eight_digits(value);
    let leading = (digits.trailing_zeros() / 8).min(7);
    let text = (digits | ZEROS) >> (8 * leading);
    store(out, at, text.to_le_bytes(), 8 - leading as usize)
}

fn write_long(value: u64, out: &mut [u8], at: usize) -> usize {
    write_u64_slowly(value, out, at, 1)
}

/// At least `width` digits of `value`; returns where they end.
fn write_u64_slowly(mut value: u64, out: &mut [u8], at: usize, width: usize) -> usize {
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
fn write_i64(value: i64, out: &mut [u8]) -> usize {
    out[0] = b'-';
    write_u64(value.unsigned_abs(), out, usize::from(value < 0))
}

#[inline(always)]
fn write_decimal(value: i128, scale: usize, out: &mut [u8]) -> usize {
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

/// Year, month and day of a count of days since 1970-01-01, in the proleptic Gregorian calendar.
#[inline]
fn civil(days: i64) -> (i64, u64, u64) {
    // Years are counted from March, so that the leap day is the last one of a year of an era of 400 years.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097) as u64;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era as i64 + i64::from(month <= 2);
    (year, month, day)
}

#[inline]
fn write_date(days: i64, out: &mut [u8]) -> usize {
    let (year, month, day) = civil(days);
    if !(0..10_000).contains(&year) {
        return write_far_date(year, month, day, out);
    }
    let digits = eight_digits(year as u64 * 10_000 + month * 100 + day) | ZEROS;
    let [a, b, c, d, e, f, g, h] = digits.to_le_bytes();
    store(out, 0, [a, b, c, d, b'-', e, f, b'-', g, h], 10)
}

/// ISO 8601 wants a sign and at least four digits.
#[cold]
fn write_far_date(year: i64, month: u64, day: u64, out: &mut [u8]) -> usize {
    out[0] = if year < 0 { b'-' } else { b'+' };
    let at = write_u64_slowly(year.unsigned_abs(), out, 1, 4);
    let [.., a, b, c, d] = (eight_digits(month * 100 + day) | ZEROS).to_le_bytes();
    store(out, at, [b'-', a, b, b'-', c, d], 6)
}

#[inline]
fn write_timestamp(ticks: i64, clock: Clock, out: &mut [u8]) -> usize {
    let seconds = ticks.div_euclid(clock.ticks_per_second);
    let fraction = ticks.rem_euclid(clock.ticks_per_second) as u64;
    let at = write_date(seconds.div_euclid(86_400), out);
    let second_of_day = seconds.rem_euclid(86_400) as u64;
    let (hour, minute, second) = (
        second_of_day / 3_600,
        second_of_day / 60 % 60,
        second_of_day % 60,
    );
    let [.., a, b, c, d, e, f] =
        (eight_digits(hour * 10_000 + minute * 100 + second) | ZEROS).to_le_bytes();
    let mut at = store(out, at, [b'T', a, b, b':', c, d, b':', e, f], 9);
    if fraction > 0 {
        out[at] = b'.';
        at = write_u64_slowly(fraction, out, at + 1, clock.fraction_digits);
        while out[at - 1] == b'0' {
            at -= 1;
        }
    }
    if clock.utc {
        out[at] = b'Z';
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{
        Date32Array, Decimal128Array, Float64Array, Int64Array, TimestampMicrosecondArray,
    };

    fn texts(array: &dyn Array) -> Vec<String> {
        let scalar = Scalar::of(array).unwrap();
        (0..array.len())
            .map(|row| {
                let mut out = [0; MAX_SCALAR_BYTES];
                let n = scalar.write(row, &mut out);
                String::from_utf8(out[..n].to_vec()).unwrap()
            })
            .collect()
    }

    #[test]
    fn integers_match_the_standard_library() {
        let mut numbers = vec![0, 1, -1, 9, 10, 99, 100, -100, i64::MAX, i64::MIN];
        numbers.extend((0..63).flat_map(|bits| [1 << bits, (1 << bits) - 1, -(1 << bits)]));
        let expected: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        assert_eq!(texts(&Int64Array::from(numbers)), expected);
    }

    #[test]
    fn decimals_keep_their_scale() {
        let array = Decimal128Array::from(vec![0, 5, -5, 123, -12_345, 10_i128.pow(37) + 1])
            .with_precision_and_scale(38, 2)
            .unwrap();
        let wide = format!("1{}.01", "0".repeat(35));
        assert_eq!(
            texts(&array),
            ["0.00", "0.05", "-0.05", "1.23", "-123.45", &wide]
        );
        let tiny = Decimal128Array::from(vec![1, -1])
            .with_precision_and_scale(38, 38)
            .unwrap();
        let text = format!("0.{}1", "0".repeat(37));
        assert_eq!(texts(&tiny), [text.clone(), format!("-{text}")]);
        let whole = Decimal128Array::from(vec![i128::from(u64::MAX) * 10, -7])
            .with_precision_and_scale(38, 0)
            .unwrap();
        assert_eq!(texts(&whole), ["184467440737095516150", "-7"]);
    }

    #[test]
    fn floats_round_trip() {
        let numbers = vec![
            1.0,
            0.1,
            -2.5e-9,
            1e21,
            f64::MIN_POSITIVE,
            f64::MAX,
            1.0 / 3.0,
        ];
        for (text, number) in texts(&Float64Array::from(numbers.clone()))
            .iter()
            .zip(&numbers)
        {
            assert_eq!(text.parse::<f64>().unwrap(), *number, "{text}");
        }
        let special =
            Float64Array::from(vec![1.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY]);
        assert_eq!(texts(&special), ["1.0", "-0.0", "NaN", "inf", "-inf"]);
    }

    #[test]
    fn dates_agree_with_a_walk_over_the_calendar() {
        let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let mut expected = Vec::new();
        for year in 1_600..2_500 {
            for (month, length) in lengths.iter().enumerate() {
                let length = length + u64::from(month == 1 && leap(year));
                for day in 1..=length {
                    expected.push(format!("{year:04}-{:02}-{day:02}", month + 1));
                }
            }
        }
        let first = -135_140;
        let days: Vec<i32> = (first..first + expected.len() as i32).collect();
        assert_eq!(texts(&Date32Array::from(days)), expected);
    }

    #[test]
    fn timestamps_show_only_the_fraction_they_have() {
        let plain =
            TimestampMicrosecondArray::from(vec![0, 1, 1_500_000, -1, -62_167_219_200_000_001]);
        assert_eq!(
            texts(&plain),
            [
                "1970-01-01T00:00:00",
                "1970-01-01T00:00:00.000001",
                "1970-01-01T00:00:01.5",
                "1969-12-31T23:59:59.999999",
                "-0001-12-31T23:59:59.999999",
            ]
        );
        let utc = TimestampMicrosecondArray::from(vec![1_704_164_645_000_000]).with_timezone("UTC");
        assert_eq!(texts(&utc), ["2024-01-02T03:04:05Z"]);
        let far = TimestampMicrosecondArray::from(vec![i64::MAX]);
        assert_eq!(texts(&far), ["+294247-01-10T04:00:54.775807"]);
    }
}
