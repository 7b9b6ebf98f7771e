import asyncio
import time
from collections.abc import AsyncIterator
from typing import TypeVar
from uuid import uuid4

import pytest

from gateway import events, journal
from gateway.events import MAX_CHANGES, ChangeQueue, Events, Signal, StateChange
from gateway.journal import Fact
from gateway.models import Job, JobState

from . import records

DEADLINE_S = 5.0

Item = TypeVar("Item")


async def first(stream: AsyncIterator[Item]) -> Item:
    async with asyncio.timeout(DEADLINE_S):
        return await anext(stream)


async def rest(stream: AsyncIterator[Item]) -> list[Item]:
    async with asyncio.timeout(DEADLINE_S):
        return [item async for item in stream]


@pytest.mark.usefixtures("opened_database")
async def test_progress_comes_at_once_even_of_a_job_that_waits() -> None:
    job = await records.job()
    snapshot = await first(events.progress(Events(), job.id))
    assert (snapshot.state, snapshot.fraction) == (JobState.QUEUED, 0.0)


@pytest.mark.usefixtures("opened_database")
async def test_progress_of_a_job_that_is_done_is_one_snapshot() -> None:
    job = await records.job(JobState.SUCCEEDED, fraction=1.0)
    assert [snapshot.fraction for snapshot in await rest(events.progress(Events(), job.id))] == [1.0]


@pytest.mark.usefixtures("opened_database")
async def test_progress_skips_to_the_latest_and_keeps_to_four_a_second() -> None:
    hub, job = Events(), await records.job(JobState.RUNNING)
    stream = events.progress(hub, job.id)
    hub.publish_progress(records.snapshot(job.id, 0.1))
    seen = [(await first(stream)).fraction]
    began = time.monotonic()
    for percent in range(11, 61):
        hub.publish_progress(records.snapshot(job.id, percent / 100))
    seen.append((await first(stream)).fraction)
    assert seen == [0.1, 0.6]
    assert time.monotonic() - began >= events.MIN_INTERVAL_S * 0.9


@pytest.mark.usefixtures("opened_database")
async def test_progress_never_goes_back_and_ends_with_the_final_state() -> None:
    hub, job = Events(), await records.job(JobState.RUNNING, fraction=0.2, progress=None)
    stream = events.progress(hub, job.id)
    hub.publish_progress(records.snapshot(job.id, 0.7))
    seen = [(await first(stream)).fraction]
    hub.drop(job.id)
    ending = asyncio.ensure_future(rest(stream))
    await asyncio.sleep(0)
    await Job.filter(id=job.id).update(state=JobState.SUCCEEDED, fraction=1.0)
    hub.publish_change(StateChange(job.id, job.owner_id, JobState.SUCCEEDED))
    seen += [snapshot.fraction for snapshot in await ending]
    assert seen == [0.7, 1.0]


@pytest.mark.usefixtures("opened_database")
async def test_progress_is_found_without_a_signal() -> None:
    job = await records.job(JobState.RUNNING)
    stream = events.progress(Events(), job.id)
    await first(stream)
    await Job.filter(id=job.id).update(state=JobState.FAILED)
    assert [snapshot.state for snapshot in await rest(stream)] == [JobState.FAILED]


@pytest.mark.usefixtures("opened_database")
async def test_a_subscription_of_a_job_that_is_deleted_ends() -> None:
    job = await records.job(JobState.RUNNING)
    stream = events.progress(Events(), job.id)
    await first(stream)
    await Job.filter(id=job.id).update(deleted_at=job.created_at)
    assert await rest(stream) == []


@pytest.mark.usefixtures("opened_database")
@pytest.mark.parametrize("after", [0, 1, 150])
async def test_events_are_replayed_then_live_once_each_and_in_order(after: int) -> None:
    hub, job = Events(), await records.job(JobState.RUNNING, lease_epoch=1)
    for number in range(2, 200):
        await journal.note(job.id, Fact("NOTE", str(number)), epoch=1)
    reading = asyncio.ensure_future(rest(events.events(hub, job.id, after)))
    for number in range(200, 230):
        await journal.note(job.id, Fact("NOTE", str(number)), epoch=1)
        hub.publish_event(job.id)
    done = Fact("SUCCEEDED", "Done.")
    await journal.advance(job.id, done, before=[JobState.RUNNING], after=JobState.SUCCEEDED, epoch=1)
    hub.publish_change(StateChange(job.id, job.owner_id, JobState.SUCCEEDED))
    seen = await reading
    assert [event.seq for event in seen] == list(range(after + 1, 231))
    assert seen[-1].kind == "SUCCEEDED"


@pytest.mark.usefixtures("opened_database")
async def test_events_after_the_last_of_a_job_that_is_done_end_at_once() -> None:
    job = await records.job(JobState.FAILED)
    assert await rest(events.events(Events(), job.id, 1)) == []
    assert await rest(events.events(Events(), job.id, 99)) == []


@pytest.mark.usefixtures("opened_database")
async def test_changes_tell_every_state_to_the_owner_alone() -> None:
    hub, owner, other = Events(), await records.user(), await records.user("bob@example.org")
    job = await records.job(JobState.SUCCEEDED, owner=owner)
    waiting = await records.job(owner=owner)
    stream, others = events.changes(hub, owner.id), events.changes(hub, other.id)
    assert (await first(stream)).id == waiting.id
    reading = [asyncio.ensure_future(first(stream)), asyncio.ensure_future(first(others))]
    await asyncio.sleep(0.05)
    for state in (JobState.PLANNING, JobState.RUNNING, JobState.SUCCEEDED):
        hub.publish_change(StateChange(job.id, owner.id, state))
    seen = [(await reading[0]).state, (await first(stream)).state, (await first(stream)).state]
    assert seen == [JobState.PLANNING, JobState.RUNNING, JobState.SUCCEEDED]
    assert not reading[1].done()
    reading[1].cancel()


def test_a_queue_that_nobody_reads_keeps_the_latest_of_each_job() -> None:
    queue, owner, jobs = ChangeQueue(), uuid4(), [uuid4() for _ in range(MAX_CHANGES)]
    for job_id in jobs:
        queue.put(StateChange(job_id, owner, JobState.PLANNING))
        queue.put(StateChange(job_id, owner, JobState.RUNNING))
    changes = queue.take()
    assert len(changes) <= MAX_CHANGES
    assert changes[-1] == StateChange(jobs[-1], owner, JobState.RUNNING)
    assert len({change.job_id for change in changes}) > MAX_CHANGES // 2
    assert queue.take() == []


async def test_a_signal_is_not_lost_before_it_is_waited_for() -> None:
    signal = Signal()
    signal.set()
    assert await signal.wait(DEADLINE_S)
    assert not await signal.wait(0.01)


async def test_nobody_is_kept_after_the_last_subscriber_left() -> None:
    hub, job_id = Events(), uuid4()
    with hub.watch("progress", job_id), hub.watch("progress", job_id), hub.watch_changes(ChangeQueue()):
        assert hub.subscribers == 3
    assert hub.subscribers == 0
