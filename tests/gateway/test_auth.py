import asyncio
import dataclasses
from datetime import timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest

from gateway import auth, users
from gateway.models import RefreshToken, Role, SessionFamily, now
from gateway.settings import Settings
from gateway.signing import AccessClaims, access_token

from .conftest import ERRORS, PASSWORD, SESSION, Api, Service, running

REGISTER = f"mutation($input: RegisterInput!) {{ register(input: $input) {{ {SESSION} {ERRORS} }} }}"
LOGIN = f"mutation($input: LoginInput!) {{ login(input: $input) {{ {SESSION} {ERRORS} }} }}"
REFRESH = (
    f"mutation($input: RefreshSessionInput) {{ refreshSession(input: $input) {{ {SESSION} {ERRORS} }} }}"
)
LOGOUT = f"mutation($input: RefreshSessionInput) {{ logout(input: $input) {{ {ERRORS} }} }}"
ME = "{ me { email role } }"


async def refresh(api: Api, token: str | None) -> Any:
    return await api.call(REFRESH, input={"refreshToken": token})


async def test_first_registered_user_is_administrator_and_the_next_is_member(service: Service) -> None:
    api = Api(service.url)
    first = await api.call(REGISTER, input={"email": " Ada@Example.org ", "password": PASSWORD})
    second = await api.call(
        REGISTER, input={"email": "bob@example.org", "password": PASSWORD, "displayName": "Bob"}
    )
    assert first["errors"] == [] and first["session"]["user"]["role"] == "ADMIN"
    assert first["session"]["user"]["email"] == "ada@example.org"
    assert second["session"]["user"] | {"id": ""} == {
        "id": "",
        "email": "bob@example.org",
        "displayName": "Bob",
        "role": "MEMBER",
        "isActive": True,
    }


@pytest.mark.parametrize(
    ("email", "password", "field"),
    [
        ("no address", PASSWORD, "email"),
        ("a@b\n", "short", "password"),
        ("a@example.org", "x" * 73, "password"),
        ("a@example.org", "é" * 37, "password"),
        ("x" * 260 + "@example.org", PASSWORD, "email"),
    ],
)
async def test_register_says_which_field_is_wrong(
    service: Service, email: str, password: str, field: str
) -> None:
    payload = await Api(service.url).call(REGISTER, input={"email": email, "password": password})
    assert payload["session"] is None
    assert payload["errors"][0]["code"] == "BAD_USER_INPUT"
    assert payload["errors"][0]["field"] == ["input", field]


async def test_taken_email_is_a_conflict_in_any_case(service: Service, api: Api) -> None:
    payload = await Api(service.url).call(
        REGISTER, input={"email": "MEMBER@example.org", "password": PASSWORD}
    )
    assert payload["errors"][0]["code"] == "CONFLICT"


async def test_closed_registration_is_forbidden(settings: Settings) -> None:
    async with running(dataclasses.replace(settings, registration_open=False)) as service:
        payload = await Api(service.url).call(REGISTER, input={"email": "a@b.c", "password": PASSWORD})
    assert payload["errors"][0]["code"] == "FORBIDDEN"


async def test_login_says_the_same_of_a_wrong_password_and_an_unknown_user(
    service: Service, api: Api
) -> None:
    answers = [
        await Api(service.url).call(LOGIN, input={"email": email, "password": "not the password"})
        for email in ("member@example.org", "nobody@example.org")
    ]
    assert answers[0] == answers[1]
    assert answers[0]["errors"][0]["code"] == "UNAUTHENTICATED"


async def test_login_tries_of_one_account_are_limited_and_a_success_begins_anew(
    service: Service, api: Api
) -> None:
    wrong = {"email": "member@example.org", "password": "not the password"}
    for _ in range(9):
        await api.call(LOGIN, input=wrong)
    await Api(service.url).sign_in("member@example.org")
    codes = [(await api.call(LOGIN, input=wrong))["errors"][0]["code"] for _ in range(11)]
    assert codes == ["UNAUTHENTICATED"] * 10 + ["RATE_LIMITED"]


async def test_requests_without_a_session_are_refused_and_me_is_null(service: Service) -> None:
    api = Api(service.url)
    assert await api.call(ME) is None
    assert await api.refused("{ datasets { totalCount } }") == "UNAUTHENTICATED"


async def test_refresh_rotates_and_reuse_ends_the_family(service: Service, api: Api) -> None:
    session = await api.sign_in("member@example.org")
    first = (await refresh(api, session["refreshToken"]))["session"]
    api.token = first["accessToken"]
    assert (await api.call(ME))["email"] == "member@example.org"

    reused = await refresh(api, session["refreshToken"])
    assert reused["session"] is None and reused["errors"][0]["code"] == "UNAUTHENTICATED"

    assert (await refresh(api, first["refreshToken"]))["session"] is None
    assert await api.refused(ME) == "UNAUTHENTICATED"


async def test_of_many_refreshes_at_once_at_most_one_wins(service: Service, api: Api) -> None:
    session = await api.sign_in("member@example.org")
    answers = await asyncio.gather(*(refresh(api, session["refreshToken"]) for _ in range(8)))
    assert sum(answer["session"] is not None for answer in answers) == 1


