"""Orders as people send them, and what jobs over them must give, worked out here with nothing of ours."""

import csv
import io
import random
from collections import defaultdict
from functools import cache
from typing import NamedTuple

COUNTRIES = ("DE", "FR", "IT", "PL", "ES", "NL", "PT")
HEADER = "id,country,status,quantity,price,note\n"
SQL = """SELECT country, count(*) AS orders, sum(quantity) AS units, sum(price) AS total
FROM input WHERE status <> 'canceled' GROUP BY country ORDER BY total DESC"""
SORT = "SELECT id, price, note FROM input WHERE quantity > 4 ORDER BY price DESC, id"


class Orders(NamedTuple):
    content: bytes
    rows: int
    """Records, the broken ones among them."""
    broken: tuple[int, ...]
    """Physical lines at which a broken record stands."""


@cache
def make(rows: int, broken_each: int = 0) -> Orders:
    """`rows` orders with quoted commas, quotes and newlines; of `broken_each` the last has too few fields."""
    random_ = random.Random(rows)  # noqa: S311 -- orders, not secrets
    lines, line, broken = [HEADER], 2, []
    for id in range(1, rows + 1):
        if broken_each and id % broken_each == 0:
            record = f"{id},broken\n"
            broken.append(line)
        else:
            status = random_.choice(("paid", "open", "canceled"))
            price = f"{random_.randrange(1, 100_000) / 100:.2f}"
            note = random_.choice(("", "plain", '"a, b"', '"say ""hi"""', '"two\nlines"', '"x\n\n""y"",\nz"'))
            record = f"{id},{random_.choice(COUNTRIES)},{status},{random_.randrange(1, 9)},{price},{note}\n"
        lines.append(record)
        line += record.count("\n")
    return Orders("".join(lines).encode(), rows, tuple(broken))


def _records(orders: Orders) -> list[list[str]]:
    rows = csv.reader(io.StringIO(orders.content.decode(), newline=""))
    return [row for row in rows if len(row) == 6][1:]


@cache
def grouped(orders: Orders) -> bytes:
    """The result of `SQL`."""
    groups: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for _, country, status, quantity, price, _ in _records(orders):
        if status != "canceled":
            group = groups[country]
            group[0] += 1
            group[1] += int(quantity)
            group[2] += int(price.replace(".", ""))
    ordered = sorted(groups.items(), key=lambda item: -item[1][2])
    body = "".join(
        f"{country},{count},{units},{cents // 100}.{cents % 100:02}\n"
        for country, (count, units, cents) in ordered
    )
    return f"country,orders,units,total\n{body}".encode()


@cache
def sorted_(orders: Orders) -> bytes:
    """The result of `SORT`."""
    kept = [(row[0], row[4], row[5]) for row in _records(orders) if int(row[3]) > 4]
    kept.sort(key=lambda row: (-int(row[1].replace(".", "")), int(row[0])))
    body = io.StringIO(newline="")
    csv.writer(body, lineterminator="\n").writerows([("id", "price", "note"), *kept])
    return body.getvalue().encode()
