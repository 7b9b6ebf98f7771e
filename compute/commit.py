"""The output: proved parts written in order by a thread of their own while the scan goes on, committed in one step."""

import os
import shutil
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Final, NamedTuple

import karyaksham_engine as engine
from karyaksham_engine.types import (
    Column,
    Committed,
    FileFormat,
    Output,
    OutputFormat,
    StorageOptions,
)

from .objects import LISTED_MAX, is_object
from .results import Piece, TaskKey
from .schedule import Proved
from .spec import Artifact, JobSpec, Layout
from .workers import Workers

SUFFIX: Final[dict[OutputFormat, str]] = {
    "csv": "csv",
    "ndjson": "ndjson",
    "parquet": "parquet",
    "arrow": "arrow",
    "table": "txt",
}
PACKED_FORMATS: Final = ("csv", "ndjson")
"""Text, which is compressed as a whole; the others are inside."""
PACKED_SUFFIX: Final = {"gzip": ".gz", "zstd": ".zst"}
REJECT_COLUMNS: Final[tuple[Column, ...]] = (
    {"name": "file", "type": "Utf8", "nullable": False},
    {"name": "row", "type": "Int64", "nullable": False},
    {"name": "line", "type": "Int64", "nullable": False},
    {"name": "record_offset", "type": "Int64", "nullable": False},
    {"name": "field_offset", "type": "Int64", "nullable": True},
    {"name": "column", "type": "Utf8", "nullable": True},
    {"name": "expected", "type": "Utf8", "nullable": True},
    {"name": "code", "type": "Utf8", "nullable": False},
    {"name": "message", "type": "Utf8", "nullable": False},
    {"name": "raw", "type": "Utf8", "nullable": False},
)


class Targets(NamedTuple):
    """Where results go."""

    output: str
    """A path, for PARTS a folder, or `-`."""
    rejects: str | None
    """None: rejects are counted, not written."""
    owned: bool
    """Both are the job's own: what an earlier try left there may be removed, and their checksums are kept."""
    storage: StorageOptions | None = None
    """How those that are objects are reached; never shown."""

    def __repr__(self) -> str:
        return f"Targets(output={self.output!r}, rejects={self.rejects!r}, owned={self.owned!r})"

    @staticmethod
    def of(spec: JobSpec, output: str | None = None, rejects: str | None = None) -> "Targets":
        if output is not None:
            return Targets(output, rejects, owned=False, storage=spec.storage)
        name = "output" if spec.layout == "PARTS" else f"output.{suffix(spec.output)}"
        folder = spec.output_dir
        rejects = os.path.join(folder, "rejects.csv")
        return Targets(os.path.join(folder, name), rejects, owned=True, storage=spec.storage)


def suffix(output: Output) -> str:
    """How the name of an output file ends."""
    packed = (
        PACKED_SUFFIX.get(output.get("compression") or "", "") if output["format"] in PACKED_FORMATS else ""
    )
    return SUFFIX[output["format"]] + packed


