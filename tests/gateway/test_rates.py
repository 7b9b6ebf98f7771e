import pytest

from gateway import rates
from gateway.errors import RateLimited
from gateway.rates import RateLimits


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_tries_are_counted_in_their_window() -> None:
    clock = Clock()
    limits = RateLimits(clock=clock)
    for _ in range(3):
        await limits.count("a", most=3, window_s=60, limit="tries")
    clock.now += 20
    with pytest.raises(RateLimited) as refused:
        await limits.count("a", most=3, window_s=60, limit="tries")
    assert refused.value.retry_after_s == 40 and refused.value.limit == "tries" and refused.value.retryable
    await limits.count("b", most=3, window_s=60, limit="tries")
    clock.now += 40
    await limits.count("a", most=3, window_s=60, limit="tries")


async def test_success_begins_anew() -> None:
    limits = RateLimits()
    await limits.count("a", most=1, window_s=60, limit="tries")
    await limits.forget("a")
    await limits.count("a", most=1, window_s=60, limit="tries")


async def test_counters_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MAX_KEYS", 10)
    clock = Clock()
    limits = RateLimits(clock=clock)
    for number in range(100):
        await limits.count(str(number), most=1, window_s=60, limit="tries")
    assert len(limits._windows) <= 10
    with pytest.raises(RateLimited):
        await limits.count("99", most=1, window_s=60, limit="tries")
    clock.now += 61
    await limits.count("new", most=1, window_s=60, limit="tries")
    assert set(limits._windows) == {"new"}
