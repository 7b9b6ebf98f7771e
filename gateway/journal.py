"""What becomes of a job, written down: each change of state with its event, in one transaction, under a lease.

Every write names the states it may start from, and the dispatcher's also its lease epoch. A write that finds the job
elsewhere changes nothing and says so, so a dispatcher that lost its lease can do no harm.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from tortoise.expressions import F

from gateway.models import Artifact, Job, JobEvent, JobState, JobTask, TaskState, now
from gateway.progress import FINAL_STATES, Snapshot, to_row
from gateway.transactions import atomically

ACTIVE_STATES: Final = (JobState.PLANNING, JobState.RUNNING, JobState.FINALIZING, JobState.CANCELING)
"""A dispatcher holds, or held, a lease on the job."""

_TASK_COLUMNS: Final = (
    "state",
    "attempt",
    "bytes_read",
    "bytes_total",
    "rows_read",
    "node",
    "started_at",
    "finished_at",
    "failure",
)


@dataclass(frozen=True, slots=True)
class Fact:
    """An event before it has a number."""

    kind: str
    message: str
    data: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A task that is done, and what spares doing it again."""

    stage: int
    shard: int
    attempt: int
    record: Mapping[str, Any]


async def advance(
    job_id: UUID,
    fact: Fact,
    *,
    before: Iterable[JobState],
    after: JobState,
    epoch: int | None = None,
    artifacts: Sequence[Mapping[str, Any]] = (),
    **values: Any,
) -> bool:
    """Take the job to `after`, with its event and artifacts; False when it is in none of the states `before`.

    `values` are further columns. With `epoch`, only while that lease holds.
    """

    async def work() -> bool:
        job = Job.filter(id=job_id, state__in=list(before), deleted_at=None)
        if epoch is not None:
            job = job.filter(lease_epoch=epoch)
        if not await job.update(state=after, event_seq=F("event_seq") + 1, **values):
            return False
        if after in FINAL_STATES:
            unfinished = JobTask.filter(job_id=job_id, state__in=[TaskState.PENDING, TaskState.RUNNING])
            await unfinished.update(state=TaskState.SKIPPED)
        elif after is JobState.PAUSED:
            await JobTask.filter(job_id=job_id, state=TaskState.RUNNING).update(state=TaskState.PENDING)
        for artifact in artifacts:
            await Artifact.create(job_id=job_id, **artifact)
        await _append(job_id, fact)
        return True

    return await atomically(work)


async def restart(job_id: UUID, anew: Snapshot) -> bool:
    """Queue a failed or canceled job again, with the records of its finished tasks; False in another state."""

    async def work() -> bool:
        job = Job.filter(id=job_id, state__in=[JobState.FAILED, JobState.CANCELED], deleted_at=None)
        if not await job.update(
            state=JobState.QUEUED,
            event_seq=F("event_seq") + 1,
            progress=to_row(anew),
            fraction=anew.fraction,
            progress_at=anew.last_tick_at,
            failure=None,
            finished_at=None,
            cancel_requested_at=None,
            pause_requested_at=None,
        ):
            return False
        await JobTask.filter(job_id=job_id, record__isnull=True).delete()
        await Artifact.filter(job_id=job_id).delete()
        await _append(job_id, Fact("RETRIED", "The job is tried again; it goes on from its finished tasks."))
        return True

    return await atomically(work)


async def note(job_id: UUID, fact: Fact, *, epoch: int) -> bool:
    """An event that changes no state; False when the lease is lost."""

    async def work() -> bool:
        job = Job.filter(id=job_id, lease_epoch=epoch)
        if not await job.update(event_seq=F("event_seq") + 1):
            return False
        await _append(job_id, fact)
        return True

    return await atomically(work)


