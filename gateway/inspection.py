"""Looks at new datasets in the background: INSPECTING becomes READY, or INVALID with the reason.

The status in the database is the to-do list, so what a crash interrupted is done again.
"""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from typing import Final
from uuid import UUID

from gateway import local_files, planning
from gateway.errors import error_message
from gateway.events import Signal
from gateway.models import Dataset, DatasetStatus, FileFormat, now
from gateway.settings import Settings
from karyaksham_engine.errors import KaryakshamError, SourceError
from karyaksham_engine.types import Column, DialectOverrides, FileRef, Sniffed

log = logging.getLogger(__name__)

AT_ONCE: Final = 2
POLL_S: Final = 0.5
"""Between two looks for new datasets."""


class Inspector:
    """Runs from the start of the service to its end. Two of them do no harm, only the work twice."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._signal = Signal()
        self._running: dict[UUID, asyncio.Task[None]] = {}
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._loop = asyncio.create_task(self._work(), name="inspector")

    async def stop(self) -> None:
        """What is not done by now is done at the next start."""
        tasks = [task for task in (self._loop, *self._running.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def wake(self) -> None:
        """There is a dataset to inspect: don't wait for the next look."""
        self._signal.set()

    async def _work(self) -> None:
        while True:
            try:
                await self._begin_waiting()
            except Exception:
                log.exception("could not look for datasets to inspect")
            await self._signal.wait(POLL_S)

    async def _begin_waiting(self) -> None:
        free = AT_ONCE - len(self._running)
        if free <= 0:
            return
        waiting = Dataset.filter(status=DatasetStatus.INSPECTING, deleted_at=None)
        if self._running:
            waiting = waiting.exclude(id__in=list(self._running))
        for dataset in await waiting.order_by("id").limit(free):
            task = asyncio.create_task(inspect(dataset, self._settings), name=f"inspect-{dataset.id}")
            self._running[dataset.id] = task
            task.add_done_callback(partial(self._ended, dataset.id))

    def _ended(self, dataset_id: UUID, task: asyncio.Task[None]) -> None:
        del self._running[dataset_id]
        if not task.cancelled() and (error := task.exception()):
            log.error("inspection of dataset %s could not be kept", dataset_id, exc_info=error)
        self._signal.set()


async def inspect(dataset: Dataset, settings: Settings) -> None:
    """Look at the files and write what they are; nothing is written when the dataset changed meanwhile."""
    still = Dataset.filter(id=dataset.id, revision=dataset.revision, status=DatasetStatus.INSPECTING)
    try:
        files = await _files(dataset, settings)
        sniffed = await _sniff_all(dataset, files)
    except KaryakshamError as error:
        await still.update(status=DatasetStatus.INVALID, problem=error_message(error), updated_at=now())
        return
    except Exception:
        log.exception("inspection of dataset %s failed", dataset.id)
        problem = (
            "The file could not be inspected, because of a fault of this service. Its log has the details."
        )
        await still.update(status=DatasetStatus.INVALID, problem=problem, updated_at=now())
        return
    await still.update(
        status=DatasetStatus.READY,
        problem=None,
        format=FileFormat(sniffed["format"].upper()),
        dialect=sniffed["dialect"],
        columns=sniffed["columns"],
        files=list(files),
        file_count=len(files),
        size_bytes=sum(file["size_bytes"] for file in files),
        updated_at=now(),
    )


async def _files(dataset: Dataset, settings: Settings) -> Sequence[FileRef]:
    if dataset.upload_id is not None:
        kept: list[FileRef] = dataset.files
        return kept
    found = await asyncio.to_thread(local_files.find, dataset.uri, settings.data_roots, private=settings.root)
    return found.files


async def _sniff_all(dataset: Dataset, files: Sequence[FileRef]) -> Sniffed:
    """What all files are; the first one decides how, and the others must agree."""
    format = planning.engine_format(dataset.format_override) if dataset.format_override else None
    dialect: DialectOverrides | None = dataset.dialect_overrides
    first = await planning.inspect(files[0]["path"], format=format, dialect=dialect)
    if dataset.column_overrides is not None:
        wanted = apply_columns(first, dataset.column_overrides)
        first = await planning.inspect(files[0]["path"], format=format, dialect=dialect, columns=wanted)
    for file in files[1:]:
        other = await planning.inspect(
            file["path"],
            format=first["format"],
            dialect=dialect,
            columns=dataset.column_overrides and first["columns"],
        )
        if problem := disagreement(first, other):
            name = file["path"].rpartition("/")[2]
            raise SourceError(
                "FILES_DIFFER", f"The files are not of one kind: in {name} {problem}.", "Register them apart."
            )
    return first


def apply_columns(sniffed: Sniffed, overrides: Sequence[Column]) -> list[Column]:
    """The columns found, with the given ones in their place: by name, or in order where the file names none."""
    found = sniffed["columns"]
    by_name = {column["name"]: column for column in overrides}
    unknown = [name for name in by_name if name not in {column["name"] for column in found}]
    if not unknown:
        return [by_name.get(column["name"], column) for column in found]
    headless = sniffed["dialect"] is not None and not sniffed["dialect"]["has_header"]
    if headless and len(overrides) == len(found):
        return list(overrides)
    raise SourceError(
        "UNKNOWN_COLUMN",
        f"The file has no column named {unknown[0]!r}.",
        "Its columns are " + ", ".join(column["name"] for column in found[:20]) + ".",
    )


def disagreement(first: Sniffed, other: Sniffed) -> str | None:
    """How `other` differs from `first` in what makes them one table; None when it does not."""
    if first["format"] != other["format"]:
        return f"the format is {other['format']}, not {first['format']}"
    names, other_names = ([column["name"] for column in each["columns"]] for each in (first, other))
    if names != other_names:
        return f"the columns are {', '.join(other_names[:20])}"
    for column, other_column in zip(first["columns"], other["columns"], strict=True):
        if column["type"] != other_column["type"]:
            return (
                f"the column {column['name']} is {other_column['type']}, not {column['type']}; give its type"
            )
    return None
