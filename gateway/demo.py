"""`karyaksham demo`: what a user does, end to end, on a file it makes, against a service of its own."""

import asyncio
import csv
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from karyaksham import ArtifactKind, AsyncClient, BadRowPolicy, Job, ServiceError

from . import demo_data
from .terminal import bytes_in_words, table

START_TIMEOUT_S = 180
STOP_TIMEOUT_S = 30
SQL = """SELECT country, count(*) AS orders, sum(quantity) AS units,
       sum(quantity * unit_price) AS revenue, avg(unit_price) AS average_price
FROM input
WHERE status <> 'canceled'
GROUP BY country
ORDER BY revenue DESC"""


def demo(options: Namespace) -> int:
    """Exit status 0 when the result is complete and the rows balance as the file was made."""
    try:
        return asyncio.run(_demo(options.size))
    except ServiceError as error:
        print(f"demo: failed: {error.message} [{error.code}]", file=sys.stderr)
        return 1


async def _demo(size_bytes: int) -> int:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "karyaksham" / "demo"
    _say(f"making a CSV of {bytes_in_words(size_bytes)} (once)")
    file = await asyncio.to_thread(demo_data.make, cache, size_bytes)
    _say(f"{Path(file.path).name}: {file.rows:,} orders, {file.broken} of them broken on purpose")
    with tempfile.TemporaryDirectory(prefix="karyaksham-demo-") as folder, _service(Path(folder)) as url:
        async with AsyncClient(url) as service:
            return await _use(service, url, file)


async def _use(service: AsyncClient, url: str, file: demo_data.DemoFile) -> int:
    deadline = time.monotonic() + START_TIMEOUT_S
    _say(f"starting the service on {url} with a Ray of its own")
    while not await _is_ready(url):
        if time.monotonic() > deadline:
            raise ServiceError("UNAVAILABLE", f"The service did not come up within {START_TIMEOUT_S} s.")
        await asyncio.sleep(0.2)
    await service.sign_up("demo@example.org", secrets.token_urlsafe(16), "Demo")
    _say("signed in; uploading")
    dataset = await service.upload(file.path)
    columns = ", ".join(f"{column.name} {column.type_}" for column in dataset.columns)
    delimiter = dataset.dialect.delimiter if dataset.dialect else None
    _say(f"understood: delimiter {delimiter!r}, {columns}")
    print(SQL)
    job = await service.run(SQL, dataset, bad_rows=BadRowPolicy.REJECT_ROW, name="demo")
    return await _show(service, job, file)


async def _is_ready(url: str) -> bool:
    async with httpx.AsyncClient() as http:
        try:
            return (await http.get(f"{url}/readyz", timeout=5)).status_code == 200
        except httpx.TransportError:
            return False


async def _show(service: AsyncClient, job: Job, file: demo_data.DemoFile) -> int:
    for artifact in job.artifacts:
        with tempfile.TemporaryDirectory(prefix="karyaksham-demo-") as folder:
            path = await service.download(artifact, folder, show=False)
            header, *rows = await asyncio.to_thread(_read, path)
        if artifact.kind is ArtifactKind.REJECTS:
            keep = [header.index(name) for name in ("line", "column", "code", "raw")]
            header, rows = [header[at] for at in keep], [[row[at] for at in keep] for row in rows]
            print(f"\nrejected rows ({artifact.name}):")
        else:
            print(f"\nresult ({artifact.name}):")
        print(table(header, rows[:12], width=60))
        if len(rows) > 12:
            print(f"... and {len(rows) - 12} more")
    balance = job.row_balance
    if balance is None or job.started_at is None or job.finished_at is None:
        raise ServiceError("INTERNAL", "The job has no row balance.")
    print(
        f"\nread {balance.read:,} = passed {balance.passed:,} + rejected {balance.rejected:,}; "
        f"written {balance.written:,}"
    )
    right = balance.closes and (balance.read, balance.rejected) == (file.rows, file.broken)
    seconds = max((job.finished_at - job.started_at).total_seconds(), 1e-3)
    print(
        f"demo: {'ok' if right else 'wrong'} read={balance.read} passed={balance.passed} "
        f"rejected={balance.rejected} closes={str(balance.closes).lower()} seconds={seconds:.2f} "
        f"gb_per_s={file.size_bytes / seconds / 1e9:.2f}"
    )
    return 0 if right else 1


def _read(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


@contextmanager
def _service(folder: Path) -> Iterator[str]:
    """The service as a process of its own, stopped at the end however the demo ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "gateway",
        "serve",
        "--port",
        str(port),
        "--data-dir",
        str(folder / "data"),
    ]
    with (folder / "service.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)  # noqa: S603
        try:
            yield f"http://127.0.0.1:{port}"
        except BaseException:
            if process.poll() is not None:
                print((folder / "service.log").read_text()[-4000:], file=sys.stderr)
            raise
        finally:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _say(text: str) -> None:
    print(f"demo: {text}", flush=True)
