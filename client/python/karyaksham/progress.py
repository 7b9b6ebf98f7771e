"""How far a thing is, for people: a bar on a terminal or in a notebook, elsewhere a line for each further tenth."""

import sys
from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from karyaksham._graphql import ProgressFields


class Shows(Protocol):
    """What may be told of progress; `fraction` is 0 to 1, and is 1 only when all is done."""

    def __call__(self, fraction: float, text: str) -> None: ...


class Bar:
    """Shows progress while it is open."""

    def __init__(self, title: str, stream: TextIO | None = None) -> None:
        self._title = title
        console = Console(file=stream or sys.stderr)
        self._tenth = -1
        self._console = console
        self._bar: Progress | None = None
        if console.is_terminal or console.is_jupyter:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                TextColumn("{task.fields[text]}"),
                console=console,
            )
            self._task = self._bar.add_task(title, total=1.0, text="")

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def __call__(self, fraction: float, text: str) -> None:
        if self._bar:
            self._bar.update(self._task, completed=fraction, text=text)
        elif int(fraction * 10) > self._tenth:
            self._tenth = int(fraction * 10)
            percent = int(fraction * 1000) / 10
            self._console.out(f"{self._title} {percent:5.1f} %  {text}", highlight=False)


def in_words(progress: ProgressFields) -> str:
    """One line of a job: state, rows, tasks, rate, time left."""
    done = sum(stage.tasks_done for stage in progress.stages)
    tasks = sum(stage.task_count for stage in progress.stages)
    words = [progress.state.value.lower(), f"{progress.rows_read:,} rows"]
    if progress.rows_rejected:
        words.append(f"{progress.rows_rejected:,} rejected")
    if tasks:
        words.append(f"{done}/{tasks} tasks")
    if progress.bytes_per_second:
        words.append(f"{size(progress.bytes_per_second)}/s")
    if progress.eta_seconds is not None:
        words.append(f"{progress.eta_seconds:.0f} s left")
    return ", ".join(words)


def size(number_of_bytes: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if number_of_bytes < 1000:
            return f"{number_of_bytes:.0f} {unit}" if unit == "B" else f"{number_of_bytes:.1f} {unit}"
        number_of_bytes /= 1000
    return f"{number_of_bytes:.1f} TB"
