"""The harness itself: a wrong result must not pass, and a process must be told what it used."""

import hashlib
import sys
from pathlib import Path

import pytest

from tests.bench.bench import Contender, compare, verdict
from tests.bench.data import STATIONS, write_stations
from tests.bench.measure import run
from tests.bench.verify import main as verify
from tests.bench.workloads import TABLES, WORKLOADS

HEADER = "station,lowest,mean,highest\n"


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    path = tmp_path / "reference.csv"
    path.write_text(HEADER + "Bogotá,-1.5,10.25,20.0\nIași,0.5,0.5,0.5\n")
    return path


def told(reference: Path, rows: str) -> str | int | None:
    other = reference.with_name("other.csv")
    other.write_text(HEADER + rows)
    try:
        verify(WORKLOADS["W5"], str(reference), str(other))
    except SystemExit as exit:
        return exit.code
    return None


def test_order_and_last_digits_do_not_matter(reference: Path) -> None:
    assert told(reference, "Iași,0.50,0.5,0.5\nBogotá,-1.5,10.25000000001,20\n") is None


@pytest.mark.parametrize(
    ("rows", "difference"),
    [
        ("Bogotá,-1.5,10.25,20.0\n", "1 rows instead of 2"),
        ("Bogotá,-1.5,10.2501,20.0\nIași,0.5,0.5,0.5\n", "other values in mean"),
        ("Bogota,-1.5,10.25,20.0\nIași,0.5,0.5,0.5\n", "other values in station"),
        ("Bogotá,,10.25,20.0\nIași,0.5,0.5,0.5\n", "other values in lowest"),
    ],
)
def test_a_wrong_result_is_told(reference: Path, rows: str, difference: str) -> None:
    assert told(reference, rows) == difference


def test_stations_are_the_same_bytes_each_time(tmp_path: Path) -> None:
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    write_stations(first, 20_000)
    write_stations(second, 20_000)
    lines = first.read_text().splitlines()
    assert hashlib.sha256(first.read_bytes()).digest() == hashlib.sha256(second.read_bytes()).digest()
    assert lines[0].split(",") == list(TABLES["stations"])
    assert len(lines) == 20_001
    assert len({line.partition(",")[0] for line in lines[1:]}) == STATIONS


def test_a_run_tells_memory_and_failure(tmp_path: Path) -> None:
    done = run([sys.executable, "-c", "x = bytearray(200_000_000)"], tmp_path)
    failed = run([sys.executable, "-c", "raise SystemExit('no such table')"], tmp_path)
    assert done.fault is None
    assert done.peak_bytes > 200_000_000
    assert 0 < done.cpu_s < 60
    assert failed.fault == "exit status 1: no such table"


def test_a_contender_with_another_result_is_not_compared(tmp_path: Path) -> None:
    source = tmp_path / "stations.csv"
    source.write_text("station,temp\nBogotá,1.5\nBogotá,2.5\n")
    right, wrong = HEADER + "Bogotá,1.5,2.0,2.5\n", HEADER + "Bogotá,1.5,2.0,2.4\n"

    def contender(name: str, text: str) -> Contender:
        output = tmp_path / f"{name}.csv"
        write = f"open({str(output)!r}, 'w').write({text!r})"
        return Contender(name, [sys.executable, "-c", write], output)

    contenders = [
        contender("karyaksham", wrong),
        contender("duckdb typed", right),
        contender("polars typed", right),
    ]
    compare("W5", contenders, source, 1)
    assert contenders[0].fault == "another result than duckdb typed"
    assert [c.fault for c in contenders[1:]] == [None, None]
    assert len(contenders[1].runs) == 1
    assert verdict(contenders) == "nothing to compare: a result is missing"
