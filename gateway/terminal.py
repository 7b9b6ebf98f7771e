"""What the command line shows: one line of progress on a terminal, tables, sizes and times in words."""

import json
import shutil
from collections.abc import Sequence
from types import TracebackType
from typing import TextIO

from compute.spec import Progress

BAR_WIDTH = 24


def bytes_in_words(size: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def seconds_in_words(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"


def percent_in_words(fraction: float) -> str:
    """Rounded down: 100 % is said only when it is so."""
    return f"{int(fraction * 1000) / 10:5.1f} %"


def progress_in_words(progress: Progress) -> str:
    filled = int(progress.fraction * BAR_WIDTH)
    rest = f" · {seconds_in_words(progress.eta_seconds)} left" if progress.eta_seconds is not None else ""
    rejected = f" · {progress.rows_rejected:,} rejected" if progress.rows_rejected else ""
    return (
        f"[{'█' * filled}{'·' * (BAR_WIDTH - filled)}] {percent_in_words(progress.fraction)} · "
        f"{bytes_in_words(progress.bytes_read)} of {bytes_in_words(progress.bytes_total)} · "
        f"{bytes_in_words(progress.bytes_per_second)}/s · {progress.rows_read:,} rows{rejected}{rest}"
    )


class ProgressLine:
    """Rewrites one line of a terminal; silent where the stream is none."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()

    def __enter__(self) -> "ProgressLine":
        return self

    def show(self, text: str) -> None:
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            self._stream.write("\r\x1b[K" + text[:width])
            self._stream.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def table(header: Sequence[str], rows: Sequence[Sequence[object]], *, width: int = 40) -> str:
    """Columns side by side, cells cut at `width`; numbers to the right."""
    cells = [[_cell(value, width) for value in row] for row in rows]
    widths = [max([len(name), *(len(row[at]) for row in cells)]) for at, name in enumerate(header)]
    right = [
        bool(rows) and all(isinstance(row[at], int | float) or row[at] is None for row in rows)
        for at in range(len(header))
    ]

    def line(values: Sequence[str]) -> str:
        aligned = (
            value.rjust(size) if to_right else value.ljust(size)
            for value, size, to_right in zip(values, widths, right, strict=True)
        )
        return "  ".join(aligned).rstrip()

    return "\n".join([line(header), line(["-" * size for size in widths]), *map(line, cells)])


def _cell(value: object, width: int) -> str:
    shown = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
    text = "" if shown is None else str(shown).replace("\n", "⏎").replace("\r", "")
    return text if len(text) <= width else text[: width - 1] + "…"
