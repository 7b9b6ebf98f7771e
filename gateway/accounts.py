"""A new password: by who knows the old one, or by a link that an administrator gives.

There is no mail here: an administrator makes a code that works once, for an hour, and hands it over. Whatever way,
every other session of the user ends.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from gateway import auth
from gateway.auth import TRY_WINDOW_S, Viewer
from gateway.errors import BadInput, NotFound
from gateway.models import PasswordReset, User, now
from gateway.passwords import check_new_password, hash_password, password_matches
from gateway.rates import RateLimits
from gateway.settings import Settings
from gateway.signing import token_hash
from gateway.transactions import atomically

__all__ = ["ResetCode", "change_password", "reset_code", "reset_password", "set_password"]

FIELD: Final = ["input", "newPassword"]


@dataclass(frozen=True, slots=True)
class ResetCode:
    """Told this once; the database has its hash."""

    code: str
    expires_at: datetime


async def change_password(
    settings: Settings, rates: RateLimits, viewer: Viewer, *, current: str, new: str
) -> None:
    """Raises BadInput for a wrong current password or a new one that is not taken, and RateLimited."""
    await _count(rates, f"password:account:{viewer.id}", settings)
    if not await password_matches(current, viewer.user.password_hash, rounds=settings.bcrypt_rounds):
        raise BadInput("The current password is wrong.", field=["input", "currentPassword"])
    await set_password(settings, viewer.user, new, keep_session=viewer.session_id)


async def reset_code(settings: Settings, user_id: UUID) -> ResetCode:
    """For an administrator to hand over. A new one ends those before it. Raises NotFound."""
    if not await User.filter(id=user_id).exists():
        raise NotFound("There is no such user.", field=["input", "userId"])
    code, expires_at = secrets.token_urlsafe(24), now() + timedelta(seconds=settings.password_reset_ttl_s)

    async def work() -> None:
        await PasswordReset.filter(user_id=user_id, used_at=None).update(used_at=now())
        await PasswordReset.create(user_id=user_id, token_hash=token_hash(code), expires_at=expires_at)

    await atomically(work)
    return ResetCode(code, expires_at)


async def reset_password(settings: Settings, rates: RateLimits, *, code: str, new: str, address: str) -> User:
    """The user whose password is now `new`. Raises BadInput for a code that is wrong, used or over, and RateLimited."""
    await _count(rates, f"reset:address:{address}", settings)
    shown = PasswordReset.filter(token_hash=token_hash(code), used_at=None, expires_at__gt=now())
    reset = await shown.select_related("user").first()
    if reset is None or not reset.user.is_active:
        raise BadInput(
            "The code is wrong, was used, or is over.", "Ask for another.", field=["input", "code"]
        )
    # Before the code is spent: a password that is not taken must not cost it.
    _check(settings, reset.user, new)
    if not await PasswordReset.filter(id=reset.id, used_at=None).update(used_at=now()):
        raise BadInput("The code was used just now.", "Ask for another.", field=["input", "code"])
    await set_password(settings, reset.user, new)
    return reset.user


async def set_password(settings: Settings, user: User, new: str, *, keep_session: UUID | None = None) -> None:
    """Ends the user's sessions, but `keep_session`. Raises BadInput."""
    _check(settings, user, new)
    password_hash = await hash_password(new, rounds=settings.bcrypt_rounds)
    await User.filter(id=user.id).update(password_hash=password_hash)
    await auth.end_sessions(user.id, "password", keep=keep_session)


def _check(settings: Settings, user: User, new: str) -> None:
    check_new_password(new, min_length=settings.password_min_length, field=FIELD, email=user.email)


async def _count(rates: RateLimits, key: str, settings: Settings) -> None:
    await rates.count(
        key, most=settings.login_tries_per_account, window_s=TRY_WINDOW_S, limit="login_tries_per_account"
    )
