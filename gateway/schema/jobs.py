"""Jobs: what they were asked, how far they are, what happened, what they left."""

from datetime import datetime
from typing import Self
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from gateway import artifacts, control, datasets, downloads, events, jobs, planning
from gateway.errors import NotFound
from gateway.schema.context import Context, Info, signed_in
from gateway.schema.datasets import Column, Dataset, Preview, columns_of
from gateway.schema.errors import UserError, UserErrors
from gateway.schema.job_inputs import CreateJobInput
from gateway.schema.permissions import JOBS, SIGNED_IN
from gateway.schema.progress import JobFailure, JobProgress
from gateway.schema.relay import (
    BigInt,
    Connection,
    Node,
    connection,
    global_id,
    local_id,
    page_arguments,
)
from gateway.schema.users import User, load_owner

ArtifactKind = strawberry.enum(artifacts.ArtifactKind, name="ArtifactKind")


@strawberry.type(
    description="Every record of the input is accounted for: read = rejected + passed, per shard and per job."
)
class RowBalance:
    read: BigInt
    passed: BigInt
    rejected: BigInt
    written: BigInt
    closes: bool


@strawberry.type
class JobEvent:
    seq: int = strawberry.field(
        description="Grows by one within a job, with no gaps: a client that reconnects passes the last one as `after`."
    )
    job_id: strawberry.ID
    at: datetime
    kind: str
    message: str
    data: JSON | None

    @classmethod
    def of(cls, row: jobs.JobEvent) -> Self:
        return cls(
            seq=row.seq,
            job_id=global_id("Job", row.job_id),
            at=row.created_at,
            kind=row.kind,
            message=row.message,
            data=row.data,
        )


@strawberry.type
class Artifact(Node):
    kind: artifacts.ArtifactKind
    name: str
    format: datasets.FileFormat | None
    size_bytes: BigInt
    row_count: BigInt | None
    sha256: str | None
    row: strawberry.Private[artifacts.Artifact]

    @strawberry.field(description="A link that works without other credentials until it expires.")
    def download_url(self, info: Info) -> str:
        return info.context.base_url + downloads.link(info.context.settings, self.row.id)

    @strawberry.field
    async def preview(self, info: Info, first: int | None = 50) -> Preview | None:
        most, _ = page_arguments(
            50 if first is None else first, None, most=info.context.settings.preview_max_rows
        )
        found = await artifacts.preview(info.context.settings, self.row, most)
        return Preview.of(found) if found else None

    @classmethod
    def of(cls, row: artifacts.Artifact) -> Self:
        return cls(
            id=global_id("Artifact", row.id),
            kind=row.kind,
            name=row.name,
            format=row.format,
            size_bytes=BigInt(row.size_bytes),
            row_count=None if row.row_count is None else BigInt(row.row_count),
            sha256=row.sha256,
            row=row,
        )


@strawberry.type
class Job(Node):
    name: str
    state: jobs.JobState
    sql: str | None
    effective_sql: str | None = strawberry.field(
        description="The SQL that runs: the given one, or what the steps compile to."
    )
    steps: JSON | None
    row_balance: RowBalance | None
    failure: JobFailure | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    row: strawberry.Private[jobs.Job]

    @strawberry.field
    async def owner(self, info: Info) -> User:
        return await load_owner(info.context, self.row.owner_id)

    @strawberry.field(description="Those that are still there.")
    async def sources(self, info: Info) -> list[Dataset]:
        return [Dataset.of(row) for row in await info.context.loader(datasets.by_job).load(self.row.id)]

    @strawberry.field
    def progress(self, info: Info) -> JobProgress:
        return JobProgress.of(events.snapshot_of(self.row, info.context.events))

    @strawberry.field
    async def artifacts(self, info: Info) -> list[Artifact]:
        return [Artifact.of(row) for row in await info.context.loader(artifacts.by_job).load(self.row.id)]

    @strawberry.field(description="In order; `after` is the last `seq` seen.")
    async def events(self, first: int | None = 100, after: int | None = None) -> list[JobEvent]:
        most = 100 if first is None else first
        return [JobEvent.of(row) for row in await jobs.event_page(self.row.id, first=most, after=after)]

    @classmethod
    def of(cls, row: jobs.Job) -> Self:
        return cls(
            id=global_id("Job", row.id),
            name=row.name,
            state=row.state,
            sql=row.sql,
            effective_sql=row.effective_sql,
            steps=row.steps,
            row_balance=_balance(row),
            failure=JobFailure.of(row.failure),
            created_at=row.created_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
            row=row,
        )


def _balance(row: jobs.Job) -> RowBalance | None:
    if (
        row.rows_read is None
        or row.rows_passed is None
        or row.rows_rejected is None
        or row.rows_written is None
    ):
        return None
    return RowBalance(
        read=BigInt(row.rows_read),
        passed=BigInt(row.rows_passed),
        rejected=BigInt(row.rows_rejected),
        written=BigInt(row.rows_written),
        closes=row.rows_read == row.rows_passed + row.rows_rejected,
    )


@strawberry.type
class PlannedStage:
    index: int
    name: str
    task_count: int


@strawberry.type(description="What a job would do, without running it.")
class JobPlan:
    effective_sql: str
    columns: list[Column]
    stages: list[PlannedStage]
    bytes_to_read: BigInt
    text: str

    @classmethod
    def of(cls, plan: planning.JobPlan) -> Self:
        return cls(
            effective_sql=plan.effective_sql,
            columns=columns_of(plan.columns),
            stages=[
                PlannedStage(index=each.index, name=each.name, task_count=each.task_count)
                for each in plan.stages
            ],
            bytes_to_read=BigInt(plan.bytes_to_read),
            text=plan.text,
        )


