"""GraphQL over HTTP as its specification has it, and what must not get past the door."""

import asyncio
import dataclasses
import json
from typing import Any

import httpx
import pytest

from gateway.settings import Settings

from .conftest import TLS, Api, Service, running

VERSION = {"query": "{ version }"}
GRAPHQL_JSON = "application/graphql-response+json"
INTROSPECTION = "{ __schema { queryType { name } } }"


async def test_operation_is_answered_in_the_type_that_is_asked_for(service: Service) -> None:
    api = Api(service.url)
    for accept, answered in [
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("", "application/json"),
        (GRAPHQL_JSON, GRAPHQL_JSON),
        (f"application/json, {GRAPHQL_JSON}; q=0", "application/json"),
        (f"text/event-stream, application/json, {GRAPHQL_JSON}", GRAPHQL_JSON),
        ("text/event-stream, application/json", "application/json"),
    ]:
        response = await api.post(VERSION, accept=accept)
        assert response.status_code == 200 and response.headers["content-type"].split(";")[0] == answered
        assert isinstance(response.json()["data"]["version"], str)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"null", 400),
        (b"1", 400),
        (b'"x"', 400),
        (b"[]", 400),
        (b'[{"query": "{ version }"}]', 400),
        (b"[" * 10_000, 400),
        (b'{"a":' * 10_000, 400),
        (b"{}", 400),
        (b'{"query": null}', 400),
        (b'{"query": 1}', 400),
        (b'{"query": ["{ version }"]}', 400),
        (b'{"query": "{ version }", "variables": []}', 400),
        (b'{"query": "{ version }", "variables": "{}"}', 400),
        (b'{"query": "{ version }", "operationName": 1}', 400),
        (b'{"query": "{ version }", "extensions": 0}', 400),
        (b'{"query": "{ version }", "operationName": "Missing"}', 400),
        (b'{"query": "subscription { jobUpdates { id } }"}', 400),
        (b'{"query": "' + b"x" * 1_100_000 + b'"}', 413),
    ],
)
async def test_what_is_no_request_is_refused_with_a_code(service: Service, body: bytes, status: int) -> None:
    response = await Api(service.url).post(body)
    assert response.status_code == status
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "content_type", ["text/plain", "multipart/form-data; boundary=x", "", "application/jsonx"]
)
async def test_other_content_types_are_refused(service: Service, content_type: str) -> None:
    response = await Api(service.url).post(VERSION, **{"content-type": content_type})
    assert response.status_code == 415


