"""How often something may be tried, counted in this process."""

import time
from collections.abc import Callable

from gateway.errors import RateLimited

MAX_KEYS = 100_000
"""Counters kept; past it those whose window is over go, then the oldest."""


class RateLimits:
    """Fixed windows: `most` tries of one key in `window_s` seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._windows: dict[str, tuple[float, int]] = {}

    def count(self, key: str, *, most: int, window_s: float, limit: str) -> None:
        """Counts a try of `key`. Raises RateLimited, with `limit` as the setting's name, past `most`."""
        now = self._clock()
        ends_at, tries = self._windows.get(key, (0.0, 0))
        if ends_at <= now:
            ends_at, tries = now + window_s, 0
            self._make_room(now)
        if tries >= most:
            wait_s = max(1, round(ends_at - now))
            raise RateLimited(
                f"Too many tries. Try again in {_words(wait_s)}.", retry_after_s=wait_s, limit=limit
            )
        self._windows[key] = (ends_at, tries + 1)

    def forget(self, key: str) -> None:
        """After a success: tries of `key` begin anew."""
        self._windows.pop(key, None)

    def _make_room(self, now: float) -> None:
        if len(self._windows) < MAX_KEYS:
            return
        self._windows = {key: window for key, window in self._windows.items() if window[0] > now}
        while len(self._windows) >= MAX_KEYS:
            del self._windows[next(iter(self._windows))]


def _words(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
