"""One command as a whole process: its wall time, its CPU time and its peak memory."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_S = 600
READ_BYTES = 1 << 22
FAULT_CHARS = 300
SAMPLE_S = 0.01


@dataclass(frozen=True, slots=True)
class Run:
    """What one process did."""

    seconds: float
    cpu_s: float
    """User and system time: what it costs, however busy the machine is."""
    peak_bytes: int
    """Highest resident memory of the process, as the system counts it: pages of files that it maps are in it."""
    own_bytes: int
    """Highest memory that is the process's own, pages of files left out; 0 unless it was asked for."""
    fault: str | None
    """Why it failed, in its own last words."""


def run(command: Sequence[str], folder: Path, *, output: Path | None = None, sample: bool = False) -> Run:
    """Run `command` in `folder` to its end, or to the time limit; `output` takes what it prints.

    `sample` looks at its own memory every 10 ms, which costs a little of a CPU. The caller must be small: Linux tells
    no less for a child than its parent had when it was started.
    """
    with open(output or os.devnull, "wb") as printed:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.PIPE,
        )
        limit = threading.Timer(TIMEOUT_S, process.send_signal, (signal.SIGKILL,))
        limit.start()
        ended, peak = threading.Event(), [0]
        watch = threading.Thread(target=watch_memory, args=(process.pid, ended, peak))
        if sample:
            watch.start()
        assert process.stderr is not None
        with process.stderr as stream:
            words = stream.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
    limit.cancel()
    ended.set()
    if sample:
        watch.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    fault = None
    if process.returncode:
        said = words.decode(errors="replace").strip()[-FAULT_CHARS:]
        fault = f"exit status {process.returncode}: {said}"
    cpu_s = usage.ru_utime + usage.ru_stime
    return Run(seconds, cpu_s, usage.ru_maxrss * 1024, peak[0], fault)


def environment() -> dict[str, str]:
    """Ours, in which Python keeps what it compiles, as installed packages do: the run that warms up writes it."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def watch_memory(process: int, ended: threading.Event, peak: list[int]) -> None:
    """Keep in `peak[0]` the most anonymous and shared memory that the process had, in bytes."""
    status = Path(f"/proc/{process}/status")
    while not ended.wait(SAMPLE_S):
        try:
            lines = status.read_text().splitlines()
        except OSError:
            return
        held = sum(int(line.split()[1]) for line in lines if line.startswith(("RssAnon", "RssShmem")))
        peak[0] = max(peak[0], held * 1024)


def warm(path: Path) -> None:
    """Read a file, so that it is in the page cache."""
    with path.open("rb", buffering=0) as file:
        while file.read(READ_BYTES):
            pass
