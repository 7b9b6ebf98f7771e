"""The whole service as its keeper runs it: a process of its own, a real Ray, real files."""

import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.gateway.conftest import ERRORS, PASSWORD, SESSION, Api

START_DEADLINE_S = 60.0
STOP_DEADLINE_S = 30.0
POLL_S = 0.1
PART_BYTES = 1024 * 1024

REGISTER = f"mutation($input: RegisterInput!) {{ register(input: $input) {{ {SESSION} {ERRORS} }} }}"


@dataclass
class Process:
    """One life of the service."""

    popen: subprocess.Popen[bytes]
    url: str
    log: Path

    def kill(self) -> None:
        """kill -9 of the whole process group, without a word before."""
        os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait(STOP_DEADLINE_S)

    def stop(self) -> int:
        """As a keeper stops it; returns the exit status."""
        self.popen.terminate()
        return self.popen.wait(STOP_DEADLINE_S)

    async def member(self) -> Api:
        """A user who has just registered."""
        api = Api(self.url)
        email = f"{secrets.token_hex(6)}@example.org"
        session = await api.call(REGISTER, input={"email": email, "password": PASSWORD})
        assert session["errors"] == [], session
        api.token = session["session"]["accessToken"]
        return api

    async def admin(self) -> Api:
        """The administrator whose password the first start told."""
        shown = re.search(r"Sign in as (\S+) with the password (\S+)", self.log.read_text())
        assert shown is not None, self.log.read_text()
        api = Api(self.url)
        await api.sign_in(shown[1], shown[2])
        return api


class Keeper:
    """Starts the service on one data folder, as often as a test wants."""

    def __init__(self, folder: Path, *, dashboard: bool) -> None:
        self._dashboard = dashboard
        self.data_dir = folder / "data"
        self.roots = folder / "roots"
        self.roots.mkdir()
        self._log = folder / "service.log"
        self._lives: list[Process] = []

    def start(self) -> Process:
        """Returns when it is ready, Ray included."""
        environment = os.environ | {
            "KARYAKSHAM_DATA_ROOTS": str(self.roots),
            "KARYAKSHAM_BCRYPT_ROUNDS": "4",
            "KARYAKSHAM_UPLOAD_PART_BYTES": str(PART_BYTES),
            "KARYAKSHAM_DISK_RESERVE_BYTES": "0",
            "KARYAKSHAM_RAY_NUM_CPUS": "2",
            "KARYAKSHAM_RAY_DASHBOARD": str(int(self._dashboard)),
        }
        command = [sys.executable, "-m", "gateway", "serve", "--data-dir", str(self.data_dir), "--port", "0"]
        began = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            popen = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)
        life = Process(popen, "", self._log)
        self._lives.append(life)

        def address() -> str | None:
            assert popen.poll() is None, self._log.read_text()
            shown = re.search(r"Karyaksham is at (\S+)", self._log.read_text()[began:])
            return shown[1] if shown else None

        life.url = until(address, START_DEADLINE_S)
        until(lambda: httpx.get(f"{life.url}/readyz").status_code == 200, START_DEADLINE_S)
        return life

    def end(self) -> None:
        """Leaves nothing running."""
        for life in self._lives:
            if life.popen.poll() is None:
                life.stop()


def until(condition: Callable[[], Any], deadline_s: float) -> Any:
    """The first true value of `condition`, which is asked until the deadline."""
    deadline = time.monotonic() + deadline_s
    while not (value := condition()):
        assert time.monotonic() < deadline, "the deadline has passed"
        time.sleep(POLL_S)
    return value


@contextmanager
def keeping(folder: Path, *, dashboard: bool) -> Iterator[Keeper]:
    keeper = Keeper(folder, dashboard=dashboard)
    try:
        yield keeper
    finally:
        keeper.end()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Keeper, Process]]:
    """One service for all tests that let it live."""
    with keeping(tmp_path_factory.mktemp("system"), dashboard=True) as keeper:
        yield keeper, keeper.start()


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    """A data folder of its own, for a test that kills and starts."""
    with keeping(tmp_path, dashboard=False) as keeper:
        yield keeper
