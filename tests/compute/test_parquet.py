"""Parquet out, as other programs read it."""

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from compute import local, spec, tables

ROWS = 70_000


def value(column: str, row: int) -> str:
    """The fields of a table whose columns are encoded in every way there is; some are empty, which is null."""
    mixed = row * 2_654_435_761 % 2**32
    if mixed % 11 == 0 and column != "id":
        return ""
    values = {
        "id": str(row * 3),
        "far": str((mixed - 2**31) * 4_000_000_007 // 2),
        "day": f"20{mixed % 90 + 10}-{mixed % 12 + 1:02}-{mixed % 28 + 1:02}",
        "price": f"{mixed % 10_000_000 / 100:.2f}",
        "share": f"{mixed / 7}",
        "is_new": str(mixed % 2 == 0).lower(),
        "mode": ["AIR", "RAIL", "A TRUCK ON THE ROAD", "é"][mixed % 4],
        "grows": f"w{mixed % 5}" if row < 20_000 else f"{mixed:x} is a word of its own",
        "note": f"{mixed:032b} {'日' * (mixed % 40)}",
    }
    return values[column]


@pytest.fixture(scope="module")
def csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("parquet") / "table.csv"
    columns = ["id", "far", "day", "price", "share", "is_new", "mode", "grows", "note"]
    with path.open("w") as file:
        file.write(",".join(columns) + "\n")
        for row in range(ROWS):
            file.write(",".join(value(column, row) for column in columns) + "\n")
    return path


def written(csv: Path, target: Path, compression: str | None = None) -> Path:
    found = tables.inspect(tables.files_of([str(csv)]), threads=2)
    (target.parent / "staging").mkdir()
    job = spec.JobSpec(
        job_id="t",
        sql="SELECT * FROM t",
        sources=(found.source("t"),),
        output={"format": "parquet", "compression": compression},
        bad_rows={"policy": "FAIL_JOB"},
        staging_dir=str(target.parent / "staging"),
        output_dir=str(target.parent),
    )
    events = list(local.start(job, threads=2, target=str(target)).follow())
    assert isinstance(events[-1], spec.Succeeded), events[-1]
    return target


@pytest.mark.parametrize("compression", ["snappy", "zstd", "lz4", "none"])
def test_other_programs_read_the_same_rows(csv: Path, tmp_path: Path, compression: str) -> None:
    path = written(csv, tmp_path / "out.parquet", compression=compression)
    arrow = pq.read_table(path)
    expected = pl.read_csv(csv, infer_schema=False)
    assert arrow.num_rows == ROWS
    for name in ("id", "far", "day", "price", "mode", "grows", "note"):
        texts = pc.cast(arrow[name], pa.string()).to_pylist()
        assert texts == expected[name].to_list(), name
    assert pl.read_parquet(path).equals(pl.DataFrame(pl.from_arrow(arrow)))
    some = pl.scan_parquet(path).filter(pl.col("id").is_between(90_000, 90_300), pl.col("mode") == "AIR")
    at_once = pl.DataFrame(pl.from_arrow(arrow)).filter(
        pl.col("id").is_between(90_000, 90_300), pl.col("mode") == "AIR"
    )
    assert some.collect().equals(at_once) and at_once.height > 0


def test_statistics_are_those_of_the_values(csv: Path, tmp_path: Path) -> None:
    file = pq.ParquetFile(written(csv, tmp_path / "out.parquet"))
    for number in range(file.metadata.num_row_groups):
        rows, group = file.read_row_group(number), file.metadata.row_group(number)
        for index, name in enumerate(rows.column_names):
            found, bounds = group.column(index).statistics, pc.min_max(rows[name]).as_py()
            assert found.null_count == rows[name].null_count, name
            if name == "note":  # Bounds of long texts are cut.
                assert found.min <= bounds["min"] and bounds["max"] <= found.max
            else:
                assert (found.min, found.max) == (bounds["min"], bounds["max"]), name
