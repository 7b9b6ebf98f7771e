"""Whether two result files hold the same rows, in any order, numbers within one part in 10^9.

usage: verify.py WORKLOAD REFERENCE OTHER
Prints the number of rows; says what differs and exits with 1 if they do.
"""

import sys

import numpy as np
import pyarrow as pa
import pyarrow.csv

from tests.bench.workloads import WORKLOADS, Workload

TOLERANCE = 1e-9
TYPES = {"int": pa.int64(), "float": pa.float64(), "text": pa.string()}


def read(path: str, workload: Workload) -> pa.Table:
    """The rows in the order of their keys."""
    types = {name: TYPES[kind] for name, kind in workload.result.items()}
    options = pyarrow.csv.ConvertOptions(column_types=types, strings_can_be_null=True)
    table = pyarrow.csv.read_csv(path, convert_options=options)
    if table.column_names != list(types):
        raise SystemExit(f"columns {table.column_names} instead of {list(types)}")
    return table.sort_by([(key, "ascending") for key in workload.keys])


def difference(workload: Workload, reference: pa.Table, other: pa.Table) -> str | None:
    """What differs first, in words."""
    if reference.num_rows != other.num_rows:
        return f"{other.num_rows} rows instead of {reference.num_rows}"
    for name, kind in workload.result.items():
        expected, found = reference[name], other[name]
        if kind == "float":
            pair = (expected.to_numpy(), found.to_numpy())
            same = bool(np.allclose(*pair, rtol=TOLERANCE, atol=0, equal_nan=True))
        else:
            same = expected.equals(found)
        if not same:
            return f"other values in {name}"
    return None


def main(workload: Workload, reference: str, other: str) -> None:
    expected = read(reference, workload)
    told = difference(workload, expected, read(other, workload))
    print(expected.num_rows)
    if told:
        raise SystemExit(told)


if __name__ == "__main__":
    main(WORKLOADS[sys.argv[1]], *sys.argv[2:])
