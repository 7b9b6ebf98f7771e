import asyncio
import hashlib
import io
import tarfile
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from gateway import database
from gateway.models import Artifact, Job, JobEvent, JobState
from gateway.schema.relay import split_global_id
from gateway.settings import Settings

from . import journeys
from .conftest import ERRORS, Api, Service, running
from .journeys import (
    CANCEL_JOB,
    CREATE_JOB,
    DELETE_JOB,
    REVENUE_CSV,
    create,
    created,
    download,
    ended,
    finished,
)

LIST = """query($first: Int, $after: String, $filter: JobFilter) { jobs(first: $first, after: $after, filter: $filter) {
  totalCount pageInfo { hasNextPage endCursor } edges { node { id name state } } } }"""
EXPLAIN = f"""query($input: CreateJobInput!) {{ explainJob(input: $input) {{
  plan {{ effectiveSql columns {{ name type }} stages {{ index name taskCount }} bytesToRead text }} {ERRORS} }} }}"""
BROKEN = "id,country,price\n1,DE,1.00\n2,FR\n3,IT,2.00\n"


@pytest.fixture
async def orders(settings: Settings, api: Api) -> dict[str, Any]:
    return await journeys.file(settings, api)


@pytest.fixture
async def idle(settings: Settings) -> AsyncIterator[Service]:
    """A service whose dispatcher takes no job."""
    async with running(replace(settings, jobs_running_max=0)) as service:
        yield service


async def test_a_job_runs_to_its_result(api: Api, orders: dict[str, Any]) -> None:
    job = await finished(api, orders)
    assert job["state"] == "SUCCEEDED", job
    content = await download(job)
    assert content.decode() == REVENUE_CSV
    (output,) = job["artifacts"]
    assert (output["kind"], output["name"], output["format"], output["rowCount"]) == (
        "OUTPUT",
        "output.csv",
        "CSV",
        3,
    )
    assert output["sha256"] == hashlib.sha256(content).hexdigest()
    assert job["rowBalance"] == {"read": 5, "passed": 5, "rejected": 0, "written": 3, "closes": True}
    assert job["failure"] is None and job["startedAt"] and job["finishedAt"]
    assert [source["id"] for source in job["sources"]] == [orders["id"]]


async def test_events_have_no_gaps_and_tell_the_whole_life(api: Api, orders: dict[str, Any]) -> None:
    job = await finished(api, orders)
    assert [event["seq"] for event in job["events"]] == list(range(1, len(job["events"]) + 1))
    kinds = [event["kind"] for event in job["events"]]
    assert kinds == ["CREATED", "PLANNING", "RUNNING", "FINALIZING", "SUCCEEDED"]
    later = await api.call(
        "query($id: ID!) { job(id: $id) { events(first: 2, after: 3) { seq } } }", id=job["id"]
    )
    assert later["events"] == [{"seq": 4}, {"seq": 5}]


async def test_progress_of_a_job_that_is_done_is_complete(api: Api, orders: dict[str, Any]) -> None:
    progress = (await finished(api, orders, shardSizeBytes=65536))["progress"]
    assert (progress["state"], progress["fraction"]) == ("SUCCEEDED", 1.0)
    assert progress["bytesRead"] == progress["bytesTotal"] > 0
    assert (progress["rowsRead"], progress["rowsWritten"], progress["rowsRejected"]) == (5, 3, 0)
    for stage in progress["stages"]:
        assert (stage["state"], stage["tasksDone"]) == ("SUCCEEDED", stage["taskCount"])
        assert [task["shard"] for task in stage["tasks"]] == list(range(stage["taskCount"]))
        assert {task["state"] for task in stage["tasks"]} == {"SUCCEEDED"}


