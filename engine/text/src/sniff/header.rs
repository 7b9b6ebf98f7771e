//! Whether the first record names the columns: its values against the types and values below them.

use std::collections::HashSet;

use arrow_schema::DataType;
use encoding_rs::Encoding;

use super::DialectOverrides;
use super::detect::Reading;
use super::sample::Window;
use super::split::{Field, Rules, Splitter, Step, text_of};
use super::types::fits;
use super::value::classify;

/// Records of the head that are compared with a first record of text only.
const COMPARED_RECORDS: usize = 5_000;

/// How much the decision rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Certainty {
    /// On types, or it was given.
    Sure,
    /// On what is usual.
    Likely,
    /// The header does not fit the records.
    Odd,
}

/// The decision.
pub(super) struct Header {
    pub exists: bool,
    pub certainty: Certainty,
    pub why: String,
}

impl Header {
    fn new(exists: bool, certainty: Certainty, why: impl Into<String>) -> Self {
        Self {
            exists,
            certainty,
            why: why.into(),
        }
    }

    /// Decide on the `first` record of a reading (None: it is faulty), `types` being those of the columns below it.
    pub fn decide(
        head: &Window,
        reading: &Reading,
        first: Option<&Record>,
        types: &[DataType],
        overrides: &DialectOverrides,
    ) -> Self {
        match (first, overrides.has_header) {
            (_, Some(true)) => Self::new(true, Certainty::Sure, "the header was given"),
            (_, Some(false)) => {
                Self::new(false, Certainty::Sure, "there is no header, as was given")
            }
            (None, None) => {
                let why = "the first record is faulty, so it is no header";
                Self::new(false, Certainty::Likely, why)
            }
            (Some(first), None) if first.values.len() != types.len() => {
                let why = "the first record has another number of fields";
                match first.is_text() {
                    true => Self::new(
                        true,
                        Certainty::Odd,
                        format!("{why} and is text: taken as header"),
                    ),
                    false => Self::new(false, Certainty::Likely, format!("{why} and is no header")),
                }
            }
            (Some(first), None) => {
                by_types(first, types).unwrap_or_else(|| by_text(head, reading, first))
            }
        }
    }

    /// The header of records that have more or fewer fields than it.
    pub fn of_other_length(header: &Record, fields: usize) -> Self {
        let names = header.fields.len();
        let why = format!("the first line names {names} columns, the records have {fields} fields");
        Self::new(true, Certainty::Odd, why)
    }

    /// The header that ends with no delimiter, where all records do.
    pub fn without_trailing() -> Self {
        let why = "the first line is a header: it names the columns, and ends with no delimiter";
        Self::new(true, Certainty::Likely, why)
    }

    /// The line before the table where it is a header of another length, not a preamble: the first record is surely
    /// data, and the one line before it is names.
    pub fn shorter(
        &self,
        head: &Window,
        reading: &Reading,
        overrides: &DialectOverrides,
    ) -> Option<Record> {
        let given = overrides.skip_rows.is_some() || overrides.has_header.is_some();
        if given || self.exists || self.certainty != Certainty::Sure {
            return None;
        }
        let line = Record::at(head, 0, reading.rules)?;
        let names = line.fields.len() > 1 && line.is_text();
        (names && line.next == reading.start).then_some(line)
    }
}

fn by_types(first: &Record, types: &[DataType]) -> Option<Header> {
    let typed = first.values.iter().zip(types);
    let typed = typed.filter(|(value, t)| **t != DataType::Utf8View && !value.is_empty());
    let (fitting, unlike): (Vec<_>, Vec<_>) = typed.partition(|(value, t)| fits(value, t));
    if unlike.len() > fitting.len() {
        let (value, data_type) = unlike[0];
        let value = String::from_utf8_lossy(value);
        let why = format!("the first record is a header: '{value}' above {data_type} values");
        return Some(Header::new(true, Certainty::Sure, why));
    }
    let has_labels = types.contains(&DataType::Utf8View);
    if has_labels && are_years(fitting.iter().map(|(value, _)| value.as_slice())) {
        let why = "the first record is a header: years in a row above values";
        return Some(Header::new(true, Certainty::Likely, why));
    }
    let (value, data_type) = fitting.first()?;
    let value = String::from_utf8_lossy(value);
    let why = format!("no header: '{value}' in the first record is {data_type} as below it");
    Some(Header::new(false, Certainty::Sure, why))
}

