"""One attempt: the call of the engine, wherever it runs. The task of Ray and the thread pool share it."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import karyaksham_engine as engine
from karyaksham_engine.types import StorageOptions

from .results import Attempt, Counters, Piece, PieceKind, TaskKey, TaskResult
from .spec import Failure


class Started(NamedTuple):
    key: TaskKey
    attempt: int
    node: str | None


class Ended(NamedTuple):
    key: TaskKey
    attempt: int
    outcome: TaskResult | Failure


Message = Started | Ended


class Executor(Protocol):
    """Where attempts run: Ray, or threads of this process. Owned by one driver, on one thread."""

    in_memory: bool
    """Results may stay in this process's memory; else they must be files."""

    moves: bool
    """An attempt can be stopped at any time, and another of the same task run elsewhere."""

    def slots(self) -> int:
        """How many attempts can run at once."""

    def in_flight(self) -> int:
        """How many attempts to have started at once."""

    def launch(self, attempt: Attempt) -> None: ...

    def cancel(self, key: TaskKey, number: int) -> None:
        """Stop one attempt; it ends soon, with whatever outcome."""

    def wait(self, timeout_s: float) -> Sequence[Message]:
        """What happened since the last call; waits for it."""

    def counters(self) -> dict[tuple[TaskKey, int], Counters]:
        """How far the running attempts are, by task and number."""

    def stop(self) -> None:
        """Cancel what runs and wait until it has stopped. Idempotent."""


def execute(
    attempt: Attempt,
    cancel: engine.CancelToken,
    progress: engine.Progress,
    storage: StorageOptions | None = None,
) -> TaskResult:
    """Run one attempt to its end, blocking. `storage` says how objects are reached. Raises the errors of the engine."""
    context = engine.TaskContext(
        staging_dir=attempt.folder,
        keep=attempt.keep,
        memory_bytes=attempt.memory_bytes,
        cancel=cancel,
        progress=progress,
        storage=storage,
    )
    inputs = [[piece.block() for piece in stage] for stage in attempt.inputs]
    outcome = engine.run_task(attempt.payload, context, inputs=inputs, start=attempt.start)
    return TaskResult(
        block=_piece("block", outcome.block),
        part=_piece("part", outcome.part),
        rejects=_piece("rejects", outcome.rejects),
        report=outcome.report,
        first_reject=outcome.first_reject,
        rows_written=outcome.rows_written,
    )


def counters_of(progress: engine.Progress) -> Counters:
    return Counters(progress.bytes_read, progress.rows_read, progress.rows_rejected, progress.rows_written)


def final_counters(result: TaskResult, bytes_total: int) -> Counters:
    """What an attempt that is done comes down to."""
    report = result.report
    if report is None:
        return Counters(bytes_read=bytes_total, rows_written=result.rows_written)
    return Counters(bytes_total, report["rows_read"], report["rows_rejected"], result.rows_written)


def _piece(kind: PieceKind, made: engine.Block | engine.Part | engine.RejectsPart | None) -> Piece | None:
    return None if made is None else Piece(kind, made.rows, made.size_bytes, made.path, made)
