"""Files as people get them. Each row gives its right value, or a reject that says where and why; never silence.

What other readers do with the same bytes at their defaults stands beside each.
"""

import csv
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.bench.data_messy import write_messy

from .reading import read


class Dirty(NamedTuple):
    file: bytes
    rows: Sequence[Sequence[Any]]
    rejects: Sequence[tuple[int, str]] = ()
    """Line and code."""
    columns: Sequence[str] = ("id", "word", "n")


LONG = b"".join(b"%d,w,%d\n" % (i, i) for i in range(3000))

DIRTY: dict[str, Dirty] = {
    # Polars fails.
    "a stray quote in a field": Dirty(
        b'id,word,n\n1,5" pipe,7\n2,say "hi",8\n3,plain,9\n',
        [[1, '5" pipe', 7], [2, 'say "hi"', 8], [3, "plain", 9]],
    ),
    # DuckDB: one column, without a word.
    "short and long rows": Dirty(
        b"id,word,n\n1,a,7\n2,b\n3,c,9,10\n4,d,11\n",
        [[1, "a", 7], [4, "d", 11]],
        [(3, "TOO_FEW_COLUMNS"), (4, "TOO_MANY_COLUMNS")],
    ),
    # pyarrow: the whole column becomes text.
    "a bad integer far down": Dirty(
        b"id,word,n\n" + LONG + b"3000,w,oops\n3001,w,12\n",
        [*([i, "w", i] for i in range(3000)), [3001, "w", 12]],
        [(3002, "CAST")],
    ),
    # DuckDB fails.
    "mixed line ends": Dirty(
        b'id,word,n\r\n1,a,7\n2,"b\r\nc",8\r\n3,d,9\n',
        [[1, "a", 7], [2, "b\r\nc", 8], [3, "d", 9]],
    ),
    # Polars: rows of nulls.
    "blank lines": Dirty(b"id,word,n\n\n1,a,7\n\r\n\n2,b,8\n\n", [[1, "a", 7], [2, "b", 8]]),
    "text after a closing quote": Dirty(
        b'id,word,n\n1,"x"junk,7\n2,"y",8\n3,z,9\n', [[2, "y", 8], [3, "z", 9]], [(2, "INVALID_QUOTE")]
    ),
    # pyarrow and DataFusion swallow the rest of the file.
    "a quote that never closes": Dirty(
        b'id,word,n\n1,a,7\n2,"open,8\n3,c,9\n4,"d",10\n5,e,11\n',
        [[1, "a", 7], [3, "c", 9], [4, "d", 10], [5, "e", 11]],
        [(3, "UNTERMINATED_QUOTE")],
    ),
    "quotes escaped by a backslash": Dirty(
        b'id,word,n\n1,"say \\"hi\\", now",7\n2,"a \\"b\\" c",8\n3,"d",9\n',
        [[1, 'say "hi", now', 7], [2, 'a "b" c', 8], [3, "d", 9]],
    ),
    "lines that end with a carriage return alone": Dirty(
        b'id,word,n\r1,a,7\r2,"b\rc",8\r3,d,9\r', [[1, "a", 7], [2, "b\rc", 8], [3, "d", 9]]
    ),
    "names that come twice, or not at all": Dirty(
        b"id,word,word,\n1,a,b,7\n2,c,d,8\n",
        [[1, "a", "b", 7], [2, "c", "d", 8]],
        columns=("id", "word", "word_2", "column_4"),
    ),
    "whole numbers past 64 bits": Dirty(
        b"id,word,n\n1,a,9223372036854775808\n2,b,-99999999999999999999\n3,c,7\n",
        [[1, "a", Decimal(2**63)], [2, "b", Decimal(-99999999999999999999)], [3, "c", Decimal(7)]],
    ),
    # 501 in Polars, pyarrow and DataFusion.
    "leading zeros": Dirty(
        b"id,word,n\n1,00501,7\n2,01234,8\n3,90210,9\n", [[1, "00501", 7], [2, "01234", 8], [3, "90210", 9]]
    ),
    "a byte order mark": Dirty(b"\xef\xbb\xbfid,word,n\n1,a,7\n2,b,8\n", [[1, "a", 7], [2, "b", 8]]),
    "a zero byte": Dirty(
        b"id,word,n\n" + LONG + b"3000,a\x00b,7\n", [*([i, "w", i] for i in range(3000)), [3000, "a\x00b", 7]]
    ),
    "zero bytes in numbers and in quotes": Dirty(
        b"id,word,n\n" + LONG + b'3000,"a,\x00\n",7\n3001,w,\x008\n',
        [*([i, "w", i] for i in range(3000)), [3000, "a,\x00\n", 7]],
        [(3004, "CAST")],
    ),
    # One column in DuckDB and pyarrow.
    "delimiters of two characters": Dirty(
        b'id||word||n\n1||a|b||7\n2||"x||y"||8\n3||||9\n',
        [[1, "a|b", 7], [2, "x||y", 8], [3, None, 9]],
    ),
    "columns aligned with spaces": Dirty(
        b'id   word   n\n 1   "a b" 7\n22   c     8  \n\n 3   d   100\n',
        [[1, "a b", 7], [22, "c", 8], [3, "d", 100]],
    ),
    "spaces before quotes": Dirty(
        b'id, word, n\n1, "a, b", 7\n2, "c", 8\n3,  "d\n", 9\n',
        [[1, "a, b", 7], [2, "c", 8], [3, "d\n", 9]],
    ),
    # A column of nulls, or a failure, elsewhere.
    "delimiters at the ends of lines": Dirty(
        b"id,word,n\n1,a,7,\n2,b,8,\n3,c,9\n4,d,10,\n5,e,11,\n",
        [[1, "a", 7], [2, "b", 8], [4, "d", 10], [5, "e", 11]],
        [(4, "TOO_FEW_COLUMNS")],
    ),
    "escapes at the ends of fields": Dirty(
        b'id,word,n\n1,"c:\\\\",7\n2,"say \\"hi\\"",8\n3,\\,9\n',
        [[1, "c:\\", 7], [2, 'say "hi"', 8], [3, "\\", 9]],
    ),
    "comments with quotes and delimiters": Dirty(
        b'# by "hand\nid,word,n\n1,a,7\n# 2,"b,8\n3,"c\n# d",9\n#\n',
        [[1, "a", 7], [3, "c\n# d", 9]],
    ),
    "an empty field and an empty text": Dirty(
        b'id,word,n\n1,,7\n2,"",8\n3,c,\n4,d,""\n', [[1, None, 7], [2, "", 8], [3, "c", None], [4, "d", None]]
    ),
    "dates that are none": Dirty(
        b"id,word,n\n"
        + b"".join(b"%d,2024-02-%02d,1\n" % (i, i % 28 + 1) for i in range(200))
        + b"200,2024-02-30,1\n",
        [[i, date(2024, 2, i % 28 + 1), 1] for i in range(200)],
        [(202, "CAST")],
    ),
}


