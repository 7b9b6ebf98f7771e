from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .enums import (
    BadRowPolicy,
    FileFormat,
    JobState,
    JoinKind,
    OutputLayout,
    SortDirection,
)


class AggregateStepInput(BaseModel):
    by: list[str]
    measures: list["MeasureInput"]


class BadRowsInput(BaseModel):
    policy: Optional[BadRowPolicy] = BadRowPolicy.FAIL_JOB
    max_rejected_rows: Optional[int] = Field(alias="maxRejectedRows", default=None)
    max_rejected_ratio: Optional[float] = Field(alias="maxRejectedRatio", default=None)


class CastStepInput(BaseModel):
    column: str
    type_: str = Field(alias="type")
    "As columns show theirs: Int64, Float64, Decimal128(18, 2), Utf8, Boolean, Date32, Timestamp(us)."
    or_null: Optional[bool] = Field(alias="orNull", default=None)
    "NULL for what can't be such a value, which otherwise fails the job."


class ColumnInput(BaseModel):
    name: str
    type_: str = Field(alias="type")
    nullable: Optional[bool] = None


class CompleteUploadInput(BaseModel):
    upload_id: str = Field(alias="uploadId")
    parts: list["UploadedPartInput"]
    dataset_name: Optional[str] = Field(alias="datasetName", default=None)


class CreateJobInput(BaseModel):
    name: Optional[str] = None
    sources: list["JobSourceInput"]
    sql: Optional[str] = None
    "Exactly one of sql, steps and profile."
    steps: Optional[list["StepInput"]] = None
    "In their order, over the first source. `effectiveSql` is what they compile to."
    profile: Optional[bool] = None
    "The statistics of every column of one dataset; they show in its `profile`."
    output: Optional["OutputInput"] = None
    bad_rows: Optional["BadRowsInput"] = Field(alias="badRows", default=None)
    shard_size_bytes: Optional[int] = Field(alias="shardSizeBytes", default=None)
    "Target size of a shard; chosen from file size and cluster when left out."
    priority: Optional[int] = 0
    idempotency_key: Optional[str] = Field(alias="idempotencyKey", default=None)


class CreateUploadInput(BaseModel):
    filename: str
    size_bytes: int = Field(alias="sizeBytes")
    content_type: Optional[str] = Field(alias="contentType", default=None)
    idempotency_key: Optional[str] = Field(alias="idempotencyKey", default=None)


class DatasetIdInput(BaseModel):
    dataset_id: str = Field(alias="datasetId")


class DedupeStepInput(BaseModel):
    """The first of rows that are alike in some columns, or in all."""

    by: Optional[list[str]] = None


class DeriveStepInput(BaseModel):
    """A new column, or a column anew."""

    column: str
    expression: str


class DialectInput(BaseModel):
    """What is left out is detected; null for quote, escape, comment, compression says none."""

    delimiter: Optional[str] = None
    quote: Optional[str] = None
    escape: Optional[str] = None
    comment: Optional[str] = None
    has_header: Optional[bool] = Field(alias="hasHeader", default=None)
    skip_rows: Optional[int] = Field(alias="skipRows", default=None)
    encoding: Optional[str] = None
    compression: Optional[str] = None


class DropStepInput(BaseModel):
    columns: list[str]


class FillNullStepInput(BaseModel):
    """Gives NULL a value, which must be one of the column's type."""

    column: str
    value: str


class FilterStepInput(BaseModel):
    where: str


class JobFilter(BaseModel):
    states: Optional[list[JobState]] = None
    owner_id: Optional[str] = Field(alias="ownerId", default=None)
    search: Optional[str] = None


class JobIdInput(BaseModel):
    job_id: str = Field(alias="jobId")


class JobSourceInput(BaseModel):
    dataset_id: str = Field(alias="datasetId")
    alias: Optional[str] = None
    "The table name that the SQL uses; default: input"


class JoinStepInput(BaseModel):
    """Rows so far go by the name of the first source."""

    with_: str = Field(alias="with")
    "The name of another source."
    on: str
    "A column that both have, or a condition."
    kind: Optional[JoinKind] = JoinKind.INNER


class LimitStepInput(BaseModel):
    count: int


class LoginInput(BaseModel):
    email: str
    password: str


