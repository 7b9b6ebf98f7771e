"""Datasets: files that were looked at and can be read as a table. Rules only; files are inspected in `inspection`."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from tortoise.exceptions import IntegrityError
from tortoise.queryset import QuerySet

from gateway import local_files, object_files, planning
from gateway.auth import Viewer
from gateway.errors import BadInput, Conflict, NotFound
from gateway.models import (
    KEY_LENGTH,
    Dataset,
    DatasetStatus,
    FileFormat,
    JobSource,
    Role,
    Upload,
    User,
    now,
)
from gateway.paging import Page, newest_first
from gateway.parts import PartStore
from gateway.progress import FINAL_STATES
from gateway.settings import Settings
from gateway.transactions import atomically
from karyaksham_engine.types import Column, DialectOverrides, FileRef, Preview, Source

NAME_MAX: Final = 255
COLUMNS_MAX: Final = 10_000
SKIP_ROWS_MAX: Final = 1_000_000
DELIMITER_BYTES_MAX: Final = 8
_FORMATS: Final = {
    ".ndjson": FileFormat.NDJSON,
    ".jsonl": FileFormat.NDJSON,
    ".parquet": FileFormat.PARQUET,
    ".pq": FileFormat.PARQUET,
    ".arrow": FileFormat.ARROW,
    ".feather": FileFormat.ARROW,
}


@dataclass(frozen=True, slots=True)
class Reading:
    """How a user wants a file to be read; what is None is detected."""

    format: FileFormat | None = None
    dialect: DialectOverrides | None = None
    columns: tuple[Column, ...] | None = None


def may_see(viewer: Viewer, owner_id: UUID) -> bool:
    return viewer.user.role is Role.ADMIN or viewer.user.id == owner_id


def _visible(viewer: Viewer) -> QuerySet[Dataset]:
    query = Dataset.filter(deleted_at=None)
    return query if viewer.user.role is Role.ADMIN else query.filter(owner_id=viewer.user.id)


async def find(viewer: Viewer, dataset_id: UUID) -> Dataset | None:
    """The dataset, where the viewer may see it."""
    return await _visible(viewer).get_or_none(id=dataset_id)


async def page(viewer: Viewer, *, first: int, after: UUID | None, search: str | None) -> Page[Dataset]:
    query = _visible(viewer)
    if search:
        query = query.filter(name__icontains=search)
    return await newest_first(query, first=first, after=after)


async def register(
    viewer: Viewer,
    *,
    name: str,
    uri: str,
    reading: Reading,
    settings: Settings,
    idempotency_key: str | None,
) -> Dataset:
    """Files that are there already; they are inspected in the background. Raises BadInput, Conflict."""
    name = checked_name(name)
    check_reading(reading)
    check_key(idempotency_key)
    digest = fingerprint({"name": name, "uri": uri, "reading": _reading_row(reading)})
    if known := await _by_key(viewer.user.id, idempotency_key, digest):
        return known
    found = await files_of(uri, settings)
    try:
        return await Dataset.create(
            owner_id=viewer.user.id,
            name=name,
            uri=found.uri,
            files=list(found.files),
            file_count=len(found.files),
            size_bytes=found.size_bytes,
            format=reading.format or format_of_name(found.files[0]["path"]),
            idempotency_key=idempotency_key,
            input_hash=digest,
            **_reading_row(reading),
        )
    except IntegrityError:
        if known := await _by_key(viewer.user.id, idempotency_key, digest):
            return known
        raise


async def files_of(uri: str, settings: Settings) -> local_files.Found:
    """What is there now of a URI that may be read. Raises BadInput."""
    if object_files.is_object(uri):
        return await object_files.find(uri, settings)
    roots, private = settings.data_roots, settings.root
    return await asyncio.to_thread(local_files.find, uri, roots, private=private)


async def create_from_upload(owner: User, upload: Upload, name: str | None, *, file: FileRef) -> Dataset:
    """The dataset of a finished upload, whose bytes are `file`; the same one however often it is asked for."""
    if known := await Dataset.get_or_none(upload_id=upload.id):
        return known
    try:
        return await Dataset.create(
            owner_id=owner.id,
            upload_id=upload.id,
            name=checked_name(name or upload.filename, field="datasetName"),
            uri=f"upload://{upload.id}/{upload.filename}",
            files=[file],
            size_bytes=upload.size_bytes,
            format=format_of_name(upload.filename),
        )
    except IntegrityError:
        return await Dataset.get(upload_id=upload.id)


async def update(viewer: Viewer, dataset_id: UUID, *, name: str | None, reading: Reading) -> Dataset:
    """Another name, or another way to read it, which inspects it again. Jobs that were created keep theirs."""
    dataset = await find(viewer, dataset_id)
    if dataset is None:
        raise _not_found()
    changed: dict[str, Any] = {} if name is None else {"name": checked_name(name)}
    if reading != Reading():
        check_reading(reading)
        changed |= {key: value for key, value in _reading_row(reading).items() if value is not None}
        changed |= {
            "status": DatasetStatus.INSPECTING,
            "problem": None,
            "revision": dataset.revision + 1,
            "profile": None,
        }
    if changed:
        still = Dataset.filter(id=dataset_id, revision=dataset.revision, deleted_at=None)
        if not await still.update(updated_at=now(), **changed):
            raise Conflict("The dataset was changed or deleted at the same time.", "Load it again.")
    return await Dataset.get(id=dataset_id)


async def delete(viewer: Viewer, dataset_id: UUID, parts: PartStore) -> Dataset:
    """Forgets the dataset; registered files stay where they are. Raises NotFound, and Conflict while a job reads it."""

    async def work() -> None:
        deleted = await _visible(viewer).filter(id=dataset_id).update(deleted_at=now(), idempotency_key=None)
        if not deleted:
            raise _not_found()
        readers = JobSource.filter(dataset_id=dataset_id).filter(
            job__state__not_in=list(FINAL_STATES), job__deleted_at=None
        )
        if running := await readers.first().prefetch_related("job"):
            raise Conflict(
                f"The job “{running.job.name}” reads this dataset.", "Cancel it, or wait until it is done."
            )

    await atomically(work)
    dataset = await Dataset.get(id=dataset_id)
    if dataset.upload_id is not None:
        await parts.remove(await Upload.get(id=dataset.upload_id))
    return dataset


async def preview(settings: Settings, dataset: Dataset, limit: int) -> Preview:
    """The first rows; none before the dataset is READY."""
    if dataset.status is not DatasetStatus.READY:
        return Preview(columns=dataset.columns, rows=[], truncated=False, row_numbers=[], row_count=0)
    return await planning.preview(source(dataset, "input"), limit, storage=settings.objects)


def source(dataset: Dataset, alias: str) -> Source:
    """The dataset as compute reads it, under the table name `alias`."""
    return Source(
        name=alias,
        format=planning.engine_format(dataset.format),
        files=dataset.files,
        dialect=dataset.dialect,
        columns=dataset.columns,
    )


async def by_job(job_ids: Sequence[UUID]) -> list[list[Dataset]]:
    """The datasets of each job that are still there, in the order of its sources."""
    rows = (
        await JobSource.filter(job_id__in=list(job_ids), dataset__deleted_at=None)
        .order_by("position")
        .prefetch_related("dataset")
    )
    found: dict[UUID, list[Dataset]] = {job_id: [] for job_id in job_ids}
    for row in rows:
        found[row.job_id].append(row.dataset)
    return [found[job_id] for job_id in job_ids]


def format_of_name(name: str) -> FileFormat:
    """What the name suggests, until the file is inspected."""
    stem = Path(name).with_suffix("") if Path(name).suffix in (".gz", ".zst") else Path(name)
    return _FORMATS.get(stem.suffix.lower(), FileFormat.CSV)


def checked_name(name: str, field: str = "name") -> str:
    name = name.strip()
    if not name or len(name) > NAME_MAX or not name.isprintable():
        raise BadInput(
            f"A name has 1 to {NAME_MAX} printable characters.",
            "Choose another name.",
            field=["input", field],
        )
    return name


def check_reading(reading: Reading) -> None:
    """Raises BadInput for what no file could be read with; the rest shows when the file is inspected."""
    delimiter = (reading.dialect or {}).get("delimiter")
    if isinstance(delimiter, str) and not 1 <= len(delimiter.encode()) <= DELIMITER_BYTES_MAX:
        raise BadInput(
            f"delimiter takes 1 to {DELIMITER_BYTES_MAX} bytes, such as , or ||.",
            field=["input", "dialect", "delimiter"],
        )
    for key in ("quote", "escape", "comment"):
        value = (reading.dialect or {}).get(key)
        if isinstance(value, str) and len(value.encode()) != 1:
            raise BadInput(f"{key} takes one ASCII character.", field=["input", "dialect", key])
    skip_rows = (reading.dialect or {}).get("skip_rows", 0)
    if not 0 <= skip_rows <= SKIP_ROWS_MAX:
        raise BadInput(f"skipRows is from 0 to {SKIP_ROWS_MAX}.", field=["input", "dialect", "skipRows"])
    names = [column["name"] for column in reading.columns or ()]
    if len(names) > COLUMNS_MAX or len(set(names)) != len(names):
        raise BadInput(
            f"columns takes up to {COLUMNS_MAX:,} columns, each name once.", field=["input", "columns"]
        )


def fingerprint(values: dict[str, Any]) -> str:
    """Of an input, to tell whether an idempotency key is used for the same again."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def check_key(key: str | None) -> None:
    """Raises BadInput for an idempotency key that can't be kept."""
    if key is not None and not 1 <= len(key) <= KEY_LENGTH:
        raise BadInput(
            f"An idempotency key has 1 to {KEY_LENGTH} characters.", field=["input", "idempotencyKey"]
        )


async def _by_key(owner_id: UUID, key: str | None, digest: str) -> Dataset | None:
    known = await Dataset.get_or_none(owner_id=owner_id, idempotency_key=key) if key else None
    if known is not None and known.input_hash != digest:
        raise Conflict(
            "This idempotency key was used for another dataset.",
            "Use a new key for a new dataset.",
            field=["input", "idempotencyKey"],
        )
    return known


def _reading_row(reading: Reading) -> dict[str, Any]:
    return {
        "format_override": reading.format,
        "dialect_overrides": reading.dialect,
        "column_overrides": list(reading.columns)
        if reading.columns
        else None,  # [] goes back to what is detected
    }


def _not_found() -> NotFound:
    return NotFound("There is no such dataset.", field=["input", "datasetId"])


__all__ = [
    "Dataset",
    "DatasetStatus",
    "FileFormat",
    "Reading",
    "by_job",
    "create_from_upload",
    "delete",
    "files_of",
    "find",
    "page",
    "register",
    "source",
    "update",
]
