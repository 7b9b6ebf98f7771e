"""Users and their roles."""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from tortoise.exceptions import IntegrityError
from tortoise.expressions import Subquery

from gateway import auth
from gateway.errors import BadInput, Conflict, Forbidden, NotFound
from gateway.models import Role, User
from gateway.paging import Page, newest_first
from gateway.passwords import check_new_password, hash_password
from gateway.rates import RateLimits
from gateway.settings import Settings
from gateway.transactions import atomically

__all__ = [
    "Credentials",
    "Role",
    "User",
    "add",
    "by_ids",
    "ensure_first_admin",
    "find",
    "page",
    "register",
    "update",
]

HOUR_S = 3600
EMAIL_MAX = 254
NAME_MAX = 100
LIMIT_MAX = {"storage_quota_bytes": 2**63 - 1, "jobs_queued_max": 2**31 - 1}
FIRST_ADMIN = "admin@localhost"
_EMAIL = re.compile(r"[^\s@\x00-\x1f]{1,64}@[^\s@\x00-\x1f]{1,253}")


@dataclass(frozen=True, slots=True)
class Credentials:
    """How to sign in for the first time; shown once and kept nowhere."""

    email: str
    password: str


async def register(
    settings: Settings,
    rates: RateLimits,
    *,
    email: str,
    password: str,
    display_name: str | None,
    address: str,
) -> User:
    """A new user: MEMBER, or ADMIN when it is the very first. Conflict when the email is taken."""
    if not settings.registration_open:
        raise Forbidden("Registration is closed. Ask an administrator for an account.")
    await rates.count(
        f"register:address:{address}",
        most=settings.registrations_per_address,
        window_s=HOUR_S,
        limit="registrations_per_address",
    )
    user = await add(settings, email=email, password=password, display_name=display_name, role=Role.MEMBER)
    first = User.all().order_by("id").limit(1).values("id")
    if await User.filter(id=user.id).filter(id__in=Subquery(first)).update(role=Role.ADMIN):
        await user.refresh_from_db()
    return user


async def add(settings: Settings, *, email: str, password: str, display_name: str | None, role: Role) -> User:
    """A new user with any role. BadInput for what can't be, Conflict when the email is taken."""
    email = email.strip().lower()
    if len(email) > EMAIL_MAX or not _EMAIL.fullmatch(email):
        raise BadInput("That is not an email address.", field=["input", "email"])
    name = _display_name(display_name) if display_name else email.partition("@")[0]
    check_new_password(
        password, min_length=settings.password_min_length, field=["input", "password"], email=email
    )
    password_hash = await hash_password(password, rounds=settings.bcrypt_rounds)
    try:
        return await User.create(email=email, display_name=name, password_hash=password_hash, role=role)
    except IntegrityError:
        raise Conflict(
            "There is already a user with this email.", "Sign in instead.", field=["input", "email"]
        ) from None


async def ensure_first_admin(settings: Settings) -> Credentials | None:
    """On an empty database, an administrator with a generated password, told this once. None otherwise."""
    if await User.exists():
        return None
    password = secrets.token_urlsafe(15)
    try:
        await add(settings, email=FIRST_ADMIN, password=password, display_name="Admin", role=Role.ADMIN)
    except Conflict:
        return None
    return Credentials(FIRST_ADMIN, password)


async def find(*, id: UUID | None = None, email: str | None = None) -> User:
    """By id or email; NotFound."""
    query = User.filter(id=id) if id is not None else User.filter(email=(email or "").strip().lower())
    user = await query.first()
    if user is None:
        raise NotFound("There is no such user.")
    return user


async def by_ids(ids: Sequence[UUID]) -> list[User | None]:
    """In the order of `ids`; for a loader."""
    found = {user.id: user for user in await User.filter(id__in=list(ids))}
    return [found.get(id) for id in ids]


async def page(*, first: int, after: UUID | None) -> Page[User]:
    return await newest_first(User.all(), first=first, after=after)


async def update(
    user_id: UUID,
    *,
    role: Role | None = None,
    is_active: bool | None = None,
    display_name: str | None = None,
    limits: Mapping[str, int | None] | None = None,
) -> User:
    """Changes what is given; a limit of None is that of the settings. The last active administrator stays one.

    Deactivation ends all sessions.
    """
    changes: dict[str, object] = {**(limits or {})}
    if any(value is not None and not 0 <= value <= LIMIT_MAX[name] for name, value in (limits or {}).items()):
        raise BadInput("A limit is 0 or more.", field=["input"])
    if role is not None:
        changes["role"] = role
    if is_active is not None:
        changes["is_active"] = is_active
    if display_name is not None:
        changes["display_name"] = _display_name(display_name)

    async def change() -> None:
        if changes and not await User.filter(id=user_id).update(**changes):
            raise NotFound("There is no such user.", field=["input", "userId"])
        # After the write and with locks: of two who demote each other at once, one fails.
        if not await User.filter(role=Role.ADMIN, is_active=True).select_for_update():
            raise Conflict("This is the last administrator.", "Make someone else an administrator first.")

    await atomically(change)
    if is_active is False:
        await auth.end_sessions(user_id, "deactivated")
    return await find(id=user_id)


def _display_name(text: str) -> str:
    name = " ".join(text.split())
    if not 1 <= len(name) <= NAME_MAX:
        raise BadInput(f"The name must have 1 to {NAME_MAX} characters.", field=["input", "displayName"])
    return name
