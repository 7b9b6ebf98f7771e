"""Whole runs of the real engine in threads of this process."""

import csv
import hashlib
import io
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from compute import local
from compute.cluster import Cluster
from compute.spec import (
    Canceled,
    Event,
    Finalizing,
    JobSpec,
    Planned,
    Progress,
    Succeeded,
    TaskFailed,
    TaskFinished,
    TaskStarted,
)

from .jobs import (
    FILTER,
    GROUP,
    SORT,
    TOP,
    Start,
    Told,
    finish,
    job,
    on_ray,
    on_threads,
    order,
    output,
    sharded,
    told,
    write_many_orders,
    write_orders,
)

ROWS = 5000


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_orders(tmp_path_factory.mktemp("orders") / "orders.csv", ROWS)


def run(spec: JobSpec, threads: int = 2) -> Told:
    return finish(on_threads(threads)(spec), spec)


def read(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode(), newline="")))


def test_group_by_is_right(orders: Path, tmp_path: Path) -> None:
    spec = job(tmp_path, GROUP, orders, shard_size_bytes=20_000)
    done = run(spec).succeeded
    totals: dict[str, list[Decimal]] = defaultdict(list)
    for row in read(orders.read_bytes()):
        totals[row["region"]].append(Decimal(row["amount"]))
    expected = [(region, len(amounts), sum(amounts)) for region, amounts in sorted(totals.items())]
    found = [(row["region"], int(row["orders"]), Decimal(row["total"])) for row in read(output(spec))]
    assert found == expected
    assert (done.balance.read, done.balance.passed, done.balance.rejected, done.balance.written) == (
        ROWS,
        ROWS,
        0,
        5,
    )


def test_filter_keeps_rows_and_their_order(orders: Path, tmp_path: Path) -> None:
    spec = job(tmp_path, FILTER, orders, shard_size_bytes=20_000)
    done = run(spec).succeeded
    expected = [row for row in read(orders.read_bytes()) if Decimal(row["amount"]) > 500]
    found = read(output(spec))
    assert [(row["id"], row["note"]) for row in found] == [(row["id"], row["note"]) for row in expected]
    assert done.balance.written == len(expected)


@pytest.mark.parametrize("sql", [GROUP, FILTER, TOP, SORT])
def test_any_number_of_shards_gives_the_same_bytes(sql: str, orders: Path, tmp_path: Path) -> None:
    made = set()
    for shards in (1, 2, 7, 64):
        spec = job(tmp_path / str(shards), sql, orders, **sharded(job(tmp_path, sql, orders), shards))
        events = run(spec)
        assert len({event.shard for event in events.of(TaskStarted) if event.stage == 0}) == shards
        made.add(output(spec))
    assert len(made) == 1
    assert len(made.pop()) > 100


def test_events_tell_the_whole_story_in_order(orders: Path, tmp_path: Path) -> None:
    spec = job(tmp_path, GROUP, orders, shard_size_bytes=50_000)
    events = run(spec)
    [planned] = events.of(Planned)
    assert events.events[0] is planned
    assert [column["name"] for column in planned.columns] == ["region", "orders", "total"]
    tasks = sum(stage.task_count for stage in planned.stages)
    assert len(events.of(TaskFinished)) == tasks
    assert len(events.of(Finalizing)) == 1
    last = events.of(Progress)[-1]
    assert (last.fraction, last.bytes_read, last.rows_read, last.rows_written) == (
        1.0,
        planned.bytes_total,
        ROWS,
        5,
    )
    assert all(stage.state == "SUCCEEDED" and stage.tasks_done == stage.task_count for stage in last.stages)


def test_artifact_says_what_was_written(orders: Path, tmp_path: Path) -> None:
    spec = job(tmp_path, FILTER, orders)
    [artifact] = run(spec).succeeded.artifacts
    written = output(spec)
    assert (artifact.kind, artifact.name, artifact.format) == ("OUTPUT", "output.csv", "csv")
    assert (artifact.size_bytes, artifact.row_count) == (len(written), len(read(written)))
    assert artifact.sha256 == hashlib.sha256(written).hexdigest()
    assert [column["name"] for column in artifact.columns] == ["id", "amount", "note"]


def test_parts_are_committed_as_a_folder(orders: Path, tmp_path: Path) -> None:
    single = job(tmp_path / "single", FILTER, orders, shard_size_bytes=50_000)
    parts = job(tmp_path / "parts", FILTER, orders, shard_size_bytes=50_000, layout="PARTS")
    run(single)
    [artifact] = run(parts).succeeded.artifacts
    folder = Path(artifact.path)
    assert (folder / "_SUCCESS").exists()
    assert (folder / "manifest.json").exists()
    header, *_ = output(single).partition(b"\n")
    pieces = [path.read_bytes() for path in sorted(folder.glob("*.csv"))]
    assert len(pieces) > 2
    joined = b"".join(piece.removeprefix(header + b"\n") for piece in pieces)
    assert header + b"\n" + joined == output(single)


