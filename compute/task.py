"""The Ray task of one attempt, and the executor that runs attempts as such tasks.

A task is a streaming generator: it says where it runs, then about four times a second how far it is, and last what it
made. The engine works in a second thread of the task, because nothing reaches a thread inside a native call.
"""

import functools
import logging
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import ray
from ray.exceptions import OutOfMemoryError, RayError, RayTaskError, TaskCancelledError
from ray.util.metrics import Counter

import karyaksham_engine as engine
from karyaksham_engine.types import StorageOptions

from .attempt import Ended, Message, Started, counters_of, execute
from .errors import InfrastructureError, internal, out_of_memory, to_failure, worker_lost
from .results import Attempt, Counters, TaskKey, TaskResult, in_files
from .spec import Failure

REPORT_INTERVAL_S: Final = 0.25
STOP_GRACE_S: Final = 1.0
"""After this much time a worker that was asked to stop is killed."""
STOP_LIMIT_S: Final = 5.0
"""After this much time a worker that was killed is given up."""
AHEAD: Final = 2
"""Attempts that wait at Ray beside those that run, so that no core waits for the driver."""
CAPACITY_CHECK_S: Final = 5.0

log = logging.getLogger("karyaksham.compute")

_Yield = str | Counters | TaskResult | Failure


def run_attempt(attempt: Attempt, storage: StorageOptions | None = None) -> Iterator[_Yield]:
    """The name of the machine, snapshots, and last a result or a failure.

    How objects are reached is an argument, because the environment of a worker must hold no secret.
    """
    yield socket.gethostname()
    cancel, progress = engine.CancelToken(), engine.Progress()
    outcome: list[TaskResult | Failure] = []
    began = time.monotonic()

    def work() -> None:
        try:
            outcome.append(in_files(execute(attempt, cancel, progress, storage)))
        except Exception as error:  # The edge of a thread: the driver decides what comes of it.
            outcome.append(to_failure(error))

    thread = threading.Thread(target=work, name="engine")
    thread.start()
    try:
        while thread.is_alive():
            thread.join(REPORT_INTERVAL_S)
            yield counters_of(progress)
    finally:
        # Also when the driver cancels: Ray raises GeneratorExit at a yield, so there is one even without news.
        cancel.cancel()
        thread.join()
    _measure(attempt, counters_of(progress), time.monotonic() - began)
    yield outcome[0]


