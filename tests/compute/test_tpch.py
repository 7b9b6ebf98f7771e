"""The 22 queries of TPC-H over CSV and Parquet: in one task a table, over many, with tasks that fail, and by DuckDB."""

import csv
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from compute import local, tables
from compute.attempt import Ended, Message
from compute.commit import Targets
from compute.results import Attempt, TaskKey
from compute.run import Run
from compute.spec import Failure, JobSpec, TaskFailed
from karyaksham_engine.types import Source

from . import tpch
from .jobs import finish, on_threads, output

PARTITIONS = 16


@dataclass(frozen=True)
class Data:
    sources: tuple[Source, ...]
    duckdb: duckdb.DuckDBPyConnection


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    peer = duckdb.connect()
    sources = []
    for name, path in tpch.write(tmp_path_factory.mktemp("tpch")).items():
        sources.append(tables.inspect(tables.files_of([str(path)]), threads=2).source(name))
        rows = tpch.table(name)
        peer.register("rows", rows)
        peer.execute(f"CREATE TABLE {name} AS FROM rows")
    return Data(tuple(sources), peer)


def job(folder: Path, query: int, sources: Sequence[Source], shards: int) -> JobSpec:
    """`shards` of the largest table; of the others as many as have that size."""
    largest = max(file["size_bytes"] for source in sources for file in source["files"])
    sql = tpch.QUERIES[query]
    return JobSpec(
        job_id=f"tpch-{query}",
        sql=sql,
        sources=tuple(source for source in sources if source["name"] in sql),
        output={"format": "csv"},
        bad_rows={"policy": "FAIL_JOB"},
        staging_dir=str(folder / "staging"),
        output_dir=str(folder / "output"),
        shard_size_bytes=largest // shards,
        exchange_partitions=1 if shards == 1 else PARTITIONS,
    )


class Failing(local.Threads):
    """Every third task fails once before it works, and another third after it has."""

    def launch(self, attempt: Attempt) -> None:
        if attempt.number == 1 and self.fate(attempt.key) == 1:
            attempt = Attempt(**{**vars_of(attempt), "payload": b"lost"})
        super().launch(attempt)

    def wait(self, timeout_s: float) -> Sequence[Message]:
        return [self.judged(message) for message in super().wait(timeout_s)]

    def judged(self, message: Message) -> Message:
        if not isinstance(message, Ended) or message.attempt > 1 or not self.fate(message.key):
            return message
        return Ended(message.key, message.attempt, Failure("INFRASTRUCTURE", "LOST", "", retryable=True))

    @staticmethod
    def fate(key: TaskKey) -> int:
        return (key.stage * 7 + key.shard) % 3


def vars_of(attempt: Attempt) -> dict[str, Any]:
    return {name: getattr(attempt, name) for name in attempt._fields}


def failing(spec: JobSpec) -> Run:
    return Run(spec, lambda: Failing(2), Targets.of(spec, None, None), ())


def rows(text: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.decode(), newline="")))[1:]


def same(ours: str, theirs: Any) -> bool:
    if theirs is None:
        return ours == ""
    if isinstance(theirs, float | int | Decimal):
        return math.isclose(float(ours), float(theirs), rel_tol=1e-9, abs_tol=1e-5)
    return ours == (theirs.isoformat() if isinstance(theirs, date) else theirs)


@pytest.mark.parametrize("query", tpch.QUERIES)
def test_tpch_query_is_right_in_any_number_of_tasks(
    query: int, data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compute.schedule.BACKOFF_BASE_S", 0.001)
    made: dict[str, bytes] = {}
    runs: dict[str, tuple[int, Callable[[JobSpec], Run]]] = {
        "one": (1, on_threads(1)),
        "two": (2, on_threads(2)),
        "many": (16, on_threads(2)),
        "failing": (16, failing),
    }
    for name, (shards, start) in runs.items():
        spec = job(tmp_path / name, query, data.sources, shards)
        told = finish(start(spec), spec)
        assert told.succeeded, told.final
        failures = {event.failure.code for event in told.of(TaskFailed)} - {"SHARD_START_MISGUESSED"}
        assert failures == ({"LOST"} if name == "failing" else set())
        made[name] = output(spec)
    expected = data.duckdb.sql(tpch.QUERIES[query]).fetchall()
    found = rows(made["one"])
    assert len(found) == len(expected) > 0
    for ours, theirs in zip(found, expected, strict=True):
        assert all(map(same, ours, theirs)), (ours, theirs)
    assert made["two"] == made["one"]
    assert made["many"] == made["one"]
    assert made["failing"] == made["one"]
