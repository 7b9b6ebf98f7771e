"""Compressed files through the Python surface: told by content, read as one shard, accounted for in stored bytes."""

import bz2
import gzip
from pathlib import Path

import pytest

import karyaksham_engine as engine

from .conftest import Runner

ROWS = "".join(f'{n},"town {n % 7}\nnorth",{n}.25\n' for n in range(40_000))
TEXT = f"id,city,amount\n{ROWS}"
SQL = "SELECT city, count(*) AS n, sum(amount) AS s FROM t GROUP BY city ORDER BY city"


@pytest.mark.parametrize(("name", "stored"), [("gzip", gzip.compress), ("bzip2", bz2.compress)])
def test_a_compressed_file_gives_what_its_text_gives(runner: Runner, name: str, stored: type[bytes]) -> None:
    plain = runner.run(runner.job(SQL, runner.source("t", TEXT)))
    path = runner.folder / "t.dat"
    path.write_bytes(stored(TEXT.encode()))
    source = runner.inspected("t", path)
    assert source["dialect"] is not None
    assert source["dialect"]["compression"] == name
    assert f"the file begins as {name} data does" in source["dialect"]["evidence"]
    assert [column["type"] for column in source["columns"]] == ["Int64", "Utf8", "Decimal128(18, 2)"]
    job = runner.job(SQL, source, shard_size=1000)
    tasks = engine.plan(job).tasks(0)
    assert [(task.bytes_total, task.header_lines) for task in tasks] == [(path.stat().st_size, 1)]
    assert runner.run(job) == plain
    report = runner.outcomes[-2].report
    assert report is not None
    assert report["end"] == report["hi"] == len(TEXT)
    assert report["rows_read"] == report["rows_passed"] == 40_000


def test_progress_counts_stored_bytes_to_the_last(runner: Runner) -> None:
    path = runner.folder / "t.csv.gz"
    path.write_bytes(gzip.compress(TEXT.encode()))
    task = engine.plan(runner.job("SELECT count(*) FROM t", runner.inspected("t", path))).tasks(0)[0]
    progress = engine.Progress()
    engine.run_task(task.payload, runner.context(progress=progress))
    assert progress.bytes_read == task.bytes_total == path.stat().st_size
    assert progress.rows_read == 40_000


def test_several_members_are_one_text_and_anything_else_after_them_is_an_error(runner: Runner) -> None:
    path = runner.folder / "t.csv.gz"
    path.write_bytes(gzip.compress(b"id,v\n1,2\n") + gzip.compress(b"2,3\n4,5\n"))
    assert runner.run(runner.job("SELECT sum(v) AS s FROM t", runner.inspected("t", path))) == "s\n10\n"
    path.write_bytes(path.read_bytes() + b"and more than a header")
    with pytest.raises(engine.SourceError, match="gzip data is damaged near byte") as caught:
        runner.inspected("t", path)
    assert caught.value.code == "CORRUPT_FILE"


def test_a_truncated_file_fails_the_task_and_says_where(runner: Runner) -> None:
    path = runner.folder / "t.csv.gz"
    whole = gzip.compress(TEXT.encode())
    path.write_bytes(whole)
    source = runner.inspected("t", path)
    path.write_bytes(whole[:-5])
    with pytest.raises(engine.SourceError, match="ends too early"):
        runner.inspected("t", path)
    source["files"][0]["size_bytes"] -= 5
    task = engine.plan(runner.job("SELECT count(*) FROM t", source)).tasks(0)[0]
    with pytest.raises(engine.SourceError, match="ends too early") as caught:
        engine.run_task(task.payload, runner.context())
    assert (caught.value.code, caught.value.detail["file"]) == ("TRUNCATED_FILE", str(path))
    assert str(len(whole) - 5) in str(caught.value)


def test_a_limit_of_the_job_holds_for_what_is_decompressed(runner: Runner) -> None:
    path = runner.folder / "t.csv.gz"
    path.write_bytes(gzip.compress(TEXT.encode()))
    job = runner.job("SELECT count(*) FROM t", runner.inspected("t", path))
    job["max_text_bytes"] = len(TEXT) // 2
    with pytest.raises(engine.SourceError, match="more than the limit") as caught:
        engine.run_task(engine.plan(job).tasks(0)[0].payload, runner.context())
    assert caught.value.code == "DECOMPRESSION_LIMIT"


def test_preview_and_profile_read_compressed_files(runner: Runner) -> None:
    path = runner.folder / "t.csv.bz2"
    path.write_bytes(bz2.compress(TEXT.encode()))
    source = runner.inspected("t", path)
    assert engine.preview(source, limit=1)["rows"] == [[0, "town 0\nnorth", 0.25]]
    assert engine.profile(source)[0]["count"] == 40_000


def test_a_compression_can_be_asked_for_and_must_be_there(runner: Runner, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(engine.SourceError, match="should be gzip, and is not compressed"):
        engine.sniff(str(path), dialect={"compression": "gzip"})
    with pytest.raises(engine.InvalidJob, match="no compression called"):
        engine.sniff(str(path), dialect={"compression": "rar"})
    path.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    found = engine.sniff(str(path), dialect={"compression": "gzip"})["dialect"]
    assert found is not None and found["compression"] == "gzip"
    with pytest.raises(engine.SourceError):
        engine.sniff(str(path), dialect={"compression": None})
