"""The Ray cluster: one of our own on this machine, or one to connect to."""

import atexit
import fcntl
import logging
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import karyaksham_engine as engine

from . import errors
from .errors import InfrastructureError

OBJECT_STORE_BYTES: Final = 256 << 20
"""Data goes through files; the object store carries only progress."""
LONGEST_TEMP_DIR: Final = 40
"""Ray puts sockets below it, and the path of a socket has at most 107 bytes."""
LEFTOVERS_TIMEOUT_S: Final = 10.0
PASSED_ON: Final = frozenset({"KARYAKSHAM_SIMD"})
"""Of our own settings, those that workers see."""
SECRET_WORDS: Final = (
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "TOKEN",
    "CREDENTIAL",
    "PRIVATE_KEY",
    "API_KEY",
    "ACCESS_KEY",
)
SECRET_NAMES: Final = frozenset({"DATABASE_URL", "REDIS_URL"})


@dataclass(frozen=True, slots=True)
class Node:
    name: str
    alive: bool
    cpus: float
    cpus_used: float
    memory_bytes: int
    memory_used_bytes: int


class Cluster:
    """A connection to Ray. One a process."""

    def __init__(self, dashboard_url: str | None, close: Callable[[], None]) -> None:
        self.dashboard_url = dashboard_url
        self._close: Callable[[], None] | None = close

    def nodes(self) -> list[Node]:
        """The machines of the cluster as Ray knows them now."""
        import ray

        used = ray._private.state.available_resources_per_node()
        return [_node(entry, used.get(entry["NodeID"], {})) for entry in ray.nodes()]

    def running_tasks(self) -> int:
        """Cores that are at work, which is how many tasks run."""
        return round(sum(node.cpus_used for node in self.nodes() if node.alive))

    def shutdown(self) -> None:
        """Disconnect; a cluster of our own ends with all its processes. Idempotent."""
        close, self._close = self._close, None
        if close is not None:
            atexit.unregister(self.shutdown)
            close()


def connect(
    address: str | None,
    *,
    temp_dir: str | None = None,
    dashboard: bool = True,
    num_cpus: int | None = None,
) -> Cluster:
    """Connect to the cluster at `address`, or start one on this machine, which takes about 7 seconds.

    `temp_dir` belongs to the local cluster alone: what a killed process left there is ended and removed first.
    Signal handlers stay as they are. May be called on any thread. Raises InfrastructureError.
    """
    if (ray := sys.modules.get("ray")) is not None and ray.is_initialized():
        raise InfrastructureError("RAY_ALREADY_CONNECTED", "This process is connected to Ray already.")
    home = None if address is not None else _Home.claim(temp_dir)
    keeper = _Keeper()
    try:
        with _worker_environment():
            url = keeper.start(lambda: _init(address, home, dashboard, num_cpus))
    except Exception as error:
        keeper.stop()
        if home is not None:
            home.leave()
        raise InfrastructureError(
            "RAY_UNAVAILABLE",
            "Ray could not be started." if address is None else "The Ray cluster can't be reached.",
            "Look at the log of the service for the reason.",
        ) from error

    def close() -> None:
        keeper.stop()
        if home is not None:
            home.leave()

    cluster = Cluster(url, close)
    atexit.register(cluster.shutdown)
    return cluster


def _init(address: str | None, home: "_Home | None", dashboard: bool, num_cpus: int | None) -> str | None:
    import ray

    logging.getLogger("ray").setLevel(logging.ERROR)
    options: dict[str, Any] = {"logging_level": "error", "log_to_driver": False, "configure_logging": False}
    if home is None:
        context = ray.init(address=address, **options)
    else:
        _keep_token_private()
        context = ray.init(
            address="local",
            num_cpus=num_cpus,
            object_store_memory=OBJECT_STORE_BYTES,
            include_dashboard=dashboard,
            dashboard_host="127.0.0.1",
            _temp_dir=str(home.folder),
            **options,
        )
        home.folder.chmod(0o700)  # Ray opens it to everyone.
        _keep_token_private()
    url = context.dashboard_url
    return f"http://{url}" if url and dashboard else None


class _Keeper:
    """The thread that starts Ray and stays.

    Ray's processes get the signal of their parent's death when the thread that started them ends, not the process;
    and a thread that is not the main one can't have its signal handlers replaced.
    """

    def __init__(self) -> None:
        self._leave = threading.Event()
        self._started = threading.Event()
        self._error: BaseException | None = None
        self._url: str | None = None
        self._thread: threading.Thread | None = None

    def start(self, init: Callable[[], str | None]) -> str | None:
        def keep() -> None:
            try:
                self._url = init()
            except BaseException as error:  # Handed to the thread that waits.
                self._error = error
            self._started.set()
            self._leave.wait()

        self._thread = threading.Thread(target=keep, name="karyaksham-ray", daemon=True)
        self._thread.start()
        self._started.wait()
        if self._error is not None:
            raise self._error
        return self._url

    def stop(self) -> None:
        with suppress(ImportError):
            import ray

            ray.shutdown()
        self._leave.set()
        if self._thread is not None:
            self._thread.join()


