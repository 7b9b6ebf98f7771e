"""How errors leave: what a user can correct goes into the payload, the rest on top with a code."""

from collections.abc import Awaitable, Callable
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.extensions import FieldExtension

from gateway.errors import ErrorCode as DomainErrorCode
from gateway.errors import GatewayError, error_code, error_message
from karyaksham_engine.errors import KaryakshamError

ErrorCode = strawberry.enum(DomainErrorCode, name="ErrorCode")


@strawberry.interface(description="Something that the user caused and can correct.")
class UserError:
    code: DomainErrorCode
    message: str = strawberry.field(
        description="What went wrong and what to do about it, in one or two plain sentences."
    )
    field: list[str] | None = strawberry.field(
        default=None,
        description='Path into the input, such as ["input", "sql"]; null where no single field is at fault.',
    )


@strawberry.type(description="An error without further detail.")
class InputError(UserError):
    pass


@strawberry.type(description="A limit is reached, or a rate.")
class LimitError(UserError):
    limit: str | None = strawberry.field(default=None, description="The setting that sets the limit.")
    retry_after_seconds: float | None = strawberry.field(
        default=None, description="When the next try may succeed; null where waiting does not help."
    )


_TOLD_IN_PAYLOAD = frozenset(
    {
        DomainErrorCode.BAD_USER_INPUT,
        DomainErrorCode.UNAUTHENTICATED,
        DomainErrorCode.FORBIDDEN,
        DomainErrorCode.NOT_FOUND,
        DomainErrorCode.CONFLICT,
        DomainErrorCode.RATE_LIMITED,
        DomainErrorCode.LIMIT_EXCEEDED,
    }
)


def user_error(error: KaryakshamError) -> UserError | None:
    """`error` for a payload, or None when it is not the user's to correct."""
    code = error_code(error)
    if code not in _TOLD_IN_PAYLOAD:
        return None
    field = error.field if isinstance(error, GatewayError) else error.detail.get("field")
    if code in (DomainErrorCode.RATE_LIMITED, DomainErrorCode.LIMIT_EXCEEDED):
        limit = error.limit if isinstance(error, GatewayError) else None
        retry_after_s = error.retry_after_s if isinstance(error, GatewayError) else None
        return LimitError(
            code=code,
            message=error_message(error),
            field=field,
            limit=limit,
            retry_after_seconds=retry_after_s,
        )
    return InputError(code=code, message=error_message(error), field=field)


def top_level(error: KaryakshamError) -> GraphQLError:
    """`error` as a GraphQL error of its own, with its code."""
    extensions: dict[str, Any] = {"code": error_code(error).value}
    if isinstance(error, GatewayError) and error.retry_after_s is not None:
        extensions["retryAfterSeconds"] = error.retry_after_s
    return GraphQLError(error_message(error), original_error=error, extensions=extensions)


class UserErrors(FieldExtension):
    """On a mutation: turns a domain error into `payload(errors=[...])`.

    `payload` is a strawberry type whose every field has a default, `errors` among them. What the user can't
    correct passes through and becomes a top-level error.
    """

    def __init__(self, payload: Callable[..., Any]) -> None:
        self._payload = payload

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: strawberry.Info, **kwargs: Any
    ) -> Any:
        try:
            return await next_(source, info, **kwargs)
        except KaryakshamError as error:
            told = user_error(error)
            if told is None:
                raise
            return self._payload(errors=[told])
