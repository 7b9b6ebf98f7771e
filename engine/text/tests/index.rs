//! The structural index: every instruction set gives the same positions, and they are those of a plain reading.

use karyaksham_text::index::{Index, PADDING_BYTES, Pass, Simd, Symbols};
use karyaksham_text::simd_path;
use proptest::prelude::*;
use proptest::sample::select;

const SYMBOLS: Symbols = Symbols {
    delimiter: b',',
    quote: Some(b'"'),
    newline: b'\n',
};

fn run(simd: Simd, symbols: Symbols, bytes: &[u8], from: usize) -> (Index, Pass) {
    let mut data = bytes.to_vec();
    data.resize(bytes.len() + PADDING_BYTES, b',');
    let mut index = Index::default();
    index.restart(from);
    let pass = index.run(simd, symbols, &data, from, bytes.len());
    (index, pass)
}

/// Positions outside quotes, by parity, up to the last line end.
fn plain(symbols: Symbols, bytes: &[u8], from: usize) -> (Vec<u32>, Vec<u32>, usize) {
    let (mut ends, mut lines, mut inside) = (vec![from as u32 - 1], vec![], false);
    let (mut quoted_lines, mut pending) = (0, 0);
    for (at, byte) in bytes.iter().enumerate().skip(from) {
        inside ^= Some(*byte) == symbols.quote;
        if *byte == symbols.newline {
            pending += usize::from(inside);
        }
        if !inside && (*byte == symbols.delimiter || *byte == symbols.newline) {
            ends.push(at as u32);
            if *byte == symbols.newline {
                lines.push(at as u32);
                quoted_lines += std::mem::take(&mut pending);
            }
        }
    }
    let boundary = lines.last().map_or(from, |line| *line as usize + 1);
    ends.retain(|end| (*end as usize) < boundary);
    (ends, lines, quoted_lines)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 20 } else { 3000 }, ..ProptestConfig::default() })]

    #[test]
    fn every_instruction_set_finds_the_same(
        bytes in prop::collection::vec(select(b"\",\n\r;abc\xc3\xa9".to_vec()), 1..700),
        from in 1..200_usize,
        quote in select(vec![Some(b'"'), Some(b'"'), None]),
        newline in select(vec![b'\n', b'\n', b'\r']),
    ) {
        let symbols = Symbols { quote, newline, ..SYMBOLS };
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
    fn regular_rows_have_no_anomaly(
        rows in prop::collection::vec(prop::collection::vec(select(vec!["a", "", "\"\"", "\"a,\nb\"", "\"\"\"q\"\"\"", "long enough to cross"]), 3), 1..60),
        end in select(vec!["\n", "\r\n"]),
    ) {
        let file: String = rows.iter().map(|row| row.join(",") + end).collect();
        let bytes = [b"?", file.as_bytes()].concat();
        for simd in Simd::available() {
            let (index, pass) = run(simd, SYMBOLS, &bytes, 1);
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
                let (index, pass) = run(simd, SYMBOLS, file.as_bytes(), 1);
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
