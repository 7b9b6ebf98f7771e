"""A file as a whole run of the engine reads it: rows with their types, rejects, and the row balance."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from compute import files, local
from compute.spec import Failed, JobSpec, RowBalance, Succeeded
from karyaksham_engine.types import Sniffed


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of a file."""

    sniffed: Sniffed
    table: pa.Table
    rejects: list[dict[str, str]]
    balance: RowBalance

    @property
    def rows(self) -> list[list[Any]]:
        return [list(row.values()) for row in self.table.to_pylist()]

    @property
    def types(self) -> list[str]:
        return [column["type"] for column in self.sniffed["columns"]]

    @property
    def told(self) -> list[tuple[int, str]]:
        """Line and code of each reject."""
        return [(int(reject["line"]), reject["code"]) for reject in self.rejects]


def read(path: Path, folder: Path, *, shard_size: int = 1 << 30, sql: str = "SELECT * FROM input") -> Reading:
    """Run `sql` over `path` as it is understood, bad rows rejected, in shards of about `shard_size` bytes.

    `folder` must be new to this call. A run that fails raises AssertionError; so does one whose rows do not add up.
    """
    sniffed = files.inspect(str(path))
    source: Any = {
        "name": "input",
        "format": sniffed["format"],
        "files": [{"path": str(path), "size_bytes": path.stat().st_size}],
        "dialect": sniffed["dialect"],
        "columns": sniffed["columns"],
    }
    target, rejects = folder / "output.parquet", folder / "rejects.csv"
    for name in ("staging", "results"):
        (folder / name).mkdir(parents=True)
    spec = JobSpec(
        job_id="reading",
        sql=sql,
        sources=(source,),
        output={"format": "parquet"},
        bad_rows={"policy": "REJECT_ROW"},
        staging_dir=str(folder / "staging"),
        output_dir=str(folder / "results"),
        shard_size_bytes=shard_size,
    )
    final = None
    for event in local.start(spec, threads=2, target=str(target), rejects_target=str(rejects)).follow():
        final = event
    assert not isinstance(final, Failed), final.failure
    assert isinstance(final, Succeeded)
    listed: list[dict[str, str]] = []
    if rejects.exists():
        with rejects.open(newline="", encoding="utf-8") as file:
            listed = list(csv.DictReader(file))
    assert final.balance.read == final.balance.passed + final.balance.rejected
    assert final.balance.rejected == len(listed)
    return Reading(sniffed, pyarrow.parquet.read_table(target), listed, final.balance)
