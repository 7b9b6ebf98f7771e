"""A real Redis for tests, on a socket in a temporary folder: it may be killed and started again where it was."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

DEADLINE_S = 20.0
POLL_S = 0.02


@dataclass
class RedisServer:
    folder: str
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.folder}/redis.sock"

    def start(self) -> None:
        """Returns when it takes connections."""
        program = shutil.which("redis-server")
        assert program is not None, "redis-server is missing; deploy/debian-packages.sh installs it"
        command = [program, "--port", "0", "--unixsocket", "redis.sock", "--save", "", "--dir", self.folder]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, cwd=self.folder, stdout=quiet, stderr=quiet)
        deadline = time.monotonic() + DEADLINE_S
        while not Path(self.folder, "redis.sock").exists():
            assert self._process.poll() is None and time.monotonic() < deadline, "redis-server does not start"
            time.sleep(POLL_S)

    def kill(self) -> None:
        """At once; what it knew is gone."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(DEADLINE_S)
        Path(self.folder, "redis.sock").unlink(missing_ok=True)


@contextmanager
def running() -> Iterator[RedisServer]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        server = RedisServer(folder)
        server.start()
        try:
            yield server
        finally:
            server.kill()
