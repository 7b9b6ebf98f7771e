//! What is wrong with a job is said when it is planned, in words that help.

use std::fs;

use crate::common::{Bench, fault, job};
use karyaksham_core::job::{FileFormat, Job};
use karyaksham_core::plan::{Payload, VERSION, plan};
use karyaksham_core::task::run;

fn refused(bench: &Bench, sql: &str) -> (String, String, String) {
    let columns = [
        "id:Int64",
        "Amount:Decimal128(18, 2)",
        "City:Utf8",
        "when:Timestamp(us)",
    ];
    let source = bench.csv("orders", &columns, "1,2.50,Oslo,2024-01-01 10:00:00\n");
    fault(plan(job(sql, &[source])))
}

#[test]
fn only_one_query_is_run() {
    let bench = Bench::new();
    for sql in [
        "",
        "  -- nothing\n",
        "DROP TABLE orders",
        "INSERT INTO orders VALUES (1)",
        "UPDATE orders SET id = 1",
        "DELETE FROM orders",
        "CREATE TABLE t AS SELECT 1",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "COPY orders TO 'x.csv'",
        "SET datafusion.execution.batch_size = 1",
        "EXPLAIN SELECT 1",
        "SHOW TABLES",
        "DESCRIBE orders",
        "SELECT 1; SELECT 2",
        "SELECT id INTO other FROM orders",
        "SELECT id FROM orders FOR UPDATE",
        "WITH x AS (SELECT 1) INSERT INTO orders SELECT * FROM x",
    ] {
        let (kind, code, _) = refused(&bench, sql);
        assert_eq!(
            (kind.as_str(), code.as_str()),
            ("InvalidJob", "NOT_A_QUERY"),
            "{sql}"
        );
    }
}

#[test]
fn only_the_sources_are_tables() {
    let bench = Bench::new();
    for sql in [
        "SELECT * FROM order",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM \"file.csv\"",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM public.orders",
        "SELECT * FROM datafusion.public.orders",
        "SELECT (SELECT max(x) FROM elsewhere) AS m FROM orders",
    ] {
        let (kind, code, message) = refused(&bench, sql);
        assert_eq!(kind, "InvalidJob", "{sql}: {message}");
        assert!(
            ["UNKNOWN_TABLE", "SQL_INVALID"].contains(&code.as_str()),
            "{sql}: {code} {message}"
        );
        assert!(!message.contains("datafusion.public.order'"), "{message}");
    }
    let (_, code, message) = refused(&bench, "SELECT * FROM ordres");
    assert_eq!(code, "UNKNOWN_TABLE");
    assert!(message.contains("Did you mean 'orders'?"), "{message}");
    for sql in [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM parquet_metadata('x')",
    ] {
        assert_eq!(refused(&bench, sql).0, "InvalidJob", "{sql}");
    }
}

#[test]
fn mistakes_are_named() {
    let bench = Bench::new();
    for (sql, expected, said) in [
        (
            "SELECT amout FROM orders",
            "UNKNOWN_COLUMN",
            "Did you mean 'Amount'?",
        ),
        (
            "SELECT o.nothing_like_it FROM orders o",
            "UNKNOWN_COLUMN",
            "The columns are: id, Amount, City, when.",
        ),
        (
            "SELECT \"amount\" FROM orders",
            "UNKNOWN_COLUMN",
            "Did you mean 'Amount'?",
        ),
        (
            "SELECT id FROM orders WHERE",
            "SQL_INVALID",
            "The SQL is not right",
        ),
        (
            "SELECT 'open FROM orders",
            "SQL_INVALID",
            "The SQL is not right",
        ),
        (
            "SELECT totl(id) AS t FROM orders",
            "UNKNOWN_FUNCTION",
            "totl",
        ),
        (
            "SELECT avg(City) AS a FROM orders",
            "WRONG_ARGUMENTS",
            "avg(Utf8)",
        ),
        (
            "SELECT sum(City) AS a FROM orders",
            "WRONG_ARGUMENTS",
            "sum(Utf8)",
        ),
        (
            "SELECT id, City FROM orders GROUP BY id",
            "SQL_INVALID",
            "City",
        ),
        ("SELECT id + City FROM orders", "SQL_INVALID", ""),
        (
            "SELECT id AS a, City AS a FROM orders",
            "DUPLICATE_COLUMN",
            "AS",
        ),
        (
            "SELECT * FROM orders a JOIN orders b ON a.id = b.id",
            "DUPLICATE_COLUMN",
            "USING",
        ),
        (
            "SELECT id FROM orders a JOIN orders b ON a.id = b.id",
            "AMBIGUOUS_COLUMN",
            "table.column",
        ),
    ] {
        let (kind, code, message) = refused(&bench, sql);
        assert_eq!(kind, "InvalidJob", "{sql}: {code} {message}");
        assert_eq!(code, expected, "{sql}: {message}");
        assert!(message.contains(said), "{sql}: {message}");
    }
}

