//! The same SQL over any number of shards gives the same bytes.

use crate::common::{Bench, in_shards, job};
use karyaksham_core::job::Source;

const SHARDS: [u64; 4] = [1, 2, 7, 64];

/// Orders with quoted commas and line ends, NULLs, ties and groups of very different sizes.
fn orders(bench: &Bench) -> Source {
    let mut rows = String::new();
    for n in 0..1_500_u64 {
        let mixed = n.wrapping_mul(2_654_435_761) % 1_000;
        let city = ["Oslo", "Pune", "Lima", "Graz, old town", "Oslo"][(mixed % 5) as usize];
        let note = match n % 9 {
            0 => format!("\"said \"\"hello\"\", then\nleft, {n}\""),
            4 => String::new(),
            7 => "\"\"".to_owned(),
            _ => format!("note {n}"),
        };
        let amount = if n % 11 == 3 {
            String::new()
        } else {
            format!("{}.{:02}", mixed, n % 100)
        };
        let weight = if n % 13 == 5 {
            String::new()
        } else {
            format!("{}", (mixed as f64) / 7.0)
        };
        let day = 1 + n % 28;
        rows.push_str(&format!(
            "{n},{},\"{city}\",{amount},{weight},2024-0{}-{day:02},{note}\n",
            mixed % 40,
            1 + n % 9
        ));
    }
    let columns = [
        "id:Int64",
        "customer:Int64",
        "city:Utf8",
        "amount:Decimal128(18, 2)",
        "weight:Float64",
        "day:Date32",
        "note:Utf8",
    ];
    bench.csv("orders", &columns, &rows)
}

fn customers(bench: &Bench) -> Source {
    let rows: String = (0..35)
        .map(|n| format!("{n},\"name\n{}\",{}\n", n % 10, n % 3))
        .collect();
    bench.csv(
        "customers",
        &["key:Int64", "name:Utf8", "tier:Int64"],
        &rows,
    )
}

/// The output of a query, which all numbers of shards agree on.
fn answer(bench: &Bench, sources: &[Source], sql: &str) -> String {
    let mut first: Option<String> = None;
    for shards in SHARDS {
        let done = bench
            .run(in_shards(job(sql, sources), shards))
            .unwrap_or_else(|e| panic!("{sql}: {e}"));
        for report in &done.reports {
            assert_eq!(
                report.report.rows_read,
                report.report.rows_passed + report.report.rows_rejected
            );
        }
        match &first {
            None => first = Some(done.text),
            Some(text) => assert_eq!(text, &done.text, "{sql} with {shards} shards"),
        }
    }
    first.unwrap()
}

fn lines(text: &str) -> usize {
    text.lines().count()
}