@dataclass(slots=True)
class _Home:
    """The folder of a local cluster, held by a lock that ends with this process."""

    folder: Path
    lock: int
    passing: bool
    """It is removed when the cluster ends."""

    @staticmethod
    def claim(temp_dir: str | None) -> "_Home":
        folder = _short(temp_dir) if temp_dir is not None else Path(tempfile.mkdtemp(prefix="kk-"))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            raise InfrastructureError("RAY_FOLDER_NOT_OURS", "The folder for Ray belongs to another user.")
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise InfrastructureError(
                "RAY_FOLDER_IN_USE",
                "Another Karyaksham on this machine uses the same folder for Ray.",
                "Stop it, or give this one a data folder of its own.",
            ) from None
        home = _Home(folder, lock, passing=temp_dir is None or folder != Path(temp_dir).absolute())
        home.clear()
        return home

    def clear(self) -> None:
        """End the processes and remove the files of a cluster whose driver was killed.

        Ray's own processes die with their driver, but its agents only a minute or so later, and workers
        at their next breath.
        """
        deadline = time.monotonic() + LEFTOVERS_TIMEOUT_S
        while time.monotonic() < deadline and (leftover := list(_holders(self.folder))):
            for pid in leftover:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            threading.Event().wait(0.05)
        for entry in self.folder.iterdir():
            if entry.is_symlink():
                entry.unlink()
            elif entry.name.startswith("session_"):
                shutil.rmtree(entry, ignore_errors=True)

    def leave(self) -> None:
        self.clear()
        if self.passing:
            shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self.lock)


def _short(temp_dir: str) -> Path:
    """The folder itself, or where its path is too long for Ray, always the same short one instead."""
    folder = Path(temp_dir).absolute()
    if len(str(folder)) <= LONGEST_TEMP_DIR:
        return folder
    name = blake2b(str(folder).encode(), digest_size=6).hexdigest()
    return Path(tempfile.gettempdir(), f"kk-{os.getuid()}-{name}")


def _holders(folder: Path) -> Iterator[int]:
    """Processes, but this one, that hold a file below `folder` open: each of Ray's holds its log."""
    inside = f"{folder.resolve()}/session_"
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        with suppress(OSError):
            if any(os.readlink(handle).startswith(inside) for handle in (process / "fd").iterdir()):
                yield int(process.name)


@contextmanager
def _worker_environment() -> Iterator[None]:
    """While Ray starts, make the environment what its workers may inherit: our code on their path, and no secrets."""
    before = dict(os.environ)
    for name in before:
        if _is_secret(name):
            del os.environ[name]
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [*_code_folders(), *before.get("PYTHONPATH", "").split(os.pathsep)]
    )
    try:
        yield
    finally:
        for name in ("RAY_USAGE_STATS_ENABLED", "PYTHONPATH"):
            os.environ.pop(name, None)
        os.environ.update(before)


def _code_folders() -> list[str]:
    """Where our packages are, which need not be where Python looks by itself."""
    return sorted({str(Path(module.__file__ or "").resolve().parents[1]) for module in (engine, errors)})


def _is_secret(name: str) -> bool:
    upper = name.upper()
    if upper.startswith("RAY_"):
        return False
    if upper.startswith("KARYAKSHAM_"):
        return upper not in PASSED_ON
    return upper in SECRET_NAMES or any(word in upper for word in SECRET_WORDS)


def _keep_token_private() -> None:
    """Ray writes the token of its clusters for everyone on the machine to read."""
    token = Path.home() / ".ray" / "auth_token"
    token.parent.mkdir(mode=0o700, exist_ok=True)
    with suppress(FileNotFoundError):
        token.chmod(0o600)


def _node(entry: dict[str, Any], free: dict[str, float]) -> Node:
    total = entry["Resources"] if entry["Alive"] else {}
    cpus, memory = total.get("CPU", 0.0), int(total.get("memory", 0))
    return Node(
        name=entry["NodeManagerHostname"],
        alive=entry["Alive"],
        cpus=cpus,
        cpus_used=max(0.0, cpus - free.get("CPU", 0.0)) if entry["Alive"] else 0.0,
        memory_bytes=memory,
        memory_used_bytes=max(0, memory - int(free.get("memory", 0))) if entry["Alive"] else 0,
    )