async def test_bad_rows_fail_the_job_and_are_named(settings: Settings, api: Api) -> None:
    dataset = await journeys.file(settings, api, BROKEN)
    job = await finished(api, dataset, "SELECT * FROM input")
    assert job["state"] == "FAILED"
    assert (job["failure"]["kind"], job["failure"]["code"]) == ("DATA", "TOO_FEW_COLUMNS")
    assert job["progress"]["fraction"] < 1
    assert not [artifact for artifact in job["artifacts"] if artifact["kind"] == "OUTPUT"]


async def test_no_task_of_a_job_that_ended_is_said_to_run(settings: Settings, api: Api) -> None:
    job = await finished(api, await journeys.file(settings, api, BROKEN), "SELECT id FROM input")
    assert job["state"] == "FAILED"
    states = {task["state"] for stage in job["progress"]["stages"] for task in stage["tasks"]}
    assert not states & {"RUNNING", "PENDING"}


async def test_bad_rows_can_be_set_aside(settings: Settings, api: Api) -> None:
    dataset = await journeys.file(settings, api, BROKEN)
    job = await finished(api, dataset, "SELECT id FROM input", badRows={"policy": "REJECT_ROW"})
    assert job["state"] == "SUCCEEDED", job
    assert job["rowBalance"] == {"read": 3, "passed": 2, "rejected": 1, "written": 2, "closes": True}
    assert await download(job) == b"id\n1\n3\n"
    assert b"TOO_FEW_COLUMNS" in await download(job, "REJECTS")
    rejects = next(artifact for artifact in job["artifacts"] if artifact["kind"] == "REJECTS")
    query = "query($id: ID!) { node(id: $id) { ... on Artifact { preview { columns { name } rows } } } }"
    preview = (await api.call(query, id=rejects["id"]))["preview"]
    row = dict(zip((column["name"] for column in preview["columns"]), preview["rows"][0], strict=True))
    assert (row["line"], row["raw"]) == (3, "2,FR")


async def test_too_many_bad_rows_fail_the_job(settings: Settings, api: Api) -> None:
    dataset = await journeys.file(settings, api, BROKEN)
    policy = {"policy": "REJECT_ROW", "maxRejectedRows": 0}
    job = await finished(api, dataset, "SELECT id FROM input", badRows=policy)
    assert (job["state"], job["failure"]["kind"]) == ("FAILED", "DATA")


async def test_a_job_over_ndjson_accounts_for_every_line(settings: Settings, api: Api) -> None:
    lines = '{"id": 1, "who": {"name": "a"}}\n{"id": 2, "who": {"name": "b"}\n\n{"id": 3}\n'
    dataset = await journeys.file(settings, api, lines, "people.ndjson")
    sql = "SELECT id, who FROM input"
    policy = {"policy": "REJECT_ROW"}
    job = await finished(api, dataset, sql, badRows=policy, output={"format": "NDJSON"})
    assert job["state"] == "SUCCEEDED", job
    assert await download(job) == b'{"id":1,"who":{"name":"a"}}\n{"id":3,"who":null}\n'
    query = "query($id: ID!) { job(id: $id) { artifacts { kind preview(first: 9) { rows } } } }"
    artifacts = (await api.call(query, id=job["id"]))["artifacts"]
    rows = {artifact["kind"]: artifact["preview"]["rows"] for artifact in artifacts}
    assert rows["OUTPUT"] == [[1, {"name": "a"}], [3, None]]
    assert rows["REJECTS"][0][1:3] == [2, 2]


@pytest.mark.parametrize("format", ["CSV", "NDJSON", "PARQUET", "ARROW"])
async def test_every_format_comes_out_and_can_be_previewed(
    api: Api, orders: dict[str, Any], format: str
) -> None:
    job = await finished(api, orders, "SELECT id, country FROM input WHERE id < 3", output={"format": format})
    assert job["state"] == "SUCCEEDED", job
    assert job["artifacts"][0]["format"] == format
    assert len(await download(job)) > 0
    query = "query($id: ID!) { job(id: $id) { artifacts { preview(first: 1) { columns { name } rows truncated } } } }"
    preview = (await api.call(query, id=job["id"]))["artifacts"][0]["preview"]
    shown = {"columns": [{"name": "id"}, {"name": "country"}], "rows": [[1, "DE"]], "truncated": True}
    assert preview == shown


