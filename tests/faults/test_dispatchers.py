"""Two dispatchers on one database: a job has one of them at a time, whatever happens to it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from compute.spec import JobSpec
from gateway import database
from gateway.models import Artifact, Job, JobEvent, JobState, JobTask
from gateway.progress import FINAL_STATES
from gateway.settings import Settings
from tests.compute.jobs import FILTER, SLOW, finish, job, on_threads, output, write_many_orders
from tests.gateway import records
from tests.gateway.conftest import eventually

ROOT = Path(__file__).parents[2]
LEASE_S = 3
DEADLINE_S = 60.0


@pytest.fixture(params=["sqlite", "postgres"])
async def settings(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Settings]:
    """Of a database that is open here, too."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    made = Settings.from_environment(
        {}, data_dir=tmp_path / "data", database_url=url, secret_key="x" * 40, lease_s=LEASE_S
    ).prepare()
    async with database.opened(made, migrate=True):
        yield made


@dataclass
class Process:
    popen: "subprocess.Popen[str]"
    log: Path

    def signal(self, number: int) -> None:
        os.kill(self.popen.pid, number)


@contextmanager
def dispatching(settings: Settings, folder: Path, count: int) -> Iterator[list[Process]]:
    """So many dispatchers, each as a process of its own."""
    given = {name: getattr(settings, name) for name in ("database_url", "redis_url", "secret_key", "lease_s")}
    given["data_dir"] = str(settings.data_dir)
    given["data_roots"] = [str(root) for root in settings.data_roots]
    processes = []
    for number in range(count):
        log = folder / f"dispatcher-{number}.log"
        with log.open("w") as file:
            popen = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.dispatcher"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
            )
        processes.append(Process(popen, log))
        assert popen.stdin is not None
        popen.stdin.write(json.dumps(given) + "\n")
        popen.stdin.flush()
    try:
        for process in processes:
            assert process.popen.stdout is not None
            assert process.popen.stdout.readline() == "ready\n", process.log.read_text()
        yield processes
    finally:
        for process in processes:
            process.popen.kill()
            with process.popen:
                pass


async def queued(spec: JobSpec) -> Job:
    row = {
        "sources": list(spec.sources),
        "output": spec.output,
        "bad_rows": spec.bad_rows,
        "layout": spec.layout,
        "shard_size_bytes": spec.shard_size_bytes,
    }
    return await records.job(sql=spec.sql, spec=row)


async def under_way(job: Job) -> tuple[int, dict[int, Any]]:
    """The process that drives the job, and the records of what is done, once there are some."""

    async def some() -> dict[int, Any]:
        return dict(
            await JobTask.filter(job_id=job.id, stage=0, record__isnull=False).values_list("shard", "record")
        )

    done: dict[int, Any] = await eventually(some, DEADLINE_S)
    owner = (await Job.get(id=job.id)).lease_owner
    assert owner is not None
    return int(owner.split(":")[1]), done


async def ended(job: Job) -> Job:
    async def final() -> Job | None:
        return await Job.get_or_none(id=job.id, state__in=list(FINAL_STATES))

    found: Job = await eventually(final, DEADLINE_S)
    return found


async def check(job: Job, settings: Settings, expected: bytes, *, leases: int) -> None:
    """The job has ended well, once, after at least so many leases, and nothing but its result is left."""
    found = await ended(job)
    assert found.state is JobState.SUCCEEDED, found.failure
    assert found.lease_epoch >= leases
    (artifact,) = await Artifact.filter(job_id=job.id)
    folder = settings.jobs_dir / str(job.id)
    assert (settings.jobs_dir / artifact.path).read_bytes() == expected
    await eventually(lambda: asyncio.to_thread(only_the_result, folder))
    events = await JobEvent.filter(job_id=job.id).order_by("seq")
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    kinds = [event.kind for event in events]
    assert (kinds.count("PLANNING"), kinds.count("RECOVERED"), kinds.count("SUCCEEDED")) == (
        1,
        found.lease_epoch - 1,
        1,
    )


def only_the_result(folder: Path) -> bool:
    return [path.name for path in folder.rglob("*") if path.is_file()] == ["output.csv"]


async def test_a_job_has_one_dispatcher_and_another_when_that_is_gone(
    settings: Settings, tmp_path: Path
) -> None:
    table, small = tmp_path / "orders.csv", tmp_path / "small.csv"
    write_many_orders(table, megabytes=6)
    write_many_orders(small, megabytes=1)
    spec = job(tmp_path / "local", SLOW, table, shard_size_bytes=1 << 20)
    finish(on_threads()(spec), spec)
    few = job(tmp_path / "few", FILTER, small)
    finish(on_threads()(few), few)

    with dispatching(settings, tmp_path, 2) as processes:
        by_pid = {process.popen.pid: process for process in processes}
        many = [await queued(few) for _ in range(12)]
        for one in many:
            await check(one, settings, output(few), leases=1)

        killed = await queued(spec)
        pid, _ = await under_way(killed)
        by_pid[pid].signal(signal.SIGKILL)
        await check(killed, settings, output(spec), leases=2)