#[test]
fn every_query_gives_the_same_bytes_for_any_number_of_shards() {
    let bench = Bench::new();
    let sources = [orders(&bench), customers(&bench)];
    for sql in [
        "SELECT * FROM orders",
        "SELECT id, note FROM orders WHERE amount > 500 AND city LIKE 'Graz%'",
        "SELECT upper(city) AS c, amount * 2 AS twice FROM orders WHERE note IS NULL",
        "SELECT count(*) AS n FROM orders",
        "SELECT count(*) AS n, count(amount) AS a, count(DISTINCT city) AS c, min(day) AS d, max(weight) AS w FROM orders",
        "SELECT sum(amount) AS s, avg(amount) AS a, avg(customer) AS c, avg(DISTINCT customer) AS d FROM orders",
        "SELECT sum(weight) AS s, avg(weight) AS a, stddev(weight) AS d, var_pop(amount) AS v FROM orders",
        "SELECT median(amount) AS m, approx_percentile_cont(weight, 0.9) AS p, approx_distinct(id) AS n FROM orders",
        "SELECT sum(DISTINCT weight) AS s, avg(DISTINCT weight) AS a, sum(id) AS i, sum(DISTINCT id) AS d FROM orders",
        "SELECT city, sum(weight) FILTER (WHERE id > 50) AS s, avg(amount) FILTER (WHERE weight > 20) AS a FROM orders GROUP BY city",
        "SELECT id, sum(weight) OVER (ORDER BY id ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) AS s FROM orders",
        "SELECT city, corr(amount, weight) AS c, stddev_pop(weight) AS d FROM orders GROUP BY city",
        "SELECT city, count(*) AS n, sum(amount) AS s FROM orders GROUP BY city",
        "SELECT customer, city, avg(amount) AS a, sum(weight) AS w FROM orders GROUP BY customer, city",
        "SELECT city, count(*) AS n FROM orders GROUP BY city HAVING count(*) > 300 ORDER BY n DESC",
        "SELECT DISTINCT customer FROM orders",
        "SELECT DISTINCT city, day FROM orders LIMIT 20",
        "SELECT city, array_agg(id) AS ids FROM orders GROUP BY city",
        "SELECT city, string_agg(note, '|' ORDER BY amount) AS notes FROM orders GROUP BY city",
        "SELECT city, first_value(id) AS f, last_value(id ORDER BY customer) AS l FROM orders GROUP BY city",
        "SELECT city, customer FROM orders ORDER BY city",
        "SELECT city FROM orders ORDER BY weight DESC NULLS LAST",
        "SELECT * FROM orders ORDER BY customer, city DESC",
        "SELECT id, customer FROM orders ORDER BY customer LIMIT 17",
        "SELECT city, amount FROM orders ORDER BY amount DESC LIMIT 5 OFFSET 3",
        "SELECT * FROM orders LIMIT 10",
        "SELECT id FROM orders WHERE customer = 3 LIMIT 4 OFFSET 2",
        "SELECT id, row_number() OVER (PARTITION BY customer ORDER BY city) AS r FROM orders ORDER BY id",
        "SELECT id, rank() OVER (ORDER BY customer) AS r, sum(amount) OVER (PARTITION BY city) AS s FROM orders",
        "SELECT id, avg(amount) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS a FROM orders",
        "WITH big AS (SELECT customer, sum(amount) AS s FROM orders GROUP BY customer) SELECT * FROM big WHERE s > 9000 ORDER BY s",
        "SELECT id FROM orders WHERE customer = 1 UNION ALL SELECT key FROM customers",
        "SELECT customer FROM orders UNION SELECT key FROM customers",
        "SELECT customer FROM orders INTERSECT SELECT key FROM customers",
        "SELECT count(*) AS n FROM (SELECT id FROM orders UNION ALL SELECT key FROM customers)",
        "(SELECT id FROM orders ORDER BY id DESC LIMIT 5) UNION ALL (SELECT key FROM customers LIMIT 3)",
        "SELECT id, name, tier FROM orders JOIN customers ON customer = key WHERE amount > 900",
        "SELECT name, count(*) AS n FROM customers LEFT JOIN orders ON customer = key GROUP BY name ORDER BY n DESC",
        "SELECT o.id, c.name FROM orders o FULL JOIN customers c ON o.customer = c.key ORDER BY o.id, c.name",
        "SELECT a.id, b.id AS other FROM orders a JOIN orders b ON a.id = b.customer WHERE a.id < 3",
        "SELECT id FROM orders WHERE customer IN (SELECT key FROM customers WHERE tier = 1)",
        "SELECT id FROM orders WHERE NOT EXISTS (SELECT 1 FROM customers WHERE key = customer)",
        "SELECT id FROM orders WHERE amount > (SELECT avg(amount) FROM orders) ORDER BY amount LIMIT 9",
        "SELECT city, (SELECT max(tier) FROM customers) AS t, sum(amount) AS s FROM orders GROUP BY city",
        "SELECT city, day, sum(amount) AS s FROM orders GROUP BY ROLLUP (city, day) ORDER BY city, day",
        "SELECT date_trunc('month', day) AS m, count(*) AS n FROM orders GROUP BY 1 ORDER BY 1",
        "SELECT CASE WHEN amount > 500 THEN 'much' ELSE 'little' END AS k, count(*) AS n FROM orders GROUP BY k",
        "SELECT g.value AS n, count(id) AS c FROM generate_series(1, 5) g LEFT JOIN orders ON customer = g.value GROUP BY 1 ORDER BY 1",
        "SELECT 1 AS one, 'x' AS letter",
        "SELECT id FROM orders WHERE false",
        "SELECT id, row_number() OVER () AS n FROM orders",
    ] {
        answer(&bench, &sources, sql);
    }
}

