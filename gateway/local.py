"""`karyaksham run`, `inspect`, `preview` and `profile`: local files, no service, no import that they don't need."""

import json
import os
import signal
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import compute
from compute import errors, files, local, spec, tables
from compute.objects import is_object
from karyaksham_engine.errors import InvalidJob, KaryakshamError, SourceError
from karyaksham_engine.types import (
    BadRowPolicy,
    DialectOverrides,
    Output,
    OutputFormat,
    Source,
    StorageOptions,
)

from . import local_index, objects
from .local_dialect import overrides
from .terminal import ProgressLine, progress_in_words, table

STATUS_OF_KIND: dict[spec.FailureKind, int] = {
    "CONFIG": 2,
    "DATA": 3,
    "LIMIT": 4,
    "STORAGE": 5,
    "INFRASTRUCTURE": 4,
    "INTERNAL": 1,
}
CODES_OF_DATA = {"EMPTY_FILE", "BINARY_FILE", "NOT_A_TABLE", "UNSUPPORTED_FORMAT"}
"""Problems of a source that lie in its bytes, not in storage."""
POLICY_OF_WORD: dict[str, BadRowPolicy] = {"fail": "FAIL_JOB", "reject": "REJECT_ROW", "null": "SET_NULL"}
FORMAT_OF_SUFFIX: dict[str, OutputFormat] = {
    ".csv": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".parquet": "parquet",
    ".arrow": "arrow",
}
DIALECT_SHOWN = (
    "delimiter",
    "merge_delimiters",
    "trailing_delimiter",
    "skip_initial_space",
    "quote",
    "escape",
    "comment",
    "has_header",
    "skip_rows",
    "encoding",
    "line_ending",
)
COMPRESSION_OF_SUFFIX = {".gz": "gzip", ".zst": "zstd"}


def run(options: Namespace) -> int:
    """Run one query; the result goes to the output, everything else to standard error."""
    return _reported(_run, options)


def inspect(options: Namespace) -> int:
    return _reported(_inspect, options)


def preview(options: Namespace) -> int:
    return _reported(_preview, options)


def index(options: Namespace) -> int:
    """Read files once, and keep where their records begin."""
    return _reported(_index, options)


def profile(options: Namespace) -> int:
    return _reported(_profile, options)


def _reported(command: Callable[[Namespace], int], options: Namespace) -> int:
    try:
        return command(options)
    except KaryakshamError as error:
        return _report(errors.to_failure(error))


def _report(failure: spec.Failure) -> int:
    print(f"karyaksham: {failure.message} [{failure.code}]", file=sys.stderr)
    if failure.hint:
        print(f"  hint: {failure.hint}", file=sys.stderr)
    return STATUS_OF_KIND["DATA" if failure.code in CODES_OF_DATA else failure.kind]


def _run(options: Namespace) -> int:
    threads = options.threads or len(os.sched_getaffinity(0))
    dialect = overrides(options.dialect)
    if options.steps is not None and options.sql is not None:
        options.files.insert(0, options.sql)
    paths = [*options.files, *(path for _, path in options.input), *options.together]
    storage = objects.storage([*paths, options.output, options.rejects], os.environ)
    sources = _sources(
        options.files,
        options.input,
        options.together,
        dialect=dialect,
        threads=threads,
        storage=storage,
    )
    output: str | None = options.output
    if output and not is_object(output) and not Path(output).absolute().parent.is_dir():
        raise SourceError(
            "NO_SUCH_FOLDER", f"The folder of {output} does not exist.", "Make the folder first."
        )
    # The run removes its folder itself, and removing one takes milliseconds on some file systems: one is enough.
    with tempfile.TemporaryDirectory(prefix="karyaksham-", ignore_cleanup_errors=True) as scratch:
        job = _with_query(options, _job(options, sources, Path(scratch), storage))
        target = output or "-"
        began = time.monotonic()
        if options.ray:
            final = _run_on_ray(job, threads, target, options.rejects)
        else:
            final = _follow(local.start(job, threads=threads, target=target, rejects_target=options.rejects))
        seconds = time.monotonic() - began
    if isinstance(final, spec.Failed):
        return _report(final.failure)
    if not isinstance(final, spec.Succeeded):
        return 130
    balance = final.balance
    size_bytes = sum(file["size_bytes"] for source in sources for file in source["files"])
    print(
        f"rows: read {balance.read:,} = passed {balance.passed:,} + rejected {balance.rejected:,}; "
        f"written {balance.written:,}; {seconds:.2f} s, {size_bytes / max(seconds, 1e-9) / 1e9:.2f} GB/s",
        file=sys.stderr,
    )
    return 0


