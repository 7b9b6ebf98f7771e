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


@dataclass(frozen=True, slots=True)
class Run:
    """What one process did."""

    seconds: float
    cpu_s: float
    """User and system time: what it costs, however busy the machine is."""
    peak_bytes: int
    """Highest resident memory of the process, as the system counts it."""
    fault: str | None
    """Why it failed, in its own last words."""


def run(command: Sequence[str], folder: Path) -> Run:
    """Run `command` in `folder` to its end, or to the time limit.

    The caller must be small: Linux tells no less for a child than its parent had when it was started.
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    limit = threading.Timer(TIMEOUT_S, process.send_signal, (signal.SIGKILL,))
    limit.start()
    assert process.stderr is not None
    with process.stderr as stream:
        words = stream.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    limit.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    fault = None
    if process.returncode:
        said = words.decode(errors="replace").strip()[-FAULT_CHARS:]
        fault = f"exit status {process.returncode}: {said}"
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, fault)


def warm(path: Path) -> None:
    """Read a file, so that it is in the page cache."""
    with path.open("rb", buffering=0) as file:
        while file.read(READ_BYTES):
            pass
