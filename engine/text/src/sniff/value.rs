//! What one value could be. The grammar is strict, so that a type never changes what a value says.
//!
//! Integers have no plus sign and no leading zero (`+49` and `00501` are text), fractions have digits on both sides of
//! the point to be a decimal, dates and times are ISO 8601, and nothing is a boolean but `true` and `false`.

/// The kinds of values, finer than types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Fits Int64.
    Int,
    /// An integer past Int64 with at most 38 digits.
    BigInt,
    /// Digits on both sides of a point.
    Fixed { scale: u8, digits: u8 },
    /// Another number: an exponent, `.5`, more than 38 digits with a point.
    Float,
    /// `NaN` and infinities as programs write them.
    NotFinite,
    /// `YYYY-MM-DD`.
    Date,
    /// Date and time of day without an offset.
    Timestamp,
    /// Date and time of day with `Z` or an offset.
    TimestampUtc,
    /// `true` or `false`.
    Bool,
    /// A number but for its leading zeros.
    LeadingZero,
    /// Nothing, or nothing but blanks.
    Blank,
    /// Anything else.
    Text,
}

impl Kind {
    /// How many kinds there are; `index` is below it.
    pub const COUNT: usize = 12;

    /// A dense number for tables.
    pub fn index(self) -> usize {
        match self {
            Self::Int => 0,
            Self::BigInt => 1,
            Self::Fixed { .. } => 2,
            Self::Float => 3,
            Self::NotFinite => 4,
            Self::Date => 5,
            Self::Timestamp => 6,
            Self::TimestampUtc => 7,
            Self::Bool => 8,
            Self::LeadingZero => 9,
            Self::Blank => 10,
            Self::Text => 11,
        }
    }

    /// Whether it is a number, date, time or boolean.
    pub fn is_typed(self) -> bool {
        self.index() < Self::LeadingZero.index()
    }
}

/// The kind of a field that is not null.
pub(super) fn classify(value: &[u8]) -> Kind {
    match value {
        [] => Kind::Blank,
        b"true" | b"false" | b"True" | b"False" | b"TRUE" | b"FALSE" => Kind::Bool,
        b"NaN" | b"nan" | b"inf" | b"-inf" | b"Infinity" | b"-Infinity" => Kind::NotFinite,
        [b'0'..=b'9' | b'-' | b'.', ..] => number(value).unwrap_or_else(|| moment(value)),
        _ => Kind::Text,
    }
}

fn number(value: &[u8]) -> Option<Kind> {
    let unsigned = value.strip_prefix(b"-").unwrap_or(value);
    let whole = digits(unsigned);
    let rest = &unsigned[whole..];
    let leading_zero = whole > 1 && unsigned[0] == b'0';
    let Some((&mark, rest)) = rest.split_first() else {
        return Some(if leading_zero {
            Kind::LeadingZero
        } else {
            integer(value, whole)?
        });
    };
    let (fraction, exponent) = match mark {
        b'.' => {
            let fraction = digits(rest);
            (fraction, &rest[fraction..])
        }
        b'e' | b'E' if whole > 0 => (0, &unsigned[whole..]),
        _ => return None,
    };
    if whole + fraction == 0 || !is_exponent(exponent) {
        return None;
    }
    if leading_zero {
        return Some(Kind::LeadingZero);
    }
    let fixed = whole > 0 && fraction > 0 && exponent.is_empty() && whole + fraction <= 38;
    Some(
        match (u8::try_from(fraction), u8::try_from(whole + fraction)) {
            (Ok(scale), Ok(digits)) if fixed => Kind::Fixed { scale, digits },
            _ => Kind::Float,
        },
    )
}

fn integer(value: &[u8], digits: usize) -> Option<Kind> {
    if digits == 0 {
        return None;
    }
    if digits < 19 {
        // Int64 has no negative zero.
        return Some(if value == b"-0" {
            Kind::Float
        } else {
            Kind::Int
        });
    }
    let text = std::str::from_utf8(value).ok()?;
    match text.parse::<i64>() {
        Ok(_) => Some(Kind::Int),
        Err(_) if digits <= 38 => Some(Kind::BigInt),
        Err(_) => Some(Kind::Text),
    }
}

fn is_exponent(bytes: &[u8]) -> bool {
    match bytes {
        [] => true,
        [b'e' | b'E', b'+' | b'-', power @ ..] | [b'e' | b'E', power @ ..] => {
            !power.is_empty() && digits(power) == power.len()
        }
        _ => false,
    }
}

fn digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| b.is_ascii_digit()).count()
}

/// A date, a timestamp, or text.
fn moment(value: &[u8]) -> Kind {
    let Some((date, rest)) = value.split_at_checked(10) else {
        return Kind::Text;
    };
    if !is_date(date) {
        return Kind::Text;
    }
    match rest {
        [] => Kind::Date,
        [b'T' | b' ', time @ ..] => time_of_day(time).unwrap_or(Kind::Text),
        _ => Kind::Text,
    }
}

