"""Recipes: kept in versions, run on datasets, their owner's alone."""

from typing import Any

import pytest

from gateway.settings import Settings

from . import journeys
from .conftest import ERRORS, Api, Service

RECIPE = "id name description version sql versions { version sql }"
SAVE = (
    f"mutation($input: SaveRecipeInput!) {{ saveRecipe(input: $input) {{ recipe {{ {RECIPE} }} {ERRORS} }} }}"
)
RUN = f"mutation($input: RunRecipeInput!) {{ runRecipe(input: $input) {{ job {{ {journeys.JOB} }} {ERRORS} }} }}"
DELETE = f"mutation($input: RecipeIdInput!) {{ deleteRecipe(input: $input) {{ deletedId {ERRORS} }} }}"
LIST = (
    f"query($search: String) {{ recipes(search: $search) {{ totalCount edges {{ node {{ {RECIPE} }} }} }} }}"
)


async def saved(api: Api, **input: Any) -> dict[str, Any]:
    payload = await api.call(SAVE, input={"name": "Revenue", "sql": journeys.REVENUE, **input})
    assert payload["errors"] == [], payload
    recipe: dict[str, Any] = payload["recipe"]
    return recipe


async def test_versions_are_kept_and_each_can_be_run(settings: Settings, service: Service, api: Api) -> None:
    first = await saved(api, output={"format": "CSV", "csvHeader": False})
    second = await saved(api, recipeId=first["id"], sql="SELECT count(*) AS n FROM input", name="Count")
    assert (second["id"], second["version"], second["name"]) == (first["id"], 2, "Count")
    assert [kept["version"] for kept in second["versions"]] == [2, 1]
    assert second["versions"][1]["sql"] == journeys.REVENUE
    dataset = await journeys.file(settings, api)
    results = []
    for version in (1, None):
        input = {"recipeId": first["id"], "version": version, "sources": [{"datasetId": dataset["id"]}]}
        payload = await api.call(RUN, input=input)
        assert payload["errors"] == [], payload
        results.append(await journeys.download(await journeys.ended(api, payload["job"]["id"])))
    assert results == [journeys.REVENUE_CSV.partition("\n")[2].encode(), b"n\n5\n"]
    wrong = await api.call(RUN, input={**input, "version": 3})
    assert (wrong["errors"][0]["code"], wrong["errors"][0]["field"]) == ("NOT_FOUND", ["input", "version"])


async def test_a_list_is_searched(api: Api) -> None:
    await saved(api)
    await saved(api, name="Customers", sql="SELECT 1 FROM input")
    assert (await api.call(LIST))["totalCount"] == 2
    (found,) = (await api.call(LIST, search="cust"))["edges"]
    assert (found["node"]["name"], found["node"]["sql"]) == ("Customers", "SELECT 1 FROM input")


async def test_one_key_makes_one_recipe(api: Api) -> None:
    made = [await saved(api, idempotencyKey="k") for _ in range(2)]
    assert made[0] == made[1]
    other = await api.call(SAVE, input={"name": "Other", "sql": "SELECT 1", "idempotencyKey": "k"})
    assert other["errors"][0]["code"] == "CONFLICT"


async def test_a_deleted_recipe_is_gone_and_its_jobs_stay(
    settings: Settings, service: Service, api: Api
) -> None:
    recipe = await saved(api)
    dataset = await journeys.file(settings, api)
    input = {"recipeId": recipe["id"], "sources": [{"datasetId": dataset["id"]}]}
    job = (await api.call(RUN, input=input))["job"]
    assert (await api.call(DELETE, input={"recipeId": recipe["id"]}))["deletedId"] == recipe["id"]
    assert (await api.call(LIST))["totalCount"] == 0
    for query, more in ((RUN, input), (DELETE, {"recipeId": recipe["id"]})):
        assert (await api.call(query, input=more))["errors"][0]["code"] == "NOT_FOUND"
    assert (await journeys.ended(api, job["id"]))["state"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("input", "field"),
    [
        ({"sql": " "}, ["sql"]),
        ({"name": ""}, ["name"]),
        ({"description": "x" * 2001}, ["description"]),
        ({"output": {"format": "ARROW", "compression": "gzip"}}, ["output", "compression"]),
    ],
)
async def test_wrong_input_is_named(api: Api, input: dict[str, Any], field: list[str]) -> None:
    payload = await api.call(SAVE, input={"name": "R", "sql": "SELECT 1", **input})
    assert payload["errors"][0]["field"] == ["input", *field]
