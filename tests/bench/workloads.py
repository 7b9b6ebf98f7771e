"""What is measured: files, their columns, queries, and the columns of their results.

Peers import this module within the time that is measured, so it imports next to nothing itself.
"""

from typing import NamedTuple


class Workload(NamedTuple):
    """One query over one or two files."""

    title: str
    files: tuple[str, ...]
    """`{lineitem}` in the query stands for the file of that stem."""
    sql: str
    """The same words for every engine that speaks SQL."""
    result: dict[str, str]
    """Columns of the result and their types, as in `TABLES`; `about`: an estimate, which need only be near."""
    keys: tuple[str, ...] = ()
    """The columns that tell rows of a small result apart; none: the result is large, and told by a fingerprint."""
    text_sql: str | None = None
    """The same when all columns are read as text, for engines that are faster so; None: not worth it."""
    format: str = "csv"
    """Of the result."""
    order: tuple[str, ...] = ()
    """Columns that the rows of the result are in the order of, `-` before one that falls."""
    profile: bool = False
    """Ours is `karyaksham profile`, which tells more than the query asks for."""
    limited: bool = False
    """Must finish under a limit of memory too."""

    @property
    def tables(self) -> tuple[str, ...]:
        return tuple(file.partition(".")[0] for file in self.files)


def columns(text: str, kind: str) -> dict[str, str]:
    return dict.fromkeys(text.split(), kind)


LINEITEM = {
    **columns("l_orderkey l_partkey l_suppkey l_linenumber", "int"),
    **columns("l_quantity l_extendedprice l_discount l_tax", "float"),
    **columns("l_returnflag l_linestatus", "text"),
    **columns("l_shipdate l_commitdate l_receiptdate", "date"),
    **columns("l_shipinstruct l_shipmode l_comment", "text"),
}
TABLES: dict[str, dict[str, str]] = {
    "lineitem": LINEITEM,
    "orders": {
        **columns("o_orderkey o_custkey", "int"),
        "o_orderstatus": "text",
        "o_totalprice": "float",
        "o_orderdate": "date",
        **columns("o_orderpriority o_clerk", "text"),
        "o_shippriority": "int",
        "o_comment": "text",
    },
    "stations": {"station": "text", "temp": "float"},
    "messy": {
        **columns("id", "int"),
        **columns("uid", "text"),
        **columns("created_at", "time"),
        **columns("signup_date birth_date", "date"),
        **columns("full_name email phone address city country status description notes tags", "text"),
        **columns("meta_json url user_agent ip postal", "text"),
        **{f"n{i:02d}": "int" for i in range(12)},
        **{f"f{i:02d}": "float" for i in range(12)},
        **{f"b{i}": "bool" for i in range(6)},
        **{f"c{i}": "text" for i in range(10)},
    },
    "events": {"type": "text", "repo": "name text", "payload": "size int"},
}
"""Columns of the files and their types: int, float, text, date, time, bool; of events.ndjson only what is asked for,
with objects as the name and type of their one field that is."""

PRICING = """
    SELECT l_returnflag, l_linestatus, sum(l_quantity) AS sum_qty, sum(l_extendedprice) AS sum_base,
      sum(l_extendedprice * (1 - l_discount)) AS sum_disc,
      sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS sum_charge,
      avg(l_quantity) AS avg_qty, avg(l_extendedprice) AS avg_price, avg(l_discount) AS avg_disc,
      count(*) AS n
    FROM {lineitem} WHERE l_shipdate <= DATE '1998-09-02'
    GROUP BY l_returnflag, l_linestatus ORDER BY l_returnflag, l_linestatus"""
PRICED = {
    **columns("l_returnflag l_linestatus", "text"),
    **columns("sum_qty sum_base sum_disc sum_charge avg_qty avg_price avg_disc", "float"),
    "n": "int",
}
FLAGS = ("l_returnflag", "l_linestatus")

