"""A service from a program: files in, SQL, results out.

Whatever is not here is a method of `api`: every operation of `operations.graphql`, typed from the schema.
"""

import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar
from uuid import uuid4

from karyaksham._graphql import (
    ArtifactFields,
    ArtifactKind,
    BadRowPolicy,
    BadRowsInput,
    ColumnInput,
    CreateJobInput,
    DatasetFields,
    DatasetIdInput,
    DatasetStatus,
    DialectInput,
    EventFields,
    FileFormat,
    JobFields,
    JobFilter,
    JobIdInput,
    JobSourceInput,
    JobState,
    LoginInput,
    Operations,
    OutputInput,
    PreviewFields,
    ProfileFields,
    ProgressFields,
    RegisterDatasetInput,
    RegisterInput,
    SessionFields,
    StepInput,
    UpdateDatasetInput,
)
from karyaksham._graphql.explain_job import ExplainJobExplainJobPlan
from karyaksham.errors import JobFailed, ServiceError
from karyaksham.files import LocalFile, download, upload
from karyaksham.progress import Bar, Shows, in_words, size
from karyaksham.transport import TRIES_MAX, pause

FINAL: Final = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELED})
LOOK_AGAIN_S: Final = 0.2
URL: Final = "KARYAKSHAM_URL"
TOKEN: Final = "KARYAKSHAM_TOKEN"  # noqa: S105
DEFAULT_URL: Final = "http://127.0.0.1:8000"

Item = TypeVar("Item")
Found = TypeVar("Found")

Sources = DatasetFields | str | Mapping[str, DatasetFields | str]
"""A dataset or its id, the table `input`; or several, by the names that the SQL uses."""


