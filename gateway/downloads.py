"""Artifacts leave by signed links that need no other credentials."""

import tarfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import anyio

from gateway import signing, storage
from gateway.errors import NotFound
from gateway.models import Artifact, now
from gateway.settings import Settings

PURPOSE: Final = "download"
CHUNK_BYTES: Final = 1024 * 1024
_MEDIA_TYPES: Final = {
    "CSV": "text/csv; charset=utf-8",
    "NDJSON": "application/x-ndjson",
    "PARQUET": "application/vnd.apache.parquet",
    "ARROW": "application/vnd.apache.arrow.file",
}
_PACKED_TYPES: Final = {".gz": "application/gzip", ".zst": "application/zstd"}


@dataclass(frozen=True, slots=True)
class Download:
    """What a link gives: one file, or a folder of parts as one tar."""

    path: Path
    name: str
    media_type: str
    is_folder: bool


def link(settings: Settings, artifact_id: UUID) -> str:
    """Path and query of a link to an artifact; the address in front of it is the caller's."""
    expires_at = now() + timedelta(seconds=settings.download_url_ttl_s)
    query = signing.signed_query(settings.secret_key, PURPOSE, artifact_id, expires_at=expires_at)
    return f"/downloads/{artifact_id}?{query}"


async def find(settings: Settings, artifact_id: UUID, *, expires: str, signature: str) -> Download:
    """Forbidden for a link that is wrong or over; NotFound when the artifact is gone."""
    signing.check_signed(
        settings.secret_key, PURPOSE, artifact_id, expires=expires, signature=signature, at=now()
    )
    artifact = await Artifact.get_or_none(id=artifact_id, job__deleted_at=None)
    if artifact is None:
        raise NotFound("The file is no longer there.")
    path = storage.artifact_path(settings, artifact.path)
    if path.is_dir():
        return Download(path, f"{artifact.name}.tar", "application/x-tar", True)
    packed = _PACKED_TYPES.get(path.suffix)
    media_type = packed or _MEDIA_TYPES.get(artifact.format or "", "application/octet-stream")
    return Download(path, artifact.name, media_type, False)


def tar_size(folder: Path) -> int:
    """Of what `tar_stream` gives."""
    blocks = sum(1 + _blocks(path.stat().st_size) for path in _files(folder))
    return (blocks + 2) * tarfile.BLOCKSIZE


async def tar_stream(folder: Path) -> AsyncIterator[bytes]:
    """The files of a folder as a tar, read as they are sent."""
    for path in _files(folder):
        info = tarfile.TarInfo(path.relative_to(folder).as_posix())
        stat = path.stat()
        info.size, info.mtime, info.mode = stat.st_size, int(stat.st_mtime), 0o644
        yield info.tobuf(tarfile.GNU_FORMAT)
        async with await anyio.open_file(path, "rb") as file:
            while chunk := await file.read(CHUNK_BYTES):
                yield chunk
        yield b"\0" * (_blocks(stat.st_size) * tarfile.BLOCKSIZE - stat.st_size)
    yield b"\0" * (2 * tarfile.BLOCKSIZE)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _blocks(size_bytes: int) -> int:
    return -(-size_bytes // tarfile.BLOCKSIZE)
