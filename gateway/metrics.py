"""What Prometheus reads at /metrics."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from tortoise.functions import Count

from gateway.models import Job, JobState, Upload, UploadStatus


class Metrics:
    """One registry a process; request metrics are counted as they happen, the rest is asked for when scraped."""

    def __init__(self) -> None:
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

    async def text(self) -> bytes:
        """In Prometheus' text format."""
        rows = await (
            Job.filter(deleted_at=None).annotate(jobs=Count("id")).group_by("state").values("state", "jobs")
        )
        counts = {row["state"]: row["jobs"] for row in rows}
        for state in JobState:
            self._jobs.labels(state.value).set(counts.get(state, 0))
        self._uploads.set(await Upload.filter(status=UploadStatus.RECEIVING).count())
        return generate_latest(self.registry)