def _sources(
    paths: Sequence[str],
    named: Sequence[tuple[str, str]] = (),
    together: Sequence[str] = (),
    *,
    dialect: DialectOverrides | None = None,
    threads: int = 1,
    storage: StorageOptions | None = None,
) -> tuple[Source, ...]:
    """One path without a name is `input`; each is also named by its stem. Paths of one name are one table."""
    if not paths and not named and not together:
        raise InvalidJob(
            "NO_SOURCE", "No input file is given.", "Name a file after the SQL, or --input NAME=PATH."
        )
    alone = len(paths) == 1 and not named and not together
    wanted: dict[str, list[str]] = {"input": list(together)} if together else {}
    for path in paths:
        name = "input" if alone else _stem(path)
        if name in wanted:
            raise InvalidJob(
                "NAME_TAKEN",
                f"Two inputs are named {name!r}.",
                "Name them apart with --input NAME=PATH, or make them one table with --from.",
            )
        wanted[name] = [path]
    for name, path in named:
        if name in map(_stem, paths):
            raise InvalidJob(
                "NAME_TAKEN", f"Two inputs are named {name!r}.", "Name them apart: --input NAME=PATH."
            )
        wanted.setdefault(name, []).append(path)
    sources: list[Source] = []
    for name, parts in wanted.items():
        found = tables.files_of(parts, storage)
        table = tables.inspect(found, dialect=dialect, threads=threads, storage=storage)
        source = table.source(name)
        aliases = {_stem(path) for path in parts} - {name, ""}
        if len(parts) == 1 and aliases:
            source["aliases"] = list(aliases)
        sources.append(source)
    return tuple(sources)


def _stem(path: str) -> str:
    """What a path is called in SQL: a pattern by the folder it is in."""
    while "*" in os.path.basename(path) or "?" in os.path.basename(path) or "[" in os.path.basename(path):
        path = os.path.dirname(path)
    return Path(path).stem


def _job(
    options: Namespace, sources: tuple[Source, ...], scratch: Path, storage: StorageOptions | None
) -> spec.JobSpec:
    return spec.JobSpec(
        job_id=f"run-{os.getpid()}",
        sql="",
        sources=sources,
        output=_output(options),
        bad_rows={
            "policy": POLICY_OF_WORD[options.bad_rows],
            "max_rejected_rows": options.max_rejected,
            "validate": options.validate,
        },
        staging_dir=str(scratch),
        output_dir=str(scratch),
        layout="PARTS" if options.partition_by else "SINGLE_FILE",
        shard_size_bytes=options.shard_size,
        memory_bytes=options.memory,
        index_dir=local_index.folder_for(sources),
        storage=storage,
    )


def _with_query(options: Namespace, job: spec.JobSpec) -> spec.JobSpec:
    """The job with its SQL: the given one, or that of the steps, which is shown."""
    if options.steps is None:
        if options.sql is None:
            raise InvalidJob("NO_SQL", "There is no query.", "Give one as SQL, or steps with --steps FILE.")
        return job._replace(sql=options.sql)
    from compute import steps  # Here, because most runs have none

    sql = files.sql_of_steps(steps.parse(_text_of(options.steps)), job)
    print(sql, file=sys.stderr)
    return job._replace(sql=sql)


