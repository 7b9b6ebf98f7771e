"""Where the bytes of uploads go: the gateway's own disk, or a bucket (`bucket_parts`). `uploads` holds the rules."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from gateway import signing, storage
from gateway.models import Upload, UploadPart, UploadStatus
from gateway.settings import Settings
from gateway.storage import PartWriters
from karyaksham_engine.types import FileRef

PURPOSE: Final = "upload part"
ORPHAN_S: Final = 3600.0
"""What lies there without an upload, and is older than this, is left over from a crash."""


@dataclass(frozen=True, slots=True)
class PartLink:
    """Where one part goes with a PUT."""

    part_number: int
    url: str
    """A path of the gateway begins with a slash; the address in front of it is the caller's."""
    size_bytes: int
    expires_at: datetime


class PartStore(Protocol):
    """Parts in any order, then one whole file. Everything but `links` may be done twice."""

    async def begin(self, upload: Upload) -> None:
        """Makes room for an upload that is not in the database yet. LimitExceeded where there is none."""

    async def links(self, upload: Upload, numbers: Sequence[int], expires_at: datetime) -> list[PartLink]:
        """A link for each part, in that order: for this part, of its length, until then."""

    async def etags(self, upload: Upload) -> dict[int, str]:
        """Of the parts that are there whole."""

    async def received(self, upload_ids: Sequence[UUID]) -> list[list[int]]:
        """Numbers of the parts that are there, in order, for each upload; for a loader."""

    def closed(self, upload_id: UUID) -> AbstractAsyncContextManager[None]:
        """No part is taken through the gateway while the block lasts."""

    async def finish(self, upload: Upload) -> FileRef:
        """Makes one file of the parts. Conflict where that can't be."""

    async def remove(self, upload: Upload) -> None:
        """All that is there of an upload, whole or in parts."""

    async def sweep(self) -> None:
        """Removes what is there without an upload."""


def part_range(upload: Upload, number: int) -> tuple[int, int]:
    """Offset and length of a part that the upload has."""
    offset = (number - 1) * upload.part_size_bytes
    return offset, min(upload.part_size_bytes, upload.size_bytes - offset)


class DiskParts:
    """Parts come through the gateway, which knows from its database what is there."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.writers = PartWriters()

    async def begin(self, upload: Upload) -> None:
        await asyncio.to_thread(storage.create_upload_file, self._settings, upload.id, upload.size_bytes)

    async def links(self, upload: Upload, numbers: Sequence[int], expires_at: datetime) -> list[PartLink]:
        links = []
        for number in numbers:
            _, length = part_range(upload, number)
            secret = self._settings.secret_key
            query = signing.signed_query(secret, PURPOSE, upload.id, number, length, expires_at=expires_at)
            path = f"/uploads/{upload.id}/parts/{number}?length={length}&{query}"
            links.append(PartLink(number, path, length, expires_at))
        return links

    async def etags(self, upload: Upload) -> dict[int, str]:
        return {part.number: part.etag async for part in UploadPart.filter(upload_id=upload.id)}

    async def received(self, upload_ids: Sequence[UUID]) -> list[list[int]]:
        numbers: dict[UUID, list[int]] = {id: [] for id in upload_ids}
        parts = UploadPart.filter(upload_id__in=list(upload_ids)).order_by("number")
        for upload_id, number in await parts.values_list("upload_id", "number"):
            numbers[upload_id].append(number)
        return [numbers[id] for id in upload_ids]

    def closed(self, upload_id: UUID) -> AbstractAsyncContextManager[None]:
        return self.writers.closed(upload_id)

    async def finish(self, upload: Upload) -> FileRef:
        path = await asyncio.to_thread(
            storage.finish_upload_file, self._settings, upload.id, upload.filename, upload.size_bytes
        )
        return FileRef(path=str(path), size_bytes=upload.size_bytes, name=upload.filename)

    async def remove(self, upload: Upload) -> None:
        await asyncio.to_thread(storage.remove_upload_files, self._settings, upload.id)

    async def sweep(self) -> None:
        left = await asyncio.to_thread(storage.uploads_older_than, self._settings, ORPHAN_S)
        for upload_id in set(left) - await kept(left):
            await asyncio.to_thread(storage.remove_upload_files, self._settings, upload_id)


async def kept(upload_ids: Sequence[UUID]) -> set[UUID]:
    """Those whose bytes are still wanted."""
    wanted = Upload.filter(
        id__in=list(upload_ids), status__in=[UploadStatus.RECEIVING, UploadStatus.COMPLETED]
    )
    return {upload.id for upload in await wanted.only("id")}
