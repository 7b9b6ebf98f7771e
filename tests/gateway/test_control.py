"""Pause, resume, retry and cancel, with runs that do as they are told and with real ones."""

import os
from datetime import datetime, timedelta
from typing import Any

import pytest

from compute.spec import Failed, Failure, Succeeded, TaskFinished
from gateway import control, leftovers
from gateway.auth import Viewer
from gateway.errors import Conflict, LimitExceeded, NotFound
from gateway.events import Events
from gateway.models import Artifact, Dataset, FileFormat, Job, JobSource, JobState, JobTask, TaskState, now
from gateway.schema.relay import local_id
from gateway.settings import Settings

from . import journeys, records, scripted
from .conftest import ERRORS, Api, Service, eventually
from .scripted import BALANCE, PLANNED, Finalizing, Script
from .test_dispatch import dispatching, in_state, kinds, queued, run_of

FAILURE = Failure("INFRASTRUCTURE", "WORKER_LOST", "A worker was lost.")
PAUSE, RESUME, RETRY = (
    f"mutation($input: JobIdInput!) {{ {name}(input: $input) {{ job {{ {journeys.JOB} }} {ERRORS} }} }}"
    for name in ("pauseJob", "resumeJob", "retryJob")
)
CLONE = (
    f"mutation($input: CloneJobInput!) {{ cloneJob(input: $input) {{ job {{ {journeys.JOB} }} {ERRORS} }} }}"
)
LEFT = (JobState.FAILED, JobState.CANCELED)


async def viewer() -> Viewer:
    return Viewer(await records.user(), None, None)


@pytest.mark.usefixtures("opened_database")
async def test_a_queued_job_is_paused_and_resumed_at_once() -> None:
    job, who, events = await queued(), await viewer(), Events()
    for _ in range(2):
        assert (await control.pause(who, job.id, events)).state is JobState.PAUSED
    for _ in range(2):
        assert (await control.resume(who, job.id, events)).state is JobState.QUEUED
    assert await kinds(job) == ["CREATED", "PAUSED", "RESUMED"]


@pytest.mark.usefixtures("opened_database")
async def test_a_running_job_pauses_and_goes_on_from_its_finished_tasks(settings: Settings) -> None:
    script, job, who, events = Script(), await queued(), await viewer(), Events()
    async with dispatching(settings, script, events):
        run = await run_of(script, job)
        done = TaskFinished(0, 1, 1, {"file": "a"})
        run.tell(PLANNED, done, scripted.progress(0.5, scripted.task(2, "RUNNING", 40)))
        await in_state(job, JobState.RUNNING)
        for _ in range(2):
            await control.pause(who, job.id, events)
        paused = await in_state(job, JobState.PAUSED)
        assert run.is_suspended and not run.is_canceled
        assert (paused.pause_requested_at, paused.lease_owner, paused.finished_at) == (None, None, None)
        assert not await JobTask.filter(job_id=job.id, state=TaskState.RUNNING).exists()
        assert len(script.runs) == 1
        await control.resume(who, job.id, events)

        async def again() -> bool:
            return len(script.runs) == 2

        await eventually(again)
        assert script.runs[1].resume == [done]
        script.runs[1].tell(PLANNED, Finalizing(), Succeeded((), BALANCE))
        ended = await in_state(job, JobState.SUCCEEDED)
    assert ended.fraction == 1.0
    assert await kinds(job) == [
        "CREATED",
        "PLANNING",
        "RUNNING",
        "PAUSING",
        "PAUSED",
        "RESUMED",
        "PLANNING",
        "RUNNING",
        "FINALIZING",
        "SUCCEEDED",
    ]


@pytest.mark.usefixtures("opened_database")
async def test_a_pause_outlives_the_dispatcher_that_was_asked(settings: Settings) -> None:
    script, job = Script(), await queued(JobState.RUNNING, pause_requested_at=now(), lease_epoch=1)
    async with dispatching(settings, script):
        await in_state(job, JobState.PAUSED)
    assert script.runs == []


