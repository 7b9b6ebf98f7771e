"""Whether two results are equal: the same rows in any order, numbers within one part in 10^9.

usage: verify.py WORKLOAD RESULT
Prints the signature of a result (a file, or a folder of files), which is compared with that of another by `difference`:
the rows themselves where there are few; else their number and a sum of a hash of each whole row, so that values that
change places are seen. There fractions are compared as decimals of six digits, sums as cents.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

from tests.bench.workloads import LINEITEM, WORKLOADS, Workload, bound

TOLERANCE = 1e-9
ABOUT = 0.35
"""An estimate of distinct values that is further off is none: the coarsest sketch errs by an eighth."""
TYPES = {"int": "BIGINT", "float": "DOUBLE", "text": "VARCHAR", "date": "DATE", "about": "BIGINT"}
Signature = dict[str, Any]


def sign(workload: Workload, result: Path) -> Signature:
    """What tells a result apart from others."""
    if workload.profile and result.suffix == ".json":
        rows = [ours(column) for column in json.loads(result.read_text())]
        return {"rows": len(rows), "table": by_key(workload, rows)}
    import duckdb

    connection = duckdb.connect()
    files = parts(result)
    scan = source(workload, files)
    if workload.keys:
        rows = [list(row) for row in connection.execute(f"SELECT * FROM {scan}").fetchall()]
        return {"rows": len(rows), "table": by_key(workload, rows)}
    told = ", ".join(hashed(name, kind, workload) for name, kind in workload.result.items())
    row = connection.execute(f"SELECT count(*), sum(hash({told})::HUGEINT)::VARCHAR FROM {scan}").fetchone()
    assert row is not None
    signature = {"rows": row[0], "fingerprint": row[1]}
    if workload.order:
        signature["ordered"] = ordered(connection, workload, files)
    return signature


def parts(result: Path) -> list[Path]:
    """The files of a result that hold rows."""
    if result.is_file():
        return [result]
    found = (path for path in result.rglob("*") if path.is_file() and not path.name.startswith((".", "_")))
    return sorted(path for path in found if path.stat().st_size > 0)


def source(workload: Workload, files: list[Path]) -> str:
    listed = "[" + ", ".join(f"'{file}'" for file in files) + "]"
    if workload.format == "parquet":
        return f"read_parquet({listed})"
    columns = {name: TYPES[kind] for name, kind in workload.result.items()}
    read = "header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"', parallel = false"
    return f"read_csv({listed}, {read}, columns = {columns}, max_line_size = 4000000)"


def hashed(name: str, kind: str, workload: Workload) -> str:
    """A column as it goes into the fingerprint: alike for all engines that got it right."""
    if kind == "int":
        return f"CAST({name} AS BIGINT)"
    if kind == "float":
        return f"CAST({name} AS DECIMAL(18, {2 if name not in LINEITEM else 6}))"
    if kind == "date":
        return f"CAST({name} AS DATE)"
    # Some write an absent text as "".
    return f"coalesce(CAST({name} AS VARCHAR), '')"


def ordered(connection: Any, workload: Workload, files: list[Path]) -> bool:
    """Whether rows stand in order; a folder's files may have names in any order, but must not overlap."""
    import numpy as np

    names = [name.removeprefix("-") for name in workload.order]
    signs = [-1 if name.startswith("-") else 1 for name in workload.order]
    pieces: list[list[Any]] = []
    for file in files:
        found = connection.execute(f"SELECT {', '.join(names)} FROM {source(workload, [file])}").fetchnumpy()
        pieces.append([found[name] * sign for name, sign in zip(names, signs, strict=True)])
    pieces.sort(key=lambda piece: tuple(float(column[0]) for column in piece))
    first, second = (np.concatenate([piece[i] for piece in pieces]) for i in range(2))
    later = (first[:-1] < first[1:]) | ((first[:-1] == first[1:]) & (second[:-1] <= second[1:]))
    return bool(later.all())


def by_key(workload: Workload, rows: list[list[Any]]) -> list[list[Any]]:
    keys = [list(workload.result).index(key) for key in workload.keys]
    return sorted(rows, key=lambda row: [row[key] for key in keys])


def ours(column: dict[str, Any]) -> list[Any]:
    """A column of `karyaksham profile --json` as the others tell it."""
    name = column["column"]["name"]
    lowest, highest = (bound(column[key], LINEITEM[name]) for key in ("min", "max"))
    return [name, column["null_count"], lowest, highest, column["approx_distinct"]]


def difference(workload: Workload, reference: Signature, other: Signature) -> str | None:
    """What differs first, in words."""
    if reference["rows"] != other["rows"]:
        return f"{other['rows']} rows instead of {reference['rows']}"
    if reference.get("fingerprint") != other.get("fingerprint"):
        return "other values"
    if not other.get("ordered", True):
        return "rows out of order"
    for i, (name, kind) in enumerate(workload.result.items()):
        pairs = zip(reference.get("table", []), other.get("table", []), strict=True)
        if not all(same(kind, expected[i], found[i]) for expected, found in pairs):
            return f"other values in {name}"
    return None


def same(kind: str, expected: Any, found: Any) -> bool:
    if expected is None or found is None or kind not in ("float", "about"):
        return bool(expected == found)
    return math.isclose(expected, found, rel_tol=ABOUT if kind == "about" else TOLERANCE)


if __name__ == "__main__":
    print(json.dumps(sign(WORKLOADS[sys.argv[1]], Path(sys.argv[2]))))
