"""The files around a run: its sources, which must not change, and its staging folder, which it owns."""

import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final, NamedTuple

from karyaksham_engine.errors import SourceError
from karyaksham_engine.types import Source

from .results import TaskKey

READ_BYTES: Final = 1 << 20
REMOVE_TRIES: Final = 3
BASIS_NAME: Final = "plan.json"


class Seen(NamedTuple):
    """A source file as it was when the run started."""

    path: str
    name: str
    size_bytes: int
    modified_ns: int


def look(sources: Iterable[Source]) -> list[Seen]:
    """The files of `sources` as they are now. Raises SourceError where they are not as the job was told."""
    seen = []
    for source in sources:
        for file in source["files"]:
            if "://" in file["path"]:
                continue
            name = file.get("name") or os.path.basename(file["path"])
            try:
                stat = os.stat(file["path"])
            except FileNotFoundError:
                raise SourceError(
                    "SOURCE_NOT_FOUND",
                    f"The file {name} is not there any more.",
                    "Upload it again, or register it anew.",
                ) from None
            if stat.st_size != file["size_bytes"]:
                raise changed(name)
            seen.append(Seen(file["path"], name, stat.st_size, stat.st_mtime_ns))
    return seen


def check_unchanged(seen: Iterable[Seen]) -> None:
    """Raises SourceError where a file is not what it was at the start."""
    for file in seen:
        try:
            stat = os.stat(file.path)
        except FileNotFoundError:
            raise changed(file.name) from None
        if (stat.st_size, stat.st_mtime_ns) != (file.size_bytes, file.modified_ns):
            raise changed(file.name)


def changed(name: str) -> SourceError:
    return SourceError(
        "SOURCE_CHANGED",
        f"The file {name} has changed since it was inspected.",
        "Inspect it again, and run the job on what it is now.",
    )


class Basis(NamedTuple):
    """What a plan depends on beside the job. A later run plans with the same, so that its tasks are the same."""

    engine: str
    """The version of the engine; tasks of another are not the same."""
    planned_at_us: int
    """Microseconds since the epoch: what `now()` says."""
    parallelism: int
    indexed: bool = False
    """Whether shards were cut by record indexes: one that was made since would cut them elsewhere."""


class Staging:
    """A job's scratch folder: one folder a run, in it one folder an attempt.

    A run of its own name keeps apart from attempts of a dead run that may still be writing somewhere.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self._run = tempfile.mkdtemp(prefix="run-", dir=folder)

    def basis(self, fresh: Basis) -> Basis:
        """What the first run planned with, or `fresh` where this is the first of its engine."""
        path = Path(self.folder, BASIS_NAME)
        try:
            kept = Basis(**json.loads(path.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            kept = fresh
        if kept.engine != fresh.engine:
            kept = fresh
        if kept is fresh:
            draft = Path(self._run, BASIS_NAME)
            draft.write_text(json.dumps(fresh._asdict()))
            draft.replace(path)
        return kept

    def attempt(self, key: TaskKey, number: int) -> str:
        return os.path.join(self._run, f"stage-{key.stage}", f"shard-{key.shard}", f"attempt-{number}")

    def sweep(self, keep: Collection[str]) -> None:
        """Remove what earlier runs left, but for the files in `keep`."""
        kept = {Path(path) for path in keep}
        for entry in Path(self.folder).iterdir():
            if str(entry) == self._run or entry.name == BASIS_NAME:
                continue
            if not any(path.is_relative_to(entry) for path in kept):
                _remove(entry)
                continue
            for path in [path for path in entry.rglob("*") if path.is_file() and path not in kept]:
                path.unlink(missing_ok=True)

    def discard(self, folder: str) -> None:
        """Remove what one attempt wrote."""
        shutil.rmtree(folder, ignore_errors=True)


def remove_staging(folder: str) -> None:
    """Remove everything of a job, at its end."""
    for _ in range(REMOVE_TRIES):  # A lost worker may still have been writing during the first.
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.exists(folder):
            return


def _remove(entry: Path) -> None:
    if entry.is_dir():
        shutil.rmtree(entry, ignore_errors=True)
    else:
        entry.unlink(missing_ok=True)
