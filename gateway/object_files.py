"""Which objects a URI stands for, and whether they may be read: only what lies under a data bucket.

Endpoint and keys come from the settings alone, so a URI can't lead to another server. What lies outside and what is
missing there look the same.
"""

import re
from typing import Final

from gateway import planning
from gateway.errors import BadInput
from gateway.local_files import URI_FIELD, Found
from gateway.settings import Settings
from karyaksham_engine.errors import SourceError

_MAGIC: Final = re.compile(r"[*?[]")
_URI: Final = re.compile(r"(?:s3|gs)://[^/]+(/.*)?", re.DOTALL)


def is_object(uri: str) -> bool:
    return uri.lower().startswith(("s3://", "gs://"))


async def find(uri: str, settings: Settings) -> Found:
    """The objects of `uri`: one key, a folder, or a pattern with `*`, `?`, `[...]` and `**`. Raises BadInput."""
    if not settings.data_buckets:
        raise _refused(
            "This server may not read object storage: no data bucket is configured.",
            "Upload the file instead.",
        )
    if not _URI.fullmatch(uri) or _is_odd(uri):
        raise _refused("That is not the URI of an object.", "Write s3://bucket/folder/file.csv.")
    begins = _MAGIC.split(uri)[0]
    if begins != uri:
        begins = begins.rpartition("/")[0]
    if not _is_allowed(begins, settings):
        raise _refused(
            "The URI is not under a bucket that this server may read.",
            "Ask an administrator for the data buckets, or upload the file.",
        )
    try:
        files = await planning.objects(uri, settings.objects)
    except SourceError as error:
        if error.code == "SOURCE_NOT_FOUND":
            raise _refused("There is no such object.", "Check the URI; keys are case-sensitive.") from None
        raise
    if not all(_is_allowed(file["path"], settings) for file in files):
        raise _refused(
            "Some of these objects lie outside of what this server may read.", "Make the pattern narrower."
        )
    return Found(uri=uri, files=tuple(files))


def _is_allowed(uri: str, settings: Settings) -> bool:
    own = settings.storage_uri
    return any(_is_within(uri, place) for place in settings.data_buckets) and not (
        own and _is_within(uri, own)
    )


def _is_within(uri: str, place: str) -> bool:
    place = place.rstrip("/")
    return uri.rstrip("/") == place or uri.startswith(f"{place}/")


def _is_odd(uri: str) -> bool:
    """What servers and libraries take in different ways, and control characters."""
    path = uri.partition("://")[2]
    return any(part in (".", "..") for part in path.split("/")) or not path.isprintable()


def _refused(message: str, hint: str) -> BadInput:
    return BadInput(message, hint, field=URI_FIELD)
