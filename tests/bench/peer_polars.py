"""The workloads in Polars, whose language is expressions: the streaming engine from file to file."""

import os
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

from tests.bench.workloads import TABLES, profile_lines

if TYPE_CHECKING:
    import polars as pl

    from tests.bench.peer import Ask

MIB = 1 << 20


def run(ask: "Ask") -> None:
    os.environ["POLARS_MAX_THREADS"] = str(ask.threads)
    if ask.memory_bytes:
        os.makedirs(ask.spill, exist_ok=True)
        os.environ.update(
            POLARS_TEMP_DIR=ask.spill,
            POLARS_OOC_SPILL_DIR=ask.spill,
            POLARS_OOC_SPILL_POLICY="spill",
            POLARS_OVERRIDE_TOTAL_MEMORY_MB=str(ask.memory_bytes // MIB),
            POLARS_OOC_MEMORY_BUDGET_MB=str(ask.memory_bytes // MIB // 2),
            POLARS_OOC_DISK_BUDGET_MB="20000",
        )
    frame = QUERIES[ask.name](ask)
    if ask.workload.profile:
        from tests.bench.peer import write_rows

        return write_rows(ask, profile_lines(frame.collect(engine="streaming").row(0)))
    if ask.workload.format == "parquet":
        frame.sink_parquet(ask.target, compression="snappy", engine="streaming")
    else:
        frame.sink_csv(ask.target, engine="streaming")


def scan(ask: "Ask", table: str) -> "pl.LazyFrame":
    import polars as pl

    kinds = {"int": pl.Int64(), "float": pl.Float64(), "text": pl.String(), "date": pl.Date()}
    kinds |= {"time": pl.Datetime("us"), "bool": pl.Boolean()}
    kinds |= {"name text": pl.Struct({"name": pl.String}), "size int": pl.Struct({"size": pl.Int64})}
    path, told = ask.path(table), TABLES[table].items()
    schema = {name: kinds["text" if ask.reading == "text" else kind] for name, kind in told}
    if path.endswith(".parquet"):
        return pl.scan_parquet(path)
    if path.endswith(".ndjson"):
        return pl.scan_ndjson(path, schema=None if ask.reading == "auto" else schema)
    if ask.reading == "auto":
        return pl.scan_csv(path, try_parse_dates=True)
    return pl.scan_csv(path, schema=schema)


def day(ask: "Ask", year: int, month: int = 1, of_month: int = 1) -> "date | str":
    """A date as the columns hold it."""
    value = date(year, month, of_month)
    return value.isoformat() if ask.reading == "text" else value


def number(ask: "Ask", name: str, kind: str = "float") -> "pl.Expr":
    import polars as pl

    if ask.reading != "text":
        return pl.col(name)
    return pl.col(name).cast(pl.Int64 if kind == "int" else pl.Float64)


def count(ask: "Ask") -> "pl.LazyFrame":
    import polars as pl

    return scan(ask, "lineitem").select(pl.len().alias("n"))


def selective(ask: "Ask") -> "pl.LazyFrame":
    import polars as pl

    shipped = pl.col("l_shipdate")
    kept = (shipped >= day(ask, 1994)) & (shipped < day(ask, 1995)) & (number(ask, "l_quantity") < 24)
    return scan(ask, "lineitem").filter(kept).select(*ask.workload.result)


def half(ask: "Ask") -> "pl.LazyFrame":
    return scan(ask, "lineitem").filter(number(ask, "l_quantity") <= 25)


def pricing(ask: "Ask") -> "pl.LazyFrame":
    import polars as pl

    quantity, price, discount = pl.col("l_quantity"), pl.col("l_extendedprice"), pl.col("l_discount")
    discounted = price * (1 - discount)
    kept = scan(ask, "lineitem").filter(pl.col("l_shipdate") <= day(ask, 1998, 9, 2))
    groups = kept.group_by(*ask.workload.keys).agg(
        quantity.sum().alias("sum_qty"),
        price.sum().alias("sum_base"),
        discounted.sum().alias("sum_disc"),
        (discounted * (1 + pl.col("l_tax"))).sum().alias("sum_charge"),
        quantity.mean().alias("avg_qty"),
        price.mean().alias("avg_price"),
        discount.mean().alias("avg_disc"),
        pl.len().alias("n"),
    )
    return groups.sort(ask.workload.keys)


def temperatures(ask: "Ask") -> "pl.LazyFrame":
    import polars as pl

    temp = pl.col("temp")
    groups = scan(ask, "stations").group_by("station")
    return groups.agg(
        temp.min().alias("lowest"), temp.mean().alias("mean"), temp.max().alias("highest")
    ).sort("station")


def everything(ask: "Ask") -> "pl.LazyFrame":
    return scan(ask, "lineitem")


def ordered(ask: "Ask") -> "pl.LazyFrame":
    by = [number(ask, "l_extendedprice"), number(ask, "l_orderkey", "int")]
    return scan(ask, "lineitem").sort(by, descending=[True, False])


def distinct(ask: "Ask") -> "pl.LazyFrame":
    return scan(ask, "lineitem").select(*ask.workload.result).unique()


def joined(ask: "Ask") -> "pl.LazyFrame":
    import polars as pl

    received, committed = pl.col("l_receiptdate"), pl.col("l_commitdate")
    kept = scan(ask, "lineitem").filter(
        pl.col("l_shipmode").is_in(["MAIL", "SHIP"])
        & (committed < received)
        & (pl.col("l_shipdate") < committed)
        & (received >= day(ask, 1994))
        & (received < day(ask, 1995))
    )
    urgent = pl.col("o_orderpriority").is_in(["1-URGENT", "2-HIGH"])
    both = scan(ask, "orders").join(kept, left_on="o_orderkey", right_on="l_orderkey")
    groups = both.group_by("l_shipmode").agg(
        urgent.sum().alias("high"), (~urgent).sum().alias("low"), pl.col("o_totalprice").sum().alias("total")
    )
    return groups.sort("l_shipmode")


def by_order(ask: "Ask") -> "pl.LazyFrame":
    import polars as pl

    groups = scan(ask, "lineitem").group_by("l_orderkey")
    return groups.agg(pl.col("l_extendedprice").sum().alias("s"), pl.len().alias("n"))


def refunds(ask: "Ask") -> "pl.LazyFrame":
    import polars as pl

    kept = pl.col("description").str.contains("refund", literal=True)
    return scan(ask, "messy").filter(kept).select(*ask.workload.result)


def pushes(ask: "Ask") -> "pl.LazyFrame":
    import polars as pl

    size = pl.col("payload").struct.field("size")
    kept = scan(ask, "events").filter(pl.col("type") == "PushEvent")
    groups = kept.group_by(pl.col("repo").struct.field("name"))
    return groups.agg(pl.len().alias("n"), size.sum().alias("s"))


def profile(ask: "Ask") -> "pl.LazyFrame":
    import polars as pl

    told = [pl.len().alias("n")]
    for name in TABLES["lineitem"]:
        column = pl.col(name)
        told += [column.count().alias(f"{name}_filled"), column.min().alias(f"{name}_lowest")]
        told += [column.max().alias(f"{name}_highest"), column.approx_n_unique().alias(f"{name}_distinct")]
    return scan(ask, "lineitem").select(told)


QUERIES: "dict[str, Callable[[Ask], pl.LazyFrame]]" = {
    "W1": count,
    "W2": selective,
    "W3": half,
    "W4": pricing,
    "W4P": pricing,
    "W5": temperatures,
    "W6": everything,
    "W7": ordered,
    "W8": distinct,
    "W9": joined,
    "W10": by_order,
    "W11": refunds,
    "W12": pushes,
    "W13": profile,
}
