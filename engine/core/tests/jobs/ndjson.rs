//! Jobs over NDJSON: nested values in SQL, any number of shards, rejects, and the same values out and in again.

use std::fs;

use karyaksham_core::job::{BadRowPolicy, FileFormat, OutputFormat, Source, Validate};

use crate::common::{Bench, fault, in_shards, job, source};

/// Events of three shapes, with missing keys, escapes and blank lines.
fn events(bench: &Bench) -> Source {
    let mut text = String::new();
    for n in 0..1_000 {
        let payload = match n % 3 {
            0 => format!(
                "{{\"size\":{},\"commits\":[{{\"sha\":\"{n:x}\"}},{{\"sha\":null}}]}}",
                n % 7
            ),
            1 => "{\"action\":\"star\\t\\\"ed\\\"\"}".to_owned(),
            _ => "null".to_owned(),
        };
        let place = if n % 5 == 0 {
            ""
        } else {
            ",\"place\":{\"city\":\"Łódź\",\"at\":[1.5,-2]}"
        };
        text.push_str(&format!(
            "{{\"id\":\"{n}\",\"Type\":\"t{}\",\"payload\":{payload}{place},\"day\":\"2024-01-{:02}\",\"extra\":{n}}}\n",
            n % 4,
            1 + n % 28
        ));
        if n % 50 == 0 {
            text.push_str(" \r\n");
        }
    }
    let path = bench.path("events.ndjson");
    fs::write(&path, text).unwrap();
    let columns = [
        "id:Utf8",
        "Type:Utf8",
        "payload:Struct(\"size\": Int64, \"commits\": List(Struct(\"sha\": Utf8)), \"action\": Utf8)",
        "place:Struct(\"city\": Utf8, \"at\": List(Float64))",
        "day:Date32",
    ];
    source("events", FileFormat::Ndjson, &path, &columns)
}

#[test]
fn queries_over_nested_values_do_not_depend_on_shards() {
    let bench = Bench::new();
    let source = events(&bench);
    for sql in [
        "SELECT * FROM events",
        "SELECT id, payload FROM events WHERE payload['size'] > 3",
        "SELECT type, events.payload.size AS size, place.city FROM events WHERE day < DATE '2024-01-09'",
        "SELECT payload['action'] AS action, count(*) AS n, sum(payload['size']) AS size FROM events GROUP BY 1 ORDER BY 1",
        "SELECT id, payload['commits'][1]['sha'] AS first, place['at'][2] AS y FROM events ORDER BY day, id LIMIT 20",
        "SELECT count(*) AS n FROM events",
    ] {
        let whole = bench.run(job(sql, std::slice::from_ref(&source))).unwrap();
        let read: u64 = whole.reports.iter().map(|r| r.report.rows_read).sum();
        assert_eq!(read, 1_000, "{sql}");
        for shards in [2, 7, 64] {
            let cut = bench
                .run(in_shards(job(sql, std::slice::from_ref(&source)), shards))
                .unwrap();
            assert_eq!(cut.text, whole.text, "{sql} in {shards}");
            assert_eq!(cut.repaired, 0, "lines are cut exactly");
        }
    }
    let groups = bench
        .run(job(
            "SELECT payload['action'] AS action, count(*) AS n, sum(payload['size']) AS size FROM events GROUP BY 1 ORDER BY 1",
            &[source],
        ))
        .unwrap();
    assert_eq!(
        groups.text,
        "action,n,size\n\"star\t\"\"ed\"\"\",333,\n,667,1003\n"
    );
}

#[test]
fn ndjson_written_is_the_ndjson_that_is_read() {
    let bench = Bench::new();
    let mut first = job("SELECT * FROM events", &[events(&bench)]);
    first.output.format = OutputFormat::Ndjson;
    let written = bench.run(first.clone()).unwrap();
    assert!(written.text.starts_with("{\"id\":\"0\",\"Type\":\"t0\",\"payload\":{\"size\":0,\"commits\":[{\"sha\":\"0\"},{\"sha\":null}],\"action\":null},\"place\":null,"));
    let path = bench.path("again.ndjson");
    fs::write(&path, &written.text).unwrap();
    first.sources[0].files = vec![crate::common::file(&path)];
    assert_eq!(bench.run(first).unwrap().text, written.text);
}

