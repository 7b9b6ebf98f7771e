"""Who runs a workload, by which command, and what was measured of it."""

import shutil
import statistics
import sys
from argparse import Namespace
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.measure import Run
from tests.bench.verify import Signature
from tests.bench.workloads import WORKLOADS, Workload

OURS = "karyaksham"
ENGINES = ("duckdb", "polars", "datafusion", "chdb", "daft")
READINGS = ("typed", "auto", "text")
MUCH_SLOWER = 1.4
"""A reading that takes this many times as long as the same engine's best on the first run does not take turns."""


@dataclass(slots=True)
class Contender:
    """One way to run one workload, and what was measured of it."""

    engine: str
    reading: str
    command: list[str]
    output: Path
    printed: bool = False
    """The result is what the command prints."""
    first: Run | None = None
    """The run that was verified and not counted."""
    runs: list[Run] = field(default_factory=list)
    signature: Signature | None = None
    fault: str | None = None

    @property
    def name(self) -> str:
        return OURS if self.engine == OURS else f"{self.engine} {self.reading}"

    @property
    def median_s(self) -> float:
        return statistics.median(run.seconds for run in self.runs)

    def discard(self) -> None:
        """Remove what the last run wrote."""
        shutil.rmtree(f"{self.output}.chdb", ignore_errors=True)
        shutil.rmtree(self.output.parent / "spill", ignore_errors=True)
        if self.output.is_dir():
            shutil.rmtree(self.output)
        self.output.unlink(missing_ok=True)

    def figures(self) -> dict[str, object]:
        """What is kept of it."""
        told: dict[str, object] = {"engine": self.engine, "reading": self.reading}
        if self.fault:
            return {**told, "fault": self.fault}
        assert self.first is not None
        told |= {"first_s": self.first.seconds, "own_bytes": self.first.own_bytes}
        told["peak_bytes"] = max(run.peak_bytes for run in (self.first, *self.runs))
        if self.signature:
            told["rows"] = self.signature["rows"]
        if self.runs:
            told |= {"median_s": self.median_s, "seconds": [run.seconds for run in self.runs]}
            told["cpu_s"] = statistics.median(run.cpu_s for run in self.runs)
        return told


def lineup(
    name: str, folder: Path, scratch: Path, options: Namespace, limited: bool = False
) -> list[Contender]:
    """Ours, then the others in each way they can read; under a limit of memory each only once."""
    workload = WORKLOADS[name]
    contenders = [ours(name, workload, folder, scratch, options, limited)]
    for engine in options.engines:
        for reading in options.readings[:1] if limited else options.readings:
            if reading == "text" and workload.text_sql is None:
                continue
            if reading == "auto" and all(file.endswith(".parquet") for file in workload.files):
                continue
            output = scratch / f"{name}-{engine}-{reading}.{workload.format}"
            command = [str(options.peers), "-m", "tests.bench.peer", engine, reading, name, str(folder)]
            command += [str(output), str(options.threads)]
            if limited:
                command.append(str(options.memory))
            contenders.append(Contender(engine, reading, command, output))
    return contenders


def ours(
    name: str, workload: Workload, folder: Path, scratch: Path, options: Namespace, limited: bool
) -> Contender:
    program = shutil.which(OURS, path=Path(sys.executable).parent) or shutil.which(OURS)
    files = [str(folder / file) for file in workload.files]
    told = ["--threads", str(options.threads)]
    if workload.profile:
        output = scratch / f"{name}-{OURS}.json"
        command = [program or OURS, "profile", *files, "--json", *told]
    else:
        output = scratch / f"{name}-{OURS}.{workload.format}"
        sql = " ".join(workload.sql.format(**{table: table for table in workload.tables}).split())
        command = [program or OURS, "run", sql, *files, "-o", str(output), *told]
    if limited:
        command += ["--memory", str(options.memory)]
    fault = None if program else "not installed here"
    return Contender(OURS, "auto", command, output, printed=workload.profile, fault=fault)


def fast_ones(contenders: list[Contender]) -> list[Contender]:
    """Those that take turns: sound, and not much slower than the same engine in another reading."""
    best: dict[str, float] = {}
    for contender in contenders:
        if contender.first and not contender.fault:
            known = best.get(contender.engine, contender.first.seconds)
            best[contender.engine] = min(known, contender.first.seconds)
    return [
        contender
        for contender in contenders
        if contender.first
        and not contender.fault
        and contender.first.seconds <= MUCH_SLOWER * best[contender.engine]
    ]
