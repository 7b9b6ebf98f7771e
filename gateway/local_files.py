"""Which local files a URI stands for, and whether they may be read: only regular files under a data root.

A path is judged by where it ends after all links, so a link that leads out of the roots is refused. What lies
outside and what is missing there look the same.
"""

import glob
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

from gateway.errors import BadInput
from gateway.planning import FILES_MAX, expand, partition_of
from karyaksham_engine.types import FileRef

URI_FIELD: Final = ("input", "uri")

_URI: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/]*)(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Found:
    uri: str
    """file:///..., as it is kept and shown."""
    files: tuple[FileRef, ...]

    @property
    def size_bytes(self) -> int:
        return sum(file["size_bytes"] for file in self.files)


def find(uri: str, roots: Sequence[Path], *, private: Path) -> Found:
    """The files of `uri`: a file:// URI or a path, absolute or within a root; a folder is
    all files in it; `*`, `?` and `[...]` match names, `**` folders.

    `private` is the service's own folder: nothing under it may be read, even where a root contains it.
    Raises BadInput. Blocks: call it in a thread.
    """
    if not roots:
        raise _refused(
            "This server may not read local files: no data root is configured.", "Upload the file instead."
        )
    given = _path_of(uri)
    real_roots = [Path(os.path.realpath(root)) for root in roots]
    allowed = [*real_roots, *(Path(os.path.abspath(root)) for root in roots)]
    candidates = [os.path.normpath(root / given) for root in real_roots]
    inside = [
        path for path in dict.fromkeys(candidates) if any(Path(path).is_relative_to(root) for root in allowed)
    ]
    if not inside:
        raise _refused(
            "The path is not under a folder that this server may read.",
            "Ask an administrator for the data roots, or upload the file.",
        )
    for path in inside:
        if os.path.isdir(path):
            _check_place(path, real_roots, private)  # Before it is walked.
        if matches := _matches(path):
            files = tuple(_admit(match, real_roots, private) for match in matches)
            common = os.path.commonpath([os.path.dirname(match) for match in matches])
            for file, match in zip(files, matches, strict=True):
                if len(files) > 1:
                    file["name"] = os.path.relpath(match, common)
                if partition := partition_of(os.path.dirname(match)):
                    file["partition"] = partition
            return Found(uri="file://" + quote(path, safe="/*?[]"), files=files)
    raise _refused(f"There is no file {given!r} here.", "Check the path; names are case-sensitive.")


def _path_of(uri: str) -> str:
    if not uri.strip() or "\x00" in uri:
        raise _refused("The path is empty or holds a NUL character.", "Give the path of a file.")
    match = _URI.fullmatch(uri)
    if match is None:
        return uri
    scheme, host, path = match.groups()
    if scheme.lower() != "file":
        raise _refused(
            f"Files at {scheme}:// can't be registered here.", "Upload the file, or give a local path."
        )
    if host not in ("", "localhost"):
        raise _refused("A file:// URI must have no host.", "Write file:///folder/file.csv.")
    return unquote(path)


def _matches(path: str) -> list[str]:
    found = expand(path) if glob.has_magic(path) or os.path.lexists(path) else []
    if len(found) > FILES_MAX:
        raise _refused(f"These are more than {FILES_MAX} files.", "Make the pattern narrower.")
    return found


def _check_place(path: str, real_roots: Sequence[Path], private: Path) -> Path:
    """Where a path leads, which must be under a root."""
    real = Path(os.path.realpath(path))
    inside = any(real.is_relative_to(root) for root in real_roots)
    if not inside or real.is_relative_to(os.path.realpath(private)):
        raise _refused(
            f"{os.path.basename(path)} leads out of the folders that this server may read.",
            "Links must stay within a data root.",
        )
    return real


def _admit(path: str, real_roots: Sequence[Path], private: Path) -> FileRef:
    real = _check_place(path, real_roots, private)
    name = os.path.basename(path)
    try:
        status = real.stat()
    except OSError:
        raise _refused(f"There is no file {name!r} here.", "A link may point at nothing.") from None
    if stat.S_ISDIR(status.st_mode):
        raise _refused(f"{name} is a folder.", "Give a file, or a pattern such as folder/*.csv.")
    if not stat.S_ISREG(status.st_mode):
        raise _refused(f"{name} is not a regular file.", "Devices and pipes can't be registered.")
    if not os.access(real, os.R_OK):
        raise _refused(f"{name} can't be read by this server.", "Check the file's permissions.")
    return {"path": str(real), "size_bytes": status.st_size}


def _refused(message: str, hint: str) -> BadInput:
    return BadInput(message, hint, field=URI_FIELD)
