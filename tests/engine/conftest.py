"""Jobs over real files, run task by task through the Python surface of the engine."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import karyaksham_engine as engine
from karyaksham_engine.types import BadRowPolicy, Job, Source


@dataclass
class Runner:
    """A folder, and what it takes to run jobs in it."""

    folder: Path
    attempts: int = 0
    outcomes: list[engine.TaskOutcome] = field(default_factory=list)

    def source(self, name: str, text: str) -> Source:
        path = self.folder / f"{name}.csv"
        path.write_text(text)
        return self.inspected(name, path)

    def inspected(self, name: str, path: Path) -> Source:
        sniffed = engine.sniff(str(path))
        return Source(
            name=name,
            format=sniffed["format"],
            files=[{"path": str(path), "size_bytes": sniffed["size_bytes"]}],
            dialect=sniffed["dialect"],
            columns=sniffed["columns"],
        )

    def job(
        self, sql: str, *sources: Source, policy: BadRowPolicy = "FAIL_JOB", shard_size: int = 1 << 30
    ) -> Job:
        return Job(
            sql=sql,
            sources=list(sources),
            output={"format": "csv"},
            bad_rows={"policy": policy},
            shard_size_bytes=shard_size,
        )

    def context(
        self,
        *,
        cancel: engine.CancelToken | None = None,
        progress: engine.Progress | None = None,
        memory_bytes: int | None = None,
    ) -> engine.TaskContext:
        self.attempts += 1
        staging = self.folder / f"attempt-{self.attempts}"
        staging.mkdir()
        return engine.TaskContext(
            staging_dir=str(staging),
            keep="memory",
            memory_bytes=memory_bytes,
            cancel=cancel,
            progress=progress,
        )

    def run(self, job: Job) -> str:
        """The whole output of a job whose shards all join."""
        plan = engine.plan(job)
        inputs: list[list[engine.Block]] = []
        parts: list[engine.Part] = []
        for stage in plan.stages:
            tasks = plan.tasks(stage["index"])
            done = [engine.run_task(task.payload, self.context(), inputs=inputs) for task in tasks]
            self.outcomes.extend(done)
            inputs.append([outcome.block for outcome in done if outcome.block is not None])
            parts.extend(outcome.part for outcome in done if outcome.part is not None)
        target = self.folder / "output.csv"
        writer = engine.OutputWriter(str(target), job["output"], plan.columns)
        for part in parts:
            writer.append(part)
        writer.commit()
        return target.read_text()


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


@pytest.fixture
def big(runner: Runner) -> Callable[[], Source]:
    """A file that takes a while: about 60 MB."""

    def make() -> Source:
        line = "".join(f"{n},{n % 977}.25,some text that is here for its length {n}\n" for n in range(1000))
        return runner.source("big", "id,amount,note\n" + line * 1200)

    return make
