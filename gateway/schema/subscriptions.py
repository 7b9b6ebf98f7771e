"""What happens to jobs, as it happens."""

from collections.abc import AsyncIterator

import strawberry

from gateway import events, jobs
from gateway.errors import NotFound
from gateway.schema.context import Info, signed_in
from gateway.schema.jobs import Job, JobEvent
from gateway.schema.permissions import SIGNED_IN
from gateway.schema.progress import JobProgress
from gateway.schema.relay import local_id


@strawberry.type
class Subscription:
    @strawberry.subscription(
        extensions=[SIGNED_IN],
        description="At most four snapshots a second, the first at once; ends after the one with a final state.",
    )
    async def job_progress(self, info: Info, job_id: strawberry.ID) -> AsyncIterator[JobProgress]:
        job = await _found(info, job_id)
        async for snapshot in events.progress(info.context.events, job.id):
            yield JobProgress.of(snapshot)

    @strawberry.subscription(
        extensions=[SIGNED_IN],
        description="Replays what came after `after`, then goes on live; ends after the final event.",
    )
    async def job_events(
        self, info: Info, job_id: strawberry.ID, after: int | None = 0
    ) -> AsyncIterator[JobEvent]:
        job = await _found(info, job_id)
        async for event in events.events(info.context.events, job.id, after or 0):
            yield JobEvent.of(event)

    @strawberry.subscription(
        extensions=[SIGNED_IN],
        description="Every change of state of the viewer's jobs, for lists; those that are not done come at once.",
    )
    async def job_updates(self, info: Info) -> AsyncIterator[Job]:
        async for job in events.changes(info.context.events, signed_in(info).id):
            yield Job.of(job)


async def _found(info: Info, job_id: strawberry.ID) -> jobs.Job:
    job = await jobs.find(signed_in(info), local_id(job_id, "Job"))
    if job is None:
        raise NotFound("There is no such job.")
    return job
