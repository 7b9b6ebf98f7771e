"""Profile jobs: the statistics of a whole dataset."""

import json
from typing import Any

from gateway.models import Dataset, Job
from gateway.settings import Settings

from . import journeys
from .conftest import ERRORS, Api, Service

EXPLAIN = f"""query($input: CreateJobInput!) {{ explainJob(input: $input) {{
  plan {{ stages {{ name taskCount }} bytesToRead text }} {ERRORS} }} }}"""
PROFILE = """query($id: ID!) { dataset(id: $id) { profile {
  column { name type } count nullCount approxDistinct min max mean topValues } } }"""


async def profiled(api: Api, dataset: dict[str, Any]) -> dict[str, Any]:
    created = await journeys.create(api, dataset, sql=None, profile=True)  # type: ignore[arg-type]
    assert created["errors"] == [], created
    return await journeys.ended(api, created["job"]["id"])


async def test_a_profile_shows_with_its_dataset(settings: Settings, service: Service, api: Api) -> None:
    dataset = await journeys.file(settings, api)
    assert (await api.call(PROFILE, id=dataset["id"]))["profile"] is None
    job = await profiled(api, dataset)
    assert (job["state"], job["name"], job["sql"], job["effectiveSql"]) == (
        "SUCCEEDED",
        "Profile",
        None,
        None,
    ), job
    assert job["progress"]["fraction"] == 1.0 and job["progress"]["bytesRead"] == dataset["sizeBytes"]
    columns = {
        found["column"]["name"]: found for found in (await api.call(PROFILE, id=dataset["id"]))["profile"]
    }
    assert (columns["id"]["count"], columns["id"]["min"], columns["id"]["max"]) == (5, 1, 5)
    assert columns["country"]["approxDistinct"] == 3 and columns["note"]["nullCount"] == 1
    written = json.loads(await journeys.download(job, "PROFILE"))
    assert [found["column"]["name"] for found in written] == ["id", "country", "price", "note"]


async def test_another_reading_makes_a_profile_void(settings: Settings, service: Service, api: Api) -> None:
    dataset = await journeys.file(settings, api)
    await profiled(api, dataset)
    stale = await Job.all().first()
    assert stale is not None
    update = f"mutation($input: UpdateDatasetInput!) {{ updateDataset(input: $input) {{ {ERRORS} }} }}"
    await api.call(update, input={"datasetId": dataset["id"], "dialect": {}})
    await journeys.inspected(api, dataset["id"])
    assert (await api.call(PROFILE, id=dataset["id"]))["profile"] is None
    assert (await Dataset.all().first().values("revision")) != {"revision": stale.spec["revision"]}


async def test_a_profile_fails_with_the_reason(settings: Settings, service: Service, api: Api) -> None:
    dataset = await journeys.file(settings, api)
    path = settings.data_roots[0] / "orders.csv"
    path.write_text("x")
    refused = await journeys.create(api, dataset, sql=None, profile=True)  # type: ignore[arg-type]
    assert refused["errors"][0]["code"] == "BAD_USER_INPUT"


async def test_a_profile_claims_no_balance(settings: Settings, service: Service, api: Api) -> None:
    dataset = await journeys.file(settings, api, "id,country,price\n1,DE,1.00\n2,FR\n3,IT,2.00\n")
    job = await profiled(api, dataset)
    assert (job["state"], job["rowBalance"]) == ("SUCCEEDED", None), job
    assert job["events"][-1]["message"] == "Done: the statistics are of 2 rows."


async def test_a_profile_is_explained(settings: Settings, service: Service, api: Api) -> None:
    dataset = await journeys.file(settings, api)
    input = {"sources": [{"datasetId": dataset["id"]}], "profile": True}
    plan = (await api.call(EXPLAIN, input=input))["plan"]
    assert plan["stages"] == [{"name": "profile input", "taskCount": 1}]
    assert plan["bytesToRead"] == dataset["sizeBytes"]