async def keep(
    job_id: UUID,
    *,
    epoch: int,
    snapshot: Snapshot,
    tasks: Sequence[Mapping[str, Any]] = (),
    records: Sequence[Record] = (),
    cpu_seconds: float = 0.0,
) -> bool:
    """The latest progress, the tasks that changed, the records of those that are done, and the core time since the
    last call; False: the lease is lost."""

    async def work() -> bool:
        job = Job.filter(id=job_id, lease_epoch=epoch)
        if not await job.update(
            progress=to_row(snapshot),
            fraction=snapshot.fraction,
            progress_at=snapshot.last_tick_at,
            bytes_read=snapshot.bytes_read,
            cpu_seconds=F("cpu_seconds") + cpu_seconds,
        ):
            return False
        await _upsert([JobTask(job_id=job_id, **task) for task in tasks], _TASK_COLUMNS)
        done = [
            JobTask(
                job_id=job_id,
                stage=record.stage,
                shard=record.shard,
                state=TaskState.SUCCEEDED,
                attempt=record.attempt,
                record=dict(record.record),
            )
            for record in records
        ]
        await _upsert(done, ("state", "attempt", "record"))
        return True

    return await atomically(work)


async def lease(job: Job, *, owner: str, lease_s: float) -> int | None:
    """Take the job: its new epoch, or None when another was faster or something changed since `job` was read.

    A queued job begins with that; a job that another dispatcher left goes on.
    """
    begun = job.state is JobState.QUEUED
    after = JobState.PLANNING if begun else job.state
    if job.state is JobState.FINALIZING:
        after = JobState.RUNNING
    fact = (
        Fact("PLANNING", "The job is being planned.")
        if begun
        else Fact("RECOVERED", "The service was interrupted; the job goes on from its finished tasks.")
    )
    epoch = job.lease_epoch + 1

    async def work() -> bool:
        same = Job.filter(id=job.id, state=job.state, lease_epoch=job.lease_epoch, deleted_at=None)
        taken = await same.update(
            state=after,
            event_seq=F("event_seq") + 1,
            lease_owner=owner,
            lease_epoch=epoch,
            lease_expires_at=_in(lease_s),
            started_at=job.started_at or now(),
        )
        if taken:
            await _append(job.id, fact)
        return bool(taken)

    return epoch if await atomically(work) else None


async def renew(leases: Mapping[UUID, int], *, lease_s: float) -> set[UUID]:
    """Hold on to the jobs for another `lease_s` seconds; says which of them are lost."""
    lost = set()
    for job_id, epoch in leases.items():
        if not await Job.filter(id=job_id, lease_epoch=epoch).update(lease_expires_at=_in(lease_s)):
            lost.add(job_id)
    return lost


async def release(leases: Mapping[UUID, int]) -> None:
    """Let these leases end now, so that another dispatcher need not wait for it."""
    for job_id, epoch in leases.items():
        await Job.filter(id=job_id, lease_epoch=epoch).update(lease_expires_at=now())


async def release_dead(is_alive: Callable[[str], bool]) -> int:
    """Let the leases end now of owners that are not alive; says how many. Nobody may take up a dead owner's name."""
    held = Job.filter(state__in=list(ACTIVE_STATES))
    owners = await held.distinct().values_list("lease_owner", flat=True)
    dead = [owner for owner in owners if owner is None or not is_alive(str(owner))]
    released = 0
    for owner in dead:
        released += await held.filter(lease_owner=owner).update(lease_expires_at=now())
    return released


async def _append(job_id: UUID, fact: Fact) -> None:
    """In a transaction that has just raised `event_seq`: that holds the row, so the number is this event's alone."""
    seq = await Job.get(id=job_id).values_list("event_seq", flat=True)
    data = dict(fact.data) if fact.data is not None else None
    await JobEvent.create(job_id=job_id, seq=seq, kind=fact.kind, message=fact.message, data=data)


async def _upsert(rows: list[JobTask], columns: Sequence[str]) -> None:
    if rows:
        await JobTask.bulk_create(rows, on_conflict=("job_id", "stage", "shard"), update_fields=columns)


def _in(seconds: float) -> datetime:
    return now() + timedelta(seconds=seconds)
