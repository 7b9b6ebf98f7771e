"""How far a job is: one snapshot that says everything, and the rules that keep it honest.

Pure. A snapshot never goes back, not even when a job starts again after a crash, and its fraction is 1 only
when the output is committed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway.models import JobState, TaskState

FINAL_STATES = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELED})

BELOW_DONE = 0.9999
"""What a fraction may reach before the commit."""


@dataclass(frozen=True, slots=True)
class StageSnapshot:
    index: int
    name: str
    state: TaskState
    task_count: int
    tasks_done: int
    bytes_read: int
    bytes_total: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    job_id: UUID
    state: JobState
    fraction: float
    bytes_read: int
    bytes_total: int
    rows_read: int
    rows_written: int
    rows_rejected: int
    bytes_per_second: float
    rows_per_second: float
    eta_seconds: float | None
    stages: tuple[StageSnapshot, ...]
    last_tick_at: datetime
    """When a task last reported."""

    @property
    def is_final(self) -> bool:
        return self.state in FINAL_STATES


def first(
    job_id: UUID, at: datetime, *, bytes_total: int = 0, stages: Iterable[StageSnapshot] = ()
) -> Snapshot:
    """Of a job that waits in the queue."""
    return Snapshot(
        job_id=job_id,
        state=JobState.QUEUED,
        fraction=0.0,
        bytes_read=0,
        bytes_total=bytes_total,
        rows_read=0,
        rows_written=0,
        rows_rejected=0,
        bytes_per_second=0.0,
        rows_per_second=0.0,
        eta_seconds=None,
        stages=tuple(stages),
        last_tick_at=at,
    )


def forward(before: Snapshot, after: Snapshot) -> Snapshot:
    """`after`, with nothing less than it was `before`: tasks that run again after a crash don't take progress back."""
    stages_before = {stage.index: stage for stage in before.stages}
    return replace(
        after,
        fraction=min(max(before.fraction, after.fraction), BELOW_DONE),
        bytes_read=max(before.bytes_read, after.bytes_read),
        rows_read=max(before.rows_read, after.rows_read),
        rows_written=max(before.rows_written, after.rows_written),
        rows_rejected=max(before.rows_rejected, after.rows_rejected),
        stages=tuple(_forward_stage(stages_before.get(stage.index), stage) for stage in after.stages),
    )


def _forward_stage(before: StageSnapshot | None, after: StageSnapshot) -> StageSnapshot:
    if before is None or before.task_count != after.task_count:
        return after
    return replace(
        after,
        tasks_done=max(before.tasks_done, after.tasks_done),
        bytes_read=max(before.bytes_read, after.bytes_read),
    )


def succeeded(
    before: Snapshot, *, rows_read: int, rows_written: int, rows_rejected: int, at: datetime
) -> Snapshot:
    """All of it is done and committed: the counts are the balance's, exact."""
    stages = (
        replace(stage, state=TaskState.SUCCEEDED, tasks_done=stage.task_count, bytes_read=stage.bytes_total)
        for stage in before.stages
    )
    return replace(
        before,
        state=JobState.SUCCEEDED,
        fraction=1.0,
        bytes_read=before.bytes_total,
        rows_read=rows_read,
        rows_written=rows_written,
        rows_rejected=rows_rejected,
        eta_seconds=0.0,
        stages=tuple(stages),
        last_tick_at=at,
    )


def stopped(before: Snapshot, state: JobState, at: datetime) -> Snapshot:
    """As far as it came when it failed or was canceled."""
    stages = (replace(stage, state=_stopped_state(stage.state, state)) for stage in before.stages)
    return replace(
        before,
        state=state,
        bytes_per_second=0.0,
        rows_per_second=0.0,
        eta_seconds=None,
        stages=tuple(stages),
        last_tick_at=at,
    )


def halted(before: Snapshot, at: datetime) -> Snapshot:
    """As far as it came when it was paused; what is done stays done."""
    stages = (
        replace(stage, state=TaskState.PENDING) if stage.state is TaskState.RUNNING else stage
        for stage in before.stages
    )
    return replace(
        before,
        state=JobState.PAUSED,
        bytes_per_second=0.0,
        rows_per_second=0.0,
        eta_seconds=None,
        stages=tuple(stages),
        last_tick_at=at,
    )


def again(before: Snapshot, at: datetime) -> Snapshot:
    """Of a job that is tried again: what is still there of it counts as soon as the run has found it."""
    stages = (replace(stage, state=TaskState.PENDING, tasks_done=0, bytes_read=0) for stage in before.stages)
    return first(before.job_id, at, bytes_total=before.bytes_total, stages=stages)


def _stopped_state(stage: TaskState, job: JobState) -> TaskState:
    match stage:
        case TaskState.PENDING:
            return TaskState.SKIPPED
        case TaskState.RUNNING:
            return TaskState.FAILED if job is JobState.FAILED else TaskState.SKIPPED
        case _:
            return stage


def to_row(snapshot: Snapshot) -> dict[str, Any]:
    """JSON for the job's row; what has a column of its own is left out."""
    row = asdict(snapshot)
    for column in ("job_id", "state", "fraction", "last_tick_at"):
        del row[column]
    return row


def from_row(
    row: Mapping[str, Any] | None, *, job_id: UUID, state: JobState, fraction: float, at: datetime
) -> Snapshot:
    """What `to_row` made, with its columns; a row without a snapshot is a job that waits."""
    if row is None:
        return replace(first(job_id, at), state=state, fraction=fraction)
    stages = tuple(StageSnapshot(**{**stage, "state": TaskState(stage["state"])}) for stage in row["stages"])
    fields = {key: value for key, value in row.items() if key != "stages"}
    return Snapshot(job_id=job_id, state=state, fraction=fraction, last_tick_at=at, stages=stages, **fields)
