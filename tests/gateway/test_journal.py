import asyncio
from datetime import timedelta
from typing import Any

import pytest
from tortoise.exceptions import IntegrityError

from gateway import journal
from gateway.journal import Fact, Record
from gateway.models import Artifact, ArtifactKind, Job, JobEvent, JobState, JobTask, TaskState, now

from . import records

pytestmark = pytest.mark.usefixtures("opened_database")

FACT = Fact("RUNNING", "It runs.", {"tasks": 3})
ARTIFACT: dict[str, Any] = {
    "kind": ArtifactKind.OUTPUT,
    "name": "output.csv",
    "path": "x/output.csv",
    "size_bytes": 1,
}


async def test_a_change_of_state_comes_with_its_event() -> None:
    job = await records.job(JobState.PLANNING)
    assert await journal.advance(
        job.id, FACT, before=[JobState.PLANNING], after=JobState.RUNNING, artifacts=[ARTIFACT], rows_read=5
    )
    await job.refresh_from_db()
    event = await JobEvent.get(job_id=job.id, seq=2)
    assert (job.state, job.event_seq, job.rows_read) == (JobState.RUNNING, 2, 5)
    assert (event.kind, event.message, event.data) == ("RUNNING", "It runs.", {"tasks": 3})
    assert await Artifact.filter(job_id=job.id).count() == 1


@pytest.mark.parametrize("epoch", [None, 3])
async def test_a_change_from_another_state_writes_nothing(epoch: int | None) -> None:
    job = await records.job(JobState.CANCELING, lease_epoch=3)
    assert not await journal.advance(
        job.id, FACT, before=[JobState.PLANNING], after=JobState.RUNNING, epoch=epoch
    )
    await job.refresh_from_db()
    assert (job.state, job.event_seq, await JobEvent.filter(job_id=job.id).count()) == (
        JobState.CANCELING,
        1,
        1,
    )


async def test_a_lost_lease_writes_nothing() -> None:
    job = await records.job(JobState.RUNNING, lease_epoch=3)
    assert not await journal.advance(
        job.id, FACT, before=[JobState.RUNNING], after=JobState.FINALIZING, epoch=2
    )
    assert not await journal.note(job.id, FACT, epoch=2)
    assert not await journal.keep(
        job.id, epoch=2, snapshot=records.snapshot(job.id, 0.5), records=[Record(0, 0, 1, {"a": 1})]
    )
    after = await Job.get(id=job.id)
    assert (after.state, after.event_seq, after.fraction) == (JobState.RUNNING, 1, 0.0)
    assert await JobTask.filter(job_id=job.id).count() == 0


async def test_what_fails_in_the_middle_leaves_nothing() -> None:
    job = await records.job(JobState.FINALIZING)
    with pytest.raises(IntegrityError):
        await journal.advance(
            job.id,
            FACT,
            before=[JobState.FINALIZING],
            after=JobState.SUCCEEDED,
            artifacts=[ARTIFACT, ARTIFACT],
        )
    await job.refresh_from_db()
    assert (job.state, job.event_seq) == (JobState.FINALIZING, 1)
    assert await Artifact.filter(job_id=job.id).count() == 0


async def test_events_written_at_once_are_numbered_without_gaps() -> None:
    job = await records.job(JobState.RUNNING, lease_epoch=1)
    await asyncio.gather(*(journal.note(job.id, Fact("NOTE", str(n)), epoch=1) for n in range(30)))
    events = await JobEvent.filter(job_id=job.id).order_by("seq")
    assert [event.seq for event in events] == list(range(1, 32))


async def test_a_lease_has_one_winner() -> None:
    job = await records.job()
    taken = await asyncio.gather(*(journal.lease(job, owner=f"d{n}", lease_s=30) for n in range(10)))
    assert sorted(epoch for epoch in taken if epoch is not None) == [1]
    after = await Job.get(id=job.id)
    assert (after.state, after.lease_epoch, after.event_seq) == (JobState.PLANNING, 1, 2)
    assert after.started_at is not None
    assert after.lease_expires_at is not None and after.lease_expires_at > now()


@pytest.mark.parametrize(
    ("found", "after"),
    [
        (JobState.PLANNING, JobState.PLANNING),
        (JobState.RUNNING, JobState.RUNNING),
        (JobState.FINALIZING, JobState.RUNNING),
        (JobState.CANCELING, JobState.CANCELING),
    ],
)
async def test_a_job_that_was_left_is_taken_over_where_it_stands(found: JobState, after: JobState) -> None:
    began = now() - timedelta(hours=1)
    job = await records.job(found, lease_epoch=4, started_at=began)
    assert await journal.lease(job, owner="next", lease_s=30) == 5
    taken = await Job.get(id=job.id)
    assert (taken.state, taken.lease_owner, taken.started_at) == (after, "next", began)
    assert (await JobEvent.get(job_id=job.id, seq=2)).kind == "RECOVERED"


async def test_renewal_says_which_leases_are_lost() -> None:
    kept = await records.job(JobState.RUNNING, lease_epoch=1)
    lost = await records.job(JobState.RUNNING, lease_epoch=2)
    assert await journal.renew({kept.id: 1, lost.id: 1}, lease_s=30) == {lost.id}
    assert (await Job.get(id=lost.id)).lease_expires_at is None


async def test_records_outlive_later_progress() -> None:
    job = await records.job(JobState.RUNNING, lease_epoch=1)
    task = {
        "stage": 0,
        "shard": 2,
        "state": TaskState.RUNNING,
        "attempt": 1,
        "bytes_read": 10,
        "bytes_total": 99,
    }
    await journal.keep(job.id, epoch=1, snapshot=records.snapshot(job.id, 0.1), tasks=[task])
    await journal.keep(
        job.id, epoch=1, snapshot=records.snapshot(job.id, 0.2), records=[Record(0, 2, 1, {"file": "a"})]
    )
    done = task | {"state": TaskState.SUCCEEDED, "bytes_read": 99}
    await journal.keep(job.id, epoch=1, snapshot=records.snapshot(job.id, 0.3), tasks=[done])
    (row,) = await JobTask.filter(job_id=job.id)
    assert (row.state, row.bytes_read, row.record) == (TaskState.SUCCEEDED, 99, {"file": "a"})
    assert (await Job.get(id=job.id)).fraction == 0.3


async def test_a_lease_is_given_back_only_by_its_holder() -> None:
    job = await records.job(JobState.RUNNING, lease_epoch=2)
    await journal.release({job.id: 1})
    assert (await Job.get(id=job.id)).lease_expires_at is None
    await journal.release({job.id: 2})
    expires_at = (await Job.get(id=job.id)).lease_expires_at
    assert expires_at is not None and expires_at <= now()
