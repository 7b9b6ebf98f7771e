"""Folders of jobs: where results lie, and what nobody needs any more.

Each lease commits into a folder of its own, so that a dispatcher which lost its lease, whatever it still does,
touches no result of the next one. What a failed or canceled job has done waits for a retry.
"""

import asyncio
import shutil
from datetime import timedelta
from pathlib import Path

from gateway.models import Job, JobState, now
from gateway.progress import FINAL_STATES
from gateway.settings import Settings


def output_of(folder: Path, epoch: int) -> Path:
    """Where the lease `epoch` commits the results of the job in `folder`."""
    return folder / "output" / str(epoch)


def remove_other_outputs(folder: Path, epoch: int) -> None:
    """What other leases than `epoch`, the one that ended the job, have left."""
    if (folder / "output").is_dir():
        for found in (folder / "output").iterdir():
            if found.name.isdecimal() and found.name != str(epoch):
                shutil.rmtree(found, ignore_errors=True)


async def sweep(settings: Settings) -> None:
    """Removes folders without a job, staging of jobs that are done and are not retried any more, and what leases that
    were lost have written. At any time."""
    folders = await asyncio.to_thread(lambda: {path.name: path for path in settings.jobs_dir.iterdir()})
    known = await Job.filter(deleted_at=None).values_list("id", "state", "finished_at", "lease_epoch")
    jobs = {str(job_id): rest for job_id, *rest in known}
    before = now() - timedelta(seconds=settings.retry_keep_s)
    for name, folder in folders.items():
        state, finished_at, epoch = jobs.get(name, (None, None, 0))
        if state is None:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            continue
        if state in FINAL_STATES:
            await asyncio.to_thread(remove_other_outputs, folder, epoch)
        if state is JobState.SUCCEEDED or (
            state in (JobState.FAILED, JobState.CANCELED)
            and finished_at is not None
            and finished_at <= before
        ):
            await asyncio.to_thread(shutil.rmtree, folder / "staging", ignore_errors=True)
