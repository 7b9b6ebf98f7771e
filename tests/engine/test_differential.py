"""The same files read by DuckDB, Polars and pyarrow: the same names, rows and values, or a difference that is known.

Real tables come from packages (`tests/engine/tables.txt`), others are generated. Every reader finds out by itself what
a file is. Values are compared as values: 2.50 the decimal is 2.5 the double, a date is its midnight. What differs must
be in `KNOWN`, with who is right and why; a difference that is gone must leave it.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import polars as pl
import pyarrow.csv
import pytest

from .reading import Reading, read

TABLES = Path(__file__).resolve().parents[2] / ".venv" / "tables"
"""Where `make test` puts the packages that hold tables: nothing of them is imported."""
ROWS = 400
Answer = tuple[Sequence[str], Sequence[Sequence[Any]]]
"""Names of columns, and rows."""


def by_duckdb(path: Path) -> Answer:
    found = duckdb.sql(f"FROM read_csv('{path}', sample_size = -1)")
    return found.columns, found.fetchall()


def by_polars(path: Path) -> Answer:
    frame = pl.read_csv(path, infer_schema_length=None, try_parse_dates=True)
    return frame.columns, frame.rows()


def by_pyarrow(path: Path) -> Answer:
    parse = pyarrow.csv.ParseOptions(newlines_in_values=True)
    convert = pyarrow.csv.ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False)
    table = pyarrow.csv.read_csv(path, parse_options=parse, convert_options=convert)
    return table.column_names, list(zip(*(column.to_pylist() for column in table.columns), strict=True))


OTHERS: dict[str, Callable[[Path], Answer]] = {
    "duckdb": by_duckdb,
    "polars": by_polars,
    "pyarrow": by_pyarrow,
}
REFUSALS = (duckdb.Error, pl.exceptions.PolarsError, pyarrow.lib.ArrowException)


class Known(NamedTuple):
    """A difference, and why it is none of ours (or that it is)."""

    table: str
    readers: str
    what: str
    """`refused`, `names`, `rows`, or the name of a column."""
    why: str


SLASHES = "We read dates in ISO 8601 only: 2012/01/01 stays text, which loses nothing; the others guess."
DIALECT = "They do not look for a delimiter: the whole line becomes one column."
SPACES = "Fields are parted by spaces, which only we find; for the others a line is one column."
PREAMBLE = "They do not skip the lines before the table; with us they are skipped, or rejected and listed."
KNOWN = (
    Known("anes96/anes96.csv", "polars pyarrow", "names", DIALECT),
    Known("modechoice/modechoice.csv", "polars pyarrow", "names", DIALECT),
    Known("macrodata/src/unemp.csv", "duckdb", "names", PREAMBLE),
    Known("macrodata/src/unemp.csv", "polars pyarrow", "refused", PREAMBLE),
    Known("scotland/src/scotland_population.csv", "duckdb", "names", PREAMBLE),
    Known("scotland/src/scotland_population.csv", "polars pyarrow", "refused", PREAMBLE),
    Known("anes96/src/anes96.csv", "duckdb polars pyarrow", "names", SPACES),
    Known("interest_inflation/E6_jmulti.csv", "duckdb polars pyarrow", "names", SPACES),
    Known("scotland/src/scotvote.csv", "duckdb pyarrow", "names", SPACES),
    Known("scotland/src/scotvote.csv", "polars", "refused", SPACES),
    Known("spector/spector.csv", "duckdb polars pyarrow", "names", SPACES),
    Known(
        "strikes/strikes.csv",
        "polars",
        "iprod",
        "A blank before each number: it reads text, we a number, as DuckDB and pyarrow do.",
    ),
    Known(
        "airports.csv", "pyarrow", "city", "It reads the letters NA as null; with us only an empty field is."
    ),
    Known("airports.csv", "pyarrow", "state", "As above."),
    Known("codes", "polars pyarrow", "postal", "They drop leading zeros: 00501 becomes 501."),
    Known(
        "codes",
        "pyarrow",
        "phone",
        "It reads +911234567890 as a number; a number that writes its + is text to us.",
    ),
    Known("seattle-temps.csv", "duckdb polars", "date", SLASHES),
    Known("seattle-weather.csv", "duckdb polars", "date", SLASHES),
    Known("sf-temps.csv", "duckdb polars", "date", SLASHES),
)


def alike(value: Any) -> Any:
    """A value as it compares over readers and types."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float | Decimal):
        return "nan" if value != value else float(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ").removesuffix(" 00:00:00")
    return value.isoformat() if isinstance(value, date) else value


def differences(path: Path, ours: Reading) -> set[tuple[str, str]]:
    """Reader and what is different with it."""
    found: set[tuple[str, str]] = set()
    for reader, answer in OTHERS.items():
        try:
            names, rows = answer(path)
        except REFUSALS:
            found.add((reader, "refused"))
            continue
        if list(names) != ours.table.column_names:
            found.add((reader, "names"))
        elif len(rows) != len(ours.rows):
            found.add((reader, "rows"))
        else:
            for name, expected, told in zip(names, columns(ours.rows), columns(rows), strict=True):
                if expected != told:
                    found.add((reader, name))
    return found


def columns(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [[alike(value) for value in column] for column in zip(*rows, strict=True)]


def known(table: str) -> set[tuple[str, str]]:
    listed = (entry for entry in KNOWN if entry.table == table)
    return {(reader, entry.what) for entry in listed for reader in entry.readers.split()}


def real_tables() -> dict[str, Path]:
    vega, stats = TABLES / "vega_datasets" / "_data", TABLES / "statsmodels" / "datasets"
    found = {path.name: path for path in sorted(vega.glob("*.csv"))}
    return found | {str(path.relative_to(stats)): path for path in sorted(stats.rglob("*.csv"))}


def test_the_packages_of_tables_are_there() -> None:
    assert len(real_tables()) == 47, "make .venv/stamps/tables installs them"
    assert {entry.table for entry in KNOWN} <= set(real_tables()) | set(GENERATED)


@pytest.mark.parametrize("table", real_tables())
def test_a_real_table_reads_as_it_does_elsewhere(table: str, tmp_path: Path) -> None:
    path = real_tables()[table]
    whole = read(path, tmp_path / "whole")
    assert differences(path, whole) == known(table)
    cut = read(path, tmp_path / "cut", shard_size=max(path.stat().st_size // 7, 200))
    assert (cut.rows, cut.told) == (whole.rows, whole.told)


def texts(pool: str, longest: int = 12) -> Callable[[random.Random], str]:
    return lambda draw: "".join(draw.choice(pool) for _ in range(draw.randint(1, longest)))


def day(draw: random.Random) -> date:
    return date(1970, 1, 1) + timedelta(days=draw.randint(-20_000, 20_000))


def moment(draw: random.Random) -> str:
    return f"{day(draw)} {draw.randint(0, 23):02}:{draw.randint(0, 59):02}:{draw.randint(0, 59):02}"


def decimal(draw: random.Random) -> str:
    return f"{draw.randint(-(10**7), 10**7)}.{draw.randint(0, 99):02}"


LETTERS = "abcdefghij"
GENERATED: dict[str, dict[str, Callable[[random.Random], object]]] = {
    "numbers": {
        "whole": lambda draw: draw.randint(-(2**62), 2**62),
        "small": lambda draw: draw.randint(-9, 9),
        "money": decimal,
        "double": lambda draw: repr(draw.gauss(0, 1e6)),
        "tiny": lambda draw: f"{draw.uniform(1, 10):.15e}".replace("e+00", f"e-{draw.randint(10, 300)}"),
        "rate": lambda draw: f"0.{draw.randint(0, 10**9):09}",
    },
    "times": {"id": lambda draw: draw.randint(1, 10**6), "day": day, "moment": moment},
    "flags": {
        "id": lambda draw: draw.randint(1, 10**6),
        "flag": lambda draw: draw.choice(["true", "false"]),
        "word": texts(LETTERS),
    },
    "quoted": {
        "id": lambda draw: draw.randint(1, 10**6),
        "prose": texts('ab ,"\n;\t|', 40),
        "lines": texts("x\n\r\n", 6),
        "plain": texts(LETTERS),
    },
    "unicode": {
        "id": lambda draw: draw.randint(1, 10**6),
        "word": texts("äöüßéñçøåłžşğकखगअआ東京深圳Москва😀🚀 \u200d\u00a0"),
        "Straße": texts("aé"),
    },
    "codes": {
        "postal": lambda draw: f"{draw.randint(0, 99999):05}",
        "uuid": lambda draw: f"{draw.getrandbits(128):032x}",
        "phone": lambda draw: f"+{draw.randint(10**10, 10**11)}",
        "version": lambda draw: f"{draw.randint(0, 9)}.{draw.randint(0, 9)}.{draw.randint(0, 9)}",
    },
    "long": {"id": lambda draw: draw.randint(1, 10**6), "essay": texts(LETTERS + ' ,"\n', 9000)},
    "wide": {f"column_{n}": lambda draw: draw.randint(0, 999) for n in range(1, 601)},
}
"""Columns of each table, and how their values are drawn."""


def record(fields: Iterable[str]) -> str:
    """Quoted as RFC 4180 asks for; Python's own writer leaves a lone carriage return bare."""
    return ",".join(
        '"' + field.replace('"', '""') + '"' if set(field) & set(',"\r\n') else field for field in fields
    )


@pytest.mark.parametrize("nulls", [0.0, 0.2])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("table", GENERATED)
def test_a_generated_table_reads_as_it_does_elsewhere(
    table: str, end: str, nulls: float, tmp_path: Path
) -> None:
    path, draw = tmp_path / f"{table}.csv", random.Random(f"{table}{end}{nulls}")  # noqa: S311 - not a secret
    shape = GENERATED[table]
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(record(shape) + end)
        # The first column is always there: a record of nothing would be a blank line.
        for _ in range(ROWS if len(shape) < 100 else 40):
            drawn = [str(make(draw)) for make in shape.values()]
            file.write(
                record([*drawn[:1], *("" if draw.random() < nulls else text for text in drawn[1:])]) + end
            )
    whole = read(path, tmp_path / "whole")
    assert whole.rejects == []
    assert differences(path, whole) == known(table)
    cut = read(path, tmp_path / "cut", shard_size=max(path.stat().st_size // 7, 2000))
    assert (cut.rows, cut.told) == (whole.rows, whole.told)