#[test]
fn names_without_quotes_may_have_any_case() {
    let bench = Bench::new();
    let columns = ["ID:Int64", "Total:Int64", "date:Date32"];
    let source = [bench.csv("Orders", &columns, "1,5,2024-01-01\n2,7,2024-01-02\n")];
    for (sql, expected) in [
        (
            "select id, TOTAL from orders order by id",
            "ID,Total\n1,5\n2,7\n",
        ),
        ("SELECT SUM(total) AS total FROM ORDERS", "total\n12\n"),
        (
            "SELECT sum(total) AS total, max(id) AS m FROM orders HAVING sum(total) > 1 ORDER BY total",
            "total,m\n12,2\n",
        ),
        (
            "SELECT o.ID FROM Orders AS O WHERE O.Date > DATE '2024-01-01'",
            "ID\n2\n",
        ),
        (
            "WITH Big AS (SELECT id, total AS t FROM orders) SELECT T FROM big WHERE ID = 1",
            "t\n5\n",
        ),
        (
            "SELECT \"ID\" AS \"my id\" FROM orders LIMIT 1",
            "my id\n1\n",
        ),
        (
            "SELECT count(*), sum(total) + 1 FROM orders",
            "count(*),sum(Total) + 1\n2,13\n",
        ),
        ("SELECT Count(DISTINCT total) AS n FROM orders", "n\n2\n"),
        (
            "SELECT DISTINCT total + 1 AS t FROM orders ORDER BY t",
            "t\n6\n8\n",
        ),
        (
            "SELECT total % 2, count(*) FROM orders GROUP BY total % 2 ORDER BY count(*)",
            "Total % 2,count(*)\n1,2\n",
        ),
    ] {
        let done = bench
            .run(job(sql, &source))
            .unwrap_or_else(|e| panic!("{sql}: {e}"));
        assert_eq!(done.text, expected, "{sql}");
    }
}

#[test]
fn sources_are_checked() {
    let bench = Bench::new();
    let source = bench.csv("t", &["id:Int64"], "1\n2\n");
    let changed = |change: &dyn Fn(&mut Job)| {
        let mut job = job("SELECT * FROM t", std::slice::from_ref(&source));
        change(&mut job);
        fault(plan(job))
    };
    let code = |change: &dyn Fn(&mut Job)| {
        let (kind, code, _) = changed(change);
        format!("{kind} {code}")
    };
    assert_eq!(
        code(&|j| j.sources[0].files[0].path += ".gone"),
        "SourceError SOURCE_NOT_FOUND"
    );
    assert_eq!(
        code(&|j| j.sources[0].files[0].size_bytes += 1),
        "SourceError SOURCE_CHANGED"
    );
    assert_eq!(
        code(&|j| j.sources[0].format = FileFormat::Arrow),
        "SourceError INVALID_ARROW"
    );
    assert_eq!(
        code(&|j| j.sources[0].dialect = None),
        "InvalidJob INVALID_DIALECT"
    );
    assert_eq!(
        code(&|j| j.sources[0].columns[0].data_type = "Integer".into()),
        "InvalidJob UNKNOWN_TYPE"
    );
    assert_eq!(
        code(&|j| j.sources[0].columns[0].data_type = "Binary".into()),
        "InvalidJob UNSUPPORTED_TYPE"
    );
    assert_eq!(
        code(&|j| j.sources[0].columns.clear()),
        "InvalidJob NO_COLUMNS"
    );
    assert_eq!(code(&|j| j.sources[0].files.clear()), "InvalidJob NO_FILES");
    assert_eq!(
        code(&|j| j.sources.push(j.sources[0].clone())),
        "InvalidJob DUPLICATE_TABLE"
    );
    let (_, _, message) = changed(&|j| j.sources[0].files[0].path += ".gone");
    assert!(
        !message.contains(bench.path("").to_str().unwrap()),
        "{message}"
    );
}

