//! Records of a piece of a file under a candidate dialect: exact, byte by byte, and independent of the scan, because
//! a sniffer tries dialects that are wrong. It reads as the scan does: a faulty record is its first physical line.

use encoding_rs::Encoding;
use memchr::memchr2;

use crate::{Delimiter, Dialect, LineEnding};

/// An open quote that runs further than this in a sample is taken for a fault, not for a long field.
const OPEN_QUOTE_BYTES: usize = 256 << 10;
/// The same for the first two records, a header and a row: without them nothing is known, so more is read first.
const FIRST_OPEN_QUOTE_BYTES: usize = 8 << 20;

/// Fields of a record past this number are not kept.
pub(super) const MAX_FIELDS: usize = 65_536;

/// The part of a dialect that splits bytes into records and fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rules {
    pub delimiter: Delimiter,
    pub merges: bool,
    pub skips_spaces: bool,
    pub quote: Option<u8>,
    pub escape: Option<u8>,
    pub comment: Option<u8>,
    pub line_ending: LineEnding,
}

impl Rules {
    pub fn of(dialect: &Dialect) -> Self {
        Self {
            delimiter: dialect.delimiter,
            merges: dialect.merge_delimiters,
            skips_spaces: dialect.skip_initial_space,
            quote: dialect.quote,
            escape: dialect.escape.filter(|_| dialect.escape != dialect.quote),
            comment: dialect.comment,
            line_ending: dialect.line_ending,
        }
    }

    /// The last byte of most line ends.
    pub fn line_end(&self) -> u8 {
        match self.line_ending {
            LineEnding::Cr => b'\r',
            LineEnding::Lf | LineEnding::Any => b'\n',
        }
    }

    /// The first byte at or after `at` that is no padding of a field.
    fn after_padding(&self, bytes: &[u8], at: usize) -> usize {
        let padding = match (self.merges, self.skips_spaces) {
            (true, _) => self.delimiter.first(),
            (false, true) => b' ',
            (false, false) => return at,
        };
        let length = bytes[at..]
            .iter()
            .take_while(|byte| **byte == padding)
            .count();
        at + length
    }

    /// The line end at `at`, with a carriage return that belongs to it: one past it.
    fn line_end_at(&self, bytes: &[u8], at: usize) -> Option<usize> {
        let ends = |at: usize| at < bytes.len() && self.line_ending.is_at(bytes, at);
        if ends(at) {
            return Some(at + 1);
        }
        let returns = self.line_ending.takes_return() && bytes.get(at) == Some(&b'\r');
        (returns && ends(at + 1)).then_some(at + 2)
    }

    /// The first delimiter or line end at or after `at`.
    fn find_end(&self, bytes: &[u8], at: usize) -> Option<usize> {
        let first = self.delimiter.first();
        let mut from = at;
        loop {
            let is_candidate = |b: &u8| *b == first || matches!(*b, b'\n' | b'\r');
            let at = from + bytes[from..].iter().position(is_candidate)?;
            if self.delimiter.begins(&bytes[at..]) || self.line_ending.is_at(bytes, at) {
                return Some(at);
            }
            from = at + 1;
        }
    }
}

/// One field: where its content lies, without the quotes around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    pub start: usize,
    pub end: usize,
    pub quoted: bool,
    /// It holds quotes that are doubled or escaped.
    pub escaped: bool,
}

/// What lies at the splitter's position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// A record, its fields in the caller's vector.
    Record { start: usize },
    /// A record with a fault of quoting; the splitter stands on the next line.
    Fault { start: usize },
    /// The bytes end within a record and more of the file follows.
    Cut,
    /// No more records.
    End,
}

/// Why a record could not be read to its end.
enum Stop {
    Fault,
    Cut,
}

/// Walks over the records of some bytes.
pub(super) struct Splitter<'a> {
    bytes: &'a [u8],
    at: usize,
    passed: usize,
    /// The bytes reach the end of the file.
    whole: bool,
    rules: Rules,
}

impl<'a> Splitter<'a> {
    /// Begin at `at`, which is the first byte of a line outside quotes.
    pub fn new(bytes: &'a [u8], at: usize, whole: bool, rules: Rules) -> Self {
        Self {
            bytes,
            at,
            passed: 0,
            whole,
            rules,
        }
    }

    /// Offset of the next byte to read.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Read the next record into `fields`; blank lines and comments are passed over.
    pub fn advance(&mut self, fields: &mut Vec<Field>) -> Step {
        fields.clear();
        if !self.pass_over() {
            return if self.whole { Step::End } else { Step::Cut };
        }
        let start = self.at;
        self.passed += 1;
        match self.record(fields) {
            Ok(next) => {
                self.at = next;
                Step::Record { start }
            }
            Err(Stop::Cut) => Step::Cut,
            Err(Stop::Fault) => {
                fields.clear();
                match self
                    .rules
                    .line_ending
                    .find(self.bytes, start, self.bytes.len())
                {
                    Some(line) => self.at = line + 1,
                    None if self.whole => self.at = self.bytes.len(),
                    None => return Step::Cut,
                }
                Step::Fault { start }
            }
        }
    }

