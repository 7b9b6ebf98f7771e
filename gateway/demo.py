"""`karyaksham demo`: what a user does, end to end, on a file it makes, against a service of its own."""

import asyncio
import csv
import io
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
from typing import Any

from . import demo_data
from .errors import KaryakshamError
from .remote import Service
from .terminal import bytes_in_words, percent_in_words, table

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
    except KaryakshamError as error:
        print(f"demo: failed: {error.message} [{error.code}]", file=sys.stderr)
        return 1


async def _demo(size_bytes: int) -> int:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "karyaksham" / "demo"
    _say(f"making a CSV of {bytes_in_words(size_bytes)} (once)")
    file = await asyncio.to_thread(demo_data.make, cache, size_bytes)
    _say(f"{Path(file.path).name}: {file.rows:,} orders, {file.broken} of them broken on purpose")
    with tempfile.TemporaryDirectory(prefix="karyaksham-demo-") as folder, _service(Path(folder)) as url:
        async with Service(url) as service:
            return await _use(service, url, file)


async def _use(service: Service, url: str, file: demo_data.DemoFile) -> int:
    deadline = time.monotonic() + START_TIMEOUT_S
    _say(f"starting the service on {url} with a Ray of its own")
    while not await service.is_ready():
        if time.monotonic() > deadline:
            raise KaryakshamError("UNAVAILABLE", f"The service did not come up within {START_TIMEOUT_S} s.")
        await asyncio.sleep(0.2)
    await service.register("demo@example.org", secrets.token_urlsafe(16), "Demo")
    _say("signed in; uploading")
    dataset_id = await _upload(service, file)
    dataset = await _inspected(service, dataset_id)
    columns = ", ".join(f"{column['name']} {column['type']}" for column in dataset["columns"])
    _say(f"understood: delimiter {dataset['dialect']['delimiter']!r}, {columns}")
    job = await _run(service, dataset_id)
    return await _show(service, job, file)


async def _upload(service: Service, file: demo_data.DemoFile) -> str:
    dataset_id: str | None = None
    with _Live() as live:
        async for sent, done in service.upload(Path(file.path)):
            live.show(
                sent / file.size_bytes,
                f"uploaded {bytes_in_words(sent)} of {bytes_in_words(file.size_bytes)}",
            )
            dataset_id = done
    if dataset_id is None:
        raise KaryakshamError("INTERNAL", "The upload ended without a dataset.")
    return dataset_id


async def _inspected(service: Service, dataset_id: str) -> Any:
    while True:
        dataset = (await service.call(_DATASET, id=dataset_id))["dataset"]
        if dataset["status"] == "READY":
            return dataset
        if dataset["status"] == "INVALID":
            raise KaryakshamError("BAD_USER_INPUT", dataset["problem"])
        await asyncio.sleep(0.1)


async def _run(service: Service, dataset_id: str) -> Any:
    print(SQL)
    job_input = {
        "name": "demo",
        "sources": [{"datasetId": dataset_id}],
        "sql": SQL,
        "output": {"format": "CSV"},
        "badRows": {"policy": "REJECT_ROW"},
    }
    job_id = (await service.call(_CREATE_JOB, input=job_input))["createJob"]["job"]["id"]
    with _Live() as live:
        async for data in service.subscribe(_PROGRESS, id=job_id):
            progress = data["jobProgress"]
            tasks = sum(stage["tasksDone"] for stage in progress["stages"])
            total = sum(stage["taskCount"] for stage in progress["stages"])
            live.show(
                progress["fraction"],
                f"{progress['state'].lower()}: {progress['rowsRead']:,} rows, {progress['rowsRejected']} rejected, "
                f"{tasks}/{total} tasks, {bytes_in_words(progress['bytesPerSecond'])}/s",
            )
    return (await service.call(_JOB, id=job_id))["job"]


async def _show(service: Service, job: Any, file: demo_data.DemoFile) -> int:
    if job["state"] != "SUCCEEDED":
        failure = job["failure"] or {"message": job["state"], "code": job["state"]}
        raise KaryakshamError(failure["code"], failure["message"])
    for artifact in job["artifacts"]:
        content = (await service.download(artifact["downloadUrl"])).decode()
        header, *rows = csv.reader(io.StringIO(content))
        if artifact["kind"] == "REJECTS":
            keep = [header.index(name) for name in ("line", "column", "code", "raw")]
            header, rows = [header[at] for at in keep], [[row[at] for at in keep] for row in rows]
            print(f"\nrejected rows ({artifact['name']}):")
        else:
            print(f"\nresult ({artifact['name']}):")
        print(table(header, rows[:12], width=60))
        if len(rows) > 12:
            print(f"... and {len(rows) - 12} more")
    balance = job["rowBalance"]
    print(
        f"\nread {balance['read']:,} = passed {balance['passed']:,} + rejected {balance['rejected']:,}; "
        f"written {balance['written']:,}"
    )
    expected = (file.rows, file.broken)
    right = balance["closes"] and (balance["read"], balance["rejected"]) == expected
    seconds = _seconds(job)
    print(
        f"demo: {'ok' if right else 'wrong'} read={balance['read']} passed={balance['passed']} "
        f"rejected={balance['rejected']} closes={str(balance['closes']).lower()} seconds={seconds:.2f} "
        f"gb_per_s={file.size_bytes / seconds / 1e9:.2f}"
    )
    return 0 if right else 1


def _seconds(job: Any) -> float:
    from datetime import datetime

    began, ended = (datetime.fromisoformat(job[name]) for name in ("startedAt", "finishedAt"))
    return max((ended - began).total_seconds(), 1e-3)


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


class _Live:
    """One line that is rewritten on a terminal; elsewhere a line for each further tenth."""

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._tenth = -1

    def __enter__(self) -> "_Live":
        return self

    def show(self, fraction: float, text: str) -> None:
        percent = percent_in_words(fraction)
        if self._terminal:
            print(f"\r\x1b[K{percent}  {text}", end="", flush=True)
        elif int(fraction * 10) > self._tenth:
            self._tenth = int(fraction * 10)
            print(f"{percent}  {text}", flush=True)

    def __exit__(self, *_: object) -> None:
        if self._terminal:
            print(flush=True)


def _say(text: str) -> None:
    print(f"demo: {text}", flush=True)


_DATASET = (
    "query ($id: ID!) { dataset(id: $id) { status problem columns { name type } dialect { delimiter } } }"
)
_CREATE_JOB = """mutation ($input: CreateJobInput!) {
  createJob(input: $input) { job { id } errors { code message } } }"""
_PROGRESS = """subscription ($id: ID!) { jobProgress(jobId: $id) {
  state fraction rowsRead rowsRejected bytesPerSecond stages { taskCount tasksDone } } }"""
_JOB = """query ($id: ID!) { job(id: $id) { state startedAt finishedAt failure { code message }
  rowBalance { read passed rejected written closes } artifacts { kind name downloadUrl } } }"""
