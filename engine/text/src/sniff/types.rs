//! The type of a column, from the kinds of its sampled values: the narrowest that they fit. A few strays that are nothing
//! but text don't turn a column of numbers into text: they are bad rows, and which rows are bad is said loudly later.

use arrow_schema::{DataType, TimeUnit};

use super::value::{Kind, classify};

/// Decimals have at most so many fraction digits; longer ones are floats.
const MAX_SCALE: u8 = 12;
/// Values of more digits make a decimal of precision 38, so that a thousand times larger ones still fit 18.
const LONG_DIGITS: u8 = 15;
/// One stray in so many values is taken for a bad row.
const VALUES_A_STRAY: u64 = 50;
/// A single stray is taken for a bad row among so many values.
const VALUES_FOR_ONE_STRAY: u64 = 10;
/// Characters of a value that evidence quotes.
const QUOTED_CHARS: usize = 40;

/// What was seen in one column.
#[derive(Debug, Clone, Default)]
pub(super) struct Probe {
    counts: [u64; Kind::COUNT],
    nulls: u64,
    scale: Option<u8>,
    scales_differ: bool,
    digits: u8,
    examples: [Option<String>; Kind::COUNT],
}

impl Probe {
    /// Count one field; an empty one without quotes is null. Blanks around a value are no part of it, unless it is text.
    pub fn add(&mut self, value: &[u8], quoted: bool) {
        if value.is_empty() && !quoted {
            self.nulls += 1;
            return;
        }
        let kind = classify(trim_blanks(value));
        if let Kind::Fixed { scale, digits } = kind {
            self.scales_differ |= self.scale.is_some_and(|seen| seen != scale);
            self.scale = Some(scale);
            self.digits = self.digits.max(digits);
        }
        let index = kind.index();
        self.counts[index] += 1;
        if self.counts[index] == 1 {
            let text = String::from_utf8_lossy(value);
            self.examples[index] = Some(text.chars().take(QUOTED_CHARS).collect());
        }
    }

    /// No value was seen, only nulls.
    pub fn is_empty(&self) -> bool {
        self.nulls > 0 && self.counts.iter().all(|count| *count == 0)
    }

    /// The type and the sentence that says why.
    pub fn verdict(&self) -> (DataType, String) {
        let values: u64 = self.counts.iter().sum();
        if values == 0 {
            let why = match self.nulls {
                0 => "no values in the sample; read as text".to_owned(),
                nulls => format!(
                    "all {} sampled values are null; read as text",
                    grouped(nulls)
                ),
            };
            return (DataType::Utf8View, why);
        }
        // A blank field is null where it is no text.
        let blanks = self.counts[Kind::Blank.index()];
        let filled = values - blanks;
        let but = match blanks {
            0 => String::new(),
            _ => format!(" but {} blank ones", grouped(blanks)),
        };
        let strays = self.strays(filled);
        let all = match strays {
            0 => format!("all {} sampled values{but}", grouped(values)),
            _ => format!(
                "all {} sampled values{but} but {} such as {}, which will be rejected,",
                grouped(values),
                grouped(strays),
                self.example(Kind::Text)
            ),
        };
        let only = |kinds: &[Kind]| {
            let fitting: u64 = kinds.iter().map(|kind| self.counts[kind.index()]).sum();
            filled > 0 && fitting == filled - strays
        };
        let fixed = Kind::Fixed {
            scale: 0,
            digits: 0,
        };
        let finite = filled - strays > self.counts[Kind::NotFinite.index()];
        if only(&[Kind::Int]) {
            (DataType::Int64, format!("{all} are integers"))
        } else if only(&[Kind::Int, Kind::BigInt]) {
            let why = format!(
                "{all} are integers, {} past 64 bits",
                self.example(Kind::BigInt)
            );
            (DataType::Decimal128(38, 0), why)
        } else if let Some((precision, scale)) = self.decimal().filter(|_| only(&[fixed])) {
            let scale_sign = i8::try_from(scale).expect("a scale is at most 12");
            let why = format!("{all} have a point and {scale} fraction digits");
            (DataType::Decimal128(precision, scale_sign), why)
        } else if finite && only(&[Kind::Int, fixed, Kind::Float, Kind::NotFinite]) {
            (
                DataType::Float64,
                format!("{all} are numbers; {}", self.why_float()),
            )
        } else if only(&[Kind::Date]) {
            (DataType::Date32, format!("{all} are ISO dates"))
        } else if only(&[Kind::Timestamp]) {
            let why = format!("{all} are ISO dates with a time of day");
            (DataType::Timestamp(TimeUnit::Microsecond, None), why)
        } else if only(&[Kind::TimestampUtc]) {
            let why = format!("{all} are ISO dates with a time of day and an offset");
            (
                DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
                why,
            )
        } else if only(&[Kind::Bool]) {
            (DataType::Boolean, format!("{all} are true or false"))
        } else {
            (DataType::Utf8View, self.why_text())
        }
    }