async def test_a_csv_of_types_that_text_does_not_have_can_be_previewed(
    api: Api, orders: dict[str, Any]
) -> None:
    job = await finished(api, orders, "SELECT length(country) AS letters FROM input WHERE id = 1")
    query = "query($id: ID!) { job(id: $id) { artifacts { preview { columns { name type } rows } } } }"
    preview = (await api.call(query, id=job["id"]))["artifacts"][0]["preview"]
    assert preview == {"columns": [{"name": "letters", "type": "Int64"}], "rows": [[2]]}


async def test_parts_come_as_one_archive(settings: Settings, api: Api) -> None:
    rows = "id,word\n" + "".join(f"{number},word {number}\n" for number in range(20_000))
    dataset = await journeys.file(settings, api, rows)
    output = {"format": "CSV", "layout": "PARTS"}
    job = await finished(api, dataset, "SELECT id FROM input", output=output, shardSizeBytes=65536)
    assert job["state"] == "SUCCEEDED", job
    (artifact,) = job["artifacts"]
    async with httpx.AsyncClient() as http:
        archive = (await http.get(artifact["downloadUrl"])).content
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        names = sorted(name for name in tar.getnames() if name.startswith("part-"))
        files = [tar.extractfile(name) for name in names]
        parts = [file.read().decode().splitlines() for file in files if file is not None]
    assert len(parts) > 1 and {part[0] for part in parts} == {"id"}
    assert [int(row) for part in parts for row in part[1:]] == list(range(20_000))
    query = "query($id: ID!) { job(id: $id) { artifacts { preview(first: 2) { rows truncated } } } }"
    (shown,) = (await api.call(query, id=job["id"]))["artifacts"]
    assert shown["preview"] == {"rows": [[0], [1]], "truncated": True}


async def test_csv_is_written_as_asked(api: Api, orders: dict[str, Any]) -> None:
    output = {"format": "CSV", "csvHeader": False, "csvDelimiter": ";"}
    job = await finished(api, orders, "SELECT id, country FROM input WHERE id < 3", output=output)
    assert await download(job) == b"1;DE\n2;FR\n"


async def test_two_datasets_are_joined_by_their_aliases(
    settings: Settings, api: Api, orders: dict[str, Any]
) -> None:
    names = await journeys.file(settings, api, "code,name\nDE,Germany\nFR,France\n", "names.csv")
    payload = await api.call(
        CREATE_JOB,
        input={
            "sources": [{"datasetId": orders["id"], "alias": "o"}, {"datasetId": names["id"], "alias": "n"}],
            "sql": "SELECT n.name, count(*) AS orders FROM o JOIN n ON o.country = n.code GROUP BY n.name ORDER BY 1",
        },
    )
    assert payload["errors"] == [], payload
    job = await ended(api, payload["job"]["id"])
    assert (await download(job)) == b"name,orders\nFrance,2\nGermany,2\n"
    assert [source["name"] for source in job["sources"]] == ["orders", "names"]


