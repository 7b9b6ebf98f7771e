import asyncio
from dataclasses import replace
from typing import Any

import pytest

from gateway.models import Dataset, DatasetStatus
from gateway.schema.relay import split_global_id
from gateway.settings import Settings

from . import journeys
from .conftest import Api, Service, running
from .journeys import DELETE_DATASET, ORDERS, REGISTER, UPDATE, inspected, register

LIST = """query($first: Int, $after: String, $search: String) {
  datasets(first: $first, after: $after, search: $search) {
    totalCount pageInfo { hasNextPage endCursor } edges { node { name } } } }"""
PREVIEW = """query($id: ID!, $first: Int) { dataset(id: $id) {
  preview(first: $first) { columns { name } rows truncated } } }"""


async def test_a_registered_file_is_inspected(settings: Settings, api: Api) -> None:
    dataset = await journeys.file(settings, api)
    assert dataset["status"] == "READY"
    assert (dataset["format"], dataset["fileCount"], dataset["sizeBytes"]) == ("CSV", 1, len(ORDERS))
    assert dataset["dialect"]["delimiter"] == "," and dataset["dialect"]["hasHeader"] is True
    assert [column["name"] for column in dataset["columns"]] == ["id", "country", "price", "note"]
    assert dataset["uri"] == f"file://{settings.data_roots[0]}/orders.csv"
    assert dataset["owner"]["email"] == "member@example.org"
    assert dataset["profile"] is None


async def test_preview_shows_the_first_rows(settings: Settings, api: Api) -> None:
    dataset = await journeys.file(settings, api)
    preview = (await api.call(PREVIEW, id=dataset["id"], first=2))["preview"]
    assert [column["name"] for column in preview["columns"]] == ["id", "country", "price", "note"]
    assert [row[1] for row in preview["rows"]] == ["DE", "FR"]
    assert preview["truncated"] is True
    whole = (await api.call(PREVIEW, id=dataset["id"], first=50))["preview"]
    assert (len(whole["rows"]), whole["truncated"]) == (5, False)


async def test_ndjson_nests_in_columns_and_previews(settings: Settings, api: Api) -> None:
    lines = '{"id": 1, "who": {"name": "a", "tags": ["x", null]}}\n{"id": 2}\n'
    dataset = await journeys.file(settings, api, lines, "people.ndjson")
    assert (dataset["status"], dataset["format"], dataset["dialect"]) == ("READY", "NDJSON", None), dataset
    types = [column["type"] for column in dataset["columns"]]
    assert types == ["Int64", 'Struct("name": Utf8, "tags": List(Utf8))']
    preview = (await api.call(PREVIEW, id=dataset["id"], first=5))["preview"]
    assert preview["rows"] == [[1, {"name": "a", "tags": ["x", None]}], [2, None]]


@pytest.mark.parametrize("first", [0, -1, 501])
async def test_preview_has_a_limit(settings: Settings, api: Api, first: int) -> None:
    dataset = await journeys.file(settings, api)
    assert await api.refused(PREVIEW, id=dataset["id"], first=first) == "BAD_USER_INPUT"


async def test_preview_says_that_the_file_changed(settings: Settings, api: Api) -> None:
    dataset = await journeys.file(settings, api)
    (settings.data_roots[0] / "orders.csv").write_text("other\n")
    assert await api.refused(PREVIEW, id=dataset["id"]) == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    ("content", "word"),
    [(b"", "no bytes"), (b"\x7fELF\x02\x01\x01\x00" + bytes(range(256)) * 64, "binary")],
)
async def test_what_is_no_table_is_invalid_with_a_reason(
    settings: Settings, api: Api, content: bytes, word: str
) -> None:
    dataset = await journeys.file(settings, api, content)
    assert dataset["status"] == "INVALID"
    assert word in dataset["problem"].lower()
    assert (await api.call(PREVIEW, id=dataset["id"]))["preview"]["rows"] == []


async def test_a_header_without_rows_is_a_table_without_rows(settings: Settings, api: Api) -> None:
    dataset = await journeys.file(settings, api, "id,country,price\n")
    assert dataset["status"] == "READY"
    assert [column["name"] for column in dataset["columns"]] == ["id", "country", "price"]
    assert (await api.call(PREVIEW, id=dataset["id"]))["preview"] | {"columns": []} == {
        "columns": [],
        "rows": [],
        "truncated": False,
    }


