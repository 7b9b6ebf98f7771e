import asyncio
from typing import Any

import pytest

from gateway import users
from gateway.errors import Conflict, NotFound
from gateway.models import Role, new_id
from gateway.settings import Settings

from . import journeys
from .conftest import ERRORS, PASSWORD, Api, Service

UPDATE = (
    "mutation($input: UpdateUserInput!) { updateUser(input: $input) "
    f"{{ user {{ email role isActive displayName }} {ERRORS} }} }}"
)
PAGE = (
    "query($first: Int, $after: String) { users(first: $first, after: $after) "
    "{ totalCount pageInfo { hasNextPage hasPreviousPage endCursor } edges { cursor node { email } } } }"
)


@pytest.fixture
async def admin(service: Service) -> Api:
    return await service.user("admin@example.org", "ADMIN")


async def id_of(api: Api) -> str:
    found: str = (await api.call("{ me { id } }"))["id"]
    return found


async def update(api: Api, **given: Any) -> Any:
    return await api.call(UPDATE, input=given)


async def test_pages_of_users_are_newest_first_and_never_overlap(service: Service, admin: Api) -> None:
    for number in range(4):
        await service.member(f"user{number}@example.org")
    seen: list[str] = []
    after, pages = None, 0
    while True:
        page = await admin.call(PAGE, first=2, after=after)
        assert page["totalCount"] == 5 and page["pageInfo"]["hasPreviousPage"] == (after is not None)
        seen += [edge["node"]["email"].partition("@")[0] for edge in page["edges"]]
        after, pages = page["pageInfo"]["endCursor"], pages + 1
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == ["user3", "user2", "user1", "user0", "admin"] and pages == 3
    assert (await admin.call(PAGE, first=2, after=after))["edges"] == []


async def test_only_administrators_see_and_change_others(service: Service, admin: Api, api: Api) -> None:
    other = await id_of(admin)
    assert await api.refused(PAGE, first=1) == "FORBIDDEN"
    assert await api.refused(UPDATE, input={"userId": other, "role": "VIEWER"}) == "FORBIDDEN"
    node = "query($id: ID!) { node(id: $id) { id } }"
    assert await api.call(node, id=other) is None
    assert await api.call(node, id=await id_of(api)) == {"id": await id_of(api)}
    assert await admin.call(node, id=await id_of(api)) is not None


async def test_role_counts_from_the_next_request(service: Service, admin: Api, api: Api) -> None:
    create = 'mutation { createUpload(input: {filename: "a", sizeBytes: 5}) { upload { id } } }'
    payload = await update(admin, userId=await id_of(api), role="VIEWER", displayName="  New   name ")
    assert payload["user"] == {
        "email": "member@example.org",
        "role": "VIEWER",
        "isActive": True,
        "displayName": "New name",
    }
    assert await api.refused(create) == "FORBIDDEN"
    await update(admin, userId=await id_of(api), role="MEMBER")
    assert (await api.call(create))["upload"]


async def test_update_says_what_is_wrong(service: Service, admin: Api, api: Api) -> None:
    cases: list[tuple[dict[str, Any], str, list[str] | None]] = [
        ({"userId": "nonsense"}, "NOT_FOUND", ["input", "userId"]),
        ({"userId": await id_of(api), "displayName": " "}, "BAD_USER_INPUT", ["input", "displayName"]),
        ({"userId": await id_of(api), "displayName": "x" * 101}, "BAD_USER_INPUT", ["input", "displayName"]),
        ({"userId": await id_of(admin), "role": "MEMBER"}, "CONFLICT", None),
        ({"userId": await id_of(admin), "isActive": False}, "CONFLICT", None),
    ]
    for given, code, field in cases:
        (error,) = (await update(admin, **given))["errors"]
        assert (error["code"], error["field"]) == (code, field)
    assert (await admin.call("{ me { role isActive } }")) == {"role": "ADMIN", "isActive": True}


async def test_one_of_two_administrators_stays_when_both_are_demoted_at_once(
    opened_database: None, settings: Settings
) -> None:
    both = [
        await users.add(settings, email=email, password=PASSWORD, display_name=None, role=Role.ADMIN)
        for email in ("a@b.c", "b@b.c")
    ]
    outcomes = await asyncio.gather(
        *(users.update(user.id, role=Role.MEMBER) for user in both), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes].count(Conflict) == 1
    assert await users.User.filter(role=Role.ADMIN).count() == 1


async def test_find_and_by_ids(opened_database: None, settings: Settings) -> None:
    user = await users.add(settings, email="A@b.c", password=PASSWORD, display_name="A", role=Role.VIEWER)
    assert (await users.find(email=" a@B.c")).id == (await users.find(id=user.id)).id
    with pytest.raises(NotFound):
        await users.find(email="nobody@b.c")
    with pytest.raises(NotFound):
        await users.update(new_id(), display_name="x")
    assert [found and found.id for found in await users.by_ids([new_id(), user.id])] == [None, user.id]


USAGE = """query($userId: ID, $until: DateTime) { usage(userId: $userId, until: $until) {
  user { email } jobs jobsSucceeded bytesRead rowsRead cpuSeconds storedBytes } }"""


async def test_usage_is_told_to_its_user_and_administrators(service: Service, admin: Api, api: Api) -> None:
    none = {"jobs": 0, "jobsSucceeded": 0, "bytesRead": 0, "rowsRead": 0, "cpuSeconds": 0.0, "storedBytes": 0}
    assert await api.call(USAGE) == {"user": {"email": "member@example.org"}, **none}
    uploaded = await journeys.inspected(api, (await api.upload("o.csv", journeys.ORDERS.encode()))["id"])
    job = await journeys.finished(api, uploaded)
    me = await id_of(api)
    used = await admin.call(USAGE, userId=me)
    assert (used["jobs"], used["jobsSucceeded"], used["rowsRead"]) == (1, 1, 5)
    assert (used["bytesRead"], used["storedBytes"]) == (job["progress"]["bytesRead"], len(journeys.ORDERS))
    assert 0 < used["cpuSeconds"] < 60
    await api.call(journeys.DELETE_JOB, input={"jobId": job["id"]})
    assert await api.call(USAGE) == used
    assert (await api.call(USAGE, until="2001-01-01T00:00:00Z"))["jobs"] == 0
    assert await api.call(USAGE, userId=await id_of(admin)) is None
