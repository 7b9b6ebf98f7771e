"""Throw wrong bytes at the engine for a while: build the fuzz targets, and run them one after the other.

Targets are libFuzzer programs (`engine/fuzz`), built with coverage counters by stable Rust: what reaches new code is
kept and mutated further. They begin with their seeds, and with what earlier runs on this machine found worth keeping.
What breaks a target is written to `engine/fuzz/seeds/<target>/` as `crash-...`, so that it is run again each time: keep
it under a name that says what it shows, next to the fix.

With --inputs the run can be had again: as many inputs, made from the seeds alone by the same chain of chances, without
what hangs on addresses (only `decode`, which has threads, finds somewhat different ways).

usage: python -m tests.fuzz [--seconds N | --inputs N] [--targets index,csv]
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path

FUZZ = Path(__file__).resolve().parents[1] / "engine" / "fuzz"
TRIPLE_OF_MACHINE = {"x86_64": "x86_64-unknown-linux-gnu", "aarch64": "aarch64-unknown-linux-gnu"}
COVERAGE = (
    "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 "
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table "
    "-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
)
LONGEST_BYTES = 2048
"""Of an input: longer ones are slower and show little more, as chunks are as small as 16 bytes."""
INPUT_S = 20
"""An input that takes longer hangs."""
MEMORY_MB = 2048


def main(arguments: Sequence[str]) -> int:
    """1 when a target broke."""
    manifest = tomllib.loads((FUZZ / "Cargo.toml").read_text())
    known = [target["name"] for target in manifest["bin"]]
    parser = argparse.ArgumentParser(prog="make fuzz ARGS=...", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument(
        "--inputs", type=int, help="for each target, the same ones in each run, instead of --seconds"
    )
    parser.add_argument("--targets", default=",".join(known), help="with commas between them")
    options = parser.parse_args(arguments)
    targets = options.targets.split(",")
    if unknown := [target for target in targets if target not in known]:
        parser.error(f"{', '.join(unknown)} is none of {', '.join(known)}")
    programs = build(targets)
    failed = [target for target in targets if not run(programs / target, target, options)]
    print(f"\n{len(targets) - len(failed)} passed, {len(failed)} failed")
    return int(bool(failed))


def cache() -> Path:
    """Beside the engine's own builds, which these do not touch."""
    folder = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("CARGO_TARGET_DIR") or Path(folder) / "karyaksham" / "target") / "fuzz"


def build(targets: Sequence[str]) -> Path:
    """The folder of the programs. Minutes the first time."""
    print("==> fuzz: building", flush=True)
    triple = TRIPLE_OF_MACHINE[os.uname().machine]
    chosen = [word for target in targets for word in ("--bin", target)]
    # With a target named, the flags are not those of build scripts, which have no fuzzer to be linked with.
    command = ["cargo", "build", "--release", "--quiet", "--target", triple, *chosen]
    environment = {**os.environ, "RUSTFLAGS": COVERAGE, "CARGO_INCREMENTAL": "0"}
    command += ["--target-dir", str(cache())]
    subprocess.run(command, cwd=FUZZ, env=environment, check=True)
    return cache() / triple / "release"


def run(program: Path, target: str, options: argparse.Namespace) -> bool:
    """Run one target, and say what it did; False when it broke."""
    seeds, corpus = FUZZ / "seeds" / target, cache() / "corpus" / target
    corpus.mkdir(parents=True, exist_ok=True)
    limits = [f"-max_len={LONGEST_BYTES}", f"-timeout={INPUT_S}", f"-rss_limit_mb={MEMORY_MB}"]
    report = [f"-artifact_prefix={seeds}{os.sep}", "-print_final_stats=1"]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as fresh:
        until = (
            ["-seed=1", "-use_cmp=0", f"-runs={options.inputs}"]
            if options.inputs
            else [f"-max_total_time={options.seconds}"]
        )
        folders = [fresh if options.inputs else str(corpus), str(seeds)]
        done = subprocess.run(
            [str(program), *folders, *until, *limits, *report],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    log = done.stdout.decode(errors="replace")
    runs = re.findall(r"number_of_executed_units: (\d+)", log)
    covered = re.findall(r"cov: (\d+)", log)
    print(
        f"{target:10} {'ok' if done.returncode == 0 else 'BROKEN':7} {int(runs[-1]) if runs else 0:>12,} inputs"
        f" {covered[-1] if covered else 0:>6} branches {time.monotonic() - began:6.1f} s",
        flush=True,
    )
    if done.returncode != 0:
        print(log[-8000:], flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
