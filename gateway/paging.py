"""Pages of a table, newest first, by key and not by offset: rows that come meanwhile shift nothing."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from tortoise.queryset import QuerySet

from gateway.models import Row

R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    rows: list[R]
    has_next: bool
    has_previous: bool
    count: Callable[[], Awaitable[int]]
    """Counts the whole list; asked only when a client asks for `totalCount`."""


async def newest_first(query: QuerySet[R], *, first: int, after: UUID | None) -> Page[R]:
    """`first` rows of `query` that are older than the row `after`. Ids sort by the time they were made."""
    older = query.filter(id__lt=after) if after else query
    rows = await older.order_by("-id").limit(first + 1)

    async def count() -> int:
        return await query.count()

    return Page(rows[:first], len(rows) > first, after is not None, count)
