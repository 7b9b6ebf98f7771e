"""What runs next. Pure: a plan, then what became of each attempt, give the next tasks and how the job ends.

No clock, no Ray, no files: `now` is an argument, in seconds of any steady clock. Stages wait for the stages before
them (scans wait for none). A failure that more work can't cure is pending until every task before it is proved, so a
job fails with the same row whatever the order in which its shards finish.

A task that is late has a second attempt beside the first, one that does not move is given up and tried again (`pace`
says which); whatever attempt is done first counts, and the others are told to stop.
"""

import heapq
import math
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from karyaksham_engine.types import Reject

from .chain import Chain, misguessed
from .errors import OUT_OF_MEMORY, internal, task_hung
from .pace import CHECK_S, Live, Pace
from .results import Counters, TaskKey, TaskResult
from .spec import Failure, RowBalance

BACKOFF_BASE_S: Final = 0.25
BACKOFF_CAP_S: Final = 30.0
SECONDS_SHARE: Final = 10
"""One in so many of the attempts under way may be a second one."""


class StageTasks(NamedTuple):
    """A stage as the schedule sees it: how many tasks, and which of them are shards of one file."""

    index: int  # type: ignore[assignment]  # Hides a method of tuples that nobody needs here.
    kind: Literal["scan", "merge"]
    files: tuple[int, ...]
    """Of each task in the order of shards: the index of its file."""
    file_sizes: tuple[int | None, ...] = ()
    """Of each file: where its last shard must end; None where that is not known."""
    makes_output: bool = False


class Limits(NamedTuple):
    max_attempts: int = 4
    window: int | None = None
    """How many tasks may be ahead of the writer of the output; None: any number."""
    max_rejected_rows: int | None = None
    max_rejected_ratio: float | None = None
    stall_s: float | None = None
    """An attempt that has not moved for so long is given up; None: never."""
    late_s: float | None = None
    """A task that runs for so long may be late, and then has a second attempt; None: never."""


class Launch(NamedTuple):
    key: TaskKey
    attempt: int
    start: int | None
    squeezed: int = 0
    """How often the task ran out of memory."""


class Proved(NamedTuple):
    """The task's result counts. The bases are rows and lines of the file's proved records before this shard."""

    key: TaskKey
    attempt: int
    result: TaskResult
    row_base: int = 0
    line_base: int = 0


class Gone(NamedTuple):
    """An attempt that does not count; the next may start at `at`."""

    key: TaskKey
    attempt: int
    failure: Failure
    at: float
    runs_on: bool = False
    """The attempt is given up while it runs: stop it."""
    is_only: bool = True
    """No other attempt of the task is under way."""


class Superseded(NamedTuple):
    """Another attempt of the task was done first: stop this one."""

    key: TaskKey
    attempt: int


Decision = Proved | Gone | Superseded


class Done(NamedTuple):
    balance: RowBalance


class BadRow(NamedTuple):
    """The first bad row of the job under FAIL_JOB."""

    proved: Proved
    reject: Reject


class Broken(NamedTuple):
    failure: Failure
    key: TaskKey | None = None
    """The task at fault, where it is one."""
    attempt: int = 0


Ending = Done | BadRow | Broken


class _Task:
    def __init__(self, stage: StageTasks, chain: Chain | None) -> None:
        self.stage, self.chain = stage, chain
        self.state: Literal["WAITING", "RUNNING", "HELD", "PROVED"] = "WAITING"
        self.attempt = 0
        """The one whose outcome is held."""
        self.attempts = 0
        """How many were started."""
        self.failures = self.squeezed = 0
        self.start: int | None = None
        self.live: dict[int, Live] = {}
        """Attempts that are under way."""
        self.result: TaskResult | None = None
        self.failure: Failure | None = None

    @property
    def stops_job(self) -> bool:
        """It will end the job unless its start turns out to be misguessed."""
        if self.state != "HELD":
            return False
        report = self.result.report if self.result is not None else None
        return self.failure is not None or (report is not None and report["stopped_at_reject"])


