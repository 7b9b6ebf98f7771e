//! Dates, timestamps and booleans from text.

use super::digits::{eight_digits, other_bytes, word_before};
use super::field::Parse;

const EPOCH_DAY: i32 = 719_528;
const SECOND_US: i64 = 1_000_000;
const DAY_US: i64 = 86_400 * SECOND_US;
const DATE_BYTES: usize = 10;

/// Days before a month, in a common year and in a leap year.
const MONTH_STARTS: [[u16; 13]; 2] = [
    [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365],
    [0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366],
];

/// The months of these years are looked up: nearly all dates that are not made up.
const COMMON_YEARS: std::ops::Range<u32> = 1900..2100;

/// For each month of the common years: days before its first, from 1970-01-01, and how many it has.
static MONTHS: [(i32, u32); 12 * (COMMON_YEARS.end - COMMON_YEARS.start) as usize] = {
    let mut months = [(0, 0); 12 * (COMMON_YEARS.end - COMMON_YEARS.start) as usize];
    let mut at = 0;
    while at < months.len() {
        let year = COMMON_YEARS.start + at as u32 / 12;
        let starts = &MONTH_STARTS[is_leap(year) as usize];
        let month = at % 12;
        let days = starts[month + 1] - starts[month];
        months[at] = (days_before(year) + starts[month] as i32, days as u32);
        at += 1;
    }
    months
};

const fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// Days from 1970-01-01 to the first of a year from 1 to 9999.
const fn days_before(year: u32) -> i32 {
    let leaps = year.div_ceil(4) - year.div_ceil(100) + year.div_ceil(400);
    (year * 365 + leaps) as i32 - EPOCH_DAY
}

/// Bit d of a month says that it has a day d in every year; all that two digits can be is looked up.
static DAYS: [u32; 128] = {
    let mut days = [0; 128];
    let mut month = 0;
    while month < 12 {
        let count = MONTH_STARTS[0][month + 1] - MONTH_STARTS[0][month];
        days[month + 1] = (((1_u64 << count) - 1) << 1) as u32;
        month += 1;
    }
    days
};

/// The digits of `YYYY-MM-DD` in the ten bytes that end before `to`, as values if they are digits, the first lowest.
#[inline(always)]
fn date_digits(data: &[u8], to: usize) -> Option<u64> {
    let tail = word_before(data, to); // YY-MM-DD
    let head = word_before(data, to - 2); // YYYY-MM-
    if tail & 0x0000_ff00_00ff_0000 != 0x0000_2d00_002d_0000 {
        return None;
    }
    let digits =
        (head & 0xffff_ffff) | (tail & 0x0000_00ff_ff00_0000) << 8 | (tail & 0xffff_0000_0000_0000);
    Some(digits ^ 0x3030_3030_3030_3030)
}

/// Whether the ten bytes that end before `to` are a day of every year from 0001 to 9999; false says nothing.
#[inline(always)]
fn is_common_date(data: &[u8], to: usize) -> bool {
    let Some(digits) = date_digits(data, to) else {
        return false;
    };
    let pairs = (digits >> 32).wrapping_mul(10) + (digits >> 40);
    let (month, day) = (pairs & 0x7f, pairs >> 16 & 0xff);
    let is_day = day < 32 && DAYS[month as usize] >> (day & 31) & 1 == 1;
    other_bytes(digits) == 0 && digits as u32 != 0 && is_day
}

/// Days since 1970-01-01 of `YYYY-MM-DD` in the ten bytes that end before `to`; years 0001 to 9999.
#[inline(always)]
fn date(data: &[u8], to: usize) -> Option<i32> {
    let number = eight_digits(date_digits(data, to)?)? as u32;
    let (year, month) = (number / 10_000, (number / 100 % 100).wrapping_sub(1));
    let day = (number % 100).wrapping_sub(1);
    if month >= 12 || year == 0 {
        return None;
    }
    let at = year
        .wrapping_sub(COMMON_YEARS.start)
        .wrapping_mul(12)
        .wrapping_add(month);
    let (first, days) = match MONTHS.get(at as usize) {
        Some(month) => *month,
        None => rare_month(year, month as usize),
    };
    (day < days).then_some(first + day as i32)
}

#[cold]
fn rare_month(year: u32, month: usize) -> (i32, u32) {
    let starts = &MONTH_STARTS[usize::from(is_leap(year))];
    let days = starts[month + 1] - starts[month];
    (
        days_before(year) + i32::from(starts[month]),
        u32::from(days),
    )
}

