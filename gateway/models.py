"""Every table. Truth changes here by one conditional statement; rules live in the domain modules.

Bytes and row counts are BigInt. Ids are UUIDs that sort by the time they were made, so a list pages by id alone.
Columns that are NOT NULL and may come later need a database default (see docs/architecture).
"""

import secrets
import time
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from tortoise import Model, fields

KEY_LENGTH = 200
"""Longest idempotency key, in characters."""


def new_id() -> UUID:
    """A UUID of version 7: milliseconds, a fraction of one in 12 bits, and 62 random bits."""
    nanoseconds = time.time_ns()
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    fraction = rest * 4096 // 1_000_000
    value = (milliseconds & (2**48 - 1)) << 80 | 7 << 76 | fraction << 64 | 2 << 62 | secrets.randbits(62)
    return UUID(int=value)


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


class Role(StrEnum):
    VIEWER = "VIEWER"
    MEMBER = "MEMBER"
    ADMIN = "ADMIN"


class UploadStatus(StrEnum):
    RECEIVING = "RECEIVING"
    COMPLETED = "COMPLETED"
    ABORTED = "ABORTED"
    EXPIRED = "EXPIRED"


class FileFormat(StrEnum):
    CSV = "CSV"
    NDJSON = "NDJSON"
    PARQUET = "PARQUET"
    ARROW = "ARROW"


class DatasetStatus(StrEnum):
    INSPECTING = "INSPECTING"
    READY = "READY"
    INVALID = "INVALID"


class JobState(StrEnum):
    QUEUED = "QUEUED"
    PLANNING = "PLANNING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    FINALIZING = "FINALIZING"
    CANCELING = "CANCELING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


class TaskState(StrEnum):
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"


class ArtifactKind(StrEnum):
    OUTPUT = "OUTPUT"
    REJECTS = "REJECTS"
    PROFILE = "PROFILE"
    REPORT = "REPORT"


