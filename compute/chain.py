"""The proof that the shards of one file join: each begins where the one before it ended, and nothing is left over.

Pure. A shard's start may have been guessed, so whatever it says, a reject or an error among it, counts only once
the chain up to it is whole.
"""

from typing import Final, Literal

from karyaksham_engine.types import ShardReport

from .errors import internal
from .results import TaskKey
from .spec import Failure

Joint = Literal["JOINS", "MISGUESSED"]


class Chain:
    """The shards of one file of one scan stage, in order."""

    def __init__(self, keys: tuple[TaskKey, ...], size_bytes: int | None) -> None:
        self.keys = keys
        self.size_bytes = size_bytes
        """Where the last shard must end; None where ends are no offsets of this file: the engine then says as `hi`."""
        self.at = 0
        """How many shards are proved."""
        self.end: int | None = None
        """Offset where the proved shards end; None before the first."""
        self.rows = 0
        """Records of the proved shards, rejected ones among them."""
        self.lines = 0
        self.marks: list[tuple[int, int]] = []
        """Of some of these records: offset, and records of the file before it."""

    @property
    def whole(self) -> bool:
        return self.at == len(self.keys)

    @property
    def frontier(self) -> TaskKey | None:
        """The next shard to prove."""
        return None if self.whole else self.keys[self.at]

    def joint(self, report: ShardReport) -> Joint:
        """Whether the frontier's shard began where the one before it ended."""
        return "JOINS" if self.end is None or report["first"] == self.end else "MISGUESSED"

    def fault(self, report: ShardReport) -> Failure | None:
        """What is wrong with a complete shard that joins, or None."""
        if report["rows_read"] != report["rows_passed"] + report["rows_rejected"]:
            return internal("ROW_BALANCE", "The rows of a shard do not add up to those passed and rejected.")
        if report["end"] < report["first"] or report["end"] < report["hi"]:
            return internal("SHARD_INCOMPLETE", "A shard ended before its last byte.")
        last = self.at == len(self.keys) - 1
        if last and report["end"] != (report["hi"] if self.size_bytes is None else self.size_bytes):
            return internal("CHAIN_INCOMPLETE", "The last shard of a file did not end where the file ends.")
        return None

    def accept(self, report: ShardReport) -> None:
        """Count the frontier's shard as proved."""
        self.end = report["end"]
        if self.rows and report["rows_read"]:
            self.marks.append((report["first"], self.rows))
        self.marks.extend((offset, self.rows + row) for offset, row in report.get("marks", ()))
        self.rows += report["rows_read"]
        self.lines += report["lines"]
        self.at += 1


_TAKEN: Final = {
    "exact": "The shard began where the record index of the file says",
    "inside": "The shard was taken to begin inside a quoted field",
    "outside": "The shard was taken to begin outside a quoted field",
}


def misguessed(report: ShardReport) -> Failure:
    """Why a shard that did its work runs again."""
    return Failure(
        "DATA",
        "SHARD_START_MISGUESSED",
        f"{_TAKEN[report['start']]}, which does not join the shard before it; it runs again from the right place.",
        retryable=True,
    )