def _text_of(path: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise SourceError("SOURCE_NOT_FOUND", f"{path} can't be read: {error.strerror}.") from None


def _output(options: Namespace) -> Output:
    """What is not said is taken from the name: `out.csv.gz` is CSV with gzip."""
    name = Path((options.output or "").lower())
    packed = COMPRESSION_OF_SUFFIX.get(name.suffix)
    if options.format:
        format: OutputFormat = options.format
    elif options.output is None:
        format = "table" if sys.stdout.isatty() and not options.compression else "csv"
    else:
        format = FORMAT_OF_SUFFIX.get((name.with_suffix("") if packed else name).suffix, "csv")
    output: Output = {"format": format}
    if options.partition_by:
        if options.output is None:
            raise InvalidJob("NO_OUTPUT", "Folders need a place.", "Name the folder to write with -o.")
        output["partition_by"] = options.partition_by
    if options.formula_safe:
        output["formula_safe"] = True
    if compression := options.compression or packed:
        output["compression"] = compression
    return output


def _run_on_ray(job: spec.JobSpec, threads: int, target: str, rejects: str | None) -> spec.Event | None:
    from compute import cluster  # Ray takes seconds to start: only on request

    ray = cluster.connect(None, dashboard=False, num_cpus=threads)
    try:
        return _follow(compute.start(job, target=target, rejects_target=rejects))
    finally:
        ray.shutdown()


def _follow(running: compute.Run) -> spec.Event | None:
    """Show progress until the last event, which is returned. Ctrl-C cancels the run and lets it clean up."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: running.cancel())
    final: spec.Event | None = None
    with ProgressLine(sys.stderr) as line:
        for event in running.follow():
            if isinstance(event, spec.Progress):
                line.show(progress_in_words(event))
            final = event
    return final


def _inspect(options: Namespace) -> int:
    storage = objects.storage([options.file], os.environ)
    dialect, threads = overrides(options.dialect), len(os.sched_getaffinity(0))
    paths = tables.files_of([options.file], storage)
    found = tables.inspect(paths, dialect=dialect, threads=threads, storage=storage)
    size_bytes = sum(file["size_bytes"] for file in found.files)
    if options.json:
        shown = {"format": found.format, "size_bytes": size_bytes, "dialect": found.dialect}
        several = {"files": found.files} if len(found.files) > 1 else {}
        print(json.dumps({**shown, "columns": found.columns, **several}, indent=2, ensure_ascii=False))
        return 0
    many = f"{len(found.files):,} files, " if len(found.files) > 1 else ""
    print(f"{options.file}: {many}{found.format}, {size_bytes:,} bytes")
    if found.dialect:
        values: dict[str, Any] = {**found.dialect}
        print(
            "dialect: "
            + ", ".join(f"{name} {values[name]!r}" for name in DIALECT_SHOWN if _is_told(name, values[name]))
        )
        print(f"confidence: {found.dialect['confidence']:.2f}")
        for sentence in found.dialect["evidence"]:
            print(f"  {sentence}")
    print()
    print(table(["column", "type", "evidence"], _column_rows(found.columns), width=80))
    return 0


def _is_told(name: str, value: object) -> bool:
    """What few files have is said of those."""
    return value is not None and not (value is False and name != "has_header")


def _column_rows(columns: Sequence[Any]) -> list[list[object]]:
    return [[column["name"], column["type"], column.get("evidence", "")] for column in columns]


def _preview(options: Namespace) -> int:
    storage = objects.storage([options.file], os.environ)
    (source,) = _sources([options.file], dialect=overrides(options.dialect), storage=storage)
    offset: int = options.offset
    if offset:
        threads = len(os.sched_getaffinity(0))
        known = local_index.indexed(source, threads, storage, _follow)
        if known is None:
            return 130
        source = known
    shown = files.preview(source, limit=options.rows, offset=offset, storage=storage)
    names, rows, numbers = (
        [column["name"] for column in shown["columns"]],
        shown["rows"],
        shown["row_numbers"],
    )
    if not offset:
        print(table(names, rows))
        if shown["truncated"]:
            print(f"... the first {len(rows)} rows; more with --rows")
        return 0
    count = shown["row_count"]
    whole = "" if count is None else f" of {count:,}"
    if not rows:
        print(f"There is no row that can be read after row {min(offset, count or offset):,}{whole}.")
        return 0
    print(table(["row", *names], [[number, *row] for number, row in zip(numbers, rows, strict=True)]))
    print(f"rows {numbers[0]:,} to {numbers[-1]:,}{whole}")
    return 0


def _index(options: Namespace) -> int:
    """One file after the other: what is read of one fills all cores."""
    storage = objects.storage(options.files, os.environ)
    threads = options.threads or len(os.sched_getaffinity(0))
    for path in options.files:
        (source,) = _sources([path], dialect=overrides(options.dialect), threads=threads, storage=storage)
        final = local_index.counted(source, threads, storage, _follow)
        if isinstance(final, spec.Failed):
            return _report(final.failure)
        if not isinstance(final, spec.Succeeded):
            return 130
        balance = final.balance
        print(f"{path}: {balance.read:,} rows; {local_index.kept(source)}")
    return 0


def _profile(options: Namespace) -> int:
    storage = objects.storage([options.file], os.environ)
    (source,) = _sources([options.file], dialect=overrides(options.dialect), storage=storage)
    threads = options.threads or len(os.sched_getaffinity(0))
    profiled = files.profile(source, threads=threads, storage=storage)
    if options.json:
        print(json.dumps(profiled, indent=2, ensure_ascii=False))
        return 0
    header = ["column", "type", "rows", "nulls", "distinct ~", "min", "max", "mean", "most frequent"]
    rows = [
        [
            entry["column"]["name"],
            entry["column"]["type"],
            entry["count"],
            entry["null_count"],
            entry["approx_distinct"],
            entry["min"],
            entry["max"],
            None if entry["mean"] is None else round(entry["mean"], 4),
            ", ".join(str(top.get("value")) for top in entry["top_values"][:3]),
        ]
        for entry in profiled
    ]
    print(table(header, rows, width=28))
    if rejected := max((entry["rejected"] for entry in profiled), default=0):
        print(f"{rejected:,} rows can't be read: they are in none of the figures")
    return 0
