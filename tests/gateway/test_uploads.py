import asyncio
import dataclasses
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest

from gateway import parts, storage, uploads, users
from gateway.auth import Viewer
from gateway.errors import BadInput, Conflict
from gateway.models import Dataset, Upload, UploadPart, UploadStatus, new_id, now
from gateway.parts import DiskParts
from gateway.schema.relay import local_id
from gateway.settings import Settings
from gateway.storage import PartWriters

from .conftest import DEADLINE_S, ERRORS, TLS, Api, Service, eventually, running

FIELDS = "id filename sizeBytes partSizeBytes partCount receivedParts status expiresAt"
CREATE = f"mutation($input: CreateUploadInput!) {{ createUpload(input: $input) {{ upload {{ {FIELDS} }} {ERRORS} }} }}"
COMPLETE = (
    "mutation($input: CompleteUploadInput!) { completeUpload(input: $input) { dataset { id name uri sizeBytes } "
    f"{ERRORS} }} }}"
)
ABORT = (
    f"mutation($input: UploadIdInput!) {{ abortUpload(input: $input) {{ upload {{ {FIELDS} }} {ERRORS} }} }}"
)
UPLOAD = f"query($id: ID!) {{ upload(id: $id) {{ {FIELDS} }} }}"
PART = 64 * 1024
CONTENT = b"".join(b"%d,some text,%d\n" % (number, number * 7) for number in range(20_000))


async def create(api: Api, **given: Any) -> dict[str, Any]:
    given = {"filename": "orders.csv", "sizeBytes": len(CONTENT), **given}
    payload = await api.call(CREATE, input=given)
    assert payload["errors"] == [], payload
    upload: dict[str, Any] = payload["upload"]
    return upload


def named(etags: dict[int, str]) -> list[dict[str, Any]]:
    return [{"partNumber": number, "etag": etag} for number, etag in etags.items()]


async def put(url: str, content: bytes) -> httpx.Response:
    async with httpx.AsyncClient(timeout=DEADLINE_S, verify=TLS) as http:
        return await http.put(url, content=content)


