"""Measure `karyaksham run` beside other engines: whole fresh processes on the same files, results verified equal.

Every contender runs once to warm up and to be verified; then the fastest readings of each engine take turns, so that a
disturbance hits all alike. What counts is the median of the wall time from start to exit, imports and output included.

A run at scale 1 with all engines writes docs/performance.md and its plot. Figures of other workloads that the same
machine measured with the same versions are kept, so a long run can be done in pieces.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from tests.bench import report
from tests.bench.contenders import ENGINES, OURS, READINGS, Contender, fast_ones, lineup
from tests.bench.measure import run, warm
from tests.bench.verify import Signature, difference
from tests.bench.workloads import WORKLOADS

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / ".venv" / "peers" / "bin" / "python"
GIB = 1 << 30


def main(arguments: Sequence[str]) -> int:
    """Measure what was asked for; 1 if ours gave no result, or one that is not that of the others."""
    options = parse(arguments)
    conditions = machine(options)
    print(report.conditions(conditions), flush=True)
    figures = kept(options.figures, conditions)
    sound = True
    with tempfile.TemporaryDirectory(prefix="karyaksham-bench-") as scratch:
        for name in options.workloads:
            folder = data(name, options)
            print(f"\n{name}  {WORKLOADS[name].title}; {', '.join(WORKLOADS[name].files)}", flush=True)
            contenders = lineup(name, folder, Path(scratch), options)
            reference = compare(name, contenders, options.runs)
            told: dict[str, Any] = {"contenders": [c.figures() for c in contenders]}
            told["bytes"] = sum((folder / file).stat().st_size for file in WORKLOADS[name].files)
            print(report.table(told), flush=True)
            if WORKLOADS[name].limited and options.memory:
                limited = lineup(name, folder, Path(scratch), options, limited=True)
                verify(name, limited, reference)
                told["limited"] = [c.figures() for c in limited]
                print(report.limited_table(told, options.memory), flush=True)
            figures["workloads"][name] = told
            options.figures.write_text(json.dumps(figures, indent=1) + "\n")
            sound = sound and not contenders[0].fault
    print()
    for name in options.workloads:
        print(f"{name:4} {report.verdict(figures['workloads'][name])}")
    publish(figures, options)
    return int(not sound)


def publish(figures: dict[str, Any], options: argparse.Namespace) -> None:
    """Write the documentation, if these are figures that it may show."""
    complete = options.engines == list(ENGINES) and options.readings == list(READINGS) and options.scale == 1
    page: Path | None = options.page or (ROOT / "docs" / "performance.md" if complete else None)
    if page is None:
        print("\ndocs/performance.md is left as it is: it shows all engines and readings at scale 1.")
        return
    report.write(page, figures)
    print(f"\nwrote {page} and {report.plot_of(page).name} beside it")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "karyaksham" / "bench"
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
    add("--scale", type=float, default=1.0, help="1: files of 0.7 to 1 GB")
    add("--threads", type=int, default=2)
    add("--memory", type=int, default=GIB, help="bytes, for W7 to W10 once more; 0: not")
    add("--data", type=Path, default=cache, help="folder of the files, made when missing")
    add("--peers", type=Path, default=PEERS, help="the Python that the other engines are installed for")
    add("--page", type=Path, help="write the figures between the markers of this file")
    options = parser.parse_args(arguments)
    if options.runs < 1 or options.scale <= 0:
        parser.error("--runs and --scale must be positive")
    if options.engines and not options.peers.exists():
        parser.error(f"{options.peers} is missing: `make bench` installs the other engines there")
    options.figures = options.data / f"figures-{options.scale:g}.json"
    return options


def chosen(known: Collection[str]) -> Callable[[str], list[str]]:
    """Read a list of known names, with commas between them."""

    def read(text: str) -> list[str]:
        names = [name for name in text.split(",") if name not in ("", "none")]
        if unknown := [name for name in names if name not in known]:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)} is none of {', '.join(known)}")
        return names

    return read


def machine(options: argparse.Namespace) -> dict[str, Any]:
    """What the figures are measured on and with."""
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    asked = "import importlib.metadata as m, sys; print(*(m.version(name) for name in sys.argv[1:]))"
    versions = {OURS: subprocess.check_output([sys.executable, "-c", asked, OURS], text=True).strip()}
    if options.engines:
        # Imported too: the first run of each would else pay for reading its libraries from disk.
        asked += (
            "; [__import__(name) for name in sys.argv[1:]]; sys.stdout.flush(); __import__('os')._exit(0)"
        )
        found = subprocess.check_output([options.peers, "-c", asked, *options.engines], text=True)
        versions |= dict(zip(options.engines, found.split(), strict=True))
    return {
        "cpu": model,
        "cpus": os.cpu_count(),
        "memory_bytes": memory_bytes,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "threads": options.threads,
        "runs": options.runs,
        "scale": options.scale,
        "memory_limit_bytes": options.memory,
        "versions": versions,
    }


def kept(path: Path, conditions: dict[str, Any]) -> dict[str, Any]:
    """The figures of earlier runs under the same conditions, or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        figures: dict[str, Any] = json.loads(path.read_text())
        if figures["conditions"] == conditions:
            return figures
    return {"conditions": conditions, "workloads": {}}


def data(name: str, options: argparse.Namespace) -> Path:
    """The folder of a workload's files, each made in a process of its own when it is missing."""
    folder: Path = (options.data / f"scale-{options.scale:g}").resolve()
    for file in WORKLOADS[name].files:
        if not (folder / file).exists():
            print(f"\nmaking {folder / file}", flush=True)
            command = [str(options.peers), "-m", "tests.bench.data", file, f"{options.scale:g}", str(folder)]
            subprocess.run(command, cwd=ROOT, check=True)
        warm(folder / file)
    return folder


def compare(name: str, contenders: list[Contender], runs: int) -> Signature | None:
    """Warm up, verify, and measure in turns; what the others agree on."""
    reference = verify(name, contenders)
    for _ in range(runs):
        for contender in fast_ones(contenders):
            done = run(contender.command, ROOT, output=contender.output if contender.printed else None)
            contender.discard()
            contender.fault = done.fault
            contender.runs.append(done)
    return reference


def verify(name: str, contenders: list[Contender], reference: Signature | None = None) -> Signature | None:
    """Run each once, and mark those without a result or with another one.

    Most agree with the first of the others, which is the reference unless one is given; ours is on trial.
    """
    for contender in contenders:
        if contender.fault:
            continue
        output = contender.output if contender.printed else None
        contender.first = run(contender.command, ROOT, output=output, sample=True)
        contender.fault = contender.first.fault
        if not contender.fault:
            contender.signature, contender.fault = signed(name, contender.output)
        contender.discard()
    sound = [contender for contender in contenders if contender.signature]
    for contender in sound:
        if reference is None and contender.engine != OURS:
            reference = contender.signature
    for contender in sound if reference else []:
        assert contender.signature is not None and reference is not None
        told = difference(WORKLOADS[name], reference, contender.signature)
        contender.fault = f"wrong result: {told}" if told else None
    return reference


def signed(name: str, result: Path) -> tuple[Signature | None, str | None]:
    """The signature of a result, from a process of its own, which may grow where this one must not."""
    command = [sys.executable, "-m", "tests.bench.verify", name, str(result)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        return None, f"wrong result: {done.stderr.strip()[-300:]}"
    return json.loads(done.stdout), None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
