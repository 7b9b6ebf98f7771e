"""Everything over HTTP that is not GraphQL: parts in, artifacts out, health and metrics."""

import hmac
import logging
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote
from uuid import UUID

from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from gateway import database, downloads, signing, uploads
from gateway.bucket import Bucket
from gateway.errors import ErrorCode, Forbidden, GatewayError, NotFound, Unauthenticated
from gateway.metrics import Metrics
from gateway.models import now
from gateway.parts import PURPOSE, DiskParts
from gateway.schema.context import Services

READY_TIMEOUT_S = 2.0

log = logging.getLogger(__name__)

_STATUS = {
    ErrorCode.BAD_USER_INPUT: 400,
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.CONFLICT: 409,
    ErrorCode.LIMIT_EXCEEDED: 507,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.UNAVAILABLE: 503,
}


class Endpoints:
    """The routes, with what they need of the composition root."""

    def __init__(self, services: Services, metrics: Metrics, bucket: Bucket | None) -> None:
        self._settings = services.settings
        self._parts = services.parts
        self._metrics = metrics
        self._dispatcher = services.dispatcher
        self._bucket = bucket

    def routes(self) -> list[Route]:
        return [
            Route("/uploads/{upload_id:uuid}/parts/{number:int}", self.put_part, methods=["PUT"]),
            Route("/downloads/{artifact_id:uuid}", self.download, methods=["GET", "HEAD"]),
            Route("/healthz", self.healthz),
            Route("/readyz", self.readyz),
            Route("/metrics", self.metrics),
        ]

    async def put_part(self, request: Request) -> Response:
        """Takes one part of an upload by its signed link; the ETag is the MD5 of its bytes, as with S3."""
        upload_id: UUID = request.path_params["upload_id"]
        number: int = request.path_params["number"]
        query = request.query_params
        length = query.get("length", "")
        signing.check_signed(
            self._settings.secret_key,
            PURPOSE,
            upload_id,
            number,
            length,
            expires=query.get("expires", ""),
            signature=query.get("signature", ""),
            at=now(),
        )
        if not isinstance(self._parts, DiskParts):
            raise NotFound("Parts go straight to object storage.")
        if request.headers.get("content-length", length) != length:
            raise Forbidden(f"The link is for a part of {length} bytes.")
        try:
            etag = await uploads.store_part(
                self._settings, self._parts.writers, upload_id, number, body=request.stream()
            )
        except ClientDisconnect:
            return Response(status_code=499)
        self._metrics.uploaded.inc(int(length))
        return Response(status_code=200, headers={"etag": f'"{etag}"', "cache-control": "no-store"})

    async def download(self, request: Request) -> Response:
        """An artifact by its signed link; a Range goes on where a broken download stopped."""
        query = request.query_params
        found = await downloads.find(
            self._settings,
            request.path_params["artifact_id"],
            expires=query.get("expires", ""),
            signature=query.get("signature", ""),
        )
        headers = {
            "cache-control": "private, no-store",
            "content-security-policy": "sandbox; default-src 'none'",
        }
        if not found.is_folder:
            return FileResponse(found.path, headers=headers, media_type=found.media_type, filename=found.name)
        headers["content-length"] = str(downloads.tar_size(found.path))
        headers["content-disposition"] = f"attachment; filename*=utf-8''{quote(found.name, safe='')}"
        return StreamingResponse(
            downloads.tar_stream(found.path), headers=headers, media_type=found.media_type
        )

    async def healthz(self, request: Request) -> Response:
        """The process answers; nothing is looked at."""
        return PlainTextResponse("ok", headers={"cache-control": "no-store"})

    async def readyz(self, request: Request) -> Response:
        """Whether requests can be served, and jobs run, check by check."""
        checks = {"database": await database.reachable(self._settings, READY_TIMEOUT_S)}
        checks["migrations"] = checks["database"] and not await database.pending(self._settings)
        checks["storage"] = self._settings.uploads_dir.is_dir() and self._settings.jobs_dir.is_dir()
        if self._bucket is not None:
            checks["bucket"] = await self._bucket.is_there()
        if self._dispatcher is not None:
            checks["ray"] = self._dispatcher.is_ready
        status = 200 if all(checks.values()) else 503
        return JSONResponse(checks, status_code=status, headers={"cache-control": "no-store"})

    async def metrics(self, request: Request) -> Response:
        """For a collector with the token, or where none is set, on this machine."""
        self._check_collector(request)
        return Response(await self._metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    def _check_collector(self, request: Request) -> None:
        wanted = self._settings.metrics_token
        if wanted:
            given = request.headers.get("authorization", "").removeprefix("Bearer ")
            if not hmac.compare_digest(given.encode(), wanted.encode()):
                raise Unauthenticated("/metrics asks for its token.")
        elif request.client is None or not _is_this_machine(request.client.host):
            raise Forbidden("/metrics answers only this machine.", "Set KARYAKSHAM_METRICS_TOKEN.")


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


async def tell(request: Request, error: Exception) -> Response:
    """A gateway error as an answer of HTTP."""
    if not isinstance(error, GatewayError):
        raise error
    body: dict[str, Any] = {"code": error.error_code.value, "message": error.message, "hint": error.hint}
    headers = {"cache-control": "no-store"}
    if error.retry_after_s is not None:
        headers["retry-after"] = str(round(error.retry_after_s))
    return JSONResponse(body, status_code=_STATUS.get(error.error_code, 500), headers=headers)


async def fault(request: Request, error: Exception) -> Response:
    """A fault of ours: the id under which the log has it, and nothing more. The server logs the rest."""
    request_id = str(request.scope.get("request_id", "-"))
    message = f"Something went wrong on our side. Tell an administrator the request id {request_id}."
    log.error("request %s failed", request_id)
    body = {"code": ErrorCode.INTERNAL.value, "message": message}
    return JSONResponse(
        body, status_code=500, headers={"x-request-id": request_id, "cache-control": "no-store"}
    )
