"""Tables in object storage: read as from a disk, whatever the format, and never a mixture of two versions."""

import gzip
import json
import socket
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet
import pytest

import karyaksham_engine as engine
from compute import files, tables
from compute.job import to_engine
from compute.spec import JobSpec
from karyaksham_engine.errors import Canceled, KaryakshamError, SourceError
from karyaksham_engine.types import StorageOptions
from tests import proxy
from tests.rgw import S3

from . import jobs

ROWS = 20_000
ORDER = "SELECT *, id * 2 AS twice FROM input WHERE amount > 100"
TOTALS = "SELECT region, count(*) AS n, sum(amount), min(note) FROM input GROUP BY region ORDER BY region"
SCATTERED = "SELECT id, note FROM input WHERE id % 97 = 5"


def spec_of(
    folder: Path, sql: str, paths: Sequence[str], storage: StorageOptions | None, **options: Any
) -> JobSpec:
    """A job on the files of `paths` as the table `input`, wherever they are."""
    table = tables.inspect(tables.files_of(paths, storage), storage=storage)
    return JobSpec(
        job_id="objects",
        sql=sql,
        sources=(table.source("input"),),
        output={"format": "csv"},
        bad_rows={"policy": "FAIL_JOB"},
        staging_dir=str(folder / "staging"),
        output_dir=str(folder / "output"),
        storage=storage,
        **options,
    )