def test_rejected_rows_are_counted_and_written_with_their_place(tmp_path: Path) -> None:
    table = write_orders(tmp_path / "orders.csv", 3000, broken=(10, 2222))
    spec = job(tmp_path, FILTER, table, shard_size_bytes=10_000, bad_rows={"policy": "REJECT_ROW"})
    done = run(spec).succeeded
    assert (done.balance.read, done.balance.passed, done.balance.rejected) == (3000, 2998, 2)
    rejects = [artifact for artifact in done.artifacts if artifact.kind == "REJECTS"]
    assert [artifact.row_count for artifact in rejects] == [2]
    found = read((tmp_path / "output" / "rejects.csv").read_bytes())
    assert [int(row["row"]) for row in found] == [11, 2223]
    before = table.read_bytes()
    for row in found:
        assert before[: int(row["record_offset"])].count(b"\n") + 1 == int(row["line"])


def test_no_rejects_file_without_rejects(orders: Path, tmp_path: Path) -> None:
    spec = job(tmp_path, FILTER, orders, bad_rows={"policy": "REJECT_ROW"})
    assert [artifact.kind for artifact in run(spec).succeeded.artifacts] == ["OUTPUT"]
    assert [path.name for path in Path(spec.output_dir).iterdir()] == ["output.csv"]


@pytest.mark.parametrize("shards", [1, 2, 7, 64])
def test_first_bad_row_of_the_file_fails_the_job_whatever_the_shards(shards: int, tmp_path: Path) -> None:
    table = write_orders(tmp_path / "orders.csv", 3000, broken=(2800, 1500, 2999))
    whole = job(tmp_path, FILTER, table)
    spec = job(tmp_path, FILTER, table, **sharded(whole, shards))
    failure = run(spec, threads=4).failed.failure
    assert (failure.kind, failure.code) == ("DATA", "CAST")
    assert failure.detail["row"] == 1501
    offset = failure.detail["record_offset"]
    assert failure.detail["line"] == table.read_bytes()[:offset].count(b"\n") + 1
    assert "1,501" in failure.message
    assert not (tmp_path / "output" / "output.csv").exists()


def test_too_many_rejected_rows_fail_the_job_and_can_be_looked_at(tmp_path: Path) -> None:
    table = write_orders(tmp_path / "orders.csv", 3000, broken=range(100, 200))
    bad_rows = {"policy": "REJECT_ROW", "max_rejected_rows": 99}
    failed = run(job(tmp_path, FILTER, table, bad_rows=bad_rows)).failed
    assert (failed.failure.kind, failed.failure.code) == ("DATA", "REJECT_BUDGET_EXCEEDED")
    assert [artifact.kind for artifact in failed.artifacts] == ["REJECTS"]
    assert [path.name for path in (tmp_path / "output").iterdir()] == ["rejects.csv"]


def test_rejected_rows_within_the_budget_are_fine(tmp_path: Path) -> None:
    table = write_orders(tmp_path / "orders.csv", 1000, broken=range(10))
    bad_rows = {"policy": "REJECT_ROW", "max_rejected_rows": 10, "max_rejected_ratio": 0.01}
    assert run(job(tmp_path, FILTER, table, bad_rows=bad_rows)).succeeded.balance.rejected == 10


def test_wrong_sql_fails_with_words_for_its_author(orders: Path, tmp_path: Path) -> None:
    failure = run(job(tmp_path, "SELECT nothing_like_it FROM input", orders)).failed.failure
    assert (failure.kind, failure.code) == ("CONFIG", "UNKNOWN_COLUMN")
    assert "nothing_like_it" in failure.message


def test_changed_file_fails_before_anything_is_read(orders: Path, tmp_path: Path) -> None:
    table = tmp_path / "orders.csv"
    table.write_bytes(orders.read_bytes())
    spec = job(tmp_path, FILTER, table)
    table.write_bytes(orders.read_bytes()[:-20])
    events = run(spec)
    assert (events.failed.failure.kind, events.failed.failure.code) == ("STORAGE", "SOURCE_CHANGED")
    assert events.of(TaskStarted) == []


def test_header_without_rows_gives_a_header_without_rows(tmp_path: Path) -> None:
    table = write_orders(tmp_path / "orders.csv", 0)
    spec = job(tmp_path, "SELECT * FROM input", table)
    assert run(spec).succeeded.balance.read == 0
    assert output(spec) == b"id,region,amount,note\n"


def test_files_of_one_table_follow_each_other(tmp_path: Path) -> None:
    tables = [
        write_orders(tmp_path / f"{name}.csv", rows, broken=broken)
        for name, rows, broken in (("a", 500, ()), ("b", 400, (7,)))
    ]
    spec = job(
        tmp_path,
        "SELECT id, amount FROM input",
        *tables,
        shard_size_bytes=3000,
        bad_rows={"policy": "REJECT_ROW"},
    )
    done = run(spec).succeeded
    assert done.balance.read == 900
    assert [row["id"] for row in read(output(spec))] == [
        *map(str, range(500)),
        *(str(n) for n in range(400) if n != 7),
    ]
    [reject] = read((tmp_path / "output" / "rejects.csv").read_bytes())
    assert (Path(reject["file"]).name, reject["row"]) == ("b.csv", "8")


