"""Uploads: a file in parts, in any order, in parallel, over days; then one dataset.

The protocol is that of S3's multipart uploads: a signed link a part, an ETag back, all ETags to complete. It is the
same for a bucket and for local disk, where the gateway itself takes the PUTs (`parts`).
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from tortoise.exceptions import IntegrityError
from tortoise.expressions import F
from tortoise.functions import Sum

from gateway import datasets, storage
from gateway.auth import Viewer
from gateway.errors import BadInput, Conflict, LimitExceeded, NotFound
from gateway.models import Dataset, Upload, UploadPart, UploadStatus, User, now
from gateway.parts import PartLink, PartStore, part_range
from gateway.settings import Settings
from gateway.storage import PartWriters
from gateway.transactions import atomically

__all__ = [
    "PartLink",
    "Upload",
    "UploadStatus",
    "abort",
    "complete",
    "create",
    "find",
    "part_links",
    "store_part",
    "sweep",
]

FILENAME_MAX: Final = 255
CONTENT_TYPE_MAX: Final = 100
STALLED_S: Final = 60.0
"""A part from which nothing comes for so long is given up; the client sends it again."""
_ROUND_BYTES: Final = 1024 * 1024


def part_size(size_bytes: int, *, usual_bytes: int, max_parts: int) -> int:
    """The usual size, or as many whole MiB as keep the file within `max_parts` parts."""
    if size_bytes <= usual_bytes * max_parts:
        return usual_bytes
    least = -(-size_bytes // max_parts)
    return -(-least // _ROUND_BYTES) * _ROUND_BYTES


def checked_range(upload: Upload, number: int) -> tuple[int, int]:
    """Offset and length of a part; BadInput for a number that the upload does not have."""
    if not 1 <= number <= upload.part_count:
        raise BadInput(
            f"There is no part {number}: the upload has parts 1 to {upload.part_count}.",
            field=["input", "partNumbers"],
        )
    return part_range(upload, number)


async def create(
    settings: Settings,
    parts: PartStore,
    viewer: Viewer,
    *,
    filename: str,
    size_bytes: int,
    content_type: str | None,
    idempotency_key: str | None,
) -> Upload:
    """Room for a file of exactly `size_bytes`. The same key and input again give the same upload."""
    filename = _checked_filename(filename)
    datasets.check_key(idempotency_key)
    _check_size(settings, size_bytes)
    if content_type is not None and len(content_type) > CONTENT_TYPE_MAX:
        raise BadInput("That is not a content type.", field=["input", "contentType"])
    given = datasets.fingerprint(
        {"filename": filename, "size_bytes": size_bytes, "content_type": content_type}
    )
    if idempotency_key and (known := await _by_key(viewer.id, idempotency_key, given)):
        return known
    await _check_quota(settings, viewer, size_bytes)
    size = part_size(size_bytes, usual_bytes=settings.upload_part_bytes, max_parts=settings.upload_max_parts)
    upload = Upload(
        owner_id=viewer.id,
        filename=filename,
        content_type=content_type,
        size_bytes=size_bytes,
        part_size_bytes=size,
        part_count=-(-size_bytes // size),
        expires_at=now() + timedelta(seconds=settings.upload_ttl_s),
        idempotency_key=idempotency_key,
        input_hash=given if idempotency_key else None,
    )
    await parts.begin(upload)

    async def keep() -> None:
        # Its own row, unchanged: whoever creates an upload at the same time waits, and counts this one, too.
        await User.filter(id=viewer.id).update(storage_quota_bytes=F("storage_quota_bytes"))
        await _check_quota(settings, viewer, size_bytes)
        await upload.save(force_create=True)

    try:
        await atomically(keep)
    except BaseException as error:
        await asyncio.shield(parts.remove(upload))
        if isinstance(error, IntegrityError) and idempotency_key:
            if known := await _by_key(viewer.id, idempotency_key, given):
                return known
        raise
    return upload


async def find(viewer: Viewer, upload_id: UUID) -> Upload:
    """The viewer's own upload; NotFound."""
    upload = await Upload.get_or_none(id=upload_id, owner_id=viewer.id)
    if upload is None:
        raise NotFound("There is no such upload.", field=["input", "uploadId"])
    return upload


