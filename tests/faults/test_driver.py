"""The process that drives a job is killed, and starts again."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.compute.jobs import FILTER, finish, job, on_threads, output, write_many_orders

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, because Ray puts its sockets below it."""
    with tempfile.TemporaryDirectory(prefix="kkt-") as name:
        yield Path(name)


LEAVES_EARLY = """
import sys
from pathlib import Path
from compute import local
from tests.compute.jobs import SLOW, job

running = local.start(job(Path(sys.argv[2]), SLOW, Path(sys.argv[1])), threads=2)
events = running.follow()
while type(next(events)).__name__ != "TaskStarted":
    pass
print("left", flush=True)
"""


def test_process_that_ends_does_not_wait_for_its_jobs(tmp_path: Path) -> None:
    table = tmp_path / "orders.csv"
    write_many_orders(table, megabytes=100)
    command = [sys.executable, "-c", LEAVES_EARLY, str(table), str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "left\n"
        assert process.wait(5.0) == 0
    assert (tmp_path / "staging" / "plan.json").exists()


def drive(table: Path, folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.drive", str(table), str(folder), FILTER],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def events(driver: "subprocess.Popen[str]", resume: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    assert driver.stdin is not None and driver.stdout is not None
    with driver.stdin as records:
        records.writelines(json.dumps(record) + "\n" for record in resume)
    for line in driver.stdout:
        yield json.loads(line)


def record(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name != "event"}


def of_ray(folder: Path) -> list[int]:
    """Processes that have a file of the Ray of this folder open."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            handles = [handle.readlink() for handle in (process / "fd").iterdir()]
        except OSError:
            continue
        if any(handle.is_relative_to(folder / "ray") for handle in handles):
            found.append(int(process.name))
    return found


def test_job_of_a_killed_driver_goes_on_from_its_finished_shards(tmp_path: Path, folder: Path) -> None:
    table = tmp_path / "orders.csv"
    write_many_orders(table, megabytes=120)
    with drive(table, folder) as driver:
        finished = []
        for event in events(driver, []):
            if event["event"] == "TaskFinished":
                finished.append(record(event))
            if len(finished) == 5:
                driver.kill()
                break
    assert not (folder / "output" / "output.csv").exists()

    with drive(table, folder) as driver:
        again = list(events(driver, finished))
        assert driver.wait(30) == 0
    assert again[-1]["event"] == "Succeeded"
    started = {event["shard"] for event in again if event["event"] == "TaskStarted"}
    assert started.isdisjoint(event["shard"] for event in finished)
    local = job(tmp_path / "local", FILTER, table)
    finish(on_threads()(local), local)
    assert (folder / "output" / "output.csv").read_bytes() == output(local)
    assert [path.name for path in (folder / "output").iterdir()] == ["output.csv"]

    assert of_ray(folder) == []
