"""Users and sessions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self
from uuid import UUID

import strawberry
from starlette.requests import Request
from starlette.responses import Response

from gateway import accounts, auth, usage, users
from gateway.auth import Tokens
from gateway.errors import Unauthenticated
from gateway.schema.context import Context, Info, signed_in
from gateway.schema.errors import UserError, UserErrors
from gateway.schema.permissions import ADMIN, IN_SESSION, PUBLIC, SIGNED_IN
from gateway.schema.relay import (
    BigInt,
    Connection,
    Node,
    connection,
    global_id,
    local_id,
    page_arguments,
    split_global_id,
)

Role = strawberry.enum(users.Role, name="Role")

REFRESH_COOKIE = "karyaksham_refresh"
COOKIE_PATH = "/graphql"
CLIENT_HEADER = "x-karyaksham-client"
"""`browser` keeps the refresh token in a cookie. Only then is the cookie read: no other site can send this header."""


@strawberry.type(description="What one user may have at once, where it is not what everyone may have.")
class UserLimits:
    storage_quota_bytes: BigInt | None
    jobs_queued_max: int | None


@strawberry.type
class User(Node):
    email: str
    display_name: str
    role: users.Role
    is_active: bool
    created_at: datetime
    limits: UserLimits

    @classmethod
    def of(cls, row: users.User) -> Self:
        return cls(
            id=global_id("User", row.id),
            email=row.email,
            display_name=row.display_name,
            role=row.role,
            is_active=row.is_active,
            created_at=row.created_at,
            limits=UserLimits(
                storage_quota_bytes=None
                if row.storage_quota_bytes is None
                else BigInt(row.storage_quota_bytes),
                jobs_queued_max=row.jobs_queued_max,
            ),
        )


@strawberry.type
class Session:
    user: User
    access_token: str
    access_token_expires_at: datetime
    refresh_token: str | None = strawberry.field(
        description="Null where the refresh token travels in an HttpOnly cookie instead."
    )


@strawberry.type
class SessionPayload:
    session: Session | None = None
    errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class LogoutPayload:
    errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class UserPayload:
    user: User | None = None
    errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class PasswordPayload:
    errors: list[UserError] = strawberry.field(default_factory=list)
    user_id: strawberry.Private[strawberry.ID | None] = None
    """Whose it is, for the audit log."""


@strawberry.type
class PasswordResetPayload:
    code: str | None = strawberry.field(default=None, description="Shown this once; works once.")
    expires_at: datetime | None = None
    errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.input
class ChangePasswordInput:
    current_password: str
    new_password: str


@strawberry.input
class CreatePasswordResetInput:
    user_id: strawberry.ID


@strawberry.input
class ResetPasswordInput:
    code: str
    new_password: str


@strawberry.input
class RegisterInput:
    email: str
    password: str
    display_name: str | None = None


@strawberry.input
class LoginInput:
    email: str
    password: str


@strawberry.input
class RefreshSessionInput:
    refresh_token: str | None = None


@strawberry.input
class UpdateUserInput:
    user_id: strawberry.ID
    role: users.Role | None = None
    is_active: bool | None = None
    display_name: str | None = None
    storage_quota_bytes: BigInt | None = strawberry.field(
        default=strawberry.UNSET, description="null: as many as everyone."
    )
    jobs_queued_max: int | None = strawberry.field(
        default=strawberry.UNSET, description="null: as many as everyone."
    )

    def limits(self) -> dict[str, int | None]:
        """Those that are given."""
        given = {"storage_quota_bytes": self.storage_quota_bytes, "jobs_queued_max": self.jobs_queued_max}
        return {name: value for name, value in given.items() if value is not strawberry.UNSET}


@strawberry.type(description="What a user has used.")
class Usage:
    user: User
    jobs: int = strawberry.field(description="That were created in that time, deleted ones too.")
    jobs_succeeded: int
    bytes_read: BigInt
    rows_read: BigInt
    cpu_seconds: float = strawberry.field(description="Time of cores that their tasks held.")
    stored_bytes: BigInt = strawberry.field(description="Now, of uploads.")


@strawberry.type
class UserQuery:
    @strawberry.field(extensions=[PUBLIC], description="Who asks; null for one who is not signed in.")
    async def me(self, info: Info) -> User | None:
        if info.context.refusal is not None:
            raise info.context.refusal
        viewer = info.context.viewer
        return User.of(viewer.user) if viewer else None

    @strawberry.field(extensions=[ADMIN], description="Newest first.")
    async def users(
        self, info: Info, first: int | None = 50, after: str | None = None
    ) -> Connection[User] | None:
        first, cursor = page_arguments(first, after, most=info.context.settings.page_max)
        return connection(await users.page(first=first, after=cursor), User.of)

    @strawberry.field(
        extensions=[SIGNED_IN],
        description="From `since` to before `until`. Left out: the viewer's; others only for administrators.",
    )
    async def usage(
        self,
        info: Info,
        user_id: strawberry.ID | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Usage | None:
        viewer = signed_in(info)
        parts = split_global_id(user_id) if user_id is not None else ("User", viewer.id)
        user = await load_node(info.context, parts[1]) if parts and parts[0] == "User" else None
        if parts is None or user is None:
            return None
        used = await usage.of_user(parts[1], since=since, until=until)
        return Usage(
            user=user,
            jobs=used.jobs,
            jobs_succeeded=used.jobs_succeeded,
            bytes_read=BigInt(used.bytes_read),
            rows_read=BigInt(used.rows_read),
            cpu_seconds=used.cpu_seconds,
            stored_bytes=BigInt(used.stored_bytes),
        )


@strawberry.type
class UserMutation:
    @strawberry.mutation(extensions=[UserErrors(SessionPayload), PUBLIC])
    async def register(self, info: Info, input: RegisterInput) -> SessionPayload:
        context = info.context
        user = await users.register(
            context.settings,
            context.rates,
            email=input.email,
            password=input.password,
            display_name=input.display_name,
            address=context.address,
        )
        return _session(context, await auth.start_session(context.settings, user))

    @strawberry.mutation(extensions=[UserErrors(SessionPayload), PUBLIC])
    async def login(self, info: Info, input: LoginInput) -> SessionPayload:
        context = info.context
        tokens = await auth.login(
            context.settings,
            context.rates,
            email=input.email,
            password=input.password,
            address=context.address,
        )
        return _session(context, tokens)

    @strawberry.mutation(
        extensions=[UserErrors(SessionPayload), PUBLIC],
        description="The next pair of tokens. A refresh token works once; its second use ends the session.",
    )
    async def refresh_session(self, info: Info, input: RefreshSessionInput | None = None) -> SessionPayload:
        context = info.context
        token = _refresh_token(context, input)
        if token is None:
            raise Unauthenticated("There is no session to refresh. Sign in.")
        tokens = await auth.refresh(context.settings, context.rates, token=token, address=context.address)
        return _session(context, tokens)

    @strawberry.mutation(
        extensions=[UserErrors(LogoutPayload), PUBLIC],
        description="Ends the session of the refresh token, else the one that asks.",
    )
    async def logout(self, info: Info, input: RefreshSessionInput | None = None) -> LogoutPayload:
        context = info.context
        await auth.logout(token=_refresh_token(context, input), viewer=context.viewer)
        if isinstance(context.response, Response) and _in_browser(context):
            context.response.delete_cookie(REFRESH_COOKIE, path=COOKIE_PATH)
        return LogoutPayload()

    @strawberry.mutation(
        extensions=[UserErrors(PasswordPayload), IN_SESSION],
        description="Ends every other session of the viewer.",
    )
    async def change_password(self, info: Info, input: ChangePasswordInput) -> PasswordPayload:
        await accounts.change_password(
            info.context.settings,
            info.context.rates,
            signed_in(info),
            current=input.current_password,
            new=input.new_password,
        )
        return PasswordPayload()

    @strawberry.mutation(
        extensions=[UserErrors(PasswordResetPayload), ADMIN],
        description="A code for `resetPassword`, to hand over; it ends those before it.",
    )
    async def create_password_reset(
        self, info: Info, input: CreatePasswordResetInput
    ) -> PasswordResetPayload:
        made = await accounts.reset_code(
            info.context.settings, local_id(input.user_id, "User", field="userId")
        )
        return PasswordResetPayload(code=made.code, expires_at=made.expires_at)

    @strawberry.mutation(
        extensions=[UserErrors(PasswordPayload), PUBLIC],
        description="Sets a password with a code, and ends every session of its user.",
    )
    async def reset_password(self, info: Info, input: ResetPasswordInput) -> PasswordPayload:
        context = info.context
        user = await accounts.reset_password(
            context.settings,
            context.rates,
            code=input.code,
            new=input.new_password,
            address=context.address,
        )
        return PasswordPayload(user_id=global_id("User", user.id))

    @strawberry.mutation(extensions=[UserErrors(UserPayload), ADMIN])
    async def update_user(self, info: Info, input: UpdateUserInput) -> UserPayload:
        user = await users.update(
            local_id(input.user_id, "User", field="userId"),
            role=input.role,
            is_active=input.is_active,
            display_name=input.display_name,
            limits=input.limits(),
        )
        return UserPayload(user=User.of(user))


async def load_owner(context: Context, user_id: UUID) -> User:
    """The owner of something, through this request's loader."""
    row = await context.loader(users.by_ids).load(user_id)
    if row is None:
        raise LookupError(f"user {user_id} owns something and is gone")
    return User.of(row)


