//! The scan against its specification: the same rows and rejects for any bytes, dialect, chunk size, instruction set and
//! cut.

mod generate;
mod harness;
mod reader;

use karyaksham_text::index::Simd;
use karyaksham_text::{BadRowPolicy, Dialect, ShardRange, Start};
use proptest::prelude::*;
use proptest::sample::Index;

use generate::{any_case, cases, rows};
use harness::{Case, Chosen};
use reader::Kind;

/// `PROPTEST_CASES` asks for another number, to search for longer.
fn config(cases: u32) -> ProptestConfig {
    let wanted = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: wanted.unwrap_or(cases),
        max_shrink_iters: 2000,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(4000))]

    #[test]
    fn a_scan_reads_what_the_specification_reads(case in any_case()) {
        let expected = case.expected();
        for simd in Simd::available() {
            let (outcome, report) = case.scan(simd, case.whole());
            prop_assert_eq!(&outcome, &expected);
            prop_assert_eq!(report.end, case.file.len() as u64);
        }
    }

    #[test]
    fn shards_with_guessed_starts_give_the_whole(case in any_case(), cuts in prop::collection::vec(any::<Index>(), 1..6)) {
        let cuts: Vec<_> = cuts.iter().map(|cut| cut.index(case.file.len() + 1)).collect();
        let outcome = case.scan_shards(Simd::get(), case.ranges(&cuts));
        prop_assert_eq!(outcome, case.expected());
    }

    #[test]
    fn records_go_on_from_every_mark(case in any_case(), every in 1..200_u64) {
        let expected = case.expected();
        let (outcome, report) = case.scan_marked(case.whole(), every);
        prop_assert_eq!(&outcome, &expected);
        let offsets: Vec<u64> = report.marks.iter().map(|mark| mark.offset).collect();
        prop_assert!(offsets.windows(2).all(|pair| pair[0] + every <= pair[1]));
        for mark in report.marks {
            let from = ShardRange { lo: mark.offset, start: Start::Exact(mark.offset), ..case.whole() };
            let rest = case.scan(Simd::get(), from).0;
            prop_assert_eq!(&rest, &expected.after(mark.row, rest.lines));
        }
    }

    #[test]
    fn a_failing_scan_hands_on_the_rows_before_its_first_reject(case in any_case()) {
        let expected = case.expected();
        let (outcome, report) = case.scan_with(Simd::get(), case.whole(), case.options(BadRowPolicy::FailJob));
        prop_assert_eq!(report.stopped_at_reject, !expected.rejects.is_empty());
        prop_assert_eq!(outcome.rejects.first(), expected.rejects.first());
        prop_assert!(outcome.rejects.len() <= 1);
        let passed = expected.rejects.first().map_or(expected.rows.len(), |reject| reject.row as usize - 1);
        prop_assert_eq!(&outcome.rows[..], &expected.rows[..passed]);
    }

    #[test]
    fn counting_rows_rejects_what_the_structure_rejects(case in any_case()) {
        let mut text = case.clone();
        text.kinds.fill(Kind::Text);
        text.required.fill(false);
        let mut options = text.options(BadRowPolicy::RejectRow);
        options.projection.clear();
        let (outcome, report) = text.scan_with(Simd::get(), text.whole(), options);
        let expected = text.expected();
        let structural = |reject: &&reader::Rejected| reject.code != karyaksham_text::RejectCode::InvalidEncoding;
        let rejects: Vec<_> = expected.rejects.iter().filter(structural).cloned().collect();
        prop_assert_eq!(outcome.rejects, rejects);
        prop_assert_eq!(report.rows_read, (expected.rows.len() + expected.rejects.len()) as u64);
    }
}

/// Some columns that a filter looks at, and those that are handed on: together all columns.
fn any_choice() -> impl Strategy<Value = (u8, u8, u64)> {
    (any::<u8>(), any::<u8>(), 1_u64..12)
}

fn choose(case: &Case, (looked_at, left_out, one_in): (u8, u8, u64)) -> (Chosen, Vec<usize>) {
    let all = 0..case.kinds.len();
    let mut columns: Vec<_> = all
        .clone()
        .filter(|c| looked_at >> (c % 8) & 1 == 1)
        .collect();
    if columns.is_empty() {
        columns.push(usize::from(left_out) % case.kinds.len());
    }
    let is_handed_on = |c: &usize| !columns.contains(c) || left_out >> (c % 8) & 1 == 0;
    let projection = all.filter(is_handed_on).rev().collect();
    (Chosen { columns, one_in }, projection)
}

fn project(row: &[reader::Cell], projection: &[usize]) -> Vec<reader::Cell> {
    projection
        .iter()
        .map(|column| row[*column].clone())
        .collect()
}

