"""What Prometheus reads at /metrics."""

import asyncio
import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from tortoise.functions import Count, Sum

from gateway.events import Events
from gateway.models import Job, JobState, Upload, UploadStatus, now
from gateway.shared import Shared


class Metrics:
    """One registry a process; request metrics are counted as they happen, the rest is asked for when scraped."""

    def __init__(self, events: Events, shared: Shared | None = None) -> None:
        self._events = events
        self._shared = shared
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "karyaksham_http_requests",
            "HTTP requests by route, method and status.",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "karyaksham_http_request_seconds",
            "Time from the first byte of a request to the last of its answer.",
            ["route"],
            buckets=(0.005, 0.02, 0.1, 0.5, 2, 10, 60),
            registry=self.registry,
        )
        self.websockets = Gauge("karyaksham_websockets", "Open WebSockets.", registry=self.registry)
        self.uploaded = Counter(
            "karyaksham_uploaded_bytes", "Bytes of upload parts that were stored.", registry=self.registry
        )
        self._jobs = Gauge("karyaksham_jobs", "Jobs by state.", ["state"], registry=self.registry)
        self._uploads = Gauge(
            "karyaksham_uploads_receiving", "Uploads that are not complete.", registry=self.registry
        )

        self._queue_age = Gauge(
            "karyaksham_queue_age_seconds", "How long the oldest queued job waits.", registry=self.registry
        )
        self._work = Gauge(
            "karyaksham_jobs_work", "What all jobs have done.", ["what"], registry=self.registry
        )
        self._subscriptions = Gauge(
            "karyaksham_subscriptions", "Open subscriptions of this process.", registry=self.registry
        )
        self._lag = Gauge(
            "karyaksham_loop_lag_seconds", "One turn of the event loop, when asked.", registry=self.registry
        )

        self._redis_away = Gauge(
            "karyaksham_redis_away", "1 while Redis is set and not reached.", registry=self.registry
        )

    async def text(self) -> bytes:
        """In Prometheus' text format."""
        rows = await (
            Job.filter(deleted_at=None).annotate(jobs=Count("id")).group_by("state").values("state", "jobs")
        )
        counts = {row["state"]: row["jobs"] for row in rows}
        for state in JobState:
            self._jobs.labels(state.value).set(counts.get(state, 0))
        self._uploads.set(await Upload.filter(status=UploadStatus.RECEIVING).count())
        oldest = await Job.filter(state=JobState.QUEUED, deleted_at=None).order_by("id").first()
        self._queue_age.set((now() - oldest.created_at).total_seconds() if oldest else 0.0)
        sums = {
            "bytes_read": Sum("bytes_read"),
            "rows_rejected": Sum("rows_rejected"),
            "cpu_seconds": Sum("cpu_seconds"),
        }
        (work,) = await Job.annotate(**{f"all_{name}": sum for name, sum in sums.items()}).values(
            *(f"all_{name}" for name in sums)
        )
        for name in sums:
            self._work.labels(name).set(work[f"all_{name}"] or 0)
        self._subscriptions.set(self._events.subscribers)
        self._redis_away.set(self._shared is not None and not self._shared.is_up)
        began = time.perf_counter()
        await asyncio.sleep(0)
        self._lag.set(time.perf_counter() - began)
        return generate_latest(self.registry)
