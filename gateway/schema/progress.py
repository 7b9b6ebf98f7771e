"""How far a job is, and why it failed: the snapshot, its stages and their tasks."""

from datetime import datetime
from typing import Any, Self

import strawberry
from strawberry.scalars import JSON

from gateway import jobs, progress
from gateway.schema.relay import BigInt, global_id

JobState = strawberry.enum(jobs.JobState, name="JobState")
TaskState = strawberry.enum(jobs.TaskState, name="TaskState")
FailureKind = strawberry.enum(jobs.FailureKind, name="FailureKind")


@strawberry.type
class JobFailure:
    kind: jobs.FailureKind
    code: str
    message: str
    hint: str | None
    retryable: bool
    detail: JSON | None

    @classmethod
    def of(cls, failure: dict[str, Any] | None) -> Self | None:
        if failure is None:
            return None
        return cls(
            kind=jobs.FailureKind(failure["kind"]),
            code=failure["code"],
            message=failure["message"],
            hint=failure["hint"],
            retryable=failure["retryable"],
            detail=failure["detail"] or None,
        )


@strawberry.type
class Task:
    shard: int
    state: jobs.TaskState
    attempt: int
    bytes_read: BigInt
    bytes_total: BigInt
    rows_read: BigInt
    node: str | None
    started_at: datetime | None
    finished_at: datetime | None
    failure: JobFailure | None

    @classmethod
    def of(cls, row: jobs.JobTask) -> Self:
        return cls(
            shard=row.shard,
            state=row.state,
            attempt=row.attempt,
            bytes_read=BigInt(row.bytes_read),
            bytes_total=BigInt(row.bytes_total),
            rows_read=BigInt(row.rows_read),
            node=row.node,
            started_at=row.started_at,
            finished_at=row.finished_at,
            failure=JobFailure.of(row.failure),
        )


@strawberry.type
class Stage:
    index: int
    name: str
    state: jobs.TaskState
    task_count: int
    tasks_done: int
    bytes_read: BigInt
    bytes_total: BigInt
    snapshot: strawberry.Private[progress.Snapshot]
    stage: strawberry.Private[progress.StageSnapshot]

    @strawberry.field(description="In the order of their shards; `after` is the last shard seen.")
    async def tasks(self, first: int | None = 100, after: int | None = None) -> list[Task]:
        rows = await jobs.task_page(
            self.snapshot.job_id,
            self.stage,
            first=100 if first is None else first,
            after=after,
            done=self.snapshot.is_final,
        )
        return [Task.of(row) for row in rows]

    @classmethod
    def of(cls, snapshot: progress.Snapshot, stage: progress.StageSnapshot) -> Self:
        return cls(
            index=stage.index,
            name=stage.name,
            state=stage.state,
            task_count=stage.task_count,
            tasks_done=stage.tasks_done,
            bytes_read=BigInt(stage.bytes_read),
            bytes_total=BigInt(stage.bytes_total),
            snapshot=snapshot,
            stage=stage,
        )


@strawberry.type(
    description="A snapshot; the latest one says everything. Fractions count input bytes consumed, never go back, "
    "and reach 1 only when the output is committed."
)
class JobProgress:
    job_id: strawberry.ID
    state: jobs.JobState
    fraction: float
    bytes_read: BigInt
    bytes_total: BigInt
    rows_read: BigInt
    rows_written: BigInt
    rows_rejected: BigInt
    bytes_per_second: float
    rows_per_second: float
    eta_seconds: float | None
    stages: list[Stage]
    last_tick_at: datetime = strawberry.field(
        description="When a task last reported; a client shows a stall from it."
    )

    @classmethod
    def of(cls, snapshot: progress.Snapshot) -> Self:
        return cls(
            job_id=global_id("Job", snapshot.job_id),
            state=snapshot.state,
            fraction=snapshot.fraction,
            bytes_read=BigInt(snapshot.bytes_read),
            bytes_total=BigInt(snapshot.bytes_total),
            rows_read=BigInt(snapshot.rows_read),
            rows_written=BigInt(snapshot.rows_written),
            rows_rejected=BigInt(snapshot.rows_rejected),
            bytes_per_second=snapshot.bytes_per_second,
            rows_per_second=snapshot.rows_per_second,
            eta_seconds=snapshot.eta_seconds,
            stages=[Stage.of(snapshot, stage) for stage in snapshot.stages],
            last_tick_at=snapshot.last_tick_at,
        )