async def test_a_missing_file_is_an_error_of_the_field(settings: Settings, api: Api) -> None:
    payload = await register(api, str(settings.data_roots[0] / "missing.csv"))
    assert payload["dataset"] is None
    assert (payload["errors"][0]["code"], payload["errors"][0]["field"]) == (
        "BAD_USER_INPUT",
        ["input", "uri"],
    )


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"name": " "}, ["input", "name"]),
        ({"dialect": {"delimiter": ";" * 9}}, ["input", "dialect", "delimiter"]),
        ({"dialect": {"skipRows": -1}}, ["input", "dialect", "skipRows"]),
        ({"columns": [{"name": "a", "type": "Int64"}] * 2}, ["input", "columns"]),
        ({"idempotencyKey": ""}, ["input", "idempotencyKey"]),
    ],
)
async def test_wrong_input_is_named(
    settings: Settings, api: Api, more: dict[str, Any], field: list[str]
) -> None:
    (settings.data_roots[0] / "orders.csv").write_text(ORDERS)
    payload = await register(api, "orders.csv", **more)
    assert (payload["errors"][0]["code"], payload["errors"][0]["field"]) == ("BAD_USER_INPUT", field)


async def test_files_of_one_kind_are_one_dataset(settings: Settings, api: Api) -> None:
    for month in ("01", "02"):
        (settings.data_roots[0] / f"orders-{month}.csv").write_text(ORDERS)
    payload = await register(api, "orders-*.csv")
    dataset = await inspected(api, payload["dataset"]["id"])
    assert (dataset["status"], dataset["fileCount"], dataset["sizeBytes"]) == ("READY", 2, 2 * len(ORDERS))


async def test_files_that_differ_are_refused_with_the_difference(settings: Settings, api: Api) -> None:
    (settings.data_roots[0] / "orders-1.csv").write_text(ORDERS)
    (settings.data_roots[0] / "orders-2.csv").write_text("key,land\n1,DE\n")
    payload = await register(api, "orders-*.csv")
    dataset = await inspected(api, payload["dataset"]["id"])
    assert dataset["status"] == "INVALID"
    assert all(name in dataset["problem"] for name in ("orders-1.csv", "orders-2.csv", "key, land"))


async def test_a_folder_is_one_dataset_with_the_columns_of_all_its_files(
    settings: Settings, api: Api
) -> None:
    for name, text in (("year=2023/a.csv", "id,price\n1,2\n"), ("year=2024/b.csv", "land,id\nDE,2\n")):
        (settings.data_roots[0] / "orders" / name).parent.mkdir(parents=True)
        (settings.data_roots[0] / "orders" / name).write_text(text)
    payload = await register(api, "orders")
    dataset = await inspected(api, payload["dataset"]["id"])
    assert dataset["status"] == "READY", dataset["problem"]
    kept = await Dataset.get(name=dataset["name"])
    assert [column["name"] for column in kept.columns] == ["id", "price", "land", "year"]
    assert [file["name"] for file in kept.files] == ["year=2023/a.csv", "year=2024/b.csv"]


async def test_the_same_key_gives_the_same_dataset_and_another_input_a_conflict(
    settings: Settings, api: Api
) -> None:
    (settings.data_roots[0] / "orders.csv").write_text(ORDERS)
    both = await asyncio.gather(*(register(api, "orders.csv", idempotencyKey="k") for _ in range(5)))
    assert len({payload["dataset"]["id"] for payload in both}) == 1
    other = await register(api, "orders.csv", name="other", idempotencyKey="k")
    assert other["errors"][0]["code"] == "CONFLICT"


async def test_update_reads_the_file_anew(settings: Settings, api: Api) -> None:
    dataset = await journeys.file(settings, api)
    columns = [{"name": "id", "type": "Utf8"}]
    payload = await api.call(
        UPDATE, input={"datasetId": dataset["id"], "name": "renamed", "columns": columns}
    )
    assert payload["errors"] == [] and payload["dataset"]["status"] == "INSPECTING"
    updated = await inspected(api, dataset["id"])
    assert (updated["status"], updated["name"]) == ("READY", "renamed")
    assert updated["columns"][0] == {"name": "id", "type": "Utf8", "nullable": True}
    assert updated["columns"][1:] == dataset["columns"][1:]


async def test_update_with_an_unknown_column_says_so(settings: Settings, api: Api) -> None:
    dataset = await journeys.file(settings, api)
    columns = [{"name": "colour", "type": "Utf8"}]
    await api.call(UPDATE, input={"datasetId": dataset["id"], "columns": columns})
    updated = await inspected(api, dataset["id"])
    assert updated["status"] == "INVALID" and "colour" in updated["problem"]
    await api.call(UPDATE, input={"datasetId": dataset["id"], "columns": []})
    assert (await inspected(api, dataset["id"]))["columns"] == dataset["columns"]


async def test_update_of_the_name_alone_inspects_nothing(settings: Settings, api: Api) -> None:
    dataset = await journeys.file(settings, api)
    payload = await api.call(UPDATE, input={"datasetId": dataset["id"], "name": "renamed"})
    assert (payload["dataset"]["status"], payload["dataset"]["name"]) == ("READY", "renamed")


