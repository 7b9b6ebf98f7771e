"""The root of the one error tree, and the engine's kinds. compute and gateway add their own children."""

from collections.abc import Mapping
from typing import Any


class KaryakshamError(Exception):
    """Something a caller can react to: a stable code, a sentence for a person, and what to do about it."""

    def __init__(
        self,
        code: str,
        message: str,
        hint: str | None = None,
        *,
        retryable: bool = False,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.retryable = retryable
        self.detail: dict[str, Any] = dict(detail or {})

    def __reduce__(self) -> tuple[Any, ...]:
        state = (self.code, self.message, self.hint, self.retryable, self.detail)
        return (_rebuild, (type(self), *state))


def _rebuild(
    kind: type[KaryakshamError],
    code: str,
    message: str,
    hint: str | None,
    retryable: bool,
    detail: dict[str, Any],
) -> KaryakshamError:
    return kind(code, message, hint, retryable=retryable, detail=detail)


class InvalidJob(KaryakshamError):
    """The job itself is wrong: SQL, unknown column or table, an option that does not fit."""


class SourceError(KaryakshamError):
    """A source can't be read as a table: missing, empty, binary, changed underneath, not permitted."""


class DataError(KaryakshamError):
    """Rows are bad and the policy or the budget says stop. `detail` is a `Reject` (see types.py)."""


class ResourceError(KaryakshamError):
    """A limit was reached: memory, disk, a size."""


class TransientIo(KaryakshamError):
    """Storage failed in a way that another try may cure."""


class Canceled(KaryakshamError):
    """The cancel token was set."""


class InternalError(KaryakshamError):
    """A fault of ours, panics of the engine among them."""