@pytest.mark.parametrize(
    "sql",
    [
        "SELEC * FROM input",
        "SELECT colour FROM input",
        "SELECT * FROM elsewhere",
        "SELECT count(country FROM input",
        "DROP TABLE input",
        "SELECT * FROM input; SELECT * FROM input",
        "COPY input TO '/tmp/stolen.csv'",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "SET datafusion.execution.batch_size = 1",
        "",
    ],
)
async def test_wrong_sql_is_an_error_of_the_field(api: Api, orders: dict[str, Any], sql: str) -> None:
    payload = await create(api, orders, sql)
    assert payload["job"] is None
    (error,) = payload["errors"]
    assert (error["code"], error["field"]) == ("BAD_USER_INPUT", ["input", "sql"])
    assert "Traceback" not in error["message"] and "panic" not in error["message"]
    assert (await api.call(LIST))["totalCount"] == 0


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"sql": None, "steps": []}, ["input", "steps"]),
        ({"sql": None, "steps": [{"drop": {"columns": ["nothing"]}}]}, ["input", "steps", "0"]),
        ({"profile": True}, ["input"]),
        ({"sql": None, "profile": True, "sources": []}, ["input", "sources"]),
        ({"output": {"format": "CSV", "partitionBy": []}}, ["input", "output", "partitionBy"]),
        ({"output": {"format": "CSV", "uri": "file:///tmp/x"}}, ["input", "output", "uri"]),
        ({"output": {"format": "CSV", "compression": "snappy"}}, ["input", "output", "compression"]),
        ({"sources": []}, ["input", "sources"]),
    ],
)
async def test_what_is_not_there_yet_is_said(
    api: Api, orders: dict[str, Any], more: dict[str, Any], field: list[str]
) -> None:
    payload = await create(api, orders, **({"sql": "SELECT 1 FROM input"} | more))
    assert (payload["errors"][0]["code"], payload["errors"][0]["field"]) == ("BAD_USER_INPUT", field)


async def test_sources_must_be_ready_and_ones_own(settings: Settings, service: Service, api: Api) -> None:
    empty = await journeys.file(settings, api, "", "empty.csv")
    invalid = await create(api, empty, "SELECT * FROM input")
    field = ["input", "sources", "0", "datasetId"]
    assert (invalid["errors"][0]["code"], invalid["errors"][0]["field"]) == ("BAD_USER_INPUT", field)
    other = await service.member("bob@example.org")
    foreign = await create(other, empty, "SELECT * FROM input")
    assert (foreign["errors"][0]["code"], foreign["errors"][0]["field"]) == ("NOT_FOUND", field)


async def test_a_file_that_is_gone_or_changed_is_said_at_once(
    settings: Settings, api: Api, orders: dict[str, Any]
) -> None:
    path = settings.data_roots[0] / "orders.csv"
    with path.open("a") as file:
        file.write("6,PL,1.00,\n")
    assert (await create(api, orders))["errors"][0]["code"] == "BAD_USER_INPUT"
    path.unlink()
    assert (await create(api, orders))["errors"][0]["code"] == "BAD_USER_INPUT"


async def test_a_header_without_rows_gives_an_empty_result(settings: Settings, api: Api) -> None:
    dataset = await journeys.file(settings, api, "id,country\n")
    job = await finished(api, dataset, "SELECT id, country FROM input")
    assert job["state"] == "SUCCEEDED", job
    assert await download(job) == b"id,country\n"
    assert job["rowBalance"] == {"read": 0, "passed": 0, "rejected": 0, "written": 0, "closes": True}
    assert job["progress"]["fraction"] == 1.0


async def test_one_key_makes_one_job(api: Api, orders: dict[str, Any]) -> None:
    made = await asyncio.gather(*(create(api, orders, idempotencyKey="k") for _ in range(5)))
    assert len({payload["job"]["id"] for payload in made}) == 1
    other = await create(api, orders, "SELECT 1 AS one FROM input", idempotencyKey="k")
    assert (other["errors"][0]["code"], other["errors"][0]["field"]) == (
        "CONFLICT",
        ["input", "idempotencyKey"],
    )
    assert (await api.call(LIST))["totalCount"] == 1


async def test_keys_belong_to_their_users(
    settings: Settings, service: Service, api: Api, orders: dict[str, Any]
) -> None:
    mine = await created(api, await journeys.file(settings, api), idempotencyKey="k")
    other = await service.member("bob@example.org")
    theirs = await created(other, await journeys.file(settings, other, name="theirs.csv"), idempotencyKey="k")
    assert mine["id"] != theirs["id"]


