"""One job under one lease: drives a run of compute and writes down what it says, from the start to the end.

With `dispatch` and `planning` the only module that knows compute. Its events come in order and are handled one at a
time, so nothing here is written twice or out of turn.
"""

import asyncio
import json
import logging
import math
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from compute import errors as compute_errors
from compute import spec
from compute.run import Run
from gateway import journal, leftovers, planning
from gateway.events import Events, StateChange, snapshot_of
from gateway.journal import Fact, Record
from gateway.models import (
    ArtifactKind,
    Dataset,
    FileFormat,
    Job,
    JobSource,
    JobState,
    JobTask,
    TaskState,
    now,
)
from gateway.progress import Snapshot, StageSnapshot, forward, halted, stopped, succeeded, to_row
from gateway.settings import Settings

log = logging.getLogger(__name__)

KEEP_S: Final = 1.0
"""Between two writes of progress to the database; subscribers get each snapshot."""
RECORD_S: Final = 0.25
"""A finished task is written down this soon, so that a crash repeats little."""
LEAVE_TIMEOUT_S: Final = 10.0
"""For tasks to stop when the service does."""

StartRun = Callable[[spec.JobSpec, Sequence[spec.TaskFinished]], Run]

_WORKING: Final = (JobState.PLANNING, JobState.RUNNING, JobState.FINALIZING)


class LeaseLost(Exception):
    """Another dispatcher has the job."""


