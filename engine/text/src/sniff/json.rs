//! What NDJSON holds: the columns, from the keys and values of the sampled records, with the evidence for each type.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field};

use super::sample::{Head, Window};
use super::split::MAX_FIELDS;
use super::types::{Probe, grouped};
use super::{ColumnGuess, format};
use crate::json::escapes::unescape;
use crate::json::is_object;
use crate::{ReadAt, TextError};

/// So many lines of the head tell whether a file is NDJSON.
const TRIAL_LINES: usize = 100;
/// An object with more keys is a map whose keys are data; it is read as text.
const MAX_KEYS: usize = 1000;
/// Deeper values are read as text.
const MAX_LEVELS: usize = 16;

/// What an NDJSON file is.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonSniffed {
    /// Its columns: the keys of its records, in the order in which they came first.
    pub columns: Vec<ColumnGuess>,
    /// 0 to 1.
    pub confidence: f64,
    /// Sentences that say what was seen.
    pub evidence: Vec<String>,
    /// Offset of the first record, after a byte order mark.
    pub data_start: u64,
}

/// Whether the lines of `source` are JSON objects: the first byte that is no blank opens one, and half of the first lines
/// are whole objects.
///
/// # Errors
/// [`TextError::NotATable`] for empty, binary or compressed bytes.
pub fn is_ndjson(source: &dyn ReadAt) -> Result<bool, TextError> {
    let head = Head::read(source)?;
    let bytes = &head.window.bytes;
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Ok(false);
    }
    let lines: Vec<_> = lines(&head.window, 0).take(TRIAL_LINES).collect();
    let objects = lines.iter().filter(|line| is_object(line)).count();
    Ok(objects > 0 && objects * 2 >= lines.len())
}

/// Find out what the columns of an NDJSON file are. The same bytes give the same answer.
///
/// # Errors
/// [`TextError::NotATable`] for empty, binary or compressed bytes, and where no sampled line is an object.
pub fn sniff_json(source: &dyn ReadAt) -> Result<JsonSniffed, TextError> {
    let head = Head::read(source)?;
    let windows = head.windows(source)?;
    let mut seen = Seen::default();
    seen.read(lines(&head.window, 0));
    for window in &windows {
        let start = memchr::memchr(b'\n', &window.bytes).map_or(window.bytes.len(), |at| at + 1);
        seen.read(lines(window, start));
    }
    if seen.objects == 0 {
        return Err(format::not_a_table(
            "No line of the file is a JSON object.".into(),
            "NDJSON has one object a line, such as {\"id\": 1, \"name\": \"a\"}. An array is written so by: jq -c '.[]' IN > OUT",
        ));
    }
    let mut evidence = vec![match seen.lines - seen.objects {
        0 => format!("all {} sampled lines are JSON objects", grouped(seen.lines)),
        others => format!(
            "{} of {} sampled lines are JSON objects; {} are not, and will be rejected",
            grouped(seen.objects),
            grouped(seen.lines),
            grouped(others)
        ),
    }];
    if head.has_bom {
        evidence.push("a UTF-8 byte order mark is skipped".into());
    }
    let mut columns = seen.table.columns();
    if let Some(nameless) = columns.iter().position(|column| column.name.is_empty()) {
        columns.remove(nameless);
        evidence.push("the key \"\" can't be a column and is left out".into());
    }
    if columns.is_empty() || columns.len() > MAX_FIELDS {
        return Err(format::not_a_table(
            format!("The records have {} keys.", grouped(columns.len() as u64)),
            "Each key of a record is a column; there must be some, and not more than 65,536.",
        ));
    }
    let share = seen.objects as f64 / seen.lines as f64;
    Ok(JsonSniffed {
        columns,
        confidence: if seen.lines == 1 { share * 0.9 } else { share },
        evidence,
        data_start: head.window.offset,
    })
}

/// The whole lines of a window from `start` that are not blank.
fn lines(window: &Window, start: usize) -> impl Iterator<Item = &[u8]> {
    let bytes = &window.bytes[start..];
    let whole = match memchr::memrchr(b'\n', bytes) {
        _ if window.whole => bytes.len(),
        Some(last) => last + 1,
        None => 0,
    };
    let lines = bytes[..whole].split(|byte| *byte == b'\n');
    lines
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.trim_ascii().is_empty())
}

/// What was seen of all lines.
#[derive(Default)]
struct Seen {
    lines: u64,
    objects: u64,
    table: Keys,
}

impl Seen {
    fn read<'a>(&mut self, lines: impl Iterator<Item = &'a [u8]>) {
        for line in lines {
            self.lines += 1;
            if is_object(line) {
                self.objects += 1;
                let at = line.iter().position(|byte| *byte == b'{').unwrap_or(0);
                Walk { text: line, at }.object(Some(&mut self.table), 0);
            }
        }
    }
}

/// The keys of the objects at one place, in the order in which they came first.
#[derive(Default)]
struct Keys {
    values: Vec<(String, Values)>,
    by_name: HashMap<Vec<u8>, usize>,
}

/// The values of one key, or the items of its lists.
#[derive(Default)]
struct Values {
    nulls: u64,
    booleans: u64,
    numbers: u64,
    strings: u64,
    objects: u64,
    lists: u64,
    number_probe: Probe,
    string_probe: Probe,
    keys: Keys,
    items: Option<Box<Values>>,
    is_deep: bool,
}

impl Keys {
    fn entry(&mut self, name: Vec<u8>) -> &mut Values {
        let number = match self.by_name.get(&name) {
            Some(number) => *number,
            None => {
                let shown = String::from_utf8_lossy(&name).into_owned();
                self.values.push((shown, Values::default()));
                self.by_name.insert(name, self.values.len() - 1);
                self.values.len() - 1
            }
        };
        &mut self.values[number].1
    }

