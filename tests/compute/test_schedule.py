"""What runs next, without Ray and without a clock."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compute.results import Counters, TaskKey, TaskResult
from compute.schedule import (
    BadRow,
    Broken,
    Decision,
    Done,
    Gone,
    Launch,
    Limits,
    Proved,
    Schedule,
    StageTasks,
    Superseded,
    backoff_s,
)
from compute.spec import Failure
from karyaksham_engine.types import Reject, ShardReport

SHARD_BYTES = 100
LOST = Failure("INFRASTRUCTURE", "WORKER_LOST", "A worker was lost.", retryable=True)
BAD_SQL = Failure("CONFIG", "SQL_INVALID", "No such function.")


def report(
    shard: int, *, first: int, end: int, rows: int = 10, rejected: int = 0, stopped: bool = False
) -> ShardReport:
    return {
        "file": 0,
        "lo": shard * SHARD_BYTES,
        "hi": (shard + 1) * SHARD_BYTES,
        "start": "outside",
        "ambiguous": False,
        "first": first,
        "end": end,
        "bytes_read": end - first,
        "rows_read": rows,
        "rows_passed": rows - rejected,
        "rows_rejected": rejected,
        "lines": rows,
        "stopped_at_reject": stopped,
    }


def reject(row: int) -> Reject:
    return {
        "file": "orders.csv",
        "row": row,
        "line": row,
        "record_offset": 0,
        "field_offset": None,
        "column": None,
        "expected": None,
        "code": "CAST",
        "message": "It is no number.",
        "raw": "x",
    }


def result(report: ShardReport | None, *, first_reject: Reject | None = None) -> TaskResult:
    rows = report["rows_passed"] if report is not None else 1
    return TaskResult(None, None, None, report, first_reject, rows_written=rows)


def joining(shard: int, *, rejected: int = 0) -> TaskResult:
    """A shard that joins its neighbours exactly at its bounds."""
    lo = shard * SHARD_BYTES
    return result(report(shard, first=lo, end=lo + SHARD_BYTES, rejected=rejected))


def scan(shards: int, *, makes_output: bool = True) -> StageTasks:
    return StageTasks(0, "scan", (0,) * shards, (shards * SHARD_BYTES,), makes_output=makes_output)


def final() -> StageTasks:
    return StageTasks(1, "merge", (0,), makes_output=True)


def schedule(*stages: StageTasks, limits: Limits | None = None) -> Schedule:
    return Schedule("job", stages, limits or Limits())


def unfinished(plan: Schedule) -> bool:
    return plan.ending is None


def keys(launches: Sequence[Launch]) -> list[int]:
    return [launch.key.shard for launch in launches]


def test_no_more_tasks_run_at_once_than_allowed() -> None:
    plan = schedule(scan(5))
    assert keys(plan.next(0.0, in_flight=2)) == [0, 1]
    assert plan.next(0.0, in_flight=2) == []
    plan.finished(TaskKey(0, 1), 1, joining(1), 0.0)
    assert keys(plan.next(0.0, in_flight=2)) == [2]


def test_job_is_done_when_every_shard_is_proved() -> None:
    plan = schedule(scan(3))
    plan.next(0.0, in_flight=3)
    assert plan.finished(TaskKey(0, 2), 1, joining(2), 0.0) == []
    assert [d.key.shard for d in plan.finished(TaskKey(0, 0), 1, joining(0), 0.0)] == [0]
    proved = plan.finished(TaskKey(0, 1), 1, joining(1, rejected=4), 0.0)
    assert [(d.key.shard, d.row_base, d.line_base) for d in proved if isinstance(d, Proved)] == [
        (1, 10, 10),
        (2, 20, 20),
    ]
    assert isinstance(plan.ending, Done)
    assert (plan.ending.balance.read, plan.ending.balance.rejected, plan.ending.balance.written) == (
        30,
        4,
        26,
    )
    assert plan.ending.balance.closes


def test_job_without_tasks_is_done_at_once() -> None:
    assert isinstance(schedule(scan(0)).ending, Done)


def test_final_stage_waits_for_every_scan() -> None:
    plan = schedule(scan(2, makes_output=False), final())
    assert [launch.key for launch in plan.next(0.0, in_flight=9)] == [(0, 0), (0, 1)]
    plan.finished(TaskKey(0, 0), 1, joining(0), 0.0)
    assert plan.next(0.0, in_flight=9) == []
    plan.finished(TaskKey(0, 1), 1, joining(1), 0.0)
    assert [launch.key for launch in plan.next(0.0, in_flight=9)] == [(1, 0)]
    plan.finished(TaskKey(1, 0), 1, result(None), 0.0)
    assert isinstance(plan.ending, Done)
    assert (plan.ending.balance.read, plan.ending.balance.written) == (20, 1)


def test_window_keeps_tasks_close_to_the_writer() -> None:
    plan = schedule(scan(9), limits=Limits(window=2))
    assert keys(plan.next(0.0, in_flight=9)) == [0, 1]
    plan.finished(TaskKey(0, 0), 1, joining(0), 0.0)
    assert plan.next(0.0, in_flight=9, written=0) == []
    assert keys(plan.next(0.0, in_flight=9, written=1)) == [2]


def test_shard_at_the_frontier_is_told_where_it_starts() -> None:
    plan = schedule(scan(2))
    assert [launch.start for launch in plan.next(0.0, in_flight=1)] == [None]
    plan.finished(TaskKey(0, 0), 1, result(report(0, first=5, end=130)), 0.0)
    assert plan.next(0.0, in_flight=1) == [Launch(TaskKey(0, 1), 1, 130)]


def test_lost_worker_is_retried_later_with_the_next_attempt() -> None:
    plan = schedule(scan(1))
    plan.next(0.0, in_flight=1)
    [gone] = plan.failed(TaskKey(0, 0), 1, LOST, 100.0)
    assert isinstance(gone, Gone)
    assert 100.0 < gone.at <= 100.25
    assert plan.due_at() == gone.at
    assert plan.next(100.0, in_flight=1) == []
    assert plan.next(gone.at, in_flight=1) == [Launch(TaskKey(0, 0), 2, None)]


def test_job_fails_when_attempts_are_used_up() -> None:
    plan = schedule(scan(1), limits=Limits(max_attempts=3))
    now = 0.0
    for attempt in (1, 2, 3):
        assert unfinished(plan)
        plan.next(now, in_flight=1)
        plan.failed(TaskKey(0, 0), attempt, LOST, now)
        now += 60.0
    assert isinstance(plan.ending, Broken)
    assert (plan.ending.key, plan.ending.attempt) == (TaskKey(0, 0), 3)
    assert plan.ending.failure.code == LOST.code
    assert (
        plan.ending.failure.message == f"Task 0 of stage 0 failed 3 times, the last time so: {LOST.message}"
    )
    assert plan.next(now, in_flight=1) == []


def test_wrong_job_is_not_retried() -> None:
    plan = schedule(scan(2))
    plan.next(0.0, in_flight=2)
    plan.failed(TaskKey(0, 0), 1, BAD_SQL, 0.0)
    assert plan.ending == Broken(BAD_SQL, TaskKey(0, 0), 1)


def test_error_of_a_guessed_shard_counts_only_from_its_exact_start() -> None:
    plan = schedule(scan(2))
    plan.next(0.0, in_flight=2)
    assert plan.failed(TaskKey(0, 1), 1, BAD_SQL, 0.0) == []
    assert unfinished(plan)
    decisions = plan.finished(TaskKey(0, 0), 1, joining(0), 0.0)
    assert [type(decision) for decision in decisions] == [Proved, Gone]
    assert plan.next(0.0, in_flight=2) == [Launch(TaskKey(0, 1), 2, 100)]
    plan.failed(TaskKey(0, 1), 2, BAD_SQL, 0.0)
    assert plan.ending == Broken(BAD_SQL, TaskKey(0, 1), 2)


def test_misguessed_shard_runs_again_from_where_the_one_before_ended() -> None:
    plan = schedule(scan(2))
    plan.next(0.0, in_flight=2)
    plan.finished(TaskKey(0, 1), 1, result(report(1, first=107, end=200)), 0.0)
    decisions = plan.finished(TaskKey(0, 0), 1, joining(0), 0.0)
    assert isinstance(decisions[1], Gone)
    assert decisions[1].failure.code == "SHARD_START_MISGUESSED"
    assert plan.next(0.0, in_flight=2) == [Launch(TaskKey(0, 1), 2, 100)]
    plan.finished(TaskKey(0, 1), 2, joining(1), 0.0)
    assert isinstance(plan.ending, Done)


def test_shard_that_does_not_join_even_when_told_is_a_fault_of_ours() -> None:
    plan = schedule(scan(2))
    plan.next(0.0, in_flight=1)
    plan.finished(TaskKey(0, 0), 1, joining(0), 0.0)
    plan.next(0.0, in_flight=1)
    plan.finished(TaskKey(0, 1), 1, result(report(1, first=107, end=200)), 0.0)
    assert isinstance(plan.ending, Broken)
    assert (plan.ending.failure.kind, plan.ending.failure.code) == ("INTERNAL", "CHAIN_BROKEN")


@pytest.mark.parametrize(
    ("last", "code"),
    [
        (report(1, first=100, end=190), "SHARD_INCOMPLETE"),
        (report(1, first=100, end=210), "CHAIN_INCOMPLETE"),
        (report(1, first=100, end=200) | {"rows_passed": 9}, "ROW_BALANCE"),
    ],
)
def test_shard_that_leaves_something_out_is_a_fault_of_ours(last: ShardReport, code: str) -> None:
    plan = schedule(scan(2))
    plan.next(0.0, in_flight=2)
    plan.finished(TaskKey(0, 0), 1, joining(0), 0.0)
    plan.finished(TaskKey(0, 1), 1, result(last), 0.0)
    assert isinstance(plan.ending, Broken)
    assert (plan.ending.failure.kind, plan.ending.failure.code) == ("INTERNAL", code)


def test_bad_row_ends_the_job_only_when_the_chain_up_to_it_is_whole() -> None:
    plan = schedule(scan(4))
    plan.next(0.0, in_flight=3)
    stopped = result(report(2, first=200, end=230, rows=3, rejected=1, stopped=True), first_reject=reject(3))
    plan.finished(TaskKey(0, 2), 1, stopped, 0.0)
    assert unfinished(plan)
    assert plan.next(0.0, in_flight=9) == []  # Nothing after a pending failure is begun.
    plan.finished(TaskKey(0, 0), 1, joining(0), 0.0)
    plan.finished(TaskKey(0, 1), 1, joining(1), 0.0)
    assert isinstance(plan.ending, BadRow)
    assert plan.ending.reject["row"] + plan.ending.proved.row_base == 23


def test_bad_row_of_a_misguess_is_forgotten() -> None:
    plan = schedule(scan(3))
    plan.next(0.0, in_flight=2)
    stopped = result(report(1, first=107, end=110, rows=1, rejected=1, stopped=True), first_reject=reject(1))
    plan.finished(TaskKey(0, 1), 1, stopped, 0.0)
    plan.finished(TaskKey(0, 0), 1, joining(0), 0.0)
    assert keys(plan.next(0.0, in_flight=2)) == [1, 2]
    plan.finished(TaskKey(0, 1), 2, joining(1), 0.0)
    plan.finished(TaskKey(0, 2), 1, joining(2), 0.0)
    assert isinstance(plan.ending, Done)


def test_first_of_two_bad_rows_wins_whichever_is_found_first() -> None:
    plan = schedule(scan(3))
    plan.next(0.0, in_flight=3)
    for shard in (2, 1):
        found = report(shard, first=shard * 100, end=shard * 100 + 9, rows=2, rejected=1, stopped=True)
        plan.finished(TaskKey(0, shard), 1, result(found, first_reject=reject(2)), 0.0)
    plan.finished(TaskKey(0, 0), 1, joining(0), 0.0)
    assert isinstance(plan.ending, BadRow)
    assert plan.ending.proved.key == TaskKey(0, 1)


def test_files_are_chains_of_their_own() -> None:
    stage = StageTasks(0, "scan", (0, 0, 1), (200, 100), makes_output=True)
    plan = schedule(stage)
    plan.next(0.0, in_flight=3)
    [second] = plan.finished(TaskKey(0, 2), 1, result(report(0, first=8, end=100)), 0.0)
    assert isinstance(second, Proved)
    assert second.row_base == 0
    plan.finished(TaskKey(0, 0), 1, joining(0), 0.0)
    plan.finished(TaskKey(0, 1), 1, joining(1), 0.0)
    assert isinstance(plan.ending, Done)


def test_rejected_rows_over_the_limit_end_the_job_at_once() -> None:
    plan = schedule(scan(3), limits=Limits(max_rejected_rows=5))
    plan.next(0.0, in_flight=3)
    plan.finished(TaskKey(0, 0), 1, joining(0, rejected=5), 0.0)
    assert unfinished(plan)
    plan.finished(TaskKey(0, 1), 1, joining(1, rejected=1), 0.0)
    assert isinstance(plan.ending, Broken)
    assert plan.ending.failure.code == "REJECT_BUDGET_EXCEEDED"


def test_ratio_of_rejected_rows_is_judged_when_all_is_read() -> None:
    plan = schedule(scan(2, makes_output=False), final(), limits=Limits(max_rejected_ratio=0.2))
    plan.next(0.0, in_flight=3)
    plan.finished(TaskKey(0, 0), 1, joining(0, rejected=4), 0.0)
    assert unfinished(plan)
    plan.finished(TaskKey(0, 1), 1, joining(1, rejected=1), 0.0)
    assert isinstance(plan.ending, Broken)
    assert plan.ending.failure.code == "REJECT_BUDGET_EXCEEDED"


def test_ratio_that_is_just_met_is_allowed() -> None:
    plan = schedule(scan(2), limits=Limits(max_rejected_ratio=0.25))
    plan.next(0.0, in_flight=3)
    plan.finished(TaskKey(0, 0), 1, joining(0, rejected=5), 0.0)
    plan.finished(TaskKey(0, 1), 1, joining(1), 0.0)
    assert isinstance(plan.ending, Done)


def test_late_word_of_an_old_attempt_changes_nothing() -> None:
    plan = schedule(scan(1))
    plan.next(0.0, in_flight=1)
    plan.failed(TaskKey(0, 0), 1, LOST, 0.0)
    assert plan.finished(TaskKey(0, 0), 1, joining(0), 0.0) == []
    assert unfinished(plan)
    plan.next(9.0, in_flight=1)
    assert plan.failed(TaskKey(0, 0), 1, LOST, 9.0) == []
    plan.finished(TaskKey(0, 0), 2, joining(0), 9.0)
    assert isinstance(plan.ending, Done)


def test_restored_results_are_proved_and_not_started() -> None:
    plan = schedule(scan(3))
    assert plan.restore(TaskKey(0, 1), 1, joining(1), 0.0) == []
    assert keys(plan.next(0.0, in_flight=9)) == [0, 2]
    decisions = plan.finished(TaskKey(0, 0), 1, joining(0), 0.0)
    assert [decision.key.shard for decision in decisions] == [0, 1]
    plan.finished(TaskKey(0, 2), 1, joining(2), 0.0)
    assert isinstance(plan.ending, Done)


def test_restored_result_that_does_not_join_is_done_again_with_the_next_attempt() -> None:
    plan = schedule(scan(2))
    plan.restore(TaskKey(0, 1), 3, result(report(1, first=107, end=200)), 0.0)
    plan.next(0.0, in_flight=9)
    plan.finished(TaskKey(0, 0), 1, joining(0), 0.0)
    assert plan.next(0.0, in_flight=9) == [Launch(TaskKey(0, 1), 4, 100)]


def test_backoff_doubles_up_to_a_cap_and_repeats_itself() -> None:
    waits = [backoff_s("job", TaskKey(0, 7), failures) for failures in range(1, 12)]
    assert waits == [backoff_s("job", TaskKey(0, 7), failures) for failures in range(1, 12)]
    assert all(0.125 * 2**n <= wait <= 0.25 * 2**n for n, wait in enumerate(waits[:7]))
    assert max(waits) <= 30.0
    assert backoff_s("other", TaskKey(0, 7), 1) != waits[0]


OOM = Failure("LIMIT", "OUT_OF_MEMORY", "No memory.", retryable=True)
LATE = Limits(late_s=5.0, stall_s=60.0)


def under_way(shards: int, limits: Limits, *, done: int) -> Schedule:
    """All shards begun at 0, the first `done` of them finished after a second."""
    plan = schedule(scan(shards), limits=limits)
    for launch in plan.next(0.0, in_flight=shards):
        assert plan.started(launch.key, launch.attempt, 0.0)
    for shard in range(done):
        plan.finished(TaskKey(0, shard), 1, joining(shard), 1.0)
    return plan


def test_straggler_has_a_second_attempt_and_the_first_result_counts() -> None:
    plan = under_way(4, LATE, done=3)
    assert plan.next(4.9, in_flight=4) == []
    assert plan.next(6.0, in_flight=4) == [Launch(TaskKey(0, 3), 2, 300)]
    assert not plan.started(TaskKey(0, 3), 2, 6.0)
    assert plan.next(60.0, in_flight=4) == []  # Never a third one.
    decisions = plan.finished(TaskKey(0, 3), 2, joining(3), 7.0)
    assert [(type(decision), decision.attempt) for decision in decisions] == [(Superseded, 1), (Proved, 2)]
    assert plan.finished(TaskKey(0, 3), 1, joining(3), 8.0) == []
    assert isinstance(plan.ending, Done)
    assert plan.ending.balance.read == 40


def test_late_task_that_is_about_to_end_is_left_alone() -> None:
    plan = under_way(4, LATE, done=3)
    plan.moved(TaskKey(0, 3), 1, Counters(95), 0.95, 6.0)
    assert plan.next(6.0, in_flight=4) == []
    assert plan.next(9.0, in_flight=4) == [Launch(TaskKey(0, 3), 2, 300)]  # It stood still meanwhile.


def test_nothing_is_late_before_others_are_done_or_while_a_first_attempt_waits() -> None:
    assert under_way(8, LATE, done=3).next(100.0, in_flight=8) == []
    plan = schedule(scan(4), limits=LATE)
    for launch in plan.next(0.0, in_flight=4):
        if launch.key.shard < 3:
            plan.started(launch.key, 1, 0.0)
            plan.finished(launch.key, 1, joining(launch.key.shard), 1.0)
    assert plan.next(100.0, in_flight=4) == []  # The last one waits for a worker.
    assert plan.give_up(100.0) == []


def test_few_second_attempts_run_at_once_and_only_on_free_slots() -> None:
    plan = under_way(8, LATE, done=5)
    assert plan.next(6.0, in_flight=3) == []
    assert len(plan.next(8.0, in_flight=8)) == 1


@pytest.mark.parametrize("survivor", [1, 2])
def test_failure_of_one_of_two_attempts_costs_nothing_while_the_other_goes_on(survivor: int) -> None:
    plan = under_way(4, LATE, done=3)
    plan.next(6.0, in_flight=4)
    plan.started(TaskKey(0, 3), 2, 6.0)
    [gone] = plan.failed(TaskKey(0, 3), 3 - survivor, LOST, 7.0)
    assert isinstance(gone, Gone) and not gone.is_only
    assert plan.due_at() is None
    plan.finished(TaskKey(0, 3), survivor, joining(3), 8.0)
    assert isinstance(plan.ending, Done)


def test_second_attempt_may_start_where_the_first_had_to_guess() -> None:
    plan = schedule(scan(4), limits=LATE)
    for launch in plan.next(0.0, in_flight=4):
        plan.started(launch.key, launch.attempt, 0.0)
    for shard in (0, 1, 2):
        plan.finished(TaskKey(0, shard), 1, joining(shard), 1.0)
    assert plan.next(6.0, in_flight=4) == [Launch(TaskKey(0, 3), 2, 300)]
    misguessed = result(report(3, first=307, end=400))
    decisions = plan.finished(TaskKey(0, 3), 1, misguessed, 7.0)
    assert [type(decision) for decision in decisions] == [Superseded, Gone]
    assert plan.next(7.0, in_flight=4) == [Launch(TaskKey(0, 3), 3, 300)]


def test_attempt_that_does_not_move_is_given_up_and_tried_again() -> None:
    plan = under_way(2, Limits(stall_s=60.0), done=1)
    plan.moved(TaskKey(0, 1), 1, Counters(10), 0.1, 30.0)
    plan.moved(TaskKey(0, 1), 1, Counters(10), 0.1, 80.0)
    assert plan.give_up(89.0) == []
    [gone] = plan.give_up(90.0)
    assert isinstance(gone, Gone) and gone.runs_on
    assert gone.failure.code == "TASK_HUNG"
    assert plan.give_up(200.0) == []
    assert plan.next(gone.at, in_flight=2) == [Launch(TaskKey(0, 1), 2, 100)]
    assert plan.finished(TaskKey(0, 1), 1, joining(1), 201.0) == []


def test_shard_that_always_hangs_fails_the_job_with_its_number() -> None:
    plan, now = schedule(scan(1), limits=Limits(stall_s=10.0, max_attempts=2)), 0.0
    for attempt in (1, 2):
        plan.next(now, in_flight=1)
        plan.started(TaskKey(0, 0), attempt, now)
        plan.give_up(now + 10)
        now += 20
    assert isinstance(plan.ending, Broken)
    assert plan.ending.failure.code == "TASK_HUNG"
    assert plan.ending.failure.message.startswith("Task 0 of stage 0 failed 2 times")


def test_task_that_ran_out_of_memory_is_squeezed_more_each_time() -> None:
    plan, now, squeezed = schedule(scan(1), limits=Limits(max_attempts=3)), 0.0, []
    while unfinished(plan):
        [launch] = plan.next(now, in_flight=1)
        squeezed.append(launch.squeezed)
        plan.failed(launch.key, launch.attempt, OOM, now)
        now += 60.0
    assert squeezed == [0, 1, 2]
    assert isinstance(plan.ending, Broken) and plan.ending.failure.code == "OUT_OF_MEMORY"


@dataclass
class Machine:
    """A cluster that finishes what it was given in any order, loses workers, and guesses some starts wrongly."""

    random: Random
    shards: int
    wrong_guesses: frozenset[int]
    bad_shards: frozenset[int]
    max_failures: int
    running: list[Launch] = field(default_factory=list)
    failures: dict[TaskKey, int] = field(default_factory=dict)
    proved: list[Proved] = field(default_factory=list)
    now: float = 0.0

    def run(self, plan: Schedule, in_flight: int) -> None:
        while plan.ending is None:
            launches = plan.next(self.now, in_flight=in_flight, written=len(self.proved))
            self.running += launches
            assert len(self.running) <= in_flight
            if not self.running:
                due = plan.due_at()
                assert due is not None, "nothing runs and nothing is due"
                self.now = max(self.now, due)
                continue
            launch = self.running.pop(self.random.randrange(len(self.running)))
            self.proved += [done for done in self.finish(plan, launch) if isinstance(done, Proved)]

    def finish(self, plan: Schedule, launch: Launch) -> list[Decision]:
        failures = self.failures.get(launch.key, 0)
        if failures < self.max_failures and self.random.random() < 0.3:
            self.failures[launch.key] = failures + 1
            return plan.failed(launch.key, launch.attempt, LOST, self.now)
        return plan.finished(launch.key, launch.attempt, self.outcome(launch), self.now)

    def outcome(self, launch: Launch) -> TaskResult:
        shard = launch.key.shard
        wrong = launch.start is None and shard in self.wrong_guesses
        first = self.bound(shard) + (3 if wrong else 0)
        if launch.start is not None:
            assert launch.start == self.bound(shard)
        if (shard in self.bad_shards) != wrong:
            stopped = report(shard, first=first, end=first + 1, rows=4, rejected=1, stopped=True)
            return result(stopped, first_reject=reject(4))
        return result(report(shard, first=first, end=self.bound(shard + 1), rows=7 + shard))

    def bound(self, shard: int) -> int:
        """Records run over the bounds of shards, but not over the end of the file."""
        if shard == 0:
            return 6
        return shard * SHARD_BYTES + (shard % 5 if shard < self.shards else 0)


@given(
    seed=st.integers(0, 2**32),
    shards=st.integers(1, 12),
    wrong_guesses=st.frozensets(st.integers(1, 11)),
    bad_shards=st.frozensets(st.integers(0, 11), max_size=2),
    in_flight=st.integers(1, 6),
    window=st.none() | st.integers(1, 4),
)
def test_any_order_of_any_luck_comes_to_the_same_end(
    seed: int,
    shards: int,
    wrong_guesses: frozenset[int],
    bad_shards: frozenset[int],
    in_flight: int,
    window: int | None,
) -> None:
    machine = Machine(Random(seed), shards, wrong_guesses, bad_shards, max_failures=3)  # noqa: S311
    plan = schedule(scan(shards), limits=Limits(max_attempts=4, window=window))
    machine.run(plan, in_flight)
    bad = min((shard for shard in bad_shards if shard < shards), default=None)
    proved = shards if bad is None else bad
    assert [done.key.shard for done in machine.proved] == list(range(proved))
    assert [done.row_base for done in machine.proved] == [sum(7 + s for s in range(n)) for n in range(proved)]
    if bad is None:
        assert isinstance(plan.ending, Done)
        assert plan.ending.balance.read == sum(7 + shard for shard in range(shards))
    else:
        assert isinstance(plan.ending, BadRow)
        assert plan.ending.proved.key.shard == bad
        assert plan.ending.reject["row"] + plan.ending.proved.row_base == 4 + sum(7 + s for s in range(bad))