async def begin_put(url: str, beginning: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Sends the beginning of a part and then nothing more."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = f"PUT {address.path}?{address.query} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
    writer.write(f"{head}content-length: {PART}\r\n\r\n".encode() + beginning)
    await writer.drain()
    return reader, writer


@pytest.mark.parametrize(
    ("size_bytes", "expected"),
    [(1, 8), (80, 8), (81, 2**20), (5 * 10 * 2**20, 5 * 2**20), (5 * 10 * 2**20 + 1, 6 * 2**20)],
)
def test_part_size_grows_with_the_file(size_bytes: int, expected: int) -> None:
    size = uploads.part_size(size_bytes, usual_bytes=8, max_parts=10)
    assert size == expected and -(-size_bytes // size) <= 10


async def test_parts_in_any_order_and_in_parallel_become_the_file(service: Service, api: Api) -> None:
    upload = await create(api)
    numbers = list(range(upload["partCount"], 0, -1))
    etags = await api.put_parts(upload["id"], numbers, CONTENT, PART)
    payload = await api.call(COMPLETE, input={"uploadId": upload["id"], "parts": named(etags)})
    assert payload["errors"] == []
    assert payload["dataset"]["name"] == "orders.csv" and payload["dataset"]["sizeBytes"] == len(CONTENT)
    stored = storage.upload_file(service.settings, local_id(upload["id"], "Upload"), "orders.csv")
    assert stored.read_bytes() == CONTENT


async def test_a_client_that_comes_back_sends_only_the_rest(settings: Settings) -> None:
    async with running(settings) as before:
        api = await before.member()
        upload = await create(api)
        etags = await api.put_parts(upload["id"], [2, 4], CONTENT, PART)
    async with running(settings) as after:
        api = Api(after.url)
        await api.sign_in("member@example.org")
        found = await api.call(UPLOAD, id=upload["id"])
        assert found["receivedParts"] == [2, 4] and found["status"] == "RECEIVING"
        rest = [number for number in range(1, found["partCount"] + 1) if number not in found["receivedParts"]]
        etags |= await api.put_parts(upload["id"], rest, CONTENT, PART)
        payload = await api.call(COMPLETE, input={"uploadId": upload["id"], "parts": named(etags)})
        assert payload["errors"] == []
        assert (await api.call(UPLOAD, id=upload["id"]))["status"] == "COMPLETED"


async def test_second_complete_returns_same_dataset(service: Service, api: Api) -> None:
    upload = await create(api)
    etags = await api.put_parts(upload["id"], range(1, upload["partCount"] + 1), CONTENT, PART)
    given = {"uploadId": upload["id"], "parts": named(etags)}
    answers = [await api.call(COMPLETE, input=given) for _ in range(2)]
    assert answers[0] == answers[1] and answers[0]["errors"] == []
    assert await Dataset.all().count() == 1


async def test_complete_goes_on_after_a_crash_in_mid_way(service: Service, api: Api) -> None:
    upload = await create(api)
    etags = await api.put_parts(upload["id"], range(1, upload["partCount"] + 1), CONTENT, PART)
    await Upload.all().update(status=UploadStatus.COMPLETED)
    payload = await api.call(COMPLETE, input={"uploadId": upload["id"], "parts": named(etags)})
    assert payload["errors"] == [] and payload["dataset"]["id"]


async def test_complete_names_what_is_missing_or_wrong(service: Service, api: Api) -> None:
    upload = await create(api)
    etags = await api.put_parts(upload["id"], range(2, upload["partCount"] + 1), CONTENT, PART)
    cases = [
        (named(etags), "CONFLICT", "Part 1 is not received"),
        (named(etags | {1: "x", 999: "x"}), "CONFLICT", "Part 1 is not received"),
    ]
    for given, code, message in cases:
        (error,) = (await api.call(COMPLETE, input={"uploadId": upload["id"], "parts": given}))["errors"]
        assert error["code"] == code and message in error["message"]
    etags |= await api.put_parts(upload["id"], [1], CONTENT, PART)
    cases = [
        (named({**etags, 2: '"0123"'}), "CONFLICT", "Part 2 is stored with another ETag"),
        (
            named({number: etag for number, etag in etags.items() if number != 3}),
            "BAD_USER_INPUT",
            "Part 3 is not named",
        ),
        (named(etags | {999: "x"}), "BAD_USER_INPUT", "Part 999 is not part of this upload"),
        ([*named(etags), *named({1: etags[1]})], "BAD_USER_INPUT", "named twice"),
    ]
    for given, code, message in cases:
        (error,) = (await api.call(COMPLETE, input={"uploadId": upload["id"], "parts": given}))["errors"]
        assert error["code"] == code and message in error["message"], error


async def test_part_sent_again_replaces_the_first(service: Service, api: Api) -> None:
    upload = await create(api)
    await api.put_parts(upload["id"], [1], b"x" * PART, PART)
    etags = await api.put_parts(upload["id"], range(1, upload["partCount"] + 1), CONTENT, PART)
    payload = await api.call(COMPLETE, input={"uploadId": upload["id"], "parts": named(etags)})
    assert payload["errors"] == []


async def test_link_is_good_for_its_part_and_length_only(service: Service, api: Api) -> None:
    upload = await create(api)
    (part,) = await api.sign(upload["id"], [1])
    other = part["url"].replace("/parts/1?", "/parts/2?")
    longer = part["url"].replace(f"length={PART}", f"length={PART + 1}")
    unsigned = part["url"].partition("?")[0]
    for url in (other, longer, unsigned, part["url"] + "0", part["url"].replace("expires=", "expires=9")):
        assert (await put(url, CONTENT[:PART])).status_code == 403
    assert (await put(part["url"], CONTENT[: PART - 1])).status_code == 403
    assert (await put(part["url"], CONTENT[: PART + 1])).status_code == 403
    assert (await api.call(UPLOAD, id=upload["id"]))["receivedParts"] == []


async def test_link_expires(settings: Settings) -> None:
    async with running(dataclasses.replace(settings, upload_url_ttl_s=0)) as service:
        api = await service.member()
        upload = await create(api)
        (part,) = await api.sign(upload["id"], [1])
        response = await put(part["url"], CONTENT[:PART])
    assert response.status_code == 403 and "expired" in response.json()["message"]


async def test_body_without_a_length_must_still_have_the_size(service: Service, api: Api) -> None:
    upload = await create(api)
    (part,) = await api.sign(upload["id"], [1])

    async def chunks(size: int) -> AsyncIterator[bytes]:
        for _ in range(0, size, 1024):
            yield b"x" * 1024

    async with httpx.AsyncClient(timeout=DEADLINE_S, verify=TLS) as http:
        short = await http.put(part["url"], content=chunks(PART - 1024))
        long = await http.put(part["url"], content=chunks(PART + 1024))
        assert (short.status_code, long.status_code) == (400, 400)
        assert (await api.call(UPLOAD, id=upload["id"]))["receivedParts"] == []
        right = await http.put(part["url"], content=chunks(PART))
    assert right.headers["etag"] == f'"{hashlib.md5(b"x" * PART, usedforsecurity=False).hexdigest()}"'


async def test_connection_that_breaks_leaves_no_part_and_does_not_block_it(
    service: Service, api: Api
) -> None:
    upload = await create(api)
    (part,) = await api.sign(upload["id"], [1])
    _, writer = await begin_put(part["url"], b"x" * 1000)
    assert (await put(part["url"], CONTENT[:PART])).status_code == 200
    writer.close()
    assert (await api.call(UPLOAD, id=upload["id"]))["receivedParts"] == [1]


async def test_abort_gives_the_room_back_and_ends_the_links(service: Service, api: Api) -> None:
    upload = await create(api)
    parts = await api.sign(upload["id"], [1, 2])
    await put(parts[0]["url"], CONTENT[:PART])
    for _ in range(2):
        payload = await api.call(ABORT, input={"uploadId": upload["id"]})
        assert payload["errors"] == [] and payload["upload"]["status"] == "ABORTED"
    assert (await put(parts[1]["url"], CONTENT[PART : 2 * PART])).status_code == 409
    assert not list(service.settings.uploads_dir.iterdir())
    (error,) = (await api.call(COMPLETE, input={"uploadId": upload["id"], "parts": []}))["errors"]
    assert error["code"] == "CONFLICT" and "aborted" in error["message"]


async def test_expired_upload_is_swept_at_start(settings: Settings) -> None:
    async with running(settings) as service:
        upload = await create(await service.member())
        await Upload.all().update(expires_at=now() - timedelta(seconds=1))
    async with running(settings) as service:
        api = Api(service.url)
        await api.sign_in("member@example.org")

        async def expired() -> bool:
            return bool((await api.call(UPLOAD, id=upload["id"]))["status"] == "EXPIRED")

        await eventually(expired)
        assert not list(settings.uploads_dir.iterdir())


async def test_files_that_a_crash_left_over_are_swept(
    opened_database: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await users.add(
        settings, email="a@b.c", password="x" * 12, display_name=None, role=users.Role.MEMBER
    )
    viewer = Viewer(user, new_id(), now())

    async def make() -> Upload:
        return await uploads.create(
            settings,
            DiskParts(settings),
            viewer,
            filename="a",
            size_bytes=5,
            content_type=None,
            idempotency_key=None,
        )

    receiving, aborted, orphan = await make(), await make(), new_id()
    await Upload.filter(id=aborted.id).update(status=UploadStatus.ABORTED)
    storage.create_upload_file(settings, orphan, 5)
    assert await uploads.sweep(DiskParts(settings)) == 0
    assert len(list(settings.uploads_dir.iterdir())) == 3
    monkeypatch.setattr(parts, "ORPHAN_S", -1.0)
    await uploads.sweep(DiskParts(settings))
    assert [folder.name for folder in settings.uploads_dir.iterdir()] == [str(receiving.id)]


async def test_part_that_stalls_is_given_up(
    service: Service, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "STALLED_S", 0.1)
    upload = await create(api)
    (part,) = await api.sign(upload["id"], [1])
    reader, writer = await begin_put(part["url"], b"x" * 1000)
    async with asyncio.timeout(DEADLINE_S):
        answer = await reader.read()
    writer.close()
    assert b"400 Bad Request" in answer and b"Nothing came" in answer


async def test_same_key_and_input_is_the_same_upload_and_another_input_a_conflict(
    service: Service, api: Api
) -> None:
    first = await create(api, idempotencyKey="k")
    second = await create(api, idempotencyKey="k")
    other = await api.call(
        CREATE, input={"filename": "other.csv", "sizeBytes": len(CONTENT), "idempotencyKey": "k"}
    )
    at_once = await asyncio.gather(*(create(api, idempotencyKey="at once") for _ in range(5)))
    assert first["id"] == second["id"] and other["errors"][0]["code"] == "CONFLICT"
    assert len({upload["id"] for upload in at_once}) == 1
    assert len(list(service.settings.uploads_dir.iterdir())) == 2


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"sizeBytes": 0}, "BAD_USER_INPUT", "sizeBytes"),
        ({"sizeBytes": -5}, "BAD_USER_INPUT", "sizeBytes"),
        ({"sizeBytes": 6 * 2**40}, "LIMIT_EXCEEDED", "sizeBytes"),
        ({"sizeBytes": 5 * 2**40}, "LIMIT_EXCEEDED", "sizeBytes"),
        ({"filename": "  "}, "BAD_USER_INPUT", "filename"),
        ({"filename": "a\nb.csv"}, "BAD_USER_INPUT", "filename"),
        ({"filename": "x" * 256}, "BAD_USER_INPUT", "filename"),
        ({"idempotencyKey": ""}, "BAD_USER_INPUT", "idempotencyKey"),
        ({"contentType": "x" * 101}, "BAD_USER_INPUT", "contentType"),
    ],
)
async def test_create_says_what_is_wrong(
    service: Service, api: Api, given: dict[str, Any], code: str, field: str
) -> None:
    payload = await api.call(CREATE, input={"filename": "a.csv", "sizeBytes": 10, **given})
    (error,) = payload["errors"]
    assert payload["upload"] is None and error["code"] == code and error["field"] == ["input", field]


