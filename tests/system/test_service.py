"""The main job, end to end, and what goes wrong with input: over HTTP, on Ray, with real files."""

import csv
import io
from typing import Any

import pytest

from gateway.schema.relay import local_id
from tests.gateway import journeys
from tests.gateway.conftest import Api, eventually
from tests.gateway.test_control import RETRY
from tests.gateway.test_subscriptions import EVENTS, PROGRESS, all_items

from . import orders
from .conftest import Keeper, Process

Shared = tuple[Keeper, Process]


@pytest.fixture
async def api(shared: Shared) -> Api:
    return await shared[1].member()


async def registered(shared: Shared, api: Api, name: str, content: bytes) -> dict[str, Any]:
    path = shared[0].roots / name
    path.write_bytes(content)
    payload = await journeys.register(api, str(path))
    assert payload["errors"] == [], payload
    return await journeys.inspected(api, payload["dataset"]["id"])


async def test_upload_job_progress_result_and_rejects(shared: Shared, api: Api) -> None:
    made = orders.make(120_000, broken_each=40_000)
    assert len(made.content) > 3 * 1024 * 1024
    uploaded = await api.upload("orders.csv", made.content)
    dataset = await journeys.inspected(api, uploaded["id"])
    assert dataset["status"] == "READY", dataset
    job = await journeys.created(
        api, dataset, orders.SQL, badRows={"policy": "REJECT_ROW"}, shardSizeBytes=256 * 1024
    )
    seen = await all_items(api, PROGRESS, id=job["id"])
    fractions = [snapshot["fraction"] for snapshot in seen]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0
    assert seen[-1]["state"] == "SUCCEEDED", await journeys.look(api, job["id"])
    assert seen[-1]["stages"][0]["taskCount"] >= 10
    done = await journeys.look(api, job["id"])
    balance = done["rowBalance"]
    assert (balance["read"], balance["rejected"], balance["closes"]) == (made.rows, len(made.broken), True)
    assert balance["passed"] == made.rows - len(made.broken)
    assert await journeys.download(done) == orders.grouped(made)
    rejects = list(csv.DictReader(io.StringIO((await journeys.download(done, "REJECTS")).decode())))
    assert [int(reject["line"]) for reject in rejects] == list(made.broken)
    assert {reject["code"] for reject in rejects} == {"TOO_FEW_COLUMNS"}
    events = await all_items(api, EVENTS, id=job["id"])
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["kind"] == "SUCCEEDED"


async def test_any_number_of_shards_gives_the_same_bytes(shared: Shared, api: Api) -> None:
    made = orders.make(30_000)
    dataset = await registered(shared, api, "sorted.csv", made.content)
    results = set()
    for shard_bytes in (64 * 1024, 150_001, 64 * 1024 * 1024):
        job = await journeys.finished(api, dataset, orders.SORT, shardSizeBytes=shard_bytes)
        assert job["state"] == "SUCCEEDED", job
        results.add(await journeys.download(job))
    assert results == {orders.sorted_(made)}


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "no bytes"), (bytes(range(256)) * 4096, "binary")], ids=["empty", "binary"]
)
async def test_what_is_no_table_says_so(shared: Shared, api: Api, content: bytes, words: str) -> None:
    dataset = await registered(shared, api, "table.csv", content)
    assert dataset["status"] == "INVALID"
    assert words in dataset["problem"].lower()


async def test_a_missing_file_says_so(shared: Shared, api: Api) -> None:
    payload = await journeys.register(api, str(shared[0].roots / "missing.csv"))
    assert payload["errors"][0]["field"] == ["input", "uri"]


async def test_a_header_without_rows_is_an_empty_result(shared: Shared, api: Api) -> None:
    dataset = await registered(shared, api, "header.csv", b"id,country\n")
    job = await journeys.finished(api, dataset, "SELECT country, count(*) AS n FROM input GROUP BY country")
    assert job["state"] == "SUCCEEDED", job
    assert await journeys.download(job) == b"country,n\n"


@pytest.mark.parametrize("sql", ["SELEC 1", "SELECT colour FROM input", "SELECT * FROM '/etc/passwd'"])
async def test_wrong_sql_says_so_before_anything_runs(shared: Shared, api: Api, sql: str) -> None:
    dataset = await registered(shared, api, "orders.csv", orders.make(10).content)
    payload = await journeys.create(api, dataset, sql)
    assert (payload["job"], payload["errors"][0]["field"]) == (None, ["input", "sql"])


async def test_a_file_that_vanishes_in_the_queue_fails_its_job_with_the_reason(
    shared: Shared, api: Api
) -> None:
    made = orders.make(100_000)
    busy = await registered(shared, api, "busy.csv", made.content)
    doomed = await registered(shared, api, "doomed.csv", orders.make(10).content)
    ahead = [await journeys.created(api, busy, orders.SORT, shardSizeBytes=64 * 1024) for _ in range(2)]
    job = await journeys.created(api, doomed, "SELECT * FROM input")
    (shared[0].roots / "doomed.csv").unlink()
    ended = await journeys.ended(api, job["id"])
    assert (ended["state"], ended["failure"]["kind"]) == ("FAILED", "STORAGE"), ended
    assert "doomed.csv" in ended["failure"]["message"]
    for each in ahead:
        await journeys.ended(api, each["id"])


async def test_cancel_stops_the_work_and_a_retry_goes_on_from_it(shared: Shared, api: Api) -> None:
    keeper, process = shared
    made = orders.make(400_000)
    dataset = await registered(shared, api, "many.csv", made.content)
    job = await journeys.created(api, dataset, orders.SORT, shardSizeBytes=64 * 1024)

    async def under_way() -> bool:
        return bool((await journeys.look(api, job["id"]))["progress"]["stages"][0]["tasksDone"])

    await eventually(under_way)
    payload = await api.call(journeys.CANCEL_JOB, input={"jobId": job["id"]})
    assert payload["job"]["state"] in ("CANCELING", "CANCELED"), payload

    async def stopped() -> bool:
        return bool((await journeys.look(api, job["id"]))["state"] == "CANCELED")

    await eventually(stopped, 5.0)
    admin = await process.admin()

    async def idle() -> bool:
        return all(
            node["cpusUsed"] == 0
            for node in (await admin.call("{ cluster { nodes { cpusUsed } } }"))["nodes"]
        )

    await eventually(idle, 2.0)
    done = await journeys.look(api, job["id"])
    assert done["artifacts"] == [] and done["progress"]["fraction"] < 1
    folder = keeper.data_dir / "jobs" / str(local_id(job["id"], "Job"))
    assert not (folder / "output").exists()
    payload = await api.call(RETRY, input={"jobId": job["id"]})
    assert payload["errors"] == [] and payload["job"]["progress"]["fraction"] == 0, payload

    again = await journeys.ended(api, job["id"])
    assert again["state"] == "SUCCEEDED", again
    assert await journeys.download(again) == orders.sorted_(made)
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["output.csv"]


async def test_the_cluster_is_there_and_its_page_is_for_administrators(shared: Shared, api: Api) -> None:
    query = "{ cluster { nodes { alive cpus memoryBytes } dashboardUrl runningTasks queuedJobs } }"
    seen = await api.call(query)
    assert [(node["alive"], node["cpus"]) for node in seen["nodes"]] == [(True, 2.0)]
    assert seen["dashboardUrl"] is None
    admin = await shared[1].admin()
    assert (await admin.call(query))["dashboardUrl"].startswith("http://127.0.0.1:")
