"""What a caller of the gateway can cause or meet, as children of the one error tree."""

from collections.abc import Sequence
from enum import StrEnum

from karyaksham_engine.errors import DataError, InvalidJob, ResourceError, SourceError, TransientIo
from karyaksham_engine.errors import KaryakshamError as KaryakshamError


class ErrorCode(StrEnum):
    """What a client branches on; the message is for people."""

    BAD_USER_INPUT = "BAD_USER_INPUT"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    CONFLICT = "CONFLICT"
    RATE_LIMITED = "RATE_LIMITED"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    QUERY_TOO_COMPLEX = "QUERY_TOO_COMPLEX"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"


class GatewayError(KaryakshamError):
    """Raised by the domain modules. Children say what the caller can do about it."""

    error_code = ErrorCode.INTERNAL
    default_retryable = False

    def __init__(
        self,
        message: str,
        hint: str | None = None,
        *,
        field: Sequence[str] | None = None,
        retry_after_s: float | None = None,
        limit: str | None = None,
    ) -> None:
        super().__init__(self.error_code.value, message, hint, retryable=self.default_retryable)
        self.field = list(field) if field is not None else None
        """Path into the input, such as ["input", "sql"]."""
        self.retry_after_s = retry_after_s
        self.limit = limit
        """The setting that set the limit, where there is one."""

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.message, self.hint, self.field, self.retry_after_s, self.limit))


def _rebuild(
    kind: type[GatewayError],
    message: str,
    hint: str | None,
    field: list[str] | None,
    retry_after_s: float | None,
    limit: str | None,
) -> GatewayError:
    return kind(message, hint, field=field, retry_after_s=retry_after_s, limit=limit)


class BadInput(GatewayError):
    """The input is wrong; sending it again unchanged fails again."""

    error_code = ErrorCode.BAD_USER_INPUT


class Unauthenticated(GatewayError):
    """No valid session: sign in, or refresh."""

    error_code = ErrorCode.UNAUTHENTICATED


class Forbidden(GatewayError):
    """The viewer's role does not allow it. Never used where it would tell that something exists."""

    error_code = ErrorCode.FORBIDDEN


class NotFound(GatewayError):
    """It does not exist, or it is not the viewer's: both look the same."""

    error_code = ErrorCode.NOT_FOUND


class Conflict(GatewayError):
    """The object is in a state that does not allow it, or an idempotency key was used for another input."""

    error_code = ErrorCode.CONFLICT


class RateLimited(GatewayError):
    """Too many tries; `retry_after_s` says when the next one may succeed."""

    error_code = ErrorCode.RATE_LIMITED
    default_retryable = True


class LimitExceeded(GatewayError):
    """A named limit is reached; `limit` is the name of its setting."""

    error_code = ErrorCode.LIMIT_EXCEEDED


class Unavailable(GatewayError):
    """Something the gateway needs is not there now; the same request may succeed later."""

    error_code = ErrorCode.UNAVAILABLE
    default_retryable = True


_ENGINE_CODES: tuple[tuple[type[KaryakshamError], ErrorCode], ...] = (
    (InvalidJob, ErrorCode.BAD_USER_INPUT),
    (SourceError, ErrorCode.BAD_USER_INPUT),
    (DataError, ErrorCode.BAD_USER_INPUT),
    (ResourceError, ErrorCode.LIMIT_EXCEEDED),
    (TransientIo, ErrorCode.UNAVAILABLE),
)


def error_code(error: BaseException) -> ErrorCode:
    """The code under which `error` is told to a client; INTERNAL for what is a fault of ours."""
    if isinstance(error, GatewayError):
        return error.error_code
    for kind, code in _ENGINE_CODES:
        if isinstance(error, kind):
            return code
    return ErrorCode.INTERNAL


def error_message(error: KaryakshamError) -> str:
    """Message and hint as one or two sentences."""
    return f"{error.message} {error.hint}" if error.hint else error.message
