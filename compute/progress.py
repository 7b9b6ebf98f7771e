"""How far a job is: counters of attempts in, honest snapshots out. Pure."""

import math
from collections.abc import Collection, Sequence
from typing import Final

from .results import Counters, TaskKey
from .spec import Failure, Progress, StageProgress, TaskProgress, TaskState

FINAL_SHARE: Final = 0.1
"""Of the whole job, for the stages after the scans: their size is not known before."""
BELOW_COMMIT: Final = 0.99
"""What the fraction reaches before the output is committed."""
SMOOTHING_S: Final = 3.0
"""Time constant of the rates."""
STEADY_S: Final = 1.0
"""No estimate of the remaining time is given before this much time has passed."""


class _Stage:
    def __init__(self, progress: StageProgress, scan: bool, states: list[TaskState]) -> None:
        self.progress, self.scan, self.states = progress, scan, states
        self.bytes_read = self.rows_read = self.rows_rejected = self.rows_written = self.done = 0


class Rate:
    """A rate per second over the last few seconds, the latest of them counting most."""

    def __init__(self, now: float) -> None:
        self._at, self._seen = now, 0.0
        self._gained = self._elapsed = 0.0

    def observe(self, now: float, value: float) -> float:
        """The rate, now that the counter stands at `value`. A counter that falls back counts as standing still."""
        elapsed = now - self._at
        if elapsed > 0:
            fade = math.exp(-elapsed / SMOOTHING_S)
            self._gained = self._gained * fade + max(0.0, value - self._seen)
            self._elapsed = self._elapsed * fade + elapsed
            self._at, self._seen = now, max(value, self._seen)
        return self._gained / self._elapsed if self._elapsed > 0 else 0.0


