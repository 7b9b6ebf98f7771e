//! What is a table is not read as one column, nor cut into other columns: words and numbers from the fuzzer, written as
//! a program writes CSV, must come back in as many columns, with all rows read. Where the file itself can say no more,
//! nothing is asked: a last column that has neither a name nor a value is a delimiter at the end of each record, and bars
//! that always stand in pairs are `||`.
#![no_main]

use karyaksham_fuzz::Input;
use karyaksham_text::{DialectOverrides, sniff};
use libfuzzer_sys::fuzz_target;

const WORDS: [&str; 16] = [
    "",
    "17",
    "-3",
    "2.50",
    "Oslo",
    "2024-01-31",
    "true",
    "a b",
    "é",
    "x@y.example",
    "00501",
    "1e3",
    "NULL",
    "N/A",
    "日本",
    "O'Neil",
];

fuzz_target!(|bytes: &[u8]| {
    let Some(input) = Input::new(bytes) else {
        return;
    };
    let columns = input.choose(0, &[2, 3, 4, 7, 12]);
    let delimiter = input.choose(1, &[",", ";", "\t", "|"]);
    let end = input.choose(2, &["\n", "\r\n"]);
    let has_header = input.choose(3, &[true, false]);
    let rows: Vec<&[u8]> = input.file.chunks_exact(columns).collect();
    // Fewer rows say too little, and rows of nothing say nothing.
    if rows.len() < 4 || rows.iter().any(|row| row.iter().all(|byte| byte % 32 == 0)) {
        return;
    }
    let mut file = String::new();
    if has_header {
        let names: Vec<_> = (0..columns).map(|n| format!("name_{n}")).collect();
        file += &(names.join(delimiter) + end);
    }
    for row in &rows {
        let fields: Vec<_> = row.iter().map(|byte| field(*byte, delimiter)).collect();
        file += &(fields.join(delimiter) + end);
    }
    let runs: Vec<_> = file.split(|c| c != '|').map(str::len).collect();
    let is_in_groups = (2..columns).any(|of| runs.iter().all(|run| run % of == 0));
    if !has_header && delimiter == "|" && is_in_groups {
        return;
    }
    let found = sniff(&file.clone().into_bytes(), &DialectOverrides::default());
    let found = found.unwrap_or_else(|error| panic!("{error}: {file:?}"));
    let is_trailing = !has_header && rows.iter().all(|row| row[columns - 1] % 32 == 0);
    let told = (
        String::from_utf8_lossy(found.dialect.delimiter.as_bytes()).into_owned(),
        found.columns.len() + usize::from(is_trailing && found.dialect.trailing_delimiter),
    );
    assert_eq!(told, (delimiter.to_owned(), columns), "{file:?} {found:?}");
});

/// A word, quoted when it must be, and with a delimiter or a quote in it now and then.
fn field(byte: u8, delimiter: &str) -> String {
    let word = WORDS[usize::from(byte % 16)];
    match byte % 32 {
        ..16 => word.to_owned(),
        16..28 => format!("\"{word}\""),
        28..30 => format!("\"{word}{delimiter} {word}\""),
        _ => format!("\"say \"\"{word}\"\"\""),
    }
}