class Row(Model):
    """What every table has: a sortable id and the time it was made."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    created_at = fields.DatetimeField(default=now)

    class Meta:
        abstract = True


class User(Row):
    email = fields.CharField(max_length=254, unique=True)
    """In lower case."""
    display_name = fields.CharField(max_length=100)
    password_hash = fields.CharField(max_length=100)
    role = fields.CharEnumField(Role, max_length=16, default=Role.MEMBER)
    is_active = fields.BooleanField(default=True)
    storage_quota_bytes = fields.BigIntField(null=True)
    jobs_queued_max = fields.IntField(null=True)
    """Limits of this user alone; null: those of the settings."""

    class Meta:
        table = "users"


class SessionFamily(Row):
    """One sign-in and every token that came from it. Revoked as a whole."""

    user: fields.ForeignKeyRelation[User] = fields.ForeignKeyField("gateway.User", related_name="sessions")
    user_id: UUID
    expires_at = fields.DatetimeField()
    """No refresh goes past it."""
    revoked_at = fields.DatetimeField(null=True)
    revoked_reason = fields.CharField(max_length=32, null=True)

    class Meta:
        table = "session_families"


class RefreshToken(Row):
    """A refresh token as its SHA-256; the token itself is nowhere. Used once: a second use revokes the family."""

    family: fields.ForeignKeyRelation[SessionFamily] = fields.ForeignKeyField(
        "gateway.SessionFamily", related_name="tokens"
    )
    family_id: UUID
    token_hash = fields.CharField(max_length=64, unique=True)
    expires_at = fields.DatetimeField(db_index=True)
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "refresh_tokens"


class PasswordReset(Row):
    """A code for a new password, as its SHA-256. Used once."""

    user: fields.ForeignKeyRelation[User] = fields.ForeignKeyField("gateway.User", related_name="resets")
    user_id: UUID
    token_hash = fields.CharField(max_length=64, unique=True)
    expires_at = fields.DatetimeField()
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "password_resets"


class ApiToken(Row):
    """A token for programs as its SHA-256; the secret itself is nowhere."""

    owner: fields.ForeignKeyRelation[User] = fields.ForeignKeyField("gateway.User", related_name="api_tokens")
    owner_id: UUID
    name = fields.CharField(max_length=100)
    prefix = fields.CharField(max_length=16)
    token_hash = fields.CharField(max_length=64, unique=True)
    scopes: Any = fields.JSONField(default=list)
    """`gateway.tokens.Scope`s."""
    expires_at = fields.DatetimeField(null=True)
    last_used_at = fields.DatetimeField(null=True)
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "api_tokens"
        indexes = (("owner_id", "revoked_at"),)


class AuditEntry(Row):
    """Who asked for what, and what came of it; never changed. Ids without keys: an entry outlives what it names."""

    actor_id = fields.UUIDField(null=True)
    token_id = fields.UUIDField(null=True)
    action = fields.CharField(max_length=64)
    outcome = fields.CharField(max_length=32)
    subject_type = fields.CharField(max_length=64, null=True)
    subject_id = fields.UUIDField(null=True)
    address = fields.CharField(max_length=64)
    request_id = fields.CharField(max_length=64, null=True)
    data: Any = fields.JSONField(null=True)

    class Meta:
        table = "audit_entries"
        indexes = (("actor_id", "id"), ("subject_id", "id"), ("action", "id"), ("created_at",))


class Upload(Row):
    owner: fields.ForeignKeyRelation[User] = fields.ForeignKeyField("gateway.User", related_name="uploads")
    owner_id: UUID
    filename = fields.CharField(max_length=255)
    """As the client gave it, for display; it is never a path."""
    content_type = fields.CharField(max_length=100, null=True)
    size_bytes = fields.BigIntField()
    part_size_bytes = fields.BigIntField()
    part_count = fields.IntField()
    multipart_id = fields.TextField(null=True)
    """Of the bucket; null on local disk."""
    status = fields.CharEnumField(UploadStatus, max_length=16, default=UploadStatus.RECEIVING)
    expires_at = fields.DatetimeField()
    finished_at = fields.DatetimeField(null=True)
    idempotency_key = fields.CharField(max_length=KEY_LENGTH, null=True)
    input_hash = fields.CharField(max_length=64, null=True)

    class Meta:
        table = "uploads"
        unique_together = (("owner_id", "idempotency_key"),)
        indexes = (("status", "expires_at"),)


class UploadPart(Row):
    """A part that storage holds whole. Written last, after its bytes."""

    upload: fields.ForeignKeyRelation[Upload] = fields.ForeignKeyField("gateway.Upload", related_name="parts")
    upload_id: UUID
    number = fields.IntField()
    """From 1."""
    size_bytes = fields.BigIntField()
    etag = fields.CharField(max_length=64)

    class Meta:
        table = "upload_parts"
        unique_together = (("upload_id", "number"),)


class Dataset(Row):
    owner: fields.ForeignKeyRelation[User] = fields.ForeignKeyField("gateway.User", related_name="datasets")
    owner_id: UUID
    upload: fields.ForeignKeyNullableRelation[Upload] = fields.ForeignKeyField(
        "gateway.Upload", related_name="datasets", null=True, unique=True
    )
    """The upload it came from: one dataset an upload, however often it is completed."""
    upload_id: UUID | None
    name = fields.CharField(max_length=255)
    uri = fields.CharField(max_length=2000)
    files: Any = fields.JSONField(default=list)
    """`karyaksham_engine.types.FileRef`s: what `uri` stood for when it was inspected."""
    file_count = fields.IntField(default=1)
    size_bytes = fields.BigIntField(default=0)
    status = fields.CharEnumField(DatasetStatus, max_length=16, default=DatasetStatus.INSPECTING)
    format = fields.CharEnumField(FileFormat, max_length=16)
    format_override = fields.CharEnumField(FileFormat, max_length=16, null=True)
    dialect: Any = fields.JSONField(null=True)
    """`karyaksham_engine.types.Dialect`, overrides applied."""
    dialect_overrides: Any = fields.JSONField(null=True)
    columns: Any = fields.JSONField(default=list)
    """`karyaksham_engine.types.Column`s."""
    column_overrides: Any = fields.JSONField(null=True)
    revision = fields.IntField(default=0)
    """Grows with each change of how it is read: an inspection of an older revision writes nothing."""
    profile: Any = fields.JSONField(null=True)
    """`karyaksham_engine.types.ColumnProfile`s of the last profile job."""
    problem = fields.TextField(null=True)
    updated_at = fields.DatetimeField(auto_now=True)
    deleted_at = fields.DatetimeField(null=True)
    idempotency_key = fields.CharField(max_length=KEY_LENGTH, null=True)
    input_hash = fields.CharField(max_length=64, null=True)

    class Meta:
        table = "datasets"
        unique_together = (("owner_id", "idempotency_key"),)
        indexes = (("owner_id", "deleted_at", "id"), ("status", "id"))


class Job(Row):
    owner: fields.ForeignKeyRelation[User] = fields.ForeignKeyField("gateway.User", related_name="jobs")
    owner_id: UUID
    name = fields.CharField(max_length=255)
    state = fields.CharEnumField(JobState, max_length=16, default=JobState.QUEUED)
    sql = fields.TextField(null=True)
    steps: Any = fields.JSONField(null=True)
    is_profile = fields.BooleanField(default=False)
    effective_sql = fields.TextField(null=True)
    spec: Any = fields.JSONField()
    """Sources, output, bad rows and layout as they were checked at creation: the JobSpec is built from it."""
    priority = fields.IntField(default=0)
    """Higher goes first."""

    progress: Any = fields.JSONField(null=True)
    """The latest snapshot; null until the first."""
    fraction = fields.FloatField(default=0.0)
    progress_at = fields.DatetimeField(null=True)
    rows_read = fields.BigIntField(null=True)
    rows_passed = fields.BigIntField(null=True)
    rows_rejected = fields.BigIntField(null=True)
    rows_written = fields.BigIntField(null=True)
    """The row balance, set together when the job ends."""
    bytes_read = fields.BigIntField(default=0, db_default=0)
    cpu_seconds = fields.FloatField(default=0.0, db_default=0.0)
    """What the job used, over all its runs."""
    failure: Any = fields.JSONField(null=True)
    """`compute.spec.Failure` as a dictionary."""

    event_seq = fields.BigIntField(default=0)
    """`seq` of the job's last event; raised in the statement's own transaction, so there are no gaps."""
    cancel_requested_at = fields.DatetimeField(null=True)
    pause_requested_at = fields.DatetimeField(null=True)
    lease_owner = fields.CharField(max_length=64, null=True)
    lease_epoch = fields.IntField(default=0)
    """Grows with each lease: a dispatcher whose epoch is old writes nothing."""
    lease_expires_at = fields.DatetimeField(null=True)

    started_at = fields.DatetimeField(null=True)
    finished_at = fields.DatetimeField(null=True)
    deleted_at = fields.DatetimeField(null=True)
    idempotency_key = fields.CharField(max_length=KEY_LENGTH, null=True)
    input_hash = fields.CharField(max_length=64, null=True)

    class Meta:
        table = "jobs"
        unique_together = (("owner_id", "idempotency_key"),)
        indexes = (("owner_id", "deleted_at", "id"), ("state", "priority", "id"))


class JobSource(Row):
    """A dataset under the table name that the job's SQL uses."""

    job: fields.ForeignKeyRelation[Job] = fields.ForeignKeyField("gateway.Job", related_name="sources")
    job_id: UUID
    dataset: fields.ForeignKeyRelation[Dataset] = fields.ForeignKeyField(
        "gateway.Dataset", related_name="job_sources"
    )
    dataset_id: UUID
    position = fields.IntField()
    alias = fields.CharField(max_length=128)

    class Meta:
        table = "job_sources"
        unique_together = (("job_id", "alias"),)


