import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from compute.spec import Failed, Failure, Finalizing, RowBalance, Succeeded, TaskFailed, TaskFinished
from gateway import journal
from gateway.alive import Sign
from gateway.dispatch import SMALL_BYTES, Dispatcher, Room, Waiting, choose
from gateway.events import Events
from gateway.models import Artifact, Job, JobEvent, JobState, JobTask, TaskState, User, new_id, now
from gateway.progress import first, to_row
from gateway.settings import Settings

from . import records, scripted
from .conftest import eventually
from .scripted import BALANCE, PLANNED, Script, ScriptedRun

pytestmark = pytest.mark.usefixtures("opened_database")

SPEC: dict[str, Any] = {
    "sources": [],
    "output": {"format": "csv"},
    "bad_rows": {"policy": "FAIL_JOB"},
    "layout": "SINGLE_FILE",
    "shard_size_bytes": None,
}
FAILURE = Failure("DATA", "TOO_FEW_COLUMNS", "Row 3 has 2 columns, not 5.", "Reject bad rows.")


@asynccontextmanager
async def dispatching(
    settings: Settings, script: Script, events: Events | None = None
) -> AsyncIterator[Dispatcher]:
    dispatcher = Dispatcher(settings, events or Events(), start_run=script)  # type: ignore[arg-type]
    await dispatcher.start()
    try:
        yield dispatcher
    finally:
        await dispatcher.stop()


LARGE = SMALL_BYTES + 1


async def queued(state: JobState = JobState.QUEUED, **values: Any) -> Job:
    return await records.job(state, **{"spec": SPEC, **values})


async def large(**values: Any) -> Job:
    """One that takes long by what it reads."""
    return await queued(progress=to_row(first(new_id(), now(), bytes_total=LARGE)), **values)


async def run_of(script: Script, job: Job) -> ScriptedRun:
    async def started() -> ScriptedRun | None:
        return script.of(job.id)

    run: ScriptedRun = await eventually(started)
    return run


async def in_state(job: Job, state: JobState) -> Job:
    async def reached() -> Job | None:
        return await Job.get_or_none(id=job.id, state=state)

    found: Job = await eventually(reached)
    return found


async def kinds(job: Job) -> list[str]:
    events = await JobEvent.filter(job_id=job.id).order_by("seq")
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    return [event.kind for event in events]


async def test_a_job_goes_through_its_states_to_success(settings: Settings) -> None:
    script, job = Script(), await queued()
    async with dispatching(settings, script):
        run = await run_of(script, job)
        await in_state(job, JobState.PLANNING)
        run.tell(PLANNED, scripted.progress(0.5, scripted.task(0, "SUCCEEDED", 100)))
        await in_state(job, JobState.RUNNING)
        assert not run.may_commit
        run.tell(Finalizing())
        await in_state(job, JobState.FINALIZING)

        async def may_commit() -> bool:
            return run.may_commit

        await eventually(may_commit)
        run.tell(Succeeded((scripted.output(run.spec),), BALANCE))
        done = await in_state(job, JobState.SUCCEEDED)
    assert await kinds(job) == ["CREATED", "PLANNING", "RUNNING", "FINALIZING", "SUCCEEDED"]
    assert (done.rows_read, done.rows_passed, done.rows_rejected, done.rows_written) == (10, 9, 1, 3)
    assert (done.fraction, done.progress["rows_written"], done.lease_owner) == (1.0, 3, None)
    assert done.started_at is not None and done.finished_at is not None
    (artifact,) = await Artifact.filter(job_id=job.id)
    assert (artifact.name, artifact.path) == ("output.csv", f"{job.id}/output/1/output.csv")
    (task,) = await JobTask.filter(job_id=job.id)
    assert (task.state, task.bytes_read) == (TaskState.SUCCEEDED, 100)


