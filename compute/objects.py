"""Objects in storage as the files of a table: which ones a URI, a folder or a pattern stands for.

A URI is written as other tools write it, `s3://bucket/key` or `gs://bucket/key`, nothing escaped. A folder is what
keys have before a slash; patterns (`*`, `?`, `[...]`, `**`) match as they do for files.
"""

import re
from collections.abc import Sequence
from typing import Final

import karyaksham_engine as engine
from karyaksham_engine.errors import SourceError
from karyaksham_engine.types import ObjectInfo, StorageOptions

LISTED_MAX: Final = 200_000
"""Keys that are looked at for one pattern or folder."""

_MAGIC: Final = re.compile(r"[*?[]")
_PIECE: Final = re.compile(r"\*+|\?|\[!?\]?[^\]]*\]|.", re.DOTALL)


def is_object(path: str) -> bool:
    """Whether a path is a URI, not a local file."""
    return "://" in path


def expand(uri: str, storage: StorageOptions | None = None) -> list[ObjectInfo]:
    """The objects that a URI, a folder or a pattern stands for, as they are now; none where nothing is there.

    In folders, names that begin with `.` or `_` are left out, and the manifest of a folder that a job wrote. Raises
    SourceError: ACCESS_DENIED, INVALID_LOCATION, SOURCE_NOT_FOUND where there is no bucket; TransientIo.
    """
    if magic := _MAGIC.search(uri):
        folder = uri[: magic.start()].rpartition("/")[0]
        matches = _regex(uri[len(folder) + 1 :])
        return [found for found in _listed(folder, storage) if matches.fullmatch(_below(folder, found))]
    if _is_folder(uri):
        return _in_folder(uri.rstrip("/"), storage)
    try:
        return engine.stat_objects([uri], storage=storage)
    except SourceError as error:
        if error.code == "SOURCE_NOT_FOUND" and (inside := _in_folder(uri, storage)):
            return inside
        raise


def _is_folder(uri: str) -> bool:
    return uri.endswith("/") or "/" not in uri.partition("://")[2]


def _in_folder(folder: str, storage: StorageOptions | None) -> list[ObjectInfo]:
    everything = _listed(folder, storage)
    shown = [found for found in everything if not _is_hidden(_below(folder, found))]
    written_here = {
        found["path"].rpartition("/")[0] for found in everything if found["path"].endswith("/_SUCCESS")
    }
    return [
        found
        for found in shown
        if not found["path"].endswith("/manifest.json")
        or found["path"].rpartition("/")[0] not in written_here
    ]


def _listed(folder: str, storage: StorageOptions | None) -> Sequence[ObjectInfo]:
    listed = engine.list_objects(folder, limit=LISTED_MAX + 1, storage=storage)
    if len(listed) > LISTED_MAX:
        raise SourceError(
            "TOO_MANY_FILES",
            f"There are more than {LISTED_MAX:,} objects in {folder}.",
            "Name a folder further down.",
        )
    return listed


def _below(folder: str, found: ObjectInfo) -> str:
    return found["path"][len(folder.rstrip("/")) + 1 :]


def _is_hidden(key: str) -> bool:
    return any(part[:1] in (".", "_") for part in key.split("/"))


def _regex(pattern: str) -> re.Pattern[str]:
    """What matches the keys of a pattern, as `glob` matches files."""
    parts = pattern.split("/")
    regex = ""
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part == "**":
            regex += r"(?:[^/.][^/]*/)*" + (r"[^/.][^/]*" if last else "")
            continue
        regex += r"(?!\.)" if part[:1] in ("*", "?", "[") else ""
        regex += "".join(map(_piece, _PIECE.findall(part))) + ("" if last else "/")
    return re.compile(regex)


def _piece(piece: str) -> str:
    if piece.startswith("*"):
        return "[^/]*"
    if piece == "?":
        return "[^/]"
    if piece.startswith("[") and len(piece) > 1:
        inside = piece[1:-1].replace("\\", r"\\").replace("[", r"\[")
        return f"[^{inside[1:]}]" if inside.startswith("!") else f"[{inside}]"
    return re.escape(piece)