    /// Pass over blank lines and comments; false at the end of the bytes.
    fn pass_over(&mut self) -> bool {
        let size = self.bytes.len();
        while let Some(&byte) = self.bytes.get(self.at) {
            let content = self.rules.after_padding(self.bytes, self.at);
            if content == size && !self.whole {
                return false;
            }
            let is_blank = content == size || self.rules.line_end_at(self.bytes, content).is_some();
            if !is_blank && self.rules.comment != Some(byte) {
                return true;
            }
            let line = self.rules.line_ending.find(self.bytes, self.at, size);
            self.at = line.map_or(size, |line| line + 1);
        }
        false
    }

    fn record(&self, fields: &mut Vec<Field>) -> Result<usize, Stop> {
        let (bytes, rules) = (self.bytes, &self.rules);
        let mut at = self.at;
        loop {
            at = rules.after_padding(bytes, at);
            if rules.quote.is_some() && bytes.get(at).copied() == rules.quote {
                let (field, after) = self.quoted(at)?;
                keep(fields, field);
                let rest = &bytes[after..];
                if rules.delimiter.begins(rest) {
                    at = after + rules.delimiter.len();
                    continue;
                }
                if let Some(next) = rules.line_end_at(bytes, after) {
                    return Ok(next);
                }
                let returns = rules.line_ending.takes_return() && rest == b"\r";
                return match rest {
                    _ if !self.whole
                        && (returns || rules.delimiter.as_bytes().starts_with(rest)) =>
                    {
                        Err(Stop::Cut)
                    }
                    _ if returns || rest.is_empty() => Ok(bytes.len()),
                    _ => Err(Stop::Fault),
                };
            }
            let stop = match rules.find_end(bytes, at) {
                Some(stop) => stop,
                None if self.whole => bytes.len(),
                None => return Err(Stop::Cut),
            };
            let ends_record = bytes.get(stop).is_none() || rules.line_ending.is_at(bytes, stop);
            let returns = ends_record && rules.line_ending.takes_return();
            let trim = returns && stop > at && bytes[stop - 1] == b'\r';
            let field = Field {
                start: at,
                end: if trim { stop - 1 } else { stop },
                quoted: false,
                escaped: false,
            };
            let is_padding = rules.merges && ends_record && field.start == field.end;
            if !is_padding || fields.is_empty() {
                keep(fields, field);
            }
            if ends_record {
                return Ok((stop + 1).min(bytes.len()));
            }
            at = stop + rules.delimiter.len();
        }
    }

    /// The quoted field whose opening quote stands at `open`, and the offset after its closing quote.
    fn quoted(&self, open: usize) -> Result<(Field, usize), Stop> {
        let bytes = self.bytes;
        let quote = bytes[open];
        let escape = self.rules.escape.unwrap_or(quote);
        let mut at = open + 1;
        let mut escaped = false;
        while let Some(i) = memchr2(quote, escape, &bytes[at.min(bytes.len())..]) {
            at += i;
            let next = bytes.get(at + 1);
            if bytes[at] != quote || next == Some(&quote) {
                escaped = true;
                at += 2;
                continue;
            }
            if next.is_none() && !self.whole {
                return Err(Stop::Cut);
            }
            let field = Field {
                start: open + 1,
                end: at,
                quoted: true,
                escaped,
            };
            return Ok((field, at + 1));
        }
        let limit = match self.passed {
            0..=2 => FIRST_OPEN_QUOTE_BYTES,
            _ => OPEN_QUOTE_BYTES,
        };
        let read_on = !self.whole && bytes.len() - open <= limit;
        Err(if read_on { Stop::Cut } else { Stop::Fault })
    }
}

/// One more than the limit is kept, so that too many are seen to be too many.
fn keep(fields: &mut Vec<Field>, field: Field) {
    if fields.len() <= MAX_FIELDS {
        fields.push(field);
    }
}

/// Offset of the first record that begins in a window, if its first byte lies outside quotes.
pub(super) fn enter_outside(bytes: &[u8], rules: Rules) -> Option<usize> {
    let mut splitter = Splitter::new(bytes, 0, false, rules);
    match splitter.advance(&mut Vec::new()) {
        Step::Record { .. } | Step::Fault { .. } => Some(splitter.position()),
        Step::Cut | Step::End => None,
    }
}

/// The same, if its first byte lies inside quotes.
pub(super) fn enter_inside(bytes: &[u8], rules: Rules) -> Option<usize> {
    let mut inside = Vec::with_capacity(bytes.len() + 1);
    inside.push(rules.quote?);
    inside.extend_from_slice(bytes);
    let mut splitter = Splitter::new(&inside, 0, false, rules);
    match splitter.advance(&mut Vec::new()) {
        Step::Record { .. } => Some(splitter.position() - 1),
        _ => None,
    }
}

