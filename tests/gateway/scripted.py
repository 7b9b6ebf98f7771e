"""A run of compute that does as it is told: for what the dispatcher must do when compute says this or that."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence

from compute.spec import (
    Artifact,
    Canceled,
    Event,
    Finalizing,
    JobSpec,
    Planned,
    Progress,
    RowBalance,
    StageProgress,
    Succeeded,
    TaskFinished,
    TaskProgress,
)

STAGE = StageProgress(0, "scan input", "RUNNING", 4, 0, 0, 400)
PLANNED = Planned((), "SELECT 1", (STAGE,), 400)
BALANCE = RowBalance(read=10, passed=9, rejected=1, written=3)


class ScriptedRun:
    """Events come when the test tells them; `cancel` and `suspend` end it as they do a real run."""

    def __init__(self, spec: JobSpec, resume: Sequence[TaskFinished]) -> None:
        self.spec = spec
        self.resume = list(resume)
        self.is_canceled = self.is_suspended = self.may_commit = False
        self._told: asyncio.Queue[Event | None] = asyncio.Queue()

    def tell(self, *events: Event) -> None:
        for event in events:
            self._told.put_nowait(event)

    async def events(self) -> AsyncIterator[Event]:
        while (event := await self._told.get()) is not None:
            yield event
            if isinstance(event, Succeeded | Canceled):
                return

    def cancel(self) -> None:
        if not self.is_canceled:
            self.is_canceled = True
            self.tell(Canceled())

    def suspend(self) -> None:
        self.is_suspended = True
        self._told.put_nowait(None)

    def commit(self) -> None:
        self.may_commit = True

    def join(self, timeout_s: float | None = None) -> bool:
        return threading.current_thread().is_alive()


class Script:
    """Starts scripted runs, and keeps them for the test."""

    def __init__(self) -> None:
        self.runs: list[ScriptedRun] = []

    def __call__(self, spec: JobSpec, resume: Sequence[TaskFinished]) -> ScriptedRun:
        self.runs.append(ScriptedRun(spec, resume))
        return self.runs[-1]

    def of(self, job_id: object) -> ScriptedRun | None:
        """The latest run of a job."""
        return next((run for run in reversed(self.runs) if run.spec.job_id == str(job_id)), None)


def task(shard: int, state: str = "RUNNING", bytes_read: int = 0) -> TaskProgress:
    return TaskProgress(0, shard, state, 1, bytes_read, 100, bytes_read, None, None, None, None)  # type: ignore[arg-type]


def progress(fraction: float, *tasks: TaskProgress) -> Progress:
    return Progress(
        fraction=fraction,
        bytes_read=int(fraction * 400),
        bytes_total=400,
        rows_read=int(fraction * 10),
        rows_written=0,
        rows_rejected=0,
        bytes_per_second=1.0,
        rows_per_second=1.0,
        eta_seconds=1.0,
        stages=(STAGE,),
        tasks=tasks,
        at=1_800_000_000.0,
    )


def output(spec: JobSpec, name: str = "output.csv") -> Artifact:
    return Artifact("OUTPUT", name, f"{spec.output_dir}/{name}", "csv", 3, 3, "0" * 64, ())


__all__ = ["BALANCE", "PLANNED", "Finalizing", "Script", "ScriptedRun", "output", "progress", "task"]
