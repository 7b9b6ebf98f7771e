"""API tokens: for programs that use the service in a user's name, no further than their scopes.

The secret is shown once, at creation; the database holds its SHA-256. A token may do what its scopes and its owner's
role both allow, and never what needs a session: making tokens and changing a password.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from gateway.errors import BadInput, LimitExceeded, NotFound
from gateway.models import ApiToken, User, now
from gateway.settings import Settings
from gateway.signing import new_api_token, token_hash

__all__ = ["ApiToken", "Scope", "create", "find", "listed", "lookup", "revoke", "still_works"]

NAME_MAX: Final = 100
PREFIX_CHARS: Final = 12
"""Of a secret, kept to recognise it by; 48 of its 256 random bits."""
USED_AGAIN_S: Final = 60
"""`last_used_at` is at most this old, so that a busy token is not a write a request."""


class Scope(StrEnum):
    """What a token may do."""

    READ = "read"
    DATASETS = "datasets:write"
    JOBS = "jobs:write"
    ADMIN = "admin"


DEFAULT: Final = (Scope.READ, Scope.DATASETS, Scope.JOBS)


@dataclass(frozen=True, slots=True)
class Created:
    token: ApiToken
    secret: str


async def create(
    settings: Settings,
    user: User,
    *,
    name: str,
    scopes: Sequence[str] | None,
    expires_at: datetime | None,
) -> Created:
    """A token and its secret, which is told this once. Raises BadInput and LimitExceeded."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= NAME_MAX or not name.isprintable():
        raise BadInput(f"A name has 1 to {NAME_MAX} printable characters.", field=["input", "name"])
    if expires_at is not None and (expires_at.tzinfo is None or expires_at <= now()):
        raise BadInput("expiresAt must lie ahead, and name its time zone.", field=["input", "expiresAt"])
    granted = _scopes(scopes)
    if await _live(user.id).count() >= settings.api_tokens_max:
        raise LimitExceeded(
            f"You have {settings.api_tokens_max} API tokens.", "Revoke one first.", limit="api_tokens_max"
        )
    secret = new_api_token()
    token = await ApiToken.create(
        owner_id=user.id,
        name=name,
        prefix=secret[:PREFIX_CHARS],
        token_hash=token_hash(secret),
        scopes=[scope.value for scope in granted],
        expires_at=expires_at,
    )
    return Created(token, secret)


async def listed(owner_id: UUID) -> list[ApiToken]:
    """Those that work, newest first."""
    return await _live(owner_id).order_by("-id")


async def find(owner_id: UUID, token_id: UUID) -> ApiToken | None:
    return await _live(owner_id).get_or_none(id=token_id)


async def revoke(owner_id: UUID, token_id: UUID) -> ApiToken:
    """From now on the token opens nothing. Again: the same. Raises NotFound."""
    own = ApiToken.filter(id=token_id, owner_id=owner_id)
    await own.filter(revoked_at=None).update(revoked_at=now())
    token = await own.first()
    if token is None:
        raise NotFound("There is no such API token.", field=["input", "apiTokenId"])
    return token


async def lookup(secret: str) -> ApiToken | None:
    """The token of a secret, with its owner, where both may still act; notes that it was used."""
    token = await (
        ApiToken.filter(token_hash=token_hash(secret), revoked_at=None, owner__is_active=True)
        .filter(_not_over())
        .select_related("owner")
        .first()
    )
    if token is not None:
        at = now()
        if token.last_used_at is None or token.last_used_at < at - timedelta(seconds=USED_AGAIN_S):
            await ApiToken.filter(id=token.id).update(last_used_at=at)
    return token


async def still_works(token_id: UUID) -> bool:
    return await (
        ApiToken.filter(id=token_id, revoked_at=None, owner__is_active=True).filter(_not_over()).exists()
    )


def _live(owner_id: UUID) -> QuerySet[ApiToken]:
    return ApiToken.filter(owner_id=owner_id, revoked_at=None).filter(_not_over())


def _not_over() -> Q:
    return Q(expires_at=None) | Q(expires_at__gt=now())


def _scopes(given: Sequence[str] | None) -> list[Scope]:
    if given is None:
        return list(DEFAULT)
    known = {scope.value: scope for scope in Scope}
    for name in given:
        if name not in known:
            raise BadInput(
                f"There is no scope {name!r}.", f"Choose from: {', '.join(known)}.", field=["input", "scopes"]
            )
    if not given:
        raise BadInput(
            "A token needs a scope.", f"Choose from: {', '.join(known)}.", field=["input", "scopes"]
        )
    return [scope for scope in Scope if scope.value in given]