async def test_unfinished_jobs_are_limited(settings: Settings) -> None:
    async with running(replace(settings, jobs_running_max=0, jobs_queued_max=2)) as service:
        api = await service.member()
        orders = await journeys.file(settings, api)
        job = await created(api, orders)
        await created(api, orders)
        refused = await create(api, orders)
        assert refused["errors"][0]["code"] == "LIMIT_EXCEEDED"
        await api.call(CANCEL_JOB, input={"jobId": job["id"]})
        await created(api, orders)


async def test_tasks_of_a_job_are_limited(settings: Settings) -> None:
    async with running(replace(settings, job_tasks_max=2)) as service:
        api = await service.member()
        large = await journeys.file(settings, api, "id\n" + "1234567890\n" * 20_000)
        payload = await create(api, large, "SELECT id FROM input", shardSizeBytes=65536)
        (error,) = payload["errors"]
        assert (error["code"], error["field"]) == ("LIMIT_EXCEEDED", ["input", "shardSizeBytes"])


async def test_a_crash_right_after_the_commit_gives_one_whole_result(settings: Settings) -> None:
    async with running(settings) as service:
        api = await service.member()
        job = await finished(api, await journeys.file(settings, api))
        parts = split_global_id(job["id"])
        assert parts is not None
        id = parts[1]
        before = [path.read_bytes() for path in (settings.jobs_dir / str(id)).rglob("output.csv")]
    async with database.opened(settings, migrate=False):
        await Artifact.filter(job_id=id).delete()
        await JobEvent.filter(job_id=id, kind="SUCCEEDED").delete()
        await Job.filter(id=id).update(state=JobState.FINALIZING, fraction=0.99, rows_read=None, event_seq=4)
    async with running(settings) as service:
        api = Api(service.url)
        await api.sign_in("member@example.org")
        again = await ended(api, job["id"])
        assert again["state"] == "SUCCEEDED", again
        assert [await download(again)] == before == [REVENUE_CSV.encode()]
        assert len(again["artifacts"]) == 1 and again["rowBalance"] == job["rowBalance"]
        kinds = [event["kind"] for event in again["events"]]
        assert kinds[4:] == ["RECOVERED", "FINALIZING", "SUCCEEDED"]


async def test_a_queued_job_is_canceled_at_once_and_again(settings: Settings, idle: Service) -> None:
    api = await idle.member()
    job = await created(api, await journeys.file(settings, api))
    progress = job["progress"]
    assert (job["state"], progress["fraction"], progress["bytesRead"]) == ("QUEUED", 0.0, 0)
    assert 0 < progress["bytesTotal"] <= len(journeys.ORDERS)
    for _ in range(2):
        payload = await api.call(CANCEL_JOB, input={"jobId": job["id"]})
        assert (payload["errors"], payload["job"]["state"]) == ([], "CANCELED")
    assert [event["kind"] for event in payload["job"]["events"]] == ["CREATED", "CANCELED"]


async def test_what_is_done_can_not_be_canceled(api: Api, orders: dict[str, Any]) -> None:
    job = await finished(api, orders)
    payload = await api.call(CANCEL_JOB, input={"jobId": job["id"]})
    assert (payload["job"], payload["errors"][0]["code"]) == (None, "CONFLICT")


async def test_delete_removes_the_artifacts(settings: Settings, api: Api, orders: dict[str, Any]) -> None:
    job = await finished(api, orders)
    assert len(list(settings.jobs_dir.iterdir())) == 1
    assert await api.call(DELETE_JOB, input={"jobId": job["id"]}) == {"deletedId": job["id"], "errors": []}
    assert list(settings.jobs_dir.iterdir()) == []
    assert await journeys.look(api, job["id"]) is None
    async with httpx.AsyncClient() as http:
        assert (await http.get(job["artifacts"][0]["downloadUrl"])).status_code == 404
    again = await api.call(DELETE_JOB, input={"jobId": job["id"]})
    assert again["errors"][0]["code"] == "NOT_FOUND"


async def test_a_job_that_is_not_done_can_not_be_deleted(settings: Settings, idle: Service) -> None:
    api = await idle.member()
    job = await created(api, await journeys.file(settings, api))
    payload = await api.call(DELETE_JOB, input={"jobId": job["id"]})
    assert payload["errors"][0]["code"] == "CONFLICT"


