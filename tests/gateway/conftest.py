"""A real service on a free port, with a real SQLite file, and clients of it. Jobs run on threads instead of Ray.

The modules `ON_BOTH` run on PostgreSQL, too.
"""

import asyncio
import hashlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from compute import local
from compute.run import Run
from compute.spec import JobSpec, TaskFinished
from gateway import database, users
from gateway.app import Server, create_app
from gateway.dispatch import Dispatcher
from gateway.events import Events
from gateway.settings import Settings
from tests.postgres import SECRET, Postgres

DEADLINE_S = 20.0
TLS = ssl.create_default_context()
"""One for all clients: to make one takes longer than most requests."""
PASSWORD = "correct horse battery"
SESSION = (
    "session { accessToken accessTokenExpiresAt refreshToken user { id email displayName role isActive } }"
)
ERRORS = "errors { __typename code message field }"
ON_BOTH = {
    f"test_{subject}" for subject in ("control", "dispatch", "events", "jobs", "journal", "subscriptions")
}
"""What writes to the database in ways that SQLite and PostgreSQL may answer differently."""
ONLY_EMBEDDED = {
    # A dispatcher's sign of life is a lock on a file. On PostgreSQL its lease runs out, which takes half a minute.
    "test_a_crash_right_after_the_commit_gives_one_whole_result",
    "test_a_pause_outlives_the_dispatcher_that_was_asked",
    "test_jobs_of_a_process_that_was_killed_go_on",
    "test_a_job_that_was_being_canceled_ends_canceled_without_a_run",
    "test_only_leases_of_the_dead_end_at_start",
    # Elsewhere other dispatchers may be at work on the same folders.
    "test_start_sweeps_what_belongs_to_no_job",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "dialect" not in metafunc.fixturenames or metafunc.function.__name__ in ONLY_EMBEDDED:
        return
    if metafunc.module.__name__.rpartition(".")[2] in ON_BOTH:
        metafunc.parametrize("dialect", ["sqlite", "postgres"], indirect=True)


@dataclass
class Api:
    """A program that uses the service over HTTP and WebSocket."""

    url: str
    token: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)

    async def post(self, body: Any, **headers: str) -> httpx.Response:
        """One POST to /graphql, whatever the body."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"content-type": "application/json", **self.headers, **headers}
        if self.token:
            sent.setdefault("authorization", f"Bearer {self.token}")
        async with httpx.AsyncClient(cookies=self.cookies, timeout=DEADLINE_S, verify=TLS) as http:
            response = await http.post(f"{self.url}/graphql", content=content, headers=sent)
        self.cookies.update(response.cookies)
        return response

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The whole answer, errors and all."""
        body: dict[str, Any] = (await self.post({"query": query, "variables": variables})).json()
        return body

    async def call(self, query: str, **variables: Any) -> Any:
        """The value of the one root field; fails on errors at the top."""
        body = await self.ask(query, **variables)
        assert "errors" not in body, body
        (value,) = body["data"].values()
        return value

    async def refused(self, query: str, **variables: Any) -> str:
        """The code of the one error at the top."""
        (error,) = (await self.ask(query, **variables))["errors"]
        code: str = error["extensions"]["code"]
        return code

    async def sign_in(self, email: str, password: str = PASSWORD) -> dict[str, Any]:
        payload = await self.call(
            f"mutation($input: LoginInput!) {{ login(input: $input) {{ {SESSION} {ERRORS} }} }}",
            input={"email": email, "password": password},
        )
        assert payload["errors"] == [], payload
        session: dict[str, Any] = payload["session"]
        self.token = session["accessToken"]
        return session

    async def upload(self, name: str, content: bytes, **more: Any) -> dict[str, Any]:
        """Uploads and completes; returns the dataset's id, name, uri and status."""
        created = await self.call(
            "mutation($input: CreateUploadInput!) { createUpload(input: $input) "
            f"{{ upload {{ id partCount partSizeBytes }} {ERRORS} }} }}",
            input={"filename": name, "sizeBytes": len(content), **more},
        )
        upload = created["upload"]
        numbers = list(range(1, upload["partCount"] + 1))
        etags = await self.put_parts(upload["id"], numbers, content, upload["partSizeBytes"])
        completed = await self.call(
            "mutation($input: CompleteUploadInput!) { completeUpload(input: $input) "
            f"{{ dataset {{ id name uri status }} {ERRORS} }} }}",
            input={
                "uploadId": upload["id"],
                "parts": [{"partNumber": number, "etag": etag} for number, etag in etags.items()],
            },
        )
        assert completed["errors"] == [], completed
        dataset: dict[str, Any] = completed["dataset"]
        return dataset

    async def sign(self, upload_id: str, numbers: Sequence[int]) -> list[dict[str, Any]]:
        signed = await self.call(
            "mutation($input: SignUploadPartsInput!) { signUploadParts(input: $input) "
            f"{{ parts {{ partNumber url headers expiresAt }} {ERRORS} }} }}",
            input={"uploadId": upload_id, "partNumbers": list(numbers)},
        )
        assert signed["errors"] == [], signed
        parts: list[dict[str, Any]] = signed["parts"]
        return parts

    async def put_parts(
        self, upload_id: str, numbers: Sequence[int], content: bytes, part_size: int
    ) -> dict[int, str]:
        """Sends parts all at once; returns their ETags."""
        async with httpx.AsyncClient(timeout=DEADLINE_S, verify=TLS) as http:

            async def put(part: dict[str, Any]) -> tuple[int, str]:
                number = part["partNumber"]
                piece = content[(number - 1) * part_size : number * part_size]
                response = await http.put(part["url"], content=piece, headers=part["headers"])
                assert response.status_code == 200, response.text
                assert (
                    response.headers["etag"] == f'"{hashlib.md5(piece, usedforsecurity=False).hexdigest()}"'
                )
                return number, response.headers["etag"]

            return dict(await asyncio.gather(*map(put, await self.sign(upload_id, numbers))))

    def websocket(self, **more: Any) -> AbstractAsyncContextManager[ClientConnection]:
        """A WebSocket before its connection_init."""
        address = self.url.replace("http", "ws", 1) + "/graphql"
        return connect(address, subprotocols=[Subprotocol("graphql-transport-ws")], **more)

    @asynccontextmanager
    async def subscribed(self, query: str, **variables: Any) -> AsyncIterator[ClientConnection]:
        """A WebSocket on which `query` is subscribed to as `1`."""
        async with self.websocket() as socket:
            await send(socket, {"type": "connection_init", "payload": {"accessToken": self.token}})
            assert (await receive(socket))["type"] == "connection_ack"
            payload = {"query": query, "variables": variables}
            await send(socket, {"type": "subscribe", "id": "1", "payload": payload})
            yield socket


