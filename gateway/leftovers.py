"""Folders of jobs that nobody needs any more. What a failed or canceled job has done waits for a retry."""

import asyncio
import shutil
from datetime import timedelta

from gateway.models import Job, JobState, now
from gateway.settings import Settings


async def sweep(settings: Settings) -> None:
    """Removes folders without a job, and staging of jobs that are done and are not retried any more. At any time."""
    folders = await asyncio.to_thread(lambda: {path.name: path for path in settings.jobs_dir.iterdir()})
    known = await Job.filter(deleted_at=None).values_list("id", "state", "finished_at")
    jobs = {str(job_id): (state, finished_at) for job_id, state, finished_at in known}
    before = now() - timedelta(seconds=settings.retry_keep_s)
    for name, folder in folders.items():
        state, finished_at = jobs.get(name, (None, None))
        if state is None:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        elif state is JobState.SUCCEEDED or (
            state in (JobState.FAILED, JobState.CANCELED)
            and finished_at is not None
            and finished_at <= before
        ):
            await asyncio.to_thread(shutil.rmtree, folder / "staging", ignore_errors=True)
