//! The NDJSON scan against its specification: the same rows and rejects for any bytes, schema, chunk size, instruction
//! set, way of reading and cut.

mod examples;
mod generate;
mod harness;
mod spec;

use karyaksham_text::index::Simd;
use karyaksham_text::{BadRowPolicy, ShardRange, Start};
use proptest::prelude::*;
use proptest::sample::Index;

use generate::cases;
use harness::{Chosen, Way};

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

/// What a filter looks at, columns of the output or others, and how many rows it takes.
fn choices() -> impl Strategy<Value = Chosen> {
    let columns = prop::sample::subsequence((0..5).collect::<Vec<usize>>(), 1..4);
    (columns, 1..5_u64).prop_map(|(columns, one_in)| Chosen { columns, one_in })
}

proptest! {
    #![proptest_config(config(3000))]

    #[test]
    fn a_scan_reads_what_the_specification_reads(case in cases()) {
        let expected = case.expected(false);
        for simd in Simd::available() {
            for is_exact in [false, true] {
                let way = Way { simd, is_exact, ..Way::usual() };
                let (outcome, report) = case.scan(&way, case.whole());
                prop_assert_eq!(&outcome, &expected, "exact: {}", is_exact);
                prop_assert_eq!(report.end, case.file.len() as u64);
            }
        }
    }

    #[test]
    fn records_go_on_from_every_mark(case in cases()) {
        let (outcome, report) = case.scan(&Way::usual(), case.whole());
        for mark in report.marks {
            let from = ShardRange { lo: mark.offset, start: Start::Exact(mark.offset), ..case.whole() };
            let rest = case.scan(&Way::usual(), from).0;
            prop_assert_eq!(&rest, &outcome.after(mark.row, rest.lines));
        }
    }

    #[test]
    fn shards_give_the_whole(case in cases(), cuts in prop::collection::vec(any::<Index>(), 1..6)) {
        let cuts: Vec<_> = cuts.iter().map(|cut| cut.index(case.file.len() + 1)).collect();
        prop_assert_eq!(case.scan_shards(&Way::usual(), &cuts), case.expected(false));
    }

    #[test]
    fn a_filter_chooses_rows_and_changes_no_reject(
        case in cases(),
        chosen in choices(),
        (is_exact, nulls) in any::<(bool, bool)>(),
        cut in any::<Index>(),
    ) {
        let bad_rows = if nulls { BadRowPolicy::SetNull } else { BadRowPolicy::RejectRow };
        let expected = case.expected_of(&chosen, nulls);
        let way = Way { is_exact, bad_rows, filter: Some(chosen), ..Way::usual() };
        prop_assert_eq!(&case.scan(&way, case.whole()).0, &expected);
        prop_assert_eq!(&case.scan_shards(&way, &[cut.index(case.file.len() + 1)]), &expected);
    }

    #[test]
    fn bad_values_become_nulls_where_that_is_asked_for(case in cases(), is_exact in any::<bool>()) {
        let way = Way { bad_rows: BadRowPolicy::SetNull, is_exact, ..Way::usual() };
        prop_assert_eq!(case.scan(&way, case.whole()).0, case.expected(true));
    }

    #[test]
    fn a_failing_scan_hands_on_the_rows_before_its_first_reject(case in cases()) {
        let expected = case.expected(false);
        let way = Way { bad_rows: BadRowPolicy::FailJob, ..Way::usual() };
        let (outcome, report) = case.scan(&way, case.whole());
        prop_assert_eq!(report.stopped_at_reject, !expected.rejects.is_empty());
        prop_assert_eq!(outcome.rejects.first(), expected.rejects.first());
        prop_assert!(outcome.rejects.len() <= 1);
        let passed = expected.rejects.first().map_or(expected.rows.len(), |reject| reject.row as usize - 1);
        prop_assert_eq!(&outcome.rows[..], &expected.rows[..passed]);
    }
}

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn a_file_is_cut_right_at_every_byte(case in cases()) {
        let expected = case.expected(false);
        for cut in 0..case.file.len() {
            prop_assert_eq!(&case.scan_shards(&Way::usual(), &[cut]), &expected, "cut at {}", cut);
        }
    }
}
