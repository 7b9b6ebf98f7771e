"""Rows that tests begin with."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from gateway import progress
from gateway.models import Job, JobEvent, JobState, User, now


async def user(email: str = "ada@example.org") -> User:
    found = await User.get_or_none(email=email)
    return found or await User.create(email=email, display_name="Ada", password_hash="")


async def job(state: JobState = JobState.QUEUED, *, owner: User | None = None, **values: Any) -> Job:
    """A job in `state`, with one event."""
    owner = owner or await user()
    created = await Job.create(
        **({"spec": {}, "sql": "SELECT 1"} | values),
        owner_id=owner.id,
        name="A job",
        state=state,
        event_seq=1,
    )
    await JobEvent.create(job_id=created.id, seq=1, kind="CREATED", message="It waits.")
    return created


def snapshot(job_id: UUID, fraction: float = 0.0, state: JobState = JobState.RUNNING) -> progress.Snapshot:
    waiting = progress.first(job_id, now(), bytes_total=1000)
    return replace(waiting, state=state, fraction=fraction, bytes_read=int(fraction * 1000))
