"""Two gateways, a dispatcher, one PostgreSQL and one Redis, each a process of its own."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from gateway.settings import Settings
from tests import redis_server
from tests.faults.test_dispatchers import dispatching
from tests.gateway import journeys
from tests.gateway.conftest import DEADLINE_S, PASSWORD, Api, eventually, receive
from tests.gateway.test_subscriptions import EVENTS, UPDATES, all_items, items
from tests.postgres import SECRET, Postgres
from tests.redis_server import RedisServer

from .conftest import START_DEADLINE_S, STOP_DEADLINE_S, until

STATES = ["QUEUED", "PLANNING", "RUNNING", "FINALIZING", "SUCCEEDED"]
REGISTER = """mutation($input: RegisterInput!) {
  register(input: $input) { session { accessToken } errors { message } } }"""


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server.running() as server:
        yield server


@pytest.fixture
def settings(postgres: Postgres, redis: RedisServer, tmp_path: Path) -> Settings:
    roots = tmp_path / "roots"
    roots.mkdir()
    return Settings.from_environment(
        {},
        data_dir=tmp_path / "data",
        data_roots=(roots,),
        database_url=postgres.migrated(),
        redis_url=redis.url,
        secret_key=SECRET,
    ).prepare()


@contextmanager
def gateway(settings: Settings, log: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A gateway without a dispatcher, on a free port."""
    environment = os.environ | {
        "KARYAKSHAM_DATABASE_URL": settings.database_url,
        "KARYAKSHAM_REDIS_URL": settings.redis_url,
        "KARYAKSHAM_SECRET_KEY": settings.secret_key,
        "KARYAKSHAM_DATA_DIR": str(settings.data_dir),
        "KARYAKSHAM_DATA_ROOTS": str(settings.data_roots[0]),
        "KARYAKSHAM_BCRYPT_ROUNDS": "4",
        "KARYAKSHAM_LOGIN_TRIES_PER_ACCOUNT": "3",
    }
    command = [sys.executable, "-m", "gateway", "serve", "--no-dispatcher", "--port", "0"]
    with log.open("wb") as out:
        popen = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
    try:

        def address() -> str | None:
            assert popen.poll() is None, log.read_text()
            shown = re.search(r"Karyaksham is at (\S+)", log.read_text())
            return shown[1] if shown else None

        url = until(address, START_DEADLINE_S)
        until(lambda: "karyaksham_redis_away 0.0" in metrics(url), START_DEADLINE_S)
        yield url, popen
    finally:
        popen.kill()
        popen.wait(STOP_DEADLINE_S)


def metrics(url: str) -> str:
    return httpx.get(f"{url}/metrics").text


async def states(socket: ClientConnection, job_id: str) -> AsyncIterator[str]:
    """Of one job, to its end."""
    async for update in items(socket):
        if update["id"] == job_id:
            yield update["state"]
            if update["state"] == "SUCCEEDED":
                return


async def login(api: Api, password: str) -> list[dict[str, Any]]:
    query = "mutation($input: LoginInput!) { login(input: $input) { errors { code message } } }"
    payload = await replace(api, token=None).call(
        query, input={"email": "ada@example.org", "password": password}
    )
    errors: list[dict[str, Any]] = payload["errors"]
    return errors


async def test_two_gateways_are_one_service(settings: Settings, redis: RedisServer, tmp_path: Path) -> None:
    logs = [tmp_path / "a.log", tmp_path / "b.log"]
    with (
        gateway(settings, logs[0]) as (first, one),
        gateway(settings, logs[1]) as (second, two),
        dispatching(settings, tmp_path, 1),
    ):
        a, b = Api(first), Api(second)
        registered = await a.call(REGISTER, input={"email": "ada@example.org", "password": PASSWORD})
        a.token = b.token = registered["session"]["accessToken"]
        table = await journeys.file(settings, b)

        async with a.subscribed(UPDATES) as updates:
            job = await journeys.created(b, table)
            seen = [state async for state in states(updates, job["id"])]
            assert sorted(seen) == sorted(STATES) and seen[-1] == "SUCCEEDED"

            job = await journeys.created(b, table)
            async with a.subscribed(EVENTS, id=job["id"], after=0) as socket:
                live = [(await receive(socket))["payload"]["data"]["jobEvents"] for _ in range(2)]
            live += await all_items(b, EVENTS, id=job["id"], after=live[-1]["seq"])
            assert [event["seq"] for event in live] == list(range(1, len(live) + 1))
            assert live == await all_items(a, EVENTS, id=job["id"], after=0)

        for api in (a, b, a):
            assert [error["code"] for error in await login(api, "wrong")] == ["UNAUTHENTICATED"]
        assert [error["code"] for error in await login(b, "wrong")] == ["RATE_LIMITED"]

        async with a.subscribed(UPDATES) as updates, b.subscribed(UPDATES) as others:
            redis.kill()
            job = await journeys.created(b, table)
            assert [state async for state in states(updates, job["id"])][-1] == "SUCCEEDED"

            async def away() -> bool:
                return "Redis is away" in logs[0].read_text() and "Redis is away" in logs[1].read_text()

            await eventually(away)
            for process in (one, two):
                process.terminate()
            for socket in (updates, others):
                with pytest.raises(ConnectionClosed) as closed:
                    async with asyncio.timeout(DEADLINE_S):
                        while True:
                            await socket.recv()
                assert closed.value.rcvd is not None and closed.value.rcvd.code in (1001, 1012)
        for process, log in ((one, logs[0]), (two, logs[1])):
            assert process.wait(STOP_DEADLINE_S) == 0
            assert "Traceback" not in log.read_text()