#[test]
fn bad_lines_are_rejected_or_fail_the_job() {
    let bench = Bench::new();
    let path = bench.path("t.ndjson");
    let lines = [
        "{\"a\":1}",
        "{\"a\":\"x\"}",
        "{\"a\":3",
        "",
        "{\"a\":4,\"b\":[}]}",
        "{\"a\":5}",
    ];
    fs::write(&path, lines.join("\n")).unwrap();
    let source = source("t", FileFormat::Ndjson, &path, &["a:Int64", "b:Utf8"]);
    let mut wanted = job("SELECT a FROM t", &[source]);
    let (kind, code, message) = fault(bench.run(wanted.clone()));
    assert_eq!((kind.as_str(), code.as_str()), ("DataError", "CAST"));
    assert!(message.contains("\"x\" is no Int64"), "{message}");

    wanted.bad_rows.policy = BadRowPolicy::RejectRow;
    let done = bench.run(wanted.clone()).unwrap();
    assert_eq!(done.text, "a\n1\n5\n");
    let lines: Vec<_> = done.rejects.iter().map(|r| r.reject.line).collect();
    assert_eq!(lines, [2, 3, 5]);

    wanted.bad_rows.policy = BadRowPolicy::SetNull;
    let done = bench.run(wanted.clone()).unwrap();
    assert_eq!(done.text, "a\n1\n\n5\n");

    wanted.bad_rows.policy = BadRowPolicy::RejectRow;
    wanted.sql = "SELECT count(*) AS n FROM t".to_owned();
    let done = bench.run(wanted).unwrap();
    assert_eq!(
        done.text, "n\n3\n",
        "the value of `a` is not looked at, the structure is"
    );
}

/// Which values a job looks at, and so which rows it rejects, is a matter of its query alone.
#[test]
fn fields_that_a_query_does_not_touch_are_not_read() {
    let bench = Bench::new();
    let path = bench.path("t.ndjson");
    let line = "{\"a\":{\"x\":1,\"y\":\"no number\",\"z\":{\"u\":2,\"v\":[]}}}\n";
    fs::write(&path, line).unwrap();
    let columns =
        ["a:Struct(\"x\": Int64, \"y\": Int64, \"z\": Struct(\"u\": Int64, \"v\": Int64))"];
    let source = source("t", FileFormat::Ndjson, &path, &columns);
    for (sql, expected) in [
        ("SELECT a['x'] AS x FROM t", Some("x\n1\n")),
        (
            "SELECT a['z']['u'] AS u, a['x'] AS x FROM t WHERE a['x'] > 0",
            Some("u,x\n2,1\n"),
        ),
        (
            "SELECT sum(a['z']['u']) AS u FROM t GROUP BY a['x']",
            Some("u\n2\n"),
        ),
        ("SELECT count(*) AS n FROM t", Some("n\n1\n")),
        ("SELECT a['y'] AS y FROM t", None),
        ("SELECT a['x'] AS x FROM t WHERE a['y'] > 0", None),
        ("SELECT a['z'] AS z FROM t", None),
        ("SELECT a['x'] AS x, a FROM t", None),
    ] {
        let mut wanted = job(sql, std::slice::from_ref(&source));
        match (bench.run(wanted.clone()), expected) {
            (Ok(done), Some(expected)) => assert_eq!(done.text, expected, "{sql}"),
            (Err(_), None) => {}
            (other, _) => panic!("{sql}: {other:?}"),
        }
        wanted.bad_rows.validate = Validate::All;
        let (_, code, _) = fault(bench.run(wanted));
        assert_eq!(code, "CAST", "{sql}");
    }
}

#[test]
fn columns_of_types_that_json_is_not_read_as_are_refused() {
    let bench = Bench::new();
    let path = bench.path("t.ndjson");
    fs::write(&path, "{\"a\":1}\n").unwrap();
    for data_type in [
        "Int8",
        "Struct()",
        "List(Binary)",
        "Struct(\"x\": non-null Int64)",
    ] {
        let source = source("t", FileFormat::Ndjson, &path, &[&format!("a:{data_type}")]);
        let (_, code, _) = fault(bench.run(job("SELECT a FROM t", &[source])));
        assert_eq!(code, "UNSUPPORTED_TYPE", "{data_type}");
    }
    let nested = bench.csv("c", &["a:List(Int64)"], "1\n");
    let (_, code, _) = fault(bench.run(job("SELECT a FROM c", &[nested])));
    assert_eq!(code, "UNSUPPORTED_TYPE");
}
