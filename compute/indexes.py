"""Record indexes: where records of big text files begin, kept by one job for those after it.

An index says of some records, about every 16 MiB of the text and at each shard, at which offset they begin and how many
come before. Jobs that read a whole file make it by the way; later ones cut the file where records begin and guess
nothing, and a preview goes to any row at once. It is a hint all the same: shards that begin where it says are proved
to join like all others.

Indexes are files in a folder of ours, never beside the data. One is of a file in one version (size and time of change,
or ETag) read in one way; of another version it is ignored, and replaced by the next job. All that fails here, a full
disk say, costs time later and nothing else.
"""

import json
import logging
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from karyaksham_engine.types import FileRef, RecordIndex, Source

from .tables import READING

LEAST_BYTES: Final = 64 << 20
"""Of smaller files there is no index: they are read in less time than it takes to ask."""
MARKS_MAX: Final = 1 << 16
KEEP_S: Final = 90 * 24 * 3600.0
"""Of an index that is not used."""
DRAFT_S: Final = 24 * 3600.0
"""A draft so old belongs to a process that is gone."""
VERSION: Final = 1

_Identity = dict[str, Any]

log = logging.getLogger("karyaksham.compute")


class Indexes:
    """The indexes of a job's files, which are as they were when this was made."""

    def __init__(self, folder: str | None, sources: Sequence[Source]) -> None:
        self._folder = None if folder is None else Path(folder)
        self._identities = {
            (source["name"], number): found
            for source in sources
            for number, file in enumerate(source["files"])
            if folder is not None and wants_index(source, file) and (found := _identity(source, file))
        }

    def known(self, sources: Sequence[Source]) -> list[Source]:
        """The same sources, with what is known of the records of their files."""
        return [
            {**source, "files": [self._with_index(source, number) for number in range(len(source["files"]))]}
            if any(name == source["name"] for name, _ in self._identities)
            else source
            for source in sources
        ]

    def missing(self, source: Source) -> list[FileRef]:
        """Files of which there should be an index, and is none."""
        numbers = [number for name, number in self._identities if name == source["name"]]
        return [
            source["files"][number] for number in numbers if "index" not in self._with_index(source, number)
        ]

    def keep(self, source: Source, number: int, index: RecordIndex) -> None:
        """Keep what a whole reading of a file found, unless the file has changed since. Sweeps those of no use."""
        identity = self._identities.get((source["name"], number))
        if self._folder is None or identity is None or identity != _identity(source, source["files"][number]):
            return
        step = -(-len(index["marks"]) // MARKS_MAX) or 1
        lines = [json.dumps({**identity, "rows": index["rows"]}), json.dumps(index["marks"][::step])]
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, draft = tempfile.mkstemp(suffix=".partial", dir=self._folder)
            with os.fdopen(descriptor, "w") as file:
                file.write("\n".join(lines))
            os.replace(draft, self._folder / _name(identity))
            _sweep(self._folder)
        except OSError as error:
            log.warning("a record index could not be kept: %s", error)

    def _with_index(self, source: Source, number: int) -> FileRef:
        file = source["files"][number]
        identity = self._identities.get((source["name"], number))
        if self._folder is None or identity is None:
            return file
        path = self._folder / _name(identity)
        index = _read(path, identity)
        if index is None:
            return file
        try:
            os.utime(path)  # It is of use.
        except OSError:
            pass
        return {**file, "index": index}


def wants_index(source: Source, file: FileRef) -> bool:
    """Whether there should be an index of a file."""
    return source["format"] in ("csv", "ndjson") and file["size_bytes"] >= LEAST_BYTES


def _identity(source: Source, file: FileRef) -> _Identity | None:
    """A file in its version, and how it is read; None where the version can't be told."""
    dialect: Any = file.get("dialect") or source["dialect"] or {}
    columns = file.get("columns")
    width = len(source["columns"]) - len(file.get("partition") or ()) if columns is None else len(columns)
    reading = {name: dialect.get(name) for name in READING}
    common = {"version": VERSION, "format": source["format"], "columns": width, "reading": reading}
    if "://" in file["path"]:
        etag = file.get("etag")
        place = {"path": file["path"], "size_bytes": file["size_bytes"], "etag": etag}
        return {**common, **place} if etag else None
    try:
        path = os.path.realpath(file["path"])
        return {**common, "path": path, **_version(path)}
    except OSError:
        return None


def _version(path: str) -> _Identity:
    stat = os.stat(path)
    return {"size_bytes": stat.st_size, "modified_ns": stat.st_mtime_ns, "inode": stat.st_ino}


def _name(identity: _Identity) -> str:
    """The same for all versions of a file that is read in one way, so that there is one index of it."""
    from hashlib import blake2b  # Here, because OpenSSL takes milliseconds to load.

    named = [identity[name] for name in ("version", "path", "format", "columns", "reading")]
    return blake2b(json.dumps(named, sort_keys=True).encode(), digest_size=20).hexdigest() + ".json"


def _read(path: Path, identity: _Identity) -> RecordIndex | None:
    """The index in a file; None where it is of another version, or damaged."""
    try:
        with path.open() as file:
            header = json.loads(file.readline())
            rows = header.pop("rows")
            if header != identity:
                return None
            marks = json.loads(file.readline())
        numbers = [rows, *(number for offset, row in marks for number in (offset, row))]
        sound = all(type(number) is int and 0 <= number < 1 << 63 for number in numbers)
        rising = all(left < right for left, right in pairwise(marks))
        return {"rows": rows, "marks": marks} if sound and rising else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _sweep(folder: Path) -> None:
    """Remove indexes of files that are gone or have changed, those that nobody uses, and drafts left behind."""
    for path, unused_s in _aged(folder):
        limit_s = DRAFT_S if path.suffix == ".partial" else KEEP_S
        if unused_s > limit_s or (path.suffix == ".json" and _is_stale(path)):
            path.unlink(missing_ok=True)


def _aged(folder: Path) -> Iterator[tuple[Path, float]]:
    now = time.time()
    for path in folder.iterdir():
        if path.suffix in (".json", ".partial"):
            yield path, now - path.stat().st_mtime


def _is_stale(path: Path) -> bool:
    """Whether an index is of a local file that is not there any more as it was."""
    try:
        with path.open() as file:
            header = json.loads(file.readline())
        if "etag" in header:
            return False
        return any(header[name] != value for name, value in _version(header["path"]).items())
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return True
