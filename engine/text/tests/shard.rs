//! Cutting a file, and the proof that shards join.

use karyaksham_text::{Mark, ShardRange, ShardReport, Start, StartFound, at_marks, chain, cut};
use proptest::prelude::*;

fn report(first: u64, end: u64) -> ShardReport {
    ShardReport {
        lo: first,
        hi: end,
        start: StartFound::Outside,
        ambiguous: false,
        first,
        end,
        bytes_read: end - first,
        rows_read: 0,
        rows_passed: 0,
        rows_rejected: 0,
        lines: 0,
        stopped_at_reject: false,
        marks: vec![],
    }
}

proptest! {
    #[test]
    fn ranges_cover_the_data_without_a_tiny_last_one(start in 0..5000_u64, size in 0..100_000_u64, shard in 1..9000_u64) {
        let ranges = cut(start, size, shard);
        prop_assert_eq!(ranges[0].start, Start::Exact(start.min(size)));
        prop_assert_eq!((ranges[0].lo, ranges[ranges.len() - 1].hi), (start.min(size), size));
        prop_assert!(ranges.windows(2).all(|pair| pair[0].hi == pair[1].lo));
        prop_assert!(ranges[1..].iter().all(|range| range.start == Start::Guess && range.hi - range.lo >= shard / 2));
        prop_assert!(ranges.iter().all(|range| range.hi - range.lo < (shard + shard / 2).max(2)));
    }

    #[test]
    fn cuts_move_to_the_marks_beside_them(
        start in 0..500_u64,
        size in 1..100_000_u64,
        shard in 1..9000_u64,
        steps in prop::collection::vec(1..9000_u64, 0..40),
    ) {
        let start = start.min(size);
        let offsets = steps.iter().scan(start, |at, step| { *at += step; Some(*at) });
        let marks: Vec<Mark> = offsets.filter(|at| *at < size).zip(1..).map(Mark::from).collect();
        let plain = cut(start, size, shard);
        let ranges = at_marks(plain.clone(), &marks);
        prop_assert_eq!(ranges.len(), plain.len());
        prop_assert_eq!((ranges[0].lo, ranges[ranges.len() - 1].hi), (start, size));
        prop_assert!(ranges.iter().all(|range| range.lo < range.hi || size == start));
        prop_assert!(ranges.windows(2).all(|pair| pair[0].hi == pair[1].lo));
        for (range, plain) in ranges.iter().zip(&plain).skip(1) {
            let is_mark = marks.iter().any(|mark| mark.offset == range.lo);
            prop_assert_eq!(range.start, if is_mark { Start::Exact(range.lo) } else { Start::Guess });
            let is_near = |mark: &Mark| 2 * mark.offset.abs_diff(plain.lo) < shard && mark.offset < plain.hi;
            prop_assert!(is_mark || !marks.iter().any(is_near));
        }
    }
}

#[test]
fn a_file_without_data_is_one_empty_range() {
    assert_eq!(
        cut(12, 12, 64),
        [ShardRange {
            lo: 12,
            hi: 12,
            start: Start::Exact(12)
        }]
    );
}

#[test]
fn a_chain_names_the_first_shard_that_does_not_join() {
    assert_eq!(
        chain(&[report(0, 10), report(10, 25), report(25, 30)], 30),
        Ok(())
    );
    assert_eq!(
        chain(&[report(0, 10), report(11, 25), report(24, 30)], 30),
        Err(1)
    );
    assert_eq!(
        chain(&[report(0, 10), report(10, 25), report(24, 30)], 30),
        Err(2)
    );
    assert_eq!(chain(&[report(0, 10), report(10, 25)], 30), Err(2));
    assert_eq!(chain(&[], 30), Err(0));
}
