"""The service dies, or is stopped, in the middle of a job, and goes on when it is started again."""

import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.gateway import journeys
from tests.gateway.conftest import Api, eventually

from . import orders
from .conftest import Keeper, Process

SHARD_BYTES = 64 * 1024


def kill(process: Process) -> None:
    process.kill()


def stop(process: Process) -> None:
    assert process.stop() in (0, -signal.SIGTERM), process.log.read_text()


@pytest.mark.parametrize("end", [kill, stop], ids=["kill -9", "SIGTERM"])
async def test_a_job_goes_on_where_it_was(keeper: Keeper, end: Callable[[Process], None]) -> None:
    made = orders.make(300_000)
    process = keeper.start()
    api = await process.member()
    dataset = await registered(keeper, api, made.content)
    job = await journeys.created(api, dataset, orders.SORT, shardSizeBytes=SHARD_BYTES)

    async def half_done() -> dict[str, Any] | None:
        looked = await journeys.look(api, job["id"])
        assert looked["state"] in ("QUEUED", "PLANNING", "RUNNING"), looked
        return looked if looked["progress"]["fraction"] > 0.3 else None

    before = await eventually(half_done)
    end(process)

    process = keeper.start()
    api.url = process.url
    done = await journeys.ended(api, job["id"])
    assert done["state"] == "SUCCEEDED", done
    assert await journeys.download(done) == orders.sorted_(made)
    assert done["rowBalance"]["read"] == made.rows and done["rowBalance"]["closes"]
    kinds = [event["kind"] for event in done["events"]]
    assert [event["seq"] for event in done["events"]] == list(range(1, len(kinds) + 1))
    assert kinds.count("SUCCEEDED") == 1 and "RECOVERED" in kinds
    assert len(done["artifacts"]) == 1
    assert done["progress"]["fraction"] == 1.0 > before["progress"]["fraction"]
    left = [path for path in (keeper.data_dir / "jobs").rglob("*") if path.is_file()]
    assert [path.name for path in left] == ["output.csv"]


async def registered(keeper: Keeper, api: Api, content: bytes) -> dict[str, Any]:
    (keeper.roots / "orders.csv").write_bytes(content)
    payload = await journeys.register(api, "orders.csv")
    return await journeys.inspected(api, payload["dataset"]["id"])