def test_output_goes_where_it_is_told(orders: Path, tmp_path: Path) -> None:
    spec = job(tmp_path, GROUP, orders)
    target = tmp_path / "elsewhere.csv"
    finish(local.start(spec, threads=1, target=str(target)), spec)
    assert len(read(target.read_bytes())) == 5
    assert not Path(spec.output_dir).exists()


def test_what_was_at_the_target_stays_when_the_job_fails(orders: Path, tmp_path: Path) -> None:
    target = tmp_path / "mine.csv"
    target.write_text("precious")
    table = write_orders(tmp_path / "orders.csv", 1000, broken=(999,))
    spec = job(tmp_path, FILTER, table)
    assert finish(local.start(spec, threads=1, target=str(target)), spec).failed
    assert target.read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.csv", "orders.csv"]


def test_standard_output_is_a_target(
    orders: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    spec = job(tmp_path, FILTER, orders, shard_size_bytes=50_000)
    finish(local.start(spec, threads=2, target="-"), spec)
    written = capfdbinary.readouterr().out
    run(spec)
    assert written == output(spec)


def test_canceled_job_stops_at_once_and_leaves_nothing(tmp_path: Path) -> None:
    table = tmp_path / "orders.csv"
    write_many_orders(table, megabytes=150)
    spec = job(tmp_path, SORT, table, shard_size_bytes=16 << 20)
    running = on_threads(2)(spec)
    events = told(running)
    for event in events:
        if isinstance(event, Progress) and event.bytes_read:
            running.cancel()
            break
    rest = list(events)
    assert isinstance(rest[-1], Canceled)
    assert running.join(2.0)
    assert not Path(spec.staging_dir).exists()
    assert list(tmp_path.iterdir()) == [table]


def test_cancel_at_any_event_leaves_all_or_nothing(orders: Path, tmp_path: Path) -> None:
    finals = set()
    for at in range(0, 60, 3):
        spec = job(tmp_path, FILTER, orders, **sharded(job(tmp_path, FILTER, orders), 16))
        running = on_threads(2)(spec)
        seen: list[Event] = []
        for event in told(running):
            if len(seen) == at:
                running.cancel()
            seen.append(event)
        assert isinstance(seen[-1], Canceled | Succeeded)
        finals.add(type(seen[-1]))
        assert running.join(2.0)
        assert not Path(spec.staging_dir).exists()
        left = [path.name for path in tmp_path.glob("output/*")]
        assert left == (["output.csv"] if isinstance(seen[-1], Succeeded) else [])
    assert finals == {Canceled, Succeeded}


def test_suspended_job_tells_no_end_and_keeps_its_staging(tmp_path: Path) -> None:
    table = tmp_path / "orders.csv"
    write_many_orders(table, megabytes=100)
    spec = job(tmp_path, FILTER, table, shard_size_bytes=8 << 20)
    running = on_threads(1)(spec)
    seen = []
    for event in told(running):
        seen.append(event)
        if isinstance(event, TaskFinished):
            running.suspend()
    assert running.join(5.0)
    assert not isinstance(seen[-1], Canceled)
    assert Path(spec.staging_dir).exists()
    assert not Path(spec.output_dir, "output.csv").exists()


@pytest.mark.parametrize("start", [on_threads(3), on_ray])
def test_shard_that_begins_in_a_quoted_table_runs_again(
    start: Start, tmp_path: Path, cluster: Cluster
) -> None:
    table = write_orders(tmp_path / "orders.csv", 2000)
    # Without a quote in it, nothing tells the text from records.
    trap = b"7,north,1.00,no record but text\n" * 20_000
    table.write_bytes(table.read_bytes() + b'2000,west,999.99,"' + trap + b'"\n' + order(2001))
    spec = job(tmp_path, FILTER, table, shard_size_bytes=100_000, bad_rows={"policy": "REJECT_ROW"})
    events = finish(start(spec), spec)
    assert (events.succeeded.balance.read, events.succeeded.balance.rejected) == (2002, 0)
    assert b'2000,999.99,"' + trap + b'"' in output(spec)
    misguessed = [event for event in events.of(TaskFailed) if event.failure.code == "SHARD_START_MISGUESSED"]
    assert misguessed
    again = {event.shard: event.attempt for event in events.of(TaskFinished)}
    assert all(event.will_retry and again[event.shard] > event.attempt for event in misguessed)


def test_no_task_fails_on_the_way(orders: Path, tmp_path: Path) -> None:
    events = run(job(tmp_path, FILTER, orders, shard_size_bytes=10_000))
    assert [event for event in events.of(TaskFailed) if event.failure.code != "SHARD_START_MISGUESSED"] == []
