"""Questions about files that are answered at once, and plans: the engine's answers as plain data."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import karyaksham_engine as engine
from karyaksham_engine.errors import InvalidJob
from karyaksham_engine.types import (
    Column,
    ColumnProfile,
    DialectOverrides,
    FileFormat,
    PlannedStage,
    Preview,
    Sniffed,
    Source,
    StorageOptions,
)

from .job import to_engine
from .spec import JobSpec
from .workspace import look

if TYPE_CHECKING:
    from .step_forms import Step


class PlanInfo(NamedTuple):
    """What a job would do."""

    columns: tuple[Column, ...]
    """Of the result."""
    effective_sql: str
    stages: tuple[PlannedStage, ...]
    bytes_to_read: int
    text: str
    """For people: the plan of each stage."""


def inspect(
    path: str,
    *,
    format: FileFormat | None = None,
    dialect: DialectOverrides | None = None,
    columns: Sequence[Column] | None = None,
    storage: StorageOptions | None = None,
) -> Sniffed:
    """What a file is; given values are taken as they are. Raises SourceError."""
    return engine.sniff(path, format=format, dialect=dialect, columns=columns, storage=storage)


def preview(
    source: Source, limit: int = 50, *, offset: int = 0, storage: StorageOptions | None = None
) -> Preview:
    """The first rows of a table after the first `offset` ones."""
    return engine.preview(source, limit=limit, offset=offset, storage=storage)


def plan(spec: JobSpec, *, parallelism: int = 1) -> PlanInfo:
    """What `spec` would do; nothing is started. Raises InvalidJob and SourceError."""
    look(spec.sources)
    planned = engine.plan(to_engine(spec, parallelism=parallelism), storage=spec.storage)
    return PlanInfo(
        columns=tuple(planned.columns),
        effective_sql=planned.effective_sql,
        stages=tuple(planned.stages),
        bytes_to_read=planned.bytes_to_read,
        text=planned.text,
    )


def sql_of_steps(given: "Sequence[Step]", spec: JobSpec) -> str:
    """The SQL that steps over the sources of `spec` compile to. Raises InvalidJob, with the step at fault."""
    from . import steps  # Here, because most jobs have none, and the command line starts sooner.

    def described(sql: str) -> Sequence[Column]:
        return plan(spec._replace(sql=sql)).columns

    sql = steps.compile(given, spec.sources, described)
    try:
        described(sql)
    except InvalidJob as error:
        raise steps.blamed(error, given, spec.sources, described) from None
    return sql


def profile(
    source: Source,
    *,
    threads: int = 1,
    memory_bytes: int | None = None,
    storage: StorageOptions | None = None,
) -> list[ColumnProfile]:
    """Statistics of every column of a whole table."""
    return engine.profile(source, threads=threads, memory_bytes=memory_bytes, storage=storage)
