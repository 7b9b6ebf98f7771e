"""One query of one workload in one other engine, as a person would write it who knows the engine well.

usage: peer.py ENGINE READING WORKLOAD INPUT OUTPUT THREADS

READING is `typed` (the columns' types are told), `auto` (the engine finds them) or `text` (all columns as text, cast
where the query needs it). The whole process is measured, so an engine is imported only where it is the one that runs.
"""

import os
import sys
from typing import TYPE_CHECKING

from tests.bench.workloads import TABLES, WORKLOADS

if TYPE_CHECKING:
    import polars as pl


def run_duckdb(reading: str, workload: str, source: str, target: str, threads: int) -> None:
    import duckdb

    table, sql = WORKLOADS[workload].table, WORKLOADS[workload].sql
    types = {"int": "BIGINT", "float": "DOUBLE", "text": "VARCHAR", "date": "DATE"}
    columns = {name: types[kind] for name, kind in TABLES[table].items()}
    if reading == "text":
        columns = dict.fromkeys(columns, "VARCHAR")
        sql = WORKLOADS[workload].text_sql or sql
    told = (
        f", header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"', columns = {columns}"
    )
    scan = f"read_csv('{source}'{'' if reading == 'auto' else told})"
    connection = duckdb.connect()
    connection.execute(f"SET threads = {threads}")
    connection.execute(f"COPY ({sql.format(table=scan)}) TO '{target}' (FORMAT csv, HEADER)")


def run_polars(reading: str, workload: str, source: str, target: str, threads: int) -> None:
    os.environ["POLARS_MAX_THREADS"] = str(threads)
    import polars as pl

    types = {"int": pl.Int64, "float": pl.Float64, "text": pl.String, "date": pl.Date}
    schema = {name: types[kind] for name, kind in TABLES[WORKLOADS[workload].table].items()}
    if reading == "auto":
        frame = pl.scan_csv(source, try_parse_dates=True)
    elif reading == "text":
        frame = pl.scan_csv(source, schema=dict.fromkeys(schema, pl.String))
    else:
        frame = pl.scan_csv(source, schema=schema)
    queries = {"W2": filter_in_polars, "W4": group_in_polars, "W5": stations_in_polars}
    queries[workload](frame, reading).sink_csv(target, engine="streaming")


def filter_in_polars(frame: "pl.LazyFrame", reading: str) -> "pl.LazyFrame":
    from datetime import date

    import polars as pl

    day, quantity = pl.col("l_shipdate"), pl.col("l_quantity")
    if reading == "text":
        kept = (day >= "1994-01-01") & (day < "1995-01-01") & (quantity.cast(pl.Float64) < 24)
    else:
        kept = (day >= date(1994, 1, 1)) & (day < date(1995, 1, 1)) & (quantity < 24)
    return frame.filter(kept).select("l_orderkey", "l_partkey", "l_extendedprice", "l_shipmode")


def group_in_polars(frame: "pl.LazyFrame", reading: str) -> "pl.LazyFrame":
    from datetime import date

    import polars as pl

    quantity, price, discount = pl.col("l_quantity"), pl.col("l_extendedprice"), pl.col("l_discount")
    discounted = price * (1 - discount)
    keys = ["l_returnflag", "l_linestatus"]
    groups = frame.filter(pl.col("l_shipdate") <= date(1998, 9, 2)).group_by(keys)
    return groups.agg(
        quantity.sum().alias("sum_qty"),
        price.sum().alias("sum_base"),
        discounted.sum().alias("sum_disc"),
        (discounted * (1 + pl.col("l_tax"))).sum().alias("sum_charge"),
        quantity.mean().alias("avg_qty"),
        price.mean().alias("avg_price"),
        discount.mean().alias("avg_disc"),
        pl.len().alias("n"),
    ).sort(keys)


def stations_in_polars(frame: "pl.LazyFrame", reading: str) -> "pl.LazyFrame":
    import polars as pl

    temp = pl.col("temp")
    groups = frame.group_by("station")
    return groups.agg(
        temp.min().alias("lowest"), temp.mean().alias("mean"), temp.max().alias("highest")
    ).sort("station")


ENGINES = {"duckdb": run_duckdb, "polars": run_polars}

if __name__ == "__main__":
    engine, reading, workload, source, target, threads = sys.argv[1:]
    ENGINES[engine](reading, workload, source, target, int(threads))