async def test_reuse_ends_only_its_own_family(service: Service, api: Api) -> None:
    laptop, phone = await api.sign_in("member@example.org"), await api.sign_in("member@example.org")
    await refresh(api, laptop["refreshToken"])
    await refresh(api, laptop["refreshToken"])
    assert (await refresh(api, phone["refreshToken"]))["session"] is not None


async def test_expired_refresh_token_is_refused(service: Service, api: Api) -> None:
    session = await api.sign_in("member@example.org")
    await RefreshToken.all().update(expires_at=now() - timedelta(seconds=1))
    assert (await refresh(api, session["refreshToken"]))["errors"][0]["code"] == "UNAUTHENTICATED"
    assert not await SessionFamily.filter(revoked_at__isnull=False).exists()


async def test_logout_ends_the_access_token_at_once_and_twice_is_no_error(service: Service, api: Api) -> None:
    session = await api.sign_in("member@example.org")
    for _ in range(2):
        assert (await api.call(LOGOUT, input={"refreshToken": session["refreshToken"]}))["errors"] == []
        api.token = None
    api.token = session["accessToken"]
    assert await api.refused(ME) == "UNAUTHENTICATED"


async def test_logout_without_a_refresh_token_ends_the_session_that_asks(service: Service, api: Api) -> None:
    assert (await api.call(LOGOUT))["errors"] == []
    assert await api.refused(ME) == "UNAUTHENTICATED"


async def test_browser_gets_the_refresh_token_in_a_strict_cookie_only(service: Service, api: Api) -> None:
    browser = Api(service.url, headers={"x-karyaksham-client": "browser"})
    response = await browser.post(
        {"query": LOGIN, "variables": {"input": {"email": "member@example.org", "password": PASSWORD}}}
    )
    cookie = response.headers["set-cookie"].lower()
    assert response.json()["data"]["login"]["session"]["refreshToken"] is None
    assert "httponly" in cookie and "samesite=strict" in cookie and "path=/graphql" in cookie

    assert (await browser.call(REFRESH))["session"] is not None

    elsewhere = Api(service.url, cookies=browser.cookies)
    assert (await elsewhere.call(REFRESH))["errors"][0]["code"] == "UNAUTHENTICATED"

    assert (await browser.call(LOGOUT))["errors"] == []
    assert (await browser.call(REFRESH))["session"] is None


async def test_program_gets_no_cookie(service: Service, api: Api) -> None:
    await api.sign_in("member@example.org")
    assert not list(api.cookies)


@pytest.mark.parametrize("header", ["Basic abc", "Bearer", "Bearer x.y.z", "nonsense"])
async def test_bad_authorization_header_is_told_with_a_code(service: Service, header: str) -> None:
    api = Api(service.url, headers={"authorization": header})
    assert await api.refused(ME) == "UNAUTHENTICATED"
    assert await api.refused("{ datasets { totalCount } }") == "UNAUTHENTICATED"


async def test_tokens_that_are_not_ours_are_refused(service: Service, api: Api) -> None:
    assert api.token is not None
    claims = jwt.decode(api.token, options={"verify_signature": False})
    session_id, user_id = claims["sid"], claims["sub"]
    expired = AccessClaims(UUID(user_id), UUID(session_id), now() - timedelta(minutes=1))
    forged = [
        jwt.encode(claims, "", algorithm="none"),
        jwt.encode(claims, "x" * 32, algorithm="HS256"),
        access_token("another secret of 32 bytes or more", expired, issued_at=now()),
        access_token(service.settings.secret_key, expired, issued_at=now() - timedelta(hours=1)),
        api.token[:-3] + "abc",
    ]
    for token in forged:
        assert (await Api(service.url, token=token).refused(ME)) == "UNAUTHENTICATED"


async def test_access_token_has_its_claims(service: Service, api: Api) -> None:
    assert api.token is not None
    claims = jwt.decode(api.token, options={"verify_signature": False})
    assert claims["typ"] == "access" and claims["iss"] == "karyaksham" and claims["aud"] == "karyaksham-api"
    assert claims["exp"] - claims["iat"] == service.settings.access_token_ttl_s
    assert {"jti", "sid", "sub"} <= claims.keys()
    assert "kid" in jwt.get_unverified_header(api.token)


async def test_deactivation_ends_sessions_and_sign_in(service: Service, api: Api) -> None:
    user = await users.find(email="member@example.org")
    await service.user("admin@example.org", "ADMIN")
    await users.update(user.id, is_active=False)
    assert await api.refused(ME) == "UNAUTHENTICATED"
    payload = await api.call(LOGIN, input={"email": "member@example.org", "password": PASSWORD})
    assert payload["errors"][0]["code"] == "UNAUTHENTICATED"


async def test_first_admin_is_made_once(opened_database: None, settings: Settings) -> None:
    credentials = await users.ensure_first_admin(settings)
    assert credentials is not None and len(credentials.password) >= settings.password_min_length
    assert await users.ensure_first_admin(settings) is None
    assert (await users.find(email=credentials.email)).role is Role.ADMIN


async def test_old_sessions_are_forgotten(opened_database: None, settings: Settings) -> None:
    user = await users.add(settings, email="a@b.c", password=PASSWORD, display_name=None, role=Role.MEMBER)
    await auth.start_session(settings, user)
    await auth.sweep_sessions()
    assert await SessionFamily.all().count() == 1
    await SessionFamily.all().update(expires_at=now() - timedelta(days=2))
    await auth.sweep_sessions()
    assert await SessionFamily.all().count() == 0