proptest! {
    #![proptest_config(config(4000))]

    #[test]
    fn a_filter_chooses_rows_and_changes_no_reject(case in any_case(), choice in any_choice(), cut in any::<Index>()) {
        let expected = case.expected();
        let (chosen, projection) = choose(&case, choice);
        let rows: Vec<_> = expected.rows.iter().filter(|row| chosen.takes_row(row)).map(|row| project(row, &projection)).collect();
        let mut options = case.options(BadRowPolicy::RejectRow);
        options.projection = projection;
        for simd in Simd::available() {
            let (outcome, report) = case.scan_chosen(simd, case.whole(), options.clone(), chosen.clone());
            prop_assert_eq!(&outcome.rows, &rows);
            prop_assert_eq!(&outcome.rejects, &expected.rejects);
            prop_assert_eq!(report.rows_passed, expected.rows.len() as u64);
        }
        let cut = cut.index(case.file.len() + 1) as u64;
        let first = ShardRange { hi: cut, ..case.whole() };
        let (mut outcome, report) = case.scan_chosen(Simd::get(), first, options.clone(), chosen.clone());
        let second = ShardRange { lo: cut, start: Start::Exact(report.end), ..case.whole() };
        outcome.rows.extend(case.scan_chosen(Simd::get(), second, options, chosen).0.rows);
        prop_assert_eq!(&outcome.rows, &rows);
    }

    #[test]
    fn rows_as_text_are_the_rows(case in any_case(), choice in any_choice(), filters in any::<bool>(), policy in 0..3_u8) {
        let policy = [BadRowPolicy::RejectRow, BadRowPolicy::SetNull, BadRowPolicy::FailJob][usize::from(policy)];
        let (chosen, projection) = choose(&case, choice);
        let projection = if filters { projection } else { (0..case.kinds.len()).collect() };
        let chosen = filters.then_some(chosen);
        let mut options = case.options(policy);
        options.projection.clone_from(&projection);
        for simd in Simd::available() {
            let Some((text, lines, report)) = case.scan_text(simd, options.clone(), chosen.clone()) else {
                return Ok(());
            };
            let (rows, as_rows) = match &chosen {
                None => case.scan_with(simd, case.whole(), options.clone()),
                Some(chosen) => case.scan_chosen(simd, case.whole(), options.clone(), chosen.clone()),
            };
            prop_assert_eq!(&report, &as_rows);
            prop_assert_eq!(lines, rows.rows.len());
            if !projection.is_empty() {
                let carried = case.scan_carried(simd, options.clone(), chosen.clone());
                prop_assert_eq!(carried.as_ref(), Some(&(text.clone(), lines, report.clone())));
            }
            let again = Case {
                file: text,
                dialect: Dialect { delimiter: case.dialect.delimiter, ..Dialect::default() },
                kinds: projection.iter().map(|column| case.kinds[*column]).collect(),
                required: vec![false; projection.len()],
                max_record_bytes: 1 << 24,
                ..case.clone()
            };
            if projection.is_empty() {
                continue;
            }
            prop_assert_eq!(again.expected().rows, rows.rows, "{}", again.file.escape_ascii());
        }
    }
}

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn a_clean_file_is_cut_right_at_every_byte(mut case in cases(rows(4, 40, 0), 4, &[1 << 24], &[64, 1 << 18])) {
        case.kinds.fill(Kind::Text);
        let expected = case.expected();
        for cut in 0..case.file.len() {
            prop_assert_eq!(&case.scan_shards(Simd::get(), case.ranges(&[cut])), &expected, "cut at {}", cut);
        }
    }
}

/// Without the memory of where an earlier run stopped, each line here is read to the end of the file.
#[test]
fn quotes_that_open_on_every_line_cost_one_reading() {
    let case = Case {
        file: b"x\",\"abc\n".repeat(200_000),
        dialect: Dialect::default(),
        kinds: vec![Kind::Text, Kind::Text],
        required: vec![false, false],
        max_record_bytes: 1 << 20,
        chunk_bytes: 1 << 18,
        batch_rows: 8192,
    };
    let (outcome, report) = case.scan(Simd::get(), case.whole());
    assert_eq!(report.rows_rejected, 200_000);
    assert!(outcome.rows.is_empty());
}

#[test]
fn guesses_are_right_in_a_file_of_quoted_lines() {
    let mut file = vec![];
    let mut boundaries = vec![];
    let mut random = 7_u64;
    let mut pick = |below: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    while file.len() < 400_000 {
        boundaries.push(file.len() as u64);
        file.extend_from_slice(format!("{},\"", pick(1_000_000)).as_bytes());
        for _ in 0..pick(12) {
            let words = [
                "a line of prose, with commas\n",
                "said \"\"no\"\", ",
                "\"\"quoted\"\"\n",
                "1,2,3\n",
                "and so on ",
            ];
            file.extend_from_slice(words[pick(5) as usize].as_bytes());
        }
        file.extend_from_slice(format!("\",{},\"x\"\r\n", pick(90)).as_bytes());
    }
    boundaries.push(file.len() as u64);
    let case = Case {
        file,
        dialect: Dialect::default(),
        kinds: vec![Kind::Integer, Kind::Text, Kind::Integer, Kind::Text],
        required: vec![false; 4],
        max_record_bytes: 16 << 20,
        chunk_bytes: 1 << 18,
        batch_rows: 8192,
    };
    for _ in 0..1000 {
        let lo = pick(case.file.len() as u64 - 2000) + 1;
        let (_, report) = case.scan(
            Simd::get(),
            ShardRange {
                lo,
                hi: lo + 1,
                start: Start::Guess,
            },
        );
        let expected = boundaries[boundaries.partition_point(|boundary| *boundary < lo)];
        assert_eq!(
            (report.first, report.ambiguous),
            (expected, false),
            "cut at {lo}"
        );
    }
}
