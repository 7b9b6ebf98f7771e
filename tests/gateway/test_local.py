"""`karyaksham run`, `inspect`, `preview`, `profile` as a user runs them: processes, files, exit statuses."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.feather
import pyarrow.parquet
import pytest

CLEAN = 'id,country,amount,note\n1,IN,10.50,\n2,DE,0.25,"a, b"\n3,IN,1.00,"two\nlines"\n'
DIRTY = "id,amount\n1,10\n2,x\n3,30\n4\n" + "".join(f"{number},1\n" for number in range(5, 15))


def karyaksham(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "orders.csv").write_text(CLEAN)
    (tmp_path / "dirty.csv").write_text(DIRTY)
    return tmp_path


def test_run_writes_result_to_stdout_and_balance_to_stderr(folder: Path) -> None:
    sql = "SELECT country, sum(amount) AS total FROM input GROUP BY country ORDER BY country"
    done = karyaksham("run", sql, "orders.csv", cwd=folder)
    assert (done.returncode, done.stdout) == (0, "country,total\nDE,0.25\nIN,11.50\n"), done.stderr
    assert "read 3 = passed 3 + rejected 0; written 2" in done.stderr


def test_file_is_also_named_by_its_stem(folder: Path) -> None:
    assert karyaksham("run", "SELECT count(*) AS n FROM orders", "orders.csv", cwd=folder).stdout == "n\n3\n"


def test_two_named_inputs_are_joined(folder: Path) -> None:
    (folder / "names.csv").write_text("country,name\nIN,India\nDE,Germany\n")
    sql = "SELECT o.id, n.name FROM o JOIN n ON o.country = n.country ORDER BY o.id"
    done = karyaksham("run", sql, "--input", "o=orders.csv", "--input", "n=names.csv", cwd=folder)
    assert done.stdout == "id,name\n1,India\n2,Germany\n3,India\n", done.stderr


def test_steps_are_run_and_shown_as_sql(folder: Path) -> None:
    steps = [{"filter": {"where": "amount >= 1"}}, {"select": {"columns": ["id"]}}]
    (folder / "steps.json").write_text(json.dumps(steps))
    done = karyaksham("run", "--steps", "steps.json", "orders.csv", cwd=folder)
    assert done.stdout == "id\n1\n3\n", done.stderr
    assert 'SELECT "id" FROM "step_1"' in done.stderr
    (folder / "steps.json").write_text(json.dumps([*steps, {"drop": {"columns": ["amount"]}}]))
    wrong = karyaksham("run", "orders.csv", "--steps", "steps.json", cwd=folder)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "Step 3 (drop): There is no column 'amount' at this point. [UNKNOWN_COLUMN]" in wrong.stderr
    for arguments in (["run"], ["run", "--steps", "no.json", "orders.csv"]):
        assert "Traceback" not in karyaksham(*arguments, cwd=folder).stderr


def test_quoted_newlines_come_out_as_they_went_in(folder: Path) -> None:
    done = karyaksham("run", "SELECT note FROM input WHERE id = 3", "orders.csv", cwd=folder)
    assert done.stdout == 'note\n"two\nlines"\n'


def test_output_format_follows_the_name(folder: Path) -> None:
    done = karyaksham("run", "SELECT id, amount FROM input", "orders.csv", "-o", "out.parquet", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert pyarrow.parquet.read_table(folder / "out.parquet").column("id").to_pylist() == [1, 2, 3]


@pytest.mark.parametrize("format", ["csv", "ndjson", "parquet", "arrow", "table"])
def test_every_output_format_holds_all_rows(folder: Path, format: str) -> None:
    done = karyaksham(
        "run", "SELECT id FROM input", "orders.csv", "--format", format, "-o", "out", cwd=folder
    )
    assert done.returncode == 0 and "written 3" in done.stderr, done.stderr
    assert (folder / "out").stat().st_size > 0


@pytest.mark.parametrize(("name", "arguments"), [("out.csv.gz", ()), ("out", ("--compression", "gzip"))])
def test_text_is_compressed_as_the_name_or_the_option_says(
    folder: Path, name: str, arguments: tuple[str, ...]
) -> None:
    done = karyaksham("run", "SELECT id FROM input", "orders.csv", "-o", name, *arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert gzip.decompress((folder / name).read_bytes()) == b"id\n1\n2\n3\n"


def test_zstd_is_read_by_others(folder: Path) -> None:
    arguments = ("orders.csv", "-o", "out.csv.zst", "--shard-size", "20")
    done = karyaksham("run", "SELECT id, country FROM input", *arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    with pyarrow.input_stream(str(folder / "out.csv.zst"), compression="zstd") as stream:
        assert stream.read() == b"id,country\n1,IN\n2,DE\n3,IN\n"


def test_formulas_are_made_harmless_on_request(folder: Path) -> None:
    (folder / "f.csv").write_text("n,t\n-1,=1+1\n-2,ok\n")
    done = karyaksham("run", "SELECT * FROM input", "f.csv", "--formula-safe", cwd=folder)
    assert done.stdout == 'n,t\n-1,"\'=1+1"\n-2,ok\n', done.stderr


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_arrow_files_of_others_are_read_in_shards(folder: Path, compression: str) -> None:
    kinds = pyarrow.array(["red", "green", None] * 40_000).dictionary_encode()
    table = pyarrow.table({"n": range(120_000), "kind": kinds})
    pyarrow.feather.write_feather(table, folder / "t.feather", compression=compression, chunksize=10_000)
    sql = "SELECT kind, count(*) AS rows, sum(n) AS s FROM t WHERE n >= 30 GROUP BY kind ORDER BY kind"
    done = karyaksham("run", sql, "t.feather", "--shard-size", "50000", cwd=folder)
    assert done.stdout.splitlines() == [
        "kind,rows,s",
        f"green,39990,{sum(range(31, 120_000, 3))}",
        f"red,39990,{sum(range(30, 120_000, 3))}",
        f",39990,{sum(range(32, 120_000, 3))}",
    ], done.stderr
    assert "read 120,000 = passed 120,000 + rejected 0; written 3" in done.stderr
    shown = karyaksham("preview", "t.feather", "--rows", "3", cwd=folder).stdout
    assert "green" in shown and shown.count("\n") >= 5
    assert "dictionary" not in karyaksham("inspect", "t.feather", cwd=folder).stdout.lower()


def test_arrow_streams_are_read_too(folder: Path) -> None:
    table = pyarrow.table({"n": [1, 2, 3], "day": pyarrow.array([0, 1, None], pyarrow.date32())})
    with pyarrow.ipc.new_stream(folder / "t.arrows", table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    done = karyaksham("run", "SELECT day, n FROM input", "t.arrows", cwd=folder)
    assert done.stdout == "day,n\n1970-01-01,1\n1970-01-02,2\n,3\n", done.stderr


def test_first_bad_row_fails_the_job_and_is_named(folder: Path) -> None:
    done = karyaksham("run", "SELECT id, amount FROM input", "dirty.csv", "-o", "out.csv", cwd=folder)
    assert done.returncode == 3
    assert "line 3" in done.stderr and "amount" in done.stderr
    assert sorted(os.listdir(folder)) == ["dirty.csv", "orders.csv"]


def test_bad_rows_are_rejected_and_listed(folder: Path) -> None:
    done = karyaksham(
        "run",
        "SELECT sum(amount) AS total FROM input",
        "dirty.csv",
        "--bad-rows",
        "reject",
        "--rejects",
        "bad.csv",
        cwd=folder,
    )
    assert (done.returncode, done.stdout) == (0, "total\n50\n"), done.stderr
    assert "read 14 = passed 12 + rejected 2" in done.stderr
    listed = (folder / "bad.csv").read_text()
    assert "CAST" in listed and "TOO_FEW_COLUMNS" in listed


def test_bad_values_count_in_all_columns_if_asked(folder: Path) -> None:
    rejected = ["run", "SELECT id FROM input", "dirty.csv", "--bad-rows", "reject"]
    assert "rejected 1" in karyaksham(*rejected, cwd=folder).stderr
    assert "rejected 2" in karyaksham(*rejected, "--validate", "all", cwd=folder).stderr


def test_bad_fields_become_null(folder: Path) -> None:
    done = karyaksham("run", "SELECT id, amount FROM input", "dirty.csv", "--bad-rows", "null", cwd=folder)
    assert done.stdout.startswith("id,amount\n1,10\n2,\n3,30\n5,1\n"), done.stderr


def test_too_many_rejects_end_the_job_without_an_output(folder: Path) -> None:
    options = ["--bad-rows", "reject", "--max-rejected", "1", "-o", "out.csv"]
    done = karyaksham("run", "SELECT amount FROM input", "dirty.csv", *options, cwd=folder)
    assert done.returncode == 3 and "more than the 1" in done.stderr
    assert sorted(os.listdir(folder)) == ["dirty.csv", "orders.csv"]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["SELEKT 1", "orders.csv"], 2, "SQL"),
        (["SELECT nope FROM input", "orders.csv"], 2, "nope"),
        (["SELECT * FROM elsewhere", "orders.csv"], 2, "elsewhere"),
        (["SELECT 1; DROP TABLE input", "orders.csv"], 2, ""),
        (["COPY input TO 'x'", "orders.csv"], 2, ""),
        (["SELECT 1"], 2, "file"),
        (["SELECT * FROM input", "missing.csv"], 5, "missing.csv"),
        (["SELECT * FROM input", "empty.csv"], 3, "empty"),
        (["SELECT * FROM input", "binary.csv"], 3, ""),
        (["SELECT * FROM input", "orders.csv", "-o", "no/such/folder/out.csv"], 5, "folder"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    folder: Path, arguments: list[str], status: int, words: str
) -> None:
    (folder / "empty.csv").touch()
    (folder / "binary.csv").write_bytes(bytes(range(256)) * 64)
    done = karyaksham("run", *arguments, cwd=folder)
    assert done.returncode == status, done.stderr
    assert words in done.stderr and "Traceback" not in done.stderr
    assert done.stdout == ""


def test_header_without_rows_is_an_empty_result(folder: Path) -> None:
    (folder / "header.csv").write_text("a,b\n")
    done = karyaksham("run", "SELECT * FROM input", "header.csv", cwd=folder)
    assert (done.returncode, done.stdout) == (0, "a,b\n"), done.stderr


def test_one_line_of_a_hundred_megabytes_is_one_reject(folder: Path) -> None:
    with (folder / "long.csv").open("wb") as file:
        file.write(b"a,b\n1,2\n")
        file.write(b"x" * 100_000_000)
        file.write(b"\n3,4\n")
    sql = "SELECT sum(a) AS s FROM input"
    done = karyaksham("run", sql, "long.csv", "--bad-rows", "reject", "--rejects", "bad.csv", cwd=folder)
    assert (done.returncode, done.stdout) == (0, "s\n4\n"), done.stderr
    assert "read 3 = passed 2 + rejected 1" in done.stderr
    assert "RECORD_TOO_LONG" in (folder / "bad.csv").read_text()


def test_interrupt_ends_with_130_and_leaves_nothing(folder: Path) -> None:
    with (folder / "big.csv").open("w") as file:
        file.write("id,text\n")
        block = "".join(f"{number},{'lorem ipsum ' * 8}\n" for number in range(10_000))
        for _ in range(300):
            file.write(block)
    # A sort keeps it busy long enough; the partial output appears when the final task begins to write.
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "gateway",
            "run",
            "SELECT * FROM input ORDER BY text, id",
            "big.csv",
            "-o",
            "out.csv",
        ],
        cwd=folder,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    deadline = time.monotonic() + 30
    while b"big.csv" not in _open_files(process.pid) and time.monotonic() < deadline:
        os.sched_yield()
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130, stderr
    assert sorted(os.listdir(folder)) == ["big.csv", "dirty.csv", "orders.csv"]


def _open_files(pid: int) -> bytes:
    """Names of the files that a process holds open."""
    names = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            names.append(os.readlink(entry).encode())
        except FileNotFoundError:
            continue
    return b"\n".join(names)


EVENTS = """\
{"id": 1, "actor": {"login": "ann", "tags": ["a", "b"]}, "at": "2026-01-02T03:04:05Z"}
{"id": 2, "actor": {"login": "bob \\"b\\""}, "extra": null}
{"id": "x", "actor": null}
{"id": 4, "actor": {"login": "ann", "tags": []}, "id": 5}

