//! Names and types of the columns.

use std::collections::HashSet;

use arrow_schema::DataType;
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

use super::detect::Reading;
use super::header::{Certainty, Header, Record};
use super::sample::Window;
use super::split::{Field, MAX_FIELDS, Rules, Splitter, Step};
use super::types::{Probe, grouped};
use super::{ColumnGuess, DialectOverrides, format};
use crate::{TextError, decode};

/// A last column of which nothing is known is one in a table of fewer records.
const TRAILING_RECORDS: u64 = 2;

/// What the columns are.
pub(super) struct Columns {
    pub guesses: Vec<ColumnGuess>,
    pub has_header: bool,
    /// Each record ends with a delimiter, which begins no column.
    pub trails: bool,
    /// How much `has_header` rests on.
    pub certainty: Certainty,
    pub encoding: &'static Encoding,
    pub encoding_is_guessed: bool,
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
    let mut first = Record::at(head, reading.start, reading.rules);
    let trails = Trailing::find(head, reading, &body, first.as_ref(), overrides);
    let is_trailing = trails.is_some();
    let fields = reading.fields - usize::from(is_trailing);
    if is_trailing {
        body.probes.truncate(fields);
        first.iter_mut().for_each(|record| record.truncate(fields));
    }
    let mut header = Header::decide(head, reading, first.as_ref(), &body.types(), overrides);
    if let Some(first) = first.as_ref().filter(|_| !header.exists) {
        body.add(&head.bytes, &first.fields);
    }
    let mut named = first.filter(|_| header.exists);
    if let Some(Trailing {
        header: Some(record),
    }) = trails
    {
        (reading.start, reading.skip_rows) = (0, 0);
        header = Header::without_trailing();
        named = Some(record);
    } else if let Some(record) = header.shorter(head, reading, overrides) {
        (reading.start, reading.skip_rows) = (0, 0);
        header = Header::of_other_length(&record, reading.fields);
        named = Some(record);
    }
    let mut evidence = vec![header.why];
    if let Some(record) = &named {
        body.look_at(&head.bytes[reading.start.min(record.next)..record.next]);
    }
    let encoding = body.encoding(overrides);
    evidence.extend(body.encoding_sentence(encoding, overrides));
    let scanned = decode::scanned(encoding);
    let names = named.map(|record| record.texts(&head.bytes, reading.rules, scanned));
    let guesses = name(names.as_deref(), fields, &mut evidence)
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
        trails: is_trailing,
        certainty: header.certainty,
        encoding,
        encoding_is_guessed: overrides.encoding.is_none() && encoding != UTF_8,
        evidence,
    })
}

/// Each record ends with a delimiter, after which nothing comes.
struct Trailing {
    /// The line before the first record, where it names the columns and ends with no delimiter.
    header: Option<Record>,
}

impl Trailing {
    /// None: the last column is one, if only by its name.
    fn find(
        head: &Window,
        reading: &Reading,
        body: &Body,
        first: Option<&Record>,
        overrides: &DialectOverrides,
    ) -> Option<Self> {
        let may_be = reading.fields > 1 && !reading.rules.merges;
        if !may_be || overrides.trailing_delimiter == Some(false) {
            return None;
        }
        let is_given = overrides.trailing_delimiter == Some(true);
        let is_empty = body.probes.last().is_some_and(Probe::is_empty);
        let ends_empty = first.is_some_and(|record| record.ends_empty(reading.fields));
        let is_evident = body.records >= TRAILING_RECORDS && is_empty && ends_empty;
        if !is_given && !is_evident {
            return None;
        }
        let is_free = overrides.skip_rows.is_none() && overrides.has_header.is_none();
        let before = || Record::at(head, 0, reading.rules).filter(|_| reading.start > 0);
        let header = before()
            .filter(|line| is_free && line.names(reading.fields - 1) && line.next == reading.start);
        Some(Self { header })
    }
}

/// The records after the first.
struct Body {
    probes: Vec<Probe>,
    records: u64,
    /// Records with bytes that are not UTF-8, and with characters that are, and are not ASCII.
    invalid: u64,
    multibyte: u64,
}

impl Body {
    fn read(head: &Window, windows: &[Window], reading: &Reading) -> Self {
        let mut body = Self {
            probes: vec![Probe::default(); reading.fields],
            records: 0,
            invalid: 0,
            multibyte: 0,
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
            self.look_at(&bytes[start..splitter.position()]);
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

    fn look_at(&mut self, record: &[u8]) {
        self.records += 1;
        if !record.is_ascii() {
            let valid = std::str::from_utf8(record).is_ok();
            *(if valid {
                &mut self.multibyte
            } else {
                &mut self.invalid
            }) += 1;
        }
    }

    /// Text that is mostly no UTF-8 is taken for windows-1252, in which every byte is a character.
    fn encoding(&self, overrides: &DialectOverrides) -> &'static Encoding {
        let guess = if self.invalid > self.multibyte {
            WINDOWS_1252
        } else {
            UTF_8
        };
        overrides.encoding.unwrap_or(guess)
    }

    fn encoding_sentence(
        &self,
        encoding: &'static Encoding,
        overrides: &DialectOverrides,
    ) -> Option<String> {
        let (invalid, records) = (grouped(self.invalid), grouped(self.records));
        let part = format!("{invalid} of {records} sampled records are not valid UTF-8");
        match overrides.encoding {
            Some(given) => Some(format!("the text is read as {}", given.name())),
            None if encoding == WINDOWS_1252 => Some(format!(
                "{part}: the text is taken for windows-1252 (latin-1)"
            )),
            None => (self.invalid > 0).then(|| {
                format!(
                    "{part}, and others have valid characters: those are faults of a UTF-8 file"
                )
            }),
        }
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
