//! Rows that meet through exchanges: the same result for any number of partitions, shards and tasks, in memory and
//! through files.

use std::fmt::Write;

use crate::common::{Bench, Done, in_shards, job};
use karyaksham_core::job::{BadRowPolicy, Source};
use karyaksham_core::part::Keep;

const PARTITIONS: [usize; 3] = [1, 3, 16];
const SHARDS: [u64; 3] = [1, 4, 23];

/// Sales with ties, NULLs, one key that has half of the rows, and keys that occur once.
fn sales(bench: &Bench) -> Source {
    let mut rows = String::new();
    for n in 0..3_000_u64 {
        let mixed = n.wrapping_mul(2_654_435_761) % 997;
        let shop = match n % 4 {
            0 | 1 => "\"Oslo, old\ntown\"".to_owned(),
            2 => format!("shop {}", mixed % 90),
            _ if n % 12 == 3 => String::new(),
            _ => format!("single {n}"),
        };
        let price = match mixed % 6 {
            0 => String::new(),
            _ => format!("{}.{:02}", mixed % 50, mixed % 100),
        };
        let _ = writeln!(
            rows,
            "{n},{shop},{},{price},{}",
            mixed % 70,
            mixed as f64 / 3.0
        );
    }
    let columns = [
        "id:Int64",
        "shop:Utf8",
        "item:Int64",
        "price:Decimal128(18, 2)",
        "weight:Float64",
    ];
    bench.csv("sales", &columns, &rows)
}

fn items(bench: &Bench) -> Source {
    let mut rows = String::new();
    for n in 0..120 {
        let key = match n % 10 {
            9 => String::new(),
            _ => format!("{}", n * 7 % 100),
        };
        let _ = writeln!(rows, "{key},item {},{}", n % 30, n % 4);
    }
    bench.csv("items", &["key:Int64", "name:Utf8", "kind:Int64"], &rows)
}

fn run(
    bench: &Bench,
    sql: &str,
    sources: &[Source],
    partitions: usize,
    shards: u64,
    keep: Keep,
) -> Done {
    let mut job = in_shards(job(sql, sources), shards);
    job.exchange_partitions = Some(partitions);
    bench.run_kept(job, keep).unwrap()
}

/// The result, which shards, tasks and ways of keeping rows must not change, and partitions only in the order of rows
/// that has not been asked for.
fn check(sql: &str, is_ordered: bool) -> Vec<String> {
    let bench = Bench::new();
    let sources = [sales(&bench), items(&bench)];
    let mut sorted: Option<Vec<String>> = None;
    let mut ordered: Option<String> = None;
    for partitions in PARTITIONS {
        let mut of_partitions: Option<String> = None;
        for shards in SHARDS {
            for keep in [Keep::Memory, Keep::File] {
                let text = run(&bench, sql, &sources, partitions, shards, keep).text;
                let first = of_partitions.get_or_insert_with(|| text.clone());
                assert!(
                    *first == text,
                    "{sql}: {partitions} partitions, {shards} shards, {keep:?}"
                );
            }
        }
        let text = of_partitions.unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        let first = sorted.get_or_insert_with(|| lines.clone());
        assert_eq!(*first, lines, "{sql}: {partitions} partitions");
        if is_ordered {
            let first = ordered.get_or_insert_with(|| text.clone());
            assert!(*first == text, "{sql}: order of {partitions} partitions");
        }
    }
    sorted.unwrap()
}

#[test]
fn groups_meet_whatever_partition_they_are_in() {
    let lines = check(
        "SELECT shop, count(*) AS n, sum(price) AS s, avg(weight) AS a FROM sales GROUP BY shop",
        false,
    );
    assert!(lines.len() > 500, "{}", lines.len());
    assert!(lines.iter().any(|line| line.starts_with("town\",1500,")));
    check("SELECT DISTINCT shop, item FROM sales", false);
    check(
        "SELECT item, count(DISTINCT shop) AS n, median(price) AS m FROM sales GROUP BY item",
        false,
    );
    check(
        "SELECT item, stddev(weight) AS d, array_agg(id) AS ids FROM sales GROUP BY item",
        false,
    );
    check(
        "SELECT count(*) AS n FROM (SELECT shop FROM sales GROUP BY shop HAVING count(*) > 1) AS t",
        false,
    );
}

