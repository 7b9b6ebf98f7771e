//! Where the data of a file begins under a known dialect.

use memchr::memchr_iter;

use super::format;
use super::sample::{BOM, fill};
use super::split::{Rules, Splitter, Step};
use crate::{Dialect, LineEnding, ReadAt, TextError};

const FIRST_READ_BYTES: usize = 64 << 10;
/// A header is never longer: no record is read that is.
const HEADER_MAX_BYTES: usize = 16 << 20;

/// Offset of the first record of `source` under a known dialect: after a byte order mark, `skip_rows` physical lines,
/// and, with a header, blank lines and comments before it and the header itself.
///
/// # Errors
/// [`TextError::NotATable`] if the header has no end within 16 MiB.
pub fn data_start(source: &dyn ReadAt, dialect: &Dialect) -> Result<u64, TextError> {
    let rules = Rules::of(dialect);
    let mut mark = [0; BOM.len()];
    let got = fill(source, 0, &mut mark)?;
    let mut at = if mark[..got] == *BOM {
        BOM.len() as u64
    } else {
        0
    };
    for _ in 0..dialect.skip_rows {
        at = after_line(source, at, rules.line_ending)?;
    }
    if dialect.has_header {
        at = after_record(source, at, rules)?;
    }
    Ok(at)
}

/// Physical lines before [`data_start`].
///
/// # Errors
/// As `data_start`.
pub fn header_lines(source: &dyn ReadAt, dialect: &Dialect) -> Result<u64, TextError> {
    let mut left = usize::try_from(data_start(source, dialect)?).unwrap_or(usize::MAX);
    let mut buffer = vec![0; FIRST_READ_BYTES];
    let (mut at, mut lines, mut last) = (0, 0, 0);
    while left > 0 {
        let want = left.min(buffer.len());
        let got = fill(source, at, &mut buffer[..want])?;
        let read = &buffer[..got];
        let count = |byte| memchr_iter(byte, read).count() as u64;
        let is_split = last == b'\r' && read.first() == Some(&b'\n');
        let pairs = memchr::memmem::find_iter(read, b"\r\n").count() as u64 + u64::from(is_split);
        lines += match dialect.line_ending {
            LineEnding::Lf => count(b'\n'),
            LineEnding::Cr => count(b'\r'),
            LineEnding::Any => count(b'\n') + count(b'\r') - pairs,
        };
        last = read.last().copied().unwrap_or_default();
        at += got as u64;
        left = if got < want { 0 } else { left - got };
    }
    Ok(lines)
}

/// Offset after the record at or after `from`, blank lines and comments passed over.
fn after_record(source: &dyn ReadAt, from: u64, rules: Rules) -> Result<u64, TextError> {
    let mut length = FIRST_READ_BYTES;
    let mut from = from;
    loop {
        let mut buffer = vec![0; length];
        let got = fill(source, from, &mut buffer)?;
        let whole = from + got as u64 == source.size_bytes();
        let mut splitter = Splitter::new(&buffer[..got], 0, whole, rules);
        match splitter.advance(&mut Vec::new()) {
            Step::Cut if splitter.position() > 0 => {
                from = after_passed(source, from, &splitter, rules)?
            }
            Step::Cut if length < HEADER_MAX_BYTES => length *= 4,
            Step::Cut => {
                return Err(format::not_a_table(
                    format!(
                        "The header does not end within {} MiB.",
                        HEADER_MAX_BYTES >> 20
                    ),
                    "Check the quotes of the first line, or that the file is delimited text.",
                ));
            }
            _ => return Ok(from + splitter.position() as u64),
        }
    }
}

/// Where to read on after blank lines and comments; a comment may be longer than what was read of it.
fn after_passed(
    source: &dyn ReadAt,
    from: u64,
    splitter: &Splitter<'_>,
    rules: Rules,
) -> Result<u64, TextError> {
    let at = from + splitter.position() as u64;
    let mut last = [0; 2];
    fill(source, at - 2.min(at), &mut last[2 - 2.min(at as usize)..])?;
    let ends_line = rules.line_ending.is_at(&last, 1);
    // What looks like a line end may be the first half of one.
    if ends_line && rules.line_ending != LineEnding::Any {
        Ok(at)
    } else {
        after_line(source, at - u64::from(ends_line), rules.line_ending)
    }
}

/// Offset after the line end at or after `from`; the size of the file without one.
fn after_line(source: &dyn ReadAt, from: u64, line_ending: LineEnding) -> Result<u64, TextError> {
    let mut buffer = vec![0; FIRST_READ_BYTES];
    let mut at = from;
    loop {
        let got = fill(source, at, &mut buffer)?;
        let is_last = got < buffer.len();
        // Of a carriage return that comes last, the next byte tells what it is.
        let is_open = !is_last && buffer[got - 1] == b'\r' && line_ending != LineEnding::Cr;
        let known = got - usize::from(is_open);
        if let Some(line) = line_ending.find(&buffer[..got], 0, known) {
            return Ok(at + line as u64 + 1);
        }
        at += known as u64;
        if is_last {
            return Ok(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(text: &str, dialect: &Dialect) -> u64 {
        data_start(&text.as_bytes().to_vec(), dialect).expect("it has a start")
    }

    #[test]
    fn mark_lines_comments_and_header_come_before_data() {
        let plain = Dialect::default();
        let headless = Dialect {
            has_header: false,
            ..plain.clone()
        };
        let full = Dialect {
            skip_rows: 1,
            comment: Some(b'#'),
            ..plain.clone()
        };
        assert_eq!(start("a,b\n1,2\n", &plain), 4);
        assert_eq!(start("a,b\r\n1,2\n", &plain), 5);
        assert_eq!(start("a,b", &plain), 3);
        assert_eq!(start("\u{feff}a,b\n1,2\n", &plain), 7);
        assert_eq!(start("\"a\n\",b\n1,2\n", &plain), 7);
        assert_eq!(start("\"a\"x,b\n1,2\n", &plain), 7);
        assert_eq!(start("title\n\n# c\na,b\n1,2\n", &full), 15);
        assert_eq!(start("\n1,2\n", &headless), 0);
        assert_eq!(start("", &plain), 0);
    }

    #[test]
    fn long_headers_comments_and_blank_stretches_are_read_through() {
        let comments = Dialect {
            comment: Some(b'#'),
            ..Dialect::default()
        };
        let long = "x".repeat(300_000);
        assert_eq!(start(&format!("a,{long}\n1,2\n"), &comments), 300_003);
        assert_eq!(start(&format!("#{long}\na\n1\n"), &comments), 300_004);
        assert_eq!(
            start(&format!("{}a\n1\n", "\n".repeat(300_000)), &comments),
            300_002
        );
        assert_eq!(start(&format!("\"a{long}\n1\n"), &comments), 300_003);
    }
}
