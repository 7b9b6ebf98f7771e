"""Tables and jobs for tests of compute, and what every run must keep to."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import compute
from compute import files, local
from compute.run import Run
from compute.spec import (
    Canceled,
    Event,
    Failed,
    Finalizing,
    JobSpec,
    Progress,
    Succeeded,
    TaskFailed,
    TaskFinished,
    TaskStarted,
)
from karyaksham_engine.types import Column

REGIONS = ("north", "south", "east", "west", "middle")
HEADER = b"id,region,amount,note\n"
COLUMNS: list[Column] = [
    {"name": "id", "type": "Int64", "nullable": True},
    {"name": "region", "type": "Utf8", "nullable": True},
    {"name": "amount", "type": "Decimal128(18, 2)", "nullable": True},
    {"name": "note", "type": "Utf8", "nullable": True},
]

GROUP = "SELECT region, count(*) AS orders, sum(amount) AS total FROM input GROUP BY region ORDER BY region"
MANY_GROUPS = "SELECT id, note, count(*) AS n, sum(amount) AS total FROM input GROUP BY id, note"
FILTER = "SELECT id, amount, note FROM input WHERE amount > 500"
TOP = "SELECT id, region, amount FROM input ORDER BY amount DESC, id LIMIT 25"
SORT = "SELECT region, id FROM input WHERE amount < 300 ORDER BY region, amount DESC, id"

SLOW = "SELECT *, regexp_replace(note, '(l|i|n|e)+', 'x', 'g') AS other FROM input ORDER BY other, amount, id"

Start = Callable[[JobSpec], Run]
Kind = TypeVar("Kind")


def order(number: int) -> bytes:
    """One record; every seventh has a note of two lines with a comma and a quote in it."""
    note = f'"line one, of {number}\nsaid ""two"""' if number % 7 == 3 else f"plain {number % 11}"
    cents = (number * 7919) % 100000
    return f"{number},{REGIONS[number % 5]},{cents // 100}.{cents % 100:02},{note}\n".encode()


def write_orders(path: Path, rows: int, *, broken: Sequence[int] = ()) -> Path:
    """A table of `rows` rows; those whose numbers are in `broken` (from 0) have no amount that is a number."""
    with path.open("wb") as file:
        file.write(HEADER)
        for number in range(rows):
            record = order(number)
            file.write(record.replace(b",", b",x", 2) if number in broken else record)
    return path


def write_many_orders(path: Path, *, megabytes: int) -> int:
    """A table of the same thousand rows over and over, quickly. Returns how many rows it has."""
    block = b"".join(order(number) for number in range(1000))
    times = megabytes * 1_000_000 // len(block)
    with path.open("wb") as file:
        file.write(HEADER)
        for _ in range(times):
            file.write(block)
    return times * 1000


def job(folder: Path, sql: str, *tables: Path, job_id: str = "test", **options: Any) -> JobSpec:
    """A job on `tables` as one source called `input`, with its folders below `folder`."""
    sniffed = files.inspect(str(tables[0]), columns=COLUMNS)
    source: Any = {
        "name": "input",
        "format": sniffed["format"],
        "files": [{"path": str(table), "size_bytes": table.stat().st_size} for table in tables],
        "dialect": sniffed["dialect"],
        "columns": sniffed["columns"],
    }
    bad_rows = options.pop("bad_rows", {"policy": "FAIL_JOB"})
    return JobSpec(
        job_id=job_id,
        sql=sql,
        sources=(source,),
        output=options.pop("output", {"format": "csv"}),
        bad_rows=bad_rows,
        staging_dir=str(folder / "staging"),
        output_dir=str(folder / "output"),
        **options,
    )


def sharded(spec: JobSpec, shards: int) -> dict[str, Any]:
    """The option that cuts the first file of `spec` into so many shards."""
    return {"shard_size_bytes": -(-spec.sources[0]["files"][0]["size_bytes"] // shards)}


def on_threads(threads: int = 2) -> Start:
    return lambda spec: local.start(spec, threads=threads)


def on_ray(spec: JobSpec) -> Run:
    return compute.start(spec)


@dataclass
class Told:
    """Everything that a run told."""

    events: list[Event] = field(default_factory=list)

    def of(self, kind: type[Kind]) -> list[Kind]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def final(self) -> Event:
        return self.events[-1]

    @property
    def succeeded(self) -> Succeeded:
        assert isinstance(self.final, Succeeded), self.final
        return self.final

    @property
    def failed(self) -> Failed:
        assert isinstance(self.final, Failed), self.final
        return self.final


def told(run: Run) -> Iterator[Event]:
    """The events of `run`, with a check of what holds for every run."""
    fraction, final = 0.0, False
    for event in run.follow():
        assert not final, "an event after the final one"
        final = isinstance(event, Succeeded | Failed | Canceled)
        if isinstance(event, Progress):
            assert fraction <= event.fraction <= 1.0
            fraction = event.fraction
        if isinstance(event, Finalizing):
            assert fraction < 1.0
        if isinstance(event, Succeeded):
            assert fraction == 1.0
            assert event.balance.closes
        else:
            assert fraction < 1.0 or isinstance(event, Progress)
        yield event


def finish(run: Run, spec: JobSpec) -> Told:
    """Follow `run` to its end, after which nothing of it may be left in staging."""
    everything = Told(list(told(run)))
    assert run.join(30.0)
    assert not Path(spec.staging_dir).exists()
    started = {(event.stage, event.shard, event.attempt) for event in everything.of(TaskStarted)}
    ended = [
        (event.stage, event.shard, event.attempt)
        for event in everything.events
        if isinstance(event, TaskFinished | TaskFailed)
    ]
    assert len(ended) == len(set(ended))
    assert set(ended) <= started
    return everything


def output(spec: JobSpec) -> bytes:
    return (Path(spec.output_dir) / "output.csv").read_bytes()
