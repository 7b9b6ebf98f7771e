"""A real PostgreSQL for tests: one server on a socket in a temporary folder, and a database for each who asks.

Databases are copies of a template that the migrations made once, which takes a twentieth of the time.
"""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("initdb", "pg_ctl", "createdb")
TIMEOUT_S = 60
SECRET = "x" * 40
"""A service that is not on SQLite makes no secret of its own."""


@dataclass
class Postgres:
    """A server that runs."""

    programs: Path
    socket_dir: str
    _template: str | None = None

    def url(self, name: str) -> str:
        return f"postgres://karyaksham@/{name}?host={self.socket_dir}"

    def empty(self) -> str:
        """The URL of a new database without a table."""
        return self.url(self._create("template1"))

    def migrated(self) -> str:
        """The URL of a new database with all tables."""
        if self._template is None:
            made = self._create("template1")
            with tempfile.TemporaryDirectory() as folder:
                environment = os.environ | {
                    "KARYAKSHAM_DATABASE_URL": self.url(made),
                    "KARYAKSHAM_SECRET_KEY": SECRET,
                    "KARYAKSHAM_DATA_DIR": folder,
                }
                _run([sys.executable, "-m", "gateway", "migrate"], environment)
            self._template = made
        return self.url(self._create(self._template))

    def _create(self, template: str) -> str:
        name = f"test_{secrets.token_hex(6)}"
        where = ["--host", self.socket_dir, "--username", "karyaksham", "--maintenance-db", "postgres"]
        _run([str(self.programs / "createdb"), *where, "--template", template, name])
        return name


@contextmanager
def running() -> Iterator[Postgres]:
    """For as long as the block lasts; all of it is gone at the end."""
    folder = _programs()
    assert folder is not None, (
        "PostgreSQL's server programs are missing; deploy/debian-packages.sh installs them"
    )
    # It refuses to run as root.
    as_user = (
        ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
    )
    with tempfile.TemporaryDirectory(dir="/tmp") as made:
        if as_user:
            shutil.chown(made, "postgres", "postgres")

        def run(program: str, *arguments: str) -> None:
            _run([*as_user, str(folder / program), "-D", f"{made}/data", *arguments])

        run("initdb", "-U", "karyaksham", "-A", "trust", "--no-sync", "-E", "UTF8")
        options = (
            f"-k {made} -c listen_addresses= -c fsync=off -c full_page_writes=off -c max_connections=300"
        )
        run("pg_ctl", "start", "-w", "-l", f"{made}/log", "-o", options)
        try:
            yield Postgres(folder, made)
        finally:
            run("pg_ctl", "stop", "-m", "immediate")


def _run(command: list[str], environment: Mapping[str, str] | None = None) -> None:
    # Nothing is captured: the server would hold the pipe for as long as it lives.
    quiet = subprocess.DEVNULL
    subprocess.run(command, check=True, stdout=quiet, stderr=quiet, timeout=TIMEOUT_S, env=environment)


def _programs() -> Path | None:
    """The folder of the server's programs, where it is installed; Debian keeps them off the PATH."""
    folders = [Path(found).parent for program in PROGRAMS if (found := shutil.which(program))]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if all((folder / name).exists() for name in PROGRAMS)), None)
