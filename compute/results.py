"""What attempts make: pieces of rows in files or in memory, and the records from which a later run reuses them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import karyaksham_engine as engine
from karyaksham_engine.types import Reject, ShardReport

RECORD_VERSION: Final = 1

PieceKind = Literal["block", "part", "rejects"]
Keep = Literal["memory", "file"]


class TaskKey(NamedTuple):
    """One task of a job. Keys order as the output does."""

    stage: int
    shard: int


class Counters(NamedTuple):
    """What a running attempt has done so far."""

    bytes_read: int = 0
    rows_read: int = 0
    rows_rejected: int = 0
    rows_written: int = 0


class Piece(NamedTuple):
    """Rows that one attempt made: a file in staging, or held in memory of this process."""

    kind: PieceKind
    rows: int
    size_bytes: int
    path: str | None
    held: engine.Block | engine.Part | engine.RejectsPart | None = None

    def block(self) -> engine.Block:
        if isinstance(self.held, engine.Block):
            return self.held
        return engine.Block.open(self._file(), rows=self.rows, size_bytes=self.size_bytes)

    def part(self) -> engine.Part:
        if isinstance(self.held, engine.Part):
            return self.held
        return engine.Part.open(self._file(), rows=self.rows, size_bytes=self.size_bytes)

    def rejects(self) -> engine.RejectsPart:
        if isinstance(self.held, engine.RejectsPart):
            return self.held
        return engine.RejectsPart.open(self._file(), rows=self.rows, size_bytes=self.size_bytes)

    def _file(self) -> str:
        if self.path is None:
            raise ValueError(f"a {self.kind} that is neither held nor in a file")
        return self.path


class Attempt(NamedTuple):
    """One try at one task: everything that a worker needs, and nothing secret."""

    job_id: str
    key: TaskKey
    number: int
    stage_name: str
    payload: bytes
    start: int | None
    """Exact offset of the first record, where it is known."""
    folder: str
    keep: Keep
    memory_bytes: int | None
    inputs: tuple[tuple[Piece, ...], ...] = ()
    cores: int = 1
    """What it takes of a machine, of which it then has the memory, too."""

    @property
    def name(self) -> str:
        return f"job {self.job_id} stage {self.key.stage} shard {self.key.shard}"


class TaskResult(NamedTuple):
    """What an attempt made."""

    block: Piece | None
    part: Piece | None
    rejects: Piece | None
    report: ShardReport | None
    first_reject: Reject | None
    rows_written: int

    @property
    def pieces(self) -> tuple[Piece, ...]:
        return tuple(piece for piece in (self.block, self.part, self.rejects) if piece is not None)


def to_record(result: TaskResult, *, staging_dir: str, digest: str) -> dict[str, Any]:
    """Plain data from which a later run takes this result over; empty where rows are only in memory."""
    if any(piece.path is None for piece in result.pieces):
        return {}
    return {
        "version": RECORD_VERSION,
        "engine": engine.version(),
        "digest": digest,
        "report": result.report,
        "rows_written": result.rows_written,
        "pieces": {
            piece.kind: {
                "path": Path(piece.path or "").relative_to(staging_dir).as_posix(),
                "rows": piece.rows,
                "size_bytes": piece.size_bytes,
            }
            for piece in result.pieces
        },
    }


def from_record(record: Mapping[str, Any], *, staging_dir: str, digest: str) -> TaskResult | None:
    """The result that `record` tells of, or None where it does not fit this plan, this engine or the files."""
    expected = {"version": RECORD_VERSION, "engine": engine.version(), "digest": digest}
    if any(record.get(name) != value for name, value in expected.items()):
        return None
    pieces: dict[str, Piece] = {}
    for kind, stored in record["pieces"].items():
        path = Path(staging_dir, stored["path"])
        if not path.is_file() or path.stat().st_size != stored["size_bytes"]:
            return None
        pieces[kind] = Piece(kind, stored["rows"], stored["size_bytes"], str(path))
    return TaskResult(
        block=pieces.get("block"),
        part=pieces.get("part"),
        rejects=pieces.get("rejects"),
        report=record["report"],
        first_reject=None,
        rows_written=record["rows_written"],
    )


def in_files(result: TaskResult) -> TaskResult:
    """The same result without what is held in memory: what may leave the process that made it."""

    def bare(piece: Piece | None) -> Piece | None:
        return None if piece is None else piece._replace(held=None)

    return result._replace(block=bare(result.block), part=bare(result.part), rejects=bare(result.rejects))