@pytest.mark.usefixtures("opened_database")
async def test_cancel_comes_before_pause_and_ends_a_paused_job(settings: Settings) -> None:
    script, job, who, events = Script(), await queued(), await viewer(), Events()
    async with dispatching(settings, script, events):
        run = await run_of(script, job)
        run.tell(PLANNED)
        await in_state(job, JobState.RUNNING)
        await Job.filter(id=job.id).update(state=JobState.CANCELING, pause_requested_at=now())
        await in_state(job, JobState.CANCELED)
    waiting = await queued(JobState.PAUSED)
    assert (await control.cancel(who, waiting.id, events)).state is JobState.CANCELED


@pytest.mark.usefixtures("opened_database")
@pytest.mark.parametrize("state", list(JobState))
async def test_each_state_allows_what_it_should(settings: Settings, state: JobState) -> None:
    who, events = await viewer(), Events()
    allowed = {
        "pause": {JobState.QUEUED, JobState.PAUSED, JobState.PLANNING, JobState.RUNNING},
        "resume": set(JobState) - {JobState.CANCELING, JobState.SUCCEEDED, *LEFT},
        "retry": set(LEFT),
        "cancel": set(JobState) - {JobState.SUCCEEDED, JobState.FAILED},
    }

    async def ask(name: str) -> Job:
        job = await records.job(state)
        if name == "retry":
            return await control.retry(who, job.id, settings, events)
        return await {"pause": control.pause, "resume": control.resume, "cancel": control.cancel}[name](
            who, job.id, events
        )

    for name, states in allowed.items():
        if state in states:
            await ask(name)
        else:
            with pytest.raises(Conflict):
                await ask(name)


@pytest.mark.usefixtures("opened_database")
@pytest.mark.parametrize("state", LEFT)
async def test_a_retry_keeps_records_and_nothing_else(settings: Settings, state: JobState) -> None:
    who, events, script = await viewer(), Events(), Script()
    job = await queued(state, failure={"kind": "DATA"}, finished_at=now(), cancel_requested_at=now())
    await JobTask.create(
        job_id=job.id, stage=0, shard=0, state=TaskState.SUCCEEDED, attempt=1, record={"f": 1}
    )
    await JobTask.create(job_id=job.id, stage=0, shard=1, state=TaskState.FAILED, attempt=4)
    await Artifact.create(job_id=job.id, kind="REJECTS", name="rejects.csv", path="x", size_bytes=1)
    again = await control.retry(who, job.id, settings, events)
    assert (again.state, again.failure, again.finished_at, again.fraction) == (
        JobState.QUEUED,
        None,
        None,
        0.0,
    )
    assert await Artifact.filter(job_id=job.id).count() == 0
    assert [task.shard for task in await JobTask.filter(job_id=job.id)] == [0]
    async with dispatching(settings, script, events):
        run = await run_of(script, job)
        assert run.resume == [TaskFinished(0, 0, 1, {"f": 1})]
        run.tell(PLANNED, Failed(FAILURE))
        await in_state(job, JobState.FAILED)
    assert (await kinds(job))[:3] == ["CREATED", "RETRIED", "PLANNING"]


@pytest.mark.usefixtures("opened_database")
async def test_a_retry_needs_its_datasets_and_room_in_the_queue(settings: Settings) -> None:
    who, job = await viewer(), await queued(JobState.FAILED)
    dataset = await Dataset.create(
        owner_id=who.id, name="d", uri="u", format=FileFormat.CSV, status="READY", deleted_at=now()
    )
    await JobSource.create(job_id=job.id, dataset_id=dataset.id, position=0, alias="input")
    with pytest.raises(Conflict, match="is gone"):
        await control.retry(who, job.id, settings, Events())
    for _ in range(settings.jobs_queued_max):
        await queued()
    with pytest.raises(LimitExceeded):
        await control.retry(who, job.id, settings, Events())


@pytest.mark.usefixtures("opened_database")
async def test_jobs_of_others_are_not_there(settings: Settings) -> None:
    job, events = await queued(), Events()
    other = Viewer(await records.user("bob@example.org"), None, None)
    for ask in (control.pause, control.resume, control.cancel):
        with pytest.raises(NotFound):
            await ask(other, job.id, events)
    with pytest.raises(NotFound):
        await control.retry(other, job.id, settings, events)


