"""Downloads, the page, health, metrics, headers: everything over HTTP that is not GraphQL."""

import contextvars
import dataclasses
import io
import json
import logging
import stat
import tarfile
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from gateway import downloads, log_context
from gateway.http import _is_this_machine
from gateway.middleware import JsonFormatter
from gateway.models import Artifact, ArtifactKind, FileFormat, Job, User, new_id, now
from gateway.settings import Settings

from .conftest import TLS, Api, Service, eventually, running

ROWS = b"".join(b"%d,row\n" % number for number in range(5_000))


async def get(url: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(verify=TLS) as http:
        return await http.get(url, headers=headers)


async def artifact(service: Service, name: str, path: str) -> Artifact:
    owner = await User.first()
    assert owner is not None
    job = await Job.create(owner=owner, name="j", spec={})
    return await Artifact.create(
        job=job, kind=ArtifactKind.OUTPUT, name=name, path=path, format=FileFormat.CSV, size_bytes=len(ROWS)
    )


async def linked(service: Service, name: str = "output.csv") -> str:
    """The URL of an artifact with ROWS in it."""
    folder = service.settings.jobs_dir / str(new_id())
    folder.mkdir()
    (folder / "output.csv").write_bytes(ROWS)
    row = await artifact(service, name, f"{folder.name}/output.csv")
    return service.url + downloads.link(service.settings, row.id)


async def test_download_needs_no_other_credentials(service: Service, api: Api) -> None:
    response = await get(await linked(service))
    assert response.content == ROWS
    assert response.headers["content-type"].startswith("text/csv")
    assert response.headers["content-disposition"] == 'attachment; filename="output.csv"'
    assert response.headers["content-security-policy"].startswith("sandbox")
    assert "no-store" in response.headers["cache-control"]


async def test_download_goes_on_where_it_stopped(service: Service, api: Api) -> None:
    url = await linked(service)
    rest = await get(url, range="bytes=1000-")
    middle = await get(url, range="bytes=10-19")
    beyond = await get(url, range=f"bytes={len(ROWS)}-")
    assert (rest.status_code, rest.content) == (206, ROWS[1000:])
    assert (middle.status_code, middle.content) == (206, ROWS[10:20])
    assert beyond.status_code == 416


@pytest.mark.parametrize("name", ['a"b.csv', "ü;x=y.csv", "a\r\nset-cookie: x.csv", "../../x.csv"])
async def test_names_of_downloads_break_no_header(service: Service, api: Api, name: str) -> None:
    response = await get(await linked(service, name))
    assert response.status_code == 200 and "set-cookie" not in response.headers
    assert response.headers["content-disposition"].startswith("attachment; filename")


async def test_links_that_are_wrong_or_over_are_refused(service: Service, api: Api) -> None:
    url = await linked(service)
    other = (await linked(service)).partition("?")[0]
    query = url.partition("?")[2]
    over = dataclasses.replace(service.settings, download_url_ttl_s=0)
    id = UUID(url.partition("?")[0].rpartition("/")[2])
    for wrong in (
        url.partition("?")[0],
        f"{other}?{query}",
        url[:-1] + ("0" if url[-1] != "0" else "1"),
        url.replace("expires=", "expires=1"),
        url.replace("expires=", "expires=x"),
        service.url + downloads.link(over, id),
    ):
        assert (await get(wrong)).status_code == 403
    assert (await get(service.url + downloads.link(service.settings, new_id()))).status_code == 404


async def test_artifact_of_a_deleted_job_is_gone(service: Service, api: Api) -> None:
    url = await linked(service)
    await Job.all().update(deleted_at=now())
    assert (await get(url)).status_code == 404


async def test_folder_of_parts_comes_as_one_tar(service: Service, api: Api) -> None:
    folder = service.settings.jobs_dir / str(new_id()) / "output"
    (folder / "year=2024").mkdir(parents=True)
    (folder / "year=2024" / "part-0.csv").write_bytes(ROWS)
    (folder / "_SUCCESS").write_bytes(b"")
    row = await artifact(service, "output", f"{folder.parent.name}/output")
    response = await get(service.url + downloads.link(service.settings, row.id))
    with tarfile.open(fileobj=io.BytesIO(response.content)) as tar:
        files = {member.name: tar.extractfile(member) for member in tar.getmembers()}
        part = files["year=2024/part-0.csv"]
        assert part is not None and part.read() == ROWS
    assert set(files) == {"_SUCCESS", "year=2024/part-0.csv"}
    assert len(response.content) == int(response.headers["content-length"])


async def test_health_needs_nothing_and_readiness_names_its_checks(service: Service) -> None:
    assert (await get(f"{service.url}/healthz")).text == "ok"
    ready = await get(f"{service.url}/readyz")
    assert (ready.status_code, ready.json()) == (
        200,
        {"database": True, "migrations": True, "storage": True, "ray": True},
    )


async def test_not_ready_without_storage(service: Service) -> None:
    service.settings.jobs_dir.rmdir()
    ready = await get(f"{service.url}/readyz")
    assert ready.status_code == 503 and ready.json()["storage"] is False


async def test_metrics_count_requests_by_route(service: Service, api: Api) -> None:
    await get(await linked(service))

    async def counted() -> str | None:
        text = (await get(f"{service.url}/metrics")).text
        return text if 'route="/downloads/{artifact_id:uuid}"' in text else None

    text = await eventually(counted)
    assert 'karyaksham_http_requests_total{method="POST",route="/graphql",status="200"}' in text
    assert 'karyaksham_jobs{state="QUEUED"} 1.0' in text


async def test_page_says_so_when_it_is_not_built(service: Service) -> None:
    response = await get(service.url, accept="text/html")
    assert response.status_code == 200 and "not built" in response.text


async def test_page_is_served_for_every_path_of_its_own(service: Service, settings: Settings) -> None:
    page = settings.client_dir
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text("<title>page</title>")
    (page / "assets" / "main-abc123.js").write_text("run()")
    (page.parent / "secret.txt").write_text("secret")
    for path in ("/", "/jobs/abc", "/index.html"):
        response = await get(service.url + path)
        assert response.text == "<title>page</title>" and response.headers["cache-control"] == "no-cache"
    script = await get(f"{service.url}/assets/main-abc123.js")
    assert "immutable" in script.headers["cache-control"] and "javascript" in script.headers["content-type"]
    for path in ("/assets/gone.js", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/favicon.ico"):
        assert (await get(service.url + path)).status_code == 404


async def test_every_answer_has_the_headers_that_browsers_need(service: Service) -> None:
    for path in ("/", "/healthz", "/graphql", "/downloads/x", "/gone.js"):
        headers = (await get(service.url + path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert len(headers["x-request-id"]) == 16
        assert "server" not in headers


async def test_request_id_of_a_proxy_is_kept_only_when_it_looks_like_one(service: Service) -> None:
    kept = await get(f"{service.url}/healthz", **{"x-request-id": "abc-12345"})
    made = await get(f"{service.url}/healthz", **{"x-request-id": "a b\tc<script>"})
    assert kept.headers["x-request-id"] == "abc-12345"
    assert len(made.headers["x-request-id"]) == 16


async def test_access_log_has_a_line_a_request_without_signatures(
    service: Service, api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    async def logged() -> list[logging.LogRecord]:
        return [record for record in caplog.records if "/downloads/" in record.getMessage()]

    with caplog.at_level(logging.INFO, logger="gateway.access"):
        await get(await linked(service))
        (record,) = await eventually(logged)
    line = json.loads(JsonFormatter().format(record))
    assert line["status"] == 200 and line["bytes"] == len(ROWS) and line["method"] == "GET"
    assert "signature" not in json.dumps(line)


async def test_fault_of_ours_has_an_id_and_no_detail(
    service: Service, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("gateway.downloads.find", broken)
    response = await get(await linked(service))
    assert response.status_code == 500 and response.json()["code"] == "INTERNAL"
    assert response.headers["x-request-id"] in response.json()["message"]
    assert "secret" not in response.text


async def test_public_url_is_the_base_of_links(settings: Settings) -> None:
    async with running(dataclasses.replace(settings, public_url="https://data.example/")) as service:
        api = await service.member()
        created = await api.call(
            'mutation { createUpload(input: {filename: "a", sizeBytes: 5}) { upload { id } } }'
        )
        (part,) = await api.sign(created["upload"]["id"], [1])
        answer = await get(f"{service.url}/healthz")
    assert part["url"].startswith("https://data.example/uploads/")
    assert "strict-transport-security" in answer.headers


def test_data_folder_is_for_its_owner_only(settings: Settings) -> None:
    for path, mode in (
        (settings.root, 0o700),
        (settings.uploads_dir, 0o700),
        (settings.root / "secret.key", 0o600),
    ):
        assert stat.S_IMODE(Path(path).stat().st_mode) == mode


async def test_metrics_are_not_for_everyone(settings: Settings) -> None:
    guarded = dataclasses.replace(settings, metrics_token="a token of metrics")
    async with running(guarded) as service:
        for token, status in (("x", 401), ("a token of metrics", 200)):
            response = await get(f"{service.url}/metrics", authorization=f"Bearer {token}")
            assert response.status_code == status


def test_metrics_are_told_on_this_machine_only() -> None:
    hosts = {"127.0.0.1": True, "::1": True, "10.0.0.1": False, "testclient": False}
    assert {host: _is_this_machine(host) for host in hosts} == hosts


def test_lines_of_a_log_name_request_user_and_job() -> None:
    def line() -> dict[str, Any]:
        record = logging.LogRecord("gateway", logging.INFO, "", 1, "hello", None, None)
        found: dict[str, Any] = json.loads(JsonFormatter().format(record))
        return found

    def work() -> tuple[dict[str, Any], dict[str, Any]]:
        log_context.begin(request_id="r")
        log_context.bind(user_id="u")
        first = line()
        log_context.begin(job_id="j")
        return first, line()

    first, second = contextvars.copy_context().run(work)
    assert (first["request_id"], first["user_id"], first["message"]) == ("r", "u", "hello")
    assert second["job_id"] == "j" and "request_id" not in second
    assert "request_id" not in line()
