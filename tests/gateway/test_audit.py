"""Who did what is written down: every mutation, its actor, its subject and its outcome, and no secret."""

from datetime import timedelta
from typing import Any

import pytest

from gateway import audit
from gateway.models import AuditEntry, new_id, now
from gateway.schema.relay import global_id
from gateway.settings import Settings

from .conftest import ERRORS, PASSWORD, Api, Service

LOG = """query($first: Int, $after: String, $filter: AuditFilter) {
  auditLog(first: $first, after: $after, filter: $filter) { totalCount pageInfo { hasNextPage endCursor }
    edges { node { id at action outcome actor { email } apiTokenId subjectId address requestId data } } } }"""
UPLOAD = f"""mutation {{ createUpload(input: {{ filename: "a.csv", sizeBytes: 1 }}) {{ upload {{ id }} {ERRORS} }} }}"""


@pytest.fixture
async def admin(service: Service) -> Api:
    return await service.user("root@example.org", "ADMIN")


async def log(admin: Api, **filter: Any) -> list[dict[str, Any]]:
    found = await admin.call(LOG, filter=filter)
    return [edge["node"] for edge in found["edges"]]


async def test_a_mutation_is_noted_with_its_actor_and_subject(admin: Api, api: Api) -> None:
    upload = (await api.call(UPLOAD))["upload"]
    (entry,) = await log(admin, action="createUpload")
    assert (entry["actor"]["email"], entry["outcome"]) == ("member@example.org", "OK")
    assert entry["subjectId"] == upload["id"]
    assert entry["address"] == "127.0.0.1" and entry["requestId"]


async def test_what_was_refused_is_noted_too(service: Service, admin: Api) -> None:
    viewer = await service.user("eve@example.org", "VIEWER")
    await viewer.ask(UPLOAD)
    (entry,) = await log(admin, action="createUpload")
    assert (entry["actor"]["email"], entry["outcome"]) == ("eve@example.org", "FORBIDDEN")
    gone = global_id("Dataset", new_id())
    delete = f"mutation($id: ID!) {{ deleteDataset(input: {{ datasetId: $id }}) {{ deletedId {ERRORS} }} }}"
    await admin.ask(delete, id=gone)
    (entry,) = await log(admin, action="deleteDataset")
    assert (entry["outcome"], entry["subjectId"]) == ("NOT_FOUND", gone)


async def test_sign_ins_are_noted_and_passwords_are_not(admin: Api, api: Api) -> None:
    login = f"mutation($input: LoginInput!) {{ login(input: $input) {{ {ERRORS} }} }}"
    await Api(api.url).call(login, input={"email": "member@example.org", "password": "wrong " + PASSWORD})
    failed = await log(admin, action="login", outcome="UNAUTHENTICATED")
    assert [(entry["actor"], entry["data"]) for entry in failed] == [(None, {"email": "member@example.org"})]
    right = await log(admin, action="login", outcome="OK")
    assert {entry["actor"]["email"] for entry in right} == {"member@example.org", "root@example.org"}
    assert PASSWORD not in str([row.__dict__ for row in await AuditEntry.all()])


async def test_strangers_and_parts_do_not_fill_the_log(admin: Api, api: Api) -> None:
    before = (await admin.call(LOG))["totalCount"]
    await Api(api.url).ask(UPLOAD)
    await Api(api.url).ask("mutation { refreshSession { errors { code } } }")
    assert (await admin.call(LOG))["totalCount"] == before


async def test_what_a_token_did_is_told_apart(admin: Api, api: Api) -> None:
    create = 'mutation { createApiToken(input: { name: "ci" }) { secret apiToken { id } errors { code } } }'
    made = await api.call(create)
    await Api(api.url, made["secret"]).call(UPLOAD)
    (entry,) = await log(admin, action="createUpload")
    assert entry["apiTokenId"] == made["apiToken"]["id"]
    (entry,) = await log(admin, action="createApiToken")
    assert entry["data"]["name"] == "ci" and made["secret"] not in str(entry)


async def test_pages_and_filters(admin: Api, api: Api) -> None:
    for _ in range(5):
        await api.call(UPLOAD)
    me = (await api.call("{ me { id } }"))["id"]
    first = await admin.call(LOG, first=2, filter={"actorId": me, "action": "createUpload"})
    assert first["totalCount"] == 5 and first["pageInfo"]["hasNextPage"]
    seen = [edge["node"]["id"] for edge in first["edges"]]
    after = first["pageInfo"]["endCursor"]
    rest = await admin.call(LOG, after=after, filter={"actorId": me, "action": "createUpload"})
    seen += [edge["node"]["id"] for edge in rest["edges"]]
    assert len(set(seen)) == 5
    later = (now() + timedelta(hours=1)).isoformat()
    assert await log(admin, since=later) == []
    assert len(await log(admin, until=later, action="createUpload")) == 5


async def test_only_administrators_read_it(api: Api) -> None:
    query = "{ auditLog { totalCount } }"
    assert await api.refused(query) == "FORBIDDEN"
    assert await Api(api.url).refused(query) == "UNAUTHENTICATED"


@pytest.mark.usefixtures("opened_database")
async def test_the_log_goes_back_as_far_as_it_should(settings: Settings) -> None:
    await audit.add("old")
    await AuditEntry.all().update(created_at=now() - timedelta(seconds=settings.audit_keep_s + 1))
    await audit.add("new")
    await audit.sweep(settings)
    assert [entry.action for entry in await AuditEntry.all()] == ["new"]
