//! Files as people make them, and worse.

use karyaksham_text::{Delimiter, Dialect, LineEnding};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::harness::Case;
use crate::reader::Kind;

const MARKS: [&str; 6] = [",", "\n", "\"", "\r\n", "\r", "\n"];
const CLEAN: [&str; 12] = [
    "a",
    "17",
    "-3",
    "2.5",
    "",
    "\"q\"",
    "\"a,b\"",
    "\"l1\nl2\"",
    "\"say \"\"hi\"\"\"",
    "é",
    "\"\"",
    " 8 ",
];
const DIRTY: [&str; 23] = [
    ":",
    "|",
    "~",
    "~|",
    " \"q\"",
    "aab",
    "\\\\\"",
    "\"",
    "a\"b",
    "\"x\"junk",
    "\"x\" ",
    "\"\"x",
    "\"\"\"",
    "\r",
    "x\r",
    "\"a\r\nb\"",
    "\\\"",
    "\"a\\\"b\"",
    "#",
    "日本語の長い文字列",
    "12345678901234567890",
    "\"\"\"\"",
    "\"open",
];

pub fn dialects() -> impl Strategy<Value = Dialect> {
    let delimiter = select(vec![
        &b","[..],
        b",",
        b",",
        b",",
        b";",
        b"\t",
        b" ",
        b"||",
        b"::",
        b"~|~",
        b"zz",
        b"aab;aa",
    ]);
    let knobs = (
        prop::bool::weighted(0.15),
        prop::bool::weighted(0.15),
        prop::bool::weighted(0.15),
    );
    let quote = select(vec![Some(b'"'), Some(b'"'), Some(b'"'), Some(b'\''), None]);
    let escape = select(vec![None, None, None, Some(b'\\')]);
    let comment = select(vec![None, None, None, Some(b'#')]);
    let line_ending = select(vec![
        LineEnding::Lf,
        LineEnding::Lf,
        LineEnding::Lf,
        LineEnding::Cr,
        LineEnding::Any,
    ]);
    (delimiter, quote, escape, comment, line_ending, knobs).prop_map(
        |(delimiter, quote, escape, comment, line_ending, (merges, skips, trails))| Dialect {
            delimiter: Delimiter::new(delimiter).expect("it is a delimiter"),
            merge_delimiters: merges && delimiter.len() == 1,
            skip_initial_space: skips && delimiter != b" ",
            trailing_delimiter: trails && !(merges && delimiter.len() == 1),
            quote,
            escape,
            comment,
            line_ending,
            has_header: false,
            ..Dialect::default()
        },
    )
}

/// Written with commas, double quotes and line feeds; said in the dialect's own characters, and in all of its ways.
fn translate(dialect: &Dialect, text: &[u8]) -> Vec<u8> {
    let mut said = vec![];
    let delimiter = dialect.delimiter.as_bytes();
    for (at, byte) in text.iter().enumerate() {
        let ends = match byte {
            b'\r' => text.get(at + 1) == Some(&b'\n'),
            b'\n' => at == 0 || text[at - 1] != b'\r',
            _ => false,
        };
        if ends && (dialect.trailing_delimiter || (dialect.merge_delimiters && at % 3 == 0)) {
            said.extend_from_slice(delimiter);
        }
        match byte {
            b',' => {
                said.extend_from_slice(delimiter);
                if dialect.merge_delimiters {
                    said.extend(delimiter.repeat(at % 3));
                } else if dialect.skip_initial_space {
                    said.extend(b" ".repeat(at % 3));
                }
            }
            b'"' => said.push(dialect.quote.unwrap_or(b'"')),
            b'\n' => said.extend_from_slice(match (dialect.line_ending, at % 8) {
                (LineEnding::Cr, _) | (LineEnding::Any, 0..=2) => b"\r",
                (LineEnding::Any, 3..=5) => b"\r\n",
                _ => b"\n",
            }),
            other => said.push(*other),
        }
    }
    said
}

/// Any mixture of the bytes that matter.
pub fn noise(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => select(&MARKS[..]).prop_map(|text| text.as_bytes().to_vec()),
        3 => select(&DIRTY[..]).prop_map(|text| text.as_bytes().to_vec()),
        4 => select(&CLEAN[..]).prop_map(|text| text.as_bytes().to_vec()),
        1 => Just(vec![0xff]),
        1 => vec(b'a'..=b'z', 0..80),
    ];
    vec(piece, 0..longest).prop_map(|pieces| pieces.concat())
}

/// Rows of `columns` fields, most of them as they should be.
pub fn rows(columns: usize, most: usize, dirt: u32) -> impl Strategy<Value = Vec<u8>> {
    let clean = prop_oneof![
        select(&CLEAN[..]).prop_map(|text| text.as_bytes().to_vec()),
        vec(b'0'..=b'9', 1..7),
        vec(b'a'..=b'z', 0..40),
    ];
    let dirty = prop_oneof![
        4 => select(&DIRTY[..]).prop_map(|text| text.as_bytes().to_vec()),
        1 => Just(vec![b'z', 0xff, 0xfe]),
        1 => (4000..9000_usize).prop_map(|len| vec![b'w'; len]),
    ];
    let field = prop_oneof![400 => clean, dirt => dirty];
    let ends = prop_oneof![
        200 => Just("\n"), 20 => Just("\r\n"), 2 => Just("\n\n"), 2 => Just("\n\r\n"), 1 => Just(",\n"), 1 => Just("\n#c\"\n"), 1 => Just(","),
    ];
    let row = (vec(field, columns), ends).prop_map(|(fields, end)| {
        let mut row = fields.join(&b',');
        row.extend_from_slice(end.as_bytes());
        row
    });
    (vec(row, 0..most), 0..4_usize).prop_map(|(rows, cut)| {
        let mut file = rows.concat();
        file.truncate(file.len().saturating_sub(cut));
        file
    })
}

pub fn cases(
    file: impl Strategy<Value = Vec<u8>>,
    columns: usize,
    limits: &'static [usize],
    chunks: &'static [usize],
) -> impl Strategy<Value = Case> {
    let kind = select(vec![Kind::Text, Kind::Text, Kind::Integer, Kind::Double]);
    let required = prop_oneof![5 => Just(false), 1 => Just(true)];
    let shape = (vec(kind, columns), vec(required, columns));
    (
        file,
        dialects(),
        shape,
        select(limits),
        select(chunks),
        select(vec![1, 3, 100, 8192]),
    )
        .prop_map(
            |(file, dialect, (kinds, required), max_record_bytes, chunk_bytes, batch_rows)| Case {
                file: translate(&dialect, &file),
                dialect,
                kinds,
                required,
                max_record_bytes,
                chunk_bytes,
                batch_rows,
            },
        )
}

/// Small wild files and larger, mostly good ones.
pub fn any_case() -> impl Strategy<Value = Case> {
    (1..6_usize, select(vec![0_u32, 1, 4, 60])).prop_flat_map(|(columns, dirt)| {
        prop_oneof![
            cases(
                noise(60),
                columns,
                &[4, 30, 200, 1 << 24],
                &[16, 64, 256, 1 << 18]
            )
            .boxed(),
            cases(
                rows(columns, 120, dirt),
                columns,
                &[60, 5000, 1 << 24, 1 << 24],
                &[64, 512, 4096, 1 << 18]
            )
            .boxed(),
        ]
    })
}