#[test]
fn sorted_results_are_in_one_order() {
    check("SELECT * FROM sales ORDER BY price DESC, shop", true);
    check("SELECT id, weight FROM sales ORDER BY weight", true);
    check(
        "SELECT * FROM sales ORDER BY shop IS NULL, length(shop), price NULLS FIRST",
        true,
    );
    check("SELECT 'all alike' AS one FROM sales ORDER BY one", true);
    check(
        "SELECT shop, sum(price) AS s FROM sales GROUP BY shop ORDER BY s DESC, shop",
        true,
    );
    check(
        "SELECT id FROM sales ORDER BY price, id LIMIT 40 OFFSET 7",
        true,
    );
    check(
        "SELECT id, price FROM sales WHERE id < 0 ORDER BY price",
        true,
    );
}

#[test]
fn joins_find_all_pairs() {
    let columns = "id, name, price";
    for kind in ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"] {
        check(
            &format!("SELECT {columns} FROM sales {kind} items ON item = key"),
            false,
        );
    }
    check(
        "SELECT id FROM sales WHERE item IN (SELECT key FROM items WHERE kind = 1)",
        false,
    );
    check(
        "SELECT id FROM sales WHERE NOT EXISTS (SELECT 1 FROM items WHERE key = item)",
        false,
    );
    check(
        "SELECT id FROM sales WHERE item NOT IN (SELECT key FROM items WHERE key IS NOT NULL)",
        false,
    );
    check(
        "SELECT kind, count(*) AS n, sum(price) AS s FROM sales JOIN items ON item = key GROUP BY kind ORDER BY kind",
        true,
    );
    check(
        "SELECT a.id, b.id AS other FROM sales AS a JOIN sales AS b ON a.weight = b.weight WHERE a.id < b.id",
        false,
    );
    check(
        "SELECT name, count(*) AS n FROM items JOIN sales ON key < item AND kind = 2 GROUP BY name",
        false,
    );
}

#[test]
fn windows_see_the_rows_of_their_partition() {
    check(
        "SELECT id, row_number() OVER (PARTITION BY shop ORDER BY price) AS r FROM sales",
        false,
    );
    check(
        "SELECT id, sum(price) OVER (PARTITION BY item ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS s, lag(id) OVER (ORDER BY weight, id) AS l FROM sales ORDER BY id",
        true,
    );
    check(
        "SELECT id, rank() OVER (PARTITION BY shop ORDER BY price DESC) AS r FROM sales ORDER BY shop, r, id",
        true,
    );
}

#[test]
fn other_queries_go_through_exchanges_too() {
    check("SELECT shop FROM sales UNION SELECT name FROM items", false);
    check(
        "SELECT item FROM sales UNION ALL SELECT key FROM items",
        false,
    );
    check(
        "SELECT item FROM sales INTERSECT SELECT key FROM items",
        false,
    );
    check("SELECT item FROM sales EXCEPT SELECT key FROM items", false);
    check(
        "WITH t AS (SELECT item, sum(price) AS s FROM sales GROUP BY item) SELECT name, s FROM t JOIN items ON key = item ORDER BY name, s",
        true,
    );
    check(
        "SELECT id FROM sales WHERE price > (SELECT avg(price) FROM sales) ORDER BY id",
        true,
    );
    check(
        "SELECT shop, n FROM (SELECT shop, count(*) AS n FROM sales GROUP BY shop) AS t WHERE n > 3 ORDER BY n DESC LIMIT 5",
        true,
    );
    check(
        "SELECT item, count(*) AS n FROM sales GROUP BY ROLLUP (item) ORDER BY item",
        true,
    );
}

