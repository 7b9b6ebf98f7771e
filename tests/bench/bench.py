"""Measure `karyaksham run` beside DuckDB and Polars: whole fresh processes on the same files, results verified equal.

Every contender runs once to warm up and to be verified, then they take turns, so that a disturbance hits all alike.
What counts is the median of the wall time from start to exit, imports and output file included.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tests.bench.measure import Run, run, warm
from tests.bench.workloads import WORKLOADS, Workload

ROOT = Path(__file__).resolve().parents[2]
OURS = "karyaksham"
ENGINES = ("duckdb", "polars")
READINGS = ("typed", "auto", "text")
MB = 1_000_000


@dataclass(slots=True)
class Contender:
    """One way to run one workload, and what was measured of it."""

    name: str
    command: list[str]
    output: Path
    runs: list[Run] = field(default_factory=list)
    rows: int = 0
    fault: str | None = None

    @property
    def median_s(self) -> float:
        return statistics.median(run.seconds for run in self.runs)

    @property
    def cpu_s(self) -> float:
        return statistics.median(run.cpu_s for run in self.runs)

    @property
    def peak_bytes(self) -> int:
        return max(run.peak_bytes for run in self.runs)

    def figures(self) -> dict[str, object]:
        """What goes into the JSON file."""
        if self.fault:
            return {"contender": self.name, "fault": self.fault}
        return {
            "contender": self.name,
            "median_s": self.median_s,
            "seconds": [run.seconds for run in self.runs],
            "cpu_s": self.cpu_s,
            "peak_bytes": self.peak_bytes,
            "rows": self.rows,
        }


def main(arguments: Sequence[str]) -> int:
    """Measure what was asked for; 1 if a result was wrong or missing."""
    options = parse(arguments)
    print(machine(options), flush=True)
    everything: dict[str, list[Contender]] = {}
    with tempfile.TemporaryDirectory(prefix="karyaksham-bench-") as scratch:
        for name in options.workloads:
            source = data(WORKLOADS[name], options)
            contenders = lineup(name, source, Path(scratch), options)
            heading(name, source)
            compare(name, contenders, source, options.runs)
            table(contenders, source.stat().st_size)
            everything[name] = contenders
    print()
    for name, contenders in everything.items():
        print(f"{name}  {verdict(contenders)}")
    if options.json:
        figures = {name: [c.figures() for c in contenders] for name, contenders in everything.items()}
        told = {"machine": machine(options), "scale": options.scale, "workloads": figures}
        options.json.write_text(json.dumps(told, indent=1) + "\n")
    return int(any(c.fault for contenders in everything.values() for c in contenders))


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=(__doc__ or "").split("\n")[0])
    add = parser.add_argument
    add("--workloads", type=chosen(WORKLOADS), default=list(WORKLOADS), help="such as W2,W4")
    add("--engines", type=chosen(ENGINES), default=list(ENGINES), help="such as duckdb; none: only ours")
    add(
        "--readings",
        type=chosen(READINGS),
        default=list(READINGS),
        help="how the others read: typed,auto,text",
    )
    add("--runs", type=int, default=5, help="counted runs of each contender, after one that is not counted")
    add("--scale", type=float, default=1.0, help="1: files of about 0.7 GB")
    add("--threads", type=int, default=2)
    add(
        "--data",
        type=Path,
        default=cache / "karyaksham" / "bench",
        help="folder of the files, made when missing",
    )
    add("--json", type=Path, metavar="OUT", help="write all figures to this file")
    options = parser.parse_args(arguments)
    if options.runs < 1 or options.scale <= 0:
        parser.error("--runs and --scale must be positive")
    return options


def chosen(known: Collection[str]) -> Callable[[str], list[str]]:
    """Read a list of known names, with commas between them."""

    def read(text: str) -> list[str]:
        names = [name for name in text.split(",") if name not in ("", "none")]
        if unknown := [name for name in names if name not in known]:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)} is none of {', '.join(known)}")
        return names

    return read


def machine(options: argparse.Namespace) -> str:
    """What the figures were measured on and with."""
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
    packages = ", ".join(f"{name} {installed(name)}" for name in (OURS, *options.engines))
    return f"{model}, {os.cpu_count()} CPUs, {options.threads} threads; Python {platform.python_version()}, {packages}"


def installed(name: str) -> str:
    """The version of a package."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"