async def part_links(
    settings: Settings, parts: PartStore, viewer: Viewer, upload_id: UUID, numbers: Sequence[int]
) -> list[PartLink]:
    """A link for each number, in their order. Signing again is cheap and changes nothing."""
    field = ["input", "partNumbers"]
    if len(numbers) > settings.upload_sign_max:
        raise LimitExceeded(
            f"At most {settings.upload_sign_max} parts can be signed at once.",
            field=field,
            limit="upload_sign_max",
        )
    upload = await find(viewer, upload_id)
    _check_receiving(upload)
    expires_at = min(now() + timedelta(seconds=settings.upload_url_ttl_s), upload.expires_at)
    for number in numbers:
        checked_range(upload, number)
    return await parts.links(upload, numbers, expires_at)


async def store_part(
    settings: Settings,
    writers: PartWriters,
    upload_id: UUID,
    number: int,
    *,
    body: AsyncIterator[bytes],
) -> str:
    """Takes the bytes of a part whose link was checked; returns its ETag. Sending a part again replaces it."""

    async def work() -> str:
        upload = await Upload.get_or_none(id=upload_id)
        if upload is None:
            raise NotFound("There is no such upload.")
        _check_receiving(upload)
        offset, length = checked_range(upload, number)
        await UploadPart.filter(upload_id=upload_id, number=number).delete()
        etag = await storage.write_part(
            settings, upload_id, offset=offset, size_bytes=length, body=_not_stalled(body)
        )
        await UploadPart.create(upload_id=upload_id, number=number, size_bytes=length, etag=etag)
        return etag

    return await writers.run(upload_id, number, work())


async def complete(
    parts: PartStore,
    viewer: Viewer,
    upload_id: UUID,
    *,
    etags: dict[int, str],
    dataset_name: str | None,
) -> Dataset:
    """The dataset of an upload whose every part is there. Again, or after a crash in mid-way: the same dataset."""
    upload = await find(viewer, upload_id)
    if upload.status is not UploadStatus.COMPLETED:
        _check_receiving(upload)
        if dataset_name is not None:
            datasets.checked_name(dataset_name, field="datasetName")
        async with parts.closed(upload_id):
            _check_parts(upload, await parts.etags(upload), etags)
            won = await Upload.filter(id=upload_id, status=UploadStatus.RECEIVING).update(
                status=UploadStatus.COMPLETED, finished_at=now()
            )
            if not won:
                _check_completed(await find(viewer, upload_id))
    if known := await Dataset.get_or_none(upload_id=upload_id):
        return known
    file = await parts.finish(upload)
    return await datasets.create_from_upload(viewer.user, upload, dataset_name, file=file)


async def abort(parts: PartStore, viewer: Viewer, upload_id: UUID) -> Upload:
    """Gives the room back. Aborting twice is no error; a completed upload is a Conflict."""
    upload = await find(viewer, upload_id)
    if upload.status is UploadStatus.RECEIVING and await _end(parts, upload, UploadStatus.ABORTED):
        return await find(viewer, upload_id)
    upload = await find(viewer, upload_id)
    if upload.status is UploadStatus.COMPLETED:
        raise Conflict("The upload is complete.", "Delete its dataset instead.", field=["input", "uploadId"])
    return upload


async def sweep(parts: PartStore) -> int:
    """Ends uploads whose time is over, and gives back the room; returns how many."""
    expired = await Upload.filter(status=UploadStatus.RECEIVING, expires_at__lte=now()).limit(1_000)
    ended = [await _end(parts, upload, UploadStatus.EXPIRED) for upload in expired]
    await parts.sweep()
    return sum(ended)