@strawberry.type
class JobPayload:
    job: Job | None = None
    errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class JobPlanPayload:
    plan: JobPlan | None = None
    errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class DeleteJobPayload:
    deleted_id: strawberry.ID | None = None
    errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.input
class JobIdInput:
    job_id: strawberry.ID


@strawberry.input
class CloneJobInput:
    job_id: strawberry.ID
    name: str | None = None
    idempotency_key: str | None = None


@strawberry.input
class JobFilter:
    states: list[jobs.JobState] | None = None
    owner_id: strawberry.ID | None = None
    search: str | None = None


@strawberry.type
class JobQuery:
    @strawberry.field(extensions=[SIGNED_IN])
    async def job(self, info: Info, id: strawberry.ID) -> Job | None:
        try:
            row = await jobs.find(signed_in(info), local_id(id, "Job"))
        except NotFound:
            return None
        return Job.of(row) if row else None

    @strawberry.field(
        extensions=[SIGNED_IN], description="Newest first; administrators see those of all users."
    )
    async def jobs(
        self, info: Info, first: int | None = 50, after: str | None = None, filter: JobFilter | None = None
    ) -> Connection[Job] | None:
        most, cursor = page_arguments(
            50 if first is None else first, after, most=info.context.settings.page_max
        )
        wanted = filter or JobFilter()
        page = await jobs.page(
            signed_in(info),
            first=most,
            after=cursor,
            states=wanted.states,
            owner_id=local_id(wanted.owner_id, "User") if wanted.owner_id else None,
            search=wanted.search,
        )
        return connection(page, Job.of)

    @strawberry.field(extensions=[UserErrors(JobPlanPayload), SIGNED_IN])
    async def explain_job(self, info: Info, input: CreateJobInput) -> JobPlanPayload | None:
        plan = await jobs.explain(signed_in(info), input.draft(), info.context.settings)
        return JobPlanPayload(plan=JobPlan.of(plan))


@strawberry.type
class JobMutation:
    @strawberry.mutation(
        extensions=[UserErrors(JobPayload), JOBS],
        description="Checks all that can be checked, and queues the job.",
    )
    async def create_job(self, info: Info, input: CreateJobInput) -> JobPayload:
        context = info.context
        row = await jobs.create(signed_in(info), input.draft(), context.settings, context.events)
        return JobPayload(job=Job.of(row))

    @strawberry.mutation(
        extensions=[UserErrors(JobPayload), JOBS],
        description="A queued job is canceled at once; one that runs is CANCELING until its tasks have stopped.",
    )
    async def cancel_job(self, info: Info, input: JobIdInput) -> JobPayload:
        job_id = local_id(input.job_id, "Job", field="jobId")
        return JobPayload(job=Job.of(await control.cancel(signed_in(info), job_id, info.context.events)))

    @strawberry.mutation(
        extensions=[UserErrors(JobPayload), JOBS],
        description="A queued job is paused at once; one that runs when its tasks have stopped. What is done stays.",
    )
    async def pause_job(self, info: Info, input: JobIdInput) -> JobPayload:
        job_id = local_id(input.job_id, "Job", field="jobId")
        return JobPayload(job=Job.of(await control.pause(signed_in(info), job_id, info.context.events)))

    @strawberry.mutation(
        extensions=[UserErrors(JobPayload), JOBS],
        description="A paused job waits for its turn again, and goes on from its finished tasks.",
    )
    async def resume_job(self, info: Info, input: JobIdInput) -> JobPayload:
        job_id = local_id(input.job_id, "Job", field="jobId")
        return JobPayload(job=Job.of(await control.resume(signed_in(info), job_id, info.context.events)))

    @strawberry.mutation(
        extensions=[UserErrors(JobPayload), JOBS],
        description="Runs a failed or canceled job again; shards whose results are still valid are not read again.",
    )
    async def retry_job(self, info: Info, input: JobIdInput) -> JobPayload:
        job_id = local_id(input.job_id, "Job", field="jobId")
        context = info.context
        row = await control.retry(signed_in(info), job_id, context.settings, context.events)
        return JobPayload(job=Job.of(row))

    @strawberry.mutation(
        extensions=[UserErrors(JobPayload), JOBS],
        description="A new job that asks for the same, of its datasets as they are now.",
    )
    async def clone_job(self, info: Info, input: CloneJobInput) -> JobPayload:
        context = info.context
        row = await control.clone(
            signed_in(info),
            local_id(input.job_id, "Job", field="jobId"),
            name=input.name,
            idempotency_key=input.idempotency_key,
            settings=context.settings,
            events=context.events,
        )
        return JobPayload(job=Job.of(row))

    @strawberry.mutation(
        extensions=[UserErrors(DeleteJobPayload), JOBS],
        description="Forgets a job that is done, and removes what it left.",
    )
    async def delete_job(self, info: Info, input: JobIdInput) -> DeleteJobPayload:
        job_id = local_id(input.job_id, "Job", field="jobId")
        row = await jobs.delete(signed_in(info), job_id, info.context.settings)
        return DeleteJobPayload(deleted_id=global_id("Job", row.id))


async def load_job(context: Context, id: UUID) -> Job | None:
    """For `node`: where the viewer may see it."""
    row = await jobs.find(context.viewer, id) if context.viewer else None
    return Job.of(row) if row else None


async def load_artifact(context: Context, id: UUID) -> Artifact | None:
    """For `node`: where the viewer may see its job."""
    row = await artifacts.find(context.viewer, id) if context.viewer else None
    return Artifact.of(row) if row else None
