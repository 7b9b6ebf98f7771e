"""What the clients of others make of the service: graphql-http's audits, graphql-ws and graphql-sse, under Node."""

import asyncio
import contextlib
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.schema import sse, websocket
from gateway.settings import Settings

from . import journeys
from .conftest import TLS, Api, Service, eventually, running

CLIENT = Path(__file__).parents[2] / "client"
UPDATES = "subscription { jobUpdates { id } }"
EVENTS = {"accept": "text/event-stream", "content-type": "application/json"}


async def checked(purpose: str, api: Api, job_id: str) -> dict[str, str | None]:
    """Each check of client/e2e/protocols.js, and what was wrong."""
    node = shutil.which("node")
    assert node is not None, "Node is missing"
    command = [node, "e2e/protocols.js", purpose, api.url, api.token or "", job_id]
    process = await asyncio.create_subprocess_exec(*command, cwd=CLIENT, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    assert process.returncode == 0
    return {line["name"]: line["problem"] for line in map(json.loads, output.splitlines())}


@pytest.mark.parametrize(("purpose", "count"), [("audits", 61), ("websocket", 10), ("events", 10)])
async def test_clients_of_others_get_what_they_expect(
    purpose: str, count: int, settings: Settings, api: Api
) -> None:
    job = await journeys.finished(api, await journeys.file(settings, api))
    found = await checked(purpose, api, job["id"])
    assert {name: problem for name, problem in found.items() if problem} == {}
    assert len(found) == count


@contextlib.asynccontextmanager
async def streamed(api: Api, query: str = UPDATES) -> AsyncIterator[AsyncIterator[str]]:
    """The lines of an event stream."""
    headers = {**EVENTS, "authorization": f"Bearer {api.token}"}
    async with (
        httpx.AsyncClient(timeout=20, verify=TLS) as http,
        http.stream("POST", f"{api.url}/graphql", json={"query": query}, headers=headers) as response,
    ):
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        yield response.aiter_lines()


async def subscribed(service: Service, count: int) -> None:
    async def listening() -> bool:
        return service.events.subscribers - 1 == count  # The dispatcher listens too.

    await eventually(listening)


async def test_stream_without_events_is_kept_alive_and_ends_with_its_client(
    service: Service, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "HEARTBEAT_S", 0.05)
    async with streamed(api) as lines:
        await subscribed(service, 1)
        assert [await anext(lines) for _ in range(4)] == [": still here", "", ": still here", ""]
    await subscribed(service, 0)


async def test_stream_ends_with_its_session(
    service: Service, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "RECHECK_S", 0.05)
    async with streamed(api) as lines:
        await subscribed(service, 1)
        await api.call("mutation { logout(input: {}) { errors { message } } }")
        events = [line async for line in lines if line and not line.startswith(":")]
    assert events[0] == "event: next" and events[2:] == ["event: complete", "data:"]
    error: dict[str, Any] = json.loads(events[1].removeprefix("data: "))["errors"][0]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"


async def test_stream_breaks_off_when_the_service_stops(settings: Settings) -> None:
    async with contextlib.AsyncExitStack() as serving:
        service = await serving.enter_async_context(running(settings))
        api = await service.member()
        async with streamed(api) as lines:
            await subscribed(service, 1)
            await serving.aclose()
            assert [line async for line in lines if line and not line.startswith(":")] == []


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("text/event-stream", True),
        ("text/event-stream, multipart/mixed", True),
        ("application/json;q=0.5, text/event-stream", True),
        ("application/graphql-response+json, application/json, text/event-stream", False),
        ("text/event-stream, */*", False),
        ("text/event-stream;q=0", False),
        ("text/event-stream;q=x", False),
        ("", False),
    ],
)
def test_events_go_to_those_who_want_them_more_than_json(accept: str, wanted: bool) -> None:
    assert sse.wants_stream(accept) is wanted
