"""A client of a running service: GraphQL over HTTP, subscriptions over graphql-transport-ws, uploads."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import connect

from .errors import KaryakshamError

PARTS_IN_FLIGHT = 4
REQUEST_TIMEOUT_S = 60.0


class RemoteError(KaryakshamError):
    """The service said no; the code is its own."""


class Service:
    """One signed-in session with a service."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._http = httpx.AsyncClient(timeout=REQUEST_TIMEOUT_S)
        self._token: str | None = None
        self._ids = itertools.count(1)

    async def __aenter__(self) -> "Service":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def is_ready(self) -> bool:
        try:
            return (await self._http.get(f"{self._url}/readyz", timeout=5)).status_code == 200
        except httpx.TransportError:
            return False

    async def call(self, document: str, **variables: Any) -> Any:
        """The data of a query. Raises RemoteError for the first error of the answer or of a payload."""
        headers = {"authorization": f"Bearer {self._token}"} if self._token else {}
        body = {"query": document, "variables": variables}
        answer = await self._http.post(f"{self._url}/graphql", json=body, headers=headers)
        return _data(answer.json())

    async def register(self, email: str, password: str, name: str) -> None:
        session = (
            await self.call(_REGISTER, input={"email": email, "password": password, "displayName": name})
        )["register"]
        self._token = session["session"]["accessToken"]

    async def upload(self, path: Path) -> AsyncIterator[tuple[int, str | None]]:
        """Yields bytes sent so far, at the end with the id of the dataset."""
        size_bytes = (await asyncio.to_thread(path.stat)).st_size
        created = await self.call(_CREATE_UPLOAD, input={"filename": path.name, "sizeBytes": size_bytes})
        upload = created["createUpload"]["upload"]
        numbers = list(range(1, upload["partCount"] + 1))
        parts: list[dict[str, Any]] = []
        sent = 0
        for batch in (numbers[at : at + PARTS_IN_FLIGHT] for at in range(0, len(numbers), PARTS_IN_FLIGHT)):
            signed = await self.call(_SIGN, input={"uploadId": upload["id"], "partNumbers": batch})
            waiting = [
                self._send(path, upload["partSizeBytes"], part) for part in signed["signUploadParts"]["parts"]
            ]
            for number, etag, size in await asyncio.gather(*waiting):
                parts.append({"partNumber": number, "etag": etag})
                sent += size
            yield sent, None
        done = await self.call(_COMPLETE, input={"uploadId": upload["id"], "parts": parts})
        yield sent, done["completeUpload"]["dataset"]["id"]

    async def _send(self, path: Path, part_size_bytes: int, part: dict[str, Any]) -> tuple[int, str, int]:
        def read() -> bytes:
            with path.open("rb") as file:
                file.seek((part["partNumber"] - 1) * part_size_bytes)
                return file.read(part_size_bytes)

        content = await asyncio.to_thread(read)
        answer = await self._http.put(part["url"], content=content, headers=part["headers"])
        answer.raise_for_status()
        return part["partNumber"], answer.headers["etag"], len(content)

    async def download(self, url: str) -> bytes:
        answer = await self._http.get(httpx.URL(self._url).join(url))
        answer.raise_for_status()
        return answer.content

    async def subscribe(self, document: str, **variables: Any) -> AsyncIterator[Any]:
        """The data of each message until the service completes the subscription."""
        address = self._url.replace("http", "ws", 1) + "/graphql"
        async with connect(address, subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]
            payload = {"authorization": f"Bearer {self._token}"}
            await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
            request = str(next(self._ids))
            async for text in socket:
                message = json.loads(text)
                match message["type"]:
                    case "connection_ack":
                        query = {"query": document, "variables": variables}
                        await socket.send(json.dumps({"id": request, "type": "subscribe", "payload": query}))
                    case "ping":
                        await socket.send(json.dumps({"type": "pong"}))
                    case "next":
                        yield _data(message["payload"])
                    case "error":
                        raise _error(message["payload"][0])
                    case "complete":
                        return


def _data(answer: Any) -> Any:
    if answer.get("errors"):
        raise _error(answer["errors"][0])
    for payload in answer["data"].values():
        if isinstance(payload, dict) and payload.get("errors"):
            raise RemoteError(payload["errors"][0]["code"], payload["errors"][0]["message"])
    return answer["data"]


def _error(error: Any) -> RemoteError:
    return RemoteError(error.get("extensions", {}).get("code", "INTERNAL"), error["message"])


_REGISTER = """mutation ($input: RegisterInput!) {
  register(input: $input) { session { accessToken } errors { code message } } }"""
_CREATE_UPLOAD = """mutation ($input: CreateUploadInput!) {
  createUpload(input: $input) { upload { id partSizeBytes partCount } errors { code message } } }"""
_SIGN = """mutation ($input: SignUploadPartsInput!) {
  signUploadParts(input: $input) { parts { partNumber url headers } errors { code message } } }"""
_COMPLETE = """mutation ($input: CompleteUploadInput!) {
  completeUpload(input: $input) { dataset { id } errors { code message } } }"""
