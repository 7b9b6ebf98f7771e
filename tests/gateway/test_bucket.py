"""Uploads, datasets and results in a bucket of a real S3 service."""

import asyncio
import dataclasses
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from gateway import parts, uploads
from gateway.bucket import Bucket
from gateway.bucket_parts import BucketParts
from gateway.models import Upload, now
from gateway.schema.relay import local_id
from gateway.settings import Settings
from tests.rgw import S3

from .conftest import TLS, Api, Service, running
from .journeys import DELETE_DATASET, ORDERS, finished, inspected, register
from .test_uploads import ABORT, COMPLETE, FIELDS, create

PART = 5 << 20
ORIGIN = "https://data.example"
CORS = f"""<CORSConfiguration><CORSRule><AllowedOrigin>{ORIGIN}</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>
<AllowedMethod>GET</AllowedMethod><AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader>
</CORSRule></CORSConfiguration>"""


@pytest.fixture
def stored(settings: Settings, s3: S3, bucket: str) -> Settings:
    """Everything in a folder of a bucket; data in another one may be registered."""
    return dataclasses.replace(
        settings,
        storage_uri=f"s3://{bucket}/service",
        data_buckets=(f"s3://{bucket}/data",),
        object_endpoint=s3.endpoint,
        object_access_key_id=s3.access_key_id,
        object_secret_access_key=s3.secret_access_key,
        upload_part_bytes=PART,
    )


@pytest.fixture
async def service(stored: Settings) -> AsyncIterator[Service]:
    async with running(stored) as service:
        yield service


def rows(size_bytes: int) -> bytes:
    lines = (b"%d,%d\n" % (number, number % 7) for number in range(size_bytes))
    content, length = [b"id,price\n"], 9
    for line in lines:
        content.append(line)
        length += len(line)
        if length >= size_bytes:
            return b"".join(content)
    return b"".join(content)


async def put(part: dict[str, Any], content: bytes, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=30, verify=TLS) as http:
        return await http.put(part["url"], content=content, headers={**part["headers"], **headers})


async def get(url: str) -> httpx.Response:
    async with httpx.AsyncClient(verify=TLS) as http:
        return await http.get(url)


async def received(api: Api, upload_id: str) -> list[int]:
    upload = await api.call(f"query($id: ID!) {{ upload(id: $id) {{ {FIELDS} }} }}", id=upload_id)
    numbers: list[int] = upload["receivedParts"]
    return numbers


async def test_parts_go_straight_to_the_bucket_in_any_order_and_over_days(
    service: Service, api: Api, s3: S3, bucket: str
) -> None:
    content = rows(2 * PART + 1000)
    upload = await create(api, sizeBytes=len(content), filename="../../evil.csv")
    assert (upload["partCount"], upload["receivedParts"]) == (3, [])
    pieces = [content[at : at + PART] for at in range(0, len(content), PART)]
    links = await api.sign(upload["id"], [3, 1, 2])
    assert all(link["url"].startswith(f"{s3.endpoint}/{bucket}/service/uploads/") for link in links)
    assert not any("evil" in link["url"] for link in links)
    last = await put(links[0], pieces[2])
    assert last.headers["etag"] == f'"{hashlib.md5(pieces[2], usedforsecurity=False).hexdigest()}"'
    assert await received(api, upload["id"]) == [3]

    rest = await asyncio.gather(*(put(link, pieces[link["partNumber"] - 1]) for link in links[1:]))
    assert await received(api, upload["id"]) == [1, 2, 3]
    etags = [rest[0].headers["etag"], rest[1].headers["etag"], last.headers["etag"]]
    named = [{"partNumber": number, "etag": etag} for number, etag in enumerate(etags, 1)]

    wrong = [{**named[0], "etag": '"0"'}, *named[1:]]
    refused = await api.call(COMPLETE, input={"uploadId": upload["id"], "parts": wrong})
    assert refused["errors"][0]["code"] == "CONFLICT"
    both = await asyncio.gather(
        *(api.call(COMPLETE, input={"uploadId": upload["id"], "parts": named}) for _ in range(2))
    )
    again = await api.call(COMPLETE, input={"uploadId": upload["id"], "parts": named})
    assert [payload["errors"] for payload in (*both, again)] == [[], [], []]
    assert len({payload["dataset"]["id"] for payload in (*both, again)}) == 1
    assert s3.uploads(bucket) == []
    (key,) = s3.keys(bucket)
    assert s3.get(f"s3://{bucket}/{key}") == content

    dataset = await inspected(api, again["dataset"]["id"])
    assert (dataset["status"], dataset["sizeBytes"]) == ("READY", len(content)), dataset
    job = await finished(api, dataset, "SELECT count(*) AS n FROM input", shardSizeBytes=1 << 20)
    assert (job["state"], job["rowBalance"]["read"]) == ("SUCCEEDED", content.count(b"\n") - 1), job
    assert (await api.call(DELETE_DATASET, input={"datasetId": dataset["id"]}))["errors"] == []
    assert [key for key in s3.keys(bucket) if "/uploads/" in key] == []


