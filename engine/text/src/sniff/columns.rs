//! Names and types of the columns.

use std::collections::HashSet;

use arrow_schema::DataType;

use super::detect::Reading;
use super::header::{Certainty, Header, Record};
use super::sample::Window;
use super::split::{Field, MAX_FIELDS, Rules, Splitter, Step};
use super::types::{Probe, grouped};
use super::{ColumnGuess, DialectOverrides, format};
use crate::TextError;

/// What the columns are.
pub(super) struct Columns {
    pub guesses: Vec<ColumnGuess>,
    pub has_header: bool,
    /// How much `has_header` rests on.
    pub certainty: Certainty,
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
    let first = Record::at(head, reading.start, reading.rules);
    let mut header = Header::decide(head, reading, first.as_ref(), &body.types(), overrides);
    if let Some(first) = first.as_ref().filter(|_| !header.exists) {
        body.add(&head.bytes, &first.fields);
    }
    let mut named = first.filter(|_| header.exists);
    if let Some(record) = header.shorter(head, reading, overrides) {
        (reading.start, reading.skip_rows) = (0, 0);
        header = Header::of_other_length(&record, reading.fields);
        named = Some(record);
    }
    let mut evidence = vec![header.why];
    evidence.extend(body.invalid_sentence());
    let names = named.map(|record| record.texts(&head.bytes, reading.rules));
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
        has_header: header.exists,
        certainty: header.certainty,
        evidence,
    })
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