async def _not_stalled(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    chunks = aiter(body)
    while True:
        try:
            async with asyncio.timeout(STALLED_S):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise BadInput(f"Nothing came for {STALLED_S:.0f} s.", "Send the part again.") from None
        yield chunk


async def _end(parts: PartStore, upload: Upload, status: UploadStatus) -> bool:
    async def end() -> int:
        ended = await Upload.filter(id=upload.id, status=UploadStatus.RECEIVING).update(
            status=status, finished_at=now()
        )
        if ended:
            await UploadPart.filter(upload_id=upload.id).delete()
        return ended

    async with parts.closed(upload.id):
        if not await atomically(end):
            return False
        await parts.remove(upload)
    return True


def _check_parts(upload: Upload, held: dict[int, str], etags: dict[int, str]) -> None:
    field = ["input", "parts"]
    missing = [number for number in range(1, upload.part_count + 1) if number not in held]
    if missing:
        raise Conflict(
            f"{_parts(missing)} not received.", "Send what is missing, then complete.", field=field
        )
    unknown = sorted(etags.keys() - held.keys())
    if unknown:
        raise BadInput(f"{_parts(unknown)} not part of this upload.", field=field)
    unnamed = sorted(held.keys() - etags.keys())
    if unnamed:
        raise BadInput(f"{_parts(unnamed)} not named.", "Name every part with its ETag.", field=field)
    wrong = [number for number in sorted(held) if etags[number].strip('"').lower() != held[number]]
    if wrong:
        raise Conflict(f"{_parts(wrong)} stored with another ETag.", "Send it again.", field=field)


async def _check_quota(settings: Settings, viewer: Viewer, size_bytes: int) -> None:
    """LimitExceeded; only while the user's row is held does nothing come between this and the upload."""
    quota = viewer.user.storage_quota_bytes
    quota = settings.storage_quota_bytes if quota is None else quota
    receiving = Upload.filter(owner_id=viewer.id, status=UploadStatus.RECEIVING, expires_at__gt=now())
    if await receiving.count() >= settings.uploads_open_max:
        raise LimitExceeded(
            f"You have {settings.uploads_open_max} unfinished uploads.",
            "Complete or abort some of them.",
            limit="uploads_open_max",
        )
    kept = Dataset.filter(owner_id=viewer.id, upload_id__isnull=False, deleted_at=None)
    totals = [
        await query.annotate(total=Sum("size_bytes")).first().values("total") for query in (receiving, kept)
    ]
    used = sum((row or {}).get("total") or 0 for row in totals)
    if used + size_bytes > quota:
        raise LimitExceeded(
            f"Your uploads may have {quota:,} bytes; {used:,} are in use.",
            "Delete datasets that you no longer need.",
            field=["input", "sizeBytes"],
            limit="storage_quota_bytes",
        )


def _check_size(settings: Settings, size_bytes: int) -> None:
    field = ["input", "sizeBytes"]
    if size_bytes < 1:
        raise BadInput("The file is empty: there is nothing to upload.", field=field)
    if size_bytes > settings.upload_max_bytes:
        raise LimitExceeded(
            f"A file may have at most {settings.upload_max_bytes:,} bytes.",
            field=field,
            limit="upload_max_bytes",
        )


def _checked_filename(filename: str) -> str:
    """The last name of what may be a path; for display only."""
    name = filename.replace("\\", "/").rstrip("/").rpartition("/")[2].strip()
    if not 1 <= len(name) <= FILENAME_MAX or not name.isprintable():
        raise BadInput(
            f"A file name has 1 to {FILENAME_MAX} printable characters.", field=["input", "filename"]
        )
    return name


async def _by_key(owner_id: UUID, key: str, given: str) -> Upload | None:
    known = await Upload.get_or_none(owner_id=owner_id, idempotency_key=key)
    if known is not None and known.input_hash != given:
        raise Conflict(
            "This idempotency key was used for another upload.",
            "Use a new key for a new upload.",
            field=["input", "idempotencyKey"],
        )
    return known


def _check_receiving(upload: Upload) -> None:
    if upload.status is not UploadStatus.RECEIVING or upload.expires_at <= now():
        status = "expired" if upload.status is UploadStatus.RECEIVING else upload.status.lower()
        raise Conflict(f"The upload is {status}.", "Start a new one.", field=["input", "uploadId"])


def _check_completed(upload: Upload) -> None:
    if upload.status is not UploadStatus.COMPLETED:
        raise Conflict(
            f"The upload is {upload.status.lower()}.", "Start a new one.", field=["input", "uploadId"]
        )


def _parts(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:5])) + (", ..." if len(numbers) > 5 else "")
    return f"Part {shown} is" if len(numbers) == 1 else f"Parts {shown} are"
