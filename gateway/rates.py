"""How often something may be tried, counted in Redis for all processes where it is there, else in this one."""

import time
from collections.abc import Callable

from gateway.errors import RateLimited
from gateway.shared import Shared

MAX_KEYS = 100_000
"""Counters kept; past it those whose window is over go, then the oldest."""


class RateLimits:
    """Fixed windows: `most` tries of one key in `window_s` seconds."""

    def __init__(self, shared: Shared | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._shared = shared
        self._clock = clock
        self._windows: dict[str, tuple[float, int]] = {}

    async def count(self, key: str, *, most: int, window_s: float, limit: str) -> None:
        """Counts a try of `key`. Raises RateLimited, with `limit` as the setting's name, past `most`."""
        counted = await self._shared.count(key, window_s) if self._shared else None
        if counted is not None:
            tries, left_s = counted
            if tries > most:
                raise _refusal(left_s, limit)
            return
        now = self._clock()
        ends_at, tries = self._windows.get(key, (0.0, 0))
        if ends_at <= now:
            ends_at, tries = now + window_s, 0
            self._make_room(now)
        if tries >= most:
            raise _refusal(ends_at - now, limit)
        self._windows[key] = (ends_at, tries + 1)

    async def forget(self, key: str) -> None:
        """After a success: tries of `key` begin anew."""
        self._windows.pop(key, None)
        if self._shared:
            await self._shared.forget(key)

    def _make_room(self, now: float) -> None:
        if len(self._windows) < MAX_KEYS:
            return
        self._windows = {key: window for key, window in self._windows.items() if window[0] > now}
        while len(self._windows) >= MAX_KEYS:
            del self._windows[next(iter(self._windows))]


def _refusal(left_s: float, limit: str) -> RateLimited:
    wait_s = max(1, round(left_s))
    return RateLimited(f"Too many tries. Try again in {_words(wait_s)}.", retry_after_s=wait_s, limit=limit)


def _words(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
