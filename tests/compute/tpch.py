"""The eight tables of TPC-H, small, and its 22 queries.

The tables have the shape of dbgen's: the same columns, keys and domains. The domains are narrower, so that tables of
some thousand rows have answers to every query, for which some constants of the queries are other than the standard's.
Four tables are CSV and four Parquet, as files of a job may be.
"""

import random
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

CUSTOMERS: Final = 150
ORDERS: Final = 1500
PARTS: Final = 200
SUPPLIERS: Final = 40
REGIONS: Final = ("AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST")
NATIONS: Final = (
    ("ALGERIA", 0), ("ARGENTINA", 1), ("BRAZIL", 1), ("CANADA", 1), ("EGYPT", 4), ("ETHIOPIA", 0), ("FRANCE", 3),
    ("GERMANY", 3), ("INDIA", 2), ("INDONESIA", 2), ("IRAN", 4), ("IRAQ", 4), ("JAPAN", 2), ("JORDAN", 4),
    ("KENYA", 0), ("MOROCCO", 0), ("MOZAMBIQUE", 0), ("PERU", 1), ("CHINA", 2), ("ROMANIA", 3),
    ("SAUDI ARABIA", 4), ("VIETNAM", 2), ("RUSSIA", 3), ("UNITED KINGDOM", 3), ("UNITED STATES", 1),
)  # fmt: skip
SEGMENTS: Final = ("AUTOMOBILE", "BUILDING", "FURNITURE", "HOUSEHOLD", "MACHINERY")
PRIORITIES: Final = ("1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW")
MODES: Final = ("AIR", "FOB", "MAIL", "RAIL", "AIR REG", "SHIP", "TRUCK")
INSTRUCTIONS: Final = ("COLLECT COD", "DELIVER IN PERSON", "NONE", "TAKE BACK RETURN")
COLORS: Final = ("almond", "azure", "forest", "green", "ivory", "lemon", "navy")
TYPES: Final = (("ECONOMY", "MEDIUM", "PROMO"), ("ANODIZED", "POLISHED"), ("BRASS", "STEEL", "TIN"))
CONTAINERS: Final = ("SM CASE", "MED BOX", "MED BAG", "LG CASE", "LG BOX")
BRANDS: Final = ("Brand#12", "Brand#23", "Brand#34", "Brand#45")
WORDS: Final = (
    "carefully",
    "final",
    'packages, "bold"',
    "sleep",
    "quickly\nabove",
    "the",
    "deposits",
    "naïve",
)
FIRST_DAY: Final = date(1992, 1, 1)
IN_PARQUET: Final = ("lineitem", "customer", "part", "nation")

Rows = list[tuple[Any, ...]]
Draw = random.Random


def _comment(draw: Draw, *rare: str) -> str:
    words = [draw.choice(WORDS) for _ in range(draw.randint(1, 5))]
    return " ".join([*words, *(rare if draw.random() < 0.1 else ())])


def _money(draw: Draw, least: int, most: int) -> Decimal:
    return Decimal(draw.randint(least * 100, most * 100)).scaleb(-2)


def _phone(nation: int, number: int) -> str:
    return f"{nation + 10}-{number % 900 + 100}-555-{number:04}"


def region(draw: Draw) -> Rows:
    return [(key, name, _comment(draw)) for key, name in enumerate(REGIONS)]


def nation(draw: Draw) -> Rows:
    return [(key, name, region, _comment(draw)) for key, (name, region) in enumerate(NATIONS)]


def supplier(draw: Draw) -> Rows:
    # All nations have some, the few that queries name have more.
    nations = [(*range(25), 3, 6, 7, 7, 20, 20)[n % 31] for n in range(SUPPLIERS)]
    return [
        (n + 1, f"Supplier#{n + 1:09}", _comment(draw), nations[n], _phone(nations[n], n), _money(draw, -999, 9999),
         _comment(draw, "Customer", "some", "Complaints"))
        for n in range(SUPPLIERS)
    ]  # fmt: skip