    /// How many values are nothing but text and so few that they are bad rows of a typed column; 0 where they are many.
    fn strays(&self, filled: u64) -> u64 {
        let texts = self.counts[Kind::Text.index()];
        let few =
            texts * VALUES_A_STRAY <= filled || (texts == 1 && filled >= VALUES_FOR_ONE_STRAY);
        if few && texts < filled { texts } else { 0 }
    }

    /// Precision and scale, if all fractions have one scale.
    fn decimal(&self) -> Option<(u8, u8)> {
        let scale = self
            .scale
            .filter(|&s| s <= MAX_SCALE && !self.scales_differ)?;
        Some((if self.digits > LONG_DIGITS { 38 } else { 18 }, scale))
    }

    fn why_float(&self) -> String {
        for (kind, why) in [
            (Kind::NotFinite, "is no finite number"),
            (Kind::Float, "has an exponent or an unusual form"),
            (Kind::Int, "has no point, others do"),
        ] {
            if self.counts[kind.index()] > 0 {
                return format!("{} {why}", self.example(kind));
            }
        }
        if self.scales_differ {
            "the number of fraction digits varies".into()
        } else {
            format!("more than {MAX_SCALE} fraction digits")
        }
    }

    fn why_text(&self) -> String {
        let typed: Vec<Kind> = KINDS
            .into_iter()
            .filter(|kind| kind.is_typed() && self.counts[kind.index()] > 0)
            .collect();
        let odd = [
            (
                Kind::LeadingZero,
                "has a leading zero that a number would lose",
            ),
            (Kind::Text, "is no number, date or boolean"),
        ];
        let odd = odd
            .into_iter()
            .find(|(kind, _)| self.counts[kind.index()] > 0);
        match (odd, typed.as_slice()) {
            (Some((kind, why)), []) => format!("text: {} {why}", self.example(kind)),
            (Some((kind, why)), [typed, ..]) => {
                format!(
                    "text: {} {why}, though {} is one",
                    self.example(kind),
                    self.example(*typed)
                )
            }
            (None, [one, other, ..]) => format!(
                "text: {} and {} have no common type",
                self.example(*one),
                self.example(*other)
            ),
            (None, [one]) => format!("text: {} is no finite number", self.example(*one)),
            (None, []) => "text: the sample has only blanks".into(),
        }
    }

    fn example(&self, kind: Kind) -> String {
        let example = self.examples[kind.index()].as_deref();
        format!("'{}'", example.unwrap_or_default())
    }
}

const KINDS: [Kind; Kind::COUNT] = [
    Kind::Int,
    Kind::BigInt,
    Kind::Fixed {
        scale: 0,
        digits: 0,
    },
    Kind::Float,
    Kind::NotFinite,
    Kind::Date,
    Kind::Timestamp,
    Kind::TimestampUtc,
    Kind::Bool,
    Kind::LeadingZero,
    Kind::Blank,
    Kind::Text,
];

/// Whether a value could stand in a column of a type; text takes everything.
pub(super) fn fits(value: &[u8], data_type: &DataType) -> bool {
    let kind = classify(trim_blanks(value));
    match data_type {
        DataType::Int64 => kind == Kind::Int,
        DataType::Decimal128(_, 0) => matches!(kind, Kind::Int | Kind::BigInt),
        DataType::Decimal128(..) => matches!(kind, Kind::Int | Kind::Fixed { .. }),
        DataType::Float64 => {
            matches!(
                kind,
                Kind::Int | Kind::Fixed { .. } | Kind::Float | Kind::NotFinite
            )
        }
        DataType::Date32 => kind == Kind::Date,
        DataType::Timestamp(_, None) => kind == Kind::Timestamp,
        DataType::Timestamp(_, Some(_)) => kind == Kind::TimestampUtc,
        DataType::Boolean => kind == Kind::Bool,
        _ => true,
    }
}

