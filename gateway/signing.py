"""Access tokens and signed links. Pure: the time is an argument, and nothing is looked up."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import jwt

from gateway.errors import Forbidden, Unauthenticated

ALGORITHM = "HS256"
ISSUER = "karyaksham"
AUDIENCE = "karyaksham-api"
TOKEN_TYPE = "access"  # noqa: S105 -- the value of a claim, not a secret
CLOCK_SKEW_S = 5
API_TOKEN_MARK = "kar_"  # noqa: S105 -- how a secret begins


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """Who a token speaks for, and until when."""

    user_id: UUID
    session_id: UUID
    expires_at: datetime


def access_token(secret: str, claims: AccessClaims, *, issued_at: datetime) -> str:
    key = _derived(secret, "access tokens")
    body = {
        "typ": TOKEN_TYPE,
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(claims.user_id),
        "sid": str(claims.session_id),
        "jti": secrets.token_urlsafe(12),
        "iat": int(issued_at.timestamp()),
        "exp": int(claims.expires_at.timestamp()),
    }
    return jwt.encode(body, key, algorithm=ALGORITHM, headers={"kid": _key_id(key)})


def read_access_token(secret: str, token: str) -> AccessClaims:
    """The claims of a token that is ours and not over; Unauthenticated for every other."""
    key = _derived(secret, "access tokens")
    try:
        if jwt.get_unverified_header(token).get("kid") != _key_id(key):
            raise Unauthenticated("The access token was signed with another key. Sign in again.")
        body: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            leeway=CLOCK_SKEW_S,
            options={"require": ["exp", "iat", "sub", "jti", "iss", "aud"]},
        )
        if body.get("typ") != TOKEN_TYPE:
            raise Unauthenticated("That is not an access token.")
        return AccessClaims(
            UUID(body["sub"]), UUID(str(body.get("sid"))), datetime.fromtimestamp(body["exp"], UTC)
        )
    except jwt.ExpiredSignatureError:
        raise Unauthenticated("The access token has expired. Refresh the session.") from None
    except (jwt.PyJWTError, ValueError):
        raise Unauthenticated("The access token is not valid. Sign in again.") from None


def new_refresh_token() -> str:
    return secrets.token_urlsafe(32)


def new_api_token() -> str:
    """A secret that can be told from every other kind of token by its beginning."""
    return API_TOKEN_MARK + secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What the database keeps of a refresh token or an API token; it has 256 random bits, so no salt is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def signed_query(secret: str, purpose: str, *subject: object, expires_at: datetime) -> str:
    """`expires=...&signature=...` of a link that allows `purpose` on `subject` until `expires_at`."""
    expires = int(expires_at.timestamp())
    return urlencode({"expires": expires, "signature": _signature(secret, purpose, expires, subject)})


def check_signed(
    secret: str, purpose: str, *subject: object, expires: str, signature: str, at: datetime
) -> None:
    """Forbidden unless a link was signed for exactly this and is not over."""
    if not (expires.isascii() and expires.isdigit() and len(expires) < 15):
        raise Forbidden("The link is not valid.")
    wanted = _signature(secret, purpose, int(expires), subject)
    if not hmac.compare_digest(wanted.encode(), signature.encode()):
        raise Forbidden("The link is not valid.")
    if at.timestamp() >= int(expires):
        raise Forbidden("The link has expired. Ask for a new one.")


def _signature(secret: str, purpose: str, expires: int, subject: tuple[object, ...]) -> str:
    text = "\n".join([purpose, str(expires), *map(str, subject)])
    return hmac.new(_derived(secret, "links"), text.encode(), hashlib.sha256).hexdigest()


def _derived(secret: str, use: str) -> bytes:
    """A key of its own for each use, so that nothing signed for one passes for another."""
    return hmac.new(secret.encode(), use.encode(), hashlib.sha256).digest()


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"key id" + key).hexdigest()[:8]
