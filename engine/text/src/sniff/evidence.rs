//! What a dialect rests on, in sentences and as one number.

use super::DialectOverrides;
use super::columns::Columns;
use super::delimiters::{Nature, nature};
use super::detect::Reading;
use super::header::Certainty;
use super::sample::Head;
use super::types::grouped;
use crate::{Delimiter, LineEnding};

/// A rival with this part of the best score makes the answer less certain.
const CLOSE_PART: f64 = 0.9;

/// How sure the answer is, 0 to 1: the part of the sampled records that fit it, less for each doubt.
pub(super) fn confidence(
    head: &Head,
    best: &Reading,
    rival: Option<&Reading>,
    columns: &Columns,
) -> f64 {
    let records = match best.tally.records {
        0 | 1 => 0.5,
        2 => 0.8,
        _ => 1.0,
    };
    let one_column = match (best.fields, splits(head, best, rival)) {
        (0 | 1, true) => 0.2,
        (0 | 1, false) => 0.6,
        _ => 1.0,
    };
    let preamble = if best.skip_rows > 0 { 0.95 } else { 1.0 };
    let header = match columns.certainty {
        Certainty::Sure => 1.0,
        Certainty::Likely => 0.9,
        Certainty::Odd => 0.6,
    };
    let rare = match nature(best.rules.delimiter) {
        Nature::Rare | Nature::Space => 0.6,
        Nature::Usual | Nature::Sequence => 1.0,
    };
    // Nothing proves an encoding in which every byte is a character.
    let encoding = if columns.encoding_is_guessed {
        0.8
    } else {
        1.0
    };
    let close = if is_close(best, rival) { 0.7 } else { 1.0 };
    best.tally.share(best.fields)
        * records
        * one_column
        * preamble
        * header
        * rare
        * close
        * encoding
}

/// The sentences, the most important first.
pub(super) fn sentences(
    head: &Head,
    best: &Reading,
    rival: Option<&Reading>,
    columns: &Columns,
    overrides: &DialectOverrides,
) -> Vec<String> {
    let mut sentences = vec![delimiter(head, best, rival)];
    if overrides.delimiter.is_some() {
        sentences.push(format!(
            "the delimiter {} was given",
            between(best.rules.delimiter)
        ));
    }
    if best.rules.merges {
        let given = as_given(overrides.merge_delimiters.is_some());
        sentences.push(format!(
            "delimiters in a row are one, and none at the ends of a line{given}"
        ));
    }
    if best.rules.skips_spaces {
        let given = as_given(overrides.skip_initial_space.is_some());
        let why = match (given, best.rules.quote) {
            ("", Some(quote)) => format!(", because {} follows them", shown(quote)),
            _ => given.to_owned(),
        };
        sentences.push(format!(
            "spaces after a delimiter are no part of the field{why}"
        ));
    }
    if columns.trails {
        let given = as_given(overrides.trailing_delimiter.is_some());
        sentences.push(format!(
            "each record ends with a delimiter and nothing after it, which is no column{given}"
        ));
    }
    if let Some(rival) = rival.filter(|_| is_close(best, rival)) {
        sentences.push(format!(
            "{} would fit nearly as well, with {} fields",
            between(rival.rules.delimiter),
            rival.fields
        ));
    }
    sentences.extend(faults(best));
    sentences.push(quotes(best, overrides));
    if let Some(escape) = best.rules.escape {
        sentences.push(format!("{} escapes quotes within quotes", shown(escape)));
    }
    if let Some(comment) = best.rules.comment {
        sentences.push(format!(
            "lines that begin with {} are comments",
            shown(comment)
        ));
    }
    if best.skip_rows > 0 {
        let why = match overrides.skip_rows {
            Some(_) => "as was given",
            None => "because they have other numbers of fields",
        };
        sentences.push(format!(
            "{} lines before the table are skipped, {why}",
            best.skip_rows
        ));
    }
    sentences.push(line_ends(head, best, overrides));
    if head.has_bom {
        sentences.push("a UTF-8 byte order mark is skipped".into());
    }
    sentences.extend(columns.evidence.iter().cloned());
    sentences
}