class MeasureInput(BaseModel):
    as_: str = Field(alias="as")
    expression: str


class OutputInput(BaseModel):
    format: FileFormat
    compression: Optional[str] = None
    "For CSV and NDJSON: none, gzip, zstd. For Parquet: snappy, zstd, lz4, none. For Arrow: none."
    layout: Optional[OutputLayout] = OutputLayout.SINGLE_FILE
    partition_by: Optional[list[str]] = Field(alias="partitionBy", default=None)
    "Columns that name folders (year=2024) instead of being in the files; implies PARTS."
    preserve_order: Optional[bool] = Field(alias="preserveOrder", default=True)
    "Rows leave in the order in which they came, at no matter how many workers."
    csv_header: Optional[bool] = Field(alias="csvHeader", default=True)
    csv_delimiter: Optional[str] = Field(alias="csvDelimiter", default=None)
    csv_formula_safe: Optional[bool] = Field(alias="csvFormulaSafe", default=False)
    "A ' before text that a spreadsheet would take for a formula."
    uri: Optional[str] = None
    "Where to write; default: under the job. Not available yet."


class RegisterDatasetInput(BaseModel):
    name: str
    uri: str
    format: Optional[FileFormat] = None
    dialect: Optional["DialectInput"] = None
    columns: Optional[list["ColumnInput"]] = None
    idempotency_key: Optional[str] = Field(alias="idempotencyKey", default=None)


class RegisterInput(BaseModel):
    email: str
    password: str
    display_name: Optional[str] = Field(alias="displayName", default=None)


class RenameStepInput(BaseModel):
    column: str
    to: str


class ReplaceStepInput(BaseModel):
    """Every place where `find` is in a text."""

    column: str
    find: str
    with_: str = Field(alias="with")
    regex: Optional[bool] = None
    "`find` is a regular expression."


class SelectStepInput(BaseModel):
    columns: list[str]


class SignUploadPartsInput(BaseModel):
    upload_id: str = Field(alias="uploadId")
    part_numbers: list[int] = Field(alias="partNumbers")


class SortKeyInput(BaseModel):
    column: str
    direction: Optional[SortDirection] = SortDirection.ASC
    nulls_first: Optional[bool] = Field(alias="nullsFirst", default=None)


class SortStepInput(BaseModel):
    by: list["SortKeyInput"]


class SplitStepInput(BaseModel):
    """The parts of a text as columns of their own; what is empty is NULL."""

    column: str
    by: str
    into: list[str]


class StepInput(BaseModel):
    """One step of a recipe. Expressions are SQL expressions over the columns at that point."""

    filter_: Optional["FilterStepInput"] = Field(alias="filter", default=None)
    select: Optional["SelectStepInput"] = None
    drop: Optional["DropStepInput"] = None
    rename: Optional["RenameStepInput"] = None
    derive: Optional["DeriveStepInput"] = None
    cast: Optional["CastStepInput"] = None
    fill_null: Optional["FillNullStepInput"] = Field(alias="fillNull", default=None)
    replace: Optional["ReplaceStepInput"] = None
    split: Optional["SplitStepInput"] = None
    aggregate: Optional["AggregateStepInput"] = None
    join: Optional["JoinStepInput"] = None
    union: Optional["UnionStepInput"] = None
    sort: Optional["SortStepInput"] = None
    dedupe: Optional["DedupeStepInput"] = None
    limit: Optional["LimitStepInput"] = None


class UnionStepInput(BaseModel):
    """The rows of another source behind those so far, columns matched by name."""

    with_: str = Field(alias="with")


class UpdateDatasetInput(BaseModel):
    dataset_id: str = Field(alias="datasetId")
    name: Optional[str] = None
    format: Optional[FileFormat] = None
    dialect: Optional["DialectInput"] = None
    columns: Optional[list["ColumnInput"]] = None


class UploadedPartInput(BaseModel):
    part_number: int = Field(alias="partNumber")
    etag: str


AggregateStepInput.model_rebuild()
CompleteUploadInput.model_rebuild()
CreateJobInput.model_rebuild()
RegisterDatasetInput.model_rebuild()
SortStepInput.model_rebuild()
StepInput.model_rebuild()
UpdateDatasetInput.model_rebuild()
