"""Big files on their way: parts of an upload, several at once, and downloads that go on where they broke off."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from karyaksham._graphql import (
    ArtifactFields,
    CompleteUploadInput,
    CreateUploadInput,
    DatasetFields,
    Operations,
    SignUploadPartsInput,
    UploadedPartInput,
    UploadFields,
    UploadStatus,
)
from karyaksham.errors import Broken, ServiceError
from karyaksham.transport import TRIES_MAX, pause, unreachable

PARTS_IN_FLIGHT: Final = 4
CHUNK_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file as it was when its upload began."""

    path: Path
    size_bytes: int
    changed_ns: int

    @classmethod
    def at(cls, path: Path) -> "LocalFile":
        status = path.stat()
        return cls(path.resolve(), status.st_size, status.st_mtime_ns)

    @property
    def key(self) -> str:
        """The same for the same file, unchanged: a program that is run again finds its upload."""
        name = f"{self.path}\0{self.size_bytes}\0{self.changed_ns}"
        return f"file-{hashlib.sha256(os.fsencode(name)).hexdigest()[:40]}"

    def read(self, offset: int, length: int) -> bytes:
        """Broken when the file is no longer the one whose upload began."""
        with self.path.open("rb") as file:
            status = os.fstat(file.fileno())
            if (status.st_size, status.st_mtime_ns) != (self.size_bytes, self.changed_ns):
                raise Broken(f"{self.path} changed while it was uploaded. Upload it again.")
            file.seek(offset)
            return file.read(length)


async def upload(api: Operations, file: LocalFile) -> AsyncIterator[int | DatasetFields]:
    """Yields the bytes that the service has so far, and at the end the dataset.

    Parts that it has already are not sent again. A file that was uploaded before, unchanged, is uploaded anew.
    """
    room = await _room(api, file)
    etags: dict[int, str] = {}
    received = set(room.received_parts)
    arrived = sum(_length(room, number) for number in received)
    yield arrived
    missing = [number for number in range(1, room.part_count + 1) if number not in received]
    for at in range(0, len(missing), PARTS_IN_FLIGHT):
        batch = missing[at : at + PARTS_IN_FLIGHT]
        async for number, etag in _sent(api, file, room, batch):
            etags[number] = etag
            arrived += _length(room, number)
            yield arrived
    for number in sorted(received):
        content = await asyncio.to_thread(file.read, _offset(room, number), _length(room, number))
        etags[number] = f'"{_md5(content)}"'
    parts = [UploadedPartInput(part_number=number, etag=etags[number]) for number in sorted(etags)]
    done = await api.complete_upload(CompleteUploadInput(upload_id=room.id, parts=parts), again=True)
    if done.dataset is None:
        raise ServiceError("INTERNAL", "The service took the file and named no dataset.")
    yield done.dataset


async def _room(api: Operations, file: LocalFile) -> UploadFields:
    """The upload of this file that waits for parts, else a new one."""
    for key in (file.key, None):
        given = CreateUploadInput(filename=file.path.name, size_bytes=file.size_bytes, idempotency_key=key)
        created = (await api.create_upload(given, again=key is not None)).upload
        if created and created.status is UploadStatus.RECEIVING:
            return created
    raise ServiceError("INTERNAL", "The service made no room for the file and gave no reason.")


async def _sent(
    api: Operations, file: LocalFile, room: UploadFields, numbers: list[int]
) -> AsyncIterator[tuple[int, str]]:
    """Number and ETag of each part, as they arrive."""
    signed = await api.sign_upload_parts(
        SignUploadPartsInput(upload_id=room.id, part_numbers=numbers), again=True
    )
    waiting = [
        asyncio.ensure_future(
            _put(
                api,
                part.url,
                part.headers,
                file,
                _offset(room, part.part_number),
                _length(room, part.part_number),
            )
        )
        for part in signed.parts or []
    ]
    try:
        for part, sending in zip(signed.parts or [], waiting, strict=True):
            yield part.part_number, await sending
    finally:
        for sending in waiting:
            sending.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def _put(
    api: Operations, url: str, headers: dict[str, str], file: LocalFile, offset: int, length: int
) -> str:
    """The ETag that storage gave. A part that did not arrive whole is sent again."""
    content = await asyncio.to_thread(file.read, offset, length)
    for tries in range(TRIES_MAX):
        try:
            answer = await api.http.put(httpx.URL(api.url).join(url), content=content, headers=headers)
        except httpx.TransportError as error:
            if tries == TRIES_MAX - 1:
                raise unreachable(api.url, error) from error
        else:
            if answer.is_success and answer.headers.get("etag"):
                return str(answer.headers["etag"])
            if answer.status_code < 500 or tries == TRIES_MAX - 1:
                raise ServiceError(
                    "UNAVAILABLE",
                    f"Storage refused a part of {file.path.name} ({answer.status_code}). Try again.",
                )
        await pause(tries)
    raise AssertionError("the last try returns or raises")


async def download(api: Operations, artifact: ArtifactFields, target: Path) -> AsyncIterator[int]:
    """Yields the bytes that are there so far. `target` is whole, with the right checksum, or absent.

    An existing `target` is replaced at the end. What a broken download left beside it (`.part`) is not read again.
    """
    beside = target.with_name(f"{target.name}.{artifact.id}.part")
    for tries in range(TRIES_MAX):
        try:
            async for arrived in _rest(api, artifact.download_url, beside):
                yield arrived
            break
        except httpx.TransportError as error:
            if tries == TRIES_MAX - 1:
                raise unreachable(api.url, error) from error
            await pause(tries)
    if artifact.sha_256 and await asyncio.to_thread(_sha256, beside) != artifact.sha_256:
        beside.unlink()
        raise Broken(f"{target.name} did not arrive as it is kept by the service. Download it again.")
    beside.replace(target)


async def _rest(api: Operations, url: str, beside: Path) -> AsyncIterator[int]:
    arrived = await asyncio.to_thread(_size, beside)
    headers = {"range": f"bytes={arrived}-"} if arrived else {}
    async with api.http.stream("GET", httpx.URL(api.url).join(url), headers=headers) as answer:
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return
        if not answer.is_success:
            raise ServiceError(
                "NOT_FOUND", f"The file can't be had ({answer.status_code}). Ask for the job again."
            )
        whole = answer.status_code != httpx.codes.PARTIAL_CONTENT
        arrived = 0 if whole else arrived
        with beside.open("wb" if whole else "ab") as file:
            async for chunk in answer.aiter_bytes(CHUNK_BYTES):
                await asyncio.to_thread(file.write, chunk)
                arrived += len(chunk)
                yield arrived


def _offset(room: UploadFields, number: int) -> int:
    return (number - 1) * room.part_size_bytes


def _length(room: UploadFields, number: int) -> int:
    return min(room.part_size_bytes, room.size_bytes - _offset(room, number))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