/// At least three years, each one after the one before: names of columns, as tables of statistics have them.
fn are_years<'a>(values: impl Iterator<Item = &'a [u8]>) -> bool {
    let year = |value: &[u8]| {
        let year: Option<u32> = std::str::from_utf8(value).ok()?.parse().ok();
        year.filter(|year| value.len() == 4 && (1000..3000).contains(year))
    };
    let years: Option<Vec<u32>> = values.map(year).collect();
    years.is_some_and(|years| {
        years.len() >= 3 && years.windows(2).all(|pair| pair[1] == pair[0] + 1)
    })
}

fn by_text(head: &Window, reading: &Reading, first: &Record) -> Header {
    let no = |why| Header::new(false, Certainty::Likely, why);
    let filled: Vec<&Vec<u8>> = first.values.iter().filter(|v| !v.is_empty()).collect();
    if filled.iter().any(|value| classify(value).is_typed()) {
        return no("no header: the first record has numbers or dates");
    }
    let distinct: HashSet<&Vec<u8>> = filled.iter().copied().collect();
    if distinct.len() < filled.len() || repeats(head, reading, first) {
        return no("no header: values of the first record repeat");
    }
    let why = match reading.tally.records {
        0 | 1 => "the only record is text, taken as a header without rows",
        _ => {
            "all columns are text; the first record's values are distinct and do not repeat: taken as header"
        }
    };
    Header::new(true, Certainty::Likely, why)
}

/// At least half of the first record's values stand again in their columns.
fn repeats(head: &Window, reading: &Reading, first: &Record) -> bool {
    let mut splitter = Splitter::new(&head.bytes, first.next, head.whole, reading.rules);
    let mut seen = vec![false; first.values.len()];
    let mut fields = Vec::new();
    for _ in 0..COMPARED_RECORDS {
        match splitter.advance(&mut fields) {
            Step::Record { .. } => {}
            Step::Fault { .. } => continue,
            Step::Cut | Step::End => break,
        }
        // A whole header again is what joined files have; it says nothing.
        if fields.len() != seen.len() || values(&head.bytes, &fields) == first.values {
            continue;
        }
        for ((seen, field), value) in seen.iter_mut().zip(&fields).zip(&first.values) {
            *seen |= !value.is_empty() && head.bytes[field.start..field.end] == **value;
        }
    }
    let filled = first.values.iter().filter(|v| !v.is_empty()).count();
    filled > 0 && seen.into_iter().filter(|seen| *seen).count() * 2 >= filled
}

/// One record of the head.
pub(super) struct Record {
    pub fields: Vec<Field>,
    values: Vec<Vec<u8>>,
    /// Where the next record begins.
    pub next: usize,
}

impl Record {
    pub fn at(head: &Window, at: usize, rules: Rules) -> Option<Self> {
        let mut fields = Vec::new();
        let mut splitter = Splitter::new(&head.bytes, at, head.whole, rules);
        match splitter.advance(&mut fields) {
            Step::Record { .. } => Some(Self {
                values: values(&head.bytes, &fields),
                fields,
                next: splitter.position(),
            }),
            _ => None,
        }
    }

    /// It has that many fields, the last of which is empty.
    pub fn ends_empty(&self, fields: usize) -> bool {
        let is_nothing = |field: &Field| field.start == field.end && !field.quoted;
        self.fields.len() == fields && self.fields.last().is_some_and(is_nothing)
    }

    /// It has that many fields, and may name columns.
    pub fn names(&self, fields: usize) -> bool {
        self.values.len() == fields && self.is_text()
    }

    /// Forget the fields from `fields` on.
    pub fn truncate(&mut self, fields: usize) {
        self.fields.truncate(fields);
        self.values.truncate(fields);
    }

    /// All values are there and none is a number, date or boolean.
    fn is_text(&self) -> bool {
        let mut values = self.values.iter();
        values.all(|value| !value.is_empty() && !classify(value).is_typed())
    }

    /// What the fields say.
    pub fn texts(&self, bytes: &[u8], rules: Rules, encoding: &'static Encoding) -> Vec<String> {
        let fields = self.fields.iter();
        fields
            .map(|&field| text_of(bytes, field, rules, encoding))
            .collect()
    }
}

fn values(bytes: &[u8], fields: &[Field]) -> Vec<Vec<u8>> {
    let fields = fields.iter();
    fields
        .map(|field| bytes[field.start..field.end].to_vec())
        .collect()
}