async def test_a_link_is_for_its_part_length_and_minutes_only(
    service: Service, api: Api, stored: Settings
) -> None:
    upload = await create(api, sizeBytes=PART + 10)
    first, second = await api.sign(upload["id"], [1, 2])
    assert (await put(second, b"x" * 11)).status_code in (400, 403)
    moved = {**second, "url": second["url"].replace("partNumber=2", "partNumber=3")}
    assert (await put(moved, b"x" * 10)).status_code == 403
    async with httpx.AsyncClient(verify=TLS) as http:
        assert (await http.get(second["url"])).status_code == 403
    assert await received(api, upload["id"]) == []
    assert (await put(second, b"x" * 10)).status_code == 200
    assert await received(api, upload["id"]) == [2]
    assert f"X-Amz-Expires={stored.upload_url_ttl_s}"[:-4] in first["url"]


async def test_a_page_of_an_allowed_origin_may_put_parts(
    service: Service, api: Api, s3: S3, bucket: str
) -> None:
    s3.ask("PUT", f"/{bucket}", {"cors": ""}, CORS.encode())
    (link,) = await api.sign((await create(api, sizeBytes=10))["id"], [1])
    page = await get(service.url)
    assert f"connect-src 'self' {s3.endpoint};" in page.headers["content-security-policy"]
    asks = {
        "origin": ORIGIN,
        "access-control-request-method": "PUT",
        "access-control-request-headers": "content-type",
    }
    async with httpx.AsyncClient(verify=TLS) as http:
        preflight = await http.options(link["url"], headers=asks)
    assert preflight.headers["access-control-allow-origin"] == ORIGIN
    answer = await put(link, b"x" * 10, origin=ORIGIN)
    assert "etag" in answer.headers["access-control-expose-headers"].lower()


