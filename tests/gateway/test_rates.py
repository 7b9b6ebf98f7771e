import pytest

from gateway import rates
from gateway.errors import RateLimited
from gateway.rates import RateLimits


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_tries_are_counted_in_their_window() -> None:
    clock = Clock()
    limits = RateLimits(clock)
    for _ in range(3):
        limits.count("a", most=3, window_s=60, limit="tries")
    clock.now += 20
    with pytest.raises(RateLimited) as refused:
        limits.count("a", most=3, window_s=60, limit="tries")
    assert refused.value.retry_after_s == 40 and refused.value.limit == "tries" and refused.value.retryable
    limits.count("b", most=3, window_s=60, limit="tries")
    clock.now += 40
    limits.count("a", most=3, window_s=60, limit="tries")


def test_success_begins_anew() -> None:
    limits = RateLimits()
    limits.count("a", most=1, window_s=60, limit="tries")
    limits.forget("a")
    limits.count("a", most=1, window_s=60, limit="tries")


def test_counters_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MAX_KEYS", 10)
    clock = Clock()
    limits = RateLimits(clock)
    for number in range(100):
        limits.count(str(number), most=1, window_s=60, limit="tries")
    assert len(limits._windows) <= 10
    with pytest.raises(RateLimited):
        limits.count("99", most=1, window_s=60, limit="tries")
    clock.now += 61
    limits.count("new", most=1, window_s=60, limit="tries")
    assert set(limits._windows) == {"new"}