class JobTask(Row):
    """One shard of one stage: its latest progress, and once it is done the record that spares doing it again."""

    job: fields.ForeignKeyRelation[Job] = fields.ForeignKeyField("gateway.Job", related_name="tasks")
    job_id: UUID
    stage = fields.IntField()
    shard = fields.IntField()
    state = fields.CharEnumField(TaskState, max_length=16, default=TaskState.PENDING)
    attempt = fields.IntField(default=0)
    bytes_read = fields.BigIntField(default=0)
    bytes_total = fields.BigIntField(default=0)
    rows_read = fields.BigIntField(default=0)
    node = fields.CharField(max_length=255, null=True)
    started_at = fields.DatetimeField(null=True)
    finished_at = fields.DatetimeField(null=True)
    failure: Any = fields.JSONField(null=True)
    record: Any = fields.JSONField(null=True)
    """`TaskFinished.record` of the one attempt that counts; opaque."""

    class Meta:
        table = "job_tasks"
        unique_together = (("job_id", "stage", "shard"),)


class JobEvent(Row):
    """A fact about a job; never changed. `created_at` is when it happened."""

    job: fields.ForeignKeyRelation[Job] = fields.ForeignKeyField("gateway.Job", related_name="events")
    job_id: UUID
    seq = fields.BigIntField()
    """From 1, without gaps within a job."""
    kind = fields.CharField(max_length=64)
    message = fields.TextField()
    data: Any = fields.JSONField(null=True)

    class Meta:
        table = "job_events"
        unique_together = (("job_id", "seq"),)


class Recipe(Row):
    owner: fields.ForeignKeyRelation[User] = fields.ForeignKeyField("gateway.User", related_name="recipes")
    owner_id: UUID
    name = fields.CharField(max_length=255)
    description = fields.TextField(null=True)
    version = fields.IntField()
    """The newest."""
    deleted_at = fields.DatetimeField(null=True)
    idempotency_key = fields.CharField(max_length=KEY_LENGTH, null=True)
    input_hash = fields.CharField(max_length=64, null=True)

    class Meta:
        table = "recipes"
        unique_together = (("owner_id", "idempotency_key"),)
        indexes = (("owner_id", "deleted_at", "id"),)


class RecipeVersion(Row):
    """Never changed."""

    recipe: fields.ForeignKeyRelation[Recipe] = fields.ForeignKeyField(
        "gateway.Recipe", related_name="versions"
    )
    recipe_id: UUID
    version = fields.IntField()
    sql = fields.TextField()
    spec: Any = fields.JSONField()
    """Output and bad rows, as in a job's `spec`."""

    class Meta:
        table = "recipe_versions"
        unique_together = (("recipe_id", "version"),)


class Artifact(Row):
    job: fields.ForeignKeyRelation[Job] = fields.ForeignKeyField("gateway.Job", related_name="artifacts")
    job_id: UUID
    kind = fields.CharEnumField(ArtifactKind, max_length=16)
    name = fields.CharField(max_length=255)
    """The file name that a download gets."""
    path = fields.CharField(max_length=2000)
    """Where it lies, relative to the storage root."""
    format = fields.CharEnumField(FileFormat, max_length=16, null=True)
    size_bytes = fields.BigIntField()
    row_count = fields.BigIntField(null=True)
    sha256 = fields.CharField(max_length=64, null=True)
    columns: Any = fields.JSONField(default=list)

    class Meta:
        table = "artifacts"
        unique_together = (("job_id", "kind", "name"),)
