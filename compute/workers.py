"""Threads that work off what they are given. They go on while the process ends, until their owner closes them."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Made = TypeVar("Made")


class Workers:
    """A fixed number of threads. A ThreadPoolExecutor would refuse work as soon as the main thread has ended, when
    runs still have to clear up."""

    def __init__(self, count: int, name: str) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, call: Callable[[], Made]) -> "Future[Made]":
        """Have `call` done, in the order of submission. It is not begun if the future is canceled before."""
        future: Future[Made] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                made = call()
            except BaseException as error:  # Handed to whoever asks for the result.
                future.set_exception(error)
            else:
                future.set_result(made)

        self._calls.put(run)
        return future

    def close(self) -> None:
        """Wait until all is done that was submitted, and end. Idempotent."""
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
