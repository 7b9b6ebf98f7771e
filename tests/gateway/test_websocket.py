"""graphql-transport-ws over real sockets."""

import asyncio
import contextlib
import dataclasses
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway import auth
from gateway.schema import websocket
from gateway.settings import Settings

from .conftest import DEADLINE_S, Api, Service, receive, running, send

UPDATES = "subscription { jobUpdates { id } }"
SUBSCRIBE = {"type": "subscribe", "id": "1", "payload": {"query": UPDATES}}


async def closed_with(socket: ClientConnection) -> int:
    """The code with which the service closes, whatever it sends before."""
    async with asyncio.timeout(DEADLINE_S):
        try:
            while True:
                await socket.recv()
        except ConnectionClosed as error:
            assert error.rcvd is not None
            return error.rcvd.code


async def init(socket: ClientConnection, api: Api) -> None:
    await send(socket, {"type": "connection_init", "payload": {"authorization": f"Bearer {api.token}"}})
    assert (await receive(socket))["type"] == "connection_ack"


async def test_queries_and_pings_are_answered(api: Api) -> None:
    async with api.websocket() as socket:
        await init(socket, api)
        await send(socket, {"type": "ping"})
        assert (await receive(socket))["type"] == "pong"
        await send(socket, {"type": "subscribe", "id": "a", "payload": {"query": "{ me { email } }"}})
        following = await receive(socket)
        assert following["payload"] == {"data": {"me": {"email": "member@example.org"}}}
        assert await receive(socket) == {"type": "complete", "id": "a"}


@pytest.mark.parametrize(
    "message",
    [
        "not json",
        "[]",
        "null",
        "7",
        '"ping"',
        "{}",
        '{"type": 1}',
        '{"type": "nonsense"}',
        '{"type": "subscribe"}',
        '{"type": "subscribe", "id": "1"}',
        '{"type": "subscribe", "id": 1, "payload": {"query": "{ version }"}}',
        '{"type": "subscribe", "id": ["1"], "payload": {"query": "{ version }"}}',
        '{"type": "subscribe", "id": "1", "payload": []}',
        '{"type": "subscribe", "id": "1", "payload": {"query": 1}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ version }", "variables": 1}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ version }", "operationName": {}}}',
        '{"type": "complete"}',
        '{"type": "complete", "id": {}}',
        b"\x00\x01",
    ],
)
async def test_what_is_no_message_closes_with_4400(api: Api, message: str | bytes) -> None:
    async with api.websocket() as socket:
        await init(socket, api)
        await socket.send(message)
        assert await closed_with(socket) == 4400


@pytest.mark.parametrize(
    "payload", [None, {}, {"accessToken": "x.y.z"}, {"accessToken": 1}, {"authorization": "Basic x"}]
)
async def test_init_without_a_good_token_closes_with_4401(service: Service, payload: Any) -> None:
    async with Api(service.url).websocket() as socket:
        await send(socket, {"type": "connection_init", "payload": payload})
        assert await closed_with(socket) == 4401


async def test_subscribe_before_init_closes_with_4401(api: Api) -> None:
    async with api.websocket() as socket:
        await send(socket, SUBSCRIBE)
        assert await closed_with(socket) == 4401


async def test_second_init_closes_with_4429_and_a_used_id_with_4409(api: Api) -> None:
    async with api.websocket() as socket:
        await init(socket, api)
        await send(socket, {"type": "connection_init", "payload": {"accessToken": api.token}})
        assert await closed_with(socket) == 4429
    async with api.websocket() as socket:
        await init(socket, api)
        await send(socket, SUBSCRIBE)
        await send(socket, SUBSCRIBE)
        assert await closed_with(socket) == 4409


async def test_init_that_does_not_come_closes_with_4408(settings: Settings) -> None:
    async with running(dataclasses.replace(settings, websocket_init_timeout_s=0)) as service:
        async with Api(service.url).websocket() as socket:
            assert await closed_with(socket) == 4408


@pytest.mark.parametrize("query", ["{", "subscription { nothing }", "query($x: Nothing) { version }"])
async def test_wrong_document_is_an_error_of_its_operation_only(api: Api, query: str) -> None:
    async with api.websocket() as socket:
        await init(socket, api)
        await send(socket, {"type": "subscribe", "id": "wrong", "payload": {"query": query}})
        error = await receive(socket)
        assert error["type"] == "error" and error["id"] == "wrong"
        assert error["payload"][0]["extensions"]["code"] == "BAD_USER_INPUT"
        await send(socket, {"type": "ping"})
        assert (await receive(socket))["type"] == "pong"


async def test_operations_on_one_socket_are_limited(settings: Settings) -> None:
    async with running(dataclasses.replace(settings, websocket_max_operations=1)) as service:
        api = await service.member()
        async with api.websocket() as socket:
            await init(socket, api)
            await send(socket, SUBSCRIBE)
            await send(socket, {**SUBSCRIBE, "id": "2"})
            error = await receive(socket)
    assert error["type"] == "error" and error["id"] == "2"


async def test_message_over_the_limit_closes_the_socket(api: Api) -> None:
    async with api.websocket() as socket:
        await init(socket, api)
        await socket.send(json.dumps({"type": "ping", "payload": {"x": "x" * 2_000_000}}))
        assert await closed_with(socket) == 1009


async def test_socket_closes_with_4401_when_its_token_expires(settings: Settings) -> None:
    async with running(dataclasses.replace(settings, access_token_ttl_s=2)) as service:
        api = await service.member()
        async with api.websocket() as socket:
            await init(socket, api)
            await send(socket, SUBSCRIBE)
            assert await closed_with(socket) == 4401


async def test_socket_closes_with_4401_after_logout(
    service: Service, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "RECHECK_S", 0.05)
    viewer = await auth.viewer_of(service.settings, api.token or "")
    async with api.websocket() as socket:
        await init(socket, api)
        await send(socket, SUBSCRIBE)
        await auth.logout(token=None, viewer=viewer)
        assert await closed_with(socket) == 4401


async def test_pages_of_other_origins_may_not_connect(service: Service, api: Api) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with api.websocket(origin="https://evil.example"):
            pass
    assert refused.value.response.status_code == 403
    async with api.websocket(origin=service.url) as socket:
        await init(socket, api)


async def test_allowed_origins_may_connect(settings: Settings) -> None:
    allowed = dataclasses.replace(settings, allowed_origins=("https://data.example",))
    async with running(allowed) as service:
        api = await service.member()
        async with api.websocket(origin="https://data.example") as socket:
            await init(socket, api)


async def test_only_graphql_transport_ws_is_spoken(service: Service) -> None:
    from websockets.asyncio.client import connect
    from websockets.typing import Subprotocol

    async with connect(
        service.url.replace("http", "ws", 1) + "/graphql", subprotocols=[Subprotocol("graphql-ws")]
    ) as socket:
        assert await closed_with(socket) == 4406


async def test_service_stops_while_sockets_are_open(settings: Settings) -> None:
    async with running(settings) as service:
        api = await service.member()
        sockets = [await api.websocket().__aenter__() for _ in range(3)]
        for socket in sockets:
            await init(socket, api)
            await send(socket, SUBSCRIBE)
    for socket in sockets:
        assert await closed_with(socket) == 1012


async def test_a_service_that_stops_asks_to_come_back(settings: Settings) -> None:
    async with contextlib.AsyncExitStack() as serving:
        service = await serving.enter_async_context(running(settings))
        api = await service.member()
        async with api.subscribed(UPDATES) as socket:
            _, code = await asyncio.gather(serving.aclose(), closed_with(socket))
        assert code == 1012
