from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from gateway.settings import Settings

from . import journeys
from .conftest import Api, Service, eventually, receive, running, send
from .journeys import created, finished

PROGRESS = """subscription($id: ID!) { jobProgress(jobId: $id) {
  jobId state fraction bytesRead bytesTotal rowsRead lastTickAt stages { name taskCount tasksDone } } }"""
EVENTS = """subscription($id: ID!, $after: Int) {
  jobEvents(jobId: $id, after: $after) { seq jobId at kind message data } }"""
UPDATES = "subscription { jobUpdates { id name state owner { email } progress { fraction } } }"
MISSING = "Sm9iOjAwMDAwMDAwLTAwMDAtMDAwMC0wMDAwLTAwMDAwMDAwMDAwMA"
ROWS = "id,group,price\n" + "".join(f"{n},{n % 7},{n % 100}.25\n" for n in range(60_000))


@pytest.fixture
async def orders(settings: Settings, api: Api) -> dict[str, Any]:
    return await journeys.file(settings, api)


async def items(socket: ClientConnection) -> AsyncIterator[Any]:
    """The values of the one root field until the subscription completes."""
    while (message := await receive(socket))["type"] != "complete":
        assert message["type"] == "next" and "errors" not in message["payload"], message
        (value,) = message["payload"]["data"].values()
        yield value


async def all_items(api: Api, query: str, **variables: Any) -> list[Any]:
    async with api.subscribed(query, **variables) as socket:
        return [item async for item in items(socket)]


async def test_progress_rises_to_one_and_ends(settings: Settings, api: Api) -> None:
    dataset = await journeys.file(settings, api, ROWS)
    sql = 'SELECT "group", sum(price) AS total FROM input GROUP BY "group" ORDER BY "group"'
    job = await created(api, dataset, sql, shardSizeBytes=65536)
    seen = await all_items(api, PROGRESS, id=job["id"])
    fractions = [snapshot["fraction"] for snapshot in seen]
    assert fractions == sorted(fractions)
    assert [snapshot["state"] for snapshot in seen].count("SUCCEEDED") == 1
    assert (seen[-1]["state"], seen[-1]["fraction"], seen[-1]["rowsRead"]) == ("SUCCEEDED", 1.0, 60_000)
    assert all(fraction < 1 for fraction in fractions[:-1])
    assert seen[-1]["stages"][0]["taskCount"] > 5
    assert {snapshot["jobId"] for snapshot in seen} == {job["id"]}


async def test_progress_of_a_job_that_is_done_comes_at_once(api: Api, orders: dict[str, Any]) -> None:
    job = await finished(api, orders)
    assert [item["fraction"] for item in await all_items(api, PROGRESS, id=job["id"])] == [1.0]


async def test_events_come_live_and_are_replayed_the_same(api: Api, orders: dict[str, Any]) -> None:
    job = await created(api, orders)
    live = await all_items(api, EVENTS, id=job["id"])
    assert [event["seq"] for event in live] == list(range(1, len(live) + 1))
    assert live[-1]["kind"] == "SUCCEEDED"
    assert await all_items(api, EVENTS, id=job["id"], after=0) == live
    assert await all_items(api, EVENTS, id=job["id"], after=2) == live[2:]
    assert await all_items(api, EVENTS, id=job["id"], after=len(live)) == []


async def test_updates_tell_each_change_of_state(service: Service, api: Api, orders: dict[str, Any]) -> None:
    other = await service.member("bob@example.org")
    alone = service.events.subscribers
    async with api.subscribed(UPDATES) as mine, other.subscribed(UPDATES) as theirs:
        await subscribers(service, alone + 2)
        job = await created(api, orders)
        states = []
        async for update in items(mine):
            assert (update["id"], update["owner"]["email"]) == (job["id"], "member@example.org")
            states.append(update["state"])
            if update["state"] == "SUCCEEDED":
                break
        assert states == ["QUEUED", "PLANNING", "RUNNING", "FINALIZING", "SUCCEEDED"]
        await send(theirs, {"type": "ping"})
        assert (await receive(theirs))["type"] == "pong"


async def test_updates_begin_with_what_is_not_done(settings: Settings) -> None:
    async with running(replace(settings, jobs_running_max=0)) as service:
        api = await service.member()
        job = await created(api, await journeys.file(settings, api))
        async with api.subscribed(UPDATES) as socket:
            first = (await receive(socket))["payload"]["data"]["jobUpdates"]
        assert (first["id"], first["state"]) == (job["id"], "QUEUED")


@pytest.mark.parametrize("query", [PROGRESS, EVENTS])
async def test_missing_and_forbidden_look_the_same(
    service: Service, api: Api, orders: dict[str, Any], query: str
) -> None:
    job = await finished(api, orders)
    other = await service.member("bob@example.org")
    answers = []
    for id in (job["id"], MISSING, "nonsense"):
        async with other.subscribed(query, id=id) as socket:
            message = await receive(socket)
            errors = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
            answers.append([(error["message"], error["extensions"]["code"]) for error in errors])
    assert answers == [[("There is no such job.", "NOT_FOUND")]] * 3


async def test_cancel_is_seen_by_who_watches(settings: Settings) -> None:
    async with running(replace(settings, jobs_running_max=0)) as service:
        api = await service.member()
        job = await created(api, await journeys.file(settings, api))
        async with api.subscribed(PROGRESS, id=job["id"]) as socket:
            first = (await receive(socket))["payload"]["data"]["jobProgress"]
            await api.call(journeys.CANCEL_JOB, input={"jobId": job["id"]})
            rest = [item["state"] async for item in items(socket)]
        assert (first["state"], rest) == ("QUEUED", ["CANCELED"])


async def test_who_leaves_is_forgotten(api: Api, service: Service) -> None:
    alone = service.events.subscribers
    async with api.subscribed(UPDATES):
        await subscribers(service, alone + 1)
    await subscribers(service, alone)


async def subscribers(service: Service, number: int) -> None:
    """Until so many listen."""

    async def reached() -> bool:
        return service.events.subscribers == number

    await eventually(reached)
