"""Snapshots that never lie and never go back."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from compute.progress import Board, Rate
from compute.results import Counters, TaskKey
from compute.spec import Failure, StageProgress

LOST = Failure("INFRASTRUCTURE", "WORKER_LOST", "A worker was lost.", retryable=True)


def stage(index: int, tasks: int, bytes_total: int) -> StageProgress:
    return StageProgress(index, "scan input" if index == 0 else "final", "PENDING", tasks, 0, 0, bytes_total)


def board(tasks: int = 4, *, final: bool = False) -> Board:
    stages = [stage(0, tasks, tasks * 100), *([stage(1, 1, 0)] if final else [])]
    return Board(stages, [[100] * tasks, *([[0]] if final else [])], {0}, now=0.0)


def test_fraction_counts_bytes_and_stays_below_one_until_the_commit() -> None:
    scan = board(2)
    scan.counted(TaskKey(0, 0), Counters(bytes_read=50))
    assert 0.2 < scan.snapshot(1.0, 1.0).fraction < 0.25
    for shard in (0, 1):
        scan.succeeded(TaskKey(0, shard), 1, Counters(bytes_read=100), 2.0)
    assert scan.snapshot(2.0, 2.0).fraction == 0.99
    done = scan.snapshot(3.0, 3.0, committed=True)
    assert (done.fraction, done.eta_seconds) == (1.0, 0.0)


def test_a_stage_after_the_scan_has_its_share() -> None:
    both = board(1, final=True)
    both.succeeded(TaskKey(0, 0), 1, Counters(bytes_read=100), 1.0)
    scanned = both.snapshot(1.0, 1.0).fraction
    assert 0.85 < scanned < 0.95
    both.resized(1, 1000)
    both.counted(TaskKey(1, 0), Counters(bytes_read=500, rows_read=9))
    half = both.snapshot(2.0, 2.0)
    assert scanned < half.fraction < 0.99
    assert (half.bytes_read, half.bytes_total, half.rows_read) == (100, 100, 0)


def test_a_lost_attempt_does_not_turn_the_clock_back() -> None:
    scan = board(2)
    scan.started(TaskKey(0, 0), 1, "one", 0.0)
    scan.counted(TaskKey(0, 0), Counters(bytes_read=90, rows_read=9))
    before = scan.snapshot(1.0, 1.0)
    scan.gone(TaskKey(0, 0), 1, LOST, 1.0, again=True)
    after = scan.snapshot(2.0, 2.0)
    assert (after.fraction, after.bytes_read) == (before.fraction, before.bytes_read)
    assert after.rows_read == 0
    assert after.bytes_per_second < before.bytes_per_second


def test_only_tasks_that_changed_are_in_a_snapshot() -> None:
    scan = board(3)
    scan.started(TaskKey(0, 0), 1, "one", 5.0)
    scan.started(TaskKey(0, 2), 1, None, 6.0)
    first = scan.snapshot(1.0, 1.0)
    assert [(task.shard, task.state, task.started_at) for task in first.tasks] == [
        (0, "RUNNING", 5.0),
        (2, "RUNNING", 6.0),
    ]
    assert scan.snapshot(2.0, 2.0).tasks == ()
    scan.counted(TaskKey(0, 2), Counters(bytes_read=10, rows_read=3))
    [changed] = scan.snapshot(3.0, 3.0).tasks
    assert (changed.shard, changed.bytes_read, changed.rows_read) == (2, 10, 3)


def test_task_that_failed_keeps_its_reason_until_it_runs_well() -> None:
    scan = board(1)
    scan.started(TaskKey(0, 0), 1, None, 1.0)
    scan.gone(TaskKey(0, 0), 1, LOST, 2.0, again=True)
    [task] = scan.snapshot(1.0, 1.0).tasks
    assert (task.state, task.failure, task.attempt) == ("PENDING", LOST, 1)
    scan.started(TaskKey(0, 0), 2, None, 3.0)
    scan.succeeded(TaskKey(0, 0), 2, Counters(bytes_read=100), 4.0)
    [task] = scan.snapshot(2.0, 2.0).tasks
    assert (task.state, task.failure, task.attempt, task.finished_at) == ("SUCCEEDED", None, 2, 4.0)


def test_job_without_bytes_counts_tasks() -> None:
    empty = Board([stage(0, 2, 0)], [[0, 0]], {0}, now=0.0)
    assert empty.snapshot(0.0, 0.0).fraction == 0.0
    empty.succeeded(TaskKey(0, 0), 1, Counters(), 1.0)
    assert 0.4 < empty.snapshot(1.0, 1.0).fraction < 0.5


def test_rate_of_a_steady_counter_is_right_from_the_start() -> None:
    rate = Rate(0.0)
    for tick in range(1, 40):
        assert abs(rate.observe(tick / 4, tick * 25.0) - 100.0) < 1e-6


def test_rate_follows_a_change_within_seconds() -> None:
    rate = Rate(0.0)
    for tick in range(1, 41):
        rate.observe(tick / 4, tick * 25.0)
    for tick in range(41, 101):
        slow = rate.observe(tick / 4, 1000.0)
    assert slow < 2.0


def test_remaining_time_is_given_once_the_rate_is_known() -> None:
    scan = board(4)
    assert scan.snapshot(0.0, 0.0).eta_seconds is None
    for tick in range(1, 9):
        scan.counted(TaskKey(0, 0), Counters(bytes_read=10 * tick))
        snapshot = scan.snapshot(tick / 2, tick / 2)
    assert snapshot.eta_seconds is not None
    assert 14.0 < snapshot.eta_seconds < 18.0


@given(st.integers(0, 2**32))
def test_fraction_and_bytes_never_fall(seed: int) -> None:
    random = Random(seed)  # noqa: S311
    scan = board(5, final=True)
    before = scan.snapshot(0.0, 0.0)
    for tick in range(1, 60):
        key = TaskKey(0, random.randrange(5))
        if random.random() < 0.3:
            scan.gone(key, 1, LOST, tick, again=True)
        else:
            scan.counted(key, Counters(bytes_read=random.randrange(101)))
        after = scan.snapshot(tick, tick)
        assert before.fraction <= after.fraction < 1.0
        assert before.bytes_read <= after.bytes_read <= after.bytes_total
        before = after