@dataclass(frozen=True)
class Service:
    url: str
    settings: Settings
    events: Events
    dispatcher: Dispatcher

    async def member(self, email: str = "member@example.org") -> Api:
        """A signed-in user with the role MEMBER; the first of all would be an administrator."""
        return await self.user(email, "MEMBER")

    async def user(self, email: str, role: str) -> Api:
        await users.add(
            self.settings, email=email, password=PASSWORD, display_name=None, role=users.Role(role)
        )
        api = Api(self.url)
        await api.sign_in(email)
        return api


async def send(socket: ClientConnection, message: object) -> None:
    await socket.send(json.dumps(message))


async def receive(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(DEADLINE_S):
        message: dict[str, Any] = json.loads(await socket.recv())
    return message


async def eventually(condition: Callable[[], Awaitable[Any]], deadline_s: float = DEADLINE_S) -> Any:
    """The first true value of `condition`, asked again and again until the deadline."""
    async with asyncio.timeout(deadline_s):
        while not (value := await condition()):  # noqa: ASYNC110 -- what it waits for is in another process or task
            await asyncio.sleep(0.02)
    return value


def run_on_threads(spec: JobSpec, resume: Sequence[TaskFinished]) -> Run:
    return local.start(spec, threads=2, resume=resume, keep_staging=True, asks_to_commit=True)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Service]:
    """The service, for as long as the block lasts."""
    settings = settings.prepare()
    events = Events()
    dispatcher = Dispatcher(settings, events, start_run=run_on_threads)
    app = create_app(settings, dispatcher=dispatcher, events=events)
    server = Server(app, settings)
    serving = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started or serving.done()

    await eventually(started)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Service(f"http://127.0.0.1:{port}", settings, events, dispatcher)
    finally:
        server.should_exit = True
        await serving


@pytest.fixture
def dialect(request: pytest.FixtureRequest) -> str:
    """`sqlite`, unless the test says otherwise."""
    given: str = getattr(request, "param", "sqlite")
    return given


@pytest.fixture
def settings(tmp_path: Path, dialect: str, request: pytest.FixtureRequest) -> Settings:
    """Quick passwords, small parts, one folder from which files may be registered."""
    where: dict[str, Any] = {}
    if dialect == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        where = {"database_url": server.migrated(), "secret_key": SECRET}
    roots = tmp_path / "roots"
    roots.mkdir()
    return Settings.from_environment(
        {},
        data_dir=tmp_path / "data",
        data_roots=(roots,),
        client_dir=tmp_path / "page",
        port=0,
        bcrypt_rounds=4,
        upload_part_bytes=64 * 1024,
        disk_reserve_bytes=0,
        **where,
    ).prepare()


@pytest.fixture
async def opened_database(settings: Settings) -> AsyncIterator[None]:
    async with database.opened(settings, migrate=True):
        yield


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[Service]:
    async with running(settings) as service:
        yield service


@pytest.fixture
async def api(service: Service) -> Api:
    """A member."""
    return await service.member()
