"""Who may do what: every operation of the schema, asked by everyone. An operation that is not stated here fails."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    build_schema,
    get_named_type,
)

from gateway import tokens, users
from gateway.models import (
    Artifact,
    Dataset,
    DatasetStatus,
    FileFormat,
    Job,
    JobSource,
    JobState,
    Recipe,
    RecipeVersion,
    Upload,
    new_id,
    now,
)
from gateway.schema import schema
from gateway.schema.relay import global_id
from gateway.settings import Settings

from .conftest import Api, Service, receive

ANYONE, VIEWER, MEMBER, ADMIN = 0, 1, 2, 3
LEAST = {
    "Query.me": ANYONE,
    "Query.version": ANYONE,
    "Query.node": VIEWER,
    "Query.users": ADMIN,
    "Query.apiTokens": VIEWER,
    "Query.upload": VIEWER,
    "Query.dataset": VIEWER,
    "Query.datasets": VIEWER,
    "Query.job": VIEWER,
    "Query.jobs": VIEWER,
    "Query.explainJob": VIEWER,
    "Query.cluster": VIEWER,
    "Query.auditLog": ADMIN,
    "Query.usage": VIEWER,
    "Query.recipe": VIEWER,
    "Query.recipes": VIEWER,
    "Mutation.register": ANYONE,
    "Mutation.login": ANYONE,
    "Mutation.refreshSession": ANYONE,
    "Mutation.logout": ANYONE,
    "Mutation.createApiToken": VIEWER,
    "Mutation.revokeApiToken": VIEWER,
    "Mutation.updateUser": ADMIN,
    "Mutation.createPasswordReset": ADMIN,
    "Mutation.changePassword": VIEWER,
    "Mutation.resetPassword": ANYONE,
    "Mutation.createUpload": MEMBER,
    "Mutation.signUploadParts": MEMBER,
    "Mutation.completeUpload": MEMBER,
    "Mutation.abortUpload": MEMBER,
    "Mutation.registerDataset": MEMBER,
    "Mutation.updateDataset": MEMBER,
    "Mutation.deleteDataset": MEMBER,
    "Mutation.createJob": MEMBER,
    "Mutation.cancelJob": MEMBER,
    "Mutation.pauseJob": MEMBER,
    "Mutation.resumeJob": MEMBER,
    "Mutation.retryJob": MEMBER,
    "Mutation.cloneJob": MEMBER,
    "Mutation.saveRecipe": MEMBER,
    "Mutation.runRecipe": MEMBER,
    "Mutation.deleteRecipe": MEMBER,
    "Mutation.deleteJob": MEMBER,
    "Subscription.jobProgress": VIEWER,
    "Subscription.jobEvents": VIEWER,
    "Subscription.jobUpdates": VIEWER,
}
"""The least role of each operation."""
WITH_TOKEN = {
    "Mutation.changePassword": None,
    "Mutation.createApiToken": None,
    "Mutation.revokeApiToken": None,
    "Mutation.createUpload": "datasets:write",
    "Mutation.signUploadParts": "datasets:write",
    "Mutation.completeUpload": "datasets:write",
    "Mutation.abortUpload": "datasets:write",
    "Mutation.registerDataset": "datasets:write",
    "Mutation.updateDataset": "datasets:write",
    "Mutation.deleteDataset": "datasets:write",
    "Mutation.createJob": "jobs:write",
    "Mutation.cancelJob": "jobs:write",
    "Mutation.pauseJob": "jobs:write",
    "Mutation.resumeJob": "jobs:write",
    "Mutation.retryJob": "jobs:write",
    "Mutation.cloneJob": "jobs:write",
    "Mutation.saveRecipe": "jobs:write",
    "Mutation.runRecipe": "jobs:write",
    "Mutation.deleteRecipe": "jobs:write",
    "Mutation.deleteJob": "jobs:write",
}
"""The scope that an API token needs; `admin` for what administrators do, `read` for all else."""
SEEN_BY_ADMIN = {
    "User": True,
    "ApiToken": False,
    "Upload": False,
    "Dataset": True,
    "Job": True,
    "Artifact": True,
    "Recipe": True,
}
"""Whether administrators see an object of someone else."""
OBJECT_OF = {
    "jobId": "Job",
    "datasetId": "Dataset",
    "uploadId": "Upload",
    "apiTokenId": "ApiToken",
    "recipeId": "Recipe",
}
REFUSALS = {"UNAUTHENTICATED", "FORBIDDEN"}

SCHEMA = build_schema(schema.as_str())
ROOTS = {
    "Query": SCHEMA.query_type,
    "Mutation": SCHEMA.mutation_type,
    "Subscription": SCHEMA.subscription_type,
}
FIELDS: dict[str, GraphQLField] = {
    f"{root}.{name}": field for root, type in ROOTS.items() if type for name, field in type.fields.items()
}
ASKED = [name for name in FIELDS if not name.startswith("Subscription.")]
STREAMS = [name for name in FIELDS if name.startswith("Subscription.")]


@dataclass(frozen=True)
class People:
    stranger: Api
    viewer: Api
    member: Api
    other: Api
    admin: Api
    ids: dict[str, str]
    """Objects of the member, by type."""

    def ranked(self) -> Iterator[tuple[Api, int]]:
        yield from ((self.stranger, ANYONE), (self.viewer, VIEWER), (self.other, MEMBER), (self.admin, ADMIN))


@pytest.fixture
async def people(service: Service, settings: Settings) -> People:
    admin = await service.user("admin@example.org", "ADMIN")
    member = await service.member("owner@example.org")
    viewer = await service.user("viewer@example.org", "VIEWER")
    other = await service.member("other@example.org")
    owner = await users.find(email="owner@example.org")
    upload = await Upload.create(
        owner=owner,
        filename="a.csv",
        size_bytes=1,
        part_size_bytes=1,
        part_count=1,
        expires_at=now() + timedelta(days=1),
    )
    dataset = await Dataset.create(
        owner=owner, name="d", uri="file:///d", format=FileFormat.CSV, status=DatasetStatus.READY
    )
    job = await Job.create(
        owner=owner, name="j", state=JobState.CANCELED, spec={}, sql="SELECT 1", event_seq=0
    )
    await JobSource.create(job=job, dataset=dataset, position=0, alias="input")
    artifact = await Artifact.create(job=job, kind="OUTPUT", name="o.csv", path="o.csv", size_bytes=1)
    token = await tokens.create(settings, owner, name="t", scopes=None, expires_at=None)
    recipe = await Recipe.create(owner=owner, name="r", version=1)
    await RecipeVersion.create(recipe=recipe, version=1, sql="SELECT 1", spec={})
    ids = {
        "Recipe": global_id("Recipe", recipe.id),
        "User": global_id("User", owner.id),
        "ApiToken": global_id("ApiToken", token.token.id),
        "Upload": global_id("Upload", upload.id),
        "Dataset": global_id("Dataset", dataset.id),
        "Job": global_id("Job", job.id),
        "Artifact": global_id("Artifact", artifact.id),
    }
    return People(Api(service.url), viewer, member, other, admin, {**ids})


def document(name: str) -> str:
    """The operation with all that it needs in variables, and the least that it can give."""
    root, _, field_name = name.partition(".")
    field = FIELDS[name]
    variables = ", ".join(f"${argument}: {value.type}" for argument, value in field.args.items())
    arguments = ", ".join(f"{argument}: ${argument}" for argument in field.args)
    made = get_named_type(field.type)
    fields = ""
    if isinstance(made, GraphQLObjectType | GraphQLInterfaceType):
        fields = "{ __typename " + ("errors { code message field }" if "errors" in made.fields else "") + " }"
    head = f"{root.lower()}{f'({variables})' if variables else ''}"
    return f"{head} {{ {field_name}{f'({arguments})' if arguments else ''} {fields} }}"


def values(name: str, ids: dict[str, str]) -> dict[str, Any]:
    """A value for each argument that must be given, and for each that names an object."""
    named = {
        "Query.upload": "Upload",
        "Query.dataset": "Dataset",
        "Query.job": "Job",
        "Query.node": "Job",
        "Query.recipe": "Recipe",
    }
    return {
        argument: ids[named[name]] if argument == "id" else _value(argument, value.type, ids)
        for argument, value in FIELDS[name].args.items()
        if isinstance(value.type, GraphQLNonNull) or argument == "input"
    }


def _value(name: str, type: Any, ids: dict[str, str]) -> Any:
    if isinstance(type, GraphQLNonNull):
        return _value(name, type.of_type, ids)
    if isinstance(type, GraphQLList):
        return [_value(name, type.of_type, ids)]
    if isinstance(type, GraphQLInputObjectType):
        needed = {key: field for key, field in type.fields.items() if isinstance(field.type, GraphQLNonNull)}
        return {key: _value(key, field.type, ids) for key, field in needed.items()}
    if isinstance(type, GraphQLEnumType):
        return next(iter(type.values))
    assert isinstance(type, GraphQLScalarType)
    if type.name == "ID":
        return ids["User"] if name == "userId" else ids[OBJECT_OF[name]]
    return {"Int": 1, "BigInt": 1, "Float": 0.5, "Boolean": True}.get(type.name, "x")


def missing(ids: dict[str, str]) -> dict[str, str]:
    return {type: global_id(type, new_id()) for type in ids}


def refusal(body: dict[str, Any]) -> set[str]:
    return {error["extensions"]["code"] for error in body.get("errors", ())} & REFUSALS


def test_every_operation_is_stated() -> None:
    assert LEAST.keys() == FIELDS.keys()
    nodes = {type.name for type in SCHEMA.get_implementations(SCHEMA.get_type("Node")).objects}  # type: ignore[arg-type]
    assert SEEN_BY_ADMIN.keys() == nodes


@pytest.mark.parametrize("name", ASKED)
async def test_each_role_passes_where_it_should(people: People, name: str) -> None:
    for api, rank in people.ranked():
        body = await api.ask(document(name), **values(name, missing(people.ids)))
        expected = set() if rank >= LEAST[name] else {"FORBIDDEN" if rank else "UNAUTHENTICATED"}
        assert refusal(body) == expected, (name, rank, body)
        assert "INTERNAL" not in json.dumps(body)


@pytest.mark.parametrize("name", ASKED)
async def test_each_scope_passes_where_it_should(people: People, settings: Settings, name: str) -> None:
    if LEAST[name] == ANYONE:
        pytest.skip("needs no scope")
    needed = WITH_TOKEN.get(name, "admin" if LEAST[name] == ADMIN else "read")
    admin = await users.find(email="admin@example.org")
    for scope in tokens.Scope:
        made = await tokens.create(settings, admin, name=scope, scopes=[scope], expires_at=None)
        api = Api(people.admin.url, made.secret)
        body = await api.ask(document(name), **values(name, missing(people.ids)))
        assert refusal(body) == (set() if scope == needed else {"FORBIDDEN"}), (name, scope, body)


@pytest.mark.parametrize("name", [name for name in ASKED if FIELDS[name].args])
async def test_what_is_someone_elses_looks_like_what_is_missing(people: People, name: str) -> None:
    foreign, gone = values(name, people.ids), values(name, missing(people.ids))
    if foreign == gone or LEAST[name] == ADMIN:
        pytest.skip("names no object that belongs to someone")
    before = await contents()
    for api in (people.viewer, people.other):
        seen = await api.ask(document(name), **foreign)
        assert seen == await api.ask(document(name), **gone), name
    assert await contents() == before


@pytest.mark.parametrize("type", list(SEEN_BY_ADMIN))
async def test_an_object_is_seen_by_its_owner_and_administrators(people: People, type: str) -> None:
    query = "query($id: ID!) { node(id: $id) { id __typename } }"
    expected = {"id": people.ids[type], "__typename": type}
    assert await people.member.call(query, id=people.ids[type]) == expected
    for api in (people.viewer, people.other):
        assert await api.call(query, id=people.ids[type]) is None
    assert (await people.admin.call(query, id=people.ids[type]) == expected) is SEEN_BY_ADMIN[type]
    assert await people.stranger.refused(query, id=people.ids[type]) == "UNAUTHENTICATED"


@pytest.mark.parametrize("name", [name for name in STREAMS if FIELDS[name].args])
async def test_streams_of_others_look_like_streams_of_nothing(people: People, name: str) -> None:
    for api in (people.viewer, people.other):
        told = []
        for ids in (people.ids, missing(people.ids)):
            async with api.subscribed(document(name), jobId=ids["Job"]) as socket:
                told.append(await receive(socket))
        assert told[0] == told[1], name
        assert "NOT_FOUND" in json.dumps(told[0]) and told[0]["type"] != "complete"
    for api in (people.member, people.admin):
        async with api.subscribed(document(name), jobId=people.ids["Job"]) as socket:
            assert (await receive(socket))["type"] in ("next", "complete")


async def test_lists_hold_what_is_ones_own(people: People) -> None:
    for api, count in ((people.member, 1), (people.admin, 1), (people.other, 0), (people.viewer, 0)):
        for name in ("jobs", "datasets"):
            assert (await api.call(f"{{ {name} {{ totalCount }} }}"))["totalCount"] == count, name


async def contents() -> list[object]:
    """Everything that a mutation could have changed, but for the log of it."""
    tables = (Recipe, users.User, tokens.ApiToken, Upload, Dataset, Job, Artifact)
    return [sorted(map(str, await table.all().values())) for table in tables]
