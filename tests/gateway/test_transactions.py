import asyncio
from contextlib import suppress

import pytest

from gateway.models import JobState, User
from gateway.transactions import atomically

from . import records
from .conftest import eventually

pytestmark = pytest.mark.usefixtures("opened_database")


async def test_canceling_the_caller_at_any_moment_never_blocks_the_database() -> None:
    job = await records.job()

    async def work() -> None:
        await type(job).filter(id=job.id).update(state=JobState.CANCELED)

    for turns in range(40):
        task = asyncio.ensure_future(atomically(work))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    async with asyncio.timeout(5):
        assert await User.all().count() == 1


async def test_work_that_was_begun_is_finished_when_its_caller_is_canceled() -> None:
    began, job = asyncio.Event(), await records.job()

    async def work() -> None:
        await type(job).filter(id=job.id).update(state=JobState.CANCELED)
        began.set()
        await asyncio.sleep(0)

    task = asyncio.ensure_future(atomically(work))
    await began.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

    async def is_finished() -> bool:
        return (await type(job).get(id=job.id)).state is JobState.CANCELED

    await eventually(is_finished)


async def test_what_raises_leaves_nothing() -> None:
    job = await records.job()

    async def work() -> None:
        await type(job).filter(id=job.id).update(state=JobState.CANCELED)
        raise LookupError

    with pytest.raises(LookupError):
        await atomically(work)
    assert (await type(job).get(id=job.id)).state is JobState.QUEUED