/// Text on its own, with the eight bytes before it that words are read from.
fn with_guard<T>(text: &[u8], parse: impl FnOnce(&[u8], usize, usize) -> Option<T>) -> Option<T> {
    let mut bytes = [0; 64];
    bytes.get_mut(8..8 + text.len())?.copy_from_slice(text);
    parse(&bytes, 8, 8 + text.len())
}

/// Dates: `YYYY-MM-DD`, checked against the calendar.
pub(crate) struct Date;

impl Parse for Date {
    type Value = i32;

    #[inline(always)]
    fn fast(&self, data: &[u8], from: usize, to: usize) -> Option<i32> {
        if to.wrapping_sub(from) == DATE_BYTES {
            date(data, to)
        } else {
            None
        }
    }

    #[inline(always)]
    fn accepts(&self, data: &[u8], from: usize, to: usize) -> bool {
        to.wrapping_sub(from) == DATE_BYTES && is_common_date(data, to)
    }

    fn exact(&self, text: &[u8]) -> Option<i32> {
        with_guard(text, |data, from, to| self.fast(data, from, to))
    }
}

/// Timestamps in microseconds: a date, or a date and a time of day after `T` or a blank, `HH:MM[:SS[.fraction]]`, with up
/// to nine digits of fraction of which those past the sixth must be zeros. With `utc` an offset (`Z`, `+HH`, `+HHMM`,
/// `+HH:MM`) may follow and is applied; without one the time is taken as UTC. Without `utc` an offset is an error.
#[derive(Clone)]
pub(crate) struct Timestamp {
    pub utc: bool,
}

impl Parse for Timestamp {
    type Value = i64;

    #[inline(always)]
    fn fast(&self, data: &[u8], from: usize, to: usize) -> Option<i64> {
        let len = to.wrapping_sub(from);
        if !(DATE_BYTES..=40).contains(&len) {
            return None;
        }
        let day_us = i64::from(date(data, from + DATE_BYTES)?) * DAY_US;
        if len == DATE_BYTES {
            return Some(day_us);
        }
        if !matches!(data[from + DATE_BYTES], b'T' | b' ') {
            return None;
        }
        Some(day_us + time_of_day(&data[from + DATE_BYTES + 1..to], self.utc)?)
    }

    fn exact(&self, text: &[u8]) -> Option<i64> {
        with_guard(text, |data, from, to| self.fast(data, from, to))
    }
}

fn two_digits(text: &[u8], limit: u8) -> Option<i64> {
    let [tens, ones] = [
        text.first()?.wrapping_sub(b'0'),
        text.get(1)?.wrapping_sub(b'0'),
    ];
    (tens <= 9 && ones <= 9 && tens * 10 + ones < limit).then(|| i64::from(tens * 10 + ones))
}

fn time_of_day(text: &[u8], utc: bool) -> Option<i64> {
    let hour = two_digits(text, 24)?;
    let (b':', mut rest) = text[2..]
        .split_first()
        .map(|(colon, rest)| (*colon, rest))?
    else {
        return None;
    };
    let minute = two_digits(rest, 60)?;
    let mut micros = (hour * 3600 + minute * 60) * SECOND_US;
    rest = &rest[2..];
    if let [b':', after @ ..] = rest {
        micros += two_digits(after, 60)? * SECOND_US;
        rest = &after[2..];
        if let [b'.', after @ ..] = rest {
            let digits = after
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            if !(1..=9).contains(&digits)
                || after[digits.min(6)..digits]
                    .iter()
                    .any(|digit| *digit != b'0')
            {
                return None;
            }
            let value = after[..digits.min(6)]
                .iter()
                .fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
            micros += value * 10_i64.pow(6 - digits.min(6) as u32);
            rest = &after[digits..];
        }
    }
    match rest {
        [] => Some(micros),
        [b'Z' | b'z'] if utc => Some(micros),
        [sign @ (b'+' | b'-'), offset @ ..] if utc => {
            let hours = two_digits(offset, 24)?;
            let minutes = match &offset[2..] {
                [] => 0,
                [b':', minutes @ ..] | minutes if minutes.len() == 2 => two_digits(minutes, 60)?,
                _ => return None,
            };
            let shift = (hours * 3600 + minutes * 60) * SECOND_US;
            Some(if *sign == b'-' {
                micros + shift
            } else {
                micros - shift
            })
        }
        _ => None,
    }
}