async def test_file_names_never_become_paths(service: Service, api: Api) -> None:
    for filename in ("../../../etc/passwd", "C:\\temp\\data.csv", "/abs/../x.csv.gz"):
        upload = await create(api, filename=filename)
        path = storage.upload_file(service.settings, local_id(upload["id"], "Upload"), upload["filename"])
        assert path.parent.parent == service.settings.uploads_dir
        assert path.name in ("data", "data.csv", "data.csv.gz")
        assert "/" not in upload["filename"] and "\\" not in upload["filename"]


async def test_limits_have_names(settings: Settings) -> None:
    small = dataclasses.replace(settings, uploads_open_max=2, storage_quota_bytes=100, upload_sign_max=3)
    limit = "errors { ... on LimitError { limit } }"
    query = f"mutation($input: CreateUploadInput!) {{ createUpload(input: $input) {{ {limit} }} }}"
    async with running(small) as service:
        api = await service.member()
        over = await api.call(query, input={"filename": "a", "sizeBytes": 101})
        upload = await create(api, sizeBytes=40)
        await create(api, sizeBytes=40)
        many = await api.call(query, input={"filename": "a", "sizeBytes": 1})
        sign = await api.call(
            f"mutation($input: SignUploadPartsInput!) {{ signUploadParts(input: $input) {{ {limit} }} }}",
            input={"uploadId": upload["id"], "partNumbers": [1, 1, 1, 1]},
        )
    limits = [answer["errors"][0]["limit"] for answer in (over, many, sign)]
    assert limits == ["storage_quota_bytes", "uploads_open_max", "upload_sign_max"]


