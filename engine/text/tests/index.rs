//! The structural index: every instruction set gives the same positions, and they are those of a plain reading.

use karyaksham_text::index::{Index, PADDING_BYTES, Pass, Simd, Symbols};
use karyaksham_text::{Delimiter, LineEnding, simd_path};
use proptest::prelude::*;
use proptest::sample::select;

fn plain_symbols() -> Symbols {
    Symbols {
        delimiter: b','.into(),
        quote: Some(b'"'),
        escape: None,
        comment: None,
        line_ending: LineEnding::Lf,
        skips_spaces: false,
        merges: false,
    }
}

fn run(simd: Simd, symbols: Symbols, bytes: &[u8], from: usize) -> (Index, Pass) {
    let mut data = bytes.to_vec();
    data.resize(bytes.len() + PADDING_BYTES, b',');
    let mut index = Index::default();
    index.restart(from);
    let pass = index.run(simd, symbols, &data, from, bytes.len());
    (index, pass)
}

/// Whether a line ends with a byte.
fn ends_line(symbols: Symbols, bytes: &[u8], at: usize) -> bool {
    let is = |at: usize, byte: u8| bytes.get(at) == Some(&byte);
    match symbols.line_ending {
        LineEnding::Lf => is(at, b'\n'),
        LineEnding::Cr => is(at, b'\r'),
        // Of the last byte it is not known whether a line feed follows.
        LineEnding::Any => {
            is(at, b'\n') || (is(at, b'\r') && !is(at + 1, b'\n') && at + 1 < bytes.len())
        }
    }
}

/// Positions outside quotes, by parity, up to the last line end.
fn plain(symbols: Symbols, bytes: &[u8], from: usize) -> (Vec<u32>, Vec<u32>, usize) {
    let (mut ends, mut lines, mut inside) = (vec![from as u32 - 1], vec![], false);
    let (mut quoted_lines, mut pending) = (0, 0);
    let (mut at, mut merged) = (from, None);
    while at < bytes.len() {
        if Some(bytes[at]) == symbols.escape {
            at += 2;
            // What is escaped may be half a line end, or a whole one.
            pending +=
                usize::from(inside && at <= bytes.len() && ends_line(symbols, bytes, at - 1));
            if !inside {
                // Outside quotes only a quote can be escaped.
                at -= usize::from(
                    bytes.get(at - 1) != symbols.quote.as_ref()
                        && bytes.get(at - 1) != symbols.escape.as_ref(),
                );
            }
            continue;
        }
        inside ^= Some(bytes[at]) == symbols.quote;
        let is_line = ends_line(symbols, bytes, at);
        pending += usize::from(is_line && inside);
        if is_line && !inside {
            ends.push(at as u32);
            lines.push(at as u32);
            quoted_lines += std::mem::take(&mut pending);
        } else if bytes[at..].starts_with(symbols.delimiter.as_bytes()) {
            let is_first = merged != Some(at);
            if !inside && (is_first || !symbols.merges) {
                ends.push(at as u32);
            }
            at += symbols.delimiter.len();
            merged = Some(at);
            continue;
        }
        at += 1;
    }
    let boundary = lines.last().map_or(from, |line| *line as usize + 1);
    ends.retain(|end| (*end as usize) < boundary);
    (ends, lines, quoted_lines)
}

