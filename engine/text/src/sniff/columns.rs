//! Names and types of the columns, and whether the first record names them.

use std::collections::HashSet;

use arrow_schema::DataType;

use super::detect::Reading;
use super::sample::Window;
use super::split::{Field, MAX_FIELDS, Rules, Splitter, Step, text_of};
use super::types::{Probe, fits, grouped};
use super::value::classify;
use super::{ColumnGuess, DialectOverrides, format};
use crate::TextError;

/// Records of the head that are compared with a first record of text only.
const COMPARED_RECORDS: usize = 5_000;

/// What the columns are.
pub(super) struct Columns {
    pub guesses: Vec<ColumnGuess>,
    pub has_header: bool,
    /// What `has_header` rests on is more than the usual case.
    pub sure: bool,
    pub evidence: Vec<String>,
}

/// Name and type the columns of `reading`, which may begin a line earlier afterwards: at a header of another length.
pub(super) fn read(
    head: &Window,
    windows: &[Window],
    reading: &mut Reading,
    overrides: &DialectOverrides,
) -> Result<Columns, TextError> {
    if reading.fields > MAX_FIELDS {
        return Err(format::not_a_table(
            format!(
                "A record has more than {} fields.",
                grouped(MAX_FIELDS as u64)
            ),
            "Check the delimiter and the line ends.",
        ));
    }
    let mut body = Body::read(head, windows, reading);
    let types = body.types();
    let first = Record::at(head, reading.start, reading.rules);
    let (mut has_header, mut sure, mut why) = match (&first, overrides.has_header) {
        (_, Some(given)) => (given, true, given_sentence(given)),
        (None, None) => (
            false,
            false,
            "the first record is faulty, so it is no header".into(),
        ),
        (Some(first), None) => decide(head, reading, first, &types),
    };
    let mut header = first.as_ref().filter(|_| has_header);
    let before = Record::at(head, 0, reading.rules);
    let short = before.as_ref().filter(|record| {
        let precedes = overrides.skip_rows.is_none() && record.next == reading.start;
        let names = record.fields.len() > 1 && record.is_text();
        !has_header && overrides.has_header.is_none() && sure && precedes && names
    });
    if let Some(first) = first.as_ref().filter(|_| !has_header) {
        body.add(&head.bytes, &first.fields);
    }
    if let Some(short) = short {
        (has_header, sure, header) = (true, false, Some(short));
        (reading.start, reading.skip_rows) = (0, 0);
        why = format!(
            "the first line names {} columns, the records have {} fields",
            short.fields.len(),
            reading.fields
        );
    }
    let mut evidence = vec![why];
    evidence.extend(body.invalid_sentence());
    let names = header.map(|record| record.texts(&head.bytes, reading.rules));
    let guesses = name(names.as_deref(), reading.fields, &mut evidence)
        .into_iter()
        .zip(body.probes.iter().map(Probe::verdict))
        .map(|(name, (data_type, evidence))| ColumnGuess {
            name,
            data_type,
            evidence,
        })
        .collect();
    Ok(Columns {
        guesses,
        has_header,
        sure,
        evidence,
    })
}

/// One record of the head.
struct Record {
    fields: Vec<Field>,
    values: Vec<Vec<u8>>,
    /// Where the next record begins.
    next: usize,
}

impl Record {
    fn at(head: &Window, at: usize, rules: Rules) -> Option<Self> {
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

    /// All values are there and none is a number, date or boolean.
    fn is_text(&self) -> bool {
        let mut values = self.values.iter();
        values.all(|value| !value.is_empty() && !classify(value).is_typed())
    }

    fn texts(&self, bytes: &[u8], rules: Rules) -> Vec<String> {
        let fields = self.fields.iter();
        fields.map(|&field| text_of(bytes, field, rules)).collect()
    }
}

/// The records after the first.
struct Body {
    probes: Vec<Probe>,
    records: u64,
    invalid: u64,
}

impl Body {
    fn read(head: &Window, windows: &[Window], reading: &Reading) -> Self {
        let mut body = Self {
            probes: vec![Probe::default(); reading.fields],
            records: 0,
            invalid: 0,
        };
        body.read_window(head, reading.start, reading.rules, true);
        for (window, entry) in windows.iter().zip(&reading.entries) {
            if let Some(at) = entry {
                body.read_window(window, *at, reading.rules, false);
            }
        }
        body
    }

    fn read_window(&mut self, window: &Window, at: usize, rules: Rules, mut skip: bool) {
        let bytes = &window.bytes;
        let mut splitter = Splitter::new(bytes, at, window.whole, rules);
        let mut fields = Vec::new();
        loop {
            let start = match splitter.advance(&mut fields) {
                Step::Record { start } => start,
                Step::Fault { .. } => {
                    skip = false;
                    continue;
                }
                Step::Cut | Step::End => return,
            };
            if std::mem::take(&mut skip) {
                continue;
            }
            self.records += 1;
            self.invalid +=
                u64::from(std::str::from_utf8(&bytes[start..splitter.position()]).is_err());
            if fields.len() == self.probes.len() {
                self.add(bytes, &fields);
            }
        }
    }

