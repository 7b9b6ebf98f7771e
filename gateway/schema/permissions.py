"""Who may ask what. Every root field carries exactly one Access, or the schema is refused."""

from collections.abc import Awaitable, Callable
from typing import Any

from graphql import OperationType
from strawberry.extensions import FieldExtension
from strawberry.types.field import StrawberryField

from gateway.errors import Forbidden
from gateway.schema import auditing
from gateway.schema.context import Info, signed_in
from gateway.tokens import Scope
from gateway.users import Role

_RANK = {Role.VIEWER: 0, Role.MEMBER: 1, Role.ADMIN: 2}


class Access(FieldExtension):
    """Lets a viewer through who has at least `role`; None lets everyone through. A mutation is noted in the audit log.

    With an API token, only where that has `scope`; None asks for a session. List it last among a field's
    extensions, so that it runs first.
    """

    def __init__(self, role: Role | None, scope: Scope | None = None) -> None:
        self.role = role
        self.scope = scope

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: Info, **kwargs: Any
    ) -> Any:
        if info.operation.operation is not OperationType.MUTATION:
            self._check(info)
            result = next_(source, info, **kwargs)
            # A subscription's resolver gives a stream, which nobody awaits.
            return await result if hasattr(result, "__await__") else result
        input = kwargs.get("input")
        try:
            self._check(info)
            payload = await next_(source, info, **kwargs)
        except Exception as error:  # The edge of a mutation: whatever came of it is noted.
            await auditing.note(info, input, error=error)
            raise
        await auditing.note(info, input, payload=payload)
        return payload

    def _check(self, info: Info) -> None:
        if self.role is not None:
            viewer = signed_in(info)
            if _RANK[viewer.user.role] < _RANK[self.role]:
                raise Forbidden(f"This needs the role {self.role}; yours is {viewer.user.role}.")
            if viewer.scopes is not None and self.scope not in viewer.scopes:
                raise Forbidden(
                    f"This needs an API token with the scope {self.scope}."
                    if self.scope
                    else "This can't be done with an API token. Sign in."
                )


PUBLIC = Access(None)
SIGNED_IN = Access(Role.VIEWER, Scope.READ)
"""May read what is theirs."""
IN_SESSION = Access(Role.VIEWER)
"""May change how they sign in."""
DATASETS = Access(Role.MEMBER, Scope.DATASETS)
"""May upload, and change datasets."""
JOBS = Access(Role.MEMBER, Scope.JOBS)
"""May run jobs."""
ADMIN = Access(Role.ADMIN, Scope.ADMIN)


def unguarded(fields: list[StrawberryField]) -> list[str]:
    """Names of root fields that do not carry exactly one Access."""
    return [
        field.python_name
        for field in fields
        if sum(isinstance(extension, Access) for extension in field.extensions) != 1
    ]