fn symbols() -> impl Strategy<Value = Symbols> {
    let delimiter = select(vec![&b","[..], b",", b",", b";;", b"a;a", b",b,b"]);
    let quote = select(vec![Some(b'"'), Some(b'"'), None]);
    let line_ending = select(vec![
        LineEnding::Lf,
        LineEnding::Lf,
        LineEnding::Cr,
        LineEnding::Any,
    ]);
    let knobs = [
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.2),
    ];
    (delimiter, quote, line_ending, knobs).prop_map(
        |(delimiter, quote, line_ending, [escapes, skips_spaces, merges])| Symbols {
            delimiter: Delimiter::new(delimiter).expect("it is a delimiter"),
            quote,
            escape: quote.and(escapes.then_some(b'\\')),
            comment: None,
            line_ending,
            skips_spaces,
            merges: merges && delimiter.len() == 1,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 20 } else { 6000 }, ..ProptestConfig::default() })]

    #[test]
    fn every_instruction_set_finds_the_same(
        bytes in prop::collection::vec(select(b"\",,\n\r;;aabbc \\\xc3\xa9".to_vec()), 1..700),
        from in 1..200_usize,
        symbols in symbols(),
    ) {
        let from = from.min(bytes.len());
        let (first, expected) = run(Simd::Portable, symbols, &bytes, from);
        for simd in Simd::available() {
            let (index, pass) = run(simd, symbols, &bytes, from);
            prop_assert_eq!(pass, expected);
            prop_assert_eq!(&index.ends, &first.ends);
            prop_assert_eq!(&index.lines, &first.lines);
        }
        if expected.anomaly.is_none() {
            let (ends, lines, quoted_lines) = plain(symbols, &bytes, from);
            prop_assert_eq!(&first.ends, &ends);
            prop_assert_eq!(&first.lines, &lines);
            prop_assert_eq!(expected.quoted_lines, quoted_lines);
        }
    }

    #[test]
    fn a_pass_stops_at_each_comment(
        lines in prop::collection::vec(select(vec!["a,b", "\"#\n#\",#", "#", "# \"", "#,,", ""]), 1..90),
    ) {
        let file = format!("?{}\n", lines.join("\n"));
        let symbols = Symbols { comment: Some(b'#'), ..plain_symbols() };
        let before = lines.iter().take_while(|line| !line.starts_with('#'));
        let expected = 1 + before.map(|line| line.len() + 1).sum::<usize>();
        for simd in Simd::available() {
            let (_, pass) = run(simd, symbols, file.as_bytes(), 1);
            prop_assert_eq!(pass.boundary, expected);
            prop_assert_eq!(pass.anomaly, (expected < file.len()).then_some(expected));
        }
    }

    #[test]
    fn regular_rows_have_no_anomaly(
        rows in prop::collection::vec(prop::collection::vec(select(vec!["a", "", "\"\"", "\"a,\nb\"", "\"\"\"q\"\"\"", "long enough to cross"]), 3), 1..60),
        end in select(vec!["\n", "\r\n"]),
    ) {
        let file: String = rows.iter().map(|row| row.join(",") + end).collect();
        let bytes = [b"?", file.as_bytes()].concat();
        for simd in Simd::available() {
            let (index, pass) = run(simd, plain_symbols(), &bytes, 1);
            prop_assert_eq!(pass.anomaly, None);
            prop_assert_eq!(pass.boundary, bytes.len());
            prop_assert_eq!(index.lines.len(), rows.len());
            prop_assert_eq!(index.ends.len(), 1 + 3 * rows.len());
        }
    }
}

#[test]
fn an_anomaly_is_seen_at_every_place_of_a_block() {
    for (dirt, expected) in [
        ("a\"b", 1),
        ("\"x\"y", 3),
        ("\"x\"\ry", 4),
        ("\"\"x", 2),
        ("\"x\" ", 3),
    ] {
        for before in (0..140).step_by(if cfg!(miri) { 23 } else { 1 }) {
            let file = format!("?{},{dirt},\"ok\"\n", "z".repeat(before));
            for simd in Simd::available() {
                let (index, pass) = run(simd, plain_symbols(), file.as_bytes(), 1);
                assert_eq!(pass.anomaly, Some(2 + before + expected), "{file}");
                assert_eq!(
                    (pass.boundary, index.ends.len(), index.lines.len()),
                    (1, 1, 0)
                );
            }
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "Miri starts no processes")]
fn the_environment_forces_a_lower_path() {
    for simd in Simd::available() {
        let test = std::env::current_exe().expect("a test has a path");
        let output = std::process::Command::new(test)
            .args(["--exact", "says_its_path", "--ignored", "--nocapture"])
            .env("KARYAKSHAM_SIMD", simd.name())
            .output()
            .expect("a test can be run");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains(&format!("path: {}", simd.name())), "{text}");
    }
}

/// Run by the test above in a process of its own: the environment is read once.
#[test]
#[ignore = "only says what it sees"]
fn says_its_path() {
    assert_eq!(simd_path(), Simd::get().name());
    println!("path: {}", simd_path());
}
