"""Around every request: an id, a line in the access log, metrics, and the headers that browsers need to be told."""

import json
import logging
import re
import secrets
import sys
import time
from datetime import UTC, datetime
from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway import log_context
from gateway.metrics import Metrics
from gateway.settings import Settings

access = logging.getLogger("gateway.access")

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        # The editor and the plots set styles while they run.
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src {connect}",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "x-frame-options": "DENY",
}


class Surround:
    """The outermost ASGI layer."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics
        connect = " ".join(filter(None, ("'self'", settings.upload_origin)))
        self._headers = {**_HEADERS, "content-security-policy": _POLICY.format(connect=connect)}
        self._https = settings.public_url.startswith("https://")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            scope["request_id"] = _request_id(scope)
            log_context.begin(request_id=scope["request_id"])
            with self._metrics.websockets.track_inprogress():
                await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = scope["request_id"] = _request_id(scope)
        log_context.begin(request_id=request_id)
        began = time.perf_counter()
        status, sent = 500, 0

        async def counted(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                self._add_headers(MutableHeaders(scope=message), request_id)
            elif message["type"] == "http.response.body":
                sent += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, counted)
        finally:
            seconds = time.perf_counter() - began
            route = _route(scope)
            self._metrics.requests.labels(route, scope["method"], status).inc()
            self._metrics.seconds.labels(route).observe(seconds)
            client = scope.get("client")
            access.info(
                "%s %s %s",
                scope["method"],
                # Without the query: it may hold a signature.
                scope["path"],
                status,
                extra={
                    "fields": {
                        "request_id": request_id,
                        "method": scope["method"],
                        "path": scope["path"],
                        "status": status,
                        "ms": round(seconds * 1000, 1),
                        "bytes": sent,
                        "client": client[0] if client else None,
                    }
                },
            )

    def _add_headers(self, headers: MutableHeaders, request_id: str) -> None:
        headers["x-request-id"] = request_id
        for name, value in self._headers.items():
            headers.setdefault(name, value)
        if self._https:
            headers["strict-transport-security"] = "max-age=31536000"


class JsonFormatter(logging.Formatter):
    """A line of JSON a record."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **log_context.bound(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure_logging(settings: Settings) -> None:
    """Everything of ours to standard error, once a process."""
    handler = logging.StreamHandler(sys.stderr)
    if settings.log_format == "json":
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # Requests are of interest to machines that collect them; a person at a terminal wants to see what went wrong.
    access.setLevel(logging.INFO if settings.log_format == "json" else logging.WARNING)
    for noisy in ("tortoise", "tortoise.db_client", "aiosqlite", "asyncio", "httpx", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _request_id(scope: Scope) -> str:
    """The one that a proxy gave, where it looks like one, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given: str = value.decode("latin-1")
            return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    return secrets.token_hex(8)


def _route(scope: Scope) -> str:
    """The route's pattern, so that ids do not make a series each."""
    route = scope.get("route")
    path = getattr(route, "path", None)
    return path if isinstance(path, str) and path else "other"