    fn columns(&self) -> Vec<ColumnGuess> {
        let columns = self.values.iter().map(|(name, values)| {
            let (data_type, evidence) = values.verdict();
            ColumnGuess {
                name: name.clone(),
                data_type,
                evidence,
            }
        });
        columns.collect()
    }
}

impl Values {
    /// The type and the sentence that says why.
    fn verdict(&self) -> (DataType, String) {
        let kinds = [
            (self.strings, "strings"),
            (self.numbers, "numbers"),
            (self.booleans, "true or false"),
            (self.objects, "objects"),
            (self.lists, "lists"),
        ];
        let seen: Vec<_> = kinds.iter().filter(|(count, _)| *count > 0).collect();
        let all = |what: &str| {
            let count: u64 = seen.iter().map(|(count, _)| count).sum();
            format!("all {} sampled values are {what}", grouped(count))
        };
        let text = |why: String| (DataType::Utf8View, why);
        match seen.as_slice() {
            [] => text(format!(
                "all {} sampled values are null; read as text",
                grouped(self.nulls)
            )),
            [(_, "strings")] => match self.string_probe.verdict() {
                (data_type @ (DataType::Date32 | DataType::Timestamp(..)), why) => {
                    (data_type, format!("{why}, in strings"))
                }
                _ => text(all("strings")),
            },
            [(_, "numbers")] => match self.number_probe.verdict() {
                // Programs leave out the last zeros of a fraction, so its length says nothing.
                (DataType::Decimal128(_, 1..), _) => {
                    (DataType::Float64, all("numbers with a fraction"))
                }
                (DataType::Utf8View, why) => text(format!("{why}; read as text, digit by digit")),
                verdict => verdict,
            },
            [(_, "objects")] if self.is_deep => text(all("objects, nested deeply; read as text")),
            [(_, "objects")] if self.keys.values.is_empty() => {
                text(all("empty objects; read as text"))
            }
            [(_, "objects")] if self.keys.values.len() > MAX_KEYS => text(format!(
                "{}, with more than {} keys; read as text",
                all("objects"),
                grouped(MAX_KEYS as u64)
            )),
            [(_, "objects")] => {
                let fields = self
                    .keys
                    .columns()
                    .into_iter()
                    .map(|guess| Field::new(guess.name, guess.data_type, true));
                let count = grouped(self.keys.values.len() as u64);
                let what = format!("objects; {count} keys were seen");
                (DataType::Struct(fields.collect()), all(&what))
            }
            [(_, "lists")] if self.is_deep => text(all("lists, nested deeply; read as text")),
            [(_, "lists")] => {
                let item = match &self.items {
                    Some(items) => items.verdict().0,
                    None => DataType::Utf8View,
                };
                let item = Arc::new(Field::new_list_field(item, true));
                (DataType::List(item), all("lists"))
            }
            [(_, "true or false")] => (DataType::Boolean, all("true or false")),
            mixed => {
                let parts: Vec<_> = mixed
                    .iter()
                    .map(|(count, kind)| format!("{} {kind}", grouped(*count)))
                    .collect();
                text(format!(
                    "the sampled values are {}; read as text, each as it is spelled",
                    parts.join(" and ")
                ))
            }
        }
    }
}

/// Over text that is known to be a JSON object.
struct Walk<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Walk<'a> {
    /// The next byte that is no blank, colon or comma: these say nothing in text that is known to be right.
    fn next(&mut self) -> u8 {
        while matches!(
            self.text[self.at],
            b' ' | b'\t' | b'\r' | b'\n' | b':' | b','
        ) {
            self.at += 1;
        }
        self.text[self.at]
    }

    fn object(&mut self, mut keys: Option<&mut Keys>, level: usize) {
        self.at += 1;
        while self.next() != b'}' {
            let inner = self.string();
            let values = keys.as_deref_mut().map(|keys| {
                let mut name = vec![];
                unescape(inner, &mut name);
                keys.entry(name)
            });
            self.value(values, level + 1);
        }
        self.at += 1;
    }

    /// The inside of a string.
    fn string(&mut self) -> &'a [u8] {
        let start = self.at + 1;
        self.at = start;
        while self.text[self.at] != b'"' {
            self.at += 1 + usize::from(self.text[self.at] == b'\\');
        }
        self.at += 1;
        &self.text[start..self.at - 1]
    }

    fn value(&mut self, values: Option<&mut Values>, level: usize) {
        let mut ignored = Values::default();
        let is_ignored = values.is_none();
        let values = values.unwrap_or(&mut ignored);
        let is_deep = level >= MAX_LEVELS;
        values.is_deep |= is_deep;
        match self.next() {
            b'{' => {
                values.objects += 1;
                let keys = Some(&mut values.keys).filter(|_| !is_deep && !is_ignored);
                self.object(keys, level);
            }
            b'[' => {
                values.lists += 1;
                self.at += 1;
                while self.next() != b']' {
                    let items = (!is_deep && !is_ignored)
                        .then(|| values.items.get_or_insert_default().as_mut());
                    self.value(items, level + 1);
                }
                self.at += 1;
            }
            b'"' => {
                values.strings += 1;
                let mut text = vec![];
                unescape(self.string(), &mut text);
                values.string_probe.add(&text, true);
            }
            first => {
                let rest = &self.text[self.at..];
                let length = rest.iter().position(|byte| b" \t\r\n,]}".contains(byte));
                let spelled = &rest[..length.unwrap_or(rest.len())];
                self.at += spelled.len();
                match first {
                    b'n' => values.nulls += 1,
                    b't' | b'f' => values.booleans += 1,
                    _ => {
                        values.numbers += 1;
                        values.number_probe.add(spelled, false);
                    }
                }
            }
        }
    }
}