#[test]
fn results_are_right_and_in_the_order_of_the_file() {
    let bench = Bench::new();
    let rows = "1,b,1.10\n2,a,2.25\n3,b,\n4,\"c\n,\",0.01\n5,a,7.75\n";
    let source = [bench.csv("t", &["id:Int64", "k:Utf8", "v:Decimal128(18, 2)"], rows)];
    let ask = |sql| answer(&bench, &source, sql);
    assert_eq!(ask("SELECT count(*) AS n FROM t"), "n\n5\n");
    assert_eq!(
        ask("SELECT k, sum(v) AS s, count(*) AS n FROM t GROUP BY k"),
        "k,s,n\nb,1.10,2\na,10.00,2\n\"c\n,\",0.01,1\n"
    );
    assert_eq!(ask("SELECT avg(v) AS a FROM t WHERE k = 'a'"), "a\n5.0\n");
    assert_eq!(
        ask("SELECT sum(id * 0.1e0) AS s, sum(id) AS i FROM t"),
        "s,i\n1.5,15\n"
    );
    assert_eq!(ask("SELECT id FROM t LIMIT 2"), "id\n1\n2\n");
    assert_eq!(
        ask("SELECT k FROM t ORDER BY v DESC NULLS LAST LIMIT 2"),
        "k\na\na\n"
    );
    assert_eq!(ask("SELECT DISTINCT k FROM t LIMIT 2"), "k\nb\na\n");
    assert_eq!(
        ask("SELECT v * (1 - v) * (1 + v) AS x FROM t WHERE id = 2"),
        "x\n-9.140625\n"
    );
}

#[test]
fn rows_that_tie_keep_the_order_of_the_file() {
    let bench = Bench::new();
    let rows: String = (0..30_000)
        .map(|n| format!("{},{}\n", n * 7_919 % 30_011, n % 3))
        .collect();
    let source = [bench.csv("t", &["id:Int64", "k:Int64"], &rows)];
    let of = |k: u64| (0..30_000).filter(move |n| n % 3 == k);
    let ids = |rows: &mut dyn Iterator<Item = u64>| -> String {
        let lines = rows.map(|n| format!("{}\n", n * 7_919 % 30_011));
        std::iter::once("id\n".to_owned()).chain(lines).collect()
    };
    let ask = |sql| answer(&bench, &source, sql);
    assert_eq!(
        ask("SELECT id FROM t ORDER BY k DESC"),
        ids(&mut of(2).chain(of(1)).chain(of(0)))
    );
    assert_eq!(
        ask("SELECT id + 0 AS id FROM t WHERE k > 0 ORDER BY -k LIMIT 20000 OFFSET 5"),
        ids(&mut of(2).chain(of(1)).skip(5))
    );
}

#[test]
fn a_table_is_also_called_input_when_it_is_the_only_one() {
    let bench = Bench::new();
    let source = [bench.csv("t", &["id:Int64"], "1\n2\n")];
    assert_eq!(
        answer(&bench, &source, "SELECT sum(id) AS s FROM input"),
        "s\n3\n"
    );
    assert_eq!(
        lines(&answer(
            &bench,
            &source,
            "SELECT id FROM T JOIN input USING (id)"
        )),
        3
    );
}