async def test_upload_of_another_looks_missing(service: Service, api: Api) -> None:
    upload = await create(api)
    other = await service.member("other@example.org")
    missing = upload["id"][:-4] + "AAAA"
    assert await other.call(UPLOAD, id=upload["id"]) is None
    assert await other.call("query($id: ID!) { node(id: $id) { id } }", id=upload["id"]) is None
    answers = [await other.call(ABORT, input={"uploadId": id}) for id in (upload["id"], missing, "nonsense")]
    assert {answer["errors"][0]["code"] for answer in answers} == {"NOT_FOUND"}
    assert {tuple(answer["errors"][0]["field"]) for answer in answers} == {("input", "uploadId")}


async def test_viewer_may_not_upload(service: Service) -> None:
    viewer = await service.user("viewer@example.org", "VIEWER")
    code = await viewer.refused(CREATE, input={"filename": "a.csv", "sizeBytes": 10})
    assert code == "FORBIDDEN"


async def test_node_finds_an_upload(service: Service, api: Api) -> None:
    upload = await create(api)
    query = "query($id: ID!) { node(id: $id) { id ... on Upload { filename } } }"
    assert await api.call(query, id=upload["id"]) == {"id": upload["id"], "filename": "orders.csv"}


async def held_open(gate: asyncio.Event) -> AsyncIterator[bytes]:
    yield b"old"
    await gate.wait()
    yield b"never"


