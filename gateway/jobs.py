"""Jobs: what may be asked of them, checked and written. Nothing runs here; the dispatcher is told by the row."""

import asyncio
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from tortoise.exceptions import IntegrityError
from tortoise.queryset import QuerySet

from gateway import datasets, journal, planning
from gateway.auth import Viewer
from gateway.drafts import JobDraft, SourceDraft, aliases, check, name_of, spec_row
from gateway.errors import BadInput, Conflict, LimitExceeded, NotFound
from gateway.events import Events, StateChange
from gateway.models import (
    Artifact,
    Dataset,
    DatasetStatus,
    Job,
    JobEvent,
    JobSource,
    JobState,
    JobTask,
    Role,
    TaskState,
    new_id,
    now,
)
from gateway.paging import Page, newest_first
from gateway.planning import JobPlan
from gateway.progress import FINAL_STATES, StageSnapshot, first, to_row
from gateway.settings import Settings
from gateway.transactions import atomically
from karyaksham_engine.errors import InvalidJob, KaryakshamError

__all__ = [
    "FailureKind",
    "Job",
    "JobEvent",
    "JobState",
    "JobTask",
    "TaskState",
    "check_queue",
    "create",
    "delete",
    "event_page",
    "explain",
    "find",
    "page",
    "queued",
    "task_page",
    "tasks_running",
]

EVENTS_MAX: Final = 1_000
"""In one answer."""
TASKS_MAX: Final = 1_000


class FailureKind(StrEnum):
    DATA = "DATA"
    CONFIG = "CONFIG"
    LIMIT = "LIMIT"
    STORAGE = "STORAGE"
    INFRASTRUCTURE = "INFRASTRUCTURE"
    INTERNAL = "INTERNAL"


def _visible(viewer: Viewer) -> QuerySet[Job]:
    query = Job.filter(deleted_at=None)
    return query if viewer.user.role is Role.ADMIN else query.filter(owner_id=viewer.user.id)


async def find(viewer: Viewer, job_id: UUID) -> Job | None:
    """The job, where the viewer may see it."""
    return await _visible(viewer).get_or_none(id=job_id)


async def page(
    viewer: Viewer,
    *,
    first: int,
    after: UUID | None,
    states: Sequence[JobState] | None = None,
    owner_id: UUID | None = None,
    search: str | None = None,
) -> Page[Job]:
    query = _visible(viewer)
    if states:
        query = query.filter(state__in=list(states))
    if owner_id is not None:
        query = query.filter(owner_id=owner_id)
    if search:
        query = query.filter(name__icontains=search)
    return await newest_first(query, first=first, after=after)


async def explain(viewer: Viewer, draft: JobDraft, settings: Settings) -> JobPlan:
    """What the job would do. Raises as `create` does."""
    _, plan, _ = await _planned(viewer, draft, settings)
    return plan


async def create(viewer: Viewer, draft: JobDraft, settings: Settings, events: Events) -> Job:
    """A queued job: all that can be checked is checked, and it is written with its first event.

    The same idempotency key with the same draft gives the same job again, whatever has changed since.
    Raises BadInput, NotFound, LimitExceeded, Conflict.
    """
    check(draft, settings)
    digest = datasets.fingerprint(asdict(draft))
    if known := await _by_key(viewer.user.id, draft.idempotency_key, digest):
        return known
    await check_queue(viewer, settings)
    read, plan, spec = await _planned(viewer, draft, settings)
    job_id, at = new_id(), now()
    waiting = first(job_id, at, bytes_total=plan.bytes_to_read, stages=_stages(plan))

    async def work() -> Job:
        ids = {dataset.id for dataset in read}
        kept = Dataset.filter(id__in=list(ids), status=DatasetStatus.READY, deleted_at=None)
        if await kept.update(deleted_at=None) != len(ids):
            raise Conflict("A dataset was changed or deleted at the same time.", "Try again.")
        job = await Job.create(
            id=job_id,
            created_at=at,
            owner_id=viewer.user.id,
            name=name_of(draft),
            sql=draft.sql,
            steps=list(draft.steps) if draft.steps is not None else None,
            is_profile=draft.profile,
            effective_sql=plan.effective_sql or None,
            spec=spec,
            priority=draft.priority,
            progress=to_row(waiting),
            progress_at=at,
            event_seq=1,
            idempotency_key=draft.idempotency_key,
            input_hash=digest,
        )
        for position, (dataset, alias) in enumerate(zip(read, aliases(draft.sources), strict=True)):
            await JobSource.create(job_id=job_id, dataset_id=dataset.id, position=position, alias=alias)
        await JobEvent.create(job_id=job_id, seq=1, kind="CREATED", message="The job waits for its turn.")
        return job

    try:
        job = await atomically(work)
    except IntegrityError:
        if known := await _by_key(viewer.user.id, draft.idempotency_key, digest):
            return known
        raise
    events.publish_change(StateChange(job.id, job.owner_id, job.state))
    return job


async def delete(viewer: Viewer, job_id: UUID, settings: Settings) -> Job:
    """Forgets a job that is done, and removes its artifacts. Raises Conflict while it is not done."""
    job = await _found(viewer, job_id)
    done = Job.filter(id=job_id, state__in=list(FINAL_STATES), deleted_at=None)
    if not await done.update(deleted_at=now(), idempotency_key=None):
        raise Conflict(f"The job is {job.state.value}.", "Cancel it first.", field=["input", "jobId"])
    await asyncio.to_thread(shutil.rmtree, settings.jobs_dir / str(job_id), ignore_errors=True)
    await Artifact.filter(job_id=job_id).delete()
    return job


