"""`karyaksham index`, and where local commands keep record indexes: which they never do beside the data."""

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from compute import local, spec
from compute.indexes import Indexes, wants_index
from compute.run import Run
from karyaksham_engine.types import Source, StorageOptions

from .terminal import bytes_in_words

COUNT = "SELECT count(*) AS rows FROM input"
"""Reads the structure of every record, and no field."""

INDEX_DIR = "KARYAKSHAM_INDEX_DIR"

Follow = Callable[[Run], spec.Event | None]
"""Shows a run to its last event."""


def folder_for(sources: Sequence[Source]) -> str | None:
    """Where indexes of these files are kept; None where they are too small to need any, or a setting is wrong."""
    if not any(wants_index(source, file) for source in sources for file in source["files"]):
        return None
    given: Path | None = None
    if INDEX_DIR in os.environ:
        from .settings import BadSetting, Settings  # Here, because few set it, and the module takes 10 ms.

        try:
            given = Settings.from_environment().index_dir
        except BadSetting:
            return None  # It is of the service: what it says is of no matter here.
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return str(given or cache / "karyaksham" / "indexes")


def counted(
    source: Source, threads: int, storage: StorageOptions | None, follow: Follow
) -> spec.Event | None:
    """Read a whole table for the indexes of its files; the last event of the run."""
    with tempfile.TemporaryDirectory(prefix="karyaksham-", ignore_cleanup_errors=True) as scratch:
        job = spec.JobSpec(
            job_id=f"index-{os.getpid()}",
            sql=COUNT,
            sources=({**source, "name": "input"},),
            output={"format": "csv"},
            bad_rows={"policy": "REJECT_ROW"},
            staging_dir=scratch,
            output_dir=scratch,
            index_dir=folder_for([source]),
            storage=storage,
        )
        return follow(local.start(job, threads=threads, target=str(Path(scratch, "rows.csv"))))


def indexed(source: Source, threads: int, storage: StorageOptions | None, follow: Follow) -> Source | None:
    """The table with the record indexes of its files; those that are missing are made first, which is said.

    None where somebody stopped that. What fails is left to whoever reads the table next.
    """
    folder = folder_for([source])
    missing = Indexes(folder, [source]).missing(source)
    if missing:
        names = ", ".join(Path(file["path"]).name for file in missing[:3])
        size = bytes_in_words(sum(file["size_bytes"] for file in missing))
        print(
            f"karyaksham: no record index of {names}{' and others' if len(missing) > 3 else ''} yet: "
            f"reading {size} once; the next time it goes at once.",
            file=sys.stderr,
        )
        if isinstance(counted(source, threads, storage, follow), spec.Canceled):
            return None
    return Indexes(folder, [source]).known([source])[0]


def kept(source: Source) -> str:
    """What became of the indexes of a table that was just counted, in words."""
    folder = folder_for([source])
    if folder is None:
        return "needs no record index"
    missing = Indexes(folder, [source]).missing(source)
    return f"its record index could not be kept in {folder}" if missing else f"record index in {folder}"
