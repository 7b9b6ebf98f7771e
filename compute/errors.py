"""Failure kinds of compute, and the one place where an exception becomes a `Failure` for a person."""

import errno
import logging

from karyaksham_engine.errors import (
    DataError,
    InternalError,
    InvalidJob,
    KaryakshamError,
    ResourceError,
    SourceError,
    TransientIo,
)

from .spec import Failure, FailureKind

log = logging.getLogger("karyaksham.compute")


class InfrastructureError(KaryakshamError):
    """A worker, a node or Ray itself went away; the same work elsewhere may well succeed."""


KIND_OF_ERROR: tuple[tuple[type[KaryakshamError], FailureKind], ...] = (
    (InvalidJob, "CONFIG"),
    (DataError, "DATA"),
    (ResourceError, "LIMIT"),
    (SourceError, "STORAGE"),
    (TransientIo, "STORAGE"),
    (InfrastructureError, "INFRASTRUCTURE"),
)
OUT_OF_MEMORY = "OUT_OF_MEMORY"
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


def to_failure(error: BaseException) -> Failure:
    """What `error` is to the person whose job it stopped: never a stack, never a path of ours.

    Faults of ours are logged with their stack, because their message says nothing.
    """
    if isinstance(error, KaryakshamError):
        for kind_of_error, kind in KIND_OF_ERROR:
            if isinstance(error, kind_of_error):
                return Failure(
                    kind=kind,
                    code=error.code,
                    message=error.message,
                    hint=error.hint,
                    retryable=_retryable(error),
                    detail=dict(error.detail),
                )
    if isinstance(error, MemoryError):
        return Failure(
            "LIMIT",
            OUT_OF_MEMORY,
            "The memory of this machine was used up.",
            "Allow less memory a task, or use smaller shards.",
        )
    if isinstance(error, OSError):
        return _of_system(error)
    log.error("a fault of ours", exc_info=error)
    code = error.code if isinstance(error, InternalError) else "INTERNAL"
    return internal(code)


def internal(code: str, what: str | None = None) -> Failure:
    """A fault of ours. `what` names the check that failed, in words without names of ours."""
    return Failure(
        "INTERNAL",
        code,
        what or "Something went wrong inside Karyaksham.",
        "This is a fault of ours, not of your data. The log of the service has the details.",
    )


def worker_lost(reason: str) -> Failure:
    """A task whose process or machine is gone."""
    return Failure(
        "INFRASTRUCTURE",
        "WORKER_LOST",
        f"A worker was lost while it ran this task: {reason}.",
        "The task is run again by itself; if it keeps failing, look at the machine's memory.",
        retryable=True,
    )


def task_hung(idle_s: float) -> Failure:
    """An attempt that was given up because nothing came of it for so long."""
    return Failure(
        "INFRASTRUCTURE",
        "TASK_HUNG",
        f"A task made no progress for {idle_s:,.0f} seconds, and was stopped.",
        "The task is run again by itself; if it keeps hanging, look at the machine and at the storage it reads.",
        retryable=True,
    )


def out_of_memory() -> Failure:
    """A task that was ended because its machine had no memory left. It runs again with less, and more of a machine."""
    return Failure(
        "LIMIT",
        OUT_OF_MEMORY,
        "A task was ended because its machine ran out of memory.",
        "Run fewer tasks at once, give each less memory, or use smaller shards.",
        retryable=True,
    )


def _retryable(error: KaryakshamError) -> bool:
    if isinstance(error, TransientIo | InfrastructureError):
        return True
    return error.retryable and not isinstance(error, InvalidJob | DataError)


def _of_system(error: OSError) -> Failure:
    log.warning("the system refused: %s", error)
    if error.errno in DISK_FULL:
        return Failure(
            "LIMIT", "DISK_FULL", "The disk is full.", "Free some space where results and temporary files go."
        )
    return Failure(
        "STORAGE",
        "IO_FAILED",
        f"Reading or writing a file failed: {error.strerror or 'unknown reason'}.",
        retryable=error.errno in (errno.EIO, errno.EAGAIN, errno.EINTR, errno.ESTALE, errno.ETIMEDOUT),
    )
