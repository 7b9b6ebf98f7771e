"""API tokens, for programs."""

from datetime import datetime
from typing import Self
from uuid import UUID

import strawberry

from gateway import tokens
from gateway.schema.context import Context, Info, signed_in
from gateway.schema.errors import UserError, UserErrors
from gateway.schema.permissions import IN_SESSION, SIGNED_IN
from gateway.schema.relay import Node, global_id, local_id


@strawberry.type
class ApiToken(Node):
    name: str
    prefix: str = strawberry.field(
        description="The first characters, to recognise it by; the secret is shown once, at creation."
    )
    scopes: list[str]
    created_at: datetime
    last_used_at: datetime | None = strawberry.field(description="To the minute.")
    expires_at: datetime | None

    @classmethod
    def of(cls, row: tokens.ApiToken) -> Self:
        return cls(
            id=global_id("ApiToken", row.id),
            name=row.name,
            prefix=row.prefix,
            scopes=row.scopes,
            created_at=row.created_at,
            last_used_at=row.last_used_at,
            expires_at=row.expires_at,
        )


@strawberry.type
class CreateApiTokenPayload:
    api_token: ApiToken | None = None
    secret: str | None = strawberry.field(default=None, description="Shown this once.")
    errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class RevokeApiTokenPayload:
    api_token: ApiToken | None = None
    errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.input
class CreateApiTokenInput:
    name: str
    scopes: list[str] | None = strawberry.field(
        default=None,
        description="Of read, datasets:write, jobs:write and admin; left out: all but admin.",
    )
    expires_at: datetime | None = strawberry.field(default=None, description="Left out: when it is revoked.")


@strawberry.input
class RevokeApiTokenInput:
    api_token_id: strawberry.ID


@strawberry.type
class TokenQuery:
    @strawberry.field(extensions=[SIGNED_IN], description="The viewer's own that work, newest first.")
    async def api_tokens(self, info: Info) -> list[ApiToken] | None:
        return [ApiToken.of(row) for row in await tokens.listed(signed_in(info).id)]


@strawberry.type
class TokenMutation:
    @strawberry.mutation(
        extensions=[UserErrors(CreateApiTokenPayload), IN_SESSION],
        description="A bearer token for programs, in the viewer's name and no further than its scopes.",
    )
    async def create_api_token(self, info: Info, input: CreateApiTokenInput) -> CreateApiTokenPayload:
        created = await tokens.create(
            info.context.settings,
            signed_in(info).user,
            name=input.name,
            scopes=input.scopes,
            expires_at=input.expires_at,
        )
        return CreateApiTokenPayload(api_token=ApiToken.of(created.token), secret=created.secret)

    @strawberry.mutation(
        extensions=[UserErrors(RevokeApiTokenPayload), IN_SESSION],
        description="The token opens nothing from now on. Again: the same.",
    )
    async def revoke_api_token(self, info: Info, input: RevokeApiTokenInput) -> RevokeApiTokenPayload:
        token_id = local_id(input.api_token_id, "ApiToken", field="apiTokenId")
        return RevokeApiTokenPayload(api_token=ApiToken.of(await tokens.revoke(signed_in(info).id, token_id)))


async def load_node(context: Context, id: UUID) -> ApiToken | None:
    """For `node`: the viewer's own."""
    row = await tokens.find(context.viewer.id, id) if context.viewer else None
    return ApiToken.of(row) if row else None
