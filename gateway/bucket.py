"""A bucket of S3, MinIO, Ceph or Google (through its S3 interface): where uploads and results lie when one is set.

Bytes of files do not pass through here: clients get presigned links, workers read and write by themselves. What goes
wrong at the other side is Unavailable, but for what is not there, which is NotFound; the log has the rest.
"""

import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError

from gateway.errors import NotFound, Unavailable
from gateway.settings import Settings

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S: Final = 5
ANSWER_TIMEOUT_S: Final = 120
"""To make one object of ten thousand parts takes a while."""
CHUNK_BYTES: Final = 1024 * 1024
RETRY_S: Final = 5.0
_GONE: Final = frozenset({"NoSuchUpload", "NoSuchKey", "404", "NotFound"})


@dataclass(frozen=True, slots=True)
class Part:
    number: int
    etag: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Object:
    """As it is now."""

    size_bytes: int
    etag: str


class Bucket:
    """Of `storage_uri`; in use while `opened` lasts. Keys are below its folder."""

    def __init__(self, settings: Settings) -> None:
        place = urlsplit(settings.storage_uri)
        self._settings = settings
        self._name = place.netloc
        self._folder = place.path.strip("/")
        self._client: Any = None
        self._outside: Any = None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            endpoint = self._settings.object_endpoint
            self._client = await stack.enter_async_context(self._connect(endpoint))
            # A signature is for one host, so links for browsers are signed for the one that they reach.
            self._outside = await stack.enter_async_context(
                self._connect(self._settings.object_public_endpoint or endpoint)
            )
            yield

    def uri(self, key: str) -> str:
        return f"s3://{self._name}/{self._key(key)}"

    def key(self, uri: str) -> str:
        """Of a URI that `uri` gave."""
        return uri.removeprefix(self.uri("")).lstrip("/")

    async def is_there(self) -> bool:
        try:
            await self._client.head_bucket(Bucket=self._name)
        except (ClientError, BotoCoreError, OSError, TimeoutError):
            return False
        return True

    async def begin(self, key: str) -> str:
        """The id of a new multipart upload."""
        with _told():
            begun = await self._client.create_multipart_upload(Bucket=self._name, Key=self._key(key))
        return str(begun["UploadId"])

    async def part_link(self, key: str, upload_id: str, number: int, *, size_bytes: int, lasts_s: int) -> str:
        """A PUT of exactly this part of exactly this length."""
        link: str = await self._outside.generate_presigned_url(
            "upload_part",
            {
                "Bucket": self._name,
                "Key": self._key(key),
                "UploadId": upload_id,
                "PartNumber": number,
                "ContentLength": size_bytes,
            },
            ExpiresIn=lasts_s,
        )
        return link

    async def parts(self, key: str, upload_id: str) -> list[Part]:
        """What is there of a multipart upload. NotFound when it was completed or aborted."""
        found: list[Part] = []
        with _told():
            pages = self._client.get_paginator("list_parts").paginate(
                Bucket=self._name, Key=self._key(key), UploadId=upload_id
            )
            async for page in pages:
                for part in page.get("Parts", ()):
                    found.append(Part(part["PartNumber"], part["ETag"].strip('"'), part["Size"]))
        return found

    async def complete(self, key: str, upload_id: str, parts: Sequence[Part]) -> None:
        listed = [{"PartNumber": part.number, "ETag": part.etag} for part in parts]
        with _told():
            await self._client.complete_multipart_upload(
                Bucket=self._name,
                Key=self._key(key),
                UploadId=upload_id,
                MultipartUpload={"Parts": listed},
            )

    async def abort(self, key: str, upload_id: str) -> None:
        """Again, or after the end: no error."""
        try:
            with _told():
                await self._client.abort_multipart_upload(
                    Bucket=self._name, Key=self._key(key), UploadId=upload_id
                )
        except NotFound:
            pass

    async def begun_before(self, folder: str, before: datetime) -> list[tuple[str, str]]:
        """Key and id of the multipart uploads in `folder` that are older."""
        found: list[tuple[str, str]] = []
        with _told():
            pages = self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self._name, Prefix=self._key(folder)
            )
            async for page in pages:
                for upload in page.get("Uploads", ()):
                    if upload["Initiated"] < before:
                        found.append((self._below(upload["Key"]), upload["UploadId"]))
        return found

    async def find(self, key: str) -> Object:
        """NotFound where there is none."""
        with _told():
            found = await self._client.head_object(Bucket=self._name, Key=self._key(key))
        return Object(found["ContentLength"], found["ETag"])

    async def keys(self, folder: str) -> list[tuple[str, Object, datetime]]:
        """Everything in a folder, by name, with the time of its last change."""
        found: list[tuple[str, Object, datetime]] = []
        with _told():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._name, Prefix=self._key(folder).rstrip("/") + "/"
            )
            async for page in pages:
                for each in page.get("Contents", ()):
                    about = Object(each["Size"], each["ETag"])
                    found.append((self._below(each["Key"]), about, each["LastModified"]))
        return found

    async def remove(self, key: str) -> None:
        """What is not there is no error."""
        with _told():
            await self._client.delete_object(Bucket=self._name, Key=self._key(key))

    async def remove_folder(self, folder: str) -> None:
        for key, _, _ in await self.keys(folder):
            await self.remove(key)

    async def download_link(self, key: str, *, name: str, media_type: str, lasts_s: int) -> str:
        """A GET under which browsers keep the file as `name`, and run nothing of it."""
        link: str = await self._outside.generate_presigned_url(
            "get_object",
            {
                "Bucket": self._name,
                "Key": self._key(key),
                "ResponseContentDisposition": f"attachment; filename*=utf-8''{quote(name, safe='')}",
                "ResponseContentType": media_type,
                "ResponseCacheControl": "private, no-store",
            },
            ExpiresIn=lasts_s,
        )
        return link

    async def read(self, key: str) -> AsyncIterator[bytes]:
        with _told():
            answer = await self._client.get_object(Bucket=self._name, Key=self._key(key))
            async with answer["Body"] as body:
                while chunk := await body.read(CHUNK_BYTES):
                    yield chunk

    def _key(self, key: str) -> str:
        return f"{self._folder}/{key}" if self._folder else key

    def _below(self, key: str) -> str:
        return key.removeprefix(f"{self._folder}/") if self._folder else key

    def _connect(self, endpoint: str | None) -> Any:
        settings = self._settings
        return get_session().create_client(
            "s3",
            endpoint_url=endpoint,
            region_name=settings.object_region or "us-east-1",
            aws_access_key_id=settings.object_access_key_id,
            aws_secret_access_key=settings.object_secret_access_key,
            aws_session_token=settings.object_session_token,
            config=AioConfig(
                signature_version="s3v4",
                s3={"addressing_style": "path" if settings.object_path_style else "virtual"},
                connect_timeout=CONNECT_TIMEOUT_S,
                read_timeout=ANSWER_TIMEOUT_S,
                retries={"mode": "standard", "total_max_attempts": 3},
                # Google and older servers refuse the checksums that are sent otherwise.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )


@contextmanager
def _told() -> Iterator[None]:
    """What the other side refuses, as an error of ours."""
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code"))
        if code in _GONE:
            raise NotFound("The file is no longer there.") from error
        log.error("object storage refused %s: %s", error.operation_name, code)
        raise _away() from error
    except (BotoCoreError, OSError, TimeoutError) as error:
        log.error("object storage does not answer: %s", type(error).__name__)
        raise _away() from error


def _away() -> Unavailable:
    return Unavailable(
        "Object storage does not answer as it should.",
        "Try again; if it stays so, tell an administrator.",
        retry_after_s=RETRY_S,
    )
