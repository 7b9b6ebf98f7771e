"""Run every test we have, a phase at a time: the screen shows how far it is, then a plain summary.

usage: run_all.py [text|core|fuzz|python|client|browser ...]
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NPM = shutil.which("npm") or "npm"


@dataclass(frozen=True, slots=True)
class Phase:
    name: str
    command: tuple[str, ...]
    folder: Path
    passed: str
    failed: str
    """Patterns whose first groups, added up over the output, count tests."""


CARGO_TEST = ("cargo", "test", "--release", "--locked", "--no-fail-fast", "--quiet", "--package")
CARGO_PASSED = r"test result: \w+\. (\d+) passed"
CARGO_FAILED = r"test result: .* (\d+) failed"
PHASES = (
    # A crate at a time: together, features that only tests of the one need would build DataFusion again for the other.
    Phase("text", (*CARGO_TEST, "karyaksham-text"), ROOT / "engine", CARGO_PASSED, CARGO_FAILED),
    Phase("core", (*CARGO_TEST, "karyaksham-core"), ROOT / "engine", CARGO_PASSED, CARGO_FAILED),
    # Their seeds, what once broke them, and the same thousands more each time; `make fuzz` goes where chance leads.
    Phase(
        "fuzz",
        (sys.executable, "-m", "tests.fuzz", "--inputs", "20000"),
        ROOT,
        r"(?m)^(\d+) passed, \d+ failed",
        r"(?m)^\d+ passed, (\d+) failed",
    ),
    Phase(
        "python",
        (sys.executable, "-m", "pytest", "--durations=5"),
        ROOT,
        r"(?m)^(?:.*, )?(\d+) passed",
        r"(?m)^(?:.*, )?(\d+) (?:failed|error)",
    ),
    Phase(
        "client",
        (NPM, "test", "--silent"),
        ROOT / "client",
        r"Tests\s.*?(\d+) passed",
        r"Tests\s+(\d+) failed",
    ),
    Phase(
        "browser",
        (NPM, "run", "--silent", "e2e"),
        ROOT / "client",
        r"Tests\s.*?(\d+) passed",
        r"Tests\s+(\d+) failed",
    ),
)
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def count(pattern: str, output: str) -> int:
    return sum(int(found) for found in re.findall(pattern, output))


def run(phase: Phase) -> tuple[int, int, float]:
    """Tests passed, tests failed (at least one when the command failed), seconds."""
    print(f"==> {phase.name}: {' '.join(Path(part).name for part in phase.command)}", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen(phase.command, cwd=phase.folder, stdout=log, stderr=subprocess.STDOUT)
        while True:
            try:
                status = process.wait(timeout=30)
                break
            except subprocess.TimeoutExpired:
                print(f"    {phase.name}: {time.monotonic() - began:.0f} s", flush=True)
        log.seek(0)
        output = ANSI.sub("", log.read())
    passed, failed = count(phase.passed, output), count(phase.failed, output)
    if status != 0 or passed == 0:
        print(output[-20_000:], flush=True)
        failed = max(failed, 1)
    return passed, failed, time.monotonic() - began


def main() -> int:
    wanted = sys.argv[1:] or [phase.name for phase in PHASES]
    results = {phase.name: run(phase) for phase in PHASES if phase.name in wanted}
    print()
    for name, (passed, failed, seconds) in results.items():
        print(f"{name:10} {passed:5} passed {failed:4} failed {seconds:7.1f} s")
    passed = sum(result[0] for result in results.values())
    failed = sum(result[1] for result in results.values())
    print(f"\n{passed} passed, {failed} failed")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    raise SystemExit(main())
