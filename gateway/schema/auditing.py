"""Puts every mutation into the audit log, from the one place that each of them passes.

Left out are links of parts and refreshes that went well, which say nothing and are many, and refusals of those who are
not signed in, but for wrong sign-ins, which are limited: a stranger must not be able to fill the log.
"""

from typing import Any, Final

import strawberry

from gateway import audit
from gateway.errors import ErrorCode, error_code
from gateway.schema.context import Info
from gateway.schema.relay import Node, split_global_id

_QUIET: Final = frozenset({"signUploadParts", "refreshSession"})
_OF_STRANGERS: Final = frozenset({"login", "register", "resetPassword"})
_DETAILS: Final = {
    "login": ("email",),
    "register": ("email",),
    "updateUser": ("role", "is_active", "display_name", "storage_quota_bytes", "jobs_queued_max"),
    "createApiToken": ("name", "scopes", "expires_at"),
    "registerDataset": ("uri",),
}
"""What is kept of an input, by its mutation; never a secret."""


async def note(
    info: Info, input: object, *, payload: object = None, error: BaseException | None = None
) -> None:
    """The entry of one mutation that has ended, with its payload or the error that it raised."""
    context, action = info.context, info.field_name
    outcome = _outcome(payload, error)
    actor_id = context.viewer.id if context.viewer else _signed_in_now(payload)
    if outcome == audit.OK and action in _QUIET:
        return
    if actor_id is None and (action not in _OF_STRANGERS or outcome == ErrorCode.RATE_LIMITED):
        return
    await audit.add(
        action,
        outcome=outcome,
        actor_id=actor_id,
        token_id=context.viewer.token_id if context.viewer else None,
        subject=_subject(input, payload),
        address=context.address,
        request_id=context.request_id,
        data={
            name: _plain(value)
            for name in _DETAILS.get(action, ())
            if (value := getattr(input, name)) not in (None, strawberry.UNSET)
        },
    )


def _outcome(payload: object, error: BaseException | None) -> str:
    if error is not None:
        return error_code(error).value
    errors = getattr(payload, "errors", None)
    return ErrorCode(errors[0].code).value if errors else audit.OK


def _signed_in_now(payload: object) -> Any:
    """The user that a sign-in was for."""
    session = getattr(payload, "session", None)
    parts = split_global_id(session.user.id) if session is not None else None
    return parts[1] if parts else None


def _subject(input: object, payload: object) -> audit.Subject | None:
    """The object that came out, else the first that went in."""
    values = list(vars(payload).values()) if payload is not None else []
    ids: list[str] = [value.id for value in values if isinstance(value, Node)]
    ids += [value for value in values if isinstance(value, str)]
    if input is not None:
        ids += [value for name, value in vars(input).items() if name.endswith("_id") and value]
    for id in ids:
        if parts := split_global_id(id):
            return audit.Subject(parts[0][: audit.TEXT_MAX], parts[1])
    return None


def _plain(value: object) -> object:
    return value if isinstance(value, bool | int | list) else str(value)[:2000]
