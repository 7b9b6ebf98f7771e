"""The questions to compute that have an answer at once: what is this file, its first rows, what would this job do.

They run in threads of their own with a deadline, so that a slow disk never holds a request or the event loop.
Work on whole files is not asked here; it is a job.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from compute import files, tables
from compute.objects import is_object
from compute.spec import JobSpec
from compute.tables import FILES_MAX, Table, expand, partition_of
from gateway import models
from gateway.errors import BadInput, Unavailable
from karyaksham_engine.types import (
    Column,
    Dialect,
    DialectOverrides,
    FileFormat,
    FileRef,
    Preview,
    Source,
    StorageOptions,
)

ANSWER_TIMEOUT_S: Final = 20.0
INSPECT_TIMEOUT_S: Final = 120.0
"""A whole inspection: it runs in the background, and object storage may be far."""

__all__ = [
    "FILES_MAX",
    "JobPlan",
    "StagePlan",
    "Table",
    "check_unchanged",
    "engine_format",
    "expand",
    "files_in",
    "inspect",
    "job_spec",
    "objects",
    "partition_of",
    "plan",
    "preview",
    "profile_plan",
    "sql_of_steps",
    "written_dialect",
]

_FORMATS: Final[dict[models.FileFormat, FileFormat]] = {
    models.FileFormat.CSV: "csv",
    models.FileFormat.NDJSON: "ndjson",
    models.FileFormat.PARQUET: "parquet",
    models.FileFormat.ARROW: "arrow",
}

_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="planning")

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class StagePlan:
    index: int
    name: str
    task_count: int
    bytes_total: int


@dataclass(frozen=True, slots=True)
class JobPlan:
    """What a job would do."""

    effective_sql: str
    columns: tuple[Column, ...]
    stages: tuple[StagePlan, ...]
    bytes_to_read: int
    text: str


async def inspect(
    refs: Sequence[FileRef],
    *,
    format: FileFormat | None = None,
    dialect: DialectOverrides | None = None,
    columns: Sequence[Column] = (),
    storage: StorageOptions | None = None,
) -> Table:
    """What files are as one table; given values are taken as they are. Raises SourceError."""
    return await _ask(
        lambda: tables.inspect(refs, format=format, dialect=dialect, columns=columns, storage=storage),
        INSPECT_TIMEOUT_S,
    )


async def objects(uri: str, storage: StorageOptions) -> list[FileRef]:
    """The objects that a URI, a folder or a pattern stands for, in their order. Raises SourceError."""
    return await _ask(lambda: tables.files_of([uri], storage), ANSWER_TIMEOUT_S)


def files_in(folder: Path) -> list[FileRef]:
    """The files of a result that is a folder, in their order, with the columns that their folders name."""
    files = []
    for path in expand(str(folder)):
        file = FileRef(path=path, size_bytes=Path(path).stat().st_size)
        if partition := partition_of(str(Path(path).parent.relative_to(folder))):
            file["partition"] = partition
        files.append(file)
    return files


async def preview(source: Source, limit: int, *, storage: StorageOptions | None = None) -> Preview:
    """The first rows of a table. Raises SourceError, and BadInput when its files changed."""

    def answer() -> Preview:
        check_unchanged(source["files"])
        return files.preview(source, limit=limit, storage=storage)

    return await _ask(answer, ANSWER_TIMEOUT_S)


def job_spec(
    job_id: str,
    sql: str,
    row: Mapping[str, Any],
    *,
    staging_dir: str = "",
    output_dir: str = "",
    **limits: Any,
) -> JobSpec:
    """What compute is given, from a job's SQL and the `spec` in its row (`gateway.drafts.spec_row`)."""
    return JobSpec(
        job_id=job_id,
        sql=sql,
        sources=tuple(row["sources"]),
        output=row["output"],
        bad_rows=row["bad_rows"],
        layout=row["layout"],
        shard_size_bytes=row["shard_size_bytes"],
        staging_dir=staging_dir,
        output_dir=output_dir,
        **limits,
    )


def profile_plan(source: Source) -> JobPlan:
    """What a profile of a table would do. Raises BadInput when its files changed."""
    check_unchanged(source["files"])
    size_bytes = sum(file["size_bytes"] for file in source["files"])
    return JobPlan(
        effective_sql="",
        columns=(),
        stages=(StagePlan(0, f"profile {source['name']}", 1, size_bytes),),
        bytes_to_read=size_bytes,
        text="Reads the whole table once, and gives the statistics of every column.",
    )


async def sql_of_steps(
    given: Sequence[Mapping[str, Any]], row: Mapping[str, Any], *, storage: StorageOptions | None = None
) -> str:
    """The SQL that steps over the sources of a job's `spec` compile to. Raises InvalidJob, with the step at fault."""
    spec = job_spec("steps", "", row, storage=storage)
    return await _ask(lambda: files.sql_of_steps(given, spec), ANSWER_TIMEOUT_S)


async def plan(
    sql: str, row: Mapping[str, Any], *, parallelism: int, storage: StorageOptions | None = None
) -> JobPlan:
    """Parse, bind and cut a job; `parallelism` only guides the size of shards. Raises InvalidJob and SourceError."""
    spec = job_spec("plan", sql, row, storage=storage)

    def answer() -> JobPlan:
        planned = files.plan(spec, parallelism=parallelism)
        return JobPlan(
            effective_sql=planned.effective_sql,
            columns=tuple(planned.columns),
            stages=tuple(
                StagePlan(stage["index"], stage["name"], stage["task_count"], stage["bytes_total"])
                for stage in planned.stages
            ),
            bytes_to_read=planned.bytes_to_read,
            text=planned.text,
        )

    return await _ask(answer, ANSWER_TIMEOUT_S)


def engine_format(format: models.FileFormat) -> FileFormat:
    """The engine's word for it."""
    return _FORMATS[format]


def written_dialect(delimiter: str, *, has_header: bool, compression: str | None) -> Dialect:
    """Of text that the engine wrote."""
    return Dialect(
        delimiter=delimiter,
        quote='"',
        escape=None,
        comment=None,
        has_header=has_header,
        skip_rows=0,
        encoding="utf-8",
        compression=compression,
        line_ending="lf",
        confidence=1.0,
        evidence=["It was written here."],
    )


def check_unchanged(refs: Sequence[FileRef]) -> None:
    """Raises BadInput when a file is gone or has another size than when it was inspected."""
    for ref in refs:
        if is_object(ref["path"]):
            continue  # Its version is checked with each read.
        path = Path(ref["path"])
        try:
            size_bytes = path.stat().st_size
        except OSError:
            raise BadInput(
                f"The file {path.name} is no longer there.", "Put it back, or delete the dataset."
            ) from None
        if size_bytes != ref["size_bytes"]:
            raise BadInput(
                f"The file {path.name} has changed since it was inspected: it had {ref['size_bytes']} bytes and "
                f"has {size_bytes}.",
                "Update the dataset to inspect it again.",
            )


async def _ask(call: Callable[[], Answer], timeout_s: float) -> Answer:
    future = asyncio.get_running_loop().run_in_executor(_threads, call)
    try:
        async with asyncio.timeout(timeout_s):
            return await asyncio.shield(future)
    except TimeoutError:
        future.cancel()
        future.add_done_callback(lambda late: late.cancelled() or late.exception())
        raise Unavailable(
            f"Reading the data took longer than {timeout_s:.0f} seconds.", "Storage may be slow; try again."
        ) from None
