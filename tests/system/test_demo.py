"""`karyaksham demo`, as `make demo` runs it, on a smaller file."""

import os
import re
import subprocess
import sys
from pathlib import Path

LAST_LINE = re.compile(
    r"demo: ok read=(\d+) passed=(\d+) rejected=(\d+) closes=true seconds=[\d.]+ gb_per_s=[\d.]+"
)


def test_demo_shows_result_rejects_and_a_balance_that_closes(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "demo", "--size", "12MB"],
        capture_output=True,
        text=True,
        timeout=240,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = LAST_LINE.fullmatch(done.stdout.splitlines()[-1])
    assert found, done.stdout
    read, passed, rejected = map(int, found.groups())
    assert read == passed + rejected and rejected >= 1
    assert "100.0 %  succeeded" in done.stderr
    assert "rejected rows (rejects.csv)" in done.stdout
