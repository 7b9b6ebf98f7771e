"""Workers that die while they work."""

import os
import signal
from pathlib import Path

from compute.cluster import Cluster
from compute.spec import Progress, TaskFailed, TaskFinished
from tests.compute.jobs import SLOW, job, on_ray, on_threads, output, told, write_many_orders
from tests.compute.test_ray import workers_of


def test_worker_killed_in_mid_shard_costs_an_attempt_and_no_row(tmp_path: Path, cluster: Cluster) -> None:
    table = tmp_path / "orders.csv"
    rows = write_many_orders(table, megabytes=60)
    spec = job(tmp_path, SLOW, table, job_id="wounded", shard_size_bytes=32 << 20)
    events, killed = [], 0
    for event in told(on_ray(spec)):
        events.append(event)
        if isinstance(event, Progress) and not killed:
            busy = [task for task in event.tasks if 0 < task.bytes_read < task.bytes_total]
            if busy:
                killed = workers_of("wounded")[0]
                os.kill(killed, signal.SIGKILL)
    assert killed
    failures = [event for event in events if isinstance(event, TaskFailed)]
    assert [(event.attempt, event.failure.code, event.will_retry) for event in failures] == [
        (1, "WORKER_LOST", True)
    ]
    finished = {
        (event.stage, event.shard): event.attempt for event in events if isinstance(event, TaskFinished)
    }
    assert finished[failures[0].stage, failures[0].shard] == 2
    local = job(tmp_path / "local", SLOW, table)
    list(told(on_threads()(local)))
    assert output(spec) == output(local)
    assert output(spec).count(b"\n") > rows


def test_task_whose_workers_always_die_fails_the_job(tmp_path: Path, cluster: Cluster) -> None:
    table = tmp_path / "orders.csv"
    write_many_orders(table, megabytes=100)
    spec = job(tmp_path, SLOW, table, job_id="doomed", shard_size_bytes=1 << 30, max_attempts=2)
    events = []
    for event in told(on_ray(spec)):
        events.append(event)
        if isinstance(event, Progress) and any(
            0 < task.bytes_read < task.bytes_total for task in event.tasks
        ):
            for pid in workers_of("doomed"):
                os.kill(pid, signal.SIGKILL)
    failures = [event for event in events if isinstance(event, TaskFailed)]
    assert [(event.attempt, event.will_retry) for event in failures] == [(1, True), (2, False)]
    assert failures[-1].failure.kind == "INFRASTRUCTURE"
    assert not Path(spec.staging_dir).exists()
    assert list(tmp_path.iterdir()) == [table]
