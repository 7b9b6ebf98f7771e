"""A real PostgreSQL for tests: one server on a socket in a temporary folder.

The migrations are applied once; whoever asks for the tables later gets the same ones without a row.
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

PROGRAMS = ("initdb", "pg_ctl", "createdb", "psql")
TIMEOUT_S = 60
EMPTY = """DO $$ DECLARE name text; BEGIN
  -- All of it goes, so nobody need ask whether a row is still referred to.
  SET LOCAL session_replication_role TO replica;
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'aerich' LOOP
    EXECUTE format('DELETE FROM %I', name);
  END LOOP;
END $$"""
SECRET = "x" * 40
"""A service that is not on SQLite makes no secret of its own."""


@dataclass
class Postgres:
    """A server that runs."""

    programs: Path
    socket_dir: str
    _migrated: str | None = None

    def url(self, name: str) -> str:
        return f"postgres://karyaksham@/{name}?host={self.socket_dir}"

    def empty(self) -> str:
        """The URL of a new database without a table."""
        name = f"test_{secrets.token_hex(6)}"
        self._client("createdb", "--maintenance-db", "postgres", name)
        return self.url(name)

    def migrated(self) -> str:
        """The URL of a database with all tables and no row; the one before is the same, and emptied."""
        if self._migrated is None:
            url = self.empty()
            with tempfile.TemporaryDirectory() as folder:
                settings = {"DATABASE_URL": url, "SECRET_KEY": SECRET, "DATA_DIR": folder}
                environment = os.environ | {f"KARYAKSHAM_{name}": value for name, value in settings.items()}
                _run([sys.executable, "-m", "gateway", "migrate"], environment)
            self._migrated = url
        else:
            name = self._migrated.partition("@/")[2].partition("?")[0]
            self._client("psql", "--dbname", name, "--command", EMPTY)
        return self._migrated

    def _client(self, program: str, *arguments: str) -> None:
        _run([str(self.programs / program), "-h", self.socket_dir, "-U", "karyaksham", *arguments])


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
