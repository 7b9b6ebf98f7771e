"""A dispatcher as a process of its own, for tests that stop and kill it. Jobs run on threads, their results in files.

usage: python -m tests.faults.dispatcher < settings as JSON
"""

import asyncio
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from compute.commit import Targets
from compute.local import Threads
from compute.run import Run
from compute.spec import JobSpec, TaskFinished
from gateway import database
from gateway.dispatch import Dispatcher
from gateway.events import Events
from gateway.inspection import Inspector
from gateway.settings import Settings
from gateway.shared import Shared


class InFiles(Threads):
    """As on Ray, what is done outlives the process."""

    in_memory = False


def start_run(spec: JobSpec, resume: Sequence[TaskFinished]) -> Run:
    return Run(
        spec,
        lambda: InFiles(1),
        Targets.of(spec),
        resume,
        keep_staging=True,
        asks_to_commit=True,
    )


async def work(settings: Settings) -> None:
    async with database.opened(settings, migrate=False):
        events = Events()
        dispatcher, inspector = Dispatcher(settings, events, start_run=start_run), Inspector(settings)
        shared = Shared(settings, events) if settings.redis_url else None
        if shared is not None:
            await shared.start()
        inspector.start()
        await dispatcher.start()
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        await dispatcher.stop()
        await inspector.stop()
        if shared is not None:
            await shared.stop()


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    given = json.loads(sys.stdin.readline())
    given["data_dir"] = Path(given["data_dir"])
    given["data_roots"] = tuple(map(Path, given["data_roots"]))
    asyncio.run(work(Settings.from_environment({}, **given)))


if __name__ == "__main__":
    main()
