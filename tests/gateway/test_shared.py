"""Several processes and one Redis. Here they are several `Shared` in one process; tests/system has real ones."""

import asyncio
import dataclasses
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest
from redis.asyncio import Redis

from gateway import events, shared
from gateway.errors import RateLimited
from gateway.events import ChangeQueue, Events, StateChange
from gateway.models import Job, JobState, new_id
from gateway.rates import RateLimits
from gateway.settings import BadSetting, Settings
from gateway.shared import Shared
from tests import redis_server
from tests.redis_server import RedisServer

from . import records
from .conftest import DEADLINE_S, eventually, running


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server.running() as server:
        yield server


@pytest.fixture
def both(settings: Settings, redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(shared, "RECONNECT_S", 0.05)
    return dataclasses.replace(settings, redis_url=redis.url)


@asynccontextmanager
async def process(settings: Settings) -> AsyncIterator[tuple[Events, Shared]]:
    """What one process has of it, connected."""
    hub = Events()
    made = Shared(settings, hub)
    await made.start()
    try:
        await is_up(made, True)
        yield hub, made
    finally:
        await made.stop()


async def is_up(made: Shared, wanted: bool) -> None:
    async def reached() -> bool:
        return made.is_up is wanted

    await eventually(reached)


async def test_a_change_is_heard_in_the_other_processes_and_once_in_its_own(both: Settings) -> None:
    change = StateChange(new_id(), new_id(), JobState.RUNNING)
    async with AsyncExitStack() as stack:
        one, two = [(await stack.enter_async_context(process(both)))[0] for _ in range(2)]
        here, there, event = ChangeQueue(), ChangeQueue(), new_id()
        stack.enter_context(one.watch_changes(here))
        stack.enter_context(two.watch_changes(there, change.owner_id))
        signal = stack.enter_context(two.watch("events", event))
        one.publish_change(change)

        async def arrived() -> list[StateChange]:
            await there.wait(DEADLINE_S)
            return there.take()

        assert await eventually(arrived) == [change]
        one.publish_event(event)
        assert await signal.wait(DEADLINE_S)
        assert here.take() == [change]


async def test_services_with_other_secrets_hear_nothing_of_each_other(both: Settings) -> None:
    stranger = dataclasses.replace(both, secret_key="y" * 40)
    async with process(both) as (one, _), process(stranger) as (two, _), process(both) as (three, _):
        foreign, own = ChangeQueue(), ChangeQueue()
        with two.watch_changes(foreign), three.watch_changes(own):
            await own.wait(0.2)
            own.take()
            one.publish_change(StateChange(new_id(), new_id(), JobState.QUEUED))
            while not own.take():
                assert await own.wait(DEADLINE_S)
            assert foreign.take() == []


@pytest.mark.parametrize(
    "data", ["", "[]", "{}", '{"from": "x", "job": 3}', "\x00", '{"from":"x","job":"x"}']
)
async def test_what_is_no_message_of_ours_is_passed_over(both: Settings, data: str) -> None:
    async with process(both) as (one, made), process(both) as (two, _):
        other: Redis = Redis.from_url(both.redis_url)
        await other.publish(made._channel, data)
        await other.aclose()
        queue = ChangeQueue()
        with two.watch_changes(queue):
            one.publish_change(StateChange(new_id(), new_id(), JobState.QUEUED))
            while not queue.take():
                assert await queue.wait(DEADLINE_S)
        assert made.is_up


@pytest.mark.parametrize("wrong", ["h:port", "h:99999", "[::1", ":password@h/0?option=1"])
async def test_an_address_that_is_none_is_told_without_its_password(settings: Settings, wrong: str) -> None:
    with pytest.raises(BadSetting, match="KARYAKSHAM_REDIS_URL") as told:
        Shared(dataclasses.replace(settings, redis_url=f"redis://{wrong}"), Events())
    assert "password" not in str(told.value)


async def test_tries_are_counted_over_processes_and_here_alone_without_redis(
    both: Settings, redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "gateway.shared")
    async with process(both) as (_, one), process(both) as (_, two):
        first, second = RateLimits(one), RateLimits(two)
        for limits in (first, second, first):
            await limits.count("a", most=3, window_s=60, limit="tries")
        with pytest.raises(RateLimited) as refused:
            await second.count("a", most=3, window_s=60, limit="tries")
        assert refused.value.retry_after_s is not None and 50 < refused.value.retry_after_s <= 60
        await first.forget("a")
        await second.count("a", most=1, window_s=60, limit="tries")
        redis.kill()
        await first.count("a", most=1, window_s=60, limit="tries")
        with pytest.raises(RateLimited):
            await first.count("a", most=1, window_s=60, limit="tries")
        await is_up(one, False)
        assert any("Redis is away" in line for line in caplog.messages)
        redis.start()
        await is_up(one, True)
        await first.count("a", most=1, window_s=60, limit="tries")
        assert caplog.messages.count("Redis is there: changes of other processes are heard at once") >= 3


async def test_a_service_whose_redis_goes_away_goes_on(both: Settings, redis: RedisServer) -> None:
    async with running(both) as service:

        async def told() -> str | None:
            async with httpx.AsyncClient() as http:
                text = (await http.get(f"{service.url}/metrics")).text
            return next(
                (line for line in text.splitlines() if line.startswith("karyaksham_redis_away ")), None
            )

        async def up() -> bool:
            return (await told() or "").endswith(" 0.0")

        async def away() -> bool:
            return (await told() or "").endswith(" 1.0")

        await eventually(up)
        api = await service.member()
        redis.kill()
        await api.sign_in("member@example.org")
        await eventually(away)
        await api.sign_in("member@example.org")
        redis.start()
        await eventually(up)


@pytest.mark.usefixtures("opened_database")
async def test_changes_that_nobody_told_are_found_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "POLL_S", 0.02)
    hub, job = Events(), await records.job()
    stream = events.changes(hub, job.owner_id)

    async def next_state() -> tuple[object, str]:
        async with asyncio.timeout(DEADLINE_S):
            found = await anext(stream)
        return found.id, found.state.value

    assert await next_state() == (job.id, "QUEUED")
    await Job.filter(id=job.id).update(state=JobState.RUNNING)
    assert await next_state() == (job.id, "RUNNING")
    hub.publish_change(StateChange(job.id, job.owner_id, JobState.RUNNING))
    await Job.filter(id=job.id).update(state=JobState.SUCCEEDED)
    assert await next_state() == (job.id, "SUCCEEDED")
    brief = await records.job(JobState.FAILED)
    assert await next_state() == (brief.id, "FAILED")
    other = await records.job(owner=await records.user("bob@example.org"))
    hub.publish_change(StateChange(other.id, job.owner_id, JobState.QUEUED))
    last = await records.job()
    assert await next_state() == (last.id, "QUEUED")