async def test_a_file_that_grew_is_read_again_after_an_update(settings: Settings, api: Api) -> None:
    dataset = await journeys.file(settings, api)
    with (settings.data_roots[0] / "orders.csv").open("a") as file:
        file.write("6,PL,1.00,\n")
    await api.call(UPDATE, input={"datasetId": dataset["id"], "dialect": {}})
    assert (await inspected(api, dataset["id"]))["sizeBytes"] > dataset["sizeBytes"]


async def test_lists_page_by_key_and_search_by_name(settings: Settings, api: Api) -> None:
    (settings.data_roots[0] / "orders.csv").write_text(ORDERS)
    for number in range(5):
        await register(api, "orders.csv", name=f"set {number}")
    first = await api.call(LIST, first=2)
    assert first["totalCount"] == 5 and first["pageInfo"]["hasNextPage"]
    await register(api, "orders.csv", name="newer")
    second = await api.call(LIST, first=2, after=first["pageInfo"]["endCursor"])
    names = [edge["node"]["name"] for page in (first, second) for edge in page["edges"]]
    assert names == ["set 4", "set 3", "set 2", "set 1"]
    found = await api.call(LIST, search="SET 3")
    assert [edge["node"]["name"] for edge in found["edges"]] == ["set 3"]


async def test_others_see_nothing_and_administrators_all(
    settings: Settings, service: Service, api: Api
) -> None:
    dataset = await journeys.file(settings, api)
    other, admin = (
        await service.user("bob@example.org", "MEMBER"),
        await service.user("root@example.org", "ADMIN"),
    )
    query = "query($id: ID!) { dataset(id: $id) { id } node(id: $id) { id } }"
    assert (await other.ask(query, id=dataset["id"]))["data"] == {"dataset": None, "node": None}
    assert (await other.call(LIST))["totalCount"] == 0
    assert (await admin.ask(query, id=dataset["id"]))["data"]["dataset"] == {"id": dataset["id"]}
    assert (await admin.call(LIST))["totalCount"] == 1
    for mutation, more in ((UPDATE, {"name": "mine"}), (DELETE_DATASET, {})):
        payload = await other.call(mutation, input={"datasetId": dataset["id"], **more})
        assert payload["errors"][0]["code"] == "NOT_FOUND"


async def test_a_viewer_may_not_register(service: Service) -> None:
    viewer = await service.user("eve@example.org", "VIEWER")
    assert await viewer.refused(REGISTER, input={"name": "orders", "uri": "orders.csv"}) == "FORBIDDEN"


async def test_delete_forgets_the_dataset_and_leaves_the_file(settings: Settings, api: Api) -> None:
    dataset = await journeys.file(settings, api)
    payload = await api.call(DELETE_DATASET, input={"datasetId": dataset["id"]})
    assert payload == {"deletedId": dataset["id"], "errors": []}
    assert (await api.call(LIST))["totalCount"] == 0
    assert (settings.data_roots[0] / "orders.csv").exists()
    again = await api.call(DELETE_DATASET, input={"datasetId": dataset["id"]})
    assert again["errors"][0]["code"] == "NOT_FOUND"


async def test_delete_of_an_upload_removes_its_bytes(settings: Settings, api: Api) -> None:
    dataset = await api.upload("orders.csv", ORDERS.encode())
    assert any(settings.uploads_dir.iterdir())
    await api.call(DELETE_DATASET, input={"datasetId": dataset["id"]})
    assert not any(settings.uploads_dir.iterdir())


async def test_delete_is_refused_while_a_job_reads_it(settings: Settings) -> None:
    async with running(replace(settings, jobs_running_max=0)) as service:
        api = await service.member("ada@example.org")
        dataset = await journeys.file(settings, api)
        job = await journeys.created(api, dataset)
        refused = await api.call(DELETE_DATASET, input={"datasetId": dataset["id"]})
        assert refused["errors"][0]["code"] == "CONFLICT"
        await api.call(journeys.CANCEL_JOB, input={"jobId": job["id"]})
        assert (await api.call(DELETE_DATASET, input={"datasetId": dataset["id"]}))["errors"] == []
        assert (await journeys.look(api, job["id"]))["sources"] == []


async def test_an_inspection_that_was_interrupted_is_done_again(settings: Settings) -> None:
    path = settings.data_roots[0] / "orders.csv"
    path.write_text(ORDERS)
    async with running(settings) as service:
        api = await service.member()
        dataset = await journeys.file(settings, api)
        parts = split_global_id(dataset["id"])
        assert parts is not None
        await Dataset.filter(id=parts[1]).update(status=DatasetStatus.INSPECTING, columns=[])
    async with running(settings) as service:
        api = Api(service.url)
        await api.sign_in("member@example.org")
        assert len((await inspected(api, dataset["id"]))["columns"]) == 4
