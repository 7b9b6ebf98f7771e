"""What can go wrong between a program and a service."""

from collections.abc import Mapping, Sequence
from typing import Any


class ServiceError(Exception):
    """The service said no, or could not be reached; `code` is one of its `ErrorCode`s.

    `field` is the path into the input that is at fault; `retry_after_s` says when another try may succeed, where
    waiting helps.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        field: Sequence[str] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(f"{message} [{code}]")
        self.code = code
        self.message = message
        self.field = list(field) if field else None
        self.retry_after_s = retry_after_s

    @classmethod
    def of(cls, error: Mapping[str, Any]) -> "ServiceError":
        """Of an item of a payload's `errors`, or of an answer's."""
        more = error.get("extensions") or error
        return cls(
            more.get("code", "INTERNAL"),
            error.get("message", "The service did not say what is wrong."),
            field=error.get("field"),
            retry_after_s=more.get("retryAfterSeconds"),
        )


class JobFailed(ServiceError):
    """A job ended without a result: `code` says why, or is CANCELED."""

    def __init__(self, job_id: str, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(code, f"{message} {hint}" if hint else message)
        self.job_id = job_id
        self.hint = hint


class Broken(ServiceError):
    """What arrived is not what was sent: a checksum differs, or a file changed while it was uploaded."""

    def __init__(self, message: str) -> None:
        super().__init__("BROKEN", message)
