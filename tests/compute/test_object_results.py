"""Results in object storage: whole or absent, and nothing is left of what was given up."""

import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet
import pytest

from compute import local, tables
from compute.run import Run
from compute.spec import Canceled, JobSpec
from karyaksham_engine.types import Output, StorageOptions
from tests import proxy
from tests.rgw import S3

from . import jobs

ROWS = 200_000
EVERYTHING = "SELECT * FROM input"
DEADLINE_S = 60.0


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table that is more than one part of an upload."""
    path = jobs.write_orders(tmp_path_factory.mktemp("orders") / "orders.csv", ROWS * 3)
    assert path.stat().st_size > 16 << 20
    return path


def spec_of(folder: Path, table: Path, storage: StorageOptions, **options: Any) -> JobSpec:
    found = tables.inspect(tables.files_of([str(table)]), columns=jobs.COLUMNS)
    given: dict[str, Any] = {
        "sql": EVERYTHING,
        "output_dir": str(folder / "output"),
        "output": {"format": "csv"},
        "bad_rows": {"policy": "FAIL_JOB"},
        "shard_size_bytes": table.stat().st_size // 9,
    }
    return JobSpec(
        job_id="results",
        sources=(found.source("input"),),
        staging_dir=str(folder / "staging"),
        storage=storage,
        **(given | options),
    )


def run(spec: JobSpec, target: str, rejects: str | None = None) -> Run:
    return local.start(spec, threads=2, target=target, rejects_target=rejects)


def rows_of(format: str, content: bytes) -> list[dict[str, Any]]:
    if format == "parquet":
        rows: list[dict[str, Any]] = pa.parquet.read_table(pa.BufferReader(content)).to_pylist()
    elif format == "arrow":
        rows = pa.ipc.open_file(content).read_all().to_pylist()
    else:
        rows = [json.loads(line) for line in gzip.decompress(content).splitlines()]
    return rows


@pytest.mark.parametrize("start", [run, lambda spec, target: jobs.on_ray(spec)])
@pytest.mark.usefixtures("cluster")
def test_one_object_is_the_same_as_one_file(
    s3: S3, bucket: str, orders: Path, tmp_path: Path, start: Callable[[JobSpec, str], Run]
) -> None:
    spec = spec_of(tmp_path, orders, s3.options, output_dir=f"s3://{bucket}/jobs/1")
    told = jobs.finish(start(spec, f"s3://{bucket}/jobs/1/output.csv"), spec)
    assert s3.get(f"s3://{bucket}/jobs/1/output.csv") == orders.read_bytes()
    (artifact,) = told.succeeded.artifacts
    assert (artifact.path, artifact.size_bytes) == (
        f"s3://{bucket}/jobs/1/output.csv",
        orders.stat().st_size,
    )
    assert (s3.keys(bucket), s3.uploads(bucket)) == (["jobs/1/output.csv"], [])


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("parquet", {"format": "parquet"}),
        ("arrow", {"format": "arrow"}),
        ("ndjson", {"format": "ndjson", "compression": "gzip"}),
    ],
)
def test_every_format_can_be_an_object(
    s3: S3, bucket: str, orders: Path, tmp_path: Path, name: str, output: Output
) -> None:
    target = f"s3://{bucket}/out"
    spec = spec_of(tmp_path, orders, s3.options, output=output, sql="SELECT id, note FROM input")
    assert jobs.finish(run(spec, target), spec).succeeded
    rows = rows_of(name, s3.get(target))
    assert (len(rows), rows[3]["id"], rows[3]["note"][:8]) == (ROWS * 3, 3, "line one")
    assert s3.uploads(bucket) == []


def test_an_empty_result_is_an_object_too(s3: S3, bucket: str, orders: Path, tmp_path: Path) -> None:
    spec = spec_of(tmp_path, orders, s3.options, sql="SELECT id FROM input WHERE id < 0")
    assert jobs.finish(run(spec, f"s3://{bucket}/out.csv"), spec).succeeded
    assert s3.get(f"s3://{bucket}/out.csv") == b"id\n"


def test_rejects_are_an_object_that_a_clean_run_removes(s3: S3, bucket: str, tmp_path: Path) -> None:
    broken = jobs.write_orders(tmp_path / "broken.csv", 3000, broken=[7, 2000])
    target, rejects = f"s3://{bucket}/a/out.csv", f"s3://{bucket}/a/rejects.csv"
    s3.put(f"{rejects}/not-ours", b"stays")
    spec = spec_of(tmp_path, broken, s3.options, bad_rows={"policy": "REJECT_ROW"})
    assert jobs.finish(run(spec, target, rejects), spec).succeeded.balance.rejected == 2
    assert s3.get(rejects).count(b"CAST") == 2
    whole = spec_of(tmp_path, jobs.write_orders(tmp_path / "whole.csv", 100), s3.options)
    assert jobs.finish(run(whole, target, rejects), whole).succeeded
    assert s3.keys(bucket) == ["a/out.csv", "a/rejects.csv/not-ours"]


def test_a_job_that_fails_leaves_what_was_there(s3: S3, bucket: str, tmp_path: Path) -> None:
    target = f"s3://{bucket}/out.csv"
    s3.put(target, b"of yesterday")
    broken = jobs.write_orders(tmp_path / "broken.csv", ROWS * 3, broken=[ROWS * 3 - 1])
    spec = spec_of(tmp_path, broken, s3.options)
    assert jobs.finish(run(spec, target), spec).failed.failure.code == "CAST"
    assert (s3.get(target), s3.uploads(bucket)) == (b"of yesterday", [])


def test_cancel_leaves_no_object_and_no_parts(s3: S3, bucket: str, tmp_path: Path) -> None:
    table = tmp_path / "large.csv"
    jobs.write_many_orders(table, megabytes=300)
    spec = spec_of(tmp_path, table, s3.options, shard_size_bytes=16 << 20)
    running = run(spec, f"s3://{bucket}/out.csv")
    deadline = time.monotonic() + DEADLINE_S
    while not s3.uploads(bucket):
        assert time.monotonic() < deadline and running.join(0.01) is False
    running.cancel()
    told = jobs.finish(running, spec)
    assert isinstance(told.final, Canceled)
    assert (s3.keys(bucket), s3.uploads(bucket)) == ([], [])


def test_connections_that_break_in_mid_upload_are_made_again(
    s3: S3, bucket: str, orders: Path, tmp_path: Path
) -> None:
    with proxy.before(s3.endpoint, cut=4, after_bytes=1_000_000) as faulty:
        spec = spec_of(tmp_path, orders, {**s3.options, "endpoint": faulty.endpoint})
        assert jobs.finish(run(spec, f"s3://{bucket}/out.csv"), spec).succeeded
        assert faulty.dropped > 0
    assert s3.get(f"s3://{bucket}/out.csv") == orders.read_bytes()
    assert s3.uploads(bucket) == []


def test_an_output_that_can_not_be_is_said_with_its_name(
    s3: S3, bucket: str, orders: Path, tmp_path: Path
) -> None:
    def failed(target: str, **options: Any) -> str:
        storage: StorageOptions = {**s3.options, **options}  # type: ignore[typeddict-item]  # of any option
        spec = spec_of(tmp_path, orders, storage, sql="SELECT count(*) FROM input")
        failure = jobs.finish(run(spec, target), spec).failed.failure
        assert failure.code == "OUTPUT_NOT_WRITABLE", failure
        assert "swordfish" not in repr(failure)
        return failure.message

    assert "no-such-bucket" in failed("s3://no-such-bucket/out.csv")
    target = f"s3://{bucket}/out.csv"
    assert target in failed(target, secret_access_key="swordfish")
    assert "no object" in failed(f"s3://{bucket}")


def listed(s3: S3, folder: str) -> list[str]:
    manifest = json.loads(s3.get(f"{folder}/manifest.json"))
    return [part["name"] for part in manifest["parts"]]


def test_parts_have_fresh_names_that_the_manifest_lists(
    s3: S3, bucket: str, orders: Path, tmp_path: Path
) -> None:
    folder = f"s3://{bucket}/a/result"
    spec = spec_of(tmp_path, orders, s3.options, layout="PARTS")
    assert jobs.finish(run(spec, folder), spec).succeeded
    first = listed(s3, folder)
    header, body = jobs.HEADER, b""
    for name in first:
        content = s3.get(f"{folder}/{name}")
        assert content.startswith(header)
        body += content.removeprefix(header)
    assert header + body == orders.read_bytes()
    inside = {f"a/result/{name}" for name in (*first, "manifest.json", "_SUCCESS")}
    assert (set(s3.keys(bucket)), s3.uploads(bucket)) == (inside, [])

    again = tables.inspect(tables.files_of([folder], s3.options), storage=s3.options)
    assert sum(file["size_bytes"] for file in again.files) == sum(len(s3.get(f"{folder}/{n}")) for n in first)
    assert jobs.finish(run(spec, folder), spec).succeeded
    second = listed(s3, folder)
    assert not set(first) & set(second)
    assert set(s3.keys(bucket)) == {f"a/result/{name}" for name in (*second, "manifest.json", "_SUCCESS")}


def test_a_folder_of_something_else_is_left_alone(s3: S3, bucket: str, orders: Path, tmp_path: Path) -> None:
    s3.put(f"s3://{bucket}/a/precious", b"1")
    spec = spec_of(tmp_path, orders, s3.options, layout="PARTS", sql="SELECT id FROM input LIMIT 5")
    told = jobs.finish(run(spec, f"s3://{bucket}/a"), spec)
    assert told.failed.failure.code == "OUTPUT_EXISTS"
    assert s3.keys(bucket) == ["a/precious"]


def test_folders_are_named_by_columns(s3: S3, bucket: str, orders: Path, tmp_path: Path) -> None:
    folder = f"s3://{bucket}/by-region"
    output: Output = {"format": "csv", "partition_by": ["region"]}
    spec = spec_of(
        tmp_path,
        orders,
        s3.options,
        layout="PARTS",
        output=output,
        sql="SELECT id, region FROM input WHERE id < 10",
    )
    assert jobs.finish(run(spec, folder), spec).succeeded
    assert {name.partition("/")[0] for name in listed(s3, folder)} == {
        f"region={region}" for region in jobs.REGIONS
    }
    back = tables.inspect(tables.files_of([folder], s3.options), storage=s3.options)
    assert [column["name"] for column in back.columns] == ["id", "region"]
