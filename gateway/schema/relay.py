"""Global ids, cursors and connections."""

import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import Any, Generic, NewType, TypeVar
from uuid import UUID

import strawberry
from graphql import GraphQLError

from gateway.errors import BadInput, NotFound
from gateway.paging import Page, R

T = TypeVar("T")

BigInt = NewType("BigInt", int)
"""A count of bytes or rows: GraphQL's Int has only 32 bits."""

PAGE = 50
"""`first` where null is given for it."""


def _big_int(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise GraphQLError("BigInt takes a whole number of at most 64 bits.")
    return value


SCALARS: dict[object, Any] = {
    BigInt: strawberry.scalar(
        name="BigInt",
        description="A whole number of 64 bits, written as a JSON number.",
        serialize=int,
        parse_value=_big_int,
    )
}


@strawberry.interface(description="An object with an ID that is unique in the whole service.")
class Node:
    id: strawberry.ID


def global_id(type_name: str, id: UUID) -> strawberry.ID:
    return strawberry.ID(_pack(f"{type_name}:{id}"))


def split_global_id(value: str) -> tuple[str, UUID] | None:
    """Type name and id, or None when `value` is no ID of ours."""
    type_name, _, id = _unpack(value).partition(":")
    try:
        return (type_name, UUID(id)) if type_name else None
    except ValueError:
        return None


def local_id(value: str, type_name: str, *, field: str | None = None) -> UUID:
    """The id in a global ID of `type_name`; NotFound for any other, `field` being the input field at fault."""
    parts = split_global_id(value)
    if parts is None or parts[0] != type_name:
        raise NotFound(f"There is no such {type_name.lower()}.", field=["input", field] if field else None)
    return parts[1]


@strawberry.type
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type
class Edge(Generic[T]):
    cursor: str
    node: T


@strawberry.type
class Connection(Generic[T]):
    edges: list[Edge[T]]
    page_info: PageInfo
    count: strawberry.Private[Callable[[], Awaitable[int]]]

    @strawberry.field(description="Of the whole list.")
    async def total_count(self) -> int:
        return await self.count()


def connection(page: Page[R], convert: Callable[[R], T]) -> Connection[T]:
    """A page of rows as a connection of `convert`ed nodes."""
    edges = [Edge(cursor=_pack(f"after:{row.id}"), node=convert(row)) for row in page.rows]
    info = PageInfo(
        has_next_page=page.has_next,
        has_previous_page=page.has_previous,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
    return Connection(edges=edges, page_info=info, count=page.count)


def page_arguments(first: int | None, after: str | None, *, most: int) -> tuple[int, UUID | None]:
    """`first` and `after` checked: BadInput for a page over `most` or a cursor that is not ours."""
    first = PAGE if first is None else first
    if not 1 <= first <= most:
        raise BadInput(f"first must be from 1 to {most}.", field=["first"])
    if after is None:
        return first, None
    parts = split_global_id(after)
    if parts is None or parts[0] != "after":
        raise BadInput("after is not a cursor of this list.", field=["after"])
    return first, parts[1]


def _pack(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _unpack(text: str) -> str:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, ValueError):
        return ""
