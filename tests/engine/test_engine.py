"""The Python surface of the engine: what goes in, what comes out, and which errors."""

import pickle
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import karyaksham_engine as engine
from karyaksham_engine.types import Source

from .conftest import Runner

ORDERS = 'id,city,amount\n1,Oslo,2.50\n2,"Pune, old\ntown",1.25\n3,Oslo,0.75\n'


def test_everything_that_is_promised_is_there() -> None:
    assert sorted(engine.__all__) == engine.__all__
    assert all(hasattr(engine, name) for name in engine.__all__)
    assert engine.simd_path() in ("avx512", "avx2", "portable")
    assert engine.version()


def test_a_plan_says_its_stages_and_columns(runner: Runner) -> None:
    source = runner.source("orders", ORDERS)
    plan = engine.plan(
        runner.job("SELECT CITY, sum(amount) AS s FROM orders GROUP BY city", source, shard_size=20)
    )
    assert [(s["index"], s["name"], s["kind"], s["output"]) for s in plan.stages] == [
        (0, "scan orders", "scan", "block"),
        (1, "final", "merge", "part"),
    ]
    assert [(c["name"], c["type"]) for c in plan.columns] == [("city", "Utf8"), ("s", "Decimal128(28, 2)")]
    assert plan.effective_sql == "SELECT city, sum(amount) AS s FROM orders GROUP BY city"
    assert plan.bytes_to_read == len(ORDERS) - len("id,city,amount\n")
    assert "Stage 0: scan orders" in plan.text
    tasks = plan.tasks(0)
    assert [(t.stage, t.shard, t.file) for t in tasks] == [(0, n, 0) for n in range(len(tasks))]
    assert sum(t.bytes_total for t in tasks) == plan.bytes_to_read


@pytest.mark.parametrize("shard_size", [1 << 30, 30, 12, 3])
def test_a_job_gives_the_same_bytes_for_any_size_of_shard(runner: Runner, shard_size: int) -> None:
    # The headers in the middle are rows that can't be read.
    source = runner.source("orders", ORDERS * 3)
    source["columns"] = runner.source("once", ORDERS)["columns"]
    sql = "SELECT city, count(*) AS n, avg(amount) AS a FROM orders GROUP BY city"
    job = runner.job(sql, source, policy="REJECT_ROW", shard_size=shard_size)
    assert runner.run(job) == 'city,n,a\nOslo,6,1.625\n"Pune, old\ntown",3,1.25\n'
    reports = [outcome.report for outcome in runner.outcomes if outcome.report is not None]
    assert sum(report["rows_read"] for report in reports) == 11
    assert sum(report["rows_rejected"] for report in reports) == 2
    assert all(report["rows_read"] == report["rows_passed"] + report["rows_rejected"] for report in reports)


def test_errors_have_their_class_code_and_hint_and_can_be_pickled(runner: Runner) -> None:
    source = runner.source("orders", ORDERS)
    with pytest.raises(engine.InvalidJob) as caught:
        engine.plan(runner.job("SELECT amuont FROM orders", source))
    error = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - what was just pickled here
    assert type(error) is engine.InvalidJob
    assert (error.code, error.hint, error.retryable) == ("UNKNOWN_COLUMN", "Did you mean 'amount'?", False)
    assert error.detail["columns"] == ["id", "city", "amount"]
    with pytest.raises(engine.InvalidJob, match="DROP is not a query"):
        engine.plan(runner.job("DROP TABLE orders", source))
    with pytest.raises(engine.SourceError) as missing:
        engine.sniff(str(runner.folder / "nowhere.csv"))
    assert missing.value.code == "SOURCE_NOT_FOUND"
    with pytest.raises(engine.InvalidJob) as shapeless:
        engine.plan({"sql": "SELECT 1"})  # type: ignore[typeddict-item]  # what is missing is the point
    assert shapeless.value.code == "INVALID_FIELD"
    with pytest.raises(engine.InternalError):
        engine.run_task(b"not a task", runner.context())


def test_a_scan_that_stops_at_a_reject_says_which(runner: Runner) -> None:
    rows = "".join(f"{n},x\n" for n in range(3000))
    source = runner.source("t", f"id,word\n{rows}oops,y\n7,z\n")
    source["columns"][0]["type"] = "Int64"
    task = engine.plan(runner.job("SELECT id FROM t", source)).tasks(0)[0]
    outcome = engine.run_task(task.payload, runner.context())
    assert outcome.report is not None and outcome.report["stopped_at_reject"]
    assert outcome.part is None and outcome.block is None
    reject = outcome.first_reject
    assert reject is not None
    assert (reject["row"], reject["line"], reject["column"], reject["code"]) == (3001, 3001, "id", "CAST")
    assert reject["file"] == "t.csv"
    assert reject["raw"] == "oops,y"


