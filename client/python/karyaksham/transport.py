"""How the client talks: GraphQL over HTTP, subscriptions as server-sent events, one pool of connections.

A request that can be sent twice without harm is tried again when the service can't be reached or says that it is busy:
queries always, mutations when they say so (`again=True`: they set a state, or carry an idempotency key).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from random import uniform
from types import TracebackType
from typing import Any, Final, Self

import httpx
from httpx_sse import aconnect_sse
from pydantic import BaseModel

from karyaksham.errors import ServiceError

TIMEOUT_S: Final = 60.0
TRIES_MAX: Final = 6
"""With waits of about 0.5, 1, 2, 4 and 8 s between: a service that restarts is waited for."""
FIRST_WAIT_S: Final = 0.5
SILENCE_MAX_S: Final = 60.0
"""The service says at least every 15 s that a stream is alive."""
RENEW_BEFORE: Final = timedelta(seconds=60)
_BUSY: Final = frozenset({429, 502, 503, 504})


class Transport:
    """Sends documents to one service, with a token."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url.rstrip("/")
        self.http = httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=True)
        self._token = token
        self._refresh_token: str | None = None
        self._expires_at: datetime | None = None
        self._renewing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.aclose()

    def signed_in(self, access_token: str, refresh_token: str | None, expires_at: datetime) -> None:
        """From now on requests carry this session, which is renewed before it expires."""
        self._token, self._refresh_token, self._expires_at = access_token, refresh_token, expires_at

    async def execute(
        self,
        query: str,
        operation_name: str | None = None,
        variables: Mapping[str, Any] | None = None,
        *,
        again: bool = False,
    ) -> httpx.Response:
        """The answer, whatever it says. ServiceError UNAVAILABLE when there is none after all tries."""
        body = _body(query, operation_name, variables)
        tries = TRIES_MAX if again or query.lstrip().startswith("query") else 1
        for left in range(tries - 1, -1, -1):
            headers = await self._headers(operation_name)
            try:
                answer = await self.http.post(f"{self.url}/graphql", json=body, headers=headers)
                if answer.status_code not in _BUSY or left == 0:
                    return answer
                wait_s = _retry_after_s(answer)
            except httpx.TransportError as error:
                if left == 0:
                    raise unreachable(self.url, error) from error
                wait_s = None
            await pause(tries - 1 - left, wait_s)
        raise AssertionError("the last try returns or raises")

    def get_data(self, answer: httpx.Response) -> dict[str, Any]:
        """The `data` of an answer. Raises the first error of the answer, or of a payload in it."""
        try:
            body = answer.json()
        except ValueError:
            body = None
        if not isinstance(body, dict) or not ("data" in body or "errors" in body):
            raise ServiceError(
                "UNAVAILABLE", f"{self.url} answers {answer.status_code}, and not as Karyaksham does."
            )
        return data_of(body)

    async def execute_ws(
        self,
        query: str,
        operation_name: str | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> AsyncIterator[dict[str, Any]]:
        """The data of each event until the service completes the subscription.

        Raises ServiceError UNAVAILABLE when the stream breaks off: subscribe again, from where it stopped.
        """
        body = _body(query, operation_name, variables)
        headers = await self._headers(operation_name)
        timeout = httpx.Timeout(TIMEOUT_S, read=SILENCE_MAX_S)
        try:
            async with aconnect_sse(
                self.http, "POST", f"{self.url}/graphql", json=body, headers=headers, timeout=timeout
            ) as source:
                if "text/event-stream" not in source.response.headers.get("content-type", ""):
                    await source.response.aread()
                    self.get_data(source.response)
                async for event in source.aiter_sse():
                    if event.event == "complete":
                        return
                    yield data_of(json.loads(event.data))
        except httpx.TransportError as error:
            raise unreachable(self.url, error) from error
        raise ServiceError("UNAVAILABLE", f"{self.url} broke the stream off.")

    async def _headers(self, operation_name: str | None) -> dict[str, str]:
        if operation_name not in {"RefreshSession", "Login"}:
            await self._renew()
        return {"authorization": f"Bearer {self._token}"} if self._token else {}

    async def _renew(self) -> None:
        """The next pair of tokens, once, also when many requests notice together."""
        if not self._refresh_token or not self._expires_at:
            return
        async with self._renewing:
            if self._expires_at - datetime.now(UTC) > RENEW_BEFORE:
                return
            answer = await self.execute(
                _REFRESH, "RefreshSession", {"input": {"refreshToken": self._refresh_token}}
            )
            session = self.get_data(answer)["refreshSession"]["session"]
            self.signed_in(
                session["accessToken"],
                session["refreshToken"],
                datetime.fromisoformat(session["accessTokenExpiresAt"]),
            )


def data_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The `data` of a GraphQL answer; ServiceError for the first error at the top, or in a payload."""
    if body.get("errors"):
        raise ServiceError.of(body["errors"][0])
    data: dict[str, Any] = body["data"]
    for payload in data.values():
        if isinstance(payload, dict) and payload.get("errors"):
            raise ServiceError.of(payload["errors"][0])
    return data


def unreachable(url: str, error: httpx.TransportError) -> ServiceError:
    """What a person reads when there is no answer."""
    reason = str(error) or type(error).__name__
    return ServiceError(
        "UNAVAILABLE", f"{url} can't be reached: {reason}. Is the service up, and the address right?"
    )


async def pause(tries: int, wait_s: float | None = None) -> None:
    """Before another try: what the service asked for, else twice as long each time, give or take a half."""
    await asyncio.sleep(wait_s if wait_s is not None else FIRST_WAIT_S * 2**tries * uniform(0.5, 1.5))  # noqa: S311


def _retry_after_s(answer: httpx.Response) -> float | None:
    given = answer.headers.get("retry-after", "")
    return float(given) if given.isdecimal() else None


def _body(query: str, operation_name: str | None, variables: Mapping[str, Any] | None) -> dict[str, Any]:
    """Models of inputs as JSON, without the fields that nobody set: null says none, and nothing says the default."""
    plain = {
        name: value.model_dump(mode="json", by_alias=True, exclude_unset=True)
        if isinstance(value, BaseModel)
        else value
        for name, value in (variables or {}).items()
    }
    return {"query": query, "operationName": operation_name, "variables": plain}


_REFRESH: Final = """mutation RefreshSession($input: RefreshSessionInput!) {
  refreshSession(input: $input) {
    session { accessToken accessTokenExpiresAt refreshToken } errors { code message } } }"""
