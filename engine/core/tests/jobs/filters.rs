//! Filters that the scan applies, and rows that are copied: which rows are rejected does not depend on them.

use crate::common::{Bench, Done, fault, in_shards, job};
use karyaksham_core::error::Result;
use karyaksham_core::job::{BadRowPolicy, Source, Validate};
use karyaksham_core::plan::plan;

/// Every tenth row has a bad number, some of them in rows that a filter on `b` wants; `b` is 0 in bad rows only.
fn dirty(bench: &Bench) -> Source {
    let mut rows = String::new();
    for n in 1..=500 {
        match n % 10 {
            3 => rows.push_str(&format!("x{n},0,bad\n")),
            7 => rows.push_str(&format!("{n},no,bad\n")),
            _ => rows.push_str(&format!("{n:03},{},\"text, \"\"{n}\"\"\"\n", n % 9 + 1)),
        }
    }
    bench.csv("t", &["a:Int64", "b:Int64", "s:Utf8"], &rows)
}

fn run(
    bench: &Bench,
    source: &Source,
    sql: &str,
    policy: BadRowPolicy,
    shards: u64,
) -> Result<Done> {
    let mut job = in_shards(job(sql, std::slice::from_ref(source)), shards);
    job.bad_rows.policy = policy;
    bench.run(job)
}

#[test]
fn filters_do_not_change_which_rows_are_rejected() {
    let bench = Bench::new();
    let source = dirty(&bench);
    for shards in [1, 5] {
        let rejects = |sql: &str| {
            let done = run(&bench, &source, sql, BadRowPolicy::RejectRow, shards).unwrap();
            let read: u64 = done.reports.iter().map(|r| r.report.rows_read).sum();
            let passed: u64 = done.reports.iter().map(|r| r.report.rows_passed).sum();
            assert_eq!((read, passed), (500, 400), "{sql}");
            let rejects: Vec<_> = done.rejects.iter().map(|r| r.reject.clone()).collect();
            (rejects, done.rows)
        };
        let (all, rows) = rejects("SELECT a, b, s FROM t");
        assert_eq!((all.len(), rows), (100, 400));
        for (sql, rows) in [
            ("SELECT a, b, s FROM t WHERE b = 4", 45),
            ("SELECT s, a, b FROM t WHERE a > 480 AND b < 100", 16),
            (
                "SELECT a FROM t WHERE b BETWEEN 2 AND 1000 AND s LIKE 'text%'",
                356,
            ),
            ("SELECT a + b AS x FROM t WHERE s = 'nothing'", 0),
            ("SELECT a, s FROM t WHERE 100 / b > 40 ORDER BY a", 89),
        ] {
            assert_eq!(rejects(sql), (all.clone(), rows), "{sql} in {shards}");
        }
    }
}

#[test]
fn bad_values_count_where_they_are_asked_for() {
    let bench = Bench::new();
    let source = bench.csv(
        "t",
        &["a:Int64", "b:Int64", "c:Int64"],
        "1,x,1\n2,2,y\n3,3,3\n",
    );
    for (validate, sql, rejects) in [
        (Validate::Touched, "SELECT a FROM t", vec![]),
        (Validate::Touched, "SELECT a FROM t WHERE b > 0", vec!["b"]),
        (Validate::All, "SELECT a FROM t", vec!["b", "c"]),
        (Validate::All, "SELECT a FROM t WHERE b > 2", vec!["b", "c"]),
        (Validate::All, "SELECT count(*) FROM t", vec!["b", "c"]),
        (
            Validate::All,
            "SELECT sum(c) FROM t WHERE c > 2",
            vec!["b", "c"],
        ),
    ] {
        let mut job = job(sql, std::slice::from_ref(&source));
        job.bad_rows.policy = BadRowPolicy::RejectRow;
        job.bad_rows.validate = validate;
        let done = bench.run(job).unwrap();
        let columns: Vec<_> = done
            .rejects
            .iter()
            .filter_map(|r| r.reject.column.as_deref())
            .collect();
        assert_eq!(columns, rejects, "{sql} {validate:?}");
    }
}

#[test]
fn a_filter_that_fails_on_a_good_row_fails_the_task() {
    let bench = Bench::new();
    let source = bench.csv("t", &["a:Int64", "b:Int64"], "1,1\n2,0\n");
    let result = run(
        &bench,
        &source,
        "SELECT a FROM t WHERE 10 / b > 1",
        BadRowPolicy::RejectRow,
        1,
    );
    let (kind, code, _) = fault(result);
    assert_eq!(
        (kind.as_str(), code.as_str()),
        ("InvalidJob", "EXPRESSION_FAILED")
    );
}

#[test]
fn rows_that_are_the_result_keep_their_text() {
    let bench = Bench::new();
    let rows = "01,1.50,\"plain\"\n2,\" 2 \",x\"y\n3,,\"\"\n+4,4,#c\n";
    let source = bench.csv("t", &["a:Int64", "v:Float64", "s:Utf8"], rows);
    let text = |sql: &str| {
        let done = run(&bench, &source, sql, BadRowPolicy::RejectRow, 1).unwrap();
        done.text
    };
    assert_eq!(
        text("SELECT * FROM t"),
        "a,v,s\n01,1.50,\"plain\"\n2,\" 2 \",\"x\"y\"\n3,,\"\"\n+4,4,#c\n"
            .replace("\"x\"y\"", "\"x\"\"y\"")
    );
    assert_eq!(
        text("SELECT s AS t, a FROM t WHERE a >= 4"),
        "t,a\n\"#c\",+4\n"
    );
    assert_eq!(
        text("SELECT a, v, s FROM t WHERE v IS NULL"),
        "a,v,s\n3,,\"\"\n"
    );
    assert_eq!(
        text("SELECT a + 1 AS a, v, s FROM t WHERE a < 3"),
        "a,v,s\n2,1.5,plain\n3,2.0,\"x\"\"y\"\n"
    );
}

#[test]
fn a_bad_value_that_becomes_null_is_left_out_of_the_copy() {
    let bench = Bench::new();
    let source = bench.csv("t", &["a:Int64", "b:Int64"], "1,2\nx,3\n4,y\n");
    let sql = "SELECT a, b FROM t";
    let done = run(&bench, &source, sql, BadRowPolicy::SetNull, 1).unwrap();
    assert_eq!(done.text, "a,b\n1,2\n,3\n4,\n");
    let sql = "SELECT b, a FROM t WHERE a > 1";
    let done = run(&bench, &source, sql, BadRowPolicy::SetNull, 1).unwrap();
    assert_eq!(done.text, "b,a\n,4\n");
}

#[test]
fn the_plan_says_what_the_scan_filters() {
    let bench = Bench::new();
    let source = dirty(&bench);
    let explained = |sql: &str| plan(job(sql, std::slice::from_ref(&source))).unwrap().text;
    let text = explained("SELECT a FROM t WHERE b > 3 AND s LIKE 'a%'");
    assert!(text.contains("filter=b@0 > 3 AND"), "{text}");
    assert!(!text.contains("FilterExec"), "{text}");
    assert!(text.contains("columns=[a]"), "{text}");
    let text = explained("SELECT a FROM t WHERE random() < 0.5");
    assert!(text.contains("FilterExec"), "{text}");
}