async def test_a_failed_job_tells_why_and_keeps_its_rejects(settings: Settings) -> None:
    script, job = Script(), await queued()
    async with dispatching(settings, script):
        run = await run_of(script, job)
        rejects = scripted.output(run.spec, "rejects.csv")._replace(kind="REJECTS")
        run.tell(PLANNED, Failed(FAILURE, (rejects,)))
        done = await in_state(job, JobState.FAILED)
    assert done.failure["message"] == FAILURE.message
    assert (done.failure["kind"], done.failure["hint"]) == ("DATA", "Reject bad rows.")
    assert [artifact.name for artifact in await Artifact.filter(job_id=job.id)] == ["rejects.csv"]
    assert done.fraction < 1


async def test_a_balance_that_does_not_close_fails_the_job(settings: Settings) -> None:
    script, job = Script(), await queued()
    async with dispatching(settings, script):
        run = await run_of(script, job)
        run.tell(PLANNED, Succeeded((scripted.output(run.spec),), RowBalance(10, 8, 1, 8)))
        done = await in_state(job, JobState.FAILED)
    assert (done.failure["kind"], done.failure["code"]) == ("INTERNAL", "BALANCE_OPEN")
    assert await Artifact.filter(job_id=job.id).count() == 0


async def test_a_retried_task_is_an_event(settings: Settings) -> None:
    script, job = Script(), await queued()
    lost = Failure("INFRASTRUCTURE", "WORKER_LOST", "A worker was lost.", retryable=True)
    async with dispatching(settings, script):
        run = await run_of(script, job)
        run.tell(PLANNED, TaskFailed(0, 2, 1, lost, will_retry=True))
        run.tell(Succeeded((), BALANCE))
        await in_state(job, JobState.SUCCEEDED)
    assert "TASK_RETRIED" in await kinds(job)
    event = await JobEvent.get(job_id=job.id, kind="TASK_RETRIED")
    assert event.data == {"stage": 0, "shard": 2, "attempt": 1, "code": "WORKER_LOST"}


async def test_cancel_of_a_running_job_leaves_no_result(settings: Settings) -> None:
    script, job, events = Script(), await queued(), Events()
    folder = settings.jobs_dir / str(job.id)
    async with dispatching(settings, script, events):
        run = await run_of(script, job)
        run.tell(PLANNED)
        await in_state(job, JobState.RUNNING)
        (folder / "output").mkdir(parents=True)
        await Job.filter(id=job.id).update(state=JobState.CANCELING)
        done = await in_state(job, JobState.CANCELED)
    assert run.is_canceled
    assert not (folder / "output").exists()
    assert (await kinds(job))[-1] == "CANCELED"
    assert done.finished_at is not None


async def test_success_that_comes_after_cancel_is_canceled(settings: Settings) -> None:
    script, job = Script(), await queued()
    async with dispatching(settings, script):
        run = await run_of(script, job)
        run.tell(PLANNED)
        await in_state(job, JobState.RUNNING)
        run.is_canceled = True
        await Job.filter(id=job.id).update(state=JobState.CANCELING)
        folder = settings.jobs_dir / str(job.id) / "output"
        folder.mkdir(parents=True)
        run.tell(Finalizing(), Succeeded((scripted.output(run.spec),), BALANCE))
        await in_state(job, JobState.CANCELED)
    assert not folder.exists()
    assert await Artifact.filter(job_id=job.id).count() == 0


async def test_stop_leaves_a_running_job_to_go_on_with_its_records(settings: Settings) -> None:
    script, job = Script(), await queued()
    async with dispatching(settings, script):
        run = await run_of(script, job)
        run.tell(PLANNED, TaskFinished(0, 1, 1, {"file": "a"}), scripted.progress(0.5))
        await in_state(job, JobState.RUNNING)
    assert run.is_suspended and not run.is_canceled
    assert (await Job.get(id=job.id)).state is JobState.RUNNING
    async with dispatching(settings, script):

        async def again() -> bool:
            return len(script.runs) == 2

        await eventually(again)
        resumed = script.runs[1]
        assert resumed.resume == [TaskFinished(0, 1, 1, {"file": "a"})]
        resumed.tell(PLANNED, scripted.progress(0.3), Finalizing(), Succeeded((), BALANCE))
        await in_state(job, JobState.SUCCEEDED)
    assert await kinds(job) == ["CREATED", "PLANNING", "RUNNING", "RECOVERED", "FINALIZING", "SUCCEEDED"]