/// Offset after the `count`-th line end, or the length when there are fewer.
pub(super) fn after_lines(bytes: &[u8], count: usize, line_ending: LineEnding) -> usize {
    let mut at = 0;
    for _ in 0..count {
        match line_ending.find(bytes, at, bytes.len()) {
            Some(line) => at = line + 1,
            None => return bytes.len(),
        }
    }
    at
}

/// What a field says, with doubled and escaped quotes resolved and bytes that are not valid as U+FFFD.
pub(super) fn text_of(
    bytes: &[u8],
    field: Field,
    rules: Rules,
    encoding: &'static Encoding,
) -> String {
    let raw = &bytes[field.start..field.end];
    let decoded = |bytes| encoding.decode_without_bom_handling(bytes).0.into_owned();
    if !field.escaped {
        return decoded(raw);
    }
    let quote = rules.quote.unwrap_or(b'"');
    let escape = rules.escape.unwrap_or(quote);
    let mut text = Vec::with_capacity(raw.len());
    let mut at = 0;
    while at < raw.len() {
        let next = raw.get(at + 1);
        let escapes = (raw[at] == escape && next.is_some_and(|&b| b == quote || b == escape))
            || (raw[at] == quote && next == Some(&quote));
        at += usize::from(escapes);
        text.push(raw[at]);
        at += 1;
    }
    decoded(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comma() -> Rules {
        Rules::of(&Dialect::default())
    }
    fn read(text: &str, whole: bool, rules: Rules) -> (Vec<Vec<String>>, usize, Step) {
        let (mut rows, mut faults, mut fields) = (Vec::new(), 0, Vec::new());
        let mut splitter = Splitter::new(text.as_bytes(), 0, whole, rules);
        loop {
            match splitter.advance(&mut fields) {
                Step::Record { .. } => {
                    let row = fields.iter();
                    rows.push(
                        row.map(|&f| text_of(text.as_bytes(), f, rules, encoding_rs::UTF_8))
                            .collect(),
                    );
                }
                Step::Fault { .. } => faults += 1,
                last => return (rows, faults, last),
            }
        }
    }

    #[test]
    fn quotes_hold_delimiters_line_ends_and_doubled_quotes() {
        let (rows, faults, _) = read("a,\"x,\n\"\"y\"\"\",\"\"\r\n1,5\" pipe,\r\n", true, comma());
        assert_eq!(faults, 0);
        assert_eq!(rows, [["a", "x,\n\"y\"", ""], ["1", "5\" pipe", ""]]);
    }

    #[test]
    fn a_fault_costs_one_physical_line() {
        let (rows, faults, _) = read("\"x\"junk,1\na,b\n\"open,2\nc,d\n", true, comma());
        assert_eq!(faults, 2);
        assert_eq!(rows, [["a", "b"], ["c", "d"]]);
    }

    #[test]
    fn the_tail_of_a_window_is_cut_and_that_of_a_file_is_read() {
        assert_eq!(read("a,b\nc,d", false, comma()).2, Step::Cut);
        assert_eq!(read("a,b\nc,\"d\"", false, comma()).0.len(), 1);
        assert_eq!(read("a,b\nc,\"d\"", true, comma()).0.len(), 2);
    }

    #[test]
    fn backslash_escapes_comments_and_carriage_returns() {
        let rules = Rules {
            escape: Some(b'\\'),
            comment: Some(b'#'),
            line_ending: LineEnding::Cr,
            ..comma()
        };
        let (rows, faults, _) = read("# no\r\ra,\"say \\\"hi\\\"\"\rb,c", true, rules);
        assert_eq!(faults, 0);
        assert_eq!(rows, [["a", "say \"hi\""], ["b", "c"]]);
    }

    #[test]
    fn quotes_are_doubled_beside_another_escape_and_a_return_may_end_the_file() {
        let rules = Rules {
            escape: Some(b'\\'),
            ..comma()
        };
        let (rows, faults, _) = read("\"a\"\"b\\\"c\",1\r\n\"d\"\r", true, rules);
        assert_eq!(faults, 0);
        assert_eq!(rows, [vec!["a\"b\"c", "1"], vec!["d"]]);
        assert_eq!(read("a\r", true, comma()).0, [["a"]]);
    }

    #[test]
    fn a_window_can_be_entered_inside_and_outside_quotes() {
        let text = b"text, more\n text\",5\n1,2\n";
        assert_eq!(enter_inside(text, comma()), Some(20));
        assert_eq!(enter_outside(text, comma()), Some(11));
        assert_eq!(enter_outside(b"x,\"a\nb\"\n1,2\n", comma()), Some(8));
        assert_eq!(enter_inside(b"no quote at all\n", comma()), None);
    }
}
