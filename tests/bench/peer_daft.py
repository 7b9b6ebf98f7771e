"""The workloads in Daft, on its own runner. It has no limit of memory to be told, and writes a folder of files."""

import os
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

from tests.bench.workloads import TABLES, profile_lines

if TYPE_CHECKING:
    from tests.bench.peer import Ask

    Frame = Any
    """daft.DataFrame, which is not installed where types are checked."""


def run(ask: "Ask") -> None:
    os.environ.update(DAFT_ANALYTICS_ENABLED="0", DO_NOT_TRACK="1", DAFT_PROGRESS_BAR="0")
    import daft

    daft.set_runner_native(num_threads=ask.threads)
    frame = QUERIES[ask.name](ask)
    if ask.workload.profile:
        from tests.bench.peer import write_rows

        (row,) = frame.to_pylist()
        return write_rows(ask, profile_lines(tuple(row.values())))
    if ask.workload.format == "parquet":
        frame.write_parquet(ask.target, compression="snappy")
    else:
        frame.write_csv(ask.target)


def scan(ask: "Ask", table: str) -> "Frame":
    import daft
    from daft import DataType

    kinds = {"int": DataType.int64(), "float": DataType.float64(), "text": DataType.string()}
    kinds |= {"date": DataType.date(), "time": DataType.timestamp("us"), "bool": DataType.bool()}
    kinds |= {"name text": DataType.struct({"name": DataType.string()})}
    kinds |= {"size int": DataType.struct({"size": DataType.int64()})}
    path = ask.path(table)
    schema = {name: kinds["text" if ask.reading == "text" else kind] for name, kind in TABLES[table].items()}
    told: dict[str, object] = {"infer_schema": False, "schema": schema}
    if ask.reading == "auto":
        told = {}
    if path.endswith(".parquet"):
        return daft.read_parquet(path)
    if path.endswith(".ndjson"):
        return daft.read_json(path, **told)
    return daft.read_csv(path, **told)


def day(ask: "Ask", year: int, month: int = 1, of_month: int = 1) -> "date | str":
    """A date as the columns hold it."""
    value = date(year, month, of_month)
    return value.isoformat() if ask.reading == "text" else value


def number(ask: "Ask", name: str, kind: str = "float") -> "Any":
    from daft import DataType, col

    if ask.reading != "text":
        return col(name)
    return col(name).cast(DataType.int64() if kind == "int" else DataType.float64())


def count(ask: "Ask") -> "Frame":
    from daft import col

    return scan(ask, "lineitem").agg(col("l_orderkey").count("all").alias("n"))


def selective(ask: "Ask") -> "Frame":
    from daft import col

    shipped = col("l_shipdate")
    kept = (shipped >= day(ask, 1994)) & (shipped < day(ask, 1995)) & (number(ask, "l_quantity") < 24)
    return scan(ask, "lineitem").where(kept).select(*ask.workload.result)


def half(ask: "Ask") -> "Frame":
    return scan(ask, "lineitem").where(number(ask, "l_quantity") <= 25)


def pricing(ask: "Ask") -> "Frame":
    from daft import col

    quantity, price, discount = col("l_quantity"), col("l_extendedprice"), col("l_discount")
    kept = scan(ask, "lineitem").where(col("l_shipdate") <= day(ask, 1998, 9, 2))
    kept = kept.with_column("discounted", price * (1 - discount))
    kept = kept.with_column("charge", col("discounted") * (1 + col("l_tax")))
    return kept.groupby(*ask.workload.keys).agg(
        quantity.sum().alias("sum_qty"),
        price.sum().alias("sum_base"),
        col("discounted").sum().alias("sum_disc"),
        col("charge").sum().alias("sum_charge"),
        quantity.mean().alias("avg_qty"),
        price.mean().alias("avg_price"),
        discount.mean().alias("avg_disc"),
        quantity.count("all").alias("n"),
    )


def temperatures(ask: "Ask") -> "Frame":
    from daft import col

    temp = col("temp")
    groups = scan(ask, "stations").groupby("station")
    return groups.agg(temp.min().alias("lowest"), temp.mean().alias("mean"), temp.max().alias("highest"))


def everything(ask: "Ask") -> "Frame":
    return scan(ask, "lineitem")


def ordered(ask: "Ask") -> "Frame":
    by = [number(ask, "l_extendedprice"), number(ask, "l_orderkey", "int")]
    return scan(ask, "lineitem").sort(by, desc=[True, False])


def distinct(ask: "Ask") -> "Frame":
    return scan(ask, "lineitem").select(*ask.workload.result).distinct()


def joined(ask: "Ask") -> "Frame":
    from daft import DataType, col

    received, committed = col("l_receiptdate"), col("l_commitdate")
    kept = scan(ask, "lineitem").where(
        col("l_shipmode").is_in(["MAIL", "SHIP"])
        & (committed < received)
        & (col("l_shipdate") < committed)
        & (received >= day(ask, 1994))
        & (received < day(ask, 1995))
    )
    both = scan(ask, "orders").join(kept, left_on="o_orderkey", right_on="l_orderkey")
    urgent = col("o_orderpriority").is_in(["1-URGENT", "2-HIGH"]).cast(DataType.int64())
    both = both.with_column("urgent", urgent).with_column("calm", 1 - col("urgent"))
    return both.groupby("l_shipmode").agg(
        col("urgent").sum().alias("high"),
        col("calm").sum().alias("low"),
        col("o_totalprice").sum().alias("total"),
    )


def by_order(ask: "Ask") -> "Frame":
    from daft import col

    price = col("l_extendedprice")
    return scan(ask, "lineitem").groupby("l_orderkey").agg(price.sum().alias("s"), price.count().alias("n"))


def refunds(ask: "Ask") -> "Frame":
    from daft import col

    kept = col("description").contains("refund")
    return scan(ask, "messy").where(kept).select(*ask.workload.result)


def pushes(ask: "Ask") -> "Frame":
    from daft import col

    kept = scan(ask, "events").where(col("type") == "PushEvent")
    named = kept.select(
        col("repo").get("name").alias("name"), col("payload").get("size").alias("size")
    ).groupby("name")
    return named.agg(col("size").count("all").alias("n"), col("size").sum().alias("s"))


def profile(ask: "Ask") -> "Frame":
    from daft import col

    told = [col("l_orderkey").count("all").alias("n")]
    for name in TABLES["lineitem"]:
        column = col(name)
        told += [column.count().alias(f"{name}_filled"), column.min().alias(f"{name}_lowest")]
        told += [
            column.max().alias(f"{name}_highest"),
            column.approx_count_distinct().alias(f"{name}_distinct"),
        ]
    return scan(ask, "lineitem").agg(*told)


QUERIES: "dict[str, Callable[[Ask], Frame]]" = {
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
