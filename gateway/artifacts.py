"""What jobs leave behind: looked up and previewed. `downloads` hands it out."""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from gateway import planning
from gateway.auth import Viewer
from gateway.models import Artifact, ArtifactKind, FileFormat, Job, Role
from gateway.settings import Settings
from gateway.storage import artifact_path
from karyaksham_engine.errors import SourceError
from karyaksham_engine.types import Column, FileRef, Preview, Source

__all__ = ["Artifact", "ArtifactKind", "by_job", "find", "preview"]

_NESTED_IN_TEXT: Final = frozenset(
    ("List", "Struct", "Int64", "Float64", "Utf8", "Boolean", "Date32", "Timestamp", "us", "UTC")
)
"""Of these NDJSON makes lists and structs; others are shown as text."""


async def by_job(job_ids: Sequence[UUID]) -> list[list[Artifact]]:
    """The artifacts of each job, the output first; for a loader."""
    found: dict[UUID, list[Artifact]] = {job_id: [] for job_id in job_ids}
    for artifact in await Artifact.filter(job_id__in=list(job_ids)).order_by("id"):
        found[artifact.job_id].append(artifact)
    return [found[job_id] for job_id in job_ids]


async def find(viewer: Viewer, artifact_id: UUID) -> Artifact | None:
    """The artifact, where the viewer may see its job."""
    query = Artifact.filter(id=artifact_id, job__deleted_at=None)
    if viewer.user.role is not Role.ADMIN:
        query = query.filter(job__owner_id=viewer.user.id)
    return await query.first()


async def preview(settings: Settings, artifact: Artifact, limit: int) -> Preview | None:
    """The first rows; None for what can't be read as a table."""
    if not artifact.format:
        return None
    files = await asyncio.to_thread(_files, artifact_path(settings, artifact.path))
    output: dict[str, Any] = {}
    if artifact.kind is ArtifactKind.OUTPUT:
        output = (await Job.get(id=artifact.job_id)).spec["output"]
    folders = output.get("partition_by", [])
    columns = sorted(artifact.columns, key=lambda column: column["name"] in folders)
    source = Source(
        name="output",
        format=planning.engine_format(artifact.format),
        files=files,
        dialect=planning.written_dialect(
            output.get("delimiter", ","),
            has_header=output.get("header", True),
            compression=output.get("compression"),
        )
        if artifact.format in (FileFormat.CSV, FileFormat.NDJSON)
        else None,
        columns=_as_text(columns, artifact.format)
        if artifact.format in (FileFormat.CSV, FileFormat.NDJSON)
        else columns,
    )
    try:
        return await planning.preview(source, limit)
    except SourceError as error:
        if error.code == "UNSUPPORTED_FORMAT":
            return None
        raise


def _as_text(columns: list[Column], format: FileFormat) -> list[Column]:
    """The columns as a text file of them is read: a result has more types than text."""
    return [
        Column(name=column["name"], type=_type_in_text(column["type"], format), nullable=True)
        for column in columns
    ]


def _type_in_text(type: str, format: FileFormat) -> str:
    if format is FileFormat.NDJSON and type.startswith(("List(", "Struct(")):
        words = set(re.findall(r"[A-Za-z]\w*", re.sub(r'"(?:[^"\\]|\\.)*"', "", type)))
        return type if words <= _NESTED_IN_TEXT else "Utf8"
    if type in ("Int8", "Int16", "Int32", "UInt8", "UInt16", "UInt32"):
        return "Int64"
    if type == "UInt64":
        return "Decimal128(38, 0)"
    if decimal := re.fullmatch(r"Decimal128\((\d+), (-?\d+)\)", type):
        return f"Decimal128({18 if int(decimal[1]) <= 18 else 38}, {decimal[2]})"
    if type in ("Float16", "Float32"):
        return "Float64"
    exact = ("Int64", "Float64", "Date32", "Boolean", "Timestamp(us)", "Timestamp(us, UTC)")
    return type if type in exact else "Utf8"


def _files(path: Path) -> list[FileRef]:
    """The file, or the parts of a folder in their order."""
    if path.is_dir():
        return planning.files_in(path)
    return [FileRef(path=str(path), size_bytes=path.stat().st_size)]
