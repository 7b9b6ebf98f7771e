"""What is measured: files, their columns, queries, and the columns of their results.

Peers import this module within the time that is measured, so it imports next to nothing itself.
"""

from typing import NamedTuple


class Workload(NamedTuple):
    """One query over one file."""

    title: str
    table: str
    sql: str
    """`{table}` stands for the table."""
    text_sql: str | None
    """The same when all columns are read as text, for engines that are faster so; None: not worth it."""
    result: dict[str, str]
    """Columns of the result and their types, as in `TABLES`."""
    keys: list[str]
    """The columns that tell rows of the result apart."""


TABLES: dict[str, dict[str, str]] = {
    "lineitem": {
        "l_orderkey": "int",
        "l_partkey": "int",
        "l_suppkey": "int",
        "l_linenumber": "int",
        "l_quantity": "float",
        "l_extendedprice": "float",
        "l_discount": "float",
        "l_tax": "float",
        "l_returnflag": "text",
        "l_linestatus": "text",
        "l_shipdate": "date",
        "l_commitdate": "date",
        "l_receiptdate": "date",
        "l_shipinstruct": "text",
        "l_shipmode": "text",
        "l_comment": "text",
    },
    "stations": {"station": "text", "temp": "float"},
}
"""Columns of the files and their types: int, float, text, date."""

WORKLOADS: dict[str, Workload] = {
    "W2": Workload(
        title="selective filter, 4 of 16 columns",
        table="lineitem",
        sql="""
            SELECT l_orderkey, l_partkey, l_extendedprice, l_shipmode FROM {table}
            WHERE l_shipdate >= DATE '1994-01-01' AND l_shipdate < DATE '1995-01-01' AND l_quantity < 24""",
        text_sql="""
            SELECT l_orderkey, l_partkey, l_extendedprice, l_shipmode FROM {table}
            WHERE l_shipdate >= '1994-01-01' AND l_shipdate < '1995-01-01'
              AND CAST(l_quantity AS DOUBLE) < 24""",
        result={"l_orderkey": "int", "l_partkey": "int", "l_extendedprice": "float", "l_shipmode": "text"},
        keys=["l_orderkey", "l_partkey", "l_shipmode", "l_extendedprice"],
    ),
    "W4": Workload(
        title="group by two columns (TPC-H Q1)",
        table="lineitem",
        sql="""
            SELECT l_returnflag, l_linestatus, sum(l_quantity) AS sum_qty, sum(l_extendedprice) AS sum_base,
              sum(l_extendedprice * (1 - l_discount)) AS sum_disc,
              sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS sum_charge,
              avg(l_quantity) AS avg_qty, avg(l_extendedprice) AS avg_price, avg(l_discount) AS avg_disc,
              count(*) AS n
            FROM {table} WHERE l_shipdate <= DATE '1998-09-02'
            GROUP BY l_returnflag, l_linestatus ORDER BY l_returnflag, l_linestatus""",
        text_sql=None,
        result={
            "l_returnflag": "text",
            "l_linestatus": "text",
            "sum_qty": "float",
            "sum_base": "float",
            "sum_disc": "float",
            "sum_charge": "float",
            "avg_qty": "float",
            "avg_price": "float",
            "avg_disc": "float",
            "n": "int",
        },
        keys=["l_returnflag", "l_linestatus"],
    ),
    "W5": Workload(
        title="min, mean and max of 50 million rows in 413 groups",
        table="stations",
        sql="""
            SELECT station, min(temp) AS lowest, avg(temp) AS mean, max(temp) AS highest
            FROM {table} GROUP BY station ORDER BY station""",
        text_sql=None,
        result={"station": "text", "lowest": "float", "mean": "float", "highest": "float"},
        keys=["station"],
    ),
}
