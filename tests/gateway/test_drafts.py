from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from gateway import drafts
from gateway.drafts import BadRowPolicy, BadRowsDraft, JobDraft, OutputDraft, OutputLayout, SourceDraft
from gateway.errors import BadInput, GatewayError, LimitExceeded
from gateway.models import FileFormat
from gateway.settings import Settings

SETTINGS = Settings(sql_max_chars=1000, job_sources_max=3)
DRAFT = JobDraft(sources=(SourceDraft(uuid4()),), sql="SELECT * FROM input")


def refusal(draft: JobDraft) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        drafts.check(draft, SETTINGS)
    return caught.value


def test_a_plain_draft_is_accepted() -> None:
    assert drafts.check(DRAFT, SETTINGS) == "SELECT * FROM input"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"sql": None}, []),
        ({"sql": "SELECT 1", "profile": True}, []),
        (
            {"sql": None, "profile": True, "sources": (SourceDraft(uuid4(), "a"), SourceDraft(uuid4(), "b"))},
            ["sources"],
        ),
        ({"sql": None, "steps": ()}, ["steps"]),
        ({"sql": None, "steps": ({"limit": {"count": 1}},) * 201}, ["steps"]),
        ({"sql": "  \n"}, ["sql"]),
        ({"sql": "SELECT '\x00'"}, ["sql"]),
        ({"sources": ()}, ["sources"]),
        ({"sources": (SourceDraft(uuid4(), "a b"),)}, ["sources", "0", "alias"]),
        ({"sources": (SourceDraft(uuid4(), "1st"),)}, ["sources", "0", "alias"]),
        ({"sources": (SourceDraft(uuid4(), "t"), SourceDraft(uuid4(), "T"))}, ["sources", "1", "alias"]),
        ({"sources": (SourceDraft(uuid4()), SourceDraft(uuid4()))}, ["sources", "1", "alias"]),
        ({"name": " "}, ["name"]),
        ({"name": "n" * 256}, ["name"]),
        ({"shard_size_bytes": 1}, ["shardSizeBytes"]),
        ({"priority": 101}, ["priority"]),
        ({"idempotency_key": ""}, ["idempotencyKey"]),
        ({"idempotency_key": "k" * 201}, ["idempotencyKey"]),
        ({"output": OutputDraft(partition_by=("country", "country"))}, ["output", "partitionBy"]),
        ({"output": OutputDraft(uri="s3://bucket/out")}, ["output", "uri"]),
        ({"output": OutputDraft(compression="snappy")}, ["output", "compression"]),
        ({"output": OutputDraft(format=FileFormat.ARROW, compression="zstd")}, ["output", "compression"]),
        ({"output": OutputDraft(format=FileFormat.PARQUET, compression="gzip")}, ["output", "compression"]),
        ({"output": OutputDraft(csv_delimiter="||")}, ["output", "csvDelimiter"]),
        ({"output": OutputDraft(csv_delimiter='"')}, ["output", "csvDelimiter"]),
        ({"output": OutputDraft(csv_delimiter="é")}, ["output", "csvDelimiter"]),
        ({"bad_rows": BadRowsDraft(max_rejected_rows=-1)}, ["badRows", "maxRejectedRows"]),
        ({"bad_rows": BadRowsDraft(max_rejected_ratio=1.5)}, ["badRows", "maxRejectedRatio"]),
        ({"bad_rows": BadRowsDraft(max_rejected_ratio=float("nan"))}, ["badRows", "maxRejectedRatio"]),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], field: list[str]) -> None:
    error = refusal(replace(DRAFT, **changes))
    assert isinstance(error, BadInput)
    assert error.field == ["input", *field]


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        ({"sql": "x" * 1001}, "sql_max_chars"),
        ({"sources": tuple(SourceDraft(uuid4(), f"t{n}") for n in range(4))}, "job_sources_max"),
    ],
)
def test_limits_are_named(changes: dict[str, Any], limit: str) -> None:
    error = refusal(replace(DRAFT, **changes))
    assert isinstance(error, LimitExceeded)
    assert error.limit == limit


def test_a_job_is_named_after_its_sql() -> None:
    assert drafts.name_of(replace(DRAFT, sql="SELECT  a,\n  b FROM input")) == "SELECT a, b FROM input"
    assert len(drafts.name_of(replace(DRAFT, sql="SELECT " + "a, " * 90))) == 80
    assert drafts.name_of(replace(DRAFT, name=" Mine ")) == "Mine"


def test_the_spec_is_in_the_words_of_the_engine() -> None:
    draft = replace(
        DRAFT,
        output=OutputDraft(format=FileFormat.PARQUET, layout=OutputLayout.PARTS),
        bad_rows=BadRowsDraft(BadRowPolicy.REJECT_ROW, max_rejected_rows=3),
        shard_size_bytes=1 << 20,
    )
    assert drafts.spec_row(draft, ["a source"]) == {
        "sources": ["a source"],
        "output": {"format": "parquet", "compression": "snappy"},
        "bad_rows": {"policy": "REJECT_ROW", "max_rejected_rows": 3, "max_rejected_ratio": None},
        "layout": "PARTS",
        "shard_size_bytes": 1 << 20,
    }
    assert drafts.spec_row(replace(DRAFT, output=OutputDraft(csv_header=False)), [])["output"] == {
        "format": "csv",
        "header": False,
        "delimiter": ",",
    }
    packed = OutputDraft(compression="gzip", csv_formula_safe=True)
    assert drafts.spec_row(replace(DRAFT, output=packed), [])["output"] == {
        "format": "csv",
        "header": True,
        "delimiter": ",",
        "formula_safe": True,
        "compression": "gzip",
    }
    folders = drafts.spec_row(replace(DRAFT, output=OutputDraft(partition_by=("country",))), [])
    assert (folders["layout"], folders["output"]["partition_by"]) == ("PARTS", ["country"])
    packed = OutputDraft(format=FileFormat.NDJSON, compression="zstd")
    assert drafts.spec_row(replace(DRAFT, output=packed), [])["output"] == {
        "format": "ndjson",
        "compression": "zstd",
    }
