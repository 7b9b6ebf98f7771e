"""Whole runs as Ray tasks: the same bytes as in one process."""

import os
import signal
from pathlib import Path

import pytest

import compute
from compute.cluster import Cluster
from compute.spec import Canceled, Progress, TaskFinished, TaskStarted

from .jobs import (
    FILTER,
    GROUP,
    MANY_GROUPS,
    SLOW,
    SORT,
    TOP,
    finish,
    job,
    on_ray,
    on_threads,
    output,
    sharded,
    told,
    write_many_orders,
    write_orders,
)

ROWS = 5000


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_orders(tmp_path_factory.mktemp("orders") / "orders.csv", ROWS)


@pytest.mark.parametrize("sql", [GROUP, FILTER, TOP, SORT])
def test_any_number_of_shards_on_ray_gives_the_bytes_of_one_process(
    sql: str, orders: Path, tmp_path: Path, cluster: Cluster
) -> None:
    local = job(tmp_path / "local", sql, orders)
    finish(on_threads()(local), local)
    for shards in (1, 2, 7, 64):
        spec = job(tmp_path / str(shards), sql, orders, **sharded(local, shards))
        done = finish(on_ray(spec), spec).succeeded
        assert output(spec) == output(local)
        assert done.balance.read == ROWS


@pytest.mark.parametrize("sql", [GROUP, SORT, MANY_GROUPS])
def test_rows_that_meet_in_many_tasks_on_ray_are_those_of_one_process(
    sql: str, orders: Path, tmp_path: Path, cluster: Cluster
) -> None:
    local = job(tmp_path / "local", sql, orders, exchange_partitions=5)
    finish(on_threads()(local), local)
    for shards in (1, 6):
        spec = job(tmp_path / str(shards), sql, orders, exchange_partitions=5, **sharded(local, shards))
        events = finish(on_ray(spec), spec)
        assert output(spec) == output(local)
        merges = {event.shard for event in events.of(TaskFinished) if event.stage > 0}
        assert merges == {0, 1, 2, 3, 4}
        assert events.succeeded.balance.read == ROWS


def test_tasks_say_where_they_run(orders: Path, tmp_path: Path, cluster: Cluster) -> None:
    spec = job(tmp_path, GROUP, orders, **sharded(job(tmp_path, GROUP, orders), 3))
    events = finish(on_ray(spec), spec)
    names = {node.name for node in cluster.nodes()}
    assert {event.node for event in events.of(TaskStarted)} <= names
    assert len(events.of(TaskFinished)) == 4


def test_bad_row_is_the_same_as_in_one_process(tmp_path: Path, cluster: Cluster) -> None:
    table = write_orders(tmp_path / "orders.csv", 3000, broken=(2100, 1400))
    spec = job(tmp_path, FILTER, table, **sharded(job(tmp_path, FILTER, table), 9))
    failure = finish(on_ray(spec), spec).failed.failure
    assert finish(on_threads()(spec), spec).failed.failure == failure
    assert failure.detail["row"] == 1401


def test_canceled_job_is_quiet_within_two_seconds(tmp_path: Path, cluster: Cluster) -> None:
    table = tmp_path / "orders.csv"
    write_many_orders(table, megabytes=150)
    spec = job(tmp_path, SLOW, table, job_id="quiet", shard_size_bytes=64 << 20)
    running = on_ray(spec)
    events = told(running)
    for event in events:
        if isinstance(event, Progress) and event.bytes_read:
            running.cancel()
            break
    assert running.join(2.0)
    assert isinstance(list(events)[-1], Canceled)
    assert workers_of("quiet") == []
    assert list(tmp_path.iterdir()) == [table]


def test_finished_shards_of_an_earlier_run_are_not_done_again(tmp_path: Path, cluster: Cluster) -> None:
    table = tmp_path / "orders.csv"
    write_many_orders(table, megabytes=120)
    spec = job(tmp_path, FILTER, table, shard_size_bytes=8 << 20)
    running = on_ray(spec)
    events = told(running)
    first = []
    for event in events:
        if isinstance(event, TaskFinished):
            first.append(event)
            running.suspend()
    assert running.join(5.0)
    assert 0 < len(first) < 15
    again = finish(compute.start(spec, resume=first), spec)
    assert again.succeeded
    done_again = {(event.stage, event.shard) for event in again.of(TaskStarted)}
    assert done_again.isdisjoint((event.stage, event.shard) for event in first)
    local = job(tmp_path / "local", FILTER, table)
    finish(on_threads()(local), local)
    assert output(spec) == output(local)


def test_record_whose_file_is_gone_is_done_again(orders: Path, tmp_path: Path, cluster: Cluster) -> None:
    spec = job(tmp_path, FILTER, orders, shard_size_bytes=50_000)
    first = finish(on_ray(spec), spec).of(TaskFinished)
    made = output(spec)
    again = finish(compute.start(spec, resume=first), spec)
    assert len(again.of(TaskFinished)) == len(first)
    assert output(spec) == made


def test_workers_get_no_secrets(cluster: Cluster) -> None:
    import ray

    seen: set[str] = ray.get(ray.remote(environment).remote())
    assert not {name for name in seen if name.startswith("KARYAKSHAM_") or "SECRET" in name}


def test_signals_reach_who_they_reached_before(cluster: Cluster) -> None:
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_token_of_the_cluster_is_for_its_owner_alone(cluster: Cluster) -> None:
    token = Path.home() / ".ray" / "auth_token"
    assert not token.exists() or token.stat().st_mode & 0o077 == 0


def test_nodes_have_names_and_cores(cluster: Cluster) -> None:
    [node] = cluster.nodes()
    assert (node.alive, node.cpus) == (True, 2.0)
    assert node.name


def environment() -> set[str]:
    return set(os.environ)


def workers_of(job_id: str) -> list[int]:
    """The processes that run a task of the job; Ray names them after it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            title = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if title.startswith(f"ray::job {job_id} ".encode()):
            found.append(int(process.name))
    return found
