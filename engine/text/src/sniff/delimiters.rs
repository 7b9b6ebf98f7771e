//! What may stand between fields: characters that usually do, and sequences that these bytes have between others.

use std::collections::BTreeSet;

use memchr::{memchr_iter, memmem};

use crate::Delimiter;

/// Delimiters in the order of preference.
const USUAL: [u8; 4] = [b',', b'\t', b';', b'|'];
/// Control characters that separate fields in exports; nothing else in text looks like them.
const CONTROLS: [u8; 2] = [0x1f, 0x01];
/// Punctuation that is taken for a delimiter only where it splits all records into three fields or more.
const RARE: [u8; 3] = [b':', b'~', b'^'];
/// Characters of two bytes that are in few texts for other reasons.
const CHARACTERS: [&str; 3] = ["¦", "¬", "§"];

/// What sequences are made of. Not of what stands in paths, numbers and prose.
const SEQUENCE_BYTES: &[u8] = b"|~^:;#$%&*+=<>@!\t";
/// Lines in which sequences are looked for, and how many of those that are found are tried.
const SEQUENCE_LINES: usize = 20;
const SEQUENCES: usize = 3;
/// A sequence explains a byte that lies within it this often.
const EXPLAINED: f64 = 0.9;

/// Why bytes are a delimiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    /// It is what people use.
    Usual,
    /// Text has it for other reasons.
    Rare,
    /// More than a byte.
    Sequence,
    /// A space, or several.
    Space,
}

/// What `delimiter` is.
pub(super) fn nature(delimiter: Delimiter) -> Nature {
    match delimiter.byte() {
        None => Nature::Sequence,
        Some(b' ') => Nature::Space,
        Some(byte) if RARE.contains(&byte) => Nature::Rare,
        Some(_) => Nature::Usual,
    }
}

/// Delimiters that `bytes` may have, in the order of preference, and whether neighbours are one.
pub(super) fn candidates(bytes: &[u8]) -> Vec<(Delimiter, bool)> {
    let occurs = |byte: &u8| memchr::memchr(*byte, bytes).is_some();
    let sequences = sequences(bytes);
    let is_explained = |byte: &u8| {
        let mut all = sequences.iter();
        all.any(|sequence| share_within(bytes, *sequence, *byte) == Some(1.0))
    };
    // 0x1F stands for one column where every usual delimiter occurs.
    let others = CONTROLS.into_iter().chain(RARE);
    let others = others.filter(|byte| *byte == CONTROLS[0] || occurs(byte));
    let single = USUAL.into_iter().chain(others);
    let single = single
        .filter(|byte| !is_explained(byte))
        .map(Delimiter::from);
    let characters = CHARACTERS.into_iter().map(str::as_bytes);
    let characters = characters.filter(|character| memmem::find(bytes, character).is_some());
    let mut found: Vec<_> = single
        .chain(sequences.iter().copied())
        .chain(characters.filter_map(Delimiter::new))
        .map(|delimiter| (delimiter, false))
        .collect();
    if occurs(&b' ') {
        let space = Delimiter::from(b' ');
        found.push((space, false));
        found.push((space, true));
    }
    found
}

/// Sequences of punctuation that nine in ten of the first lines have, the most frequent first.
fn sequences(bytes: &[u8]) -> Vec<Delimiter> {
    let lines = bytes.split(|byte| matches!(byte, b'\n' | b'\r'));
    let lines: Vec<_> = lines
        .filter(|line| !line.is_empty())
        .take(SEQUENCE_LINES)
        .collect();
    let runs = lines
        .iter()
        .flat_map(|line| line.split(|byte| !SEQUENCE_BYTES.contains(byte)));
    let units = runs.filter(|run| run.len() > 1).map(unit);
    let units: BTreeSet<&[u8]> = units
        .filter(|unit| unit.len() <= Delimiter::MAX_BYTES)
        .collect();
    let frequency = |unit: &[u8]| {
        let has = |line: &&&[u8]| memmem::find(line, unit).is_some();
        lines.iter().filter(has).count()
    };
    let mut found: Vec<_> = units
        .into_iter()
        .map(|unit| (frequency(unit), unit))
        .filter(|(count, unit)| count * 10 >= lines.len() * 9 && !is_usual_and_empty(unit))
        .filter_map(|(count, unit)| Some((count, Delimiter::new(unit)?)))
        .filter(|(_, sequence)| explains(bytes, *sequence, sequence.first()))
        .collect();
    found.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    found.truncate(SEQUENCES);
    found.into_iter().map(|(_, sequence)| sequence).collect()
}

/// Empty fields between semicolons or tabs look like a sequence.
fn is_usual_and_empty(unit: &[u8]) -> bool {
    matches!(unit[0], b';' | b'\t') && unit.iter().all(|byte| *byte == unit[0])
}

/// The shortest piece of two bytes at least that a run repeats: empty fields repeat the delimiter.
fn unit(run: &[u8]) -> &[u8] {
    let repeats = |length: &usize| {
        run.len().is_multiple_of(*length)
            && run.chunks(*length).all(|piece| piece == &run[..*length])
    };
    let length = (2..run.len()).find(repeats).unwrap_or(run.len());
    &run[..length]
}

/// Nearly wherever `byte` is, it is part of `sequence`: alone it is a delimiter only if all records agree on it.
pub(super) fn explains(bytes: &[u8], sequence: Delimiter, byte: u8) -> bool {
    share_within(bytes, sequence, byte).is_some_and(|share| share >= EXPLAINED)
}

/// How often `byte`, where it is, is part of `sequence`; none when the sequence has no such byte.
fn share_within(bytes: &[u8], sequence: Delimiter, byte: u8) -> Option<f64> {
    let sequence = sequence.as_bytes();
    let each = memchr_iter(byte, sequence).count();
    let within = memmem::find_iter(bytes, sequence).count() * each;
    let all = memchr_iter(byte, bytes).count();
    (each > 0 && all > 0).then(|| within as f64 / all as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let found = candidates(text.as_bytes()).into_iter();
        found
            .map(|(delimiter, _)| delimiter.as_bytes().escape_ascii().to_string())
            .collect()
    }

    #[test]
    fn sequences_are_found_and_take_the_place_of_their_bytes() {
        for sequence in ["||", "::", "~|~", "|||", "<>", "|^|"] {
            let empty = sequence.repeat(2);
            let text = format!("a{sequence}b{sequence}c\n1{empty}3\n4{sequence}5{sequence}\n");
            let found = found(&text);
            assert!(found.contains(&sequence.to_owned()), "{sequence} {found:?}");
            assert!(
                !found.contains(&sequence[..1].to_owned()),
                "{sequence} {found:?}"
            );
        }
    }

    #[test]
    fn empty_fields_and_stray_pairs_are_no_sequences() {
        for text in [
            "a;b;c\n1;;2\n3;;4\n",
            "a|b|c\n1||2\n3||4\n",
            "x::y,z\nplain,2\nplain,3\n",
        ] {
            let found = found(text);
            assert!(
                found.iter().all(|delimiter| delimiter.len() == 1
                    || delimiter == "\\t"
                    || delimiter.starts_with("\\x")),
                "{found:?}"
            );
        }
    }
}
