"""What a user has used: jobs, what they read, the time of cores that their tasks held, and what is stored."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tortoise.functions import Count, Sum

from gateway.models import Dataset, Job, JobState

__all__ = ["Usage", "of_user"]


@dataclass(frozen=True, slots=True)
class Usage:
    jobs: int
    jobs_succeeded: int
    bytes_read: int
    rows_read: int
    cpu_seconds: float
    """From start to end of every attempt of a task; a task holds one core."""
    stored_bytes: int
    """Now, of uploads."""


async def of_user(owner_id: UUID, *, since: datetime | None, until: datetime | None) -> Usage:
    """Of the jobs that were created from `since` to before `until`, deleted ones too."""
    jobs = Job.filter(owner_id=owner_id)
    if since is not None:
        jobs = jobs.filter(created_at__gte=since)
    if until is not None:
        jobs = jobs.filter(created_at__lt=until)
    sums = {name: Sum(name) for name in ("bytes_read", "rows_read", "cpu_seconds")}
    (totals,) = await jobs.annotate(
        jobs=Count("id"), **{f"all_{name}": sum for name, sum in sums.items()}
    ).values("jobs", *(f"all_{name}" for name in sums))
    stored = Dataset.filter(owner_id=owner_id, upload_id__isnull=False, deleted_at=None)
    (kept,) = await stored.annotate(total=Sum("size_bytes")).values("total")
    return Usage(
        jobs=totals["jobs"],
        jobs_succeeded=await jobs.filter(state=JobState.SUCCEEDED).count(),
        bytes_read=totals["all_bytes_read"] or 0,
        rows_read=totals["all_rows_read"] or 0,
        cpu_seconds=totals["all_cpu_seconds"] or 0.0,
        stored_bytes=kept["total"] or 0,
    )
