"""Statistics of a whole table as a job: one task reads everything, and what it finds is the result.

The engine says nothing while it profiles, so progress stands at 0 until it is done. A stop kills the worker on Ray;
on threads the call goes on to its end, and nobody hears of it.
"""

import json
import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from pathlib import Path
from typing import Final

import karyaksham_engine as engine
from karyaksham_engine.types import ColumnProfile, Source

from .attempt import Executor
from .commit import Targets
from .errors import InfrastructureError, to_failure, worker_lost
from .run import STOP_CHECK_S, Run
from .spec import (
    Artifact,
    Canceled,
    Event,
    Failed,
    Failure,
    Finalizing,
    JobSpec,
    Planned,
    Progress,
    RowBalance,
    StageProgress,
    Succeeded,
    TaskFailed,
    TaskProgress,
    TaskStarted,
    TaskState,
)
from .workspace import check_unchanged, look, remove_staging

NAME: Final = "profile.json"

log = logging.getLogger("karyaksham.compute")

Found = list[ColumnProfile] | Failure
Profiler = Callable[[JobSpec], tuple["Future[Found]", Callable[[], None]]]
"""Starts the work: what will come of it, and how to stop it."""


def on_threads(threads: int) -> Profiler:
    def start(spec: JobSpec) -> tuple["Future[Found]", Callable[[], None]]:
        pool = ThreadPoolExecutor(1, thread_name_prefix="karyaksham-profile")
        future = pool.submit(_profile, spec.sources[0], threads, spec.memory_bytes)
        pool.shutdown(wait=False)
        return future, lambda: None

    return start


def on_ray(spec: JobSpec) -> tuple["Future[Found]", Callable[[], None]]:
    """In one worker, with half the cores of the largest node: other jobs go on beside it."""
    import ray  # Here, because Ray takes seconds to import.

    if not ray.is_initialized():
        raise InfrastructureError("RAY_NOT_CONNECTED", "Karyaksham is not connected to Ray.", retryable=True)
    cores = [int(node["Resources"].get("CPU", 1)) for node in ray.nodes() if node["Alive"]]
    threads = max(1, max(cores, default=1) // 2)
    work = ray.remote(num_cpus=threads, max_retries=0)(_profile).options(name=f"job {spec.job_id} profile")
    reference = work.remote(spec.sources[0], threads, spec.memory_bytes)
    return reference.future(), lambda: ray.cancel(reference, force=True)


def _profile(source: Source, threads: int, memory_bytes: int | None) -> Found:
    try:
        return engine.profile(source, threads=threads, memory_bytes=memory_bytes)
    except Exception as error:  # The edge of a worker: the driver decides what comes of it.
        return to_failure(error)


class ProfileRun(Run):
    """A profile under way: the same events as of a query, with one stage of one task."""

    def __init__(self, spec: JobSpec, profiler: Profiler) -> None:
        self._profiler = profiler
        source = spec.sources[0]
        self._name = f"profile {source['name']}"
        self._bytes = sum(file["size_bytes"] for file in source["files"])
        self._began_at: float | None = None
        super().__init__(spec, _no_executor, Targets.of(spec, None, None), ())

    def _drive(self) -> Event | None:
        try:
            final = self._work_on_table()
        except Exception as error:  # The edge of a thread: a job ends with a reason, whatever it is.
            final = Failed(to_failure(error))
        if final is None:
            final = Canceled() if self._stop == "CANCEL" else None
        if final is not None:
            remove_staging(self._spec.staging_dir)
        return final

    def _work_on_table(self) -> Succeeded | Failed | Canceled | None:
        seen = look(self._spec.sources)
        self._stream.put(Planned((), "", (self._stage("PENDING"),), self._bytes))
        future, stop = self._profiler(self._spec)
        self._began_at = time.time()
        self._stream.put(TaskStarted(0, 0, 1, None))
        self._tell("RUNNING", 0)
        while self._goes_on() and not wait_for([future], STOP_CHECK_S).done:
            pass
        if not self._goes_on():
            stop()
            return None
        found = _result(future)
        if isinstance(found, Failure):
            self._tell("FAILED", 0, found)
            self._stream.put(TaskFailed(0, 0, 1, found, will_retry=False))
            return Failed(found)
        check_unchanged(seen)
        rows = max((column["count"] for column in found), default=0)
        self._tell("SUCCEEDED", rows)
        self._stream.put(Finalizing())
        artifact = self._commit(found)
        self._tell("SUCCEEDED", rows, committed=True)
        return Succeeded((artifact,), RowBalance(rows, rows, 0, 0))

    def _commit(self, found: list[ColumnProfile]) -> Artifact:
        """The result as JSON, whole or not at all."""
        path = Path(self._spec.output_dir, NAME)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".partial")
        with draft.open("w", encoding="utf-8") as file:
            json.dump(found, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        return Artifact("PROFILE", NAME, str(path), None, path.stat().st_size, len(found), None, ())

    def _stage(self, state: TaskState) -> StageProgress:
        done = state == "SUCCEEDED"
        return StageProgress(0, self._name, state, 1, int(done), self._bytes if done else 0, self._bytes)

    def _tell(
        self, state: TaskState, rows: int, failure: Failure | None = None, *, committed: bool = False
    ) -> None:
        stage, now = self._stage(state), time.time()
        ended_at = None if state == "RUNNING" else now
        self._stream.put(
            Progress(
                fraction=1.0 if committed else 0.0,
                bytes_read=stage.bytes_read,
                bytes_total=self._bytes,
                rows_read=rows,
                rows_written=0,
                rows_rejected=0,
                bytes_per_second=0.0,
                rows_per_second=0.0,
                eta_seconds=None,
                stages=(stage,),
                tasks=(
                    TaskProgress(
                        0,
                        0,
                        state,
                        1,
                        stage.bytes_read,
                        self._bytes,
                        rows,
                        None,
                        self._began_at,
                        ended_at,
                        failure,
                    ),
                ),
                at=now,
            )
        )


def _result(future: "Future[Found]") -> Found:
    try:
        return future.result()
    except Exception as error:
        # Only what happened to the worker: the work itself gives its failure as a value.
        log.warning("a profile was lost: %s", error)
        return worker_lost("it ended without a result")


def _no_executor() -> Executor:
    raise NotImplementedError("a profile has no attempts")