class Writer:
    """The results of one run. Its thread appends; calls return at once but for `commit` and `abort`.

    Proofs may be told in any order; parts and rejects are written in the order of their tasks.
    """

    def __init__(
        self,
        targets: Targets,
        output: Output,
        layout: Layout,
        columns: Sequence[Column],
        *,
        part_keys: Sequence[TaskKey],
        reject_keys: Sequence[TaskKey],
    ) -> None:
        self._targets, self._output, self._layout, self._columns = targets, output, layout, tuple(columns)
        if targets.owned:
            _clear(targets)
        self._thread = Workers(1, "karyaksham-writer")
        self._futures: deque[Future[None]] = deque()
        self._part_keys, self._reject_keys = deque(part_keys), deque(reject_keys)
        self._parts: dict[TaskKey, Piece | None] = {}
        self._rejects: dict[TaskKey, tuple[Piece | None, int, int]] = {}
        self._listed: list[engine.Part] = []
        self._output_writer: engine.OutputWriter | None = None
        self._rejects_writer: engine.RejectsWriter | None = None
        self._committed: list[str] = []
        self.written = 0
        """Tasks whose part of the output is written."""

    def add(self, proved: Proved, line_base: int) -> None:
        """Take over what a task made. `line_base` counts the header's lines too."""
        result = proved.result
        self._parts[proved.key] = result.part
        self._rejects[proved.key] = (result.rejects, proved.row_base, line_base)
        while self._part_keys and self._part_keys[0] in self._parts:
            self._submit_part(self._parts.pop(self._part_keys.popleft()))
        while self._reject_keys and self._reject_keys[0] in self._rejects:
            self._submit_rejects(*self._rejects.pop(self._reject_keys.popleft()))

    @property
    def behind(self) -> bool:
        """Something waits to be appended."""
        return bool(self._futures)

    def check(self) -> None:
        """Raises what went wrong in the thread."""
        while self._futures and self._futures[0].done():
            self._futures.popleft().result()

    def commit(self, *, output: bool = True) -> "Future[tuple[Artifact, ...]]":
        """Make the results whole, the rejects first. Without `output`, the rejects alone."""
        return self._thread.submit(lambda: self._commit(output))

    def abort(self) -> None:
        """Leave nothing: no file half written, and none committed by this run."""
        for future in self._futures:
            future.cancel()
        self._thread.submit(self._abort).result()

    def close(self) -> None:
        self._thread.close()

    def _submit_part(self, piece: Piece | None) -> None:
        self._futures.append(self._thread.submit(lambda: self._append_part(piece)))

    def _submit_rejects(self, piece: Piece | None, row_base: int, line_base: int) -> None:
        if piece is not None and piece.rows and self._targets.rejects is not None:
            self._futures.append(
                self._thread.submit(lambda: self._append_rejects(piece, row_base, line_base))
            )

    def _append_part(self, piece: Piece | None) -> None:
        if piece is not None and self._layout == "PARTS":
            self._listed.append(piece.part())
        elif piece is not None:
            self._opened_output().append(piece.part())
        self.written += 1

    def _append_rejects(self, piece: Piece, row_base: int, line_base: int) -> None:
        if self._rejects_writer is None:
            target = self._targets.rejects or ""
            _make_folder(target)
            self._rejects_writer = engine.RejectsWriter(
                target, checksum=self._targets.owned, storage=self._targets.storage
            )
        self._rejects_writer.append(piece.rejects(), row_base=row_base, line_base=line_base)

    def _opened_output(self) -> engine.OutputWriter:
        if self._output_writer is None:
            target = self._targets.output
            _make_folder(target)
            self._output_writer = engine.OutputWriter(
                target,
                self._output,
                self._columns,
                checksum=self._targets.owned,
                storage=self._targets.storage,
            )
        return self._output_writer

    def _commit(self, output: bool) -> tuple[Artifact, ...]:
        while self._futures:  # Appends ran before this, on the same thread.
            self._futures.popleft().result()
        artifacts: list[Artifact] = []
        rejects = self._targets.rejects
        if rejects is not None and self._rejects_writer is not None:
            committed = self._rejects_writer.commit()
            self._committed.append(rejects)
            artifacts.append(_rejects_artifact(rejects, committed))
        elif rejects is not None:
            # Of an earlier run: it would tell of rows that were not rejected.
            _remove_file(rejects, self._targets.storage)
        if output:
            artifacts.insert(0, self._commit_output())
        elif self._output_writer is not None:
            self._output_writer.abort()
        return tuple(artifacts)

    def _commit_output(self) -> Artifact:
        target = self._targets.output
        if self._layout == "PARTS":
            _make_folder(target)
            committed = engine.commit_parts(
                target, self._listed, self._output, self._columns, storage=self._targets.storage
            )
        else:
            committed = self._opened_output().commit()
        self._committed.append(target)
        format = self._output["format"]
        return Artifact(
            kind="OUTPUT",
            name=os.path.basename(target),
            path=target,
            format=_file_format(format),
            size_bytes=committed["size_bytes"],
            row_count=committed["rows"],
            sha256=committed["sha256"],
            columns=self._columns,
        )

    def _abort(self) -> None:
        if self._output_writer is not None:
            self._output_writer.abort()
        if self._rejects_writer is not None:
            self._rejects_writer.abort()
        for path in self._committed:
            if self._targets.owned:
                _remove(path, self._targets.storage)
            elif self._layout != "PARTS" or path != self._targets.output:
                _remove_file(path, self._targets.storage)


def _rejects_artifact(target: str, committed: Committed) -> Artifact:
    return Artifact(
        kind="REJECTS",
        name=os.path.basename(target),
        path=target,
        format="csv",
        size_bytes=committed["size_bytes"],
        row_count=committed["rows"],
        sha256=committed["sha256"],
        columns=REJECT_COLUMNS,
    )


def _clear(targets: Targets) -> None:
    """Remove what an earlier try at the job left: results that do not count, and the hidden files of dead writers."""
    for target in (targets.output, targets.rejects):
        if target is not None:
            _remove(target, targets.storage)
            if is_object(target):
                continue
            folder, name = os.path.split(target)
            for hidden in Path(folder).glob(f".{name}.*.partial"):
                _remove(str(hidden), None)


def _make_folder(target: str) -> None:
    if target != "-" and not is_object(target):
        os.makedirs(os.path.dirname(target) or ".", exist_ok=True)


def _remove(path: str, storage: StorageOptions | None) -> None:
    """Remove a file or a folder, or the objects that are one."""
    if is_object(path):
        inside = engine.list_objects(path, limit=LISTED_MAX, storage=storage)
        engine.remove_objects([path, *(found["path"] for found in inside)], storage=storage)
    elif os.path.isdir(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        _remove_file(path, storage)


def _remove_file(path: str, storage: StorageOptions | None) -> None:
    if is_object(path):
        engine.remove_objects([path], storage=storage)
    else:
        Path(path).unlink(missing_ok=True)


def _file_format(format: OutputFormat) -> FileFormat | None:
    return None if format == "table" else format