@pytest.mark.parametrize("state", [JobState.PLANNING, JobState.RUNNING, JobState.FINALIZING])
async def test_jobs_of_a_process_that_was_killed_go_on(settings: Settings, state: JobState) -> None:
    script, job = Script(), await queued(state, lease_owner="killed", lease_epoch=3)
    await JobTask.create(job_id=job.id, stage=0, shard=0, attempt=1, record={"file": "b"})
    async with dispatching(settings, script):
        run = await run_of(script, job)
        assert [finished.record for finished in run.resume] == [{"file": "b"}]
        run.tell(PLANNED, Finalizing(), Succeeded((scripted.output(run.spec),), BALANCE))
        done = await in_state(job, JobState.SUCCEEDED)
    assert done.lease_epoch == 4
    assert await Artifact.filter(job_id=job.id).count() == 1


async def test_a_job_that_was_being_canceled_ends_canceled_without_a_run(settings: Settings) -> None:
    script, job = Script(), await queued(JobState.CANCELING, lease_epoch=1)
    folder = settings.jobs_dir / str(job.id) / "output"
    folder.mkdir(parents=True)
    async with dispatching(settings, script):
        await in_state(job, JobState.CANCELED)
    assert script.runs == []
    assert not folder.exists()


async def test_who_lost_the_lease_stops_and_writes_nothing_more(settings: Settings) -> None:
    script, job = Script(), await queued()
    async with dispatching(replace(settings, lease_s=1), script):
        run = await run_of(script, job)
        run.tell(PLANNED)
        await in_state(job, JobState.RUNNING)
        await Job.filter(id=job.id).update(lease_epoch=2, lease_owner="other", lease_expires_at=None)

        async def suspended() -> bool:
            return run.is_suspended

        await eventually(suspended)
        run.tell(Finalizing(), Succeeded((), BALANCE))
    after = await Job.get(id=job.id)
    assert (after.state, after.lease_owner) == (JobState.RUNNING, "other")
    assert await kinds(job) == ["CREATED", "PLANNING", "RUNNING"]
    assert not run.may_commit