{"id": 6, "actor": {"login": "ann", "tags": ["c"]}}
"""


@pytest.fixture
def events(folder: Path) -> Path:
    lines = "".join(f'{{"id": {n}, "actor": {{"login": "eve"}}}}\n' for n in range(10, 40))
    (folder / "events.txt").write_text(EVENTS.replace('"id": "x"', '"id": true') + lines)
    return folder


def test_ndjson_is_known_by_its_lines(events: Path) -> None:
    done = karyaksham("inspect", "events.txt", "--json", cwd=events)
    found = json.loads(done.stdout)
    assert (found["format"], found["dialect"]) == ("ndjson", None), done.stderr
    assert {column["name"]: column["type"] for column in found["columns"]} == {
        "id": "Utf8",
        "actor": 'Struct("login": Utf8, "tags": List(Utf8))',
        "at": "Timestamp(us, UTC)",
        "extra": "Utf8",
    }
    assert "Struct" in karyaksham("inspect", "events.txt", cwd=events).stdout


@pytest.mark.parametrize("arguments", [(), ("--shard-size", "20")])
def test_queries_of_ndjson_reach_into_it(events: Path, arguments: tuple[str, ...]) -> None:
    sql = "SELECT actor['login'] AS login, count(*) AS n, max(id) AS id FROM input GROUP BY 1 ORDER BY 1"
    rejects = ("--bad-rows", "reject", "--rejects", "bad.csv")
    done = karyaksham("run", sql, "events.txt", *rejects, *arguments, cwd=events)
    assert done.stdout == 'login,n,id\nann,2,6\n"bob ""b""",1,2\neve,30,39\n,1,true\n', done.stderr
    assert "read 35 = passed 34 + rejected 1" in done.stderr
    rejected = (events / "bad.csv").read_text()
    assert "INVALID_JSON" in rejected and "a key comes twice" in rejected and "events.txt,4,4," in rejected


