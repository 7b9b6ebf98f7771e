"""The harness itself: a wrong result must not pass, a process must be told what it used, the page must say what was."""

import hashlib
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bench import report
from tests.bench.bench import compare
from tests.bench.contenders import ENGINES, OURS, Contender
from tests.bench.data import FILES, STATIONS, write_stations
from tests.bench.data_events import write_events
from tests.bench.data_messy import write_messy
from tests.bench.measure import run
from tests.bench.verify import Signature, difference, sign
from tests.bench.workloads import LINEITEM, TABLES, WORKLOADS

HEADER = "station,lowest,mean,highest\n"
WIDE = ",".join(LINEITEM) + "\n"
ROW = "{},7,1,1,17.00,{:.2f},0.04,0.02,N,O,1996-03-13,1996-02-12,1996-03-22,NONE,AIR,about\n"
SHA_256 = {
    # Of 1,000 rows.
    "stations": "51a24ca72b727e28ac6ec3e67af181d41bea56fc3168773a2eaaea7d50495987",
    "messy": "9943f611f910041a7b11408fb341fcaceea961cc8a4d0c3f5f6cdcd97517a347",
    "events": "e5f38c7151f0b6b2ff55f895360ec1c986f7e98a390941f6cc89e04fe341dec3",
}


def told(folder: Path, name: str, expected: str, found: str) -> str | None:
    """What `verify` says of two results of a workload."""
    signatures: list[Signature] = []
    for text in (expected, found):
        path = folder / f"{len(signatures)}.csv"
        path.write_text(text)
        signatures.append(sign(WORKLOADS[name], path))
    return difference(WORKLOADS[name], *signatures)


def small(folder: Path, rows: str) -> str | None:
    return told(folder, "W5", HEADER + "Bogotá,-1.5,10.25,20.0\nIași,0.5,0.5,0.5\n", HEADER + rows)


def test_order_and_last_digits_do_not_matter(tmp_path: Path) -> None:
    assert small(tmp_path, "Iași,0.50,0.5,0.5\nBogotá,-1.5,10.25000000001,20\n") is None


@pytest.mark.parametrize(
    ("rows", "difference"),
    [
        ("Bogotá,-1.5,10.25,20.0\n", "1 rows instead of 2"),
        ("Bogotá,-1.5,10.2501,20.0\nIași,0.5,0.5,0.5\n", "other values in mean"),
        ("Bogota,-1.5,10.25,20.0\nIași,0.5,0.5,0.5\n", "other values in station"),
        ("Bogotá,,10.25,20.0\nIași,0.5,0.5,0.5\n", "other values in lowest"),
    ],
)
def test_a_wrong_small_result_is_told(tmp_path: Path, rows: str, difference: str) -> None:
    assert small(tmp_path, rows) == difference


def test_a_large_result_is_told_by_its_rows_in_any_order(tmp_path: Path) -> None:
    first, second = ROW.format(1, 2.5), ROW.format(2, 1.5)
    expected = WIDE + first + second
    assert told(tmp_path, "W3", expected, WIDE + second + first.replace("17.00", "17")) is None
    assert told(tmp_path, "W3", expected, WIDE + first) == "1 rows instead of 2"
    swapped = WIDE + ROW.format(1, 1.5) + ROW.format(2, 2.5)
    assert told(tmp_path, "W3", expected, swapped) == "other values"


def test_rows_out_of_order_are_told_where_order_is_asked_for(tmp_path: Path) -> None:
    first, second = ROW.format(1, 2.5), ROW.format(2, 1.5)
    assert told(tmp_path, "W7", WIDE + first + second, WIDE + first + second) is None
    assert told(tmp_path, "W7", WIDE + first + second, WIDE + second + first) == "rows out of order"


def test_estimates_need_only_be_near(tmp_path: Path) -> None:
    header = ",".join(WORKLOADS["W13"].result) + "\n"
    line = header + "l_tax,0,0.0,0.08,{}\n"
    assert told(tmp_path, "W13", line.format(1000), line.format(1100)) is None
    assert told(tmp_path, "W13", line.format(1000), line.format(2000)) == "other values in distinct"


def test_stations_are_the_same_bytes_each_time(tmp_path: Path) -> None:
    path = tmp_path / "stations.csv"
    write_stations(path, 20_000)
    lines = path.read_text().splitlines()
    assert lines[0].split(",") == list(TABLES["stations"])
    assert len(lines) == 20_001
    assert len({line.partition(",")[0] for line in lines[1:]}) == STATIONS


def test_files_are_the_same_bytes_everywhere(tmp_path: Path) -> None:
    write_stations(tmp_path / "stations", 1000)
    write_messy(tmp_path / "messy", 1000)
    write_events(tmp_path / "events", 1000)
    found = {name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in SHA_256}
    assert found == SHA_256


