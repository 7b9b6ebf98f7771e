"""The file of `karyaksham demo`: orders with quoted text, embedded commas and newlines, a few broken rows."""

import json
import os
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

VERSION = 1
HEADER = "order_id,ordered_on,country,product,quantity,unit_price,status,customer,note\n"
BLOCK_ROWS = 10_000
BROKEN_EVERY = 100_003
TEMPLATES = 5_000

_COUNTRIES = (
    "India",
    "Germany",
    "Brazil",
    "Japan",
    "Kenya",
    "Canada",
    "Poland",
    "Mexico",
    "Türkiye",
    "Việt Nam",
)
_PRODUCTS = (
    "kettle",
    "lamp",
    "desk",
    "chair",
    "monitor",
    "cable",
    "notebook",
    "backpack",
    "drill",
    "bicycle",
)
_STATES = ("paid", "paid", "paid", "shipped", "shipped", "returned", "canceled")
_NAMES = ("Asha", "Jürgen", "Lúcia", "Kenji", "Wanjiru", "Émile", "Zofia", "Diego", "Elif", "Minh")
_NOTES = (
    "",
    "",
    "call before delivery",
    '"gift, please wrap"',
    '"leave at the door,\nring twice"',
    '"the ""blue"" one"',
    '"first line\nsecond line, with a comma\nthird"',
)


@dataclass(frozen=True, slots=True)
class DemoFile:
    """A file and what a right reader must find in it."""

    path: str
    size_bytes: int
    rows: int
    broken: int


def make(folder: Path, size_bytes: int) -> DemoFile:
    """The file of about `size_bytes`, made once and found again the next time. The same size is the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"orders-v{VERSION}-{size_bytes}.csv"
    facts = path.with_suffix(".json")
    if facts.exists() and path.exists():
        known = DemoFile(**json.loads(facts.read_text()))
        if known.path == str(path) and path.stat().st_size == known.size_bytes:
            return known
    unfinished = path.with_suffix(f".{os.getpid()}.partial")
    rows = broken = 0
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            file.write(HEADER)
            for text, count, broken_count in _blocks():
                file.write(text)
                rows, broken = rows + count, broken + broken_count
                if file.tell() >= size_bytes:
                    break
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)
    made = DemoFile(str(path), path.stat().st_size, rows, broken)
    facts.write_text(json.dumps(asdict(made)))
    return made


def _blocks() -> Iterator[tuple[str, int, int]]:
    """Text, records and broken ones among them, without end."""
    chance = random.Random(20261123)  # noqa: S311 - data, not secrets
    tails = [_tail(chance) for _ in range(TEMPLATES)]
    days = [(date(2024, 1, 1) + timedelta(days=day)).isoformat() for day in range(731)]
    first = 1
    while True:
        picks = chance.choices(tails, k=BLOCK_ROWS)
        dates = chance.choices(days, k=BLOCK_ROWS)
        lines = [
            f"{number},{day},{tail}\n"
            for number, day, tail in zip(range(first, first + BLOCK_ROWS), dates, picks, strict=True)
        ]
        broken = 0
        for number in range(first + (-first % BROKEN_EVERY), first + BLOCK_ROWS, BROKEN_EVERY):
            lines[number - first] = _broken(number, dates[number - first])
            broken += 1
        yield "".join(lines), BLOCK_ROWS, broken
        first += BLOCK_ROWS


def _tail(chance: random.Random) -> str:
    price = f"{chance.randrange(100, 250_000) / 100:.2f}"
    customer = f"{chance.choice(_NAMES)} {chance.randrange(1, 9999):04d}"
    return (
        f"{chance.choice(_COUNTRIES)},{chance.choice(_PRODUCTS)},{chance.randrange(1, 20)},{price},"
        f"{chance.choice(_STATES)},{customer},{chance.choice(_NOTES)}"
    )


def _broken(number: int, day: str) -> str:
    kinds = (
        f"{number},{day},India,lamp,two,19.90,paid,Asha 0001,\n",
        f"{number},{day},Kenya,desk\n",
        f'{number},{day},Japan,chair,1,80.00,paid,Kenji 0002,"late"again\n',
    )
    return kinds[number // BROKEN_EVERY % len(kinds)]