def test_nested_values_come_out_in_every_format(events: Path) -> None:
    for name in ("out.ndjson", "out.csv", "out.parquet", "out.arrow"):
        sql = "SELECT id, actor FROM input WHERE id = '1'"
        done = karyaksham("run", sql, "events.txt", "--bad-rows", "reject", "-o", name, cwd=events)
        assert done.returncode == 0, done.stderr
    nested = {"login": "ann", "tags": ["a", "b"]}
    assert json.loads((events / "out.ndjson").read_text()) == {"id": "1", "actor": nested}
    assert pyarrow.parquet.read_table(events / "out.parquet").to_pylist() == [{"id": "1", "actor": nested}]


def test_ndjson_is_previewed_and_profiled(events: Path) -> None:
    shown = karyaksham("preview", "events.txt", cwd=events)
    assert shown.returncode == 0 and '{"login": "ann", "tags": ["a", "b"]}' in shown.stdout, shown.stderr
    profiled = karyaksham("profile", "events.txt", cwd=events)
    assert profiled.returncode == 0 and "actor" in profiled.stdout, profiled.stderr


def test_inspect_says_dialect_and_types_with_evidence(folder: Path) -> None:
    done = karyaksham("inspect", "orders.csv", "--json", cwd=folder)
    found = json.loads(done.stdout)
    assert found["format"] == "csv" and found["dialect"]["delimiter"] == ","
    types = {column["name"]: column["type"] for column in found["columns"]}
    assert types["id"] == "Int64" and types["amount"].startswith("Decimal128") and types["note"] == "Utf8"
    assert all(column["evidence"] for column in found["columns"])
    assert "amount" in karyaksham("inspect", "orders.csv", cwd=folder).stdout


