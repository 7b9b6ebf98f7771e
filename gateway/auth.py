"""Sessions: sign in, refresh with rotation, sign out, and who a token speaks for.

A sign-in makes a family. Each refresh token of it works once and gives the next; a second use means that someone
copied it, and ends the family. Every request looks at its family, so signing out takes effect at once.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from gateway import tokens
from gateway.errors import Unauthenticated
from gateway.models import RefreshToken, SessionFamily, User, now
from gateway.passwords import password_matches
from gateway.rates import RateLimits
from gateway.settings import Settings
from gateway.signing import (
    API_TOKEN_MARK,
    AccessClaims,
    access_token,
    new_refresh_token,
    read_access_token,
    token_hash,
)
from gateway.transactions import atomically

TRY_WINDOW_S = 15 * 60
_OVER = "The session is over. Sign in again."


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks: in a session, or with an API token."""

    user: User
    session_id: UUID | None
    """None with an API token."""
    expires_at: datetime | None
    """Of the access token that was shown; None for an API token without an end."""
    token_id: UUID | None = None
    scopes: frozenset[str] | None = None
    """Of the API token; None in a session, which may do all that its user may."""

    @property
    def id(self) -> UUID:
        return self.user.id


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a sign-in or a refresh hands out. The refresh token is kept nowhere else."""

    user: User
    access_token: str
    access_token_expires_at: datetime
    refresh_token: str


async def login(settings: Settings, rates: RateLimits, *, email: str, password: str, address: str) -> Tokens:
    """A new session. Unauthenticated, in the same words and time, for a wrong password and an unknown email."""
    email = email.strip().lower()
    account = f"login:account:{token_hash(email)}"
    await rates.count(
        f"login:address:{address}",
        most=settings.login_tries_per_address,
        window_s=TRY_WINDOW_S,
        limit="login_tries_per_address",
    )
    await rates.count(
        account, most=settings.login_tries_per_account, window_s=TRY_WINDOW_S, limit="login_tries_per_account"
    )
    user = await User.filter(email=email).first()
    known = user.password_hash if user else None
    right = await password_matches(password, known, rounds=settings.bcrypt_rounds)
    if user is None or not right or not user.is_active:
        raise Unauthenticated("Email or password is wrong.", "Check both and try again.", field=["input"])
    await rates.forget(account)
    return await start_session(settings, user)


async def start_session(settings: Settings, user: User) -> Tokens:
    """A new family for `user`, whose password has just been shown."""

    async def start() -> Tokens:
        expires_at = now() + timedelta(seconds=settings.session_ttl_s)
        family = await SessionFamily.create(user=user, expires_at=expires_at)
        return _tokens(settings, user, family, await _add_refresh_token(settings, family))

    return await atomically(start)


async def refresh(settings: Settings, rates: RateLimits, *, token: str, address: str) -> Tokens:
    """The next pair of tokens for an unused refresh token; a used one ends its family. Unauthenticated otherwise."""
    await rates.count(
        f"refresh:address:{address}",
        most=settings.refreshes_per_address,
        window_s=TRY_WINDOW_S,
        limit="refreshes_per_address",
    )
    shown = RefreshToken.filter(token_hash=token_hash(token))

    async def rotate() -> Tokens | None:
        if not await shown.filter(used_at=None, expires_at__gt=now()).update(used_at=now()):
            return None
        family = await SessionFamily.get(tokens__token_hash=token_hash(token)).select_related("user")
        if family.revoked_at is not None or family.expires_at <= now() or not family.user.is_active:
            raise Unauthenticated(_OVER)
        return _tokens(settings, family.user, family, await _add_refresh_token(settings, family))

    rotated = await atomically(rotate)
    if rotated is None:
        used = await shown.filter(used_at__isnull=False).first()
        if used is not None:
            await _revoke(used.family_id, "reuse")
        raise Unauthenticated(_OVER)
    return rotated


async def logout(*, token: str | None, viewer: Viewer | None) -> None:
    """Ends the session of the refresh token, else the viewer's. Nothing to end is no error."""
    if token is not None:
        shown = await RefreshToken.filter(token_hash=token_hash(token)).first()
        if shown is not None:
            await _revoke(shown.family_id, "logout")
    elif viewer is not None and viewer.session_id is not None:
        await _revoke(viewer.session_id, "logout")


async def viewer_of(settings: Settings, token: str) -> Viewer:
    """Who an access token or an API token speaks for. Unauthenticated when it, its session or its user is over."""
    if token.startswith(API_TOKEN_MARK):
        return await _holder(token)
    claims = read_access_token(settings.secret_key, token)
    family = await session(claims.session_id)
    if family is None or family.user_id != claims.user_id:
        raise Unauthenticated(_OVER)
    return Viewer(family.user, family.id, claims.expires_at)


async def _holder(secret: str) -> Viewer:
    token = await tokens.lookup(secret)
    if token is None:
        raise Unauthenticated("The API token is not valid, or is over.", "Create a new one.")
    return Viewer(token.owner, None, token.expires_at, token.id, frozenset(token.scopes))


async def session(session_id: UUID) -> SessionFamily | None:
    """The family with its user, or None when it is revoked or over, or its user may not sign in."""
    return await (
        SessionFamily.filter(id=session_id, revoked_at=None, expires_at__gt=now(), user__is_active=True)
        .select_related("user")
        .first()
    )


async def seconds_left(viewer: Viewer) -> float:
    """Until the viewer's token is over; 0 when it or its session is over already."""
    left_s = math.inf if viewer.expires_at is None else (viewer.expires_at - now()).total_seconds()
    return left_s if left_s > 0 and await _goes_on(viewer) else 0.0


async def _goes_on(viewer: Viewer) -> bool:
    """Whether the viewer may still act, in the role that the token was shown in."""
    if not await User.filter(id=viewer.id, role=viewer.user.role).exists():
        return False
    if viewer.token_id is not None:
        return await tokens.still_works(viewer.token_id)
    return viewer.session_id is not None and await session(viewer.session_id) is not None


async def end_sessions(user_id: UUID, reason: str, *, keep: UUID | None = None) -> None:
    """All of one user, but `keep`: on deactivation and on a new password."""
    open_ = SessionFamily.filter(user_id=user_id, revoked_at=None)
    if keep is not None:
        open_ = open_.exclude(id=keep)
    await open_.update(revoked_at=now(), revoked_reason=reason)


async def sweep_sessions() -> None:
    """Forgets sessions that ended a day ago or more; until then reuse is told apart from nonsense."""
    await SessionFamily.filter(expires_at__lt=now() - timedelta(days=1)).delete()


async def _revoke(family_id: UUID, reason: str) -> None:
    await SessionFamily.filter(id=family_id, revoked_at=None).update(revoked_at=now(), revoked_reason=reason)


async def _add_refresh_token(settings: Settings, family: SessionFamily) -> str:
    token = new_refresh_token()
    expires_at = min(now() + timedelta(seconds=settings.refresh_token_ttl_s), family.expires_at)
    await RefreshToken.create(family=family, token_hash=token_hash(token), expires_at=expires_at)
    return token


def _tokens(settings: Settings, user: User, family: SessionFamily, refresh_token: str) -> Tokens:
    issued_at = now().replace(microsecond=0)
    expires_at = min(issued_at + timedelta(seconds=settings.access_token_ttl_s), family.expires_at)
    claims = AccessClaims(user.id, family.id, expires_at)
    token = access_token(settings.secret_key, claims, issued_at=issued_at)
    return Tokens(user, token, expires_at, refresh_token)
