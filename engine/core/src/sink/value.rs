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

use super::digits::{
    ZEROS, eight_digits, put, store, write_decimal, write_i64, write_u64, write_u64_slowly,
};

/// No scalar's text is longer.
pub(crate) const MAX_SCALAR_BYTES: usize = 64;

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

/// Year, month and day of a count of days since 1970-01-01, in the proleptic Gregorian calendar.
#[inline]
fn civil(days: i64) -> (i64, u32, u32) {
    // Years are counted from March, so that the leap day is the last one of a year of an era of 400 years.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097) as u32;
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
    let year = era * 400 + i64::from(year_of_era) + i64::from(month <= 2);
    (year, month, day)
}

#[inline]
fn write_date(days: i64, out: &mut [u8]) -> usize {
    let (year, month, day) = civil(days);
    if !(0..10_000).contains(&year) {
        return write_far_date(year, month, day, out);
    }
    let digits = eight_digits(u64::from(year as u32 * 10_000 + month * 100 + day)) | ZEROS;
    let [a, b, c, d, e, f, g, h] = digits.to_le_bytes();
    store(out, 0, [a, b, c, d, b'-', e, f, b'-', g, h], 10)
}

/// ISO 8601 wants a sign and at least four digits.
#[cold]
fn write_far_date(year: i64, month: u32, day: u32, out: &mut [u8]) -> usize {
    out[0] = if year < 0 { b'-' } else { b'+' };
    let at = write_u64_slowly(year.unsigned_abs(), out, 1, 4);
    let [.., a, b, c, d] = (eight_digits(u64::from(month * 100 + day)) | ZEROS).to_le_bytes();
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
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
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
