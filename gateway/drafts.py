"""What a user asks of a job, and everything about it that can be checked without looking at data. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from gateway.errors import BadInput, LimitExceeded
from gateway.models import KEY_LENGTH, FileFormat
from gateway.settings import Settings

NAME_MAX: Final = 255
ALIAS_MAX: Final = 128
SHARD_BYTES_MIN: Final = 64 * 1024
SHARD_BYTES_MAX: Final = 64 * 1024**3
PRIORITY_MAX: Final = 100
STEPS_MAX: Final = 200
PARTITIONS_MAX: Final = 8
"""Folders within folders."""
BIGINT_MAX: Final = 2**63 - 1


class BadRowPolicy(StrEnum):
    FAIL_JOB = "FAIL_JOB"
    REJECT_ROW = "REJECT_ROW"
    SET_NULL = "SET_NULL"


class OutputLayout(StrEnum):
    SINGLE_FILE = "SINGLE_FILE"
    PARTS = "PARTS"


_ALIAS: Final = re.compile(r"[^\W\d]\w*")
_COMPRESSIONS: Final = {
    FileFormat.CSV: ("none", "gzip", "zstd"),
    FileFormat.NDJSON: ("none", "gzip", "zstd"),
    FileFormat.PARQUET: ("snappy", "zstd", "lz4", "none"),
    FileFormat.ARROW: ("none",),
}


@dataclass(frozen=True, slots=True)
class SourceDraft:
    dataset_id: UUID
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class OutputDraft:
    format: FileFormat = FileFormat.CSV
    compression: str | None = None
    layout: OutputLayout = OutputLayout.SINGLE_FILE
    partition_by: tuple[str, ...] | None = None
    csv_header: bool = True
    csv_delimiter: str | None = None
    csv_formula_safe: bool = False
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class BadRowsDraft:
    policy: BadRowPolicy = BadRowPolicy.FAIL_JOB
    max_rejected_rows: int | None = None
    max_rejected_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class JobDraft:
    """A CreateJobInput, whole, so that two of them can be told apart."""

    sources: tuple[SourceDraft, ...]
    sql: str | None
    name: str | None = None
    steps: tuple[Mapping[str, Any], ...] | None = None
    """As JSON, see `compute.steps`."""
    profile: bool = False
    output: OutputDraft = OutputDraft()
    bad_rows: BadRowsDraft = BadRowsDraft()
    shard_size_bytes: int | None = None
    priority: int = 0
    idempotency_key: str | None = None


def check(draft: JobDraft, settings: Settings) -> str:
    """The SQL of a draft that may be tried, "" of steps and profiles.

    Raises BadInput and LimitExceeded, with the field at fault.
    """
    _check_query(draft, settings)
    _check_sources(draft.sources, settings)
    _check_output(draft.output)
    _check_bad_rows(draft.bad_rows)
    if draft.name is not None and not (draft.name.strip() and len(draft.name) <= NAME_MAX):
        raise _wrong(f"A name has 1 to {NAME_MAX} characters.", "name")
    size = draft.shard_size_bytes
    if size is not None and not SHARD_BYTES_MIN <= size <= SHARD_BYTES_MAX:
        raise _wrong(f"shardSizeBytes is from {SHARD_BYTES_MIN} to {SHARD_BYTES_MAX}.", "shardSizeBytes")
    if abs(draft.priority) > PRIORITY_MAX:
        raise _wrong(f"priority is from -{PRIORITY_MAX} to {PRIORITY_MAX}.", "priority")
    if draft.idempotency_key is not None and not 1 <= len(draft.idempotency_key) <= KEY_LENGTH:
        raise _wrong(f"An idempotency key has 1 to {KEY_LENGTH} characters.", "idempotencyKey")
    return draft.sql or ""


def aliases(sources: Sequence[SourceDraft]) -> list[str]:
    """The table name of each source."""
    return [source.alias or "input" for source in sources]


def name_of(draft: JobDraft) -> str:
    """The given name, or the beginning of the SQL, or the kinds of the steps."""
    if draft.name is not None:
        return draft.name.strip()
    if draft.profile:
        return "Profile"
    text = draft.sql or ", ".join(kind for step in draft.steps or () for kind in step)
    words = " ".join(text.split())
    return words if len(words) <= 80 else words[:79] + "…"


def spec_row(draft: JobDraft, sources: Sequence[Any]) -> dict[str, Any]:
    """What the job's row keeps and compute is given: engine words throughout (`karyaksham_engine.types`)."""
    output: dict[str, Any] = {"format": draft.output.format.value.lower()}
    if draft.output.format is FileFormat.CSV:
        output["header"] = draft.output.csv_header
        output["delimiter"] = draft.output.csv_delimiter or ","
        if draft.output.csv_formula_safe:
            output["formula_safe"] = True
    if draft.output.format is FileFormat.PARQUET:
        output["compression"] = draft.output.compression or "snappy"
    elif draft.output.compression not in (None, "none"):
        output["compression"] = draft.output.compression
    layout = draft.output.layout
    if draft.output.partition_by is not None:
        output["partition_by"] = list(draft.output.partition_by)
        layout = OutputLayout.PARTS
    return {
        "sources": list(sources),
        "output": output,
        "bad_rows": {
            "policy": draft.bad_rows.policy.value,
            "max_rejected_rows": draft.bad_rows.max_rejected_rows,
            "max_rejected_ratio": draft.bad_rows.max_rejected_ratio,
        },
        "layout": layout.value,
        "shard_size_bytes": draft.shard_size_bytes,
    }


