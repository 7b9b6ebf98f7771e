"""Record indexes: made by jobs on the way, used by later ones, and never trusted."""

import gzip
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import karyaksham_engine as engine
from compute import files, indexes, local
from compute.commit import Targets
from compute.indexes import Indexes
from compute.job import Job
from compute.spec import JobSpec, Succeeded, TaskFailed
from karyaksham_engine.types import RecordIndex
from tests.compute.jobs import HEADER, Told, job, order

ROWS = 900_000
SQL = "SELECT id, region, note FROM input WHERE id % 5 = 1"
LINES = b'"' + b"x" * 120 + b'\nof two lines, ""quoted"""\n'


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Some 80 MB: many quoted notes of two lines, and rows that can't be read."""
    folder = tmp_path_factory.mktemp("big")
    with (folder / "orders.csv").open("wb") as file:
        file.write(HEADER)
        block = []
        for number in range(ROWS):
            if number % 1009 == 7:
                record = f"{number},broken\n".encode()
            elif number % 3 == 0:
                record = f"{number},north,{number % 1000}.25,".encode() + LINES
            else:
                record = order(number)
            block.append(record)
        file.write(b"".join(block))
    yield folder / "orders.csv"
    shutil.rmtree(folder)


def count_of(path: Path, folder: Path, name: str = "count", sql: str = SQL, **options: Any) -> JobSpec:
    options = {"bad_rows": {"policy": "REJECT_ROW"}, "index_dir": str(folder / "indexes"), **options}
    return job(folder / name, sql, path, job_id=name, **options)


def run(spec: JobSpec) -> Told:
    return Told(list(local.start(spec, threads=2).follow()))


def known(spec: JobSpec) -> RecordIndex | None:
    (source,) = Indexes(spec.index_dir, spec.sources).known(spec.sources)
    return source["files"][0].get("index")


def known_marks(spec: JobSpec) -> list[tuple[int, int]]:
    found = known(spec)
    assert found is not None
    return [(offset, row) for offset, row in found["marks"]]


def result(told: Told) -> bytes:
    return b"".join(Path(artifact.path).read_bytes() for artifact in told.succeeded.artifacts)


def test_a_job_leaves_an_index_that_the_next_one_cuts_by(big: Path, tmp_path: Path) -> None:
    first = count_of(big, tmp_path, "first", shard_size_bytes=9_000_000)
    told = run(first)
    assert told.succeeded.balance.read == ROWS
    found = known(first)
    assert found is not None and found["rows"] == ROWS and len(found["marks"]) >= 6
    text = big.read_bytes()
    for offset, row in found["marks"]:
        assert text[offset:].startswith(f"{row},".encode()), (offset, row)
    # Cut by the index no shard guesses, at other sizes too, and what comes out is the same.
    for number, shard_size in enumerate((9_000_000, 20_000_000, None)):
        later = count_of(big, tmp_path, f"later-{number}", shard_size_bytes=shard_size)
        again = run(later)
        assert not again.of(TaskFailed)
        planned = count_of(big, tmp_path, f"planned-{number}", shard_size_bytes=shard_size)
        assert {type(start) for start in starts(planned)} == {dict}
        assert result(again) == result(told)
    assert "guess" in starts(count_of(big, tmp_path, "plain", shard_size_bytes=9_000_000, index_dir=None))