class Schedule:
    """One job's tasks and what is known of them. Not safe for threads: one driver owns it."""

    def __init__(self, job_id: str, stages: Sequence[StageTasks], limits: Limits) -> None:
        self._job_id = job_id
        self._stages = stages
        self._limits = limits
        self._tasks: dict[TaskKey, _Task] = {}
        self._chains: list[Chain] = []
        self._open = [len(stage.files) for stage in stages]
        self._ready: list[TaskKey] = []
        self._delayed: list[tuple[float, TaskKey]] = []
        self._in_flight = 0
        self._running: dict[TaskKey, _Task] = {}
        self._pace = [Pace() for _ in stages]
        self._checked_at = -math.inf
        self._stopping: set[TaskKey] = set()
        self._read = self._passed = self._rejected = self._written = 0
        self.ending: Ending | None = None
        for stage in stages:
            self._add(stage)
        heapq.heapify(self._ready)
        self._check_end()

    def _add(self, stage: StageTasks) -> None:
        by_file: dict[int, list[TaskKey]] = {}
        for shard, file in enumerate(stage.files):
            by_file.setdefault(file, []).append(TaskKey(stage.index, shard))
        for file, keys in by_file.items():
            chain = None
            if stage.kind == "scan":
                size = stage.file_sizes[file] if file < len(stage.file_sizes) else None
                chain = Chain(tuple(keys), size)
                self._chains.append(chain)
            for key in keys:
                self._tasks[key] = _Task(stage, chain)
                self._ready.append(key)

    def next(self, now: float, *, in_flight: int, written: int = 0) -> list[Launch]:
        """The tasks to start now.

        At most `in_flight` run at once; `written` says how many tasks have their part of the output written.
        """
        while self._delayed and self._delayed[0][0] <= now:
            heapq.heappush(self._ready, heapq.heappop(self._delayed)[1])
        launches: list[Launch] = []
        while self._ready and self.ending is None and self._may_start(self._ready[0], in_flight, written):
            key = heapq.heappop(self._ready)
            task = self._tasks[key]
            if task.state != "WAITING":
                continue
            launches.append(self._launch(key, task, now))
        room = in_flight - self._in_flight
        if self._limits.late_s is not None and room > 0 and now - self._checked_at >= CHECK_S:
            self._checked_at = now
            launches += [self._launch(key, self._tasks[key], now) for key in self._late(now)[:room]]
        return launches

    def started(self, key: TaskKey, attempt: int, now: float) -> bool:
        """A worker has begun with an attempt. Whether it is the only one of its task."""
        live = self._tasks[key].live
        if attempt in live:
            live[attempt].begin(now)
        return len(live) == 1

    def moved(self, key: TaskKey, attempt: int, counters: Counters, share: float | None, now: float) -> None:
        """How far an attempt is: `share` of its input, where that is known."""
        live = self._tasks[key].live.get(attempt)
        if live is not None:
            live.move(counters, share, now)

    def give_up(self, now: float) -> list[Decision]:
        """What becomes of attempts that have not moved for too long."""
        stall_s = self._limits.stall_s
        if stall_s is None:
            return []
        stuck = [
            (key, number)
            for key, task in self._running.items()
            for number, live in task.live.items()
            if live.idle_s(now) >= stall_s
        ]
        decisions: list[Decision] = []
        for key, number in stuck:
            for decision in self.failed(key, number, task_hung(stall_s), now):
                if isinstance(decision, Gone) and decision.attempt == number:
                    decision = decision._replace(runs_on=True)
                decisions.append(decision)
        return decisions

    def due_at(self) -> float | None:
        """When a delayed retry becomes due."""
        return self._delayed[0][0] if self._delayed else None

    def finished(self, key: TaskKey, attempt: int, result: TaskResult, now: float) -> list[Decision]:
        """An attempt did its work. One that is no longer current is ignored."""
        task = self._current(key, attempt)
        if task is None:
            return []
        took_s = task.live[attempt].elapsed_s(now)
        if took_s is not None:
            self._pace[key.stage].done(took_s)
        task.result = result
        return self._hold(key, task, attempt, now)

    def failed(self, key: TaskKey, attempt: int, failure: Failure, now: float) -> list[Decision]:
        """An attempt failed. It is tried again where another try may help and attempts are left."""
        task = self._current(key, attempt)
        if task is None:
            return []
        task.failures += 1
        task.squeezed += failure.code == OUT_OF_MEMORY
        if failure.retryable and len(task.live) > 1:
            self._drop(task, attempt)
            return [Gone(key, attempt, failure, now, is_only=False)]
        task.attempt = attempt
        if failure.retryable and task.failures < self._limits.max_attempts:
            return [self._again(key, task, failure, now, backoff=True)]
        if failure.retryable:
            self._end(Broken(_exhausted(failure, key, task.failures), key, attempt))
            return []
        task.failure = failure
        return self._hold(key, task, attempt, now)

    def restore(self, key: TaskKey, attempt: int, result: TaskResult, now: float) -> list[Decision]:
        """Take over a result of an earlier run, before anything is started. It is proved like any other."""
        task = self._tasks[key]
        if task.state != "WAITING":
            return []
        task.attempts, task.result = attempt, result
        return self._hold(key, task, attempt, now)

    @property
    def chains(self) -> Sequence[Chain]:
        """The shards of each file, and how far they are proved."""
        return self._chains

    @property
    def rejected(self) -> int:
        """Rows that the proved shards rejected."""
        return self._rejected

    def stage_done(self, stage: int) -> bool:
        """Whether all tasks of a stage are proved."""
        return not self._open[stage]

    def _current(self, key: TaskKey, attempt: int) -> _Task | None:
        task = self._tasks[key]
        return task if attempt in task.live and self.ending is None else None

    def _launch(self, key: TaskKey, task: _Task, now: float) -> Launch:
        if task.chain is not None and task.chain.frontier == key:
            task.start = task.chain.end
        task.state = "RUNNING"
        task.attempts += 1
        task.live[task.attempts] = Live(task.start)
        self._running[key] = task
        self._in_flight += 1
        return Launch(key, task.attempts, task.start, task.squeezed)

    def _drop(self, task: _Task, attempt: int) -> Live | None:
        live = task.live.pop(attempt, None)
        self._in_flight -= live is not None
        return live

    def _late(self, now: float) -> list[TaskKey]:
        """Tasks that should have a second attempt, those with the most left to do first."""
        if self.ending is not None or self._limits.late_s is None:
            return []
        second = sum(len(task.live) > 1 for task in self._running.values())
        late = []
        for key, task in self._running.items():
            pace = self._pace[key.stage]
            if len(task.live) > 1 or not pace.is_known(len(task.stage.files)):
                continue
            (live,) = task.live.values()
            left_s = live.late_by(pace.median_s, self._limits.late_s, now)
            if left_s is not None and not (self._stopping and key > min(self._stopping)):
                late.append((-left_s, key))
        allowed = max(1, self._in_flight // SECONDS_SHARE) - second
        return [key for _, key in heapq.nsmallest(max(0, allowed), late)]

    def _may_start(self, key: TaskKey, in_flight: int, written: int) -> bool:
        if self._in_flight >= in_flight:
            return False
        if self._stopping and key > min(self._stopping):
            return False
        stage = self._tasks[key].stage
        if stage.kind == "merge" and any(self._open[: stage.index]):
            return False
        window = self._limits.window
        return not (stage.makes_output and window is not None and key.shard >= written + window)

    def _hold(self, key: TaskKey, task: _Task, attempt: int, now: float) -> list[Decision]:
        task.state, task.attempt = "HELD", attempt
        if live := self._drop(task, attempt):
            task.start = live.start
        decisions: list[Decision] = [Superseded(key, other) for other in task.live]
        for other in list(task.live):
            self._drop(task, other)
        self._running.pop(key, None)
        if task.stops_job:
            self._stopping.add(key)
        if task.chain is None:
            decisions += self._judge_merge(key, task)
        else:
            decisions += self._advance(task.chain, now)
        self._check_end()
        return decisions

    def _judge_merge(self, key: TaskKey, task: _Task) -> list[Decision]:
        if task.failure is not None or task.result is None:
            failure = task.failure or internal("NO_RESULT")
            self._end(Broken(failure, key, task.attempt))
            return []
        proved = Proved(key, task.attempt, task.result)
        self._count(proved, task)
        return [proved]

    def _advance(self, chain: Chain, now: float) -> list[Decision]:
        decisions: list[Decision] = []
        while (key := chain.frontier) is not None and self._tasks[key].state == "HELD":
            task = self._tasks[key]
            exact = chain.end is None or task.start == chain.end
            if task.failure is not None:
                if exact:
                    break  # It ends the job once all tasks before it are proved.
                decisions.append(self._again(key, task, task.failure, now, start=chain.end))
                continue
            if task.result is None or task.result.report is None:
                self._end(Broken(internal("NO_REPORT"), key, task.attempt))
                break
            report = task.result.report
            if chain.joint(report) == "MISGUESSED":
                if exact:
                    broken = internal("CHAIN_BROKEN", "Two shards of a file do not join.")
                    self._end(Broken(broken, key, task.attempt))
                    break
                decisions.append(self._again(key, task, misguessed(report), now, start=chain.end))
                continue
            if report["stopped_at_reject"]:
                break
            fault = chain.fault(report)
            if fault is not None:
                self._end(Broken(fault, key, task.attempt))
                break
            proved = Proved(key, task.attempt, task.result, chain.rows, chain.lines)
            chain.accept(report)
            self._count(proved, task)
            decisions.append(proved)
        return decisions

    def _again(
        self,
        key: TaskKey,
        task: _Task,
        failure: Failure,
        now: float,
        *,
        start: int | None = None,
        backoff: bool = False,
    ) -> Gone:
        self._stopping.discard(key)
        self._drop(task, task.attempt)
        self._running.pop(key, None)
        at = now
        task.state, task.result, task.failure = "WAITING", None, None
        if start is not None:
            task.start = start
        if backoff:
            at += backoff_s(self._job_id, key, task.failures)
            heapq.heappush(self._delayed, (at, key))
        else:
            heapq.heappush(self._ready, key)
        return Gone(key, task.attempt, failure, at)

    def _count(self, proved: Proved, task: _Task) -> None:
        task.state, task.result = "PROVED", None
        self._open[task.stage.index] -= 1
        report = proved.result.report
        if report is not None:
            self._read += report["rows_read"]
            self._passed += report["rows_passed"]
            self._rejected += report["rows_rejected"]
        if task.stage.makes_output:
            self._written += proved.result.rows_written
        limit = self._limits.max_rejected_rows
        if limit is not None and self._rejected > limit:
            self._end(
                Broken(_over_budget(f"Rejected rows are more than the {limit:,} that this job allows."))
            )

    def _check_end(self) -> None:
        if self.ending is not None:
            return
        if self._stopping:
            self._check_stop(min(self._stopping))
            return
        scanned = not any(self._open[stage.index] for stage in self._stages if stage.kind == "scan")
        ratio = self._limits.max_rejected_ratio
        if scanned and ratio is not None and self._rejected > ratio * self._read:
            self._end(
                Broken(
                    _over_budget(
                        f"{self._rejected:,} of {self._read:,} rows were rejected, "
                        f"more than the {100 * ratio:g} % that this job allows."
                    )
                )
            )
        elif not any(self._open):
            balance = RowBalance(self._read, self._passed, self._rejected, self._written)
            if balance.closes:
                self._end(Done(balance))
            else:
                self._end(Broken(internal("ROW_BALANCE", "The rows read are not those passed and rejected.")))

    def _check_stop(self, key: TaskKey) -> None:
        """End the job with the pending failure `key` when everything before it is proved."""
        if any(chain.frontier is not None and chain.frontier < key for chain in self._chains):
            return
        task = self._tasks[key]
        if task.failure is not None:
            self._end(Broken(task.failure, key, task.attempt))
        elif task.result is not None and task.chain is not None:
            chain = task.chain
            proved = Proved(key, task.attempt, task.result, chain.rows, chain.lines)
            reject = task.result.first_reject
            fault = Broken(internal("NO_REJECT"), key, task.attempt)
            self._end(fault if reject is None else BadRow(proved, reject))

    def _end(self, ending: Ending) -> None:
        if self.ending is None:
            self.ending = ending


def backoff_s(job_id: str, key: TaskKey, failures: int) -> float:
    """Seconds before the next try: doubling, with a jitter that is the same each time the same job is asked."""
    from hashlib import blake2b  # Here, because OpenSSL takes milliseconds to load.

    seed = f"{job_id}/{key.stage}/{key.shard}/{failures}".encode()
    jitter = int.from_bytes(blake2b(seed, digest_size=8).digest(), "big") / 2**64
    return min(BACKOFF_CAP_S, BACKOFF_BASE_S * 2.0 ** (failures - 1)) * (0.5 + 0.5 * jitter)


def _exhausted(failure: Failure, key: TaskKey, tries: int) -> Failure:
    """Of a task that failed at each try."""
    times = "once" if tries == 1 else f"{tries} times"
    return failure._replace(
        message=f"Task {key.shard} of stage {key.stage} failed {times}, the last time so: {failure.message}",
        detail={**failure.detail, "stage": key.stage, "shard": key.shard, "attempts": tries},
    )


def _over_budget(message: str) -> Failure:
    return Failure(
        "DATA",
        "REJECT_BUDGET_EXCEEDED",
        message,
        "Look at the rejected rows, mend the file or the column types, or allow more rejected rows.",
    )