class Board:
    """Every task of a job as it stands."""

    def __init__(
        self,
        stages: Sequence[StageProgress],
        task_bytes: Sequence[Sequence[int]],
        scans: Collection[int],
        now: float,
    ) -> None:
        """`task_bytes` by stage and shard; `scans` are the indexes of the stages that read the job's input."""
        self._stages = [
            _Stage(stage, stage.index in scans, ["PENDING"] * stage.task_count) for stage in stages
        ]
        self._tasks: dict[TaskKey, TaskProgress] = {}
        self._counters: dict[TaskKey, Counters] = {}
        self._task_bytes = [list(of_stage) for of_stage in task_bytes]
        self._changed: set[TaskKey] = set()
        self._bytes_total = sum(stage.bytes_total for stage in stages if stage.index in scans)
        self._fraction = 0.0
        self._bytes_read = 0
        self._began = now
        self._bytes, self._rows, self._speed = Rate(now), Rate(now), Rate(now)

    def started(self, key: TaskKey, attempt: int, node: str | None, at: float) -> None:
        self._count(key, Counters())
        task = self._task(key)
        self._set(task._replace(state="RUNNING", attempt=attempt, node=node, started_at=at, finished_at=None))

    def counted(self, key: TaskKey, counters: Counters) -> None:
        """A running attempt has come this far."""
        if self._counters.get(key) != counters:
            self._count(key, counters)
            self._changed.add(key)

    def resized(self, stage: int, bytes_total: int) -> None:
        """The size of a stage has become known; its tasks share it alike."""
        entry = self._stages[stage]
        tasks = entry.progress.task_count
        self._task_bytes[stage] = [bytes_total // tasks] * tasks
        entry.progress = entry.progress._replace(bytes_total=bytes_total)

    def succeeded(self, key: TaskKey, attempt: int, counters: Counters, at: float) -> None:
        """The task's result counts."""
        self._count(key, counters)
        self._stages[key.stage].done += 1
        self._set(self._task(key)._replace(state="SUCCEEDED", attempt=attempt, finished_at=at, failure=None))

    def gone(self, key: TaskKey, attempt: int, failure: Failure, at: float, *, again: bool) -> None:
        """An attempt that does not count."""
        self._count(key, Counters())
        state: TaskState = "PENDING" if again else "FAILED"
        self._set(self._task(key)._replace(state=state, attempt=attempt, finished_at=at, failure=failure))

    def stages(self) -> tuple[StageProgress, ...]:
        return tuple(
            stage.progress._replace(state=_state(stage), tasks_done=stage.done, bytes_read=stage.bytes_read)
            for stage in self._stages
        )

    def snapshot(self, now: float, at: float, *, committed: bool = False) -> Progress:
        """Everything of the job and its stages, and the tasks that changed since the last snapshot."""
        scans = [stage for stage in self._stages if stage.scan]
        rows_read = sum(stage.rows_read for stage in scans)
        self._bytes_read = max(self._bytes_read, sum(stage.bytes_read for stage in scans))
        fraction = 1.0 if committed else BELOW_COMMIT * self._done_share(scans)
        self._fraction = max(self._fraction, fraction)
        changed, self._changed = sorted(self._changed), set()
        return Progress(
            fraction=self._fraction,
            bytes_read=min(self._bytes_read, self._bytes_total),
            bytes_total=self._bytes_total,
            rows_read=rows_read,
            rows_written=self._stages[-1].rows_written if self._stages else 0,
            rows_rejected=sum(stage.rows_rejected for stage in scans),
            bytes_per_second=self._bytes.observe(now, self._bytes_read),
            rows_per_second=self._rows.observe(now, rows_read),
            eta_seconds=self._eta(now),
            stages=self.stages(),
            tasks=tuple(self._progress_of(key) for key in changed),
            at=at,
        )

    def _done_share(self, scans: list[_Stage]) -> float:
        finals = [stage for stage in self._stages if not stage.scan]
        scanned = _share(scans)
        return scanned if not finals else scanned * (1 - FINAL_SHARE) + _share(finals) * FINAL_SHARE

    def _eta(self, now: float) -> float | None:
        speed = self._speed.observe(now, self._fraction)
        if self._fraction >= 1.0:
            return 0.0
        if now - self._began < STEADY_S or speed <= 0:
            return None
        return (1.0 - self._fraction) / speed

    def _task(self, key: TaskKey) -> TaskProgress:
        known = self._tasks.get(key)
        if known is not None:
            return known
        total = self._task_bytes[key.stage][key.shard]
        return TaskProgress(key.stage, key.shard, "PENDING", 0, 0, total, 0, None, None, None, None)

    def _progress_of(self, key: TaskKey) -> TaskProgress:
        counters = self._counters.get(key, Counters())
        task = self._task(key)
        total = max(task.bytes_total, counters.bytes_read) if task.state == "SUCCEEDED" else task.bytes_total
        return task._replace(
            bytes_read=min(counters.bytes_read, total), bytes_total=total, rows_read=counters.rows_read
        )

    def _set(self, task: TaskProgress) -> None:
        key = TaskKey(task.stage, task.shard)
        self._tasks[key] = task
        self._stages[key.stage].states[key.shard] = task.state
        self._changed.add(key)

    def _count(self, key: TaskKey, counters: Counters) -> None:
        stage, before = self._stages[key.stage], self._counters.get(key, Counters())
        stage.bytes_read += counters.bytes_read - before.bytes_read
        stage.rows_read += counters.rows_read - before.rows_read
        stage.rows_rejected += counters.rows_rejected - before.rows_rejected
        stage.rows_written += counters.rows_written - before.rows_written
        self._counters[key] = counters


def _share(stages: list[_Stage]) -> float:
    """How much of these stages is done: by bytes, or by tasks where there are no bytes."""
    total = sum(stage.progress.bytes_total for stage in stages)
    tasks = sum(stage.progress.task_count for stage in stages)
    done = sum(stage.done for stage in stages)
    if done == tasks:
        return 1.0
    if total == 0:
        return done / tasks
    return min(1.0, sum(min(stage.bytes_read, stage.progress.bytes_total) for stage in stages) / total)


def _state(stage: _Stage) -> TaskState:
    if stage.done == len(stage.states):
        return "SUCCEEDED"
    if "FAILED" in stage.states:
        return "FAILED"
    return "RUNNING" if stage.done or any(state != "PENDING" for state in stage.states) else "PENDING"