def data(workload: Workload, options: argparse.Namespace) -> Path:
    """The file of a workload, made in a process of its own when it is missing."""
    folder: Path = (options.data / f"scale-{options.scale:g}").resolve()
    path = folder / f"{workload.table}.csv"
    if not path.exists():
        print(f"\nmaking {path}", flush=True)
        module("data", workload.table, f"{options.scale:g}", str(folder)).check_returncode()
    return path


def module(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module of this package in its own process, which may grow where this one must not."""
    command = [sys.executable, "-m", f"tests.bench.{name}", *arguments]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=None, text=True, check=False)


def lineup(name: str, source: Path, scratch: Path, options: argparse.Namespace) -> list[Contender]:
    """Ours, then the others in each way they can read."""
    workload, threads = WORKLOADS[name], str(options.threads)
    ours = shutil.which(OURS, path=Path(sys.executable).parent) or shutil.which(OURS)
    output = scratch / f"{name}-{OURS}.csv"
    sql = " ".join(workload.sql.format(table="input").split())
    command = [ours or OURS, "run", sql, str(source), "-o", str(output), "--threads", threads]
    contenders = [Contender(OURS, command, output, fault=None if ours else "not installed here")]
    for engine in options.engines:
        for reading in options.readings:
            if reading == "text" and workload.text_sql is None:
                continue
            output = scratch / f"{name}-{engine}-{reading}.csv"
            peer = [sys.executable, "-m", "tests.bench.peer", engine, reading, name, str(source), str(output)]
            contenders.append(Contender(f"{engine} {reading}", [*peer, threads], output))
    return contenders


def compare(name: str, contenders: list[Contender], source: Path, runs: int) -> None:
    """Warm up, verify, and measure in turns."""
    warm(source)
    for contender in contenders:
        contender.fault = contender.fault or run(contender.command, ROOT).fault
    # Most agree with the first of the others; ours is the one that is on trial.
    sound = [contender for contender in contenders if not contender.fault]
    reference = next((contender for contender in sound if contender.name != OURS), None)
    for contender in sound if reference else []:
        assert reference is not None
        verified = module("verify", name, str(reference.output), str(contender.output))
        contender.rows = int(verified.stdout.strip() or 0)
        if verified.returncode:
            contender.fault = f"another result than {reference.name}"
    for _ in range(runs):
        for contender in contenders:
            if contender.fault:
                continue
            contender.output.unlink(missing_ok=True)
            done = run(contender.command, ROOT)
            contender.fault = done.fault
            contender.runs.append(done)


def heading(name: str, source: Path) -> None:
    size = source.stat().st_size / MB
    print(f"\n{name}  {WORKLOADS[name].title}; {source.name}, {size:,.0f} MB", flush=True)


def table(contenders: list[Contender], size_bytes: int) -> None:
    """One line a contender; the ratio is its time as a multiple of ours."""
    ours = next((c for c in contenders if c.name == OURS and not c.fault), None)
    print(
        f"    {'':16} {'median s':>9} {'min-max':>13} {'cpu s':>6} {'GB/s':>6} {'peak MB':>8} {'rows':>9} {'ratio':>6}"
    )
    for contender in contenders:
        if contender.fault:
            print(f"    {contender.name:16} FAILED: {contender.fault}")
            continue
        median = contender.median_s
        times = [run.seconds for run in contender.runs]
        spread = f"{min(times):.2f}-{max(times):.2f}"
        ratio = f"{median / ours.median_s:.2f}" if ours else ""
        rate = size_bytes / median / 1e9
        print(
            f"    {contender.name:16} {median:9.3f} {spread:>13} {contender.cpu_s:6.2f} {rate:6.2f}"
            f" {contender.peak_bytes / MB:8,.0f} {contender.rows:9,} {ratio:>6}"
        )


def verdict(contenders: list[Contender]) -> str:
    """How ours stands to the best of the others."""
    sound = [contender for contender in contenders if not contender.fault]
    others = [contender for contender in sound if contender.name != OURS]
    ours = next((contender for contender in sound if contender.name == OURS), None)
    if ours is None or not others:
        return "nothing to compare: a result is missing"
    best = min(others, key=lambda contender: contender.median_s)
    return f"best peer / {OURS} = {best.median_s / ours.median_s:.2f} ({best.name}), results equal"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
