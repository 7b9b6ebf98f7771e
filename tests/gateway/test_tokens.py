"""API tokens: shown once, kept as a hash, no further than their scopes."""

from datetime import timedelta
from typing import Any

import pytest

from gateway import users
from gateway.models import ApiToken, now
from gateway.settings import Settings

from .conftest import ERRORS, PASSWORD, Api, Service, eventually, receive, send

CREATE = f"""mutation($input: CreateApiTokenInput!) {{ createApiToken(input: $input) {{
  secret apiToken {{ id name prefix scopes createdAt lastUsedAt expiresAt }} {ERRORS} }} }}"""
REVOKE = f"""mutation($input: RevokeApiTokenInput!) {{ revokeApiToken(input: $input) {{
  apiToken {{ id }} {ERRORS} }} }}"""
LIST = "{ apiTokens { id name prefix scopes lastUsedAt } }"
UPLOAD = f"""mutation {{ createUpload(input: {{ filename: "a.csv", sizeBytes: 1 }}) {{ upload {{ id }} {ERRORS} }} }}"""
CANCEL = f"""mutation {{ cancelJob(input: {{ jobId: "x" }}) {{ {ERRORS} }} }}"""
JOBS = "{ jobs { totalCount } }"
USERS = "{ users { totalCount } }"


async def token(api: Api, **values: Any) -> tuple[Api, dict[str, Any]]:
    """A program that uses a new token, and the token."""
    payload = await api.call(CREATE, input={"name": "ci", **values})
    assert payload["errors"] == [], payload
    return Api(api.url, payload["secret"]), payload["apiToken"]


async def test_the_secret_is_shown_once_and_opens_what_its_owner_may(api: Api) -> None:
    program, made = await token(api)
    assert program.token is not None and program.token.startswith(made["prefix"])
    assert made["scopes"] == ["read", "datasets:write", "jobs:write"]
    assert (await program.call("{ me { email } }"))["email"] == "member@example.org"
    assert (await program.call(UPLOAD))["upload"] is not None
    row = await ApiToken.get(name="ci")
    assert program.token not in str(row.__dict__) and len(row.token_hash) == 64
    (listed,) = await api.call(LIST)
    assert listed["id"] == made["id"] and listed["lastUsedAt"] is not None


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [("read", JOBS), ("datasets:write", UPLOAD), ("jobs:write", CANCEL)],
)
async def test_a_token_does_no_more_than_its_scopes(api: Api, scope: str, allowed: str) -> None:
    program, _ = await token(api, scopes=[scope])
    for query in (JOBS, UPLOAD, CANCEL, USERS):
        body = await program.ask(query)
        codes = {error["extensions"]["code"] for error in body.get("errors", ())}
        value = next(iter(body["data"].values())) if body.get("data") else None
        if query in (UPLOAD, CANCEL) and value:
            codes |= {error["code"] for error in value["errors"]}
        assert ("FORBIDDEN" not in codes) is (query == allowed), (query, body)


async def test_the_scope_admin_needs_the_role_too(service: Service, api: Api) -> None:
    program, _ = await token(api, scopes=["read", "admin"])
    assert await program.refused(USERS) == "FORBIDDEN"
    admin = await service.user("root@example.org", "ADMIN")
    program, _ = await token(admin, scopes=["admin"])
    assert (await program.call(USERS))["totalCount"] == 2


async def test_a_token_makes_no_tokens(api: Api) -> None:
    program, made = await token(api)
    for query, input in ((CREATE, {"name": "more"}), (REVOKE, {"apiTokenId": made["id"]})):
        body = await program.ask(query, input=input)
        assert "FORBIDDEN" in str(body), body
    assert len(await api.call(LIST)) == 1


async def test_a_revoked_token_opens_nothing(api: Api) -> None:
    program, made = await token(api)
    for _ in range(2):
        payload = await api.call(REVOKE, input={"apiTokenId": made["id"]})
        assert (payload["errors"], payload["apiToken"]["id"]) == ([], made["id"])
    assert await program.refused(JOBS) == "UNAUTHENTICATED"
    assert await api.call(LIST) == []
    assert await api.call("query($id: ID!) { node(id: $id) { id } }", id=made["id"]) is None


async def test_tokens_are_their_owners_alone(service: Service, api: Api) -> None:
    _, made = await token(api)
    admin = await service.user("root@example.org", "ADMIN")
    assert await admin.call(LIST) == []
    assert await admin.call("query($id: ID!) { node(id: $id) { id } }", id=made["id"]) is None
    payload = await admin.call(REVOKE, input={"apiTokenId": made["id"]})
    assert payload["errors"][0]["code"] == "NOT_FOUND"
    assert len(await api.call(LIST)) == 1


async def test_a_token_ends_with_its_time_and_its_owner(service: Service, api: Api) -> None:
    program, _ = await token(api, expiresAt=(now() + timedelta(hours=1)).isoformat())
    other, _ = await token(api)
    await ApiToken.filter(name="ci", expires_at__isnull=False).update(expires_at=now() - timedelta(seconds=1))
    assert await program.refused(JOBS) == "UNAUTHENTICATED"
    assert (await other.call(JOBS))["totalCount"] == 0
    owner = await users.find(email="member@example.org")
    await service.user("root@example.org", "ADMIN")
    await users.update(owner.id, is_active=False)
    assert await other.refused(JOBS) == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    ("input", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "x", "scopes": ["everything"]}, "scopes"),
        ({"name": "x", "scopes": []}, "scopes"),
        ({"name": "x", "expiresAt": "2001-01-01T00:00:00Z"}, "expiresAt"),
    ],
)
async def test_wrong_input_is_named(api: Api, input: dict[str, Any], field: str) -> None:
    payload = await api.call(CREATE, input=input)
    assert (payload["errors"][0]["code"], payload["errors"][0]["field"]) == (
        "BAD_USER_INPUT",
        ["input", field],
    )
    assert payload["secret"] is None and await api.call(LIST) == []


async def test_tokens_are_limited(service: Service, api: Api, settings: Settings) -> None:
    owner = await users.find(email="member@example.org")
    for number in range(settings.api_tokens_max):
        await ApiToken.create(owner=owner, name="n", prefix="kar_", token_hash=str(number), scopes=["read"])
    assert (await api.call(CREATE, input={"name": "one more"}))["errors"][0]["code"] == "LIMIT_EXCEEDED"


async def test_a_token_subscribes_until_it_is_revoked(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.schema.websocket.RECHECK_S", 0.05)
    program, made = await token(api)
    async with program.websocket() as socket:
        await send(socket, {"type": "connection_init", "payload": {"accessToken": program.token}})
        assert (await receive(socket))["type"] == "connection_ack"
        await api.call(REVOKE, input={"apiTokenId": made["id"]})
        await socket.wait_closed()
        assert socket.close_code == 4401


async def test_a_new_role_ends_sockets_that_were_opened_in_the_old_one(
    service: Service, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.schema.websocket.RECHECK_S", 0.05)
    await service.user("root@example.org", "ADMIN")
    owner = await users.find(email="member@example.org")
    async with api.websocket() as socket:
        await send(socket, {"type": "connection_init", "payload": {"accessToken": api.token}})
        assert (await receive(socket))["type"] == "connection_ack"
        await users.update(owner.id, role=users.Role.VIEWER)
        await socket.wait_closed()
        assert socket.close_code == 4401
    await eventually(lambda: api.sign_in("member@example.org", PASSWORD))