/// Without the spaces and tabs around it.
pub(super) fn trim_blanks(value: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    if !value.first().is_some_and(is_blank) && !value.last().is_some_and(is_blank) {
        return value;
    }
    let first = value.iter().position(|byte| !is_blank(byte));
    let last = value.iter().rposition(|byte| !is_blank(byte));
    match (first, last) {
        (Some(first), Some(last)) => &value[first..=last],
        _ => &[],
    }
}

/// 5321 as `5,321`.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(values: &[&str]) -> (DataType, String) {
        let mut probe = Probe::default();
        for value in values {
            let quoted = value
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'));
            probe.add(quoted.unwrap_or(value).as_bytes(), quoted.is_some());
        }
        probe.verdict()
    }

    #[test]
    fn a_type_is_chosen_only_if_every_value_fits() {
        let micros =
            |zone: Option<&str>| DataType::Timestamp(TimeUnit::Microsecond, zone.map(Into::into));
        for (values, expected) in [
            (vec!["1", "", "-2"], DataType::Int64),
            (vec!["1", "NA"], DataType::Utf8View),
            (
                vec!["1", "9223372036854775808"],
                DataType::Decimal128(38, 0),
            ),
            (vec!["9223372036854775808", "1.5"], DataType::Utf8View),
            (vec!["1.50", "-20.25"], DataType::Decimal128(18, 2)),
            (vec!["1234567890123456.50"], DataType::Decimal128(38, 2)),
            (vec!["1.50", "2"], DataType::Float64),
            (vec!["1.5", "2.25"], DataType::Float64),
            (vec!["0.1234567890123"], DataType::Float64),
            (vec!["1e3", "2"], DataType::Float64),
            (vec!["nan", "2"], DataType::Float64),
            (vec!["nan"], DataType::Utf8View),
            (vec!["00501", "10001"], DataType::Utf8View),
            (vec!["2024-01-01"], DataType::Date32),
            (
                vec!["2024-01-01", "2024-01-01 00:00:00"],
                DataType::Utf8View,
            ),
            (
                vec!["2024-01-01 00:00:00", "2024-01-01T00:00:00"],
                micros(None),
            ),
            (
                vec!["2024-01-01 00:00:00Z", "2024-01-01T00:00:00+02:00"],
                micros(Some("UTC")),
            ),
            (
                vec!["2024-01-01 00:00:00Z", "2024-01-01 00:00:00"],
                DataType::Utf8View,
            ),
            (vec!["true", "False"], DataType::Boolean),
            (vec!["0", "true"], DataType::Utf8View),
            (vec!["", ""], DataType::Utf8View),
            (vec!["\"\"", "1"], DataType::Int64),
            (vec![" 1", "-2 ", "\t"], DataType::Int64),
            (vec!["\"\"", " "], DataType::Utf8View),
            (vec!["\"2024-01-01\"", "\"\""], DataType::Date32),
            (vec![], DataType::Utf8View),
        ] {
            assert_eq!(verdict(&values).0, expected, "{values:?}");
        }
    }

    #[test]
    fn a_few_strays_are_bad_rows_of_a_typed_column() {
        let mut values = vec!["7"; 9];
        values.push("seven");
        let (data_type, why) = verdict(&values);
        assert_eq!(data_type, DataType::Int64);
        assert!(why.contains("1 such as 'seven'"), "{why}");
        assert_eq!(verdict(&values[1..]).0, DataType::Utf8View);
        values.push("eight");
        assert_eq!(verdict(&values).0, DataType::Utf8View);
        values.extend(["1"; 100]);
        assert_eq!(verdict(&values).0, DataType::Int64);
        values.push("007");
        assert_eq!(verdict(&values).0, DataType::Utf8View);
    }

    #[test]
    fn evidence_quotes_the_value_that_decided() {
        assert_eq!(verdict(&["1", "2"]).1, "all 2 sampled values are integers");
        assert!(
            verdict(&["501", "00501"])
                .1
                .contains("'00501' has a leading zero")
        );
        assert!(verdict(&["1", "NA"]).1.contains("'NA' is no number"));
        assert!(verdict(&["1.5", "2"]).1.contains("'2' has no point"));
        assert!(verdict(&["2024-01-01", "1"]).1.contains("no common type"));
    }

    #[test]
    fn kinds_have_their_own_index() {
        for (i, kind) in KINDS.into_iter().enumerate() {
            assert_eq!(kind.index(), i);
        }
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(12), "12");
    }
}
