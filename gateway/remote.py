"""`karyaksham submit`, `follow`, `download`: a running service from the command line, by the Python client."""

import asyncio
import os
import sys
from argparse import Namespace
from collections.abc import Awaitable, Callable
from pathlib import Path

from karyaksham import (
    ArtifactKind,
    AsyncClient,
    BadRowPolicy,
    BadRowsInput,
    Dataset,
    FileFormat,
    Job,
    JobFailed,
    OutputInput,
    OutputLayout,
    ServiceError,
)

WRONG = 2
FAILED = 3
UNREACHABLE = 5
_POLICIES = {
    "fail": BadRowPolicy.FAIL_JOB,
    "reject": BadRowPolicy.REJECT_ROW,
    "null": BadRowPolicy.SET_NULL,
}


def submit(options: Namespace) -> int:
    """Uploads or registers the files, queues the job, and follows it unless told not to."""
    return _with_service(options, lambda service: _submit(service, options))


def follow(options: Namespace) -> int:
    """Shows a job to its end."""

    async def use(service: AsyncClient) -> None:
        _tell(await service.wait(options.job))

    return _with_service(options, use)


def download(options: Namespace) -> int:
    """Brings what a job made; prints where it lies."""

    async def use(service: AsyncClient) -> None:
        print(await service.download(options.job, options.output, kind=ArtifactKind(options.kind.upper())))

    return _with_service(options, use)


async def _submit(service: AsyncClient, options: Namespace) -> None:
    named = [*options.input, *(("input", path) for path in options.files)]
    sources = {name: await _dataset(service, path) for name, path in named}
    if len(sources) != len(named):
        raise ServiceError(
            "BAD_USER_INPUT",
            "Two files have one name. Give each a name of its own (--input NAME=PATH).",
        )
    job = await service.submit(
        options.sql, sources, output=_output(options), bad_rows=_bad_rows(options), name=options.name
    )
    print(job.id)
    if options.wait or options.output:
        done = await service.wait(job)
        _tell(done)
        if options.output:
            await service.download(done, options.output)


async def _dataset(service: AsyncClient, what: str) -> Dataset:
    """Of a dataset's id, an address that the service reads itself, or a file here."""
    if "://" in what:
        return await service.register(what)
    if await asyncio.to_thread(os.path.exists, what):
        return await service.upload(what)
    try:
        return await service.dataset(what)
    except ServiceError as error:
        if error.code not in {"NOT_FOUND", "BAD_USER_INPUT"}:
            raise
        raise ServiceError(
            "NOT_FOUND", f"{what} is neither a file here nor the id of a dataset of the service."
        ) from None


def _output(options: Namespace) -> OutputInput:
    named = Path(options.output or "result.csv").name.lower()
    ending = {".ndjson": "ndjson", ".jsonl": "ndjson", ".parquet": "parquet", ".arrow": "arrow"}
    guessed = next((kind for end, kind in ending.items() if end in named), "csv")
    output = OutputInput(format=FileFormat((options.format or guessed).upper()))
    if options.compression or named.endswith((".gz", ".zst")):
        output.compression = options.compression or ("gzip" if named.endswith(".gz") else "zstd")
    if options.partition_by:
        output.partition_by, output.layout = options.partition_by, OutputLayout.PARTS
    return output


def _bad_rows(options: Namespace) -> BadRowsInput:
    given = BadRowsInput(policy=_POLICIES[options.bad_rows])
    if options.max_rejected is not None:
        given.max_rejected_rows = options.max_rejected
    return given


def _tell(job: Job) -> None:
    if balance := job.row_balance:
        print(
            f"read {balance.read:,} = passed {balance.passed:,} + rejected {balance.rejected:,}; "
            f"written {balance.written:,}",
            file=sys.stderr,
        )


def _with_service(options: Namespace, use: Callable[[AsyncClient], Awaitable[None]]) -> int:
    """Exit status 0, 2 for what the caller can mend, 3 for a job that failed, 5 when the service can't be reached."""

    async def session() -> None:
        async with AsyncClient(options.url, options.token) as service:
            await use(service)

    try:
        asyncio.run(session())
    except JobFailed as error:
        print(f"error: {error.message} [{error.code}]", file=sys.stderr)
        return FAILED
    except ServiceError as error:
        print(f"error: {error.message} [{error.code}]", file=sys.stderr)
        if error.code == "UNAUTHENTICATED":
            print("hint: make an API token, and set KARYAKSHAM_TOKEN or use --token", file=sys.stderr)
        return UNREACHABLE if error.code == "UNAVAILABLE" else WRONG
    return 0
