import pickle
from dataclasses import FrozenInstanceError, asdict, fields, replace

import pytest

from compute.records import dataclass


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int = 2
    name: str | None = None


@dataclass(slots=True)
class Counter:
    count: int = 0


def test_records_are_made_compared_and_shown_like_dataclasses() -> None:
    assert Point(1) == Point(x=1, y=2, name=None) != Point(1, 3)
    assert len({Point(1), Point(1), Point(2)}) == 2
    assert repr(Point(1, name="a")) == "Point(x=1, y=2, name='a')"
    assert Point(1) != Counter(1)  # type: ignore[comparison-overlap]


def test_tools_for_dataclasses_know_records() -> None:
    assert replace(Point(1), y=5) == Point(1, 5)
    assert asdict(Point(1)) == {"x": 1, "y": 2, "name": None}
    assert [field.name for field in fields(Point)] == ["x", "y", "name"]
    assert Point.__match_args__ == ("x", "y", "name")


def test_frozen_records_do_not_change_and_travel() -> None:
    with pytest.raises(FrozenInstanceError):
        Point(1).x = 2  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(Point(1, 2, "a"))) == Point(1, 2, "a")  # noqa: S301
    counter = Counter()
    counter.count += 1
    assert counter == Counter(1)


def test_wrong_values_are_told() -> None:
    with pytest.raises(TypeError, match="needs a value for 'x'"):
        Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="has no z"):
        Point(1, z=2)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="two values"):
        Point(1, x=1)  # type: ignore[misc]
    with pytest.raises(TypeError, match="takes 3"):
        Point(1, 2, "a", 4)  # type: ignore[call-arg]