async def test_aborted_expired_and_forgotten_uploads_leave_nothing(
    service: Service, api: Api, s3: S3, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    aborted, expired, kept = [await create(api, sizeBytes=10) for _ in range(3)]
    assert len(s3.uploads(bucket)) == 3
    assert (await api.call(ABORT, input={"uploadId": aborted["id"]}))["errors"] == []
    assert (await api.call(ABORT, input={"uploadId": aborted["id"]}))["errors"] == []
    assert len(s3.uploads(bucket)) == 2
    late = now() - timedelta(seconds=1)
    await Upload.filter(id=local_id(expired["id"], "Upload")).update(expires_at=late)
    place = Bucket(service.settings)
    async with place.opened():
        store = BucketParts(place)
        assert await uploads.sweep(store) == 1
        await place.begin("uploads/01890a5d-ac96-774b-bcce-b302099a8057/data.csv")
        s3.put(f"s3://{bucket}/service/uploads/01890a5d-ac96-774b-bcce-b302099a8058/data.csv", b"x")
        s3.put(f"s3://{bucket}/service/uploads/readme.txt", b"not ours")
        await uploads.sweep(store)
        assert (len(s3.uploads(bucket)), len(s3.keys(bucket))) == (2, 2)
        monkeypatch.setattr("gateway.bucket_parts.ORPHAN_S", -60.0)
        await uploads.sweep(store)
    left = str(local_id(kept["id"], "Upload"))
    assert s3.uploads(bucket) == [f"service/uploads/{left}/data.csv"]
    assert s3.keys(bucket) == ["service/uploads/readme.txt"]


async def test_storage_that_is_away_is_told_with_a_time_to_come_back(stored: Settings) -> None:
    away = dataclasses.replace(stored, object_endpoint="http://127.0.0.1:1")
    async with running(away) as service:
        api = await service.member()
        async with httpx.AsyncClient(verify=TLS) as http:
            ready = await http.get(f"{service.url}/readyz")
        assert (ready.status_code, ready.json()["bucket"]) == (503, False)
        query = "mutation($input: CreateUploadInput!) { createUpload(input: $input) { upload { id } errors { code } } }"
        body = await api.ask(query, input={"filename": "a.csv", "sizeBytes": 10})
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "UNAVAILABLE" and error["extensions"]["retryAfterSeconds"] > 0


@pytest.mark.parametrize(
    ("uri", "files"),
    [("orders.csv", 1), ("many", 2), ("many/*.csv", 2), ("many/**", 2), ("year=2024", 1)],
)
async def test_objects_folders_and_patterns_are_datasets(
    service: Service, api: Api, s3: S3, bucket: str, uri: str, files: int
) -> None:
    for key in ("orders.csv", "many/a.csv", "many/b.csv", "year=2024/c.csv"):
        s3.put(f"s3://{bucket}/data/{key}", ORDERS.encode())
    payload = await register(api, f"s3://{bucket}/data/{uri}")
    assert payload["errors"] == [], payload
    dataset = await inspected(api, payload["dataset"]["id"])
    assert (dataset["status"], dataset["fileCount"]) == ("READY", files), dataset
    assert dataset["uri"] == f"s3://{bucket}/data/{uri}"
    job = await finished(api, dataset, "SELECT count(*) AS n FROM input")
    assert job["rowBalance"]["read"] == 5 * files, job


async def test_nothing_outside_of_the_data_buckets_is_read(
    service: Service, api: Api, s3: S3, bucket: str
) -> None:
    for key in ("other/a.csv", "data-2/a.csv", "service/uploads/x.csv", "data/a.csv"):
        s3.put(f"s3://{bucket}/{key}", ORDERS.encode())
    refused = [
        f"s3://{bucket}/other/a.csv",
        f"s3://{bucket}/data-2/a.csv",
        f"s3://{bucket}/data*/a.csv",
        f"s3://{bucket}/**",
        f"s3://{bucket}",
        f"s3://{bucket}/data/../other/a.csv",
        f"s3://{bucket}/data/./a.csv",
        f"s3://{bucket}/data/none.csv",
        "s3://other/a.csv",
        f"gs://{bucket}/data/a.csv",
        f"S3://{bucket}/data/a.csv",
        "http://169.254.169.254/latest/meta-data",
        "https://127.0.0.1/a.csv",
        "s3:///a.csv",
        "s3://",
    ]
    for uri in refused:
        payload = await register(api, uri)
        assert [error["code"] for error in payload["errors"]] == ["BAD_USER_INPUT"], uri


async def test_what_the_service_keeps_is_no_data(stored: Settings, s3: S3, bucket: str) -> None:
    for key in ("service/uploads/x.csv", "other/a.csv"):
        s3.put(f"s3://{bucket}/{key}", ORDERS.encode())
    async with running(dataclasses.replace(stored, data_buckets=(f"s3://{bucket}",))) as wide:
        member = await wide.member()
        assert (await register(member, f"s3://{bucket}/service/uploads/x.csv"))["errors"] != []
        assert (await register(member, f"s3://{bucket}/**"))["errors"] != []
        assert (await register(member, f"s3://{bucket}/other/*"))["errors"] == []


async def test_parts_of_the_wrong_length_are_no_parts() -> None:
    upload = Upload(size_bytes=10, part_size_bytes=4, part_count=3)
    assert [parts.part_range(upload, number) for number in (1, 2, 3)] == [(0, 4), (4, 4), (8, 2)]
