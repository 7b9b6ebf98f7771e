"""Which request, user and job a line of the log belongs to: bound once, in every line that the task writes after it."""

from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType

_NOTHING: Mapping[str, str] = MappingProxyType({})
_bound: ContextVar[Mapping[str, str]] = ContextVar("log_context", default=_NOTHING)


def bind(**ids: object) -> None:
    """From here on in this task and those that it starts."""
    _bound.set({**_bound.get(), **{name: str(value) for name, value in ids.items()}})


def begin(**ids: object) -> None:
    """As `bind`, for work that has nothing to do with what was bound before."""
    _bound.set({name: str(value) for name, value in ids.items()})


def bound() -> Mapping[str, str]:
    return _bound.get()