async def test_only_post_and_queries_by_get_ask(service: Service) -> None:
    async with httpx.AsyncClient(verify=TLS) as http:
        url = f"{service.url}/graphql"
        answers = [await http.request(method, url) for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS")]
        mutation = {"query": "mutation { logout(input: {}) { errors { code } } }"}
        answers.append(await http.get(url, params=mutation))
        query = await http.get(url, params={"query": "{ version }", "variables": "{}"})
        wrong = [
            await http.get(url, params={"query": "{ version }", "variables": text})
            for text in ("{", "[]", "7")
        ]
    assert [answer.status_code for answer in answers] == [405] * 6
    assert answers[0].headers["allow"] == "GET, POST"
    assert "version" in query.json()["data"]
    assert [answer.status_code for answer in wrong] == [400] * 3


@pytest.mark.parametrize(
    "body",
    [
        {"query": "{"},
        {"query": "{ nothing }"},
        {"query": ""},
        {"query": "query($id: ID!) { upload(id: $id) { id } }"},
        {"query": "query($id: ID!) { upload(id: $id) { id } }", "variables": {"id": {}}},
    ],
)
async def test_refused_operation_has_no_data_and_its_status_follows_the_type(
    service: Service, body: dict[str, Any]
) -> None:
    api = Api(service.url)
    strict, lenient = await api.post(body, accept=GRAPHQL_JSON), await api.post(body)
    assert (strict.status_code, lenient.status_code) in [(400, 200), (400, 400)]
    for response in (strict, lenient):
        assert "data" not in response.json()
        assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_introspection_is_for_those_who_are_signed_in(service: Service, api: Api) -> None:
    assert (await api.call(INTROSPECTION))["queryType"]["name"] == "Query"
    hidden = await Api(service.url).ask(INTROSPECTION)
    assert {error["extensions"]["code"] for error in hidden["errors"]} == {"BAD_USER_INPUT"}
    assert (await api.call(INTROSPECTION))["queryType"]["name"] == "Query"


async def test_introspection_is_for_everyone_in_development(settings: Settings) -> None:
    async with running(dataclasses.replace(settings, development=True)) as service:
        assert await Api(service.url).call(INTROSPECTION)


async def test_standard_introspection_query_is_within_the_limits(api: Api) -> None:
    from graphql import get_introspection_query

    assert (await api.call(get_introspection_query()))["types"]


def doubling(fragments: int) -> str:
    """Each fragment spreads the next one twice: 2^n fields in n lines."""
    lines = [f"fragment f{n} on User {{ ...f{n + 1} ...f{n + 1} }}" for n in range(fragments)]
    return " ".join(["{ me { ...f0 } }", *lines, f"fragment f{fragments} on User {{ id }}"])


@pytest.mark.parametrize(
    "query",
    [
        "{ " + " ".join(f"a{n}: version" for n in range(31)) + " }",
        "{ datasets { edges { node { owner { id } } } } "
        + "jobs { edges " * 12
        + "{ cursor }"
        + " }" * 12
        + " }",
        "{ " + "version " * 1_001 + "}",
        "{ " + "version " * 2_001 + "}",
        doubling(30),
    ],
)
async def test_query_that_asks_too_much_is_refused_before_it_costs(service: Service, query: str) -> None:
    async with asyncio.timeout(10):
        body = await Api(service.url).ask(query)
    assert "QUERY_TOO_COMPLEX" in {error["extensions"]["code"] for error in body["errors"]}


async def test_fragments_in_a_circle_are_refused(service: Service) -> None:
    query = "{ me { ...a } } fragment a on User { ...b } fragment b on User { ...a }"
    assert (await Api(service.url).ask(query))["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_fault_of_ours_is_masked_and_logged_with_its_id(
    service: Service, api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("gateway.users.page", broken)
    admin = await service.user("admin@example.org", "ADMIN")
    response = await admin.post({"query": "{ users { totalCount } }"}, **{"x-request-id": "request-12345"})
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "INTERNAL", "requestId": "request-12345"}
    assert "secret detail" not in response.text
    assert response.headers["x-request-id"] == "request-12345"
    assert any("request-12345" in record.message and record.exc_info for record in caplog.records)


async def test_big_int_takes_64_bits_and_no_more(api: Api) -> None:
    query = "mutation($input: CreateUploadInput!) { createUpload(input: $input) { errors { code } } }"
    limit = await api.call(query, input={"filename": "a", "sizeBytes": 2**63 - 1})
    assert limit["errors"][0]["code"] == "LIMIT_EXCEEDED"
    for value in (2**63, 1.5, "12", True):
        response = await api.post(
            {"query": query, "variables": {"input": {"filename": "a", "sizeBytes": value}}}
        )
        assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    literal = (
        'mutation { createUpload(input: {filename: "a", sizeBytes: 9007199254740993}) { upload { id } } }'
    )
    assert json.dumps(await api.ask(literal)).count("LIMIT") == 0


@pytest.mark.parametrize("first", [0, -1, 101])
async def test_page_outside_the_limits_is_refused(api: Api, first: int) -> None:
    assert await api.refused(f"{{ datasets(first: {first}) {{ totalCount }} }}") == "BAD_USER_INPUT"


async def test_cursor_that_is_not_ours_is_refused(api: Api) -> None:
    for cursor in ("", "nonsense", "YWZ0ZXI6MQ", "éé"):
        query = "query($after: String) { datasets(after: $after) { totalCount } }"
        assert await api.refused(query, after=cursor) == "BAD_USER_INPUT"


async def test_node_of_nonsense_is_null(api: Api) -> None:
    for id in ("", "nonsense", "VXNlcjp4", "UmVmcmVzaFRva2VuOjEyMzQ"):
        assert await api.call("query($id: ID!) { node(id: $id) { id } }", id=id) is None
