"""What is no task: bytes that a worker gets and that nobody planned end in an error, never in a panic or a wait."""

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

import karyaksham_engine as engine

from .conftest import Runner

ORDERS = "id,city,amount\n" + "".join(f"{n},Oslo,{n}.50\n" for n in range(50))
SQL = "SELECT city, sum(amount) AS s, count(*) AS n FROM orders WHERE id > 3 GROUP BY city"
DAMAGED = 400
ODD: tuple[Any, ...] = (None, True, -1, 0, 2**63, 1.5, "", "x", "SELECT 1", [], [None], {}, {"x": 1})


@pytest.fixture
def payload(runner: Runner) -> bytes:
    return engine.plan(runner.job(SQL, runner.source("orders", ORDERS))).tasks(0)[0].payload


def attempt(runner: Runner, payload: bytes) -> str:
    """How it ended: `done`, or the code of the error."""
    try:
        engine.run_task(payload, runner.context())
    except engine.KaryakshamError as error:
        assert error.message
        return error.code
    return "done"


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a document with each of its keys."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(pairs):
        yield value, key
        yield from places(inner)


def test_damaged_bytes_are_no_task(runner: Runner, payload: bytes) -> None:
    draw = random.Random(7)  # noqa: S311 - not a secret
    ends = set()
    for _ in range(DAMAGED):
        damaged = bytearray(payload)
        for _ in range(draw.randint(1, 4)):
            at = draw.randrange(len(damaged))
            if draw.random() < 0.5:
                damaged[at] ^= 1 << draw.randrange(8)
            else:
                del damaged[at : at + draw.randint(1, 40)]
        ends.add(attempt(runner, bytes(damaged)))
    assert "INTERNAL" in ends
    assert attempt(runner, payload) == "done"


def test_a_task_with_one_odd_value_ends_in_words(runner: Runner, payload: bytes) -> None:
    document = json.loads(payload)
    count = sum(1 for _ in places(document))
    assert count > 30
    for number in range(count):
        for odd in ODD:
            changed = json.loads(payload)
            container, key = list(places(changed))[number]
            container[key] = odd
            attempt(runner, json.dumps(changed).encode())