@pytest.mark.parametrize("shard_size", [1 << 30, 40])
@pytest.mark.parametrize("name", DIRTY)
def test_each_row_is_right_or_rejected(name: str, shard_size: int, tmp_path: Path) -> None:
    dirty = DIRTY[name]
    path = tmp_path / "dirty.csv"
    path.write_bytes(dirty.file)
    reading = read(path, tmp_path / "run", shard_size=max(shard_size, len(dirty.file) // 50))
    assert reading.table.column_names == list(dirty.columns)
    assert reading.rows == [list(row) for row in dirty.rows]
    assert reading.told == list(dirty.rejects)
    assert all(reject["raw"] and reject["message"] for reject in reading.rejects)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16-le", "utf-16-be"])
def test_text_in_another_encoding_is_right(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "dirty.csv"
    mark = "" if encoding == "latin-1" else "\ufeff"
    path.write_bytes(f"{mark}id,word\n1,café\n2,plain\n3,naïve\n".encode(encoding))
    reading = read(path, tmp_path / "run")
    assert reading.rows == [[1, "café"], [2, "plain"], [3, "naïve"]] and reading.rejects == []
    dialect = reading.sniffed["dialect"]
    assert dialect is not None
    assert dialect["encoding"] == (
        "windows-1252" if encoding == "latin-1" else encoding.replace("-16-", "-16")
    )
    assert any("1252" in sentence or "UTF-16" in sentence for sentence in dialect["evidence"])


@pytest.mark.parametrize("shard_size", [1 << 30, 100_000, 7_001])
def test_line_ends_in_quotes_are_no_rows_however_the_file_is_cut(shard_size: int, tmp_path: Path) -> None:
    path = tmp_path / "messy.csv"
    write_messy(path, 1500)
    with path.open(newline="", encoding="utf-8") as file:
        expected = [[row["id"], row["description"]] for row in csv.DictReader(file)]
    reading = read(path, tmp_path / "run", shard_size=shard_size, sql="SELECT id, description FROM input")
    assert [[str(row[0]), row[1] or ""] for row in reading.rows] == expected
    assert reading.balance.read == 1500
    sql = "SELECT count(*) AS n FROM input WHERE description LIKE '%refund%'"
    counted = read(path, tmp_path / "count", shard_size=shard_size, sql=sql)
    assert counted.rows == [[sum("refund" in row[1] for row in expected)]]
