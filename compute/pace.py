"""How attempts come along: which stand still, and which are so late that another try may overtake them. Pure."""

import math
from collections import deque
from typing import Final

from .results import Counters

CHECK_S: Final = 1.0
"""Late tasks are looked for this often at most."""
LATE_FACTOR: Final = 2.0
"""A task is late when it has taken so many times the median of its stage."""
SAMPLE: Final = 64
"""Attempts of a stage, the latest, whose median is taken."""
KNOWN_SHARE: Final = 0.5
"""Of the tasks of a stage, so many must be done before the median says anything."""
KNOWN_LEAST: Final = 3


class Live:
    """An attempt under way."""

    def __init__(self, start: int | None) -> None:
        self.start = start
        self.began_at: float | None = None
        """None while it waits for a worker, which is nobody's fault."""
        self.moved_at = 0.0
        self.counters: Counters | None = None
        self.share: float | None = None

    def begin(self, now: float) -> None:
        self.began_at = self.moved_at = now

    def move(self, counters: Counters, share: float | None, now: float) -> None:
        if counters != self.counters:
            self.counters, self.share, self.moved_at = counters, share, now

    def elapsed_s(self, now: float) -> float | None:
        return None if self.began_at is None else now - self.began_at

    def idle_s(self, now: float) -> float:
        """Since it has moved."""
        return 0.0 if self.began_at is None else now - self.moved_at

    def late_by(self, median_s: float, least_s: float, now: float) -> float | None:
        """Seconds that it will still take, where a new attempt would probably be done before; else None."""
        elapsed_s = self.elapsed_s(now)
        if elapsed_s is None or elapsed_s < max(least_s, LATE_FACTOR * median_s):
            return None
        share = self.share or 0.0
        # What has stood still for a while is not as quick as it was on the whole.
        left_s = elapsed_s * (1 - share) / share + self.idle_s(now) if share > 0 else math.inf
        return left_s if left_s > median_s else None


class Pace:
    """How long the tasks of one stage take."""

    def __init__(self) -> None:
        self.count = 0
        self._latest_s: deque[float] = deque(maxlen=SAMPLE)

    def done(self, took_s: float) -> None:
        self.count += 1
        self._latest_s.append(took_s)

    def is_known(self, tasks: int) -> bool:
        """Whether enough of the `tasks` of the stage are done to judge the others by them."""
        return self.count >= max(KNOWN_LEAST, KNOWN_SHARE * tasks)

    @property
    def median_s(self) -> float:
        return sorted(self._latest_s)[len(self._latest_s) // 2]
