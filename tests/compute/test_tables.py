"""Many files as one table: which they are, in which order, with which columns, and what can't be one table."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from compute import files, local, spec, tables
from compute.unify import unified
from karyaksham_engine.errors import SourceError
from karyaksham_engine.types import Column


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def write(folder: Path, contents: dict[str, str]) -> None:
    for name, text in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def table(*paths: Path | str, **options: Any) -> tables.Table:
    return tables.inspect(tables.files_of([str(path) for path in paths]), threads=2, **options)


def types(found: tables.Table) -> dict[str, str]:
    return {column["name"]: column["type"] for column in found.columns}


def evidence(found: tables.Table, name: str) -> str:
    return next(column["evidence"] for column in found.columns if column["name"] == name)


def run(folder: Path, sql: str, found: tables.Table, **more: Any) -> tuple[str, spec.RowBalance, list[Any]]:
    """The result as CSV, the balance, and the events."""
    staging = folder.parent / "staging"
    staging.mkdir(exist_ok=True)
    job = spec.JobSpec(
        job_id="t",
        sql=sql,
        sources=(found.source("t"),),
        output={"format": "csv"},
        bad_rows={"policy": more.pop("policy", "FAIL_JOB")},
        staging_dir=str(staging),
        output_dir=str(folder.parent),
        **more,
    )
    target, rejects = folder.parent / "out.csv", folder.parent / "rejects.csv"
    running = local.start(job, threads=2, target=str(target), rejects_target=str(rejects))
    events = list(running.follow())
    assert isinstance(events[-1], spec.Succeeded), events[-1]
    return target.read_text(), events[-1].balance, events


def mismatch(*paths: Path | str) -> str:
    with pytest.raises(SourceError) as caught:
        table(*paths)
    assert caught.value.code == "SCHEMA_MISMATCH", caught.value
    return caught.value.message


def test_files_are_in_natural_order_and_so_are_their_rows(folder: Path) -> None:
    write(folder, {f"part-{n}.csv": f"n\n{n}\n" for n in (10, 9, 1, 100, 2)})
    for path in (folder, folder / "*.csv", f"{folder}/part-*"):
        found = table(path)
        assert run(folder, "SELECT n FROM t", found)[0] == "n\n1\n2\n9\n10\n100\n"


def test_columns_are_matched_by_name(folder: Path) -> None:
    write(folder, {"a.csv": "id,name,x\n1,ann,1.5\n", "b.csv": "x,id,name\n2.5,2,bob\n", "c.csv": "id\n3\n"})
    found = table(folder)
    assert types(found) == {"id": "Int64", "name": "Utf8", "x": "Decimal128(18, 1)"}
    assert "NULL in c.csv" in evidence(found, "name")
    for size in (None, 3):
        text, balance, _ = run(folder, "SELECT * FROM t", found, shard_size_bytes=size)
        assert text == "id,name,x\n1,ann,1.5\n2,bob,2.5\n3,,\n"
        assert (balance.read, balance.passed) == (3, 3)
    where = "SELECT id FROM t WHERE name IS NULL OR (x > 2 AND name = 'bob')"
    assert run(folder, where, found)[0] == "id\n2\n3\n"
    assert run(folder, "SELECT id FROM t WHERE x IS NULL", found)[0] == "id\n3\n"
    assert files.preview(found.source("t"))["rows"] == [[1, "ann", 1.5], [2, "bob", 2.5], [3, None, None]]


def test_types_widen_and_text_wins(folder: Path) -> None:
    write(
        folder,
        {
            "a.csv": "i,d,t,day\n1,1.5,7,2024-01-02\n",
            "b.csv": "i,d,t,day\n2.25e1,2,seven,2024-01-02 03:04:05\n",
        },
    )
    found = table(folder)
    assert types(found) == {"i": "Float64", "d": "Decimal128(38, 1)", "t": "Utf8", "day": "Utf8"}
    assert evidence(found, "i") == "Int64 in a.csv, Float64 in b.csv"
    text, _, _ = run(folder, "SELECT i * 2 AS i, d + 1 AS d, t, day FROM t", found)
    assert text == "i,d,t,day\n2.0,2.5,7,2024-01-02\n45.0,3.0,seven,2024-01-02 03:04:05\n"


def test_a_file_without_values_does_not_decide_a_type(folder: Path) -> None:
    write(
        folder,
        {"a.csv": "n,s\n", "b.csv": "n,s\n1,x\n", "c.csv": "n,s\n,y\n", "d.csv": "", "e.csv": "n,s\n2,\n"},
    )
    found = table(folder)
    assert types(found) == {"n": "Int64", "s": "Utf8"}
    text, balance, _ = run(folder, "SELECT * FROM t", found)
    assert (text, balance.read) == ("n,s\n1,x\n,y\n2,\n", 3)


def test_files_may_have_dialects_of_their_own(folder: Path) -> None:
    write(
        folder, {"a.csv": "a,b\n1,x\n2,y\n", "b.csv": "a;b\n3;z\n4;w\n", "c.csv": "a\tb\r\n5\tv\r\n6\tu\r\n"}
    )
    text, _, _ = run(folder, "SELECT a, b FROM t", table(folder))
    assert text == "a,b\n1,x\n2,y\n3,z\n4,w\n5,v\n6,u\n"


def test_a_header_of_text_over_text_is_found_by_that_of_the_first_file(folder: Path) -> None:
    write(folder, {"a.csv": "name,size\nann,1\nbob,2\n", "b.csv": "name,size\nliz,tall\njim,small\n"})
    assert run(folder, "SELECT name, size FROM t", table(folder))[0].splitlines()[1:] == [
        "ann,1",
        "bob,2",
        "liz,tall",
        "jim,small",
    ]


def test_folders_are_columns_with_types_and_evidence(folder: Path) -> None:
    write(
        folder,
        {
            "year=2023/month=12/x.csv": "n\n1\n",
            "year=2024/month=01/x.csv": "n\n2\n",
            "year=2024/month=__HIVE_DEFAULT_PARTITION__/x.csv": "n\n3\n",
            "year=2024/month=a%2Fb/x.csv": "n\n4\n",
        },
    )
    found = table(folder)
    assert types(found) == {"n": "Int64", "year": "Int64", "month": "Utf8"}
    assert "leading zero" in evidence(found, "month") and "year=2023, 2 values" in evidence(found, "year")
    text, _, _ = run(folder, "SELECT n, year + 1 AS y, month FROM t ORDER BY n", found)
    assert text == "n,y,month\n1,2024,12\n2,2025,01\n3,2025,\n4,2025,a/b\n"
    assert types(table(f"{folder}/year=2024/*/x.csv")) == {"n": "Int64", "year": "Int64", "month": "Utf8"}


@pytest.mark.parametrize("format", ["csv", "parquet", "arrow"])
def test_files_of_other_folders_are_not_read(folder: Path, format: str) -> None:
    for year in range(2015, 2025):
        place = folder / f"year={year}"
        place.mkdir()
        rows = pa.table({"n": pa.array([year, -year]), "s": ["a", "b"]})
        if format == "csv":
            (place / "x.csv").write_text(f"n,s\n{year},a\n{-year},b\n")
        elif format == "parquet":
            pyarrow.parquet.write_table(rows, place / "x.parquet")
        else:
            pyarrow.feather.write_feather(rows, place / "x.arrow")
    found = table(folder)
    assert types(found) == {"n": "Int64", "s": "Utf8", "year": "Int64"}
    text, balance, events = run(folder, "SELECT n, year FROM t WHERE year >= 2023 AND n > 0", found)
    assert (text, balance.read) == ("n,year\n2023,2023\n2024,2024\n", 4)
    assert [
        stage.task_count for event in events if isinstance(event, spec.Planned) for stage in event.stages
    ] == [2]
    text, balance, _ = run(folder, "SELECT count(*) AS c FROM t WHERE year = 1900", found)
    assert (text, balance.read) == ("c\n0\n", 2)
    assert run(folder, "SELECT sum(year) AS s FROM t WHERE s = 'b'", found)[0] == "s\n20195\n"
    both = "SELECT a.n FROM t a JOIN t b ON a.year = b.year + 1 WHERE b.year = 2020 AND b.n > 0 AND a.n > 0"
    assert run(folder, both, found)[0] == "n\n2021\n"


@pytest.mark.parametrize("format", ["parquet", "arrow"])
def test_columns_of_binary_files_are_matched_too(folder: Path, format: str) -> None:
    first = pa.table({"i": pa.array([1], pa.int32()), "s": ["x"], "d": pa.array([0], pa.date32())})
    second = pa.table({"s": pa.array([7], pa.int64()), "more": [True], "i": pa.array([2.5])})
    for name, rows in (("a", first), ("b", second)):
        if format == "parquet":
            pyarrow.parquet.write_table(rows, folder / name)
        else:
            pyarrow.feather.write_feather(rows, folder / name)
    found = table(folder)
    assert types(found) == {"i": "Float64", "s": "Utf8", "d": "Date32", "more": "Boolean"}
    expected = "i,s,d,more\n1.0,x,1970-01-01,\n2.5,7,,true\n"
    assert run(folder, "SELECT * FROM t", found)[0] == expected
    assert run(folder, "SELECT s FROM t WHERE i > 2 AND d IS NULL", found)[0] == "s\n7\n"
    assert files.preview(found.source("t"))["rows"] == [
        [1.0, "x", "1970-01-01", None],
        [2.5, "7", None, True],
    ]


def test_what_does_not_fit_together_names_both_files_and_the_column(folder: Path) -> None:
    pyarrow.parquet.write_table(pa.table({"k": [1], "v": [[1, 2]]}), folder / "a.parquet")
    pyarrow.parquet.write_table(pa.table({"k": [1], "v": ["x"]}), folder / "b.parquet")
    message = mismatch(folder)
    assert all(word in message for word in ("'v'", "a.parquet", "b.parquet", "List", "Utf8")), message
    write(folder, {"c.csv": "k,v\n1,x\n"})
    assert "b.parquet" in mismatch(folder / "b.parquet", folder / "c.csv")
    write(
        folder,
        {
            "one/x.csv": "a,b\n1,2\n",
            "one/y.csv": "c,d\n3,4\n",
            "two/k=1/x.csv": "k\n1\n",
            "three/x.csv": "a\n1\n",
        },
    )
    assert "no column in common" in mismatch(folder / "one")
    assert "folder of that name" in mismatch(folder / "two")
    assert "name different columns" in mismatch(folder / "two", folder / "three")


def test_rejects_name_the_file_as_it_lies_in_the_folder(folder: Path) -> None:
    bad = "n,s\n" + "".join(f"{n},a\n" for n in range(30)) + "x,b\n"
    write(folder, {"k=1/x.csv": bad, "k=2/x.csv": bad})
    _, balance, _ = run(folder, "SELECT n, k FROM t", table(folder), policy="REJECT_ROW")
    assert (balance.read, balance.rejected) == (62, 2)
    lines = (folder.parent / "rejects.csv").read_text().splitlines()[1:]
    assert [line.split(",")[:3] for line in lines] == [["k=1/x.csv", "31", "32"], ["k=2/x.csv", "31", "32"]]


def test_columns_that_are_given_hold(folder: Path) -> None:
    write(folder, {"k=01/x.csv": "n\n1\n", "k=02/x.csv": "n,m\n2,3\n"})
    given: list[Column] = [
        {"name": "n", "type": "Utf8", "nullable": True},
        {"name": "k", "type": "Int64", "nullable": True},
        {"name": "m", "type": "Float64", "nullable": True},
    ]
    found = table(folder, columns=given)
    assert types(found) == {"n": "Utf8", "m": "Float64", "k": "Int64"}
    assert run(folder, "SELECT k, n, m FROM t WHERE k = 2", found)[0] == "k,n,m\n2,2,3.0\n"
    with pytest.raises(SourceError, match="no column named 'z'"):
        table(folder, columns=[{"name": "z", "type": "Utf8", "nullable": True}])


def test_columns_without_names_get_those_that_are_given(folder: Path) -> None:
    write(folder, {"a.csv": "1,2\n3,4\n", "b.csv": "5,6\n"})
    given: list[Column] = [
        {"name": "x", "type": "Int64", "nullable": True},
        {"name": "y", "type": "Int64", "nullable": True},
    ]
    assert run(folder, "SELECT y, x FROM t", table(folder, columns=given))[0] == "y,x\n2,1\n4,3\n6,5\n"


def test_what_a_job_wrote_as_a_folder_is_read_again(folder: Path) -> None:
    write(
        folder, {"part-00000.csv": "n\n1\n", "manifest.json": "{}", "_SUCCESS": "", ".hidden/x.csv": "n\n9\n"}
    )
    assert [file["path"] for file in table(folder).files] == [str(folder / "part-00000.csv")]
    with pytest.raises(SourceError, match="no files at"):
        table(folder / "none*.csv")


@pytest.mark.parametrize("format", ["csv", "ndjson", "parquet", "arrow"])
@pytest.mark.parametrize("size", [None, 60])
def test_a_result_is_written_into_folders_and_read_again(folder: Path, format: Any, size: int | None) -> None:
    rows = [(n, ["x/y", "", None, "a=b%"][n % 4], n % 3) for n in range(40)]
    written = {None: "", "": '""'}
    text = "".join(f"{n},{written.get(c, c)},{k}\n" for n, c, k in rows)
    write(folder, {"in.csv": "n,c,k\n" + text})
    staging, out = folder.parent / "staging", folder.parent / "out"
    staging.mkdir()
    job = spec.JobSpec(
        job_id="t",
        sql="SELECT * FROM t",
        sources=(table(folder).source("t"),),
        output={"format": format, "partition_by": ["k", "c"]},
        bad_rows={"policy": "FAIL_JOB"},
        staging_dir=str(staging),
        output_dir=str(folder.parent),
        layout="PARTS",
        shard_size_bytes=size,
    )
    events = list(local.start(job, threads=2, target=str(out)).follow())
    assert isinstance(events[-1], spec.Succeeded), events[-1]
    assert sorted(path.name for path in (out / "k=0").iterdir()) == [
        "c=",
        "c=__HIVE_DEFAULT_PARTITION__",
        "c=a%3Db%25",
        "c=x%2Fy",
    ]
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["rows"], manifest["partition_by"], (out / "_SUCCESS").exists()) == (40, ["k", "c"], True)
    assert all((out / part["name"]).stat().st_size == part["size_bytes"] for part in manifest["parts"])
    if format == "ndjson":
        return
    again = run(out, "SELECT n, c, k FROM t ORDER BY n", table(out))[0].splitlines()
    first = run(folder, "SELECT n, c, k FROM t ORDER BY n", table(folder))[0].splitlines()
    assert again == first


def test_too_many_folders_and_columns_that_name_none_are_refused(folder: Path) -> None:
    write(folder, {"in.csv": "n,x\n" + "".join(f"{n},0.5e1\n" for n in range(1_001))})
    output: Any = {"format": "csv", "partition_by": ["n"]}
    staging = folder.parent / "staging"
    staging.mkdir()

    def failure(by: list[str]) -> str:
        job = spec.JobSpec(
            "t",
            "SELECT n, x FROM t",
            (table(folder).source("t"),),
            output | {"partition_by": by},
            {"policy": "FAIL_JOB"},
            str(staging),
            str(folder.parent),
            layout="PARTS",
        )
        last = list(local.start(job, threads=1, target=str(folder.parent / "out")).follow())[-1]
        assert isinstance(last, spec.Failed) and not (folder.parent / "out").exists()
        staging.mkdir(exist_ok=True)
        return last.failure.code

    assert failure(["n"]) == "TOO_MANY_PARTITIONS"
    assert failure(["x"]) == failure(["z"]) == failure(["n", "x"]) == "INVALID_OUTPUT"


def test_many_files_make_small_tasks(folder: Path) -> None:
    write(folder, {f"{n}.csv": f"n\n{n}\n" for n in range(300)})
    found = table(folder)
    plan = files.plan(
        spec.JobSpec(
            "t", "SELECT n FROM t", (found.source("t"),), {"format": "csv"}, {"policy": "FAIL_JOB"}, "", ""
        )
    )
    assert plan.stages[0]["task_count"] == 300
    assert run(folder, "SELECT sum(n) AS s FROM t", found)[0] == f"s\n{sum(range(300))}\n"
    assert len(json.dumps(found.files)) > 10_000


@pytest.mark.parametrize(
    ("one", "other", "text", "binary"),
    [
        ("Int64", "Float64", "Float64", "Float64"),
        ("Int8", "UInt8", "Int16", "Int16"),
        ("UInt64", "Int64", "Decimal128(20, 0)", "Decimal128(20, 0)"),
        ("Decimal128(18, 2)", "Int64", "Decimal128(38, 2)", "Decimal128(21, 2)"),
        ("Decimal128(18, 2)", "Decimal128(18, 4)", "Decimal128(38, 4)", "Decimal128(20, 4)"),
        ("Decimal128(38, 2)", "Decimal128(38, 30)", "Float64", "Float64"),
        ("Date32", "Timestamp(us)", "Utf8", "Timestamp(us)"),
        ("Timestamp(ms)", "Timestamp(us)", "Utf8", "Timestamp(us)"),
        ("Timestamp(us)", "Timestamp(us, UTC)", "Utf8", None),
        ("Boolean", "Int64", "Utf8", None),
        ("Utf8", "Boolean", "Utf8", "Utf8"),
        ("Utf8", "List(Int64)", None, None),
        ("Binary", "Int64", None, None),
    ],
)
def test_two_types_have_one_that_holds_both(
    one: str, other: str, text: str | None, binary: str | None
) -> None:
    for pair in ((one, other), (other, one)):
        assert unified(*pair, is_text=True) == text
        assert unified(*pair, is_text=False) == binary
