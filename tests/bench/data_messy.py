"""messy.csv: 60 columns of what exports hold, quoted where RFC 4180 asks for it, with commas, quotes and line ends in
fields, nulls, and text beyond ASCII. About one row in twenty says `refund`."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from tests.bench.data import PLACES, SEED, chunks, words

CHUNK_ROWS = 100_000
POOL = 20_000
"""Distinct values of a long text column."""
COLUMNS = 60
FIRST_SECOND = 1_500_000_000
COUNTRIES = "IN US DE BR JP FR GB ZA NG AU CA PL SE MX ID".split()
STATES = ["active", "closed", "pending", "on hold, review"]


class Pools:
    """The values that text columns are drawn from."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        word = words(rng, POOL)
        self.lexicon = [*word[:3000], *PLACES]
        self.descriptions = [self._description() for _ in range(POOL)]
        self.notes = [self._note() for _ in range(POOL)]
        self.addresses = [self._address(name) for name in word]
        every = range(POOL)
        self.emails = [f"{word[i]}.{word[i * 7 % POOL]}@{word[i * 13 % POOL]}.example" for i in every]
        self.blobs = [f'{{"k": "{word[i]}", "v": {i}, "t": ["a", "b"]}}' for i in every]
        self.tags = [self._tags() for _ in every]
        self.urls = [
            f"https://www.{word[i]}.example/{word[i * 3 % POOL]}?id={i}&q={word[i * 11 % POOL]}"
            for i in every
        ]
        versions = [f"{i % 120}.0" for i in range(400)]
        self.agents = [
            f"Mozilla/5.0 (X11; Linux x86_64; rv:{v}) Gecko/20100101 Firefox/{v}" for v in versions
        ]
        pairs = zip(word, reversed(word), strict=True)
        self.people = [*(f"{a.capitalize()} {b.capitalize()}" for a, b in pairs), *PLACES]
        self.categories = [
            f"{letter}{i}" for letter in ("alpha", "beta", "gamma", "delta") for i in range(25)
        ]

    def _sentence(self, length: int, extras: Sequence[str]) -> str:
        told = [self.lexicon[i] for i in self.rng.integers(0, len(self.lexicon), size=length)]
        for extra in extras:
            told.insert(int(self.rng.integers(0, len(told))), extra)
        return " ".join(told)

    def _description(self) -> str:
        shares = {
            "item,": 0.6,
            'said "no thanks",': 0.3,
            "line one\nline two": 0.25,
            "refund requested,": 0.05,
            "a\r\nb": 0.05,
            "naïve — “quoted” €5": 0.2,
        }
        drawn = self.rng.random(len(shares))
        extras = [text for (text, share), chance in zip(shares.items(), drawn, strict=True) if chance < share]
        return self._sentence(int(self.rng.integers(8, 40)), extras)

    def _note(self) -> str:
        length = int(self.rng.integers(3, 30))
        return self._sentence(length, ["ok,", '"x"'] if self.rng.random() < 0.3 else [])

    def _address(self, name: str) -> str:
        house, flat = int(self.rng.integers(1, 9999)), int(self.rng.integers(1, 99))
        floor = "\nFloor 2" if self.rng.random() < 0.1 else ""
        return f"{house} {name.capitalize()} St, Apt {flat}{floor}"

    def _tags(self) -> str:
        count = int(self.rng.integers(1, 5))
        return ",".join(sorted({self.lexicon[i] for i in self.rng.integers(0, 200, size=count)}))


class Chunk:
    """Columns of the next `rows` rows, each drawn when it is asked for."""

    def __init__(self, rng: np.random.Generator, first: int, rows: int) -> None:
        self.rng, self.first, self.rows = rng, first, rows

    def whole(self, low: int, high: int) -> np.ndarray:
        return self.rng.integers(low, high, size=self.rows)

    def pick(self, pool: Sequence[str], nulls: float = 0) -> pl.Series:
        return self.holed(pl.Series(pool).gather(self.whole(0, len(pool))), nulls)

    def text(self, low: int, high: int, told: Callable[[int], str], nulls: float = 0) -> pl.Series:
        return self.holed(pl.Series([told(value) for value in self.whole(low, high).tolist()]), nulls)

    def days(self, low: int, high: int, nulls: float) -> pl.Series:
        return self.holed(pl.Series(self.whole(low, high)).cast(pl.Int32).cast(pl.Date), nulls)

    def holed(self, values: pl.Series, share: float) -> pl.Series:
        """With about this share of nulls."""
        if not share:
            return values
        holes = pl.Series(self.rng.random(self.rows) < share)
        return pl.select(pl.when(holes).then(None).otherwise(values).alias("values"))["values"]

    def frame(self, pools: Pools) -> pl.DataFrame:
        columns: dict[str, pl.Series] = {}
        columns["id"] = pl.Series(np.arange(self.first, self.first + self.rows))
        columns["uid"] = self.text(0, 2**62, "{:016x}".format)
        seconds = pl.Series(FIRST_SECOND + self.whole(0, 200_000_000))
        columns["created_at"] = (seconds * 1000).cast(pl.Datetime("ms")).dt.strftime("%Y-%m-%dT%H:%M:%S")
        columns["signup_date"] = self.days(15_000, 20_000, 0.05)
        columns["birth_date"] = self.days(0, 15_000, 0.2)
        columns["full_name"] = self.pick(pools.people)
        columns["email"] = self.pick(pools.emails, 0.03)
        columns["phone"] = self.text(10**10, 10**12, "+{}".format, 0.3)
        columns["address"] = self.pick(pools.addresses, 0.02)
        columns["city"] = self.pick(pools.lexicon)
        columns["country"] = self.pick(COUNTRIES)
        columns["status"] = self.pick(STATES, 0.01)
        columns["description"] = self.pick(pools.descriptions, 0.01)
        columns["notes"] = self.pick(pools.notes, 0.5)
        columns["tags"] = self.pick(pools.tags, 0.1)
        columns["meta_json"] = self.pick(pools.blobs, 0.1)
        columns["url"] = self.pick(pools.urls, 0.1)
        columns["user_agent"] = self.pick(pools.agents, 0.05)
        columns["ip"] = self.text(2**24, 2**32 - 1, dotted)
        columns["postal"] = self.text(0, 10**6, "{:06d}".format)
        for i in range(12):
            numbers = pl.Series(self.whole(0, 10 ** (1 + i % 9)))
            columns[f"n{i:02d}"] = self.holed(numbers, 0 if i % 3 else 0.1)
        for i in range(12):
            amounts = pl.Series(np.round(self.rng.normal(1000, 500, size=self.rows), 2 + i % 4))
            columns[f"f{i:02d}"] = self.holed(amounts, 0 if i % 4 else 0.1)
        for i in range(6):
            columns[f"b{i}"] = self.holed(pl.Series(self.rng.random(self.rows) < 0.5), 0.02)
        for i in range(10):
            columns[f"c{i}"] = self.pick(pools.categories, 0 if i % 2 == 0 else 0.05)
        return pl.DataFrame(columns)


def dotted(address: int) -> str:
    return ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0))


def write_messy(path: Path, rows: int) -> None:
    rng = np.random.default_rng(SEED + 1)
    pools = Pools(rng)
    with path.open("wb") as file:
        for first, count in chunks(rows, CHUNK_ROWS):
            frame = Chunk(rng, first, count).frame(pools)
            assert frame.width == COLUMNS
            frame.write_csv(file, include_header=first == 0, quote_style="necessary")