class AsyncClient:
    """One service, as one user: with an API token, or signed in with an address and a password.

    `url` and `token` default to the variables KARYAKSHAM_URL and KARYAKSHAM_TOKEN. What can be sent twice without harm
    is, while a service restarts. Every method raises ServiceError; those that take `show` say how far they are:
    on a terminal or in a notebook with a bar, and not at all with `show=False`.
    """

    def __init__(self, url: str | None = None, token: str | None = None) -> None:
        self.api = Operations(url or os.environ.get(URL) or DEFAULT_URL, token or os.environ.get(TOKEN))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self.api.http.aclose()

    async def sign_in(self, email: str, password: str) -> None:
        """From now on as this user; the session is renewed by itself."""
        self._use((await self.api.login(LoginInput(email=email, password=password))).session)

    async def sign_up(self, email: str, password: str, display_name: str | None = None) -> None:
        """A new account, where the service lets people make theirs; then signed in."""
        given = RegisterInput(email=email, password=password, display_name=display_name)
        self._use((await self.api.sign_up(given)).session)

    # ------------------------------------------------------------------------------------------------ datasets

    async def upload(self, path: str | os.PathLike[str], *, show: bool = True) -> DatasetFields:
        """A local file as a dataset that is ready. An upload that broke off goes on, also in another program."""
        file = LocalFile.at(Path(path))
        dataset: DatasetFields | None = None
        with _bar(f"uploading {file.path.name}", show) as bar:
            async for arrived in upload(self.api, file):
                if isinstance(arrived, DatasetFields):
                    dataset = arrived
                else:
                    bar(arrived / max(file.size_bytes, 1), f"{size(arrived)} of {size(file.size_bytes)}")
        return await self.ready(_there(dataset, "dataset"))

    async def register(
        self,
        uri: str,
        *,
        name: str | None = None,
        format: FileFormat | None = None,
        dialect: DialectInput | None = None,
        columns: Sequence[ColumnInput] | None = None,
    ) -> DatasetFields:
        """Files that the service can reach itself, such as file:///data/*.csv, as a dataset that is ready."""
        given = RegisterDatasetInput(
            name=name or uri.rsplit("/", 1)[-1], uri=uri, idempotency_key=uuid4().hex
        )
        if format is not None:
            given.format = format
        if dialect is not None:
            given.dialect = dialect
        if columns is not None:
            given.columns = list(columns)
        return await self.ready(
            _there((await self.api.register_dataset(given, again=True)).dataset, "dataset")
        )

    async def read_as(
        self,
        dataset: DatasetFields | str,
        *,
        dialect: DialectInput | None = None,
        columns: Sequence[ColumnInput] | None = None,
        format: FileFormat | None = None,
    ) -> DatasetFields:
        """The dataset, read in another way; what is left out is detected."""
        given = UpdateDatasetInput(dataset_id=_id(dataset), dialect=dialect or DialectInput())
        if columns is not None:
            given.columns = list(columns)
        if format is not None:
            given.format = format
        return await self.ready(_there((await self.api.update_dataset(given, again=True)).dataset, "dataset"))

    async def ready(self, dataset: DatasetFields | str) -> DatasetFields:
        """Waits until the service knows what the dataset is. ServiceError when it can't be read."""
        found = await self.dataset(_id(dataset))
        while found.status is DatasetStatus.INSPECTING:
            await pause(0, LOOK_AGAIN_S)
            found = await self.dataset(found.id)
        if found.status is DatasetStatus.INVALID:
            raise ServiceError("BAD_USER_INPUT", found.problem or f"{found.name} can't be read.")
        return found

    async def dataset(self, id: str) -> DatasetFields:
        return _there(await self.api.dataset(id), "dataset")

    async def datasets(self, search: str | None = None) -> AsyncIterator[DatasetFields]:
        """Newest first; `search` is part of the name."""
        after: str | None = None
        while True:
            page = _there(await self.api.datasets(after, search), "list of datasets")
            for edge in page.edges:
                yield edge.node
            if not page.page_info.has_next_page:
                return
            after = page.page_info.end_cursor

    async def preview(self, what: DatasetFields | ArtifactFields, rows: int = 20) -> PreviewFields:
        """The first rows of a dataset, or of what a job made."""
        if isinstance(what, DatasetFields):
            return _there(await self.api.dataset_preview(what.id, rows), "dataset").preview
        found = _there(await self.api.artifact_preview(what.id, rows), "artifact")
        preview: PreviewFields | None = getattr(found, "preview", None)
        return _there(preview, "preview of it")

    async def profile(self, dataset: DatasetFields | str, *, show: bool = True) -> list[ProfileFields]:
        """Statistics of every column of the whole dataset; the first time a job makes them."""
        found = _there(await self.api.dataset_profile(_id(dataset)), "dataset")
        if found.profile is None:
            given = CreateJobInput(sources=_sources(dataset), profile=True, idempotency_key=uuid4().hex)
            await self.wait(await self._created(given), show=show)
            found = _there(await self.api.dataset_profile(_id(dataset)), "dataset")
        return list(_there(found.profile, "profile"))

    async def delete_dataset(self, dataset: DatasetFields | str) -> None:
        await self.api.delete_dataset(DatasetIdInput(dataset_id=_id(dataset)))

    # ------------------------------------------------------------------------------------------------ jobs

    async def submit(
        self,
        sql: str | None = None,
        sources: Sources | None = None,
        *,
        steps: Sequence[StepInput] | None = None,
        output: OutputInput | None = None,
        bad_rows: BadRowsInput | BadRowPolicy | None = None,
        name: str | None = None,
        priority: int = 0,
        idempotency_key: str | None = None,
    ) -> JobFields:
        """Queues a job, and returns at once. Without `output` it writes one CSV; bad rows fail it unless said."""
        return await self._created(
            _job_input(sql, sources, steps, output, bad_rows, name, priority, idempotency_key)
        )

    async def explain(
        self,
        sql: str | None = None,
        sources: Sources | None = None,
        *,
        steps: Sequence[StepInput] | None = None,
    ) -> ExplainJobExplainJobPlan:
        """What `submit` would do: the SQL, the columns of the result, stages and tasks."""
        given = _job_input(sql, sources, steps, None, None, None, 0, None)
        return _there(_there(await self.api.explain_job(given), "plan").plan, "plan")

    async def run(
        self,
        sql: str | None = None,
        sources: Sources | None = None,
        *,
        steps: Sequence[StepInput] | None = None,
        output: OutputInput | None = None,
        bad_rows: BadRowsInput | BadRowPolicy | None = None,
        name: str | None = None,
        show: bool = True,
    ) -> JobFields:
        """`submit`, then `wait`."""
        job = await self.submit(sql, sources, steps=steps, output=output, bad_rows=bad_rows, name=name)
        return await self.wait(job, show=show)

    async def wait(self, job: JobFields | str, *, show: bool = True) -> JobFields:
        """The job when it has SUCCEEDED. JobFailed when it ended otherwise."""
        with _bar("job", show) as bar:
            async for progress in self.follow(job):
                bar(progress.fraction, in_words(progress))
        done = await self.job(_id(job))
        if done.state is JobState.SUCCEEDED:
            return done
        if done.failure is None:
            raise JobFailed(done.id, done.state.value, f"The job ended {done.state.value}.")
        raise JobFailed(done.id, done.failure.code, done.failure.message, done.failure.hint)

    async def follow(self, job: JobFields | str) -> AsyncIterator[ProgressFields]:
        """Progress as it is made, to the final state. Comes back by itself when the connection breaks."""
        async for progress in _kept(lambda: self.api.job_progress(_id(job))):
            yield progress
            if progress.state in FINAL:
                return

    async def events(self, job: JobFields | str, after: int = 0) -> AsyncIterator[EventFields]:
        """What happened after event `after`, and what happens, to the end; none is missing and none comes twice."""
        last = [after]
        async for event in _kept(lambda: self.api.job_events(_id(job), last[0])):
            last[0] = event.seq
            yield event

    async def job(self, id: str) -> JobFields:
        return _there(await self.api.job(id), "job")

    async def jobs(
        self, states: Sequence[JobState] | None = None, search: str | None = None
    ) -> AsyncIterator[JobFields]:
        """Newest first."""
        chosen = JobFilter(states=list(states) if states else None, search=search)
        after: str | None = None
        while True:
            page = _there(await self.api.jobs(after, chosen), "list of jobs")
            for edge in page.edges:
                yield edge.node
            if not page.page_info.has_next_page:
                return
            after = page.page_info.end_cursor

    async def cancel(self, job: JobFields | str) -> JobFields:
        return _there((await self.api.cancel_job(JobIdInput(job_id=_id(job)), again=True)).job, "job")

    async def pause(self, job: JobFields | str) -> JobFields:
        return _there((await self.api.pause_job(JobIdInput(job_id=_id(job)), again=True)).job, "job")

    async def resume(self, job: JobFields | str) -> JobFields:
        return _there((await self.api.resume_job(JobIdInput(job_id=_id(job)))).job, "job")

    async def retry(self, job: JobFields | str) -> JobFields:
        """A failed or canceled job again, from its finished shards."""
        return _there((await self.api.retry_job(JobIdInput(job_id=_id(job)))).job, "job")

    async def delete_job(self, job: JobFields | str) -> None:
        await self.api.delete_job(JobIdInput(job_id=_id(job)))

    async def download(
        self,
        what: JobFields | ArtifactFields | str,
        target: str | os.PathLike[str] | None = None,
        *,
        kind: ArtifactKind = ArtifactKind.OUTPUT,
        show: bool = True,
    ) -> Path:
        """What a job made, as a file that is whole or absent; by default in this folder, under its own name.

        Of a job or its id: the artifact of that `kind`. A `target` that is a folder is where the file goes.
        """
        artifact = what if isinstance(what, ArtifactFields) else await self._artifact(_id(what), kind)
        path = Path(target) if target is not None else Path(Path(artifact.name).name)
        if path.is_dir():
            path /= Path(artifact.name).name
        with _bar(f"downloading {path.name}", show) as bar:
            async for arrived in download(self.api, artifact, path):
                bar(min(arrived / max(artifact.size_bytes, 1), 1.0), size(arrived))
        return path

    async def _artifact(self, job_id: str, kind: ArtifactKind) -> ArtifactFields:
        job = await self.job(job_id)
        for artifact in job.artifacts:
            if artifact.kind is kind:
                return artifact
        raise ServiceError("NOT_FOUND", f"The job is {job.state.value} and has no {kind.value.lower()}.")

    async def _created(self, given: CreateJobInput) -> JobFields:
        return _there((await self.api.create_job(given, again=True)).job, "job")

    def _use(self, session: SessionFields | None) -> None:
        found = _there(session, "session")
        self.api.signed_in(found.access_token, found.refresh_token, found.access_token_expires_at)


