"""The service dies, or is stopped, in the middle of a job, and goes on when it is started again."""

from typing import Any
from uuid import UUID

from gateway.schema.relay import split_global_id
from tests.gateway import journeys
from tests.gateway.conftest import Api, eventually

from . import orders
from .conftest import Keeper, Process

SHARD_BYTES = 64 * 1024


async def test_a_job_goes_on_after_kill_9_and_after_sigterm(keeper: Keeper) -> None:
    made = orders.make(300_000)
    process = keeper.start()
    api = await process.member()
    dataset = await registered(keeper, api, made.content)
    for end in (kill, stop):
        job = await journeys.created(api, dataset, orders.SORT, shardSizeBytes=SHARD_BYTES)
        before = await half_done(api, job["id"])
        end(process)
        process = keeper.start()
        api.url = process.url
        await went_on(keeper, api, job["id"], before, made)


def kill(process: Process) -> None:
    process.kill()


def stop(process: Process) -> None:
    assert process.stop() == 0, process.log.read_text()


async def half_done(api: Api, job_id: str) -> float:
    """The fraction that was reached when the job is well under way."""

    async def reached() -> float | None:
        job = await journeys.look(api, job_id)
        assert job["state"] in ("QUEUED", "PLANNING", "RUNNING"), job
        fraction: float = job["progress"]["fraction"]
        return fraction if fraction > 0.3 else None

    found: float = await eventually(reached)
    return found


async def went_on(keeper: Keeper, api: Api, job_id: str, before: float, made: orders.Orders) -> None:
    """The job ends with the right bytes, once, and leaves nothing else."""
    done = await journeys.ended(api, job_id)
    assert done["state"] == "SUCCEEDED", done
    assert await journeys.download(done) == orders.sorted_(made)
    assert done["rowBalance"]["read"] == made.rows and done["rowBalance"]["closes"]
    kinds = [event["kind"] for event in done["events"]]
    assert [event["seq"] for event in done["events"]] == list(range(1, len(kinds) + 1))
    assert kinds.count("SUCCEEDED") == 1 and "RECOVERED" in kinds
    assert len(done["artifacts"]) == 1
    assert done["progress"]["fraction"] == 1.0 > before
    folder = keeper.data_dir / "jobs" / str(row_id(job_id))
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["output.csv"]


def row_id(job_id: str) -> UUID:
    parts = split_global_id(job_id)
    assert parts is not None
    return parts[1]


async def registered(keeper: Keeper, api: Api, content: bytes) -> dict[str, Any]:
    (keeper.roots / "orders.csv").write_bytes(content)
    payload = await journeys.register(api, "orders.csv")
    return await journeys.inspected(api, payload["dataset"]["id"])
