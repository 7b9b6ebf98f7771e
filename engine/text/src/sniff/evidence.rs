//! What a dialect rests on, in sentences and as one number.

use super::DialectOverrides;
use super::columns::Columns;
use super::detect::Reading;
use super::header::Certainty;
use super::sample::Head;
use super::types::grouped;
use crate::LineEnding;

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
    let rare = if best.is_rare() { 0.6 } else { 1.0 };
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
            shown(best.rules.delimiter)
        ));
    }
    if let Some(rival) = rival.filter(|_| is_close(best, rival)) {
        sentences.push(format!(
            "{} would fit nearly as well, with {} fields",
            shown(rival.rules.delimiter),
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
    sentences.push(line_ends(head, best));
    if head.has_bom {
        sentences.push("a UTF-8 byte order mark is skipped".into());
    }
    sentences.extend(columns.evidence.iter().cloned());
    sentences
}

fn delimiter(head: &Head, best: &Reading, rival: Option<&Reading>) -> String {
    let (tally, fields) = (&best.tally, best.fields);
    let (fitting, records) = (tally.of(fields), tally.records);
    let split = shown(best.rules.delimiter);
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
    let given = if overrides.quote.is_some() {
        ", as was given"
    } else {
        ""
    };
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

fn line_ends(head: &Head, best: &Reading) -> String {
    if best.rules.line_ending == LineEnding::Cr {
        return "records end with CR".into();
    }
    let bytes = &head.window.bytes;
    let feeds = memchr::memchr_iter(b'\n', bytes).count();
    let pairs = memchr::memmem::find_iter(bytes, b"\r\n").count();
    match pairs {
        0 => "records end with LF".into(),
        _ if pairs == feeds => "records end with CRLF".into(),
        _ => format!(
            "line ends are mixed: {pairs} CRLF and {} LF in the head",
            feeds - pairs
        ),
    }
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

/// A byte as a person would write it.
fn shown(byte: u8) -> String {
    match byte {
        b'\t' => "a tab".into(),
        b'\'' => "\"'\"".into(),
        0x21..=0x7e => format!("'{}'", char::from(byte)),
        _ => format!("the byte 0x{byte:02x}"),
    }
}