async def _kept(subscribe: Callable[[], AsyncIterator[Item]]) -> AsyncIterator[Item]:
    """The items of a subscription that is opened again when it breaks off, until the service completes it."""
    failures = 0
    while True:
        try:
            async for item in subscribe():
                failures = 0
                yield item
            return
        except ServiceError as error:
            failures += 1
            if error.code not in {"UNAVAILABLE", "UNAUTHENTICATED"} or failures >= TRIES_MAX:
                raise
            await pause(failures - 1, error.retry_after_s)


def _job_input(
    sql: str | None,
    sources: Sources | None,
    steps: Sequence[StepInput] | None,
    output: OutputInput | None,
    bad_rows: BadRowsInput | BadRowPolicy | None,
    name: str | None,
    priority: int,
    idempotency_key: str | None,
) -> CreateJobInput:
    if sources is None:
        raise ServiceError(
            "BAD_USER_INPUT", "A job needs a dataset: submit(sql, dataset).", field=["sources"]
        )
    given = CreateJobInput(
        sources=_sources(sources), priority=priority, idempotency_key=idempotency_key or uuid4().hex
    )
    if sql is not None:
        given.sql = sql
    if steps is not None:
        given.steps = list(steps)
    if output is not None:
        given.output = output
    if name is not None:
        given.name = name
    if bad_rows is not None:
        given.bad_rows = BadRowsInput(policy=bad_rows) if isinstance(bad_rows, BadRowPolicy) else bad_rows
    return given


def _sources(sources: Sources) -> list[JobSourceInput]:
    if isinstance(sources, Mapping):
        return [JobSourceInput(dataset_id=_id(found), alias=alias) for alias, found in sources.items()]
    return [JobSourceInput(dataset_id=_id(sources))]


def _id(what: DatasetFields | JobFields | str) -> str:
    return what if isinstance(what, str) else what.id


def _there(found: Found | None, what: str) -> Found:
    if found is None:
        raise ServiceError("NOT_FOUND", f"There is no such {what}, or it is not yours.")
    return found


def _bar(title: str, show: bool) -> "Bar | nullcontext[Shows]":
    return Bar(title) if show else nullcontext(lambda fraction, text: None)
