"""Uploads straight into a bucket: the client PUTs parts by presigned links, and the bucket knows what it holds.

The gateway keeps only the id of the multipart upload. A part is listed when it is whole, so a client that comes back
after days sends what is missing, and an upload can be completed by any gateway process.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from gateway import storage
from gateway.bucket import Bucket, Object, Part
from gateway.errors import Conflict, NotFound
from gateway.models import Upload, UploadStatus, now
from gateway.parts import ORPHAN_S, PartLink, kept, part_range
from karyaksham_engine.types import FileRef

FOLDER: Final = "uploads"
LISTED_AT_ONCE: Final = 8
"""Uploads whose parts are asked for at the same time."""
SIGNED_AT_ONCE: Final = 50
"""Then the event loop gets a turn."""


class BucketParts:
    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._listing = asyncio.Semaphore(LISTED_AT_ONCE)

    async def begin(self, upload: Upload) -> None:
        upload.multipart_id = await self._bucket.begin(_key(upload))

    async def links(self, upload: Upload, numbers: Sequence[int], expires_at: datetime) -> list[PartLink]:
        links = []
        for count, number in enumerate(numbers):
            _, length = part_range(upload, number)
            lasts_s = max(1, int((expires_at - now()).total_seconds()))
            url = await self._bucket.part_link(
                _key(upload), _id(upload), number, size_bytes=length, lasts_s=lasts_s
            )
            links.append(PartLink(number, url, length, expires_at))
            if count % SIGNED_AT_ONCE == SIGNED_AT_ONCE - 1:
                await asyncio.sleep(0)
        return links

    async def etags(self, upload: Upload) -> dict[int, str]:
        return {part.number: part.etag for part in await self._parts(upload)}

    async def received(self, upload_ids: Sequence[UUID]) -> list[list[int]]:
        rows = {row.id: row for row in await Upload.filter(id__in=list(upload_ids))}

        async def numbers(upload_id: UUID) -> list[int]:
            upload = rows.get(upload_id)
            if upload is None or upload.status is not UploadStatus.RECEIVING:
                return []
            async with self._listing:
                try:
                    return [part.number for part in await self._parts(upload)]
                except NotFound:
                    return []

        return await asyncio.gather(*map(numbers, upload_ids))

    @asynccontextmanager
    async def closed(self, upload_id: UUID) -> AsyncIterator[None]:
        yield  # Parts do not pass here; those that come later are not part of the file.

    async def finish(self, upload: Upload) -> FileRef:
        found = await self._whole(upload)
        if found is None:
            # Gone, when another process has just completed it.
            with contextlib.suppress(NotFound):
                await self._bucket.complete(_key(upload), _id(upload), await self._parts(upload))
            found = await self._whole(upload)
        if found is None or found.size_bytes != upload.size_bytes:
            raise Conflict("The stored file does not have the upload's size.", "Upload it again.")
        return FileRef(
            path=self._bucket.uri(_key(upload)),
            size_bytes=found.size_bytes,
            etag=found.etag,
            name=upload.filename,
        )

    async def remove(self, upload: Upload) -> None:
        if upload.multipart_id is not None:
            await self._bucket.abort(_key(upload), upload.multipart_id)
            await self._bucket.remove(_key(upload))

    async def sweep(self) -> None:
        before = now() - timedelta(seconds=ORPHAN_S)
        begun = await self._bucket.begun_before(FOLDER, before)
        objects = [key for key, _, changed in await self._bucket.keys(FOLDER) if changed < before]
        ids = {key: id for key in (*objects, *(key for key, _ in begun)) if (id := _upload_id(key))}
        wanted = await kept(list(ids.values())) if ids else set()
        for key, multipart_id in begun:
            if key in ids and ids[key] not in wanted:
                await self._bucket.abort(key, multipart_id)
        for key in objects:
            if key in ids and ids[key] not in wanted:
                await self._bucket.remove(key)

    async def _parts(self, upload: Upload) -> list[Part]:
        """Those that are as long as they should be."""
        found = await self._bucket.parts(_key(upload), _id(upload))
        return [
            part
            for part in found
            if part.number <= upload.part_count and part.size_bytes == part_range(upload, part.number)[1]
        ]

    async def _whole(self, upload: Upload) -> Object | None:
        try:
            return await self._bucket.find(_key(upload))
        except NotFound:
            return None


def _key(upload: Upload) -> str:
    return f"{FOLDER}/{upload.id}/data{storage.suffix(upload.filename)}"


def _id(upload: Upload) -> str:
    if upload.multipart_id is None:
        raise Conflict("The upload was begun on another storage.", "Abort it, and upload the file again.")
    return upload.multipart_id


def _upload_id(key: str) -> UUID | None:
    """Whose object it is; None for what is not ours."""
    try:
        return UUID(key.split("/")[1])
    except (IndexError, ValueError):
        return None