def part(draw: Draw) -> Rows:
    return [
        (n + 1, " ".join(draw.sample(COLORS, 3)), f"Manufacturer#{n % 5 + 1}", draw.choice(BRANDS),
         " ".join(draw.choice(words) for words in TYPES), draw.randint(1, 20), draw.choice(CONTAINERS),
         Decimal(90_000 + n * 10).scaleb(-2), _comment(draw))
        for n in range(PARTS)
    ]  # fmt: skip


def supplier_of(part: int, which: int) -> int:
    return (part * 7 + which * (SUPPLIERS // 4 + part % 3)) % SUPPLIERS + 1


def partsupp(draw: Draw) -> Rows:
    return [
        (part, supplier, draw.randint(1, 300), _money(draw, 1, 1000), _comment(draw))
        for part in range(1, PARTS + 1)
        for supplier in sorted({supplier_of(part, which) for which in range(4)})
    ]


def customer(draw: Draw) -> Rows:
    made: Rows = []
    for n in range(CUSTOMERS):
        home = draw.randrange(25)
        made.append(
            (n + 1, f"Customer#{n + 1:09}", _comment(draw), home, _phone(home, n), _money(draw, -999, 9999),
             draw.choice(SEGMENTS), _comment(draw))
        )  # fmt: skip
    return made


def orders(draw: Draw) -> Rows:
    """Every third customer has none."""
    made: Rows = []
    for n in range(ORDERS):
        buyer = draw.randrange(1, CUSTOMERS + 1)
        buyer += buyer % 3 == 0
        day = FIRST_DAY + timedelta(days=draw.randrange(2400))
        made.append(
            (n * 4 + 1, min(buyer, CUSTOMERS - 1), draw.choice("FOP"), _money(draw, 900, 400_000), day,
             draw.choice(PRIORITIES), f"Clerk#{n % 10:09}", 0, _comment(draw, "special", "and", "requests"))
        )  # fmt: skip
    return made


def lineitem(draw: Draw) -> Rows:
    made: Rows = []
    days = {row[0]: row[4] for row in orders(draw_of("orders"))}
    for order, day in days.items():
        for line in range(draw.randint(1, 7)):
            item = draw.randint(1, PARTS)
            quantity = draw.randint(1, 50)
            shipped = day + timedelta(days=draw.randint(1, 121))
            due = day + timedelta(days=draw.randint(30, 90))
            received = shipped + timedelta(days=draw.randint(1, 30))
            made.append(
                (order, item, supplier_of(item, draw.randrange(4)), line + 1, Decimal(quantity * 100).scaleb(-2),
                 quantity * Decimal(90_000 + (item - 1) * 10).scaleb(-2), Decimal(draw.randint(0, 10)).scaleb(-2),
                 Decimal(draw.randint(0, 8)).scaleb(-2), draw.choice("ANR"), draw.choice("FO"), shipped, due,
                 received, draw.choice(INSTRUCTIONS), draw.choice(MODES), _comment(draw))
            )  # fmt: skip
    return made


TABLES: Final[dict[str, tuple[Callable[[Draw], Rows], str]]] = {
    "region": (region, "r_regionkey:int r_name r_comment"),
    "nation": (nation, "n_nationkey:int n_name n_regionkey:int n_comment"),
    "supplier": (
        supplier,
        "s_suppkey:int s_name s_address s_nationkey:int s_phone s_acctbal:money s_comment",
    ),
    "part": (
        part,
        "p_partkey:int p_name p_mfgr p_brand p_type p_size:int p_container p_retailprice:money p_comment",
    ),
    "partsupp": (
        partsupp,
        "ps_partkey:int ps_suppkey:int ps_availqty:int ps_supplycost:money ps_comment",
    ),
    "customer": (
        customer,
        "c_custkey:int c_name c_address c_nationkey:int c_phone c_acctbal:money c_mktsegment c_comment",
    ),
    "orders": (
        orders,
        "o_orderkey:int o_custkey:int o_orderstatus o_totalprice:money o_orderdate:date o_orderpriority o_clerk "
        "o_shippriority:int o_comment",
    ),
    "lineitem": (
        lineitem,
        "l_orderkey:int l_partkey:int l_suppkey:int l_linenumber:int l_quantity:money l_extendedprice:money "
        "l_discount:money l_tax:money l_returnflag l_linestatus l_shipdate:date l_commitdate:date l_receiptdate:date "
        "l_shipinstruct l_shipmode l_comment",
    ),
}
"""How the rows of each are made, and its columns with their types."""

_ARROW: Final = {"int": pa.int64(), "money": pa.decimal128(15, 2), "date": pa.date32(), "": pa.string()}


def draw_of(table: str) -> Draw:
    return Draw(table)


def table(name: str) -> pa.Table:
    make, columns = TABLES[name]
    fields = [column.partition(":")[::2] for column in columns.split()]
    schema = pa.schema([(field, _ARROW[type]) for field, type in fields])
    values = zip(*make(draw_of(name)), strict=True)
    arrays = [pa.array(column, field.type) for column, field in zip(values, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def write(folder: Path) -> dict[str, Path]:
    """All tables as files."""
    paths = {}
    for name in TABLES:
        rows = table(name)
        if name in IN_PARQUET:
            paths[name] = folder / f"{name}.parquet"
            pyarrow.parquet.write_table(rows, paths[name], row_group_size=max(len(rows) // 16, 1))
        else:
            paths[name] = folder / f"{name}.csv"
            pyarrow.csv.write_csv(rows, paths[name])
    return paths


QUERIES: Final = {
    1: """
SELECT l_returnflag, l_linestatus, sum(l_quantity) AS sum_qty, sum(l_extendedprice) AS sum_base_price,
    sum(l_extendedprice * (1 - l_discount)) AS sum_disc_price,
    sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS sum_charge, avg(l_quantity) AS avg_qty,
    avg(l_extendedprice) AS avg_price, avg(l_discount) AS avg_disc, count(*) AS count_order
FROM lineitem WHERE l_shipdate <= date '1998-12-01' - interval '90' day
GROUP BY l_returnflag, l_linestatus ORDER BY l_returnflag, l_linestatus""",
    2: """
SELECT s_acctbal, s_name, n_name, p_partkey, p_mfgr, s_address, s_phone, s_comment
FROM part, supplier, partsupp, nation, region
WHERE p_partkey = ps_partkey AND s_suppkey = ps_suppkey AND p_size < 15 AND p_type LIKE '%BRASS'
    AND s_nationkey = n_nationkey AND n_regionkey = r_regionkey AND r_name = 'EUROPE'
    AND ps_supplycost = (SELECT min(ps_supplycost) FROM partsupp, supplier, nation, region
        WHERE p_partkey = ps_partkey AND s_suppkey = ps_suppkey AND s_nationkey = n_nationkey
            AND n_regionkey = r_regionkey AND r_name = 'EUROPE')
ORDER BY s_acctbal DESC, n_name, s_name, p_partkey LIMIT 100""",
    3: """
SELECT l_orderkey, sum(l_extendedprice * (1 - l_discount)) AS revenue, o_orderdate, o_shippriority
FROM customer, orders, lineitem
WHERE c_mktsegment = 'BUILDING' AND c_custkey = o_custkey AND l_orderkey = o_orderkey
    AND o_orderdate < date '1995-03-15' AND l_shipdate > date '1995-03-15'
GROUP BY l_orderkey, o_orderdate, o_shippriority ORDER BY revenue DESC, o_orderdate LIMIT 10""",
    4: """
SELECT o_orderpriority, count(*) AS order_count FROM orders
WHERE o_orderdate >= date '1993-07-01' AND o_orderdate < date '1993-07-01' + interval '3' month
    AND EXISTS (SELECT * FROM lineitem WHERE l_orderkey = o_orderkey AND l_commitdate < l_receiptdate)
GROUP BY o_orderpriority ORDER BY o_orderpriority""",
    5: """
SELECT n_name, sum(l_extendedprice * (1 - l_discount)) AS revenue
FROM customer, orders, lineitem, supplier, nation, region
WHERE c_custkey = o_custkey AND l_orderkey = o_orderkey AND l_suppkey = s_suppkey AND c_nationkey = s_nationkey
    AND s_nationkey = n_nationkey AND n_regionkey = r_regionkey AND r_name = 'ASIA'
    AND o_orderdate >= date '1994-01-01' AND o_orderdate < date '1994-01-01' + interval '3' year
GROUP BY n_name ORDER BY revenue DESC""",
    6: """
SELECT sum(l_extendedprice * l_discount) AS revenue FROM lineitem
WHERE l_shipdate >= date '1994-01-01' AND l_shipdate < date '1994-01-01' + interval '1' year
    AND l_discount BETWEEN 0.06 - 0.01 AND 0.06 + 0.01 AND l_quantity < 24""",
    7: """
SELECT supp_nation, cust_nation, l_year, sum(volume) AS revenue
FROM (SELECT n1.n_name AS supp_nation, n2.n_name AS cust_nation, extract(year FROM l_shipdate) AS l_year,
        l_extendedprice * (1 - l_discount) AS volume
    FROM supplier, lineitem, orders, customer, nation n1, nation n2
    WHERE s_suppkey = l_suppkey AND o_orderkey = l_orderkey AND c_custkey = o_custkey
        AND s_nationkey = n1.n_nationkey AND c_nationkey = n2.n_nationkey
        AND ((n1.n_name = 'FRANCE' AND n2.n_name = 'GERMANY') OR (n1.n_name = 'GERMANY' AND n2.n_name = 'FRANCE'))
        AND l_shipdate BETWEEN date '1995-01-01' AND date '1996-12-31') AS shipping
GROUP BY supp_nation, cust_nation, l_year ORDER BY supp_nation, cust_nation, l_year""",
    8: """
SELECT o_year, sum(CASE WHEN nation = 'BRAZIL' THEN volume ELSE 0 END) / sum(volume) AS mkt_share
FROM (SELECT extract(year FROM o_orderdate) AS o_year, l_extendedprice * (1 - l_discount) AS volume,
        n2.n_name AS nation
    FROM part, supplier, lineitem, orders, customer, nation n1, nation n2, region
    WHERE p_partkey = l_partkey AND s_suppkey = l_suppkey AND l_orderkey = o_orderkey AND o_custkey = c_custkey
        AND c_nationkey = n1.n_nationkey AND n1.n_regionkey = r_regionkey AND r_name = 'AMERICA'
        AND s_nationkey = n2.n_nationkey AND o_orderdate BETWEEN date '1995-01-01' AND date '1996-12-31'
        AND p_type LIKE 'ECONOMY%STEEL') AS all_nations
GROUP BY o_year ORDER BY o_year""",
    9: """
SELECT nation, o_year, sum(amount) AS sum_profit
FROM (SELECT n_name AS nation, extract(year FROM o_orderdate) AS o_year,
        l_extendedprice * (1 - l_discount) - ps_supplycost * l_quantity AS amount
    FROM part, supplier, lineitem, partsupp, orders, nation
    WHERE s_suppkey = l_suppkey AND ps_suppkey = l_suppkey AND ps_partkey = l_partkey AND p_partkey = l_partkey
        AND o_orderkey = l_orderkey AND s_nationkey = n_nationkey AND p_name LIKE '%green%') AS profit
GROUP BY nation, o_year ORDER BY nation, o_year DESC""",
    10: """
SELECT c_custkey, c_name, sum(l_extendedprice * (1 - l_discount)) AS revenue, c_acctbal, n_name, c_address,
    c_phone, c_comment
FROM customer, orders, lineitem, nation
WHERE c_custkey = o_custkey AND l_orderkey = o_orderkey AND o_orderdate >= date '1993-10-01'
    AND o_orderdate < date '1993-10-01' + interval '3' month AND l_returnflag = 'R' AND c_nationkey = n_nationkey
GROUP BY c_custkey, c_name, c_acctbal, c_phone, n_name, c_address, c_comment ORDER BY revenue DESC LIMIT 20""",
    11: """
SELECT ps_partkey, sum(ps_supplycost * ps_availqty) AS value FROM partsupp, supplier, nation
WHERE ps_suppkey = s_suppkey AND s_nationkey = n_nationkey AND n_name = 'GERMANY'
GROUP BY ps_partkey HAVING sum(ps_supplycost * ps_availqty) > (
    SELECT sum(ps_supplycost * ps_availqty) * 0.02 FROM partsupp, supplier, nation
    WHERE ps_suppkey = s_suppkey AND s_nationkey = n_nationkey AND n_name = 'GERMANY')
ORDER BY value DESC""",
    12: """
SELECT l_shipmode,
    sum(CASE WHEN o_orderpriority = '1-URGENT' OR o_orderpriority = '2-HIGH' THEN 1 ELSE 0 END) AS high_line_count,
    sum(CASE WHEN o_orderpriority <> '1-URGENT' AND o_orderpriority <> '2-HIGH' THEN 1 ELSE 0 END) AS low_line_count
FROM orders, lineitem
WHERE o_orderkey = l_orderkey AND l_shipmode IN ('MAIL', 'SHIP') AND l_commitdate < l_receiptdate
    AND l_shipdate < l_commitdate AND l_receiptdate >= date '1994-01-01'
    AND l_receiptdate < date '1994-01-01' + interval '1' year
GROUP BY l_shipmode ORDER BY l_shipmode""",
    13: """
SELECT c_count, count(*) AS custdist
FROM (SELECT c_custkey, count(o_orderkey) FROM customer LEFT OUTER JOIN orders
        ON c_custkey = o_custkey AND o_comment NOT LIKE '%special%requests%'
    GROUP BY c_custkey) AS c_orders (c_custkey, c_count)
GROUP BY c_count ORDER BY custdist DESC, c_count DESC""",
    14: """
SELECT 100.00 * sum(CASE WHEN p_type LIKE 'PROMO%' THEN l_extendedprice * (1 - l_discount) ELSE 0 END)
    / sum(l_extendedprice * (1 - l_discount)) AS promo_revenue
FROM lineitem, part WHERE l_partkey = p_partkey AND l_shipdate >= date '1995-09-01'
    AND l_shipdate < date '1995-09-01' + interval '1' month""",
    15: """
WITH revenue AS (SELECT l_suppkey AS supplier_no, sum(l_extendedprice * (1 - l_discount)) AS total_revenue
    FROM lineitem WHERE l_shipdate >= date '1996-01-01' AND l_shipdate < date '1996-01-01' + interval '3' month
    GROUP BY l_suppkey)
SELECT s_suppkey, s_name, s_address, s_phone, total_revenue FROM supplier, revenue
WHERE s_suppkey = supplier_no AND total_revenue = (SELECT max(total_revenue) FROM revenue) ORDER BY s_suppkey""",
    16: """
SELECT p_brand, p_type, p_size, count(DISTINCT ps_suppkey) AS supplier_cnt FROM partsupp, part
WHERE p_partkey = ps_partkey AND p_brand <> 'Brand#45' AND p_type NOT LIKE 'MEDIUM POLISHED%'
    AND p_size IN (9, 14, 19, 3, 6, 10, 1, 5)
    AND ps_suppkey NOT IN (SELECT s_suppkey FROM supplier WHERE s_comment LIKE '%Customer%Complaints%')
GROUP BY p_brand, p_type, p_size ORDER BY supplier_cnt DESC, p_brand, p_type, p_size""",
    17: """
SELECT sum(l_extendedprice) / 7.0 AS avg_yearly FROM lineitem, part
WHERE p_partkey = l_partkey AND p_brand = 'Brand#23' AND p_container = 'MED BOX'
    AND l_quantity < (SELECT 0.2 * avg(l_quantity) FROM lineitem WHERE l_partkey = p_partkey)""",
    18: """
SELECT c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice, sum(l_quantity) AS quantity
FROM customer, orders, lineitem
WHERE o_orderkey IN (SELECT l_orderkey FROM lineitem GROUP BY l_orderkey HAVING sum(l_quantity) > 240)
    AND c_custkey = o_custkey AND o_orderkey = l_orderkey
GROUP BY c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice
ORDER BY o_totalprice DESC, o_orderdate LIMIT 100""",
    19: """
SELECT sum(l_extendedprice * (1 - l_discount)) AS revenue FROM lineitem, part
WHERE (p_partkey = l_partkey AND p_brand = 'Brand#12' AND p_container IN ('SM CASE', 'SM BOX', 'SM PACK', 'SM PKG')
        AND l_quantity >= 1 AND l_quantity <= 1 + 10 AND p_size BETWEEN 1 AND 15
        AND l_shipmode IN ('AIR', 'AIR REG') AND l_shipinstruct = 'DELIVER IN PERSON')
    OR (p_partkey = l_partkey AND p_brand = 'Brand#23' AND p_container IN ('MED BAG', 'MED BOX')
        AND l_quantity >= 10 AND l_quantity <= 10 + 10 AND p_size BETWEEN 1 AND 15
        AND l_shipmode IN ('AIR', 'AIR REG') AND l_shipinstruct = 'DELIVER IN PERSON')
    OR (p_partkey = l_partkey AND p_brand = 'Brand#34' AND p_container IN ('LG CASE', 'LG BOX')
        AND l_quantity >= 20 AND l_quantity <= 20 + 10 AND p_size BETWEEN 1 AND 15
        AND l_shipmode IN ('AIR', 'AIR REG') AND l_shipinstruct = 'DELIVER IN PERSON')""",
    20: """
SELECT s_name, s_address FROM supplier, nation
WHERE s_suppkey IN (SELECT ps_suppkey FROM partsupp
        WHERE ps_partkey IN (SELECT p_partkey FROM part WHERE p_name LIKE 'forest%')
            AND ps_availqty > (SELECT 0.5 * sum(l_quantity) FROM lineitem
                WHERE l_partkey = ps_partkey AND l_suppkey = ps_suppkey AND l_shipdate >= date '1994-01-01'
                    AND l_shipdate < date '1994-01-01' + interval '1' year))
    AND s_nationkey = n_nationkey AND n_name IN ('CANADA', 'GERMANY', 'FRANCE') ORDER BY s_name""",
    21: """
SELECT s_name, count(*) AS numwait FROM supplier, lineitem l1, orders, nation
WHERE s_suppkey = l1.l_suppkey AND o_orderkey = l1.l_orderkey AND o_orderstatus = 'F'
    AND l1.l_receiptdate > l1.l_commitdate
    AND EXISTS (SELECT * FROM lineitem l2 WHERE l2.l_orderkey = l1.l_orderkey AND l2.l_suppkey <> l1.l_suppkey)
    AND NOT EXISTS (SELECT * FROM lineitem l3 WHERE l3.l_orderkey = l1.l_orderkey
        AND l3.l_suppkey <> l1.l_suppkey AND l3.l_receiptdate > l3.l_commitdate)
    AND s_nationkey = n_nationkey AND n_name = 'SAUDI ARABIA'
GROUP BY s_name ORDER BY numwait DESC, s_name LIMIT 100""",
    22: """
SELECT cntrycode, count(*) AS numcust, sum(c_acctbal) AS totacctbal
FROM (SELECT substring(c_phone FROM 1 FOR 2) AS cntrycode, c_acctbal FROM customer
    WHERE substring(c_phone FROM 1 FOR 2) IN ('13', '31', '23', '29', '30', '18', '17')
        AND c_acctbal > (SELECT avg(c_acctbal) FROM customer WHERE c_acctbal > 0.00
            AND substring(c_phone FROM 1 FOR 2) IN ('13', '31', '23', '29', '30', '18', '17'))
        AND NOT EXISTS (SELECT * FROM orders WHERE o_custkey = c_custkey)) AS custsale
GROUP BY cntrycode ORDER BY cntrycode""",
}
"""By their numbers in the standard."""