async def load_node(context: Context, id: UUID) -> User | None:
    """For `node`: oneself, and for administrators everyone."""
    viewer = context.viewer
    if viewer is None or (viewer.id != id and viewer.user.role is not users.Role.ADMIN):
        return None
    found: Sequence[users.User | None] = await users.by_ids([id])
    return User.of(found[0]) if found[0] else None


def _in_browser(context: Context) -> bool:
    return isinstance(context.request, Request) and context.request.headers.get(CLIENT_HEADER) == "browser"


def _refresh_token(context: Context, given: RefreshSessionInput | None) -> str | None:
    if given is not None and given.refresh_token is not None:
        return given.refresh_token
    return context.request.cookies.get(REFRESH_COOKIE) if _in_browser(context) else None


def _session(context: Context, tokens: Tokens) -> SessionPayload:
    browser = _in_browser(context)
    if browser and isinstance(context.response, Response):
        context.response.set_cookie(
            REFRESH_COOKIE,
            tokens.refresh_token,
            max_age=context.settings.refresh_token_ttl_s,
            path=COOKIE_PATH,
            secure=context.base_url.startswith("https://"),
            httponly=True,
            samesite="strict",
        )
    return SessionPayload(
        session=Session(
            user=User.of(tokens.user),
            access_token=tokens.access_token,
            access_token_expires_at=tokens.access_token_expires_at,
            refresh_token=None if browser else tokens.refresh_token,
        )
    )