#[test]
fn what_an_expression_does_to_its_rows_is_the_fault_of_the_job() {
    let bench = Bench::new();
    let source = [bench.csv("t", &["id:Int64", "word:Utf8"], "1,x\n0,y\n")];
    for sql in [
        "SELECT 10 / id AS q FROM t",
        "SELECT CAST(word AS BIGINT) AS n FROM t",
        "SELECT sum(id + 9223372036854775806) AS s FROM t",
    ] {
        let (kind, code, message) = fault(bench.run(job(sql, &source)));
        assert_eq!(
            (kind.as_str(), code.as_str()),
            ("InvalidJob", "EXPRESSION_FAILED"),
            "{message}"
        );
    }
}

#[test]
fn a_task_of_another_version_is_refused() {
    let bench = Bench::new();
    let source = bench.csv("t", &["id:Int64"], "1\n");
    let task = plan(job("SELECT * FROM t", &[source]))
        .unwrap()
        .tasks(0)
        .unwrap()
        .remove(0);
    let mut payload = Payload::from_bytes(&task.payload).unwrap();
    assert_eq!(payload.version, VERSION);
    payload.version = "0.0.1/0".to_owned();
    let outcome = run(&payload.to_bytes().unwrap(), &bench.context("a"), &[], None);
    let (kind, _, message) = fault(outcome);
    assert_eq!(kind, "InternalError");
    assert!(
        message.contains("0.0.1/0") && message.contains("Plan the job again"),
        "{message}"
    );
    assert_eq!(
        fault(run(b"no payload", &bench.context("b"), &[], None)).0,
        "InternalError"
    );
}

#[test]
fn planning_again_gives_the_same_tasks() {
    let bench = Bench::new();
    let source = bench.csv("t", &["id:Int64"], "1\n2\n3\n");
    let mut wanted = job("SELECT id, now() AS at FROM t", &[source]);
    wanted.shard_size_bytes = Some(2);
    wanted.planned_at_us = Some(1_700_000_000_000_000);
    let payloads = || {
        plan(wanted.clone())
            .unwrap()
            .tasks(0)
            .unwrap()
            .into_iter()
            .map(|t| t.payload)
            .collect::<Vec<_>>()
    };
    assert!(payloads().len() > 1);
    assert_eq!(payloads(), payloads());
    let done = bench.run(wanted.clone()).unwrap();
    assert_eq!(done.text.matches("2023-11-14").count(), 3, "{}", done.text);
}

#[test]
fn a_missing_column_file_is_not_read_for_its_plan_alone() {
    let bench = Bench::new();
    let source = bench.csv("t", &["id:Int64"], "1\n");
    let planned = plan(job(
        "SELECT 1 AS one FROM t WHERE false",
        std::slice::from_ref(&source),
    ))
    .unwrap();
    assert_eq!(planned.bytes_to_read(), 0);
    fs::remove_file(&source.files[0].path).unwrap();
    assert_eq!(
        fault(plan(job("SELECT 1 AS one FROM t", &[source]))).1,
        "SOURCE_NOT_FOUND"
    );
}