fn is_date(date: &[u8]) -> bool {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *date else {
        return false;
    };
    let (Some(century), Some(year), Some(month), Some(day)) =
        (pair(y1, y2), pair(y3, y4), pair(m1, m2), pair(d1, d2))
    else {
        return false;
    };
    let year = century * 100 + year;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    year > 0 && (1..=last).contains(&day)
}

/// `HH:MM`, perhaps seconds, with a fraction of whole microseconds, and perhaps an offset.
fn time_of_day(time: &[u8]) -> Option<Kind> {
    let (clock, mut rest) = time.split_at_checked(5)?;
    let [h1, h2, b':', m1, m2] = *clock else {
        return None;
    };
    if pair(h1, h2)? > 23 || pair(m1, m2)? > 59 {
        return None;
    }
    if let [b':', s1, s2, after @ ..] = rest {
        if pair(*s1, *s2)? > 59 {
            return None;
        }
        rest = after;
        if let [b'.', fraction @ ..] = rest {
            let length = digits(fraction);
            let past_micros = fraction[..length].iter().skip(6);
            if !(1..=9).contains(&length) || past_micros.into_iter().any(|&b| b != b'0') {
                return None;
            }
            rest = &fraction[length..];
        }
    }
    match *rest {
        [] => Some(Kind::Timestamp),
        [b'Z'] => Some(Kind::TimestampUtc),
        [b'+' | b'-', h1, h2, b':', m1, m2] | [b'+' | b'-', h1, h2, m1, m2] => {
            (pair(h1, h2)? < 24 && pair(m1, m2)? < 60).then_some(Kind::TimestampUtc)
        }
        [b'+' | b'-', h1, h2] => (pair(h1, h2)? < 24).then_some(Kind::TimestampUtc),
        _ => None,
    }
}

fn pair(tens: u8, ones: u8) -> Option<u32> {
    (tens.is_ascii_digit() && ones.is_ascii_digit())
        .then(|| u32::from(tens - b'0') * 10 + u32::from(ones - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let fixed = |scale, digits| Kind::Fixed { scale, digits };
        for (text, kind) in [
            ("0", Kind::Int),
            ("-17", Kind::Int),
            ("9223372036854775807", Kind::Int),
            ("-9223372036854775808", Kind::Int),
            ("9223372036854775808", Kind::BigInt),
            ("00501", Kind::LeadingZero),
            ("-01", Kind::LeadingZero),
            ("01.5", Kind::LeadingZero),
            ("0.50", fixed(2, 3)),
            ("-12.345", fixed(3, 5)),
            ("1e5", Kind::Float),
            ("1.5E-3", Kind::Float),
            (".5", Kind::Float),
            ("5.", Kind::Float),
            ("-0", Kind::Float),
            ("NaN", Kind::NotFinite),
        ] {
            assert_eq!(classify(text.as_bytes()), kind, "{text}");
        }
        let text = [
            "+5", " 5", "5 ", "1,5", "--1", "-", ".", "1e", "e5", "0x10", "1.2.3", "1_000",
        ];
        for text in text {
            assert_eq!(classify(text.as_bytes()), Kind::Text, "{text}");
        }
        assert_eq!(classify("1".repeat(39).as_bytes()), Kind::Text);
    }

    #[test]
    fn dates_and_times() {
        for (text, kind) in [
            ("2024-02-29", Kind::Date),
            ("2023-02-29", Kind::Text),
            ("2024-13-01", Kind::Text),
            ("0000-01-01", Kind::Text),
            ("2024-1-1", Kind::Text),
            ("01/02/2024", Kind::Text),
            ("2024-01-02T03:04:05", Kind::Timestamp),
            ("2024-01-02 03:04:05.123456", Kind::Timestamp),
            ("2024-01-02 03:04:05.1234567", Kind::Text),
            ("2024-01-02 24:00:00", Kind::Text),
            ("2024-01-02T03:04", Kind::Timestamp),
            ("2024-01-02T03:04Z", Kind::TimestampUtc),
            ("2024-01-02T03", Kind::Text),
            ("2024-01-02T03:04:", Kind::Text),
            ("2024-01-02T03:04:60", Kind::Text),
            ("2024-01-02T03:04:05.", Kind::Text),
            ("2024-01-02T03:04:05.123456000", Kind::Timestamp),
            ("2024-01-02T03:04:05Z", Kind::TimestampUtc),
            ("2024-01-02T03:04:05.5+05:30", Kind::TimestampUtc),
            ("2024-01-02 03:04:05-0800", Kind::TimestampUtc),
            ("2024-01-02 03:04:05+01", Kind::TimestampUtc),
            ("2024-01-02 03:04:05 UTC", Kind::Text),
        ] {
            assert_eq!(classify(text.as_bytes()), kind, "{text}");
        }
    }

    #[test]
    fn booleans_are_words() {
        assert_eq!(classify(b"true"), Kind::Bool);
        assert_eq!(classify(b"FALSE"), Kind::Bool);
        assert_eq!(classify(b"0"), Kind::Int);
        assert_eq!(classify(b"yes"), Kind::Text);
        assert_eq!(classify(b""), Kind::Blank);
    }
}