def test_a_filter_on_ndjson_drops_rows_and_no_rejects(runner: Runner) -> None:
    kinds = ("push", "watch", "push", "issue")
    lines = [f'{{"type":"{kinds[n % 4]}","repo":{{"name":"r{n % 3}"}},"size":{n}}}\n' for n in range(400)]
    lines[1:1] = ['{"type":"watch","size":"much"}\n', '{"type":"watch",\n', '{"size":7}\n']
    path = runner.folder / "e.ndjson"
    path.write_text("".join(lines))
    source = runner.inspected("e", path)
    next(column for column in source["columns"] if column["name"] == "size")["type"] = "Int64"
    sql = "SELECT repo['name'] AS name, size FROM e"
    told = []
    for where, condition in (
        ("", lambda n: True),
        (" WHERE type = 'push' AND size > 10", lambda n: n % 2 == 0 and n > 10),
        (" WHERE type = 'push' AND repo['name'] = 'r1'", lambda n: n % 2 == 0 and n % 3 == 1),
    ):
        for shard_size in (1 << 30, 500):
            runner.outcomes.clear()
            job = runner.job(sql + where, source, policy="REJECT_ROW", shard_size=shard_size)
            rows = [line.split(",") for line in runner.run(job).splitlines()[1:]]
            expected = [[f"r{n % 3}", str(n)] for n in range(400) if condition(n)]
            assert [row for row in rows if row != ["", "7"]] == expected
            told.append(sum(o.rejects.rows for o in runner.outcomes if o.rejects is not None))
    assert told == [2] * 6


def test_rejects_become_a_file(runner: Runner) -> None:
    source = runner.source("t", "id,word\n1,a\n2\n3,c\n")
    task = engine.plan(runner.job("SELECT id FROM t", source, policy="REJECT_ROW")).tasks(0)[0]
    outcome = engine.run_task(task.payload, runner.context())
    assert outcome.rejects is not None and outcome.rejects.rows == 1
    target = runner.folder / "rejects.csv"
    writer = engine.RejectsWriter(str(target))
    writer.append(outcome.rejects, row_base=10, line_base=100)
    assert writer.commit()["rows"] == 1
    header, line = target.read_text().splitlines()
    cells = dict(zip(header.split(","), line.split(","), strict=False))
    assert (cells["row"], cells["line"], cells["code"]) == ("12", "102", "TOO_FEW_COLUMNS")


def test_blocks_and_parts_can_be_opened_by_another_process(runner: Runner, tmp_path: Path) -> None:
    source = runner.source("orders", ORDERS)
    plan = engine.plan(runner.job("SELECT sum(amount) AS s FROM orders", source, shard_size=20))
    blocks = []
    for number, task in enumerate(plan.tasks(0)):
        staging = tmp_path / f"files-{number}"
        staging.mkdir()
        block = engine.run_task(task.payload, engine.TaskContext(staging_dir=str(staging))).block
        assert block is not None and block.path is not None
        blocks.append(engine.Block.open(block.path, rows=block.rows, size_bytes=block.size_bytes))
    staging = tmp_path / "last"
    staging.mkdir()
    last = engine.run_task(
        plan.tasks(1)[0].payload, engine.TaskContext(staging_dir=str(staging)), inputs=[blocks]
    )
    assert last.part is not None and last.part.path is not None
    assert Path(last.part.path).read_text() == "4.50\n"


def test_work_releases_the_interpreter_and_a_cancel_ends_it(
    runner: Runner, big: Callable[[], Source]
) -> None:
    task = engine.plan(runner.job("SELECT note, sum(amount) AS s FROM big GROUP BY note", big())).tasks(0)[0]
    cancel, progress = engine.CancelToken(), engine.Progress()
    context = runner.context(cancel=cancel, progress=progress)
    raised: list[BaseException] = []

    def work() -> None:
        try:
            engine.run_task(task.payload, context)
        except engine.KaryakshamError as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    deadline = time.monotonic() + 20
    # Only with the GIL released can this loop see the counters grow while the task runs.
    while progress.bytes_read == 0 and time.monotonic() < deadline:
        pass
    seen = progress.bytes_read
    assert 0 < seen < task.bytes_total
    cancel.cancel()
    cancel.cancel()
    thread.join(timeout=20)
    assert cancel.canceled and progress.bytes_read < task.bytes_total
    assert [type(error) for error in raised] == [engine.Canceled]


def test_progress_ends_at_what_the_report_says(runner: Runner, big: Callable[[], Source]) -> None:
    progress = engine.Progress()
    task = engine.plan(runner.job("SELECT id FROM big WHERE id < 10", big())).tasks(0)[0]
    outcome = engine.run_task(task.payload, runner.context(progress=progress))
    assert outcome.report is not None
    assert (progress.bytes_read, progress.rows_read) == (task.bytes_total, outcome.report["rows_read"])
    assert progress.rows_written == outcome.rows_written == 12_000
    assert progress.rows_rejected == 0


def test_a_limit_of_memory_is_a_resource_error(runner: Runner, big: Callable[[], Source]) -> None:
    task = engine.plan(runner.job("SELECT * FROM big ORDER BY note", big())).tasks(0)[0]
    with pytest.raises(engine.ResourceError) as caught:
        engine.run_task(task.payload, runner.context(memory_bytes=64 << 10))
    assert caught.value.code == "MEMORY_LIMIT"


def test_preview_and_profile_speak_plain_data(runner: Runner) -> None:
    source = runner.source("orders", ORDERS)
    preview = engine.preview(source, limit=2)
    assert preview["truncated"] and len(preview["rows"]) == 2
    assert preview["rows"][1][:2] == [2, "Pune, old\ntown"]
    columns = engine.profile(source)
    assert [(c["column"]["name"], c["count"], c["null_count"]) for c in columns] == [
        ("id", 3, 0),
        ("city", 3, 0),
        ("amount", 3, 0),
    ]