fn delimiter(head: &Head, best: &Reading, rival: Option<&Reading>) -> String {
    let (tally, fields) = (&best.tally, best.fields);
    let (fitting, records) = (tally.of(fields), tally.records);
    let split = between(best.rules.delimiter);
    if records == 0 {
        return "no record ends within the sample".into();
    }
    if fields < 2 && !splits(head, best, rival) {
        return "no delimiter occurs in the sample: one column".into();
    }
    if fields < 2 {
        return format!(
            "no delimiter splits the {} sampled records consistently: one column of text",
            grouped(records)
        );
    }
    if fitting == records {
        return match records {
            1 => format!("the only sampled record has {fields} fields with {split}"),
            _ => format!(
                "all {} sampled records have {fields} fields with {split}",
                grouped(records)
            ),
        };
    }
    format!(
        "{} of {} sampled records have {fields} fields with {split}",
        grouped(fitting),
        grouped(records)
    )
}

fn faults(best: &Reading) -> Option<String> {
    let faults = best.tally.faults;
    (faults > 0).then(|| {
        format!(
            "{} sampled records have a fault of quoting",
            grouped(faults)
        )
    })
}

fn quotes(best: &Reading, overrides: &DialectOverrides) -> String {
    let given = as_given(overrides.quote.is_some());
    match best.rules.quote {
        None => format!("quotes are text{given}"),
        Some(quote) if best.tally.quoted > 0 => format!(
            "{} sampled fields are quoted with {}{given}",
            grouped(best.tally.quoted),
            shown(quote)
        ),
        Some(quote) => format!(
            "no sampled field is quoted; {} is assumed{given}",
            shown(quote)
        ),
    }
}

fn line_ends(head: &Head, best: &Reading, overrides: &DialectOverrides) -> String {
    let bytes = &head.window.bytes;
    let feeds = memchr::memchr_iter(b'\n', bytes).count();
    let pairs = memchr::memmem::find_iter(bytes, b"\r\n").count();
    let alone = memchr::memchr_iter(b'\r', bytes).count() - pairs;
    let found = match best.rules.line_ending {
        LineEnding::Cr => "records end with CR".into(),
        LineEnding::Any => format!(
            "records end with LF, CRLF or CR: {}, {pairs} and {alone} in the head",
            feeds - pairs
        ),
        LineEnding::Lf => match pairs {
            0 => "records end with LF".into(),
            _ if pairs == feeds => "records end with CRLF".into(),
            _ => format!(
                "line ends are mixed: {pairs} CRLF and {} LF in the head",
                feeds - pairs
            ),
        },
    };
    let given = as_given(overrides.line_ending.is_some());
    match best.rules.line_ending {
        LineEnding::Lf if alone > 0 => {
            format!("{found}{given}; {alone} CR in the head end no line")
        }
        _ => format!("{found}{given}"),
    }
}

fn as_given(is_given: bool) -> &'static str {
    if is_given { ", as was given" } else { "" }
}

/// Some candidate splits some records.
fn splits(head: &Head, best: &Reading, rival: Option<&Reading>) -> bool {
    let usual = |byte: &u8| matches!(byte, b',' | b'\t' | b';' | b'|');
    let several = |reading: &Reading| reading.tally.of(reading.fields) < reading.tally.records;
    rival.is_some_and(|rival| rival.fields > 1 || several(rival))
        || several(best)
        || head.window.bytes.iter().any(usual)
}

fn is_close(best: &Reading, rival: Option<&Reading>) -> bool {
    best.fields > 1 && rival.is_some_and(|rival| rival.score >= best.score * CLOSE_PART)
}

/// A delimiter as a person would write it.
fn between(delimiter: Delimiter) -> String {
    match (delimiter.byte(), std::str::from_utf8(delimiter.as_bytes())) {
        (Some(byte), _) => shown(byte),
        (None, Ok(text)) if !text.contains(char::is_control) => format!("'{text}'"),
        _ => format!("'{}'", delimiter.as_bytes().escape_ascii()),
    }
}

/// A byte as a person would write it.
fn shown(byte: u8) -> String {
    match byte {
        b'\t' => "a tab".into(),
        b' ' => "a space".into(),
        b'\'' => "\"'\"".into(),
        0x21..=0x7e => format!("'{}'", char::from(byte)),
        _ => format!("the byte 0x{byte:02x}"),
    }
}