async def event_page(job_id: UUID, *, first: int, after: int | None) -> list[JobEvent]:
    if not 1 <= first <= EVENTS_MAX:
        raise BadInput(f"first must be from 1 to {EVENTS_MAX}.", field=["first"])
    return await JobEvent.filter(job_id=job_id, seq__gt=after or 0).order_by("seq").limit(first)


async def task_page(
    job_id: UUID, stage: StageSnapshot, *, first: int, after: int | None, done: bool
) -> list[JobTask]:
    """Tasks by shard, those greater than `after`; what no dispatcher has written of yet is PENDING, or was SKIPPED."""
    if not 1 <= first <= TASKS_MAX:
        raise BadInput(f"first must be from 1 to {TASKS_MAX}.", field=["first"])
    begin = 0 if after is None else after + 1
    wanted = range(begin, min(begin + first, stage.task_count))
    if not wanted:
        return []
    rows = await JobTask.filter(
        job_id=job_id, stage=stage.index, shard__gte=wanted.start, shard__lt=wanted.stop
    )
    known = {row.shard: row for row in rows}
    unknown = TaskState.SKIPPED if done else TaskState.PENDING
    return [
        known.get(shard) or JobTask(job_id=job_id, stage=stage.index, shard=shard, state=unknown)
        for shard in wanted
    ]


async def queued() -> int:
    """Jobs of all users that wait."""
    return await Job.filter(state=JobState.QUEUED, deleted_at=None).count()


async def tasks_running() -> int:
    """Tasks of all users' jobs that run now."""
    return await JobTask.filter(state=TaskState.RUNNING, job__state__in=list(journal.ACTIVE_STATES)).count()


async def _planned(
    viewer: Viewer, draft: JobDraft, settings: Settings
) -> tuple[list[Dataset], JobPlan, dict[str, Any]]:
    sql = check(draft, settings)
    read = [await _readable(viewer, index, source) for index, source in enumerate(draft.sources)]
    _check_shards(draft, read, settings)
    names = aliases(draft.sources)
    spec = spec_row(
        draft, [datasets.source(dataset, name) for dataset, name in zip(read, names, strict=True)]
    )
    if draft.profile:
        spec["revision"] = read[0].revision
        return read, await asyncio.to_thread(planning.profile_plan, spec["sources"][0]), spec
    try:
        if draft.steps is not None:
            sql = spec["sql"] = await planning.sql_of_steps(draft.steps, spec, storage=settings.objects)
        cores = settings.ray_num_cpus or os.cpu_count() or 1
        plan = await planning.plan(sql, spec, parallelism=cores, storage=settings.objects)
    except KaryakshamError as error:
        if isinstance(error, InvalidJob):
            number = error.detail.get("step")
            place = ["sql"] if draft.steps is None else ["steps", *([str(number - 1)] if number else [])]
            error.detail.setdefault("field", ["input", *place])
        raise
    return read, plan, spec


def _check_shards(draft: JobDraft, read: Sequence[Dataset], settings: Settings) -> None:
    """Before anything is planned, because a plan has each of its tasks."""
    if draft.shard_size_bytes is None:
        return
    if sum(dataset.size_bytes for dataset in read) > settings.job_tasks_max * draft.shard_size_bytes:
        raise LimitExceeded(
            f"Shards of {draft.shard_size_bytes} bytes make more than {settings.job_tasks_max} tasks.",
            "Choose larger shards, or leave their size out.",
            field=["input", "shardSizeBytes"],
            limit="job_tasks_max",
        )


async def _readable(viewer: Viewer, index: int, source: SourceDraft) -> Dataset:
    field = ["input", "sources", str(index), "datasetId"]
    dataset = await datasets.find(viewer, source.dataset_id)
    if dataset is None:
        raise NotFound("There is no such dataset.", field=field)
    if dataset.status is DatasetStatus.INSPECTING:
        raise Conflict(f"“{dataset.name}” is still being inspected.", "Try again in a moment.", field=field)
    if dataset.status is DatasetStatus.INVALID:
        raise BadInput(f"“{dataset.name}” can't be read: {dataset.problem}", field=field)
    return dataset


def _stages(plan: JobPlan) -> list[StageSnapshot]:
    return [
        StageSnapshot(
            index=stage.index,
            name=stage.name,
            state=TaskState.PENDING,
            task_count=stage.task_count,
            tasks_done=0,
            bytes_read=0,
            bytes_total=stage.bytes_total,
        )
        for stage in plan.stages
    ]


async def check_queue(viewer: Viewer, settings: Settings) -> None:
    """Raises LimitExceeded where the viewer has as many unfinished jobs as one may have."""
    unfinished = Job.filter(owner_id=viewer.user.id, deleted_at=None, state__not_in=list(FINAL_STATES))
    most = viewer.user.jobs_queued_max
    most = settings.jobs_queued_max if most is None else most
    if await unfinished.count() >= most:
        raise LimitExceeded(
            f"You have {most} jobs that are not done yet.",
            "Wait for some, or cancel them.",
            limit="jobs_queued_max",
        )


async def _by_key(owner_id: UUID, key: str | None, digest: str) -> Job | None:
    known = await Job.get_or_none(owner_id=owner_id, idempotency_key=key) if key else None
    if known is not None and known.input_hash != digest:
        raise Conflict(
            "This idempotency key was used for another job.",
            "Use a new key for a new job.",
            field=["input", "idempotencyKey"],
        )
    return known


async def _found(viewer: Viewer, job_id: UUID) -> Job:
    job = await find(viewer, job_id)
    if job is None:
        raise NotFound("There is no such job.", field=["input", "jobId"])
    return job
