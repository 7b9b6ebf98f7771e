"""Sources that must not change, and the staging folder."""

import os
from pathlib import Path

import pytest

from compute.results import Piece, TaskKey, TaskResult, from_record, to_record
from compute.workspace import Staging, check_unchanged, look, remove_staging
from karyaksham_engine.errors import SourceError
from karyaksham_engine.types import Source


def source(path: Path, size_bytes: int) -> Source:
    return {
        "name": "input",
        "format": "csv",
        "files": [{"path": str(path), "size_bytes": size_bytes}],
        "columns": [],
    }


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"a,b\n1,2\n")
    return path


def test_file_of_another_size_has_changed(table: Path) -> None:
    with pytest.raises(SourceError) as caught:
        look([source(table, 7)])
    assert caught.value.code == "SOURCE_CHANGED"
    assert str(table.parent) not in caught.value.message


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        look([source(tmp_path / "gone.csv", 7)])
    assert (caught.value.code, "gone.csv" in caught.value.message) == ("SOURCE_NOT_FOUND", True)


def test_file_that_was_written_meanwhile_has_changed(table: Path) -> None:
    seen = look([source(table, 8)])
    check_unchanged(seen)
    stat = table.stat()
    os.utime(table, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000))
    with pytest.raises(SourceError) as caught:
        check_unchanged(seen)
    assert caught.value.code == "SOURCE_CHANGED"


def test_sweep_keeps_what_is_reused_and_the_new_run(tmp_path: Path) -> None:
    old = Staging(str(tmp_path / "staging"))
    kept, lost = (Path(old.attempt(TaskKey(0, shard), 1)) / "part" for shard in (0, 1))
    for path in (kept, lost):
        path.parent.mkdir(parents=True)
        path.write_text("rows")
    dead = Staging(old.folder)
    new = Staging(old.folder)
    fresh = Path(new.attempt(TaskKey(0, 1), 1))
    fresh.mkdir(parents=True)
    new.sweep({str(kept)})
    assert (kept.exists(), lost.exists(), fresh.exists()) == (True, False, True)
    assert not Path(dead.attempt(TaskKey(0, 0), 1)).parents[2].exists()
    remove_staging(old.folder)
    assert not Path(old.folder).exists()


def test_attempts_of_two_runs_never_share_a_folder(tmp_path: Path) -> None:
    first, second = Staging(str(tmp_path)), Staging(str(tmp_path))
    assert first.attempt(TaskKey(0, 0), 1) != second.attempt(TaskKey(0, 0), 1)


def finished(folder: Path) -> TaskResult:
    path = folder / "run" / "part"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("rows")
    return TaskResult(None, Piece("part", 1, 4, str(path)), None, None, None, rows_written=1)


def test_record_gives_the_result_back(tmp_path: Path) -> None:
    result = finished(tmp_path)
    record = to_record(result, staging_dir=str(tmp_path), digest="d")
    assert from_record(record, staging_dir=str(tmp_path), digest="d") == result


def test_record_is_refused_for_another_plan_another_engine_or_other_files(tmp_path: Path) -> None:
    result = finished(tmp_path)
    record = to_record(result, staging_dir=str(tmp_path), digest="d")
    assert from_record(record, staging_dir=str(tmp_path), digest="other") is None
    assert from_record(record | {"engine": "0.0.0"}, staging_dir=str(tmp_path), digest="d") is None
    assert from_record({}, staging_dir=str(tmp_path), digest="d") is None
    (tmp_path / "run" / "part").write_text("ro")
    assert from_record(record, staging_dir=str(tmp_path), digest="d") is None
    (tmp_path / "run" / "part").unlink()
    assert from_record(record, staging_dir=str(tmp_path), digest="d") is None


def test_rows_in_memory_leave_no_record() -> None:
    held = TaskResult(None, Piece("part", 1, 4, None), None, None, None, rows_written=1)
    assert to_record(held, staging_dir="anywhere", digest="d") == {}