async def test_newer_sending_of_a_part_stops_the_older(opened_database: None, settings: Settings) -> None:
    upload_id, writers = new_id(), PartWriters()
    storage.create_upload_file(settings, upload_id, 3)

    async def write(body: AsyncIterator[bytes]) -> str:
        work = storage.write_part(settings, upload_id, offset=0, size_bytes=3, body=body)
        return await writers.run(upload_id, 1, work)

    async def whole() -> AsyncIterator[bytes]:
        yield b"new"

    older = asyncio.ensure_future(write(held_open(asyncio.Event())))
    await asyncio.sleep(0)
    etag = await write(whole())
    with pytest.raises(Conflict):
        await older
    assert etag == hashlib.md5(b"new", usedforsecurity=False).hexdigest()
    assert (settings.uploads_dir / str(upload_id) / "partial").read_bytes() == b"new"


async def test_no_part_is_written_while_an_upload_is_closed(
    opened_database: None, settings: Settings
) -> None:
    upload_id, writers = new_id(), PartWriters()
    storage.create_upload_file(settings, upload_id, 8)

    def write(body: AsyncIterator[bytes]) -> Any:
        work = storage.write_part(settings, upload_id, offset=0, size_bytes=8, body=body)
        return writers.run(upload_id, 1, work)

    under_way = asyncio.ensure_future(write(held_open(asyncio.Event())))
    await asyncio.sleep(0)
    async with writers.closed(upload_id):
        with pytest.raises(Conflict):
            await under_way
        with pytest.raises(Conflict):
            await write(held_open(asyncio.Event()))
        with pytest.raises(Conflict):
            async with writers.closed(upload_id):
                pass


async def test_received_parts_come_by_upload(service: Service, api: Api) -> None:
    ids = [local_id((await create(api))["id"], "Upload") for _ in range(2)]
    for number in (3, 1):
        await UploadPart.create(upload_id=ids[1], number=number, size_bytes=1, etag="x")
    assert await DiskParts(service.settings).received([*ids, UUID(int=0)]) == [[], [1, 3], []]


def test_part_range_refuses_what_is_not_there() -> None:
    upload = Upload(size_bytes=10, part_size_bytes=4, part_count=3)
    assert [uploads.checked_range(upload, number) for number in (1, 2, 3)] == [(0, 4), (4, 4), (8, 2)]
    for number in (0, 4):
        with pytest.raises(BadInput):
            uploads.checked_range(upload, number)


def test_artifact_path_stays_in_storage(settings: Settings, tmp_path: Path) -> None:
    inside = settings.jobs_dir / "x" / "output.csv"
    inside.parent.mkdir()
    inside.write_text("a")
    (tmp_path / "outside").write_text("a")
    (settings.jobs_dir / "link").symlink_to(tmp_path / "outside")
    assert storage.artifact_path(settings, "x/output.csv") == inside.resolve()
    for path in ("../../outside", str(tmp_path / "outside"), "link", "x/gone"):
        with pytest.raises(Exception, match="no longer there"):
            storage.artifact_path(settings, path)
