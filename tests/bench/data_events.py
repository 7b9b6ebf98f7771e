"""events.ndjson: lines in the shape of a code host's event feed: nested objects and arrays, three kinds of payload,
escaped quotes and line ends, text beyond ASCII."""

import json
import re
from pathlib import Path

import numpy as np
import polars as pl

from tests.bench.data import SEED, chunks, words

CHUNK_ROWS = 250_000
POOL = 20_000
FIRST_SECOND = 1_790_000_000

PUSH = (
    '{"push_id":<push>,"size":<size>,"distinct_size":<size>,"ref":"refs/heads/main","head":"<sha>",'
    '"commits":[{"sha":"<sha>","author":{"email":"<login>@mail.example","name":"<login>"},'
    '"message":"<message>","distinct":true}]}'
)
WATCH = '{"action":"started"}'
ISSUE = (
    '{"action":"opened","issue":{"number":<number>,"title":"<title>","comments":<size>,'
    '"labels":["bug","help wanted"]}}'
)
EVENT = (
    '{"id":"<id>","type":"<type>","actor":{"id":<actor>,"login":"<login>",'
    '"avatar_url":"https://avatars.example/u/<actor>?"},'
    '"repo":{"id":<repo_id>,"name":"<repo>","url":"https://api.example/repos/<repo>"},'
    '"payload":<payload>,"public":<public>,"created_at":"<created>"}'
)


def filled(template: str, **given: pl.Expr) -> pl.Expr:
    """The template with each `<name>` replaced by what is given, or by the column of that name."""
    pieces: list[pl.Expr] = []
    for i, piece in enumerate(re.split(r"<(\w+)>", template)):
        pieces.append(given.get(piece, pl.col(piece)) if i % 2 else pl.lit(piece))
    return pl.concat_str(pieces)


class Pools:
    """The values that text is drawn from; messages and titles are already escaped for JSON."""

    def __init__(self, rng: np.random.Generator) -> None:
        word = words(rng, POOL)

        def sentence(length: int) -> str:
            return " ".join(word[i] for i in rng.integers(0, POOL, size=length))

        self.logins = [f"{word[i]}-{i % 977}" for i in range(POOL)]
        self.repos = sorted({f"{word[i % 700]}/{word[i * 31 % POOL]}" for i in range(5000)})
        self.messages = [
            json.dumps(sentence(int(rng.integers(3, 14))) + ("" if i % 9 else ' "fix"\n'))[1:-1]
            for i in range(POOL)
        ]
        self.titles = [
            json.dumps(f"Issue: {sentence(5)}{'' if i % 5 else ' é✓'}", ensure_ascii=False)[1:-1]
            for i in range(POOL)
        ]


def write_events(path: Path, rows: int) -> None:
    rng = np.random.default_rng(SEED + 2)
    pools = Pools(rng)
    chance = pl.col("chance")
    kind = (
        pl.when(chance < 0.55).then(pl.lit("PushEvent")).when(chance < 0.8).then(pl.lit("WatchEvent"))
    ).otherwise(pl.lit("IssuesEvent"))
    payload = (pl.when(chance < 0.55).then(filled(PUSH)).when(chance < 0.8).then(pl.lit(WATCH))).otherwise(
        filled(ISSUE)
    )
    line = filled(EVENT, type=kind, payload=payload).alias("line")
    with path.open("wb") as file:
        for first, count in chunks(rows, CHUNK_ROWS):
            frame = draw(rng, pools, first, count).select(line)
            frame.write_csv(file, include_header=False, quote_style="never")


def draw(rng: np.random.Generator, pools: Pools, first: int, rows: int) -> pl.DataFrame:
    """What lines are filled with."""

    def whole(low: int, high: int) -> np.ndarray:
        return rng.integers(low, high, size=rows)

    def pick(pool: list[str]) -> pl.Series:
        return pl.Series(pool).gather(whole(0, len(pool)))

    chance = rng.random(rows)
    seconds = pl.Series(FIRST_SECOND + whole(0, 86_400 * 30))
    return pl.DataFrame(
        {
            "id": 30_000_000_000 + np.arange(first, first + rows),
            "chance": chance,
            "actor": whole(1, 10**8),
            "login": pick(pools.logins),
            "repo_id": whole(1, 10**9),
            "repo": pick(pools.repos),
            "push": whole(10**9, 10**10),
            "size": whole(1, 21),
            "sha": [
                f"{a:016x}{b:016x}"
                for a, b in zip(whole(0, 2**62).tolist(), whole(0, 2**62).tolist(), strict=True)
            ],
            "message": pick(pools.messages),
            "title": pick(pools.titles),
            "number": whole(1, 9999),
            "created": (seconds * 1000).cast(pl.Datetime("ms")).dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "public": np.where(rng.random(rows) < 0.97, "true", "false"),
        }
    )
