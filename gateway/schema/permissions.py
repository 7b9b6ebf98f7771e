"""Who may ask what. Every root field carries exactly one Access, or the schema is refused."""

from collections.abc import Awaitable, Callable
from typing import Any

from strawberry.extensions import FieldExtension
from strawberry.types.field import StrawberryField

from gateway.errors import Forbidden
from gateway.schema.context import Info, signed_in
from gateway.users import Role

_RANK = {Role.VIEWER: 0, Role.MEMBER: 1, Role.ADMIN: 2}


class Access(FieldExtension):
    """Lets a viewer through who has at least `role`; None lets everyone through.

    List it last among a field's extensions, so that it runs first.
    """

    def __init__(self, role: Role | None) -> None:
        self.role = role

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: Info, **kwargs: Any
    ) -> Any:
        if self.role is not None:
            viewer = signed_in(info)
            if _RANK[viewer.user.role] < _RANK[self.role]:
                raise Forbidden(f"This needs the role {self.role}; yours is {viewer.user.role}.")
        result = next_(source, info, **kwargs)
        # A subscription's resolver gives a stream, which nobody awaits.
        return await result if hasattr(result, "__await__") else result


PUBLIC = Access(None)
SIGNED_IN = Access(Role.VIEWER)
"""May read what is theirs."""
MEMBER = Access(Role.MEMBER)
"""May upload and run jobs."""
ADMIN = Access(Role.ADMIN)


def unguarded(fields: list[StrawberryField]) -> list[str]:
    """Names of root fields that do not carry exactly one Access."""
    return [
        field.python_name
        for field in fields
        if sum(isinstance(extension, Access) for extension in field.extensions) != 1
    ]
