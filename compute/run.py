"""Drives one job: plan, launch, collect, prove, write, commit. One thread a run; events go out through a stream."""

import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from typing import Final, Literal

from karyaksham_engine.errors import Canceled as StoppedByEngine

from .attempt import Executor
from .commit import Targets
from .errors import to_failure
from .job import Job
from .schedule import Done
from .spec import Artifact, Canceled, Event, Failed, Finalizing, JobSpec, Succeeded, TaskFinished
from .stream import Stream
from .workspace import remove_staging

SNAPSHOT_INTERVAL_S: Final = 0.25
"""Progress is told this often at most."""
STOP_CHECK_S: Final = 0.1
"""A stop is noticed within this time."""

Stop = Literal["CANCEL", "SUSPEND"]

log = logging.getLogger("karyaksham.compute")


def start(
    spec: JobSpec,
    *,
    resume: Sequence[TaskFinished] = (),
    target: str | None = None,
    rejects_target: str | None = None,
    keep_staging: bool = False,
    asks_to_commit: bool = False,
) -> "Run":
    """Start `spec` on the cluster of `compute.cluster.connect`. Returns at once.

    `resume`: what an earlier run of the same job has told as finished; what still holds is not done again.
    `target` and `rejects_target` as for `compute.local.start`. With `keep_staging` what is done stays in
    `spec.staging_dir` where the job does not succeed, for a later run with `resume`; the caller removes it.
    With `asks_to_commit` the output is committed only when, after Finalizing, the caller says `Run.commit()`.
    """
    if spec.kind == "PROFILE":
        from .profile import ProfileRun, on_ray  # Here, because it builds on this module.

        return ProfileRun(spec, on_ray)
    targets = Targets.of(spec, target, rejects_target)
    return Run(
        spec,
        lambda: _on_ray(spec),
        targets,
        resume,
        keep_staging=keep_staging,
        asks_to_commit=asks_to_commit,
    )


def _on_ray(spec: JobSpec) -> Executor:
    from .task import RayTasks  # Here, because Ray takes seconds to import.

    return RayTasks(spec.storage)


class Run:
    """A job under way. It has started when this exists, and ends by itself, whether anyone reads or not."""

    def __init__(
        self,
        spec: JobSpec,
        executor: Callable[[], Executor],
        targets: Targets,
        resume: Sequence[TaskFinished],
        *,
        keep_staging: bool = False,
        asks_to_commit: bool = False,
    ) -> None:
        self._keep_staging = keep_staging
        self._may_commit = threading.Event()
        if not asks_to_commit:
            self._may_commit.set()
        self._stop: Stop | None = None
        self._stream = Stream(lambda: not self._goes_on())
        self._spec, self._executor, self._targets, self._resume = spec, executor, targets, resume
        self._thread = threading.Thread(target=self._main, name=f"karyaksham-job-{spec.job_id}")
        self._thread.start()

    async def events(self) -> AsyncIterator[Event]:
        """Everything that happens, for one reader, from the start.

        The last is Succeeded, Failed or Canceled, or there is none after `suspend`. A reader that leaves
        early suspends the run.
        """
        try:
            while (event := await self._stream.take_async()) is not None:
                yield event
        finally:
            self._left()

    def follow(self) -> Iterator[Event]:
        """The same as `events`, for a reader without an event loop."""
        try:
            while (event := self._stream.take()) is not None:
                yield event
        finally:
            self._left()

    def cancel(self) -> None:
        """Stop everything and leave nothing behind. From any thread, any number of times."""
        self._stop = "CANCEL"

    def suspend(self) -> None:
        """Stop everything but keep what is done, for a later run with `resume`; no final event comes."""
        if self._stop is None:
            self._stop = "SUSPEND"

    def commit(self) -> None:
        """The answer to Finalizing, where the run asks: the caller still holds the job. From any thread."""
        self._may_commit.set()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait until nothing of the run is left working. False when that took too long."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _left(self) -> None:
        self.suspend()
        self._stream.abandon()

    def _main(self) -> None:
        try:
            final = self._drive()
            if final is not None:
                self._stream.put(final)
        finally:
            self._stream.close()

    def _drive(self) -> Event | None:
        """The whole life of the job. Returns its final event; None where it is suspended."""
        executor: Executor | None = None
        job: Job | None = None
        final: Succeeded | Failed | Canceled | None = None
        try:
            executor = self._executor()
            job = Job(self._spec, executor, self._targets, self._resume, self._stream.put)
            final = self._work(job)
        except StoppedByEngine:  # Nobody reads standard output any more.
            self.cancel()
        except Exception as error:  # The edge of a thread: a job ends with a reason, whatever it is.
            failure = to_failure(error)
            if self._goes_on():
                final = Failed(failure)
        if final is None and self._stop == "CANCEL":
            final = Canceled()
        self._clear(executor, job, final)
        return final

    def _work(self, job: Job) -> Succeeded | Failed | None:
        """Run the job to its end, or to a stop, then None."""
        told_at = -SNAPSHOT_INTERVAL_S
        while (ending := job.ending) is None:
            if not self._goes_on():
                return None
            now = time.monotonic()
            if now >= told_at + SNAPSHOT_INTERVAL_S:
                job.tell_progress(now)
                told_at = now
            job.step(now, min(STOP_CHECK_S, told_at + SNAPSHOT_INTERVAL_S - now))
        if isinstance(ending, Done):
            self._stream.put(Finalizing())
            while not self._may_commit.wait(STOP_CHECK_S):
                if not self._goes_on():
                    return None
            job.check_sources()
            job.keep_indexes()
            artifacts = self._result(job.writer.commit())
            if artifacts is None:
                return None
            job.tell_progress(time.monotonic(), committed=True)
            return Succeeded(artifacts, ending.balance)
        failure = job.fail(ending)
        job.tell_progress(time.monotonic())
        artifacts = self._result(job.writer.commit(output=False))
        return None if artifacts is None else Failed(failure, artifacts)

    def _result(self, future: "Future[tuple[Artifact, ...]]") -> tuple[Artifact, ...] | None:
        """What was committed; None where a stop came meanwhile."""
        while self._goes_on():
            if wait_for([future], STOP_CHECK_S).done:
                return future.result()
        wait_for([future])
        return None

    def _clear(self, executor: Executor | None, job: Job | None, final: Event | None) -> None:
        try:
            if executor is not None:
                executor.stop()
            if job is not None:
                committed = isinstance(final, Succeeded | Failed) and bool(final.artifacts)
                job.close(keep_artifacts=committed)
        except Exception:  # The job has ended already; what could not be cleared must not change how.
            log.exception("clearing up after job %s", self._spec.job_id)
        if isinstance(final, Succeeded) or (final is not None and not self._keep_staging):
            remove_staging(self._spec.staging_dir)

    def _goes_on(self) -> bool:
        if not threading.main_thread().is_alive():
            self.suspend()  # The process is ending.
        return self._stop is None