def test_a_dialect_can_be_given(tmp_path: Path) -> None:
    (tmp_path / "odd.txt").write_bytes(b"a - b\nx y - 1\rz - 2\r\n")
    given = ["--dialect", "delimiter= - ", "--dialect", "line-ending=any", "--dialect", "quote=none"]
    shown = json.loads(karyaksham("inspect", "odd.txt", "--json", *given, cwd=tmp_path).stdout)
    assert shown["dialect"]["delimiter"] == " - " and shown["dialect"]["line_ending"] == "any"
    assert any("as was given" in sentence for sentence in shown["dialect"]["evidence"])
    done = karyaksham("run", "SELECT * FROM input ORDER BY b DESC", "odd.txt", *given, cwd=tmp_path)
    assert done.stdout == "a,b\nz,2\nx y,1\n", done.stderr
    assert "x y" in karyaksham("preview", "odd.txt", *given, cwd=tmp_path).stdout
    for wrong in ("color=red", "quote=ab", "merge-delimiters=maybe", "line-ending=lfcr", "skip-rows=x"):
        failed = karyaksham("inspect", "odd.txt", "--dialect", wrong, cwd=tmp_path)
        assert failed.returncode == 2 and "INVALID_DIALECT" in failed.stderr, failed.stderr


def test_preview_shows_the_first_rows(folder: Path) -> None:
    done = karyaksham("preview", "orders.csv", "--rows", "2", cwd=folder)
    assert done.returncode == 0 and "IN" in done.stdout and "DE" in done.stdout, done.stderr


