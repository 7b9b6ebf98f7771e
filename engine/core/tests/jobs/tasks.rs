//! Bad rows, guesses that were wrong, cancel, limits: what a task says at its end.

use std::time::{Duration, Instant};

use crate::common::{Bench, fault, in_shards, job};
use karyaksham_core::job::{BadRowPolicy, Job, Source};
use karyaksham_core::part::{Block, Keep};
use karyaksham_core::plan::plan;
use karyaksham_core::task::run;

fn dirty(bench: &Bench) -> Source {
    let mut rows = String::new();
    for n in 0..400 {
        match n % 50 {
            17 => rows.push_str(&format!("x{n},1.00,bad number\n")),
            33 => rows.push_str(&format!("{n},2.00\n")),
            41 => rows.push_str(&format!("{n},3.00,too,many\n")),
            _ => rows.push_str(&format!("{n},{}.50,\"text\n{n}\"\n", n % 10)),
        }
    }
    bench.csv("t", &["id:Int64", "v:Decimal128(18, 2)", "s:Utf8"], &rows)
}

fn with_policy(mut job: Job, policy: BadRowPolicy) -> Job {
    job.bad_rows.policy = policy;
    job
}

#[test]
fn rejected_rows_are_told_and_the_balance_closes() {
    let bench = Bench::new();
    let source = [dirty(&bench)];
    let mut seen = Vec::new();
    for shards in [1, 2, 7, 64] {
        let job = with_policy(
            job(
                "SELECT count(*) AS n, sum(v) AS s, count(id) AS i FROM t",
                &source,
            ),
            BadRowPolicy::RejectRow,
        );
        let done = bench.run(in_shards(job, shards)).unwrap();
        let read: u64 = done.reports.iter().map(|r| r.report.rows_read).sum();
        let passed: u64 = done.reports.iter().map(|r| r.report.rows_passed).sum();
        let rejected: u64 = done.reports.iter().map(|r| r.report.rows_rejected).sum();
        assert_eq!((read, rejected), (400, 24), "{shards} shards");
        assert_eq!(read, passed + rejected);
        assert_eq!(done.rejects.len(), 24);
        assert!(
            done.rejects
                .iter()
                .all(|r| r.file == source[0].files[0].shown_name())
        );
        seen.push((
            done.text,
            done.rejects
                .iter()
                .map(|r| r.reject.record_offset)
                .collect::<Vec<_>>(),
        ));
    }
    seen.dedup();
    assert_eq!(seen.len(), 1);
}

#[test]
fn a_limit_does_not_hide_rows_from_the_balance() {
    let bench = Bench::new();
    let source = [dirty(&bench)];
    let job = with_policy(
        job("SELECT id FROM t LIMIT 3", &source),
        BadRowPolicy::RejectRow,
    );
    let done = bench.run(in_shards(job, 7)).unwrap();
    assert_eq!(done.rows, 3);
    assert_eq!(
        done.reports.iter().map(|r| r.report.rows_read).sum::<u64>(),
        400
    );
}

#[test]
fn under_fail_job_a_scan_stops_and_says_where() {
    let bench = Bench::new();
    let source = [dirty(&bench)];
    let task = plan(job("SELECT id FROM t", &source))
        .unwrap()
        .tasks(0)
        .unwrap()
        .remove(0);
    let outcome = run(&task.payload, &bench.context("a"), &[], None).unwrap();
    assert!(outcome.part.is_none() && outcome.block.is_none());
    assert!(outcome.report.unwrap().report.stopped_at_reject);
    let reject = outcome.first_reject.unwrap().reject;
    assert_eq!((reject.row, reject.column.as_deref()), (18, Some("id")));
    let (kind, code, _) = fault(bench.run(job("SELECT id FROM t", &source)));
    assert_eq!((kind.as_str(), code.as_str()), ("DataError", "CAST"));
}

#[test]
fn a_wrong_guess_is_put_right_by_an_exact_start() {
    let bench = Bench::new();
    let rows: String = (0..200)
        .map(|n| format!("{n},\"a,\"\"\n{n},b\n,\"\"c\"\n"))
        .collect();
    let source = [bench.csv("t", &["id:Int64", "s:Utf8"], &rows)];
    let whole = bench.run(job("SELECT * FROM t", &source)).unwrap();
    assert_eq!(whole.rows, 200);
    for shards in [2, 5, 33, 190] {
        let done = bench
            .run(in_shards(job("SELECT * FROM t", &source), shards))
            .unwrap();
        assert_eq!(
            done.text, whole.text,
            "{shards} shards, {} done again",
            done.repaired
        );
    }
}