@pytest.mark.usefixtures("opened_database")
async def test_staging_of_jobs_that_can_be_retried_is_kept_for_a_while(settings: Settings) -> None:
    long_ago = now() - timedelta(seconds=settings.retry_keep_s + 1)
    cases: list[tuple[JobState, datetime | None, bool]] = [(JobState.SUCCEEDED, now(), False)]
    cases.append((JobState.PAUSED, None, True))
    cases += [(state, at, at is not long_ago) for state in LEFT for at in (now(), long_ago)]
    kept = []
    for state, at, stays in cases:
        job = await queued(state, finished_at=at)
        folder = settings.jobs_dir / str(job.id) / "staging"
        folder.mkdir(parents=True)
        kept.append((folder, stays))
    await leftovers.sweep(settings)
    assert [folder.exists() for folder, _ in kept] == [stays for _, stays in kept]


async def test_a_failed_job_reads_only_what_is_left(settings: Settings, service: Service, api: Api) -> None:
    rows = ["id,word"] + [f"{number},word {number:06}" for number in range(20_000)]
    rows[19_000] = "18999;word 018999"
    path = settings.data_roots[0] / "orders.csv"
    dataset = await journeys.file(settings, api, "\n".join(rows) + "\n")
    seen = os.stat(path)
    more = {"output": {"format": "CSV", "layout": "PARTS"}, "shardSizeBytes": 65536}
    failed = await journeys.finished(api, dataset, "SELECT id FROM input", **more)
    assert failed["state"] == "FAILED", failed
    rows[19_000] = "18999,word 018999"
    path.write_text("\n".join(rows) + "\n")
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    before = await finished_tasks(failed)
    assert before
    payload = await api.call(RETRY, input={"jobId": failed["id"]})
    assert payload["errors"] == [], payload
    job = await journeys.ended(api, failed["id"])
    assert (job["state"], job["rowBalance"]["read"]) == ("SUCCEEDED", 20_000), job
    after = await finished_tasks(job)
    assert {shard: after[shard] for shard in before} == before
    assert (await api.call(RETRY, input={"jobId": job["id"]}))["errors"][0]["code"] == "CONFLICT"


async def finished_tasks(job: dict[str, Any]) -> dict[int, Any]:
    """The records of what is done, by shard."""
    rows = await JobTask.filter(job_id=local_id(job["id"], "Job"), stage=0, record__isnull=False)
    return {row.shard: row.record["pieces"] for row in rows if row.record}


async def test_pause_and_resume_over_the_api(settings: Settings, service: Service, api: Api) -> None:
    rows = "id,word\n" + "".join(f"{number},word {number}\n" for number in range(200_000))
    dataset = await journeys.file(settings, api, rows)
    job = await journeys.created(api, dataset, "SELECT id FROM input", shardSizeBytes=65536)
    payload = await api.call(PAUSE, input={"jobId": job["id"]})
    assert payload["errors"] == [], payload

    async def paused() -> bool:
        state: str = (await journeys.look(api, job["id"]))["state"]
        return state == "PAUSED"

    await eventually(paused)
    assert (await api.call(RESUME, input={"jobId": job["id"]}))["errors"] == []
    done = await journeys.ended(api, job["id"])
    assert (done["state"], done["rowBalance"]["read"]) == ("SUCCEEDED", 200_000), done


async def test_a_clone_asks_for_the_same_again(settings: Settings, service: Service, api: Api) -> None:
    dataset = await journeys.file(settings, api)
    more: dict[str, Any] = {
        "output": {"format": "CSV", "csvDelimiter": ";"},
        "badRows": {"policy": "REJECT_ROW"},
        "priority": 3,
    }
    job = await journeys.finished(api, dataset, shardSizeBytes=65536, **more)
    made = [
        (await api.call(CLONE, input={"jobId": job["id"], "name": "Again", "idempotencyKey": "k"}))["job"]
        for _ in range(2)
    ]
    assert made[0]["id"] == made[1]["id"] != job["id"]
    again = await journeys.ended(api, made[0]["id"])
    assert await journeys.download(again) == await journeys.download(job)
    first, second = await Job.all().order_by("id")
    assert (second.name, second.spec, second.sql, second.priority) == ("Again", first.spec, first.sql, 3)
    await api.call(journeys.DELETE_DATASET, input={"datasetId": dataset["id"]})
    gone = await api.call(CLONE, input={"jobId": job["id"]})
    assert gone["errors"][0]["code"] == "NOT_FOUND"