class Execution:
    def __init__(self, job: Job, epoch: int, settings: Settings, events: Events, start_run: StartRun) -> None:
        """`job` as it is right after the lease was taken."""
        self.job_id: UUID = job.id
        self.owner_id: UUID = job.owner_id
        self.epoch = epoch
        self._job = job
        self._settings = settings
        self._events = events
        self._start_run = start_run
        self._folder = settings.jobs_dir / str(job.id)
        self._output = leftovers.output_of(self._folder, epoch)
        self._snapshot = snapshot_of(job)
        self._tasks: dict[tuple[int, int], dict[str, Any]] = {}
        self._records: list[Record] = []
        self._counted: set[tuple[int, int, int]] = set()
        self._cpu_seconds = 0.0
        self._kept_at = 0.0
        self._run: Run | None = None
        self.lease_until = math.inf
        """When the lease ends, by the steady clock of this process, if nobody renews it."""
        self._is_left = False
        self._is_pausing = job.pause_requested_at is not None

    async def run(self) -> None:
        """Until the job is in a final state, or until `leave`. Raises LeaseLost."""
        self._published(self._job.state)
        if self._job.state is JobState.CANCELING:
            await self._canceled()
            return
        if self._is_pausing:
            await self._paused()
            return
        try:
            await self._follow()
        except LeaseLost:
            raise
        except Exception as error:
            await self._failed(compute_errors.to_failure(error), ())

    def cancel(self) -> None:
        """The job is CANCELING: stop its tasks. Idempotent."""
        if self._snapshot.state is not JobState.CANCELING:
            self._snapshot = replace(self._snapshot, state=JobState.CANCELING)
            self._events.publish_progress(self._snapshot)
        if self._run is not None:
            self._run.cancel()

    def pause(self) -> None:
        """Stop the tasks; the job is PAUSED when they have. Too late for one that is being committed. Idempotent."""
        if self._snapshot.state is not JobState.FINALIZING:
            self._is_pausing = True
            if self._run is not None:
                self._run.suspend()

    def leave(self) -> None:
        """Stop the tasks and leave the job as it is: it goes on later, here or elsewhere, from what is done."""
        self._is_left = True
        if self._run is not None:
            self._run.suspend()

    async def _follow(self) -> None:
        rows = await JobTask.filter(job_id=self.job_id, record__isnull=False)
        done = [spec.TaskFinished(row.stage, row.shard, row.attempt, row.record) for row in rows]
        job_spec = planning.job_spec(
            str(self.job_id),
            self._job.sql or self._job.spec.get("sql", ""),
            self._job.spec,
            staging_dir=str(self._folder / "staging"),
            output_dir=str(self._output),
            max_attempts=self._settings.job_max_attempts,
            memory_bytes=self._settings.job_task_memory_bytes,
            index_dir=str(self._settings.indexes_dir),
            storage=self._settings.objects,
            stall_s=self._settings.job_stall_s or None,
            late_s=self._settings.job_late_s or None,
            kind="PROFILE" if self._job.is_profile else "QUERY",
        )
        self._run = self._start_run(job_spec, done)
        if self._snapshot.state is JobState.CANCELING:
            self._run.cancel()
        elif self._is_left or self._is_pausing:
            self._run.suspend()
        try:
            async for event in self._run.events():
                await self._take(event)
        finally:
            self._run.suspend()  # Of no effect on a run that has ended.
        if not self._snapshot.is_final:
            await self._keep()
            await asyncio.to_thread(self._run.join, LEAVE_TIMEOUT_S)
            if self._is_pausing:
                await self._paused()

    async def _take(self, event: spec.Event) -> None:
        match event:
            case spec.Progress():
                self._progressed(event)
            case spec.TaskFinished():
                self._records.append(Record(event.stage, event.shard, event.attempt, event.record))
            case spec.Planned():
                await self._planned(event)
            case spec.TaskFailed():
                await self._task_failed(event)
            case spec.Finalizing():
                await self._keep()
                fact = Fact("FINALIZING", "All tasks are done; the output is being committed.")
                if (
                    await self._advance(fact, before=[JobState.RUNNING], after=JobState.FINALIZING)
                    and self._run is not None
                ):
                    self._run.commit()
            case spec.Succeeded():
                await self._succeeded(event)
            case spec.Failed():
                await self._failed(event.failure, event.artifacts)
            case spec.Canceled():
                await self._canceled()
            case spec.TaskStarted():
                pass
        waited_s = time.monotonic() - self._kept_at
        if waited_s >= KEEP_S or (self._records and waited_s >= RECORD_S):
            await self._keep()

    async def _planned(self, event: spec.Planned) -> None:
        stages = tuple(_stage(stage) for stage in event.stages)
        planned = replace(self._snapshot, stages=stages, bytes_total=event.bytes_total)
        self._snapshot = forward(self._snapshot, planned)
        tasks = sum(stage.task_count for stage in stages)
        fact = Fact(
            "RUNNING",
            f"The job is planned. Stages: {len(stages)}, tasks: {tasks}.",
            {"tasks": tasks, "stages": len(stages), "bytesTotal": event.bytes_total},
        )
        await self._advance(
            fact,
            before=[JobState.PLANNING],
            after=JobState.RUNNING,
            effective_sql=event.effective_sql or None,
            progress=to_row(self._snapshot),
        )

    def _progressed(self, event: spec.Progress) -> None:
        reported = replace(
            self._snapshot,
            fraction=event.fraction,
            bytes_read=event.bytes_read,
            bytes_total=event.bytes_total,
            rows_read=event.rows_read,
            rows_written=event.rows_written,
            rows_rejected=event.rows_rejected,
            bytes_per_second=event.bytes_per_second,
            rows_per_second=event.rows_per_second,
            eta_seconds=event.eta_seconds,
            stages=tuple(_stage(stage) for stage in event.stages),
            last_tick_at=datetime.fromtimestamp(event.at, UTC),
        )
        self._snapshot = forward(self._snapshot, reported)
        for task in event.tasks:
            self._tasks[task.stage, task.shard] = _task_row(task)
            attempt = (task.stage, task.shard, task.attempt)
            if task.started_at is not None and task.finished_at is not None and attempt not in self._counted:
                self._counted.add(attempt)
                self._cpu_seconds += max(0.0, task.finished_at - task.started_at)
        self._events.publish_progress(self._snapshot)

    async def _task_failed(self, event: spec.TaskFailed) -> None:
        then = "it is tried again" if event.will_retry else "it is not tried again"
        fact = Fact(
            "TASK_RETRIED" if event.will_retry else "TASK_FAILED",
            f"Task {event.shard} of stage {event.stage} failed at attempt {event.attempt}; {then}. "
            f"{event.failure.message}",
            {
                "stage": event.stage,
                "shard": event.shard,
                "attempt": event.attempt,
                "code": event.failure.code,
            },
        )
        if not await journal.note(self.job_id, fact, epoch=self.epoch):
            raise LeaseLost
        self._events.publish_event(self.job_id)

    async def _succeeded(self, event: spec.Succeeded) -> None:
        balance = event.balance
        if not balance.closes:
            message = (
                f"The rows do not balance: {balance.read} read, {balance.passed} passed, "
                f"{balance.rejected} rejected."
            )
            await self._failed(compute_errors.internal("BALANCE_OPEN", message), ())
            return
        await self._keep()
        if self._job.is_profile:
            await self._keep_profile(event.artifacts)
        at = now()
        final = succeeded(
            self._snapshot,
            rows_read=balance.read,
            rows_written=balance.written,
            rows_rejected=balance.rejected,
            at=at,
        )
        fact = Fact(
            "SUCCEEDED",
            f"Done: {balance.read} rows read, {balance.passed} passed, {balance.rejected} rejected, "
            f"{balance.written} written.",
            balance._asdict(),
        )
        if self._job.is_profile:
            fact = Fact("SUCCEEDED", f"Done: the statistics are of {balance.read} rows.")
        await self._end(
            fact,
            final,
            artifacts=[self._artifact(artifact) for artifact in event.artifacts],
            **({} if self._job.is_profile else _balance_row(balance)),
        )

    async def _keep_profile(self, artifacts: Iterable[spec.Artifact]) -> None:
        """Shows the statistics with the dataset, where that is still read as it was."""
        paths = [Path(artifact.path) for artifact in artifacts if artifact.kind == "PROFILE"]
        for path in paths:
            found = json.loads(await asyncio.to_thread(path.read_bytes))
            source = await JobSource.filter(job_id=self.job_id).first().values("dataset_id")
            if source is not None:
                same = Dataset.filter(id=source["dataset_id"], revision=self._job.spec["revision"])
                await same.update(profile=found)

    async def _failed(self, failure: spec.Failure, artifacts: Iterable[spec.Artifact]) -> None:
        await self._keep()  # What is done spares a retry the work.
        final = stopped(self._snapshot, JobState.FAILED, now())
        fact = Fact("FAILED", failure.message, {"kind": failure.kind, "code": failure.code})
        kept = [self._artifact(artifact) for artifact in artifacts]
        await self._end(fact, final, artifacts=kept, failure=failure._asdict())

    async def _end(
        self, fact: Fact, final: Snapshot, *, artifacts: Sequence[dict[str, Any]], **values: Any
    ) -> None:
        """The final state, the artifacts and the last event, in one transaction; CANCELED where cancel came first."""
        if await self._advance(
            fact,
            before=_WORKING,
            after=final.state,
            final=final,
            artifacts=artifacts,
            **values,
        ):
            if final.state is JobState.SUCCEEDED:
                await self._remove(self._folder / "staging")
            await asyncio.to_thread(leftovers.remove_other_outputs, self._folder, self.epoch)
        else:
            await self._canceled()

    async def _paused(self) -> None:
        self._snapshot = halted(self._snapshot, now())
        if not await self._advance(
            Fact("PAUSED", "The job is paused; what is done stays done."),
            before=[JobState.PLANNING, JobState.RUNNING],
            after=JobState.PAUSED,
            progress=to_row(self._snapshot),
            progress_at=self._snapshot.last_tick_at,
            pause_requested_at=None,
            lease_owner=None,
            lease_expires_at=None,
        ):
            await self._canceled()

    async def _canceled(self) -> None:
        if self._snapshot.state is not JobState.CANCELING and not await self._is_canceling():
            message = "The run was stopped, though nobody asked for it."
            await self._failed(compute_errors.internal("STOPPED", message), ())
            return
        await self._keep()
        await self._remove(self._folder / "output")
        final = stopped(self._snapshot, JobState.CANCELED, now())
        fact = Fact("CANCELED", "The job was canceled; it leaves no result.")
        await self._advance(fact, before=[JobState.CANCELING], after=JobState.CANCELED, final=final)

    async def _advance(
        self,
        fact: Fact,
        *,
        before: Sequence[JobState],
        after: JobState,
        final: Snapshot | None = None,
        artifacts: Sequence[dict[str, Any]] = (),
        **values: Any,
    ) -> bool:
        """False when cancel came first. Raises LeaseLost."""
        if final is not None:
            values |= {
                "progress": to_row(final),
                "fraction": final.fraction,
                "bytes_read": final.bytes_read,
                "progress_at": final.last_tick_at,
                "finished_at": final.last_tick_at,
                "lease_owner": None,
                "lease_expires_at": None,
            }
        if await journal.advance(
            self.job_id, fact, before=before, after=after, epoch=self.epoch, artifacts=artifacts, **values
        ):
            if final is not None:
                self._snapshot = final
                self._events.drop(self.job_id)
            self._published(after)
            return True
        job = await Job.get_or_none(id=self.job_id)
        if job is None or job.lease_epoch != self.epoch:
            raise LeaseLost
        return False

    def _published(self, state: JobState) -> None:
        if self._snapshot.state is not JobState.CANCELING:
            self._snapshot = replace(self._snapshot, state=state)
        if not self._snapshot.is_final:
            self._events.publish_progress(self._snapshot)
        self._events.publish_change(StateChange(self.job_id, self.owner_id, state))

    async def _is_canceling(self) -> bool:
        return await Job.filter(id=self.job_id, state=JobState.CANCELING).exists()

    async def _keep(self) -> None:
        tasks, self._tasks = self._tasks, {}
        records, self._records = self._records, []
        cpu_seconds, self._cpu_seconds = self._cpu_seconds, 0.0
        self._kept_at = time.monotonic()
        if not await journal.keep(
            self.job_id,
            epoch=self.epoch,
            snapshot=self._snapshot,
            tasks=list(tasks.values()),
            records=records,
            cpu_seconds=cpu_seconds,
        ):
            raise LeaseLost

    async def _remove(self, folder: Path) -> None:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def _artifact(self, artifact: spec.Artifact) -> dict[str, Any]:
        path = Path(artifact.path).relative_to(self._settings.jobs_dir)
        return {
            "kind": ArtifactKind(artifact.kind),
            "name": artifact.name,
            "path": path.as_posix(),
            "format": FileFormat(artifact.format.upper()) if artifact.format else None,
            "size_bytes": artifact.size_bytes,
            "row_count": artifact.row_count,
            "sha256": artifact.sha256,
            "columns": list(artifact.columns),
        }


def _stage(stage: spec.StageProgress) -> StageSnapshot:
    return StageSnapshot(
        index=stage.index,
        name=stage.name,
        state=TaskState(stage.state),
        task_count=stage.task_count,
        tasks_done=stage.tasks_done,
        bytes_read=stage.bytes_read,
        bytes_total=stage.bytes_total,
    )


def _task_row(task: spec.TaskProgress) -> dict[str, Any]:
    return {
        "stage": task.stage,
        "shard": task.shard,
        "state": TaskState(task.state),
        "attempt": task.attempt,
        "bytes_read": task.bytes_read,
        "bytes_total": task.bytes_total,
        "rows_read": task.rows_read,
        "node": task.node,
        "started_at": _moment(task.started_at),
        "finished_at": _moment(task.finished_at),
        "failure": task.failure._asdict() if task.failure else None,
    }


def _balance_row(balance: spec.RowBalance) -> dict[str, int]:
    """Not of a profile: the engine does not tell how many rows it could not read."""
    return {
        "rows_read": balance.read,
        "rows_passed": balance.passed,
        "rows_rejected": balance.rejected,
        "rows_written": balance.written,
    }


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
