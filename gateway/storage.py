"""Files on local disk: uploads while they arrive, and where results lie.

An upload is one file of its final size. A part is written at its own offset, so that completing moves no byte. Only
ids of ours make paths; a client's file name lends at most a suffix from a short list.
"""

import asyncio
import errno
import hashlib
import os
import shutil
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath
from typing import Final
from uuid import UUID

from gateway.errors import BadInput, Conflict, LimitExceeded, NotFound
from gateway.settings import Settings

WRITE_BYTES: Final = 1024 * 1024
"""Gathered before a thread hashes and writes it."""
_SUFFIXES: Final = frozenset(
    {".csv", ".tsv", ".txt", ".ndjson", ".jsonl", ".json", ".parquet", ".pq", ".arrow", ".feather"}
)
_COMPRESSIONS: Final = frozenset({".gz", ".zst", ".bz2", ".lz4", ".xz"})


def upload_file(settings: Settings, upload_id: UUID, filename: str) -> Path:
    """Where a whole upload lies."""
    return settings.uploads_dir / str(upload_id) / f"data{suffix(filename)}"


def create_upload_file(settings: Settings, upload_id: UUID, size_bytes: int) -> None:
    """A file of the final size without bytes in it yet. LimitExceeded when the disk has no room for them."""
    free = shutil.disk_usage(settings.uploads_dir).free
    if size_bytes + settings.disk_reserve_bytes > free:
        raise LimitExceeded(
            f"The server's disk has no room for {size_bytes:,} bytes.",
            "Delete what is not needed, or ask an administrator.",
            field=["input", "sizeBytes"],
            limit="disk_reserve_bytes",
        )
    partial = _partial(settings, upload_id)
    partial.parent.mkdir(mode=0o700, exist_ok=True)
    with partial.open("ab") as file:
        file.truncate(size_bytes)


def finish_upload_file(settings: Settings, upload_id: UUID, filename: str, size_bytes: int) -> Path:
    """Makes the upload's bytes durable and gives the file its last name; returns it. Again: the same."""
    whole, partial = upload_file(settings, upload_id, filename), _partial(settings, upload_id)
    if not whole.exists():
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.rename(whole)
        _sync_folder(whole.parent)
    if whole.stat().st_size != size_bytes:
        raise Conflict("The stored file does not have the upload's size.", "Upload it again.")
    return whole


def remove_upload_files(settings: Settings, upload_id: UUID) -> None:
    """All that lies there for an upload; nothing there is no error."""
    shutil.rmtree(settings.uploads_dir / str(upload_id), ignore_errors=True)


def uploads_older_than(settings: Settings, seconds: float) -> list[UUID]:
    """Ids of the uploads whose files have not changed for `seconds`."""
    before = time.time() - seconds
    return [UUID(folder.name) for folder in settings.uploads_dir.iterdir() if folder.stat().st_mtime < before]


def artifact_path(settings: Settings, path: str) -> Path:
    """Where an artifact lies: a file, or a folder of parts. NotFound when it is gone or outside of storage."""
    base = settings.jobs_dir.resolve()
    found = (base / path).resolve()
    if not found.is_relative_to(base) or not found.exists():
        raise NotFound("The file is no longer there.")
    return found


class PartWriters:
    """The parts that are being written now. Local disk means one gateway process, so this one knows them all."""

    def __init__(self) -> None:
        self._tasks: dict[UUID, dict[int, asyncio.Task[str]]] = {}
        self._closed: set[UUID] = set()

    async def run(self, upload_id: UUID, number: int, work: Coroutine[None, None, str]) -> str:
        """`work`, after an older one for the same part was stopped: whoever sends a part last wins."""
        task = asyncio.ensure_future(work)
        older = self._tasks.setdefault(upload_id, {}).get(number)
        self._tasks[upload_id][number] = task
        try:
            if upload_id in self._closed:
                raise Conflict("The upload is being completed.", "Send parts before completing.")
            if older is not None:
                await _stop({older})
            await asyncio.wait({task})
            if task.cancelled():
                raise Conflict("The part was sent anew, or the upload ended.", "Look at the upload again.")
            return task.result()
        finally:
            await _stop({task})
            if self._tasks[upload_id].get(number) is task:
                del self._tasks[upload_id][number]
            if not self._tasks[upload_id]:
                del self._tasks[upload_id]

    @asynccontextmanager
    async def closed(self, upload_id: UUID) -> AsyncIterator[None]:
        """No part of the upload is written while the block lasts; those under way are stopped first."""
        if upload_id in self._closed:
            raise Conflict("The upload is being completed already.", "Ask again in a moment.")
        self._closed.add(upload_id)
        try:
            await _stop(set(self._tasks.get(upload_id, {}).values()))
            yield
        finally:
            self._closed.discard(upload_id)


async def write_part(
    settings: Settings, upload_id: UUID, *, offset: int, size_bytes: int, body: AsyncIterator[bytes]
) -> str:
    """Writes a part's bytes where they belong, durably; returns their MD5, the ETag that S3 would give.

    BadInput when there are more or fewer than `size_bytes`: what is there then counts for nothing.
    """
    digest = hashlib.md5(usedforsecurity=False)
    descriptor = await asyncio.to_thread(os.open, _partial(settings, upload_id), os.O_WRONLY)
    writing: asyncio.Future[None] | None = None
    try:
        received, gathered = 0, bytearray()
        async for chunk in body:
            received += len(chunk)
            if received > size_bytes:
                break
            gathered += chunk
            if len(gathered) >= WRITE_BYTES:
                writing = await _next_write(writing, descriptor, digest, gathered, offset)
                offset, gathered = offset + len(gathered), bytearray()
        if received != size_bytes:
            raise BadInput(f"The part has {received:,} bytes or more, not {size_bytes:,}.", "Send it again.")
        writing = await _next_write(writing, descriptor, digest, gathered, offset)
        await writing
        await asyncio.to_thread(os.fdatasync, descriptor)
        return digest.hexdigest()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise LimitExceeded("The server's disk is full.", "Try again later.", limit="disk") from error
        raise
    finally:
        if writing is not None:
            await asyncio.wait({writing})
        os.close(descriptor)


async def _next_write(
    before: "asyncio.Future[None] | None",
    descriptor: int,
    digest: "hashlib._Hash",
    content: bytearray,
    offset: int,
) -> "asyncio.Future[None]":
    """Starts a write in a thread when the one before is done, so that the next bytes come in meanwhile."""
    if before is not None:
        await before
    loop = asyncio.get_running_loop()
    return loop.run_in_executor(None, _hash_and_write, descriptor, digest, content, offset)


def _hash_and_write(descriptor: int, digest: "hashlib._Hash", content: bytearray, offset: int) -> None:
    digest.update(content)
    rest = memoryview(content)
    while rest:
        written = os.pwrite(descriptor, rest, offset)
        rest, offset = rest[written:], offset + written


async def _stop(tasks: "set[asyncio.Task[str]]") -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


def _partial(settings: Settings, upload_id: UUID) -> Path:
    return settings.uploads_dir / str(upload_id) / "partial"


def suffix(filename: str) -> str:
    """What tells the format, and a compression after it; empty for all else."""
    suffixes = [suffix.lower() for suffix in PurePosixPath(filename).suffixes[-2:]]
    if suffixes and suffixes[-1] in _COMPRESSIONS:
        return "".join(suffixes) if suffixes[0] in _SUFFIXES else suffixes[-1]
    return suffixes[-1] if suffixes and suffixes[-1] in _SUFFIXES else ""


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