async def test_who_cannot_renew_stops_when_the_lease_is_over(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, job = Script(), await queued()

    async def unreachable(*_: Any, **__: Any) -> set[UUID]:
        raise OSError("no database")

    monkeypatch.setattr(journal, "renew", unreachable)
    async with dispatching(replace(settings, lease_s=1), script):
        run = await run_of(script, job)

        async def suspended() -> bool:
            return run.is_suspended

        await eventually(suspended)
        await eventually(lambda: _runs(script, 2))
    assert script.runs[0] is run
    assert "RECOVERED" in await kinds(job)


async def _runs(script: Script, count: int) -> bool:
    return len(script.runs) >= count


async def test_only_leases_of_the_dead_end_at_start(settings: Settings) -> None:
    living = Sign(settings.dispatchers_dir, "living")
    kept = await queued(JobState.RUNNING, lease_owner="living", lease_epoch=1, lease_expires_at=later())
    dead = await queued(JobState.RUNNING, lease_owner="dead", lease_epoch=1, lease_expires_at=later())
    script = Script()
    async with dispatching(settings, script):
        await run_of(script, dead)
    assert script.of(kept.id) is None
    assert (await Job.get(id=kept.id)).lease_owner == "living"
    living.take_down()
    async with dispatching(settings, script):
        await run_of(script, kept)


def later() -> datetime:
    return now() + timedelta(hours=1)


async def test_progress_never_goes_back_over_a_restart(settings: Settings) -> None:
    script, job, events = Script(), await queued(), Events()
    async with dispatching(settings, script):
        run = await run_of(script, job)
        run.tell(PLANNED, scripted.progress(0.5), TaskFinished(0, 0, 1, {}), scripted.progress(0.6))
        await in_state(job, JobState.RUNNING)
    before = (await Job.get(id=job.id)).fraction
    async with dispatching(settings, script, events):

        async def reported() -> float | None:
            latest = events.latest(job.id)
            return latest.fraction if latest and latest.bytes_per_second else None

        async def again() -> bool:
            return len(script.runs) == 2

        await eventually(again)
        script.runs[1].tell(PLANNED, scripted.progress(0.1))
        assert await eventually(reported) >= before > 0.1


async def test_no_more_jobs_run_than_may(settings: Settings) -> None:
    script, jobs = Script(), [await large() for _ in range(3)]
    small = await queued()
    async with dispatching(settings, script):
        begun = await run_of(script, jobs[0])
        await run_of(script, jobs[1])
        await run_of(script, small)
        assert script.of(jobs[2].id) is None
        begun.tell(PLANNED, Succeeded((), BALANCE))
        await run_of(script, jobs[2])


async def test_start_sweeps_what_belongs_to_no_job(settings: Settings) -> None:
    done, running = await queued(JobState.SUCCEEDED), await queued(JobState.RUNNING)
    of_done, of_running = settings.jobs_dir / str(done.id), settings.jobs_dir / str(running.id)
    kept = [of_done / "output" / "0", of_running / "staging"]
    swept = [settings.jobs_dir / str(uuid4()) / "output", of_done / "staging", of_done / "output" / "7"]
    for folder in (*kept, *swept):
        folder.mkdir(parents=True)
    async with dispatching(settings, Script()):
        assert [folder.exists() for folder in (*kept, *swept)] == [True, True, False, False, False]


ROOM = Room(large=4, large_of_one=2, small=2)


def waiting(owner: UUID, priority: int = 0, number: int = 0, size_bytes: int = LARGE) -> Waiting:
    return Waiting(UUID(int=number), owner, priority, size_bytes)


def test_choice_is_fair_then_by_priority_then_by_age() -> None:
    ada, bob = uuid4(), uuid4()
    old, urgent, other = waiting(ada, 0, 1), waiting(ada, 5, 2), waiting(bob, 0, 3)
    of_ada, of_bob = waiting(ada, 0, 8), waiting(bob, 0, 9)
    assert choose([], [], ROOM) is None
    assert choose([old, urgent], [], ROOM) == urgent
    assert choose([old, other], [], ROOM) == old
    assert choose([old, urgent, other], [of_ada], ROOM) == other
    assert choose([old, other], [of_ada, of_bob], ROOM) == old


def test_small_jobs_never_wait_for_large_ones_and_nobody_has_all_the_room() -> None:
    ada, bob = uuid4(), uuid4()
    large, small = waiting(ada, 9, 1), waiting(ada, 0, 2, SMALL_BYTES)
    of_ada = [waiting(ada, 0, 10 + number) for number in range(ROOM.large_of_one)]
    full = [waiting(uuid4(), 0, 20 + number) for number in range(ROOM.large)]
    assert choose([large], of_ada, ROOM) is None
    assert choose([large, waiting(bob, 0, 3)], of_ada, ROOM) == waiting(bob, 0, 3)
    assert choose([large, small], full, ROOM) == small
    assert choose([small], [*full, *[waiting(bob, 0, 30 + at, 1) for at in range(ROOM.small)]], ROOM) is None
    assert choose([small, large], [], Room.of(Settings(jobs_running_max=0))) is None


async def test_nobody_waits_behind_the_many_jobs_of_another(settings: Settings) -> None:
    script, ada = Script(), await records.user()
    bob = await User.create(email="bob@example.org", display_name="Bob", password_hash="")
    for _ in range(5):
        await large(owner=ada)
    last = await large(owner=bob)
    async with dispatching(settings, script):
        await run_of(script, last)
        assert len(script.runs) == settings.jobs_running_user_max + 1
        await asyncio.sleep(0)