def test_an_index_that_is_wrong_costs_time_and_nothing_else(big: Path, tmp_path: Path) -> None:
    spec = count_of(big, tmp_path, "first")
    right = result(run(spec))
    (kept,) = (tmp_path / "indexes").iterdir()
    header, _ = kept.read_text().split("\n")
    wrong = [[offset, offset // 80] for offset in range(16_000_001, 60_000_000, 16_000_000)]
    kept.write_text(header + "\n" + json.dumps(wrong))
    assert len(known_marks(spec)) == len(wrong)
    told = run(count_of(big, tmp_path, "second", shard_size_bytes=16_000_000))
    assert result(told) == right and told.succeeded.balance.read == ROWS
    assert len(known_marks(spec)) >= 4 and known_marks(spec)[0] != tuple(wrong[0])


@pytest.mark.parametrize(
    "damage",
    ["", "{", "[]\n[]", '{"rows": 1}\n[]', "null\nnull", "\n[[1,2],[1,2]]", '\n[["1",2]]', "\n[[5]]"],
)
def test_a_damaged_index_is_none(big: Path, tmp_path: Path, damage: str) -> None:
    spec = count_of(big, tmp_path)
    stored = Indexes(spec.index_dir, spec.sources)
    stored.keep(spec.sources[0], 0, {"rows": 3, "marks": [(40, 1)]})
    assert known_marks(spec) == [(40, 1)]
    (kept,) = (tmp_path / "indexes").iterdir()
    header, _ = kept.read_text().split("\n")
    kept.write_text(header + damage if damage.startswith("\n") else damage)
    assert known(spec) is None


def test_an_index_of_another_version_or_reading_is_ignored_and_swept(big: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.csv"
    shutil.copy2(big, copy)
    spec = count_of(copy, tmp_path)
    stored = Indexes(spec.index_dir, spec.sources)
    stored.keep(spec.sources[0], 0, {"rows": 3, "marks": []})
    assert known(spec) is not None
    source: Any = spec.sources[0]
    for dialect in ({**source["dialect"], "quote": None}, {**source["dialect"], "has_header": False}):
        other_way: Any = {**source, "dialect": dialect}
        assert known(spec._replace(sources=(other_way,))) is None
    os.utime(copy, ns=(1, 1))
    assert known(spec) is None
    # What was begun before the change is not kept after it.
    stored.keep(spec.sources[0], 0, {"rows": 4, "marks": []})
    assert known(spec) is None
    other = count_of(big, tmp_path)
    Indexes(spec.index_dir, other.sources).keep(other.sources[0], 0, {"rows": 5, "marks": []})
    assert len(list((tmp_path / "indexes").iterdir())) == 1
    assert known(other) is not None


def test_small_files_and_jobs_without_a_folder_have_no_index(big: Path, tmp_path: Path) -> None:
    small = tmp_path / "small.csv"
    small.write_bytes(HEADER + order(1))
    run(count_of(small, tmp_path, "small"))
    run(count_of(big, tmp_path, "none", index_dir=None))
    assert not (tmp_path / "indexes").exists()


def test_a_folder_that_can_not_be_written_fails_no_job(big: Path, tmp_path: Path) -> None:
    (tmp_path / "indexes").write_text("a file, no folder")
    assert isinstance(run(count_of(big, tmp_path)).final, Succeeded)


def test_compressed_text_has_an_index_of_its_text(
    big: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexes, "LEAST_BYTES", 1 << 10)
    packed = tmp_path / "orders.csv.gz"
    with gzip.open(packed, "wb", compresslevel=1) as file:
        file.write(big.read_bytes())
    spec = count_of(packed, tmp_path)
    assert run(spec).succeeded.balance.read == ROWS
    found = known(spec)
    assert found is not None and found["rows"] == ROWS and len(found["marks"]) >= 3
    text = big.read_bytes()
    assert all(text[offset:].startswith(f"{row},".encode()) for offset, row in found["marks"])
    (source,) = Indexes(spec.index_dir, spec.sources).known(spec.sources)
    shown = files.preview(source, 5, offset=777_000)
    assert shown["row_count"] == ROWS and shown["row_numbers"][0] == 777_001
    assert [row[0] for row in shown["rows"]] == [number - 1 for number in shown["row_numbers"]]


def test_a_job_that_goes_on_is_cut_as_it_was(big: Path, tmp_path: Path) -> None:
    spec = count_of(big, tmp_path, "first", shard_size_bytes=9_000_000)
    before = digests(spec)
    run(count_of(big, tmp_path, "between", shard_size_bytes=9_000_000))
    assert known(spec) is not None
    assert digests(spec) == before
    assert digests(spec._replace(staging_dir=str(tmp_path / "new"))) != before


def tasks(spec: JobSpec) -> list[engine.Task]:
    """Those that a start of the job plans."""
    executor = local.Threads(2)
    planned = Job(spec, executor, Targets.of(spec, None, None), (), lambda _event: None)
    planned.close(keep_artifacts=False)
    executor.stop()
    return list(planned._tasks.values())


def digests(spec: JobSpec) -> list[str]:
    return [task.digest for task in tasks(spec)]


def starts(spec: JobSpec) -> list[Any]:
    """How the shards of its first stage find their first records: {"exact": offset}, or "guess"."""
    payloads = [json.loads(task.payload) for task in tasks(spec) if task.stage == 0]
    return [payload["work"]["scan"]["piece"]["text"]["start"] for payload in payloads]
