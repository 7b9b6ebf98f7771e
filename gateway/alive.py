"""Which dispatchers of one machine live: each holds a lock on a file of its name, which ends with its process.

For SQLite, whose users are all on one machine: after a `kill -9` its jobs need not wait until a lease runs out. On
PostgreSQL dispatchers are anywhere, and only the lease tells.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path


class Sign:
    """That this process lives, for as long as it does or until `take_down`."""

    def __init__(self, folder: Path, owner: str) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = _path(folder, owner)
        self._lock = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def take_down(self) -> None:
        """Once."""
        self._path.unlink(missing_ok=True)
        os.close(self._lock)


def is_alive(folder: Path, owner: str) -> bool:
    """Whether the process that called itself `owner` lives. The sign of a dead one is removed."""
    path = _path(folder, owner)
    try:
        lock = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    with suppress(FileNotFoundError):
        path.unlink()
    return False


def _path(folder: Path, owner: str) -> Path:
    return folder / owner.replace(os.sep, "_")
