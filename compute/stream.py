"""The way of events from the thread of a run to its one reader: bounded, in order, the latest Progress wins."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from .spec import Event, Progress, TaskProgress

MAX_PENDING: Final = 1024
"""Events that may wait for the reader before the run waits too."""
STOP_CHECK_S: Final = 0.1


class Stream:
    """One writer, one reader. Ends after `close`."""

    def __init__(self, stopping: Callable[[], bool]) -> None:
        """A full stream holds the writer up, but not once `stopping` says so."""
        self._stopping = stopping
        self._events: deque[Event] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._abandoned = False
        self._wake: Callable[[], None] = lambda: None

    def put(self, event: Event) -> None:
        """Append `event`, waiting for room."""
        with self._changed:
            if isinstance(event, Progress):
                event = self._merged(event)
            while len(self._events) >= MAX_PENDING and not self._abandoned and not self._stopping():
                self._changed.wait(STOP_CHECK_S)
            if not self._abandoned:
                self._events.append(event)
            self._changed.notify_all()
            self._wake()

    def close(self) -> None:
        """No more events come."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            self._wake()

    def abandon(self) -> None:
        """No one reads any more: what comes is dropped."""
        with self._changed:
            self._abandoned = True
            self._events.clear()
            self._changed.notify_all()

    def take(self) -> Event | None:
        """The next event, waited for; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._events or self._closed)
            return self._pop()

    async def take_async(self) -> Event | None:
        """The same for an event loop, which is never blocked."""
        import asyncio  # Here, because the command line does without it and starts quicker.

        loop = asyncio.get_running_loop()
        arrived = asyncio.Event()

        def wake() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(arrived.set)

        while True:
            with self._changed:
                if self._events or self._closed:
                    self._wake = lambda: None
                    return self._pop()
                arrived.clear()
                self._wake = wake
            await arrived.wait()

    def _pop(self) -> Event | None:
        event = self._events.popleft() if self._events else None
        self._changed.notify_all()
        return event

    def _merged(self, event: Progress) -> Progress:
        """`event` with the task changes of a snapshot that no one has read yet; that snapshot is dropped."""
        waiting = next((old for old in self._events if isinstance(old, Progress)), None)
        if waiting is None:
            return event
        self._events.remove(waiting)
        tasks: dict[tuple[int, int], TaskProgress] = {}
        for task in (*waiting.tasks, *event.tasks):
            tasks[task.stage, task.shard] = task
        return event._replace(tasks=tuple(tasks[key] for key in sorted(tasks)))
