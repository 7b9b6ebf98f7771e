"""Every exception becomes a failure that a person can act on."""

import errno
import pickle

import pytest

from compute.cluster import _is_secret
from compute.errors import InfrastructureError, to_failure
from karyaksham_engine.errors import (
    DataError,
    InternalError,
    InvalidJob,
    KaryakshamError,
    ResourceError,
    SourceError,
    TransientIo,
)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InvalidJob("SQL_INVALID", "m"), "CONFIG"),
        (DataError("CAST", "m"), "DATA"),
        (ResourceError("OUT_OF_MEMORY", "m"), "LIMIT"),
        (SourceError("SOURCE_CHANGED", "m"), "STORAGE"),
        (TransientIo("READ_FAILED", "m"), "STORAGE"),
        (InfrastructureError("RAY_UNAVAILABLE", "m"), "INFRASTRUCTURE"),
        (InternalError("PANIC", "m"), "INTERNAL"),
        (MemoryError(), "LIMIT"),
        (OSError(errno.ENOSPC, "No space left on device", "/private/place"), "LIMIT"),
        (PermissionError(errno.EACCES, "Permission denied", "/private/place"), "STORAGE"),
        (KeyError("x"), "INTERNAL"),
    ],
)
def test_kind_says_what_the_caller_can_do(error: Exception, kind: str) -> None:
    failure = to_failure(error)
    assert failure.kind == kind
    assert "/private/place" not in failure.message


def test_code_message_hint_and_detail_are_kept() -> None:
    failure = to_failure(DataError("CAST", "Bad row.", "Mend it.", detail={"row": 3}))
    assert (failure.code, failure.message, failure.hint, failure.detail) == (
        "CAST",
        "Bad row.",
        "Mend it.",
        {"row": 3},
    )


@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        (TransientIo("READ_FAILED", "m"), True),
        (InfrastructureError("RAY_UNAVAILABLE", "m"), True),
        (InvalidJob("SQL_INVALID", "m", retryable=True), False),
        (DataError("CAST", "m", retryable=True), False),
        (ResourceError("OUT_OF_MEMORY", "m"), False),
        (KaryakshamError("ANY", "m"), False),
    ],
)
def test_only_what_another_try_may_cure_is_retried(error: Exception, retryable: bool) -> None:
    assert to_failure(error).retryable is retryable


def test_fault_of_ours_is_masked_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    failure = to_failure(InternalError("PANIC", "index out of bounds at src/private.rs:17"))
    assert "private" not in failure.message
    assert "src/private.rs:17" in caplog.text


def test_errors_survive_the_way_between_processes() -> None:
    copy = pickle.loads(pickle.dumps(InfrastructureError("LOST", "m", "h", detail={"a": 1})))  # noqa: S301
    assert (type(copy), copy.code, copy.detail) == (InfrastructureError, "LOST", {"a": 1})


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("KARYAKSHAM_SECRET_KEY", True),
        ("KARYAKSHAM_DATABASE_URL", True),
        ("AWS_SECRET_ACCESS_KEY", True),
        ("DATABASE_URL", True),
        ("GITHUB_TOKEN", True),
        ("KARYAKSHAM_SIMD", False),
        ("RAY_AUTH_TOKEN_PATH", False),
        ("PATH", False),
    ],
)
def test_secrets_are_told_from_other_settings(name: str, secret: bool) -> None:
    assert _is_secret(name) is secret