def draft_of(
    sql: str | None,
    row: Mapping[str, Any],
    sources: Sequence[SourceDraft],
    *,
    name: str | None,
    steps: Sequence[Mapping[str, Any]] | None = None,
    is_profile: bool = False,
    priority: int = 0,
    idempotency_key: str | None = None,
) -> JobDraft:
    """The draft that `spec_row` made `row` of."""
    output = row["output"]
    folders = output.get("partition_by")
    return JobDraft(
        sources=tuple(sources),
        sql=None if is_profile else sql,
        steps=None if steps is None else tuple(steps),
        profile=is_profile,
        name=name,
        output=OutputDraft(
            format=FileFormat(output["format"].upper()),
            compression=output.get("compression"),
            layout=OutputLayout(row["layout"]),
            partition_by=tuple(folders) if folders else None,
            csv_header=output.get("header", True),
            csv_delimiter=output.get("delimiter"),
            csv_formula_safe=output.get("formula_safe", False),
        ),
        bad_rows=BadRowsDraft(
            BadRowPolicy(row["bad_rows"]["policy"]),
            row["bad_rows"].get("max_rejected_rows"),
            row["bad_rows"].get("max_rejected_ratio"),
        ),
        shard_size_bytes=row["shard_size_bytes"],
        priority=priority,
        idempotency_key=idempotency_key,
    )


def _check_query(draft: JobDraft, settings: Settings) -> None:
    given = [
        name
        for name, value in (("sql", draft.sql), ("steps", draft.steps), ("profile", draft.profile or None))
        if value is not None
    ]
    if len(given) != 1:
        raise BadInput("Give exactly one of sql, steps and profile.", field=["input"])
    if draft.steps is not None:
        if not draft.steps:
            raise _wrong("There are no steps.", "steps")
        if len(draft.steps) > STEPS_MAX:
            raise _wrong(f"There are at most {STEPS_MAX} steps.", "steps")
        return
    if draft.sql is None:
        if len(draft.sources) != 1:
            raise _wrong("A profile is of one dataset.", "sources")
        return
    if not draft.sql.strip() or "\x00" in draft.sql:
        raise _wrong("The SQL is empty or holds a NUL character.", "sql")
    if len(draft.sql) > settings.sql_max_chars:
        raise LimitExceeded(
            f"The SQL has more than {settings.sql_max_chars} characters.",
            field=["input", "sql"],
            limit="sql_max_chars",
        )


def _check_sources(sources: Sequence[SourceDraft], settings: Settings) -> None:
    if not sources:
        raise _wrong("A job reads at least one dataset.", "sources")
    if len(sources) > settings.job_sources_max:
        raise LimitExceeded(
            f"A job reads at most {settings.job_sources_max} datasets.",
            field=["input", "sources"],
            limit="job_sources_max",
        )
    names = aliases(sources)
    for index, name in enumerate(names):
        if len(name) > ALIAS_MAX or not _ALIAS.fullmatch(name):
            problem = "A table name begins with a letter or _ and goes on with letters, digits and _."
            raise _wrong(problem, "sources", str(index), "alias")
        if name.lower() in (other.lower() for other in names[:index]):
            raise _wrong(
                f"Two sources are named {name!r}; give each an alias of its own.",
                "sources",
                str(index),
                "alias",
            )


def _check_output(output: OutputDraft) -> None:
    folders = output.partition_by
    if folders is not None and not (0 < len(folders) <= PARTITIONS_MAX and len(set(folders)) == len(folders)):
        raise _wrong(f"partitionBy takes 1 to {PARTITIONS_MAX} columns, each once.", "output", "partitionBy")
    if output.uri is not None:
        raise _later("Output to a place of your own", "output", "uri")
    allowed = _COMPRESSIONS[output.format]
    if output.compression is not None and output.compression not in allowed:
        raise _wrong(
            f"For {output.format.value}, compression is one of: {', '.join(allowed)}.",
            "output",
            "compression",
        )
    delimiter = output.csv_delimiter
    if delimiter is not None and (len(delimiter.encode()) != 1 or delimiter in '"\r\n\x00'):
        raise _wrong(
            "csvDelimiter takes one ASCII character other than a quote or a line end.",
            "output",
            "csvDelimiter",
        )


def _check_bad_rows(bad_rows: BadRowsDraft) -> None:
    rows, ratio = bad_rows.max_rejected_rows, bad_rows.max_rejected_ratio
    if rows is not None and rows < 0:
        raise _wrong("maxRejectedRows is 0 or more.", "badRows", "maxRejectedRows")
    if ratio is not None and not 0 <= ratio <= 1:
        raise _wrong("maxRejectedRatio is from 0 to 1.", "badRows", "maxRejectedRatio")


def _wrong(message: str, *field: str) -> BadInput:
    return BadInput(message, field=["input", *field])


def _later(what: str, *field: str) -> BadInput:
    return BadInput(f"{what}: not available yet.", "Leave it out for now.", field=["input", *field])