def result(
    folder: Path,
    sql: str,
    paths: Sequence[str],
    storage: StorageOptions | None = None,
    start: jobs.Start | None = None,
    **options: Any,
) -> bytes:
    folder.mkdir(exist_ok=True)
    spec = spec_of(folder, sql, paths, storage, **options)
    told = jobs.finish((start or jobs.on_threads())(spec), spec)
    assert told.succeeded
    return jobs.output(spec)


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table with quoted line breaks."""
    return jobs.write_orders(tmp_path_factory.mktemp("orders") / "orders.csv", ROWS)


def placed(s3: S3, bucket: str, path: Path) -> str:
    uri = f"s3://{bucket}/tables/{path.name}"
    s3.put(uri, path.read_bytes())
    return uri


@pytest.mark.parametrize("sql", [ORDER, TOTALS, SCATTERED, "SELECT * FROM input"])
def test_a_table_of_many_shards_is_the_same_as_on_disk(
    s3: S3, bucket: str, orders: Path, tmp_path: Path, sql: str
) -> None:
    uri = placed(s3, bucket, orders)
    shards: dict[str, Any] = {"shard_size_bytes": orders.stat().st_size // 17}
    local = result(tmp_path / "disk", sql, [str(orders)], **shards)
    assert result(tmp_path / "s3", sql, [uri], s3.options, **shards) == local


@pytest.mark.usefixtures("cluster")
def test_workers_get_the_keys_with_their_tasks(s3: S3, bucket: str, orders: Path, tmp_path: Path) -> None:
    uri = placed(s3, bucket, orders)
    shards: dict[str, Any] = {"shard_size_bytes": orders.stat().st_size // 9}
    local = result(tmp_path / "disk", ORDER, [str(orders)], **shards)
    assert result(tmp_path / "ray", ORDER, [uri], s3.options, jobs.on_ray, **shards) == local


def as_gzip(table: Path) -> bytes:
    return gzip.compress(table.read_bytes())


def as_ndjson(table: Path) -> bytes:
    rows = columns_of(table).to_pylist()
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def as_parquet(table: Path) -> bytes:
    sink = pa.BufferOutputStream()
    pa.parquet.write_table(columns_of(table), sink, row_group_size=3000)
    return bytes(sink.getvalue())


def as_arrow(table: Path) -> bytes:
    sink = pa.BufferOutputStream()
    content = columns_of(table)
    with pa.ipc.new_file(sink, content.schema) as writer:
        writer.write_table(content, max_chunksize=700)
    return bytes(sink.getvalue())


def as_arrow_stream(table: Path) -> bytes:
    sink = pa.BufferOutputStream()
    content = columns_of(table)
    with pa.ipc.new_stream(sink, content.schema) as writer:
        writer.write_table(content, max_chunksize=2500)
    return bytes(sink.getvalue())


def columns_of(table: Path) -> pa.Table:
    options = pyarrow.csv.ParseOptions(newlines_in_values=True)
    return pyarrow.csv.read_csv(table, parse_options=options)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("orders.csv.gz", as_gzip),
        ("orders.ndjson", as_ndjson),
        ("orders.parquet", as_parquet),
        ("orders.arrow", as_arrow),
        ("orders.arrows", as_arrow_stream),
    ],
)
def test_every_format_is_the_same_as_on_disk(
    s3: S3, bucket: str, orders: Path, tmp_path: Path, name: str, written: Callable[[Path], bytes]
) -> None:
    path = tmp_path / name
    path.write_bytes(written(orders))
    uri = placed(s3, bucket, path)
    shards: dict[str, Any] = {"shard_size_bytes": path.stat().st_size // 5}
    for number, sql in enumerate((ORDER, TOTALS, SCATTERED)):
        local = result(tmp_path / f"disk-{number}", sql, [str(path)], **shards)
        assert result(tmp_path / f"s3-{number}", sql, [uri], s3.options, **shards) == local

    on_disk = tables.inspect(tables.files_of([str(path)]))
    there = tables.inspect(tables.files_of([uri], s3.options), storage=s3.options)
    assert there.columns == on_disk.columns
    assert files.preview(there.source("t"), 7, storage=s3.options) == files.preview(on_disk.source("t"), 7)
    profiled = zip(
        files.profile(there.source("t"), storage=s3.options), files.profile(on_disk.source("t")), strict=True
    )
    # Batches end at other rows, so sums of floating-point numbers differ in their last digits.
    for one, other in profiled:
        assert one | {"mean": 0, "stddev": 0} == other | {"mean": 0, "stddev": 0}
        assert one["mean"] == pytest.approx(other["mean"])


def test_folders_and_patterns_are_tables_with_the_columns_of_their_folders(
    s3: S3, bucket: str, tmp_path: Path
) -> None:
    root = tmp_path / "sales"
    for year, number in [(2023, 1), (2023, 2), (2024, 10), (2024, 9)]:
        path = root / f"year={year}" / f"part-{number}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a,b\n" + "".join(f"{number},{row}\n" for row in range(3)))
    (root / "_SUCCESS").write_text("")
    (root / "manifest.json").write_text("{}")
    (root / "year=2023" / ".hidden.csv").write_text("x\n1\n")
    for path in root.rglob("*"):
        if path.is_file():
            s3.put(f"s3://{bucket}/data/sales/{path.relative_to(root)}", path.read_bytes())
    base = f"s3://{bucket}/data/sales"

    for number, (below, sql) in enumerate(
        [
            ("", "SELECT * FROM input"),
            ("/", "SELECT * FROM input WHERE year = 2024"),
            ("/*/part-?.csv", "SELECT * FROM input"),
            ("/year=2023/*.csv", "SELECT * FROM input"),
            ("/**/part-[19]*.csv", "SELECT * FROM input"),
        ]
    ):
        local = result(tmp_path / f"disk-{number}", sql, [f"{root}{below}"])
        assert result(tmp_path / f"s3-{number}", sql, [base + below], s3.options) == local, below
    refs = tables.files_of([base], s3.options)
    assert [ref["name"] for ref in refs] == [
        "year=2023/part-1.csv",
        "year=2023/part-2.csv",
        "year=2024/part-9.csv",
        "year=2024/part-10.csv",
    ]
    assert all(ref["etag"] for ref in refs)


def test_keys_are_written_as_they_are(s3: S3, bucket: str, tmp_path: Path) -> None:
    uri = f"s3://{bucket}/a folder/ü%20+&=#.csv"
    s3.put(uri, b"a,b\n1,2\n")
    assert result(tmp_path, "SELECT a + b AS c FROM input", [uri], s3.options) == b"c\n3\n"


def refused(work: Callable[[], object]) -> KaryakshamError:
    with pytest.raises(KaryakshamError) as caught:
        work()
    return caught.value


def test_what_is_wrong_is_said_with_the_name_and_without_the_secret(
    s3: S3, bucket: str, orders: Path
) -> None:
    uri = placed(s3, bucket, orders)

    def reading(uri: str, **other: Any) -> KaryakshamError:
        options: StorageOptions = {**s3.options, **other}  # type: ignore[typeddict-item]  # of any option
        error = refused(lambda: tables.inspect(tables.files_of([uri], options), storage=options))
        told = f"{error.message} {error.hint} {error.detail}"
        assert "testing-secret" not in told and "swordfish" not in told
        return error

    missing = reading(f"{uri}.not")
    assert (missing.code, f"{uri}.not" in missing.message) == ("SOURCE_NOT_FOUND", True)
    assert "bucket no-such-bucket" in reading("s3://no-such-bucket/a.csv").message
    assert reading("s3://no-such-bucket/*.csv").code == "SOURCE_NOT_FOUND"
    wrong = reading(uri, secret_access_key="swordfish")
    assert (wrong.code, "secret" in (wrong.hint or "")) == ("ACCESS_DENIED", True)
    assert reading(uri, access_key_id="nobody").code == "ACCESS_DENIED"
    assert reading(uri, access_key_id=None, secret_access_key=None).code == "ACCESS_DENIED"
    assert reading(uri, secret_access_key=None).code == "INVALID_STORAGE"
    assert reading(uri, endpoint="ftp://host").code == "INVALID_STORAGE"
    assert reading(uri, allow_http=False).code == "INVALID_STORAGE"
    assert reading("http://169.254.169.254/latest").code == "INVALID_LOCATION"
    assert reading(f"s3://{bucket}/empty/").code == "SOURCE_NOT_FOUND"


def test_nothing_of_the_environment_is_used(
    s3: S3, bucket: str, orders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = placed(s3, bucket, orders)
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    assert refused(lambda: tables.files_of([uri], {"endpoint": s3.endpoint})).code == "ACCESS_DENIED"


def test_a_job_is_planned_and_written_down_without_the_keys(
    s3: S3, bucket: str, orders: Path, tmp_path: Path
) -> None:
    spec = spec_of(tmp_path, ORDER, [placed(s3, bucket, orders)], s3.options)
    plan = engine.plan(to_engine(spec, parallelism=1), storage=s3.options)
    (task, *_) = plan.tasks(0)
    assert b"testing" not in task.payload
    assert "testing" not in repr(spec)
    other = engine.plan(to_engine(spec, parallelism=1), storage={**s3.options, "region": "elsewhere"})
    assert (
        task.payload.partition(b'"planned_at_us"')[0]
        == other.tasks(0)[0].payload.partition(b'"planned_at_us"')[0]
    )


def test_an_object_that_was_replaced_is_an_error_and_no_mixture(
    s3: S3, bucket: str, orders: Path, tmp_path: Path
) -> None:
    uri = placed(s3, bucket, orders)
    spec = spec_of(tmp_path, ORDER, [uri], s3.options)
    content = bytearray(orders.read_bytes())
    content[-3:-1] = b"99"
    s3.put(uri, bytes(content))
    told = jobs.finish(jobs.on_threads()(spec), spec)
    assert (told.failed.failure.code, uri in told.failed.failure.message) == ("SOURCE_CHANGED", True)


@pytest.mark.parametrize("written", [lambda table: table.read_bytes(), as_gzip, as_parquet, as_arrow])
def test_an_object_that_is_replaced_between_tasks_is_found_by_the_next(
    s3: S3, bucket: str, orders: Path, tmp_path: Path, written: Callable[[Path], bytes]
) -> None:
    content = written(orders)
    uri = f"s3://{bucket}/table"
    s3.put(uri, content)
    spec = spec_of(tmp_path, ORDER, [uri], s3.options, shard_size_bytes=len(content) // 4)
    tasks = engine.plan(to_engine(spec, parallelism=2), storage=s3.options).tasks(0)

    def run(number: int) -> engine.TaskOutcome:
        context = engine.TaskContext(staging_dir=str(tmp_path / "staging"), storage=s3.options)
        return engine.run_task(tasks[number].payload, context)

    assert run(0).rows_written > 0
    s3.put(uri, bytes(reversed(content)))
    with pytest.raises(SourceError) as caught:
        run(len(tasks) - 1)
    assert caught.value.code == "SOURCE_CHANGED"


def test_a_file_without_an_etag_is_pinned_when_the_job_is_planned(
    s3: S3, bucket: str, orders: Path, tmp_path: Path
) -> None:
    spec = spec_of(tmp_path, ORDER, [placed(s3, bucket, orders)], s3.options)
    source = spec.sources[0].copy()
    source["files"] = [{"path": file["path"], "size_bytes": file["size_bytes"]} for file in source["files"]]
    bare = spec._replace(sources=(source,))
    assert jobs.finish(jobs.on_threads()(bare), bare).succeeded
    source["files"][0]["size_bytes"] += 1
    assert jobs.finish(jobs.on_threads()(bare), bare).failed.failure.code == "SOURCE_CHANGED"


@pytest.mark.parametrize("written", [lambda table: table.read_bytes(), as_gzip, as_parquet])
def test_connections_that_break_in_mid_answer_are_made_again(
    s3: S3, bucket: str, tmp_path: Path, written: Callable[[Path], bytes]
) -> None:
    table = jobs.write_orders(tmp_path / "large.csv", 200_000)
    path = tmp_path / "table"
    path.write_bytes(written(table))
    uri = placed(s3, bucket, path)
    shards: dict[str, Any] = {"shard_size_bytes": path.stat().st_size // 5}
    local = result(tmp_path / "disk", ORDER, [str(path)], **shards)
    with proxy.before(s3.endpoint, cut=6, after_bytes=150_000) as faulty:
        options: StorageOptions = {**s3.options, "endpoint": faulty.endpoint}
        assert result(tmp_path / "s3", ORDER, [uri], options, **shards) == local
        assert faulty.dropped > 0


def test_a_service_that_is_away_is_told_and_may_come_back() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
    options: StorageOptions = {"endpoint": endpoint, "access_key_id": "a", "secret_access_key": "b"}
    error = refused(lambda: tables.files_of(["s3://bucket/key"], options))
    assert (error.code, error.retryable) == ("STORAGE_FAILED", True)
    assert "no connection" in error.message


def test_a_job_that_waits_for_storage_can_be_canceled(
    s3: S3, bucket: str, orders: Path, tmp_path: Path
) -> None:
    spec = spec_of(tmp_path, ORDER, [placed(s3, bucket, orders)], s3.options)
    (task, *_) = engine.plan(to_engine(spec, parallelism=1), storage=s3.options).tasks(0)
    cancel = engine.CancelToken()
    with proxy.silence() as (endpoint, met):
        context = engine.TaskContext(
            staging_dir=str(tmp_path / "staging"), storage={**s3.options, "endpoint": endpoint}, cancel=cancel
        )

        def stop() -> None:
            met.wait(30)
            cancel.cancel()

        threading.Thread(target=stop, daemon=True).start()
        with pytest.raises(Canceled):
            engine.run_task(task.payload, context)
        assert met.is_set()