#[test]
fn the_order_of_a_result_does_not_hang_on_where_ranges_end() {
    // Every row of one block ties with every row of the others.
    let bench = Bench::new();
    let rows: String = (0..5_000).map(|n| format!("{},{n}\n", n / 2_500)).collect();
    let source = [bench.csv("t", &["key:Int64", "n:Int64"], &rows)];
    let expected: String = std::iter::once("n".to_owned())
        .chain((2_500..5_000).chain(0..2_500).map(|n| n.to_string()))
        .map(|line| line + "\n")
        .collect();
    for partitions in [2, 7, 40] {
        for shards in [1, 3, 50] {
            for keep in [Keep::Memory, Keep::File] {
                let sql = "SELECT n FROM t ORDER BY key DESC";
                let done = run(&bench, sql, &source, partitions, shards, keep);
                assert!(
                    done.text == expected,
                    "{partitions} partitions, {shards} shards"
                );
            }
        }
    }
}

#[test]
fn rows_that_are_only_sorted_keep_their_text() {
    let bench = Bench::new();
    let mut rows = String::new();
    for n in 0..2_000_u64 {
        let mixed = n.wrapping_mul(2_654_435_761) % 613;
        let note = match n % 7 {
            0 => "\"two\nlines, and \"\"quotes\"\"\"".to_owned(),
            1 => String::new(),
            2 => "\"\"".to_owned(),
            _ => format!("note {mixed}"),
        };
        let amount = match n % 50 {
            17 => "much".to_owned(),
            _ => format!("{}.{:02}", mixed % 40, n % 100),
        };
        let _ = match n % 90 {
            31 => writeln!(rows, "{n},too few"),
            _ => writeln!(rows, "{n},{amount},{note},{}", mixed % 5),
        };
    }
    let columns = [
        "id:Int64",
        "amount:Decimal128(18, 2)",
        "note:Utf8",
        "kind:Int64",
    ];
    let source = [bench.csv("t", &columns, &rows)];
    for policy in [BadRowPolicy::RejectRow, BadRowPolicy::SetNull] {
        for (carried, made) in [
            (
                "SELECT * FROM t ORDER BY amount DESC, note",
                "SELECT id + 0 AS id, amount, note, kind FROM t ORDER BY amount DESC, note",
            ),
            (
                "SELECT * FROM t ORDER BY kind * 2",
                "SELECT id + 0 AS id, amount, note, kind FROM t ORDER BY kind * 2",
            ),
            (
                "SELECT note, id AS n FROM t WHERE kind > 1 ORDER BY note",
                "SELECT note, id + 0 AS n FROM t WHERE kind > 1 ORDER BY note",
            ),
            (
                "SELECT id, note FROM t ORDER BY length(note), kind",
                "SELECT id + 0 AS id, note FROM t ORDER BY length(note), kind",
            ),
        ] {
            let mut made_by = Vec::new();
            for sql in [carried, made] {
                for (partitions, shards) in [(1, 1), (1, 5), (4, 9)] {
                    let mut job = in_shards(job(sql, &source), shards);
                    job.bad_rows.policy = policy;
                    job.exchange_partitions = Some(partitions);
                    let plan = karyaksham_core::plan::plan(job.clone()).unwrap();
                    assert_eq!(
                        plan.text.contains("rows as text"),
                        sql == carried,
                        "{}",
                        plan.text
                    );
                    let done = bench.run(job).unwrap();
                    let offsets = done.rejects.iter().map(|r| r.reject.record_offset);
                    made_by.push((done.text, offsets.collect::<Vec<_>>()));
                }
            }
            assert!(made_by[0].1.len() >= 20, "{carried}");
            made_by.dedup();
            assert_eq!(made_by.len(), 1, "{carried}, {policy:?}");
        }
    }
}
