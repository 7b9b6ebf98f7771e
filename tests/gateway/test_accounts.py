"""New passwords, codes for them, and the limits of one user."""

from datetime import timedelta
from typing import Any

import pytest

from gateway import users
from gateway.models import PasswordReset, SessionFamily, now

from . import journeys
from .conftest import ERRORS, PASSWORD, Api, Service

CHANGE = f"mutation($input: ChangePasswordInput!) {{ changePassword(input: $input) {{ {ERRORS} }} }}"
CODE = (
    "mutation($input: CreatePasswordResetInput!) { createPasswordReset(input: $input) "
    f"{{ code expiresAt {ERRORS} }} }}"
)
RESET = f"mutation($input: ResetPasswordInput!) {{ resetPassword(input: $input) {{ {ERRORS} }} }}"
UPDATE = f"""mutation($input: UpdateUserInput!) {{ updateUser(input: $input) {{
  user {{ limits {{ storageQuotaBytes jobsQueuedMax }} }} {ERRORS} }} }}"""
NEW = "another long password"


@pytest.fixture
async def admin(service: Service) -> Api:
    return await service.user("root@example.org", "ADMIN")


async def problem(api: Api, query: str, **input: Any) -> tuple[str, Any]:
    payload = await api.call(query, input=input)
    (error,) = payload["errors"]
    return error["code"], error["field"]


async def test_a_new_password_ends_all_other_sessions(api: Api) -> None:
    other = Api(api.url)
    await other.sign_in("member@example.org")
    payload = await api.call(CHANGE, input={"currentPassword": PASSWORD, "newPassword": NEW})
    assert payload["errors"] == []
    assert await api.call("{ me { email } }") == {"email": "member@example.org"}
    assert await other.refused("{ me { email } }") == "UNAUTHENTICATED"
    await other.sign_in("member@example.org", NEW)


@pytest.mark.parametrize("new", ["short", "Password123", "qwertyuiop", "member@example.org", "x" * 73])
async def test_a_password_that_is_not_taken_changes_nothing(api: Api, new: str) -> None:
    found = await problem(api, CHANGE, currentPassword=PASSWORD, newPassword=new)
    assert found == ("BAD_USER_INPUT", ["input", "newPassword"])
    await api.sign_in("member@example.org")


async def test_the_current_password_can_not_be_guessed(service: Service, api: Api) -> None:
    tries = service.settings.login_tries_per_account
    for _ in range(tries):
        found = await problem(api, CHANGE, currentPassword="wrong", newPassword=NEW)
        assert found == ("BAD_USER_INPUT", ["input", "currentPassword"])
    assert (await problem(api, CHANGE, currentPassword=PASSWORD, newPassword=NEW))[0] == "RATE_LIMITED"


async def test_a_code_sets_a_password_once(admin: Api, api: Api) -> None:
    me = (await api.call("{ me { id } }"))["id"]
    first, second = [(await admin.call(CODE, input={"userId": me}))["code"] for _ in range(2)]
    stranger = Api(api.url)
    wrong = ("BAD_USER_INPUT", ["input", "code"])
    assert await problem(stranger, RESET, code=first, newPassword=NEW) == wrong
    assert (await problem(stranger, RESET, code=second, newPassword="short"))[1] == ["input", "newPassword"]
    assert (await stranger.call(RESET, input={"code": second, "newPassword": NEW}))["errors"] == []
    assert await problem(stranger, RESET, code=second, newPassword=NEW) == wrong
    assert await api.refused("{ me { email } }") == "UNAUTHENTICATED"
    await stranger.sign_in("member@example.org", NEW)
    assert second not in str([row.__dict__ for row in await PasswordReset.all()])
    log = 'query { auditLog(filter: { action: "resetPassword", outcome: "OK" }) { edges { node { subjectId } } } }'
    assert (await admin.call(log))["edges"] == [{"node": {"subjectId": me}}]


async def test_a_code_ends_with_its_time_and_its_user(admin: Api, api: Api) -> None:
    me = (await api.call("{ me { id } }"))["id"]
    code = (await admin.call(CODE, input={"userId": me}))["code"]
    await PasswordReset.all().update(expires_at=now() - timedelta(seconds=1))
    assert (await problem(Api(api.url), RESET, code=code, newPassword=NEW))[1] == ["input", "code"]
    code = (await admin.call(CODE, input={"userId": me}))["code"]
    await users.update((await users.find(email="member@example.org")).id, is_active=False)
    assert (await problem(Api(api.url), RESET, code=code, newPassword=NEW))[1] == ["input", "code"]
    assert await SessionFamily.filter(revoked_at=None).count() == 1


async def test_one_user_can_have_other_limits(service: Service, admin: Api, api: Api) -> None:
    me = (await api.call("{ me { id } }"))["id"]
    limits = {"storageQuotaBytes": 10, "jobsQueuedMax": 0}
    assert (await admin.call(UPDATE, input={"userId": me, **limits}))["user"]["limits"] == limits
    upload = f'mutation {{ createUpload(input: {{ filename: "a.csv", sizeBytes: 11 }}) {{ {ERRORS} }} }}'
    assert (await api.call(upload))["errors"][0]["code"] == "LIMIT_EXCEEDED"
    dataset = await journeys.file(service.settings, api)
    assert (await journeys.create(api, dataset))["errors"][0]["code"] == "LIMIT_EXCEEDED"
    kept = await admin.call(UPDATE, input={"userId": me, "displayName": "M", "jobsQueuedMax": None})
    assert kept["user"]["limits"] == {"storageQuotaBytes": 10, "jobsQueuedMax": None}
    assert (await journeys.create(api, dataset))["errors"] == []
    bad = await admin.call(UPDATE, input={"userId": me, "jobsQueuedMax": -1})
    assert bad["errors"][0]["code"] == "BAD_USER_INPUT"