def test_preview_begins_after_any_number_of_rows(folder: Path) -> None:
    done = karyaksham("preview", "orders.csv", "--offset", "1", "--rows", "1", cwd=folder)
    assert done.returncode == 0 and "DE" in done.stdout and "IN" not in done.stdout, done.stderr
    assert "rows 2 to 2" in done.stdout and "index" not in done.stderr
    dirty = karyaksham("preview", "dirty.csv", "--offset", "1", cwd=folder)
    assert "rows 3 to 14 of 14" in dirty.stdout, "rows that can't be read are counted and not shown"
    beyond = karyaksham("preview", "orders.csv", "--offset", "3", cwd=folder)
    assert beyond.returncode == 0 and "no row that can be read after row 3 of 3" in beyond.stdout
    assert karyaksham("preview", "orders.csv", "--offset", "-1", cwd=folder).returncode == 2


def test_big_files_are_indexed_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    note = "x" * 120
    with (folder / "big.csv").open("w") as file:
        file.write("id,note\n")
        file.writelines(f'{number},"{note}\n"\n' for number in range(550_000))
    first = karyaksham("preview", "big.csv", "--offset", "500000", "--rows", "2", cwd=folder)
    assert "no record index of big.csv yet" in first.stderr, first.stderr
    again = karyaksham("preview", "big.csv", "--offset", "500000", "--rows", "2", cwd=folder)
    assert again.stderr == "" and again.stdout == first.stdout
    assert "500000" in again.stdout and "rows 500,001 to 500,002 of 550,000" in again.stdout
    beyond = karyaksham("preview", "big.csv", "--offset", "600000", cwd=folder)
    assert "after row 550,000 of 550,000" in beyond.stdout and beyond.returncode == 0
    indexed = karyaksham("index", "big.csv", "orders.csv", cwd=folder)
    assert "big.csv: 550,000 rows; record index in " in indexed.stdout, indexed.stderr
    assert "orders.csv: 3 rows; needs no record index" in indexed.stdout
    assert {path.name for path in folder.iterdir()} == {"orders.csv", "dirty.csv", "big.csv", "cache"}


def test_profile_counts_every_column(folder: Path) -> None:
    done = karyaksham("profile", "orders.csv", "--json", cwd=folder)
    profile = {entry["column"]["name"]: entry for entry in json.loads(done.stdout)}
    assert profile["country"]["approx_distinct"] == 2 and profile["note"]["null_count"] == 1
    assert profile["id"]["min"] == 1 and profile["id"]["max"] == 3
    dirty = karyaksham("profile", "dirty.csv", cwd=folder)
    assert "2 rows can't be read" in dirty.stdout, dirty.stderr


def test_run_imports_neither_ray_nor_the_service(folder: Path) -> None:
    script = (
        "import sys; from gateway.cli import main; main(['run', 'SELECT 1 AS one FROM input', 'orders.csv']);"
        "print([n for n in ('ray', 'tortoise', 'strawberry', 'starlette') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.stdout.endswith("[]\n"), done.stdout + done.stderr
