"""Datasets: registered or uploaded files, what they are, and their first rows."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from gateway import datasets
from gateway.schema.context import Context, Info, signed_in
from gateway.schema.errors import UserError, UserErrors
from gateway.schema.permissions import DATASETS, SIGNED_IN
from gateway.schema.relay import (
    BigInt,
    Connection,
    Node,
    connection,
    global_id,
    local_id,
    page_arguments,
)
from gateway.schema.users import User, load_owner
from karyaksham_engine import types as engine

FileFormat = strawberry.enum(datasets.FileFormat, name="FileFormat")
DatasetStatus = strawberry.enum(datasets.DatasetStatus, name="DatasetStatus")


@strawberry.type(description="How the bytes are to be read. Every field is detected and can be overridden.")
class Dialect:
    delimiter: str | None
    quote: str | None
    escape: str | None
    comment: str | None
    has_header: bool | None
    skip_rows: int
    encoding: str
    compression: str | None
    confidence: float = strawberry.field(description="0 to 1.")
    evidence: list[str] = strawberry.field(description="What the choices rest on, in sentences.")

    @classmethod
    def of(cls, dialect: engine.Dialect) -> Self:
        return cls(
            delimiter=dialect["delimiter"],
            quote=dialect["quote"],
            escape=dialect["escape"],
            comment=dialect["comment"],
            has_header=dialect["has_header"],
            skip_rows=dialect["skip_rows"],
            encoding=dialect["encoding"],
            compression=dialect["compression"],
            confidence=dialect["confidence"],
            evidence=dialect["evidence"],
        )


@strawberry.type
class Column:
    name: str
    type: str = strawberry.field(
        description="An Arrow type in text: Int64, Float64, Decimal128(15, 2), Utf8, Date32, Timestamp(us), ..."
    )
    nullable: bool

    @classmethod
    def of(cls, column: engine.Column) -> Self:
        return cls(name=column["name"], type=column["type"], nullable=column["nullable"])


def columns_of(columns: Iterable[engine.Column]) -> list[Column]:
    return [Column.of(column) for column in columns]


@strawberry.type
class Preview:
    columns: list[Column]
    rows: list[list[JSON | None]] = strawberry.field(description="Row-major cells, JSON values.")
    truncated: bool

    @classmethod
    def of(cls, preview: engine.Preview) -> Self:
        rows: Any = preview["rows"]
        return cls(columns=columns_of(preview["columns"]), rows=rows, truncated=preview["truncated"])


@strawberry.type
class ColumnProfile:
    column: Column
    count: BigInt
    null_count: BigInt
    approx_distinct: BigInt
    min: JSON | None
    max: JSON | None
    mean: float | None
    stddev: float | None
    quantiles: JSON | None
    top_values: JSON | None
    histogram: JSON | None

    @classmethod
    def of(cls, profile: dict[str, Any]) -> Self:
        shown = {name: value for name, value in profile.items() if name != "rejected"}
        return cls(**{**shown, "column": Column.of(profile["column"])})


@strawberry.type
class Dataset(Node):
    name: str
    uri: str = strawberry.field(
        description="file:///..., upload://... for what was uploaded, or a pattern such as file:///logs/*.ndjson"
    )
    file_count: int
    size_bytes: BigInt
    status: datasets.DatasetStatus
    format: datasets.FileFormat
    dialect: Dialect | None
    columns: list[Column]
    problem: str | None = strawberry.field(description="Why the status is INVALID.")
    created_at: datetime
    row: strawberry.Private[datasets.Dataset]

    @strawberry.field
    async def owner(self, info: Info) -> User:
        return await load_owner(info.context, self.row.owner_id)

    @strawberry.field(description="The first rows; none before the status is READY.")
    async def preview(self, info: Info, first: int | None = 50) -> Preview:
        most, _ = page_arguments(
            50 if first is None else first, None, most=info.context.settings.preview_max_rows
        )
        return Preview.of(await datasets.preview(info.context.settings, self.row, most))

    @strawberry.field(description="Whole-file statistics; null until a profile job has run.")
    def profile(self) -> list[ColumnProfile] | None:
        return None if self.row.profile is None else [ColumnProfile.of(column) for column in self.row.profile]

    @classmethod
    def of(cls, row: datasets.Dataset) -> Self:
        return cls(
            id=global_id("Dataset", row.id),
            name=row.name,
            uri=row.uri,
            file_count=row.file_count,
            size_bytes=BigInt(row.size_bytes),
            status=row.status,
            format=row.format,
            dialect=Dialect.of(row.dialect) if row.dialect else None,
            columns=columns_of(row.columns),
            problem=row.problem,
            created_at=row.created_at,
            row=row,
        )


@strawberry.type
class DatasetPayload:
    dataset: Dataset | None = None
    errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class DeleteDatasetPayload:
    deleted_id: strawberry.ID | None = None
    errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.input(
    description="What is left out is detected; null for quote, escape, comment, compression says none."
)
class DialectInput:
    delimiter: str | None = strawberry.UNSET
    quote: str | None = strawberry.UNSET
    escape: str | None = strawberry.UNSET
    comment: str | None = strawberry.UNSET
    has_header: bool | None = strawberry.UNSET
    skip_rows: int | None = strawberry.UNSET
    encoding: str | None = strawberry.UNSET
    compression: str | None = strawberry.UNSET

    def overrides(self) -> engine.DialectOverrides:
        found = engine.DialectOverrides()
        if isinstance(self.delimiter, str):
            found["delimiter"] = self.delimiter
        if self.quote is not strawberry.UNSET:
            found["quote"] = self.quote
        if self.escape is not strawberry.UNSET:
            found["escape"] = self.escape
        if self.comment is not strawberry.UNSET:
            found["comment"] = self.comment
        if isinstance(self.has_header, bool):
            found["has_header"] = self.has_header
        if isinstance(self.skip_rows, int):
            found["skip_rows"] = self.skip_rows
        if isinstance(self.encoding, str):
            found["encoding"] = self.encoding
        if self.compression is not strawberry.UNSET:
            found["compression"] = self.compression
        return found


@strawberry.input
class ColumnInput:
    name: str
    type: str
    nullable: bool | None = None

    def column(self) -> engine.Column:
        return engine.Column(name=self.name, type=self.type, nullable=self.nullable is not False)


@strawberry.input
class RegisterDatasetInput:
    name: str
    uri: str
    format: datasets.FileFormat | None = None
    dialect: DialectInput | None = None
    columns: list[ColumnInput] | None = None
    idempotency_key: str | None = None


@strawberry.input
class UpdateDatasetInput:
    dataset_id: strawberry.ID
    name: str | None = None
    format: datasets.FileFormat | None = None
    dialect: DialectInput | None = None
    columns: list[ColumnInput] | None = None


@strawberry.input
class DatasetIdInput:
    dataset_id: strawberry.ID


@strawberry.type
class DatasetQuery:
    @strawberry.field(extensions=[SIGNED_IN])
    async def dataset(self, info: Info, id: strawberry.ID) -> Dataset | None:
        row = await datasets.find(signed_in(info), local_id(id, "Dataset"))
        return Dataset.of(row) if row else None

    @strawberry.field(extensions=[SIGNED_IN], description="Newest first; `search` is part of the name.")
    async def datasets(
        self, info: Info, first: int | None = 50, after: str | None = None, search: str | None = None
    ) -> Connection[Dataset] | None:
        most, cursor = page_arguments(
            50 if first is None else first, after, most=info.context.settings.page_max
        )
        page = await datasets.page(signed_in(info), first=most, after=cursor, search=search)
        return connection(page, Dataset.of)


@strawberry.type
class DatasetMutation:
    @strawberry.mutation(
        extensions=[UserErrors(DatasetPayload), DATASETS],
        description="Files that lie where the service may read them. They are inspected in the background.",
    )
    async def register_dataset(self, info: Info, input: RegisterDatasetInput) -> DatasetPayload:
        row = await datasets.register(
            signed_in(info),
            name=input.name,
            uri=input.uri,
            reading=_reading(input),
            settings=info.context.settings,
            idempotency_key=input.idempotency_key,
        )
        _wake(info)
        return dataset_payload(row)

    @strawberry.mutation(
        extensions=[UserErrors(DatasetPayload), DATASETS],
        description="Another name, or another way to read it; then it is inspected again. An empty dialect: detect.",
    )
    async def update_dataset(self, info: Info, input: UpdateDatasetInput) -> DatasetPayload:
        dataset_id = local_id(input.dataset_id, "Dataset", field="datasetId")
        row = await datasets.update(signed_in(info), dataset_id, name=input.name, reading=_reading(input))
        _wake(info)
        return dataset_payload(row)

    @strawberry.mutation(
        extensions=[UserErrors(DeleteDatasetPayload), DATASETS],
        description="A CONFLICT while a job reads it. Uploaded bytes go too; registered files stay.",
    )
    async def delete_dataset(self, info: Info, input: DatasetIdInput) -> DeleteDatasetPayload:
        dataset_id = local_id(input.dataset_id, "Dataset", field="datasetId")
        row = await datasets.delete(signed_in(info), dataset_id, info.context.services.parts)
        return DeleteDatasetPayload(deleted_id=global_id("Dataset", row.id))


def dataset_payload(row: datasets.Dataset) -> DatasetPayload:
    return DatasetPayload(dataset=Dataset.of(row))


async def load_node(context: Context, id: UUID) -> Dataset | None:
    """For `node`: where the viewer may see it."""
    row = await datasets.find(context.viewer, id) if context.viewer else None
    return Dataset.of(row) if row else None


def _wake(info: Info) -> None:
    if info.context.services.inspector is not None:
        info.context.services.inspector.wake()


def _reading(input: RegisterDatasetInput | UpdateDatasetInput) -> datasets.Reading:
    return datasets.Reading(
        format=input.format,
        dialect=input.dialect.overrides() if input.dialect is not None else None,
        columns=tuple(column.column() for column in input.columns) if input.columns is not None else None,
    )
