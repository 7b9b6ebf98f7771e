"""Tasks that stand still: storage that begins to answer and never ends, as a network in trouble does."""

import time
from pathlib import Path

from compute.cluster import Cluster
from compute.spec import Event, JobSpec, TaskFailed, TaskFinished, TaskStarted
from tests import proxy
from tests.compute.jobs import on_ray, on_threads, output, told, write_many_orders
from tests.compute.test_objects import spec_of
from tests.rgw import S3

SQL = "SELECT region, count(*) AS n, sum(amount) AS total FROM input GROUP BY region ORDER BY region"
SHARD_BYTES = 4 << 20
HELD_AFTER_BYTES = 1 << 20
DEADLINE_S = 90.0


def prepared(folder: Path, s3: S3, bucket: str) -> tuple[JobSpec, bytes]:
    """A job over an object, and what it must give."""
    table = folder / "orders.csv"
    write_many_orders(table, megabytes=40)
    uri = f"s3://{bucket}/orders.csv"
    s3.put(uri, table.read_bytes())
    spec = spec_of(folder / "job", SQL, [uri], s3.options, shard_size_bytes=SHARD_BYTES)
    local = spec_of(folder / "local", SQL, [str(table)], None)
    list(told(on_threads()(local)))
    return spec, output(local)


def events_of(spec: JobSpec) -> list[Event]:
    events, deadline = [], time.monotonic() + DEADLINE_S
    for event in told(on_ray(spec)):
        events.append(event)
        assert time.monotonic() < deadline, "the job waits for what never comes"
    return events


def through(spec: JobSpec, faulty: proxy.Proxy) -> JobSpec:
    assert spec.storage is not None
    return spec._replace(storage={**spec.storage, "endpoint": faulty.endpoint})


def test_a_task_that_hangs_is_given_up_and_run_again(
    tmp_path: Path, cluster: Cluster, s3: S3, bucket: str
) -> None:
    spec, expected = prepared(tmp_path, s3, bucket)
    with proxy.before(s3.endpoint, cut=1, after_bytes=HELD_AFTER_BYTES, holds=True) as faulty:
        events = events_of(through(spec, faulty)._replace(stall_s=2.0))
        assert faulty.dropped == 1
    failures = [event for event in events if isinstance(event, TaskFailed)]
    assert [(event.failure.code, event.will_retry) for event in failures] == [("TASK_HUNG", True)]
    assert output(spec) == expected


def test_a_straggler_is_overtaken_by_a_second_attempt(
    tmp_path: Path, cluster: Cluster, s3: S3, bucket: str
) -> None:
    spec, expected = prepared(tmp_path, s3, bucket)
    with proxy.before(s3.endpoint, cut=1, after_bytes=HELD_AFTER_BYTES, holds=True) as faulty:
        events = events_of(through(spec, faulty)._replace(late_s=1.0))
        assert faulty.dropped == 1
    assert not [event for event in events if isinstance(event, TaskFailed)]
    started = [(event.stage, event.shard) for event in events if isinstance(event, TaskStarted)]
    (late,) = {key for key in started if started.count(key) == 2}
    finished = {
        (event.stage, event.shard): event.attempt for event in events if isinstance(event, TaskFinished)
    }
    assert finished[late] == 2
    assert output(spec) == expected