async def test_nothing_of_a_job_is_left_in_staging(
    settings: Settings, api: Api, orders: dict[str, Any]
) -> None:
    await finished(api, orders)
    left = {path.name for path in settings.jobs_dir.rglob("*") if path.is_file()}
    assert left == {"output.csv"}


async def test_others_see_nothing_and_administrators_all(
    service: Service, api: Api, orders: dict[str, Any]
) -> None:
    job = await finished(api, orders)
    other, admin = await service.member("bob@example.org"), await service.user("root@example.org", "ADMIN")
    query = "query($id: ID!, $artifact: ID!) { job(id: $id) { id } node(id: $artifact) { id } }"
    artifact = job["artifacts"][0]["id"]
    hidden = await other.ask(query, id=job["id"], artifact=artifact)
    assert hidden["data"] == {"job": None, "node": None}
    seen = await admin.ask(query, id=job["id"], artifact=artifact)
    assert seen["data"] == {"job": {"id": job["id"]}, "node": {"id": artifact}}
    for mutation in (CANCEL_JOB, DELETE_JOB):
        payload = await other.call(mutation, input={"jobId": job["id"]})
        assert payload["errors"][0]["code"] == "NOT_FOUND"
    assert (await other.call(LIST))["totalCount"] == 0


async def test_lists_filter_by_state_owner_and_name(settings: Settings, idle: Service) -> None:
    api, admin = await idle.member(), await idle.user("root@example.org", "ADMIN")
    orders = await journeys.file(settings, api)
    first = await created(api, orders, name="Revenue by country")
    second = await created(api, orders, name="Everything")
    await api.call(CANCEL_JOB, input={"jobId": first["id"]})

    async def ids(api: Api, **filter: Any) -> list[str]:
        return [edge["node"]["id"] for edge in (await api.call(LIST, filter=filter))["edges"]]

    assert await ids(api, states=["QUEUED"]) == [second["id"]]
    assert await ids(api, states=["QUEUED", "CANCELED"]) == [second["id"], first["id"]]
    assert await ids(api, search="REVENUE") == [first["id"]]
    owner = (await api.call("{ me { id } }"))["id"]
    assert await ids(admin, ownerId=owner) == [second["id"], first["id"]]
    assert await ids(admin, ownerId=(await admin.call("{ me { id } }"))["id"]) == []
    page = await api.call(LIST, first=1)
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (2, True)
    rest = await api.call(LIST, first=1, after=page["pageInfo"]["endCursor"])
    assert [edge["node"]["id"] for edge in rest["edges"]] == [first["id"]]


async def test_explain_says_what_a_job_would_do(api: Api, orders: dict[str, Any]) -> None:
    given = {"sources": [{"datasetId": orders["id"]}], "sql": journeys.REVENUE}
    payload = await api.call(EXPLAIN, input=given)
    plan = payload["plan"]
    assert [column["name"] for column in plan["columns"]] == ["country", "revenue"]
    assert plan["bytesToRead"] == orders["sizeBytes"] - len("id,country,price,note\n")
    assert [stage["index"] for stage in plan["stages"]] == list(range(len(plan["stages"])))
    assert plan["text"] and plan["effectiveSql"]
    wrong = await api.call(EXPLAIN, input=given | {"sql": "SELECT colour FROM input"})
    assert (wrong["plan"], wrong["errors"][0]["field"]) == (None, ["input", "sql"])
    assert (await api.call(LIST))["totalCount"] == 0


async def test_cluster_counts_what_waits(settings: Settings, idle: Service) -> None:
    api = await idle.member()
    await created(api, await journeys.file(settings, api))
    query = "{ cluster { nodes { name } dashboardUrl runningTasks queuedJobs } }"
    assert await api.call(query) == {"nodes": [], "dashboardUrl": None, "runningTasks": 0, "queuedJobs": 1}
