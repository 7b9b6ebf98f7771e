from datetime import datetime
from typing import Any, Optional

from pydantic import Field

from .base_model import BaseModel
from .enums import (
    ArtifactKind,
    DatasetStatus,
    FailureKind,
    FileFormat,
    JobState,
    TaskState,
    UploadStatus,
)


class ArtifactFields(BaseModel):
    id: str
    kind: ArtifactKind
    name: str
    format: Optional[FileFormat]
    size_bytes: int = Field(alias="sizeBytes")
    row_count: Optional[int] = Field(alias="rowCount")
    sha_256: Optional[str] = Field(alias="sha256")
    download_url: str = Field(alias="downloadUrl")


class ColumnFields(BaseModel):
    name: str
    type_: str = Field(alias="type")
    nullable: bool


class DialectFields(BaseModel):
    delimiter: Optional[str]
    quote: Optional[str]
    escape: Optional[str]
    comment: Optional[str]
    has_header: Optional[bool] = Field(alias="hasHeader")
    skip_rows: int = Field(alias="skipRows")
    encoding: str
    compression: Optional[str]
    confidence: float
    evidence: list[str]


class DatasetFields(BaseModel):
    id: str
    name: str
    uri: str
    file_count: int = Field(alias="fileCount")
    size_bytes: int = Field(alias="sizeBytes")
    status: DatasetStatus
    format: FileFormat
    problem: Optional[str]
    created_at: datetime = Field(alias="createdAt")
    columns: list["DatasetFieldsColumns"]
    dialect: Optional["DatasetFieldsDialect"]


class DatasetFieldsColumns(ColumnFields):
    pass


class DatasetFieldsDialect(DialectFields):
    pass


class EventFields(BaseModel):
    seq: int
    at: datetime
    kind: str
    message: str
    data: Optional[Any]


class JobFields(BaseModel):
    id: str
    name: str
    state: JobState
    sql: Optional[str]
    effective_sql: Optional[str] = Field(alias="effectiveSql")
    steps: Optional[Any]
    created_at: datetime = Field(alias="createdAt")
    started_at: Optional[datetime] = Field(alias="startedAt")
    finished_at: Optional[datetime] = Field(alias="finishedAt")
    row_balance: Optional["JobFieldsRowBalance"] = Field(alias="rowBalance")
    failure: Optional["JobFieldsFailure"]
    artifacts: list["JobFieldsArtifacts"]


class JobFieldsRowBalance(BaseModel):
    read: int
    passed: int
    rejected: int
    written: int
    closes: bool


class JobFieldsFailure(BaseModel):
    kind: FailureKind
    code: str
    message: str
    hint: Optional[str]
    retryable: bool
    detail: Optional[Any]


class JobFieldsArtifacts(ArtifactFields):
    pass


class PreviewFields(BaseModel):
    columns: list["PreviewFieldsColumns"]
    rows: list[list[Optional[Any]]]
    truncated: bool


class PreviewFieldsColumns(ColumnFields):
    pass


class ProfileFields(BaseModel):
    column: "ProfileFieldsColumn"
    count: int
    null_count: int = Field(alias="nullCount")
    approx_distinct: int = Field(alias="approxDistinct")
    min: Optional[Any]
    max: Optional[Any]
    mean: Optional[float]
    stddev: Optional[float]
    quantiles: Optional[Any]
    top_values: Optional[Any] = Field(alias="topValues")
    histogram: Optional[Any]


class ProfileFieldsColumn(ColumnFields):
    pass


class ProgressFields(BaseModel):
    job_id: str = Field(alias="jobId")
    state: JobState
    fraction: float
    bytes_read: int = Field(alias="bytesRead")
    bytes_total: int = Field(alias="bytesTotal")
    rows_read: int = Field(alias="rowsRead")
    rows_written: int = Field(alias="rowsWritten")
    rows_rejected: int = Field(alias="rowsRejected")
    bytes_per_second: float = Field(alias="bytesPerSecond")
    rows_per_second: float = Field(alias="rowsPerSecond")
    eta_seconds: Optional[float] = Field(alias="etaSeconds")
    last_tick_at: datetime = Field(alias="lastTickAt")
    stages: list["ProgressFieldsStages"]


class ProgressFieldsStages(BaseModel):
    index: int
    name: str
    state: TaskState
    task_count: int = Field(alias="taskCount")
    tasks_done: int = Field(alias="tasksDone")
    bytes_read: int = Field(alias="bytesRead")
    bytes_total: int = Field(alias="bytesTotal")


class SessionFields(BaseModel):
    access_token: str = Field(alias="accessToken")
    access_token_expires_at: datetime = Field(alias="accessTokenExpiresAt")
    refresh_token: Optional[str] = Field(alias="refreshToken")


class UploadFields(BaseModel):
    id: str
    filename: str
    size_bytes: int = Field(alias="sizeBytes")
    part_size_bytes: int = Field(alias="partSizeBytes")
    part_count: int = Field(alias="partCount")
    status: UploadStatus
    received_parts: list[int] = Field(alias="receivedParts")


ArtifactFields.model_rebuild()
ColumnFields.model_rebuild()
DialectFields.model_rebuild()
DatasetFields.model_rebuild()
EventFields.model_rebuild()
JobFields.model_rebuild()
PreviewFields.model_rebuild()
ProfileFields.model_rebuild()
ProgressFields.model_rebuild()
SessionFields.model_rebuild()
UploadFields.model_rebuild()