class RayTasks:
    """An executor on the Ray cluster that this process is connected to. Results are files in staging."""

    in_memory = False
    moves = True

    def __init__(self, storage: StorageOptions | None = None) -> None:
        if not ray.is_initialized():
            raise InfrastructureError(
                "RAY_NOT_CONNECTED", "Karyaksham is not connected to Ray.", retryable=True
            )
        self._task = ray.remote(num_cpus=1, num_returns="streaming", max_retries=0)(run_attempt)
        self._storage = storage
        self._running: dict[Any, _Running] = {}
        self._capacity, self._capacity_at = 0, 0.0

    def slots(self) -> int:
        now = time.monotonic()
        if not self._capacity or now - self._capacity_at > CAPACITY_CHECK_S:
            self._capacity = max(1, int(ray.cluster_resources().get("CPU", 1)))
            self._capacity_at = now
        return self._capacity

    def in_flight(self) -> int:
        return self.slots() + AHEAD

    def launch(self, attempt: Attempt) -> None:
        options: dict[str, Any] = {"name": attempt.name}
        if attempt.cores > 1:
            options["num_cpus"] = min(attempt.cores, _cores_of_largest_node())
        if attempt.number > 1:
            options["scheduling_strategy"] = "SPREAD"  # Rather not where the one before was.
        stream = self._task.options(**options).remote(attempt, self._storage)
        self._running[stream] = _Running(attempt.key, attempt.number)

    def cancel(self, key: TaskKey, number: int) -> None:
        for stream, running in self._running.items():
            if (running.key, running.attempt) == (key, number) and running.canceled_at is None:
                running.canceled_at = time.monotonic()
                with suppress(RayError):
                    ray.cancel(stream)

    def wait(self, timeout_s: float) -> Sequence[Message]:
        given_up = self._press()
        if given_up or not self._running:
            time.sleep(0.0 if given_up else timeout_s)
            return given_up
        ready, _ = ray.wait(list(self._running), num_returns=1, timeout=timeout_s)
        if ready:
            ready, _ = ray.wait(list(self._running), num_returns=len(self._running), timeout=0)
        return [message for stream in ready if (message := self._next(stream)) is not None]

    def counters(self) -> dict[tuple[TaskKey, int], Counters]:
        return {
            (running.key, running.attempt): running.counters
            for running in self._running.values()
            if running.counters
        }

    def _press(self) -> Sequence[Message]:
        """Kill workers whose attempt was canceled and did not end, and give up those that do not even die."""
        now = time.monotonic()
        gone: list[Message] = []
        for stream, running in list(self._running.items()):
            if running.canceled_at is None or now - running.canceled_at < STOP_GRACE_S:
                continue
            if not running.is_killed:
                running.is_killed = True
                with suppress(RayError, ValueError):
                    ray.cancel(stream, force=True)
            elif now - running.canceled_at > STOP_LIMIT_S:
                del self._running[stream]
                gone.append(Ended(running.key, running.attempt, worker_lost("it could not be stopped")))
        return gone

    def stop(self) -> None:
        for stream in self._running:
            with suppress(RayError):
                ray.cancel(stream)
        if not self._drain(STOP_GRACE_S):
            for stream in self._running:
                with suppress(RayError, ValueError):
                    ray.cancel(stream, force=True)
            self._drain(STOP_LIMIT_S)
        self._running.clear()

    def _drain(self, timeout_s: float) -> bool:
        """Wait until no attempt is left. False when that took too long."""
        deadline = time.monotonic() + timeout_s
        while self._running and (left := deadline - time.monotonic()) > 0:
            self.wait(left)
        return not self._running

    def _next(self, stream: Any) -> Message | None:
        """The next thing that the task of `stream` says."""
        running = self._running[stream]
        try:
            said: _Yield = ray.get(next(stream))
        except StopIteration:
            said = worker_lost("it ended without a result")
        except TaskCancelledError:
            said = internal("CANCELED")
        except OutOfMemoryError:
            said = out_of_memory()
        except RayTaskError as error:  # The task hands its own errors over, so this one is of its frame.
            log.error("a task broke: %s", error)
            said = internal("TASK_BROKE")
        except RayError as error:
            said = worker_lost(_reason(error))
        if isinstance(said, str):
            return Started(running.key, running.attempt, said)
        if isinstance(said, Counters):
            running.counters = said
            return None
        del self._running[stream]
        return Ended(running.key, running.attempt, said)


@dataclass(slots=True)
class _Running:
    key: TaskKey
    attempt: int
    counters: Counters | None = None
    canceled_at: float | None = None
    is_killed: bool = False


def _cores_of_largest_node() -> int:
    return max((int(node["Resources"].get("CPU", 1)) for node in ray.nodes() if node["Alive"]), default=1)


def _reason(error: RayError) -> str:
    """The kind of Ray's error in words: `WorkerCrashedError` is `worker crashed`."""
    name = type(error).__name__.removesuffix("Error")
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()


def _measure(attempt: Attempt, counters: Counters, seconds: float) -> None:
    tags = {"stage": attempt.stage_name.split(" ")[0]}
    for name, value in (
        ("bytes_read", counters.bytes_read),
        ("rows_read", counters.rows_read),
        ("rows_rejected", counters.rows_rejected),
        ("rows_written", counters.rows_written),
        ("task_seconds", seconds),
    ):
        if value:
            _metrics()[name].inc(value, tags)


@functools.cache
def _metrics() -> dict[str, Counter]:
    """Of this worker process; Ray sums them up for Prometheus."""
    described = {
        "bytes_read": "Bytes of input that tasks have read",
        "rows_read": "Rows that tasks have read, rejected ones among them",
        "rows_rejected": "Rows that tasks have rejected",
        "rows_written": "Rows that tasks have written, to the output or for a later stage",
        "task_seconds": "Seconds that attempts have worked",
    }
    return {
        name: Counter(f"karyaksham_{name}_total", description=text, tag_keys=("stage",))
        for name, text in described.items()
    }