    fn add(&mut self, bytes: &[u8], fields: &[Field]) {
        if fields.len() == self.probes.len() {
            for (probe, field) in self.probes.iter_mut().zip(fields) {
                probe.add(&bytes[field.start..field.end], field.quoted);
            }
        }
    }

    fn types(&self) -> Vec<DataType> {
        self.probes.iter().map(|probe| probe.verdict().0).collect()
    }

    fn invalid_sentence(&self) -> Option<String> {
        (self.invalid > 0).then(|| {
            format!(
                "{} of {} sampled records are not valid UTF-8 (perhaps latin-1)",
                grouped(self.invalid),
                grouped(self.records)
            )
        })
    }
}

/// Whether the first record is a header: its values against the types of the columns below them.
fn decide(
    head: &Window,
    reading: &Reading,
    first: &Record,
    types: &[DataType],
) -> (bool, bool, String) {
    if first.values.len() != types.len() {
        let why = "the first record has another number of fields";
        return match first.is_text() {
            true => (true, false, format!("{why} and is text: taken as header")),
            false => (false, false, format!("{why} and is no header")),
        };
    }
    let typed = first.values.iter().zip(types);
    let typed = typed.filter(|(value, t)| **t != DataType::Utf8View && !value.is_empty());
    let (fitting, unlike): (Vec<_>, Vec<_>) = typed.partition(|(value, t)| fits(value, t));
    if unlike.len() > fitting.len() {
        let (value, data_type) = unlike[0];
        let value = String::from_utf8_lossy(value);
        return (
            true,
            true,
            format!("the first record is a header: '{value}' above {data_type} values"),
        );
    }
    if !fitting.is_empty() {
        let (value, data_type) = fitting[0];
        let value = String::from_utf8_lossy(value);
        return (
            false,
            true,
            format!("no header: '{value}' in the first record is {data_type} as below it"),
        );
    }
    let filled = first.values.iter().filter(|value| !value.is_empty());
    if filled.clone().any(|value| classify(value).is_typed()) {
        return (
            false,
            false,
            "no header: the first record has numbers or dates".into(),
        );
    }
    let distinct: HashSet<&Vec<u8>> = filled.clone().collect();
    if distinct.len() < filled.count() || repeats(head, reading, first) {
        return (
            false,
            false,
            "no header: values of the first record repeat below it".into(),
        );
    }
    if reading.tally.records < 2 {
        return (
            true,
            false,
            "the only record is text, taken as a header without rows".into(),
        );
    }
    let why = "all columns are text; the first record's values are distinct and do not repeat: taken as header";
    (true, false, why.into())
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
    let filled = first
        .values
        .iter()
        .filter(|value| !value.is_empty())
        .count();
    filled > 0 && seen.into_iter().filter(|seen| *seen).count() * 2 >= filled
}

fn values(bytes: &[u8], fields: &[Field]) -> Vec<Vec<u8>> {
    let fields = fields.iter();
    fields
        .map(|field| bytes[field.start..field.end].to_vec())
        .collect()
}

fn given_sentence(has_header: bool) -> String {
    match has_header {
        true => "the header was given".into(),
        false => "that there is no header was given".into(),
    }
}

/// One distinct name a column: the header's, without spaces around them, or `column_1` and so on.
fn name(header: Option<&[String]>, count: usize, evidence: &mut Vec<String>) -> Vec<String> {
    let mut taken: HashSet<String> = HashSet::new();
    let wanted: Vec<&str> = (0..count)
        .map(|i| {
            header
                .and_then(|names| names.get(i))
                .map_or("", |name| name.trim())
        })
        .collect();
    let given: HashSet<&str> = wanted.iter().copied().collect();
    let mut names = Vec::with_capacity(count);
    for (i, wanted) in wanted.iter().enumerate() {
        let base = match *wanted {
            "" => format!("column_{}", i + 1),
            name => name.to_owned(),
        };
        // A made name must not take one that the header has further on.
        let used = |name: &str, made: bool| taken.contains(name) || (made && given.contains(name));
        let mut name = base.clone();
        let mut number = 2;
        while used(&name, name != *wanted) {
            name = format!("{base}_{number}");
            number += 1;
        }
        if header.is_some() && name != *wanted {
            evidence.push(match *wanted {
                "" => format!("column {} has no name and is called '{name}'", i + 1),
                wanted => format!(
                    "the name '{wanted}' is there before; column {} is called '{name}'",
                    i + 1
                ),
            });
        }
        taken.insert(name.clone());
        names.push(name);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(header: &[&str], count: usize) -> (Vec<String>, Vec<String>) {
        let header: Vec<String> = header.iter().map(|&name| name.into()).collect();
        let mut evidence = Vec::new();
        (name(Some(&header), count, &mut evidence), evidence)
    }

    #[test]
    fn names_are_distinct_and_changes_are_told() {
        let (names, evidence) = named(&["id", "name", "", "name", " name ", "name_2"], 7);
        assert_eq!(
            names,
            [
                "id", "name", "column_3", "name_3", "name_4", "name_2", "column_7"
            ]
        );
        assert_eq!(evidence.len(), 4);
        assert!(evidence[0].contains("column 3 has no name"));
        assert_eq!(named(&["a", "b"], 2).1, Vec::<String>::new());
    }
}
