"""Who did what: an append-only log of everything that was asked to change, and what came of it.

Entries are only added, read, and forgotten when they are older than `audit_keep_s`; nothing changes one. They hold no
secret and no data of a file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from gateway.models import AuditEntry, now
from gateway.paging import Page, newest_first
from gateway.settings import Settings

__all__ = ["OK", "AuditEntry", "Subject", "add", "page", "sweep"]

OK: Final = "OK"
"""The outcome of what was done; every other is an ErrorCode."""
TEXT_MAX: Final = 64
COMMAND_LINE: Final = "command line"


@dataclass(frozen=True, slots=True)
class Subject:
    """What was changed: the name of its type, and its id."""

    type: str
    id: UUID


async def add(
    action: str,
    *,
    outcome: str = OK,
    actor_id: UUID | None = None,
    token_id: UUID | None = None,
    subject: Subject | None = None,
    address: str = COMMAND_LINE,
    request_id: str | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    await AuditEntry.create(
        action=action[:TEXT_MAX],
        outcome=outcome,
        actor_id=actor_id,
        token_id=token_id,
        subject_type=subject.type if subject else None,
        subject_id=subject.id if subject else None,
        address=address[:TEXT_MAX],
        request_id=request_id[:TEXT_MAX] if request_id else None,
        data=dict(data) if data else None,
    )


async def page(
    *,
    first: int,
    after: UUID | None,
    actor_id: UUID | None = None,
    action: str | None = None,
    outcome: str | None = None,
    subject_id: UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Page[AuditEntry]:
    """Entries from `since` to before `until`, newest first."""
    wanted = {
        "actor_id": actor_id,
        "action": action,
        "outcome": outcome,
        "subject_id": subject_id,
        "created_at__gte": since,
        "created_at__lt": until,
    }
    query = AuditEntry.filter(**{name: value for name, value in wanted.items() if value is not None})
    return await newest_first(query, first=first, after=after)


async def sweep(settings: Settings) -> None:
    """Forgets entries that are older than the log goes back."""
    await AuditEntry.filter(created_at__lt=now() - timedelta(seconds=settings.audit_keep_s)).delete()