def test_every_workload_has_its_files_and_a_query_for_every_engine() -> None:
    from tests.bench import peer_daft, peer_polars

    assert {file for workload in WORKLOADS.values() for file in workload.files} == set(FILES)
    assert list(peer_polars.QUERIES) == list(peer_daft.QUERIES)
    assert set(peer_polars.QUERIES) == set(WORKLOADS)


def test_a_run_tells_memory_and_failure(tmp_path: Path) -> None:
    done = run([sys.executable, "-c", "x = bytearray(200_000_000)"], tmp_path, sample=True)
    failed = run([sys.executable, "-c", "raise SystemExit('no such table')"], tmp_path)
    assert done.fault is None
    assert done.peak_bytes > 200_000_000
    assert 0 < done.own_bytes <= done.peak_bytes
    assert 0 < done.cpu_s < 60
    assert failed.fault == "exit status 1: no such table"


@pytest.fixture
def measured(tmp_path: Path) -> list[Contender]:
    """Ours with a wrong result, and two others that are right."""
    right, wrong = HEADER + "Bogotá,1.5,2.0,2.5\n", HEADER + "Bogotá,1.5,2.0,2.4\n"
    contenders = []
    for engine, reading, text in (
        (OURS, "auto", wrong),
        ("duckdb", "typed", right),
        ("polars", "auto", right),
    ):
        output = tmp_path / f"{engine}.csv"
        write = f"open({str(output)!r}, 'w').write({text!r})"
        contenders.append(Contender(engine, reading, [sys.executable, "-c", write], output))
    assert compare("W5", contenders, 1) == contenders[1].signature
    return contenders


def test_a_contender_with_another_result_is_not_compared(measured: list[Contender]) -> None:
    assert [c.fault for c in measured] == ["wrong result: other values in highest", None, None]
    assert [len(c.runs) for c in measured] == [0, 1, 1]
    assert not any(c.output.exists() for c in measured)
    figures = {"contenders": [c.figures() for c in measured], "bytes": 10}
    assert report.verdict(figures) == "not yet: wrong result: other values in highest"
    assert "karyaksham       not yet: wrong result" in report.table(figures)


def figures(ours: dict[str, Any], fastest_s: float) -> report.Figures:
    """Of one workload, in which DuckDB is the best of the others."""
    sound = {"reading": "typed", "first_s": 3.0, "seconds": [2.0], "cpu_s": 3.0, "rows": 4}
    memory = {"peak_bytes": 100_000_000, "own_bytes": 50_000_000}
    others = [
        {"engine": engine, **sound, **memory, "median_s": fastest_s * (1 + i)}
        for i, engine in enumerate(ENGINES)
    ]
    others[-1] = {"engine": "daft", "reading": "auto", "fault": "no such type"}
    told = {"contenders": [{"engine": OURS, **sound, **memory, **ours}, *others], "bytes": 10}
    conditions = {"cpu": "A CPU", "cpus": 2, "memory_bytes": 1 << 34, "system": "Linux", "python": "3.11"}
    conditions |= {
        "threads": 2,
        "runs": 5,
        "scale": 1,
        "memory_limit_bytes": 1 << 30,
        "versions": {OURS: "1"},
    }
    return {"conditions": conditions, "workloads": {"W4": told}}


def test_the_page_keeps_what_is_around_the_figures_and_says_where_we_lose(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"# Before\n\n{report.BEGIN}\nold\n{report.END}\n\nAfter.\n")
    report.write(page, figures({"median_s": 1.0}, 0.5))
    text = page.read_text()
    assert text.startswith("# Before\n") and text.endswith("After.\n") and "old" not in text
    assert "- W4: DuckDB takes 0.50 s, ours 1.00 s (2.00 times as long)." in text
    assert "- W4, Daft auto: no such type" in text
    assert "| W4 group by two columns (TPC-H Q1) | 1.00 | **0.50** |" in text
    assert "0.50 (DuckDB)" in text
    assert "W4 DuckDB: 0.50 times ours" in report.plot_of(page).read_text()
    report.write(page, figures({"median_s": 1.0, "own_bytes": 80_000_000}, 2.0))
    assert "- W4: DuckDB needs 50 MB of its own, ours 80 MB." in page.read_text()
    report.write(page, figures({"fault": "NDJSON is not read"}, 2.0))
    assert "- W4: ours does not do it yet (NDJSON is not read)." in page.read_text()
    report.write(page, figures({"median_s": 1.0}, 2.0))
    assert "- Nowhere in this run." in page.read_text()
