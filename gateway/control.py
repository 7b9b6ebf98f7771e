"""What a user does to a job that exists: cancel, pause, resume, retry, clone.

A job that nobody runs changes at once. One that runs is only asked; its dispatcher stops the
tasks and writes the state.
"""

from uuid import UUID

from gateway import jobs, journal
from gateway.auth import Viewer
from gateway.drafts import SourceDraft, draft_of
from gateway.errors import Conflict, NotFound
from gateway.events import Events, StateChange, snapshot_of
from gateway.journal import Fact
from gateway.models import DatasetStatus, Job, JobSource, JobState, now
from gateway.progress import FINAL_STATES, again, stopped, to_row
from gateway.settings import Settings

__all__ = ["cancel", "clone", "pause", "resume", "retry"]

FIELD = ["input", "jobId"]


async def cancel(viewer: Viewer, job_id: UUID, events: Events) -> Job:
    """A job that waits is canceled at once, a running one is CANCELING until its tasks have stopped. Idempotent."""
    job = await _found(viewer, job_id)
    at = now()
    ended = stopped(snapshot_of(job), JobState.CANCELED, at)
    if await journal.advance(
        job_id,
        Fact("CANCELED", "The job was canceled while it waited."),
        before=[JobState.QUEUED, JobState.PAUSED],
        after=JobState.CANCELED,
        cancel_requested_at=at,
        finished_at=at,
        progress=to_row(ended),
    ):
        events.publish_change(StateChange(job.id, job.owner_id, JobState.CANCELED))
    elif await journal.advance(
        job_id,
        Fact("CANCELING", "Cancel was asked for; tasks are being stopped."),
        before=[JobState.PLANNING, JobState.RUNNING, JobState.FINALIZING],
        after=JobState.CANCELING,
        cancel_requested_at=at,
    ):
        events.publish_change(StateChange(job.id, job.owner_id, JobState.CANCELING))
    job = await _found(viewer, job_id)
    if job.state in (JobState.SUCCEEDED, JobState.FAILED):
        raise Conflict(f"The job is already {job.state.value}.", field=FIELD)
    return job


async def pause(viewer: Viewer, job_id: UUID, events: Events) -> Job:
    """A queued job is PAUSED at once, a running one as soon as its tasks have stopped; what is done stays. Idempotent.

    Raises Conflict for a job that is being committed or canceled, or is done.
    """
    job = await _found(viewer, job_id)
    if await journal.advance(
        job_id,
        Fact("PAUSED", "The job was paused while it waited."),
        before=[JobState.QUEUED],
        after=JobState.PAUSED,
    ):
        events.publish_change(StateChange(job.id, job.owner_id, JobState.PAUSED))
    elif job.pause_requested_at is None:
        for state in (JobState.PLANNING, JobState.RUNNING):
            if await journal.advance(
                job_id,
                Fact("PAUSING", "Pause was asked for; tasks are being stopped."),
                before=[state],
                after=state,
                pause_requested_at=now(),
            ):
                events.publish_change(StateChange(job.id, job.owner_id, state))
                break
    job = await _found(viewer, job_id)
    if job.state not in (JobState.PAUSED, JobState.PLANNING, JobState.RUNNING):
        raise Conflict(f"A job that is {job.state.value} can't be paused.", field=FIELD)
    return job


async def resume(viewer: Viewer, job_id: UUID, events: Events) -> Job:
    """A paused job waits for its turn again, and goes on from its finished tasks. Idempotent. Raises Conflict."""
    job = await _found(viewer, job_id)
    if await journal.advance(
        job_id,
        Fact("RESUMED", "The job waits for its turn again."),
        before=[JobState.PAUSED],
        after=JobState.QUEUED,
        pause_requested_at=None,
    ):
        events.publish_change(StateChange(job.id, job.owner_id, JobState.QUEUED))
    job = await _found(viewer, job_id)
    if job.state in FINAL_STATES or job.state is JobState.CANCELING:
        raise Conflict(f"A job that is {job.state.value} can't be resumed.", field=FIELD)
    if job.pause_requested_at is not None:
        raise Conflict("The job is still being paused.", "Try again in a moment.", field=FIELD)
    return job


async def retry(viewer: Viewer, job_id: UUID, settings: Settings, events: Events) -> Job:
    """A failed or canceled job is queued again; tasks whose results are still there are not done again.

    Raises Conflict for a job in another state or whose datasets are gone, and LimitExceeded.
    """
    job = await _found(viewer, job_id)
    if job.state not in (JobState.FAILED, JobState.CANCELED):
        raise Conflict(
            f"The job is {job.state.value}.", "Only a failed or canceled job is tried again.", field=FIELD
        )
    await jobs.check_queue(viewer, settings)
    for read in await JobSource.filter(job_id=job_id).prefetch_related("dataset"):
        if read.dataset.deleted_at is not None or read.dataset.status is DatasetStatus.INVALID:
            raise Conflict(f"The dataset “{read.dataset.name}” is gone or can't be read.", field=FIELD)
    anew = again(snapshot_of(job), now())
    if not await journal.restart(job_id, anew):
        raise Conflict("The job was retried or deleted at the same time.", "Look at it again.", field=FIELD)
    events.publish_change(StateChange(job.id, job.owner_id, JobState.QUEUED))
    return await _found(viewer, job_id)


async def clone(
    viewer: Viewer,
    job_id: UUID,
    *,
    name: str | None,
    idempotency_key: str | None,
    settings: Settings,
    events: Events,
) -> Job:
    """A new job of the viewer's that asks for the same, of its datasets as they are now. Raises as `jobs.create`."""
    job = await _found(viewer, job_id)
    reads = await JobSource.filter(job_id=job_id).order_by("position")
    draft = draft_of(
        job.sql,
        job.spec,
        [SourceDraft(read.dataset_id, read.alias) for read in reads],
        name=job.name if name is None else name,
        steps=job.steps,
        is_profile=job.is_profile,
        priority=job.priority,
        idempotency_key=idempotency_key,
    )
    return await jobs.create(viewer, draft, settings, events)


async def _found(viewer: Viewer, job_id: UUID) -> Job:
    job = await jobs.find(viewer, job_id)
    if job is None:
        raise NotFound("There is no such job.", field=FIELD)
    return job
