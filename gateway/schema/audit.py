"""The audit log, for administrators."""

from datetime import datetime
from typing import Self

import strawberry
from strawberry.scalars import JSON

from gateway import audit, users
from gateway.schema.context import Info
from gateway.schema.permissions import ADMIN
from gateway.schema.relay import Connection, connection, global_id, local_id, page_arguments, split_global_id
from gateway.schema.users import User


@strawberry.type(description="Something that was asked to change, and what came of it. Never changed.")
class AuditEntry:
    id: strawberry.ID
    at: datetime
    action: str = strawberry.field(description="The mutation, or the command of the command line.")
    outcome: str = strawberry.field(description="OK, or an ErrorCode.")
    api_token_id: strawberry.ID | None = strawberry.field(description="With which it was asked.")
    subject_id: strawberry.ID | None = strawberry.field(description="What was changed; it may be gone.")
    address: str
    request_id: str | None
    data: JSON | None
    row: strawberry.Private[audit.AuditEntry]

    @strawberry.field(description="Null for a sign-in that failed, and for the command line.")
    async def actor(self, info: Info) -> User | None:
        if self.row.actor_id is None:
            return None
        found = await info.context.loader(users.by_ids).load(self.row.actor_id)
        return User.of(found) if found else None

    @classmethod
    def of(cls, row: audit.AuditEntry) -> Self:
        subject = None
        if row.subject_type is not None and row.subject_id is not None:
            subject = global_id(row.subject_type, row.subject_id)
        return cls(
            id=global_id("AuditEntry", row.id),
            at=row.created_at,
            action=row.action,
            outcome=row.outcome,
            api_token_id=global_id("ApiToken", row.token_id) if row.token_id else None,
            subject_id=subject,
            address=row.address,
            request_id=row.request_id,
            data=row.data,
            row=row,
        )


@strawberry.input
class AuditFilter:
    actor_id: strawberry.ID | None = None
    action: str | None = None
    outcome: str | None = None
    subject_id: strawberry.ID | None = None
    since: datetime | None = None
    until: datetime | None = strawberry.field(default=None, description="Before this.")


@strawberry.type
class AuditQuery:
    @strawberry.field(extensions=[ADMIN], description="Newest first.")
    async def audit_log(
        self,
        info: Info,
        first: int | None = 50,
        after: str | None = None,
        filter: AuditFilter | None = None,
    ) -> Connection[AuditEntry] | None:
        most, cursor = page_arguments(first, after, most=info.context.settings.page_max)
        wanted = filter or AuditFilter()
        subject = split_global_id(wanted.subject_id) if wanted.subject_id else None
        page = await audit.page(
            first=most,
            after=cursor,
            actor_id=local_id(wanted.actor_id, "User") if wanted.actor_id else None,
            action=wanted.action,
            outcome=wanted.outcome,
            subject_id=subject[1] if subject else None,
            since=wanted.since,
            until=wanted.until,
        )
        return connection(page, AuditEntry.of)
