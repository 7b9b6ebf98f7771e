"""Text in other encodings than UTF-8, through the Python surface."""

from pathlib import Path

import pytest

import karyaksham_engine as engine

from .conftest import Runner

TEXT = "stadt,größe\n" + "".join(f"München {n},{n} €\n" for n in range(900))
SQL = "SELECT stadt, \"größe\" FROM t WHERE stadt LIKE 'München 7%'"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "windows-1252"])
def test_an_encoding_is_found_and_gives_what_utf8_gives(runner: Runner, encoding: str) -> None:
    plain = runner.run(runner.job(SQL, runner.source("t", TEXT)))
    path = runner.folder / "t.txt"
    path.write_bytes(TEXT.encode(encoding))
    source = runner.inspected("t", path)
    assert source["dialect"] is not None
    found = {"windows-1252": "windows-1252"}.get(encoding, "utf-16le")
    assert source["dialect"]["encoding"] == found
    runner.outcomes.clear()
    assert runner.run(runner.job(SQL, source, shard_size=1000)) == plain
    assert (len(runner.outcomes) > 10) == (encoding == "windows-1252")
    ends = [outcome.report["end"] for outcome in runner.outcomes if outcome.report is not None]
    assert ends[-1] == (path.stat().st_size if encoding == "windows-1252" else len(TEXT.encode()))


def test_an_encoding_that_is_given_holds(runner: Runner, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("id,name\n1,東京表\n".encode("shift_jis"))
    found = engine.sniff(str(path), dialect={"encoding": "Shift-JIS"})
    assert found["dialect"] is not None and found["dialect"]["encoding"] == "shift_jis"
    source = runner.inspected("t", path)
    source["dialect"], source["columns"] = found["dialect"], found["columns"]
    assert runner.run(runner.job("SELECT name FROM t", source)) == "name\n東京表\n"
    assert engine.preview(source)["rows"] == [[1, "東京表"]]
    with pytest.raises(engine.SourceError, match="no encoding called"):
        engine.sniff(str(path), dialect={"encoding": "klingon"})


def test_a_bad_byte_is_a_reject_with_its_text(runner: Runner) -> None:
    path = runner.folder / "t.csv"
    rows = "".join(f"{n},grün\n" for n in range(40)).encode()
    path.write_bytes(b"id,word\n" + rows + b"40,gr\xfcn\n41,rot\n")
    source = runner.inspected("t", path)
    assert source["dialect"] is not None and source["dialect"]["encoding"] == "utf-8"
    runner.run(runner.job("SELECT word FROM t", source, policy="REJECT_ROW"))
    report = runner.outcomes[0].report
    assert report is not None and (report["rows_passed"], report["rows_rejected"]) == (41, 1)
    reject = runner.outcomes[0].first_reject
    assert reject is not None and reject["code"] == "INVALID_ENCODING"
    assert reject["raw"] == "40,gr\N{REPLACEMENT CHARACTER}n"
