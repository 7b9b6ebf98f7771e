"""The composition root: makes one of everything and puts it together."""

import asyncio
import logging
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from types import FrameType

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route, WebSocketRoute

from gateway import audit, auth, database, http, leftovers, uploads
from gateway.bucket import Bucket
from gateway.bucket_parts import BucketParts
from gateway.dispatch import Dispatcher
from gateway.errors import GatewayError
from gateway.events import Events
from gateway.inspection import Inspector
from gateway.metrics import Metrics
from gateway.middleware import Surround
from gateway.page import Page
from gateway.parts import DiskParts
from gateway.rates import RateLimits
from gateway.schema.context import Services
from gateway.schema.schema import build_schema
from gateway.schema.view import View
from gateway.settings import Settings
from gateway.shared import Shared

GRACE_S = 10
"""What a request that is under way gets when the service stops."""

log = logging.getLogger(__name__)


def create_app(
    settings: Settings, *, dispatcher: Dispatcher | None = None, events: Events | None = None
) -> Starlette:
    """The service. In embedded mode it migrates its database at start; where the settings say so it runs jobs itself.

    `dispatcher` takes the place of the usual one (with its `events`); tests use it to run without Ray.
    """
    settings = settings.prepare()
    events = events or Events()
    if dispatcher is None and settings.dispatches:
        dispatcher = Dispatcher(settings, events)
    bucket = Bucket(settings) if settings.storage_uri else None
    shared = Shared(settings, events) if settings.redis_url else None
    events.hears_all = settings.embedded and dispatcher is not None
    services = Services(
        settings=settings,
        events=events,
        rates=RateLimits(shared),
        parts=BucketParts(bucket) if bucket else DiskParts(settings),
        inspector=Inspector(settings) if dispatcher is not None else None,
        dispatcher=dispatcher,
        stopping=asyncio.Event(),
    )
    metrics = Metrics(events, shared)
    view = View(build_schema(settings), services)
    endpoints = http.Endpoints(services, metrics, bucket)
    routes = [
        Route("/graphql", view),
        WebSocketRoute("/graphql", view),
        *endpoints.routes(),
        Route("/{path:path}", Page(settings).answer, methods=["GET"]),
    ]

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with (
            database.opened(settings, migrate=settings.embedded),
            bucket.opened() if bucket else nullcontext(),
            _running(services, shared),
        ):
            yield

    app = Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[Middleware(Surround, settings=settings, metrics=metrics)],
        exception_handlers={GatewayError: http.tell, Exception: http.fault},
    )
    app.state.dispatcher = dispatcher
    app.state.stopping = services.stopping
    return app


class Server(uvicorn.Server):
    """Exits 0 when it was asked to stop; uvicorn's own dies of the signal after it has shut down."""

    def __init__(self, app: Starlette, settings: Settings) -> None:
        super().__init__(server_config(app, settings))
        self._stopping: asyncio.Event = app.state.stopping

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping.set()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def server_config(app: Starlette, settings: Settings) -> uvicorn.Config:
    """For uvicorn, with our limits. Its own access log would show signatures, so it has none."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_config=None,
        lifespan="on",
        server_header=False,
        ws_max_size=settings.body_max_bytes,
        ws_ping_interval=20.0,
        ws_ping_timeout=20.0,
        timeout_graceful_shutdown=GRACE_S,
    )


@asynccontextmanager
async def _running(services: Services, shared: Shared | None) -> AsyncIterator[None]:
    """Everything that works in the background, for as long as the block lasts."""
    sweeper = asyncio.create_task(_sweep_now_and_then(services), name="sweeper")
    if shared is not None:
        await shared.start()
    if services.inspector is not None:
        services.inspector.start()
    if services.dispatcher is not None:
        await services.dispatcher.start()
    try:
        yield
    finally:
        if services.dispatcher is not None:
            await services.dispatcher.stop()
        if services.inspector is not None:
            await services.inspector.stop()
        if shared is not None:
            await shared.stop()
        sweeper.cancel()
        await asyncio.gather(sweeper, return_exceptions=True)


async def _sweep_now_and_then(services: Services) -> None:
    while True:
        try:
            expired = await uploads.sweep(services.parts)
            if expired:
                log.info("swept %d expired uploads", expired)
            await auth.sweep_sessions()
            await audit.sweep(services.settings)
            await leftovers.sweep(services.settings)
        except Exception:
            log.exception("the sweep failed; it is tried again later")
        await asyncio.sleep(services.settings.sweep_interval_s)
