"""What a client says of a job, as the domain's draft of it."""

import strawberry

from gateway import datasets, drafts
from gateway.schema.relay import BigInt, local_id
from gateway.schema.steps import StepInput

BadRowPolicy = strawberry.enum(drafts.BadRowPolicy, name="BadRowPolicy")
OutputLayout = strawberry.enum(drafts.OutputLayout, name="OutputLayout")


@strawberry.input
class JobSourceInput:
    dataset_id: strawberry.ID
    alias: str | None = strawberry.field(
        default=None, description="The table name that the SQL uses; default: input"
    )


@strawberry.input
class OutputInput:
    format: datasets.FileFormat
    compression: str | None = strawberry.field(
        default=None,
        description="For CSV and NDJSON: none, gzip, zstd. For Parquet: snappy, zstd, lz4, none. For Arrow: none.",
    )
    layout: drafts.OutputLayout | None = drafts.OutputLayout.SINGLE_FILE
    partition_by: list[str] | None = strawberry.field(
        default=None,
        description="Columns that name folders (year=2024) instead of being in the files; implies PARTS.",
    )
    preserve_order: bool | None = strawberry.field(
        default=True, description="Rows leave in the order in which they came, at no matter how many workers."
    )
    csv_header: bool | None = True
    csv_delimiter: str | None = None
    csv_formula_safe: bool | None = strawberry.field(
        default=False,
        description="A ' before text that a spreadsheet would take for a formula.",
    )
    uri: str | None = strawberry.field(
        default=None, description="Where to write; default: under the job. Not available yet."
    )

    def draft(self) -> drafts.OutputDraft:
        return drafts.OutputDraft(
            format=self.format,
            compression=self.compression,
            layout=self.layout or drafts.OutputLayout.SINGLE_FILE,
            partition_by=tuple(self.partition_by) if self.partition_by is not None else None,
            csv_header=self.csv_header is not False,
            csv_delimiter=self.csv_delimiter,
            csv_formula_safe=bool(self.csv_formula_safe),
            uri=self.uri,
        )


@strawberry.input
class BadRowsInput:
    policy: drafts.BadRowPolicy | None = drafts.BadRowPolicy.FAIL_JOB
    max_rejected_rows: BigInt | None = None
    max_rejected_ratio: float | None = None

    def draft(self) -> drafts.BadRowsDraft:
        return drafts.BadRowsDraft(
            policy=self.policy or drafts.BadRowPolicy.FAIL_JOB,
            max_rejected_rows=self.max_rejected_rows,
            max_rejected_ratio=self.max_rejected_ratio,
        )


@strawberry.input
class CreateJobInput:
    name: str | None = None
    sources: list[JobSourceInput]
    sql: str | None = strawberry.field(default=None, description="Exactly one of sql, steps and profile.")
    steps: list[StepInput] | None = strawberry.field(
        default=None,
        description="In their order, over the first source. `effectiveSql` is what they compile to.",
    )
    profile: bool | None = strawberry.field(
        default=None, description="The statistics of every column of one dataset; they show in its `profile`."
    )
    output: OutputInput | None = None
    bad_rows: BadRowsInput | None = None
    shard_size_bytes: BigInt | None = strawberry.field(
        default=None,
        description="Target size of a shard; chosen from file size and cluster when left out.",
    )
    priority: int | None = 0
    idempotency_key: str | None = None

    def draft(self) -> drafts.JobDraft:
        """The same as plain data. Raises NotFound for an ID that is no dataset's."""
        return drafts.JobDraft(
            name=self.name,
            sources=tuple(
                drafts.SourceDraft(local_id(source.dataset_id, "Dataset", field="sources"), source.alias)
                for source in self.sources
            ),
            sql=self.sql,
            steps=None if self.steps is None else tuple(step.draft() for step in self.steps),
            profile=bool(self.profile),
            output=self.output.draft() if self.output is not None else drafts.OutputDraft(),
            bad_rows=self.bad_rows.draft() if self.bad_rows is not None else drafts.BadRowsDraft(),
            shard_size_bytes=self.shard_size_bytes,
            priority=self.priority or 0,
            idempotency_key=self.idempotency_key,
        )
