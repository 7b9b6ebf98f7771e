"""Looks at new datasets in the background: INSPECTING becomes READY, or INVALID with the reason.

The status in the database is the to-do list, so what a crash interrupted is done again.
"""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from typing import Final
from uuid import UUID

from gateway import datasets, planning
from gateway.errors import error_message
from gateway.events import Signal
from gateway.models import Dataset, DatasetStatus, FileFormat, now
from gateway.settings import Settings
from karyaksham_engine.errors import KaryakshamError
from karyaksham_engine.types import DialectOverrides, FileRef

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
        table = await _table(dataset, files, settings)
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
        format=FileFormat(table.format.upper()),
        dialect=table.dialect,
        columns=table.columns,
        files=table.files,
        file_count=len(table.files),
        size_bytes=sum(file["size_bytes"] for file in table.files),
        updated_at=now(),
    )


async def _files(dataset: Dataset, settings: Settings) -> Sequence[FileRef]:
    if dataset.upload_id is not None:
        kept: list[FileRef] = dataset.files
        return kept
    return (await datasets.files_of(dataset.uri, settings)).files


async def _table(dataset: Dataset, files: Sequence[FileRef], settings: Settings) -> planning.Table:
    """What all files are together."""
    dialect: DialectOverrides | None = dataset.dialect_overrides
    return await planning.inspect(
        files,
        format=planning.engine_format(dataset.format_override) if dataset.format_override else None,
        dialect=dialect,
        columns=dataset.column_overrides or (),
        storage=settings.objects,
    )