/// Booleans: true and false, t and f, yes and no, y and n, 1 and 0, in any case.
pub(crate) struct Boolean;

impl Parse for Boolean {
    type Value = bool;

    #[inline(always)]
    fn fast(&self, data: &[u8], from: usize, to: usize) -> Option<bool> {
        match &data[from..to] {
            b"true" | b"t" | b"1" => Some(true),
            b"false" | b"f" | b"0" => Some(false),
            _ => None,
        }
    }

    fn exact(&self, text: &[u8]) -> Option<bool> {
        let is = |words: [&str; 4]| {
            words
                .iter()
                .any(|word| word.as_bytes().eq_ignore_ascii_case(text))
        };
        if is(["true", "t", "yes", "y"]) || text == b"1" {
            Some(true)
        } else if is(["false", "f", "no", "n"]) || text == b"0" {
            Some(false)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_four_centuries_is_counted() {
        let mut expected = Date.exact(b"1600-01-01").expect("a date");
        assert_eq!(Date.exact(b"1970-01-01"), Some(0));
        for year in 1600..2001 {
            for month in 1..=12 {
                for day in 1..=31 {
                    let text = format!("{year:04}-{month:02}-{day:02}");
                    let leap = u16::from(year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
                    let last = [31, 28 + leap, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
                    let parsed = Date.exact(text.as_bytes());
                    assert_eq!(parsed, (day <= last).then_some(expected), "{text}");
                    let accepted = with_guard(text.as_bytes(), |data, from, to| {
                        Date.accepts(data, from, to).then_some(())
                    });
                    assert_eq!(accepted.is_some(), day <= last && (month, day) != (2, 29));
                    expected += i32::from(day <= last);
                }
            }
        }
    }

    #[test]
    fn dates_that_are_none_are_refused() {
        for text in [
            "2024-13-01",
            "2024-00-01",
            "0000-01-01",
            "2024-1-1",
            "2024/01/01",
            "2024-01-0a",
            "20240101",
            "24-01-01",
        ] {
            assert_eq!(Date.exact(text.as_bytes()), None, "{text}");
            let data = format!("2024-01-01,{text}");
            assert!(!Date.accepts(data.as_bytes(), 11, data.len()), "{text}");
        }
    }

    #[test]
    fn timestamps_are_read_to_the_microsecond() {
        let plain = Timestamp { utc: false };
        let utc = Timestamp { utc: true };
        assert_eq!(plain.exact(b"1970-01-02"), Some(DAY_US));
        assert_eq!(plain.exact(b"1970-01-01T00:01"), Some(60 * SECOND_US));
        assert_eq!(plain.exact(b"1970-01-01 00:00:01.5"), Some(1_500_000));
        assert_eq!(
            plain.exact(b"1970-01-01 00:00:01.123456000"),
            Some(1_123_456)
        );
        assert_eq!(plain.exact(b"1970-01-01 00:00:01.1234561"), None);
        assert_eq!(plain.exact(b"1969-12-31T23:59:59.999999"), Some(-1));
        assert_eq!(plain.exact(b"1970-01-01T00:00:00Z"), None);
        assert_eq!(utc.exact(b"1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(utc.exact(b"1970-01-01T00:00:00"), Some(0));
        assert_eq!(utc.exact(b"1970-01-01T05:30:00+05:30"), Some(0));
        assert_eq!(utc.exact(b"1970-01-01T05:30:00+0530"), Some(0));
        assert_eq!(utc.exact(b"1969-12-31T23:00:00-01"), Some(0));
        for text in [
            "1970-01-01T24:00:00",
            "1970-01-01T00:60",
            "1970-01-01T",
            "1970-01-01T00",
            "1970-01-01T00:00:",
            "1970-01-01T00:00:00.",
        ] {
            assert_eq!(utc.exact(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn booleans_are_words() {
        for text in ["true", "T", "YES", "y", "1"] {
            assert_eq!(Boolean.exact(text.as_bytes()), Some(true), "{text}");
        }
        for text in ["False", "f", "no", "N", "0"] {
            assert_eq!(Boolean.exact(text.as_bytes()), Some(false), "{text}");
        }
        for text in ["", "2", "tru", "01"] {
            assert_eq!(Boolean.exact(text.as_bytes()), None, "{text}");
        }
    }
}