WORKLOADS: dict[str, Workload] = {
    "W1": Workload(
        title="count rows",
        files=("lineitem.csv",),
        sql="SELECT count(*) AS n FROM {lineitem}",
        result={"n": "int"},
        keys=("n",),
    ),
    "W2": Workload(
        title="selective filter, 4 of 16 columns",
        files=("lineitem.csv",),
        sql="""
            SELECT l_orderkey, l_partkey, l_extendedprice, l_shipmode FROM {lineitem}
            WHERE l_shipdate >= DATE '1994-01-01' AND l_shipdate < DATE '1995-01-01' AND l_quantity < 24""",
        text_sql="""
            SELECT l_orderkey, l_partkey, l_extendedprice, l_shipmode FROM {lineitem}
            WHERE l_shipdate >= '1994-01-01' AND l_shipdate < '1995-01-01'
              AND CAST(l_quantity AS DOUBLE) < 24""",
        result={"l_orderkey": "int", "l_partkey": "int", "l_extendedprice": "float", "l_shipmode": "text"},
    ),
    "W3": Workload(
        title="filter that keeps half, all columns",
        files=("lineitem.csv",),
        sql="SELECT * FROM {lineitem} WHERE l_quantity <= 25",
        text_sql="SELECT * FROM {lineitem} WHERE CAST(l_quantity AS DOUBLE) <= 25",
        result=LINEITEM,
    ),
    "W4": Workload(
        title="group by two columns (TPC-H Q1)",
        files=("lineitem.csv",),
        sql=PRICING,
        result=PRICED,
        keys=FLAGS,
    ),
    "W4P": Workload(
        title="the same on Parquet",
        files=("lineitem.parquet",),
        sql=PRICING,
        result=PRICED,
        keys=FLAGS,
    ),
    "W5": Workload(
        title="min, mean and max of 50 million rows in 413 groups",
        files=("stations.csv",),
        sql="""
            SELECT station, min(temp) AS lowest, avg(temp) AS mean, max(temp) AS highest
            FROM {stations} GROUP BY station ORDER BY station""",
        result={"station": "text", "lowest": "float", "mean": "float", "highest": "float"},
        keys=("station",),
    ),
    "W6": Workload(
        title="CSV to Parquet, all columns typed",
        files=("lineitem.csv",),
        sql="SELECT * FROM {lineitem}",
        result=LINEITEM,
        format="parquet",
    ),
    "W7": Workload(
        title="sort of the whole file",
        files=("lineitem.csv",),
        sql="SELECT * FROM {lineitem} ORDER BY l_extendedprice DESC, l_orderkey",
        text_sql="""
            SELECT * FROM {lineitem}
            ORDER BY CAST(l_extendedprice AS DOUBLE) DESC, CAST(l_orderkey AS BIGINT)""",
        result=LINEITEM,
        order=("-l_extendedprice", "l_orderkey"),
        limited=True,
    ),
    "W8": Workload(
        title="distinct rows of three columns",
        files=("lineitem.csv",),
        sql="SELECT DISTINCT l_partkey, l_suppkey, l_shipmode FROM {lineitem}",
        result={"l_partkey": "int", "l_suppkey": "int", "l_shipmode": "text"},
        limited=True,
    ),
    "W9": Workload(
        title="join, then group by (like TPC-H Q12)",
        files=("lineitem.csv", "orders.csv"),
        sql="""
            SELECT l_shipmode,
              sum(CASE WHEN o_orderpriority = '1-URGENT' OR o_orderpriority = '2-HIGH' THEN 1 ELSE 0 END) AS high,
              sum(CASE WHEN o_orderpriority <> '1-URGENT' AND o_orderpriority <> '2-HIGH' THEN 1 ELSE 0 END) AS low,
              sum(o_totalprice) AS total
            FROM {orders} JOIN {lineitem} ON o_orderkey = l_orderkey
            WHERE l_shipmode IN ('MAIL', 'SHIP') AND l_commitdate < l_receiptdate AND l_shipdate < l_commitdate
              AND l_receiptdate >= DATE '1994-01-01' AND l_receiptdate < DATE '1995-01-01'
            GROUP BY l_shipmode ORDER BY l_shipmode""",
        result={"l_shipmode": "text", "high": "int", "low": "int", "total": "float"},
        keys=("l_shipmode",),
        limited=True,
    ),
    "W10": Workload(
        title="group by with 1.5 million groups",
        files=("lineitem.csv",),
        sql="SELECT l_orderkey, sum(l_extendedprice) AS s, count(*) AS n FROM {lineitem} GROUP BY l_orderkey",
        result={"l_orderkey": "int", "s": "float", "n": "int"},
        limited=True,
    ),
    "W11": Workload(
        title="text filter on 60 quoted columns with line ends in fields",
        files=("messy.csv",),
        sql="SELECT id, email, country, f00, description FROM {messy} WHERE description LIKE '%refund%'",
        text_sql="SELECT id, email, country, f00, description FROM {messy} WHERE description LIKE '%refund%'",
        result={"id": "int", "email": "text", "country": "text", "f00": "float", "description": "text"},
    ),
    "W12": Workload(
        title="NDJSON filter and group by",
        files=("events.ndjson",),
        sql="""
            SELECT repo['name'] AS name, count(*) AS n, sum(payload['size']) AS s
            FROM {events} WHERE type = 'PushEvent' GROUP BY repo['name']""",
        result={"name": "text", "n": "int", "s": "int"},
        keys=("name",),
    ),
    "W13": Workload(
        title="profile of every column",
        files=("lineitem.csv",),
        sql="SELECT count(*) AS n, "
        + ", ".join(f"count({c}), min({c}), max({c}), approx_distinct({c})" for c in LINEITEM)
        + " FROM {lineitem}",
        result={"column": "text", "nulls": "int", "lowest": "text", "highest": "text", "distinct": "about"},
        keys=("column",),
        profile=True,
    ),
}


def profile_lines(row: "tuple[object, ...]") -> list[list[object]]:
    """The one row of W13 as a line a column, written alike by all: numbers as doubles, dates by their ten letters."""
    lines: list[list[object]] = []
    for i, (name, kind) in enumerate(LINEITEM.items()):
        filled, lowest, highest, distinct = row[1 + 4 * i : 5 + 4 * i]
        nulls = int(str(row[0])) - int(str(filled))
        lines.append([name, nulls, bound(lowest, kind), bound(highest, kind), distinct])
    return lines


def bound(value: object, kind: str) -> str:
    if kind in ("int", "float"):
        return repr(float(str(value)))
    return str(value)[:10] if kind == "date" else str(value)
