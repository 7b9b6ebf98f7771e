"""The same run in one process, without Ray: the command line and tests."""

import queue
from collections.abc import Sequence
from concurrent.futures import Future

import karyaksham_engine as engine
from karyaksham_engine.errors import Canceled
from karyaksham_engine.types import StorageOptions

from .attempt import Ended, Message, Started, counters_of, execute
from .commit import Targets
from .errors import internal, to_failure
from .results import Attempt, Counters, TaskKey
from .run import Run
from .spec import JobSpec, TaskFinished
from .workers import Workers


def start(
    spec: JobSpec,
    *,
    threads: int,
    target: str | None = None,
    rejects_target: str | None = None,
    resume: Sequence[TaskFinished] = (),
    keep_staging: bool = False,
    asks_to_commit: bool = False,
) -> Run:
    """Start `spec` on `threads` threads of this process. Returns at once.

    `target` is the path of the output, or `-` for standard output, which then may hold the beginning of a result
    that failed later. Without it the artifacts go to `spec.output_dir`. With it, rejects are written only where
    `rejects_target` says.
    """
    if spec.kind == "PROFILE":
        from .profile import ProfileRun, on_threads  # Here, because few runs are one.

        return ProfileRun(spec, on_threads(threads))
    targets = Targets.of(spec, target, rejects_target)
    return Run(
        spec,
        lambda: Threads(threads, spec.storage),
        targets,
        resume,
        keep_staging=keep_staging,
        asks_to_commit=asks_to_commit,
    )


class Threads:
    """An executor of threads. Results stay in memory up to the limits of the engine."""

    in_memory = True
    moves = False

    def __init__(self, threads: int, storage: StorageOptions | None = None) -> None:
        self._threads, self._storage = max(1, threads), storage
        self._pool = Workers(self._threads, "karyaksham-task")
        self._inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._running: dict[tuple[TaskKey, int], tuple[engine.CancelToken, engine.Progress]] = {}
        self._futures: dict[tuple[TaskKey, int], Future[None]] = {}

    def slots(self) -> int:
        return self._threads

    def in_flight(self) -> int:
        return self._threads

    def launch(self, attempt: Attempt) -> None:
        cancel, progress = engine.CancelToken(), engine.Progress()
        self._running[attempt.key, attempt.number] = (cancel, progress)
        self._futures[attempt.key, attempt.number] = self._pool.submit(
            lambda: self._work(attempt, cancel, progress)
        )

    def cancel(self, key: TaskKey, number: int) -> None:
        if (key, number) in self._running:
            self._running[key, number][0].cancel()

    def wait(self, timeout_s: float) -> Sequence[Message]:
        messages: list[Message] = []
        try:
            messages.append(self._inbox.get(timeout=timeout_s))
            while True:
                messages.append(self._inbox.get_nowait())
        except queue.Empty:
            pass
        for message in messages:
            if isinstance(message, Ended):
                at = (message.key, message.attempt)
                del self._running[at], self._futures[at]
        return messages

    def counters(self) -> dict[tuple[TaskKey, int], Counters]:
        return {at: counters_of(progress) for at, (_, progress) in self._running.items()}

    def stop(self) -> None:
        for cancel, _ in self._running.values():
            cancel.cancel()
        for future in self._futures.values():
            future.cancel()
        self._pool.close()

    def _work(self, attempt: Attempt, cancel: engine.CancelToken, progress: engine.Progress) -> None:
        self._inbox.put(Started(attempt.key, attempt.number, None))
        try:
            result = execute(attempt, cancel, progress, self._storage)
            self._inbox.put(Ended(attempt.key, attempt.number, result))
        except Canceled:
            self._inbox.put(Ended(attempt.key, attempt.number, internal("CANCELED")))
        except Exception as error:  # The edge of a thread: whatever it is, the driver decides.
            self._inbox.put(Ended(attempt.key, attempt.number, to_failure(error)))