#[test]
fn a_file_with_a_header_and_no_rows_is_an_empty_table() {
    let bench = Bench::new();
    let source = [bench.csv("t", &["id:Int64", "s:Utf8"], "")];
    assert_eq!(
        bench.run(job("SELECT * FROM t", &source)).unwrap().text,
        "id,s\n"
    );
    assert_eq!(
        bench
            .run(job("SELECT count(*) AS n, sum(id) AS s FROM t", &source))
            .unwrap()
            .text,
        "n,s\n0,\n"
    );
    assert_eq!(
        bench
            .run(job("SELECT s, count(*) AS n FROM t GROUP BY s", &source))
            .unwrap()
            .text,
        "s,n\n"
    );
}

#[test]
fn many_files_are_one_table_in_their_order() {
    let bench = Bench::new();
    let mut source = bench.csv("a", &["id:Int64"], "3\n1\n");
    source
        .files
        .extend(bench.csv("b", &["id:Int64"], "2\n").files);
    source.files.extend(bench.csv("c", &["id:Int64"], "").files);
    let done = bench.run(job("SELECT id FROM a", &[source])).unwrap();
    assert_eq!(done.text, "id\n3\n1\n2\n");
    assert_eq!(
        done.reports.iter().map(|r| r.file).collect::<Vec<_>>(),
        [0, 1, 2]
    );
}

#[test]
fn a_canceled_task_ends_at_once_and_progress_is_told_while_it_runs() {
    let bench = Bench::new();
    let rows: String = (0..400_000)
        .map(|n| format!("{n},{}.25,some text here {n}\n", n % 977))
        .collect();
    let source = [bench.csv("t", &["id:Int64", "v:Decimal128(18, 2)", "s:Utf8"], &rows)];
    let task = plan(job("SELECT s, sum(v) AS v FROM t GROUP BY s", &source))
        .unwrap()
        .tasks(0)
        .unwrap()
        .remove(0);
    let context = bench.context("a");
    let (cancel, progress) = (context.cancel.clone(), context.progress.clone());
    let watcher = std::thread::spawn(move || {
        let deadline = Instant::now() + Duration::from_secs(20);
        while progress.bytes_read() == 0 && Instant::now() < deadline {
            std::thread::yield_now();
        }
        cancel.cancel();
        (Instant::now(), progress.bytes_read())
    });
    let outcome = run(&task.payload, &context, &[], None);
    let ended = Instant::now();
    let (canceled, bytes_read) = watcher.join().unwrap();
    assert_eq!(fault(outcome).0, "Canceled");
    assert!(bytes_read > 0 && bytes_read < source[0].files[0].size_bytes);
    assert!(ended.saturating_duration_since(canceled) < Duration::from_secs(1));
    assert_eq!(fault(run(&task.payload, &context, &[], None)).0, "Canceled");
}

#[test]
fn what_does_not_fit_into_memory_goes_to_disk_or_is_refused() {
    let bench = Bench::new();
    let rows: String = (0..150_000)
        .map(|n| format!("{},some longer text of row {n}\n", (n * 7919) % 150_000))
        .collect();
    let source = [bench.csv("t", &["id:Int64", "s:Utf8"], &rows)];
    let sorted = job("SELECT * FROM t ORDER BY id", &source);
    let task = plan(sorted.clone()).unwrap().tasks(0).unwrap().remove(0);
    let limited = |memory_bytes: usize, name: &str| {
        let mut context = bench.context(name);
        context.memory_bytes = Some(memory_bytes);
        context.destination.keep = Keep::File;
        run(&task.payload, &context, &[], None)
    };
    let part = limited(24 << 20, "spills").unwrap().part.unwrap();
    assert_eq!(part.rows(), 150_000);
    let sorted_rows = std::fs::read_to_string(part.path().unwrap()).unwrap();
    assert!(sorted_rows.starts_with("0,some longer text of row 0\n1,"));
    assert_eq!(std::fs::read_dir(bench.path("spills")).unwrap().count(), 1);
    let (kind, code, message) = fault(limited(64 << 10, "refused"));
    assert_eq!(
        (kind.as_str(), code.as_str()),
        ("ResourceError", "MEMORY_LIMIT"),
        "{message}"
    );
}

#[test]
fn a_final_task_without_its_blocks_says_so() {
    let bench = Bench::new();
    let source = [bench.csv("t", &["id:Int64"], "1\n2\n3\n4\n")];
    let planned = plan(in_shards(job("SELECT sum(id) AS s FROM t", &source), 3)).unwrap();
    let task = planned.tasks(1).unwrap().remove(0);
    let outcome = run(&task.payload, &bench.context("a"), &[], None);
    assert_eq!(fault(outcome).0, "InternalError");
    let lost: Vec<Vec<Block>> = vec![vec![Block::open(bench.path("gone.arrow"), 1, 10)]];
    let (kind, code, _) = fault(run(&task.payload, &bench.context("b"), &lost, None));
    assert_eq!((kind.as_str(), code.as_str()), ("TransientIo", "PART_LOST"));
}
