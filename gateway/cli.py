"""The command `karyaksham`: arguments only. What a command does is imported when it runs, so `run` starts at once."""

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module

_UNITS = {
    "": 1,
    "k": 10**3,
    "m": 10**6,
    "g": 10**9,
    "t": 10**12,
    "ki": 2**10,
    "mi": 2**20,
    "gi": 2**30,
    "ti": 2**40,
}


def size(text: str) -> int:
    """Bytes from `200MB`, `1.5 GiB`, `64k` or a plain number."""
    compact = text.strip().lower().removesuffix("b").strip()
    digits = compact.rstrip("kmgti").strip()
    try:
        value = float(digits) * _UNITS[compact[len(digits) :].strip()]
    except (KeyError, ValueError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a size; write 64MB, 1.5GiB or a number of bytes"
        ) from None
    if value < 1:
        raise argparse.ArgumentTypeError("a size is at least one byte")
    return int(value)


def positive(text: str) -> int:
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above zero")
    return value


def whole(text: str) -> int:
    value = int(text) if text.isdecimal() else -1
    if not 0 <= value < 1 << 63:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of rows")
    return value


def named_path(text: str) -> tuple[str, str]:
    name, separator, path = text.partition("=")
    if not (name and separator and path):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=PATH")
    return name, path


def choice(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not (name and separator and value):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _add_dialect(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--dialect",
        metavar="NAME=VALUE",
        type=choice,
        action="append",
        default=[],
        help="how text is to be read, instead of what is detected; again for more. delimiter (; || tab space), quote, "
        "escape, comment (a character or none), merge_delimiters, trailing_delimiter, skip_initial_space, has_header "
        "(yes, no), skip_rows, line_ending (lf, cr, any), encoding, compression",
    )


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="karyaksham", description="Very large files in, SQL over all cores, one complete result out."
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _add_local(commands)
    _add_service(commands)
    return parser


def _add_local(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    run = commands.add_parser(
        "run",
        help="run SQL over local files, without a service",
        description="Run one SQL query over local files. One FILE is the table `input`, and also named by its stem. "
        "A folder or a quoted pattern such as 'data/*.csv' is one table of all its files.",
        epilog="exit status: 0 done, 2 the job is wrong, 3 the data is wrong, 4 a limit or resource, "
        "5 storage, 130 interrupted",
    )
    run.add_argument("sql", metavar="SQL", nargs="?", help="one query; left out with --steps")
    run.add_argument("files", metavar="FILE", nargs="*")
    run.add_argument(
        "--steps",
        metavar="FILE",
        help="steps instead of SQL: a JSON file (- is standard input); the SQL that they are is shown",
    )
    run.add_argument(
        "--input",
        metavar="NAME=PATH",
        type=named_path,
        action="append",
        default=[],
        help="a file, folder or pattern as the table NAME; several of one NAME are one table",
    )
    run.add_argument(
        "--from",
        dest="together",
        metavar="PATH",
        nargs="+",
        action="extend",
        default=[],
        help="files, folders and patterns that are one table, `input`",
    )
    run.add_argument("-o", "--output", metavar="FILE", help="default: standard output")
    run.add_argument(
        "--format",
        choices=["csv", "ndjson", "parquet", "arrow", "table"],
        help="default: by the name of FILE; on a terminal table, else csv",
    )
    run.add_argument(
        "--compression",
        choices=["none", "gzip", "zstd", "snappy", "lz4"],
        help="default: by the name of FILE (.gz, .zst); of Parquet snappy",
    )
    run.add_argument(
        "--partition-by",
        metavar="COLUMN",
        action="append",
        default=[],
        help="write a folder with a folder for each value of COLUMN (again for folders in them)",
    )
    run.add_argument(
        "--formula-safe", action="store_true", help="CSV: a ' before text that a spreadsheet would run"
    )
    run.add_argument("--bad-rows", choices=["fail", "reject", "null"], default="fail")
    run.add_argument(
        "--validate",
        choices=["touched", "all"],
        default="touched",
        help="columns in which a value can be bad: those that the query reads, or all",
    )
    run.add_argument("--rejects", metavar="FILE", help="write rejected rows here, as CSV")
    run.add_argument(
        "--max-rejected", metavar="N", type=int, help="stop when more rows than this are rejected"
    )
    run.add_argument("--threads", metavar="N", type=positive, help="default: all cores")
    run.add_argument("--memory", metavar="SIZE", type=size, help="limit for sorting, grouping and joining")
    run.add_argument("--shard-size", metavar="SIZE", type=size, help="default: by the size of the file")
    run.add_argument("--ray", action="store_true", help="run as Ray tasks on a local cluster")
    _add_dialect(run)
    run.set_defaults(handler="gateway.local:run")

    inspect = commands.add_parser(
        "inspect", help="say what a file is: dialect, columns, types, with evidence"
    )
    inspect.add_argument("file", metavar="FILE")
    inspect.add_argument("--json", action="store_true")
    _add_dialect(inspect)
    inspect.set_defaults(handler="gateway.local:inspect")

    preview = commands.add_parser(
        "preview", help="show the first rows of a file, or those after any number of rows"
    )
    preview.add_argument("file", metavar="FILE")
    preview.add_argument("--rows", metavar="N", type=positive, default=20)
    preview.add_argument(
        "--offset",
        metavar="N",
        type=whole,
        default=0,
        help="begin after the first N rows; at once in a big file that was read before, or indexed",
    )
    _add_dialect(preview)
    preview.set_defaults(handler="gateway.local:preview")

    index = commands.add_parser(
        "index", help="read big text files once, and keep where their records begin, for what comes later"
    )
    index.add_argument("files", metavar="FILE", nargs="+")
    index.add_argument("--threads", metavar="N", type=positive)
    _add_dialect(index)
    index.set_defaults(handler="gateway.local:index")

    profile = commands.add_parser("profile", help="statistics of every column of a whole file")
    profile.add_argument("file", metavar="FILE")
    profile.add_argument("--json", action="store_true")
    profile.add_argument("--threads", metavar="N", type=positive)
    _add_dialect(profile)
    profile.set_defaults(handler="gateway.local:profile")


def _add_service(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    serve = commands.add_parser("serve", help="everything in one process: page, API, dispatcher, local Ray")
    serve.add_argument("--host", help="default: 127.0.0.1")
    serve.add_argument("--port", type=int, help="default: 8000; 0 takes a free one")
    serve.add_argument("--data-dir", metavar="DIR", help="database, uploads, results; default: ~/.karyaksham")
    serve.add_argument(
        "--dispatcher",
        action=argparse.BooleanOptionalAction,
        help="run jobs in this process; default: with SQLite. Without, `karyaksham dispatch` runs them",
    )
    serve.set_defaults(handler="gateway.serve:serve")

    dispatch = commands.add_parser(
        "dispatch", help="only the dispatcher, beside a service with the same database"
    )
    dispatch.add_argument("--data-dir", metavar="DIR")
    dispatch.set_defaults(handler="gateway.serve:dispatch")

    migrate = commands.add_parser("migrate", help="bring the database to this release")
    migrate.add_argument("--data-dir", metavar="DIR")
    migrate.set_defaults(handler="gateway.serve:migrate")

    schema = commands.add_parser("schema", help="print the GraphQL schema")
    schema.set_defaults(handler="gateway.serve:schema")

    listing = commands.add_parser("settings", help="print every setting with unit, default and reason")
    listing.set_defaults(handler="gateway.serve:settings")

    user = commands.add_parser("user", help="add and list users, change roles")
    actions = user.add_subparsers(dest="action", required=True, metavar="ACTION")
    roles = ["viewer", "member", "admin"]
    add = actions.add_parser("add", help="the password is read from standard input, or asked for")
    add.add_argument("email")
    add.add_argument("--name")
    add.add_argument("--role", choices=roles, default="member")
    actions.add_parser("list")
    password = actions.add_parser("password", help="a new one, read from standard input, or asked for")
    password.add_argument("email")
    role = actions.add_parser("role")
    role.add_argument("email")
    role.add_argument("role", choices=roles)
    for action in actions.choices.values():
        action.add_argument("--data-dir", metavar="DIR")
    user.set_defaults(handler="gateway.serve:user")

    _add_remote(commands)

    demo = commands.add_parser("demo", help="the main job end to end on a file it makes, with live progress")
    demo.add_argument("--size", type=size, default=200_000_000, help="of the file; default 200MB")
    demo.set_defaults(handler="gateway.demo:demo")


def _add_remote(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    submit = commands.add_parser(
        "submit",
        help="run SQL on a service: its datasets, files here, or files that it reads itself",
        description="Queue a job on a running service and print its id. FILE, and PATH of --input, is a file here, "
        "which is uploaded, an address such as s3://bucket/logs/*.csv, or the id of a dataset.",
        epilog="exit status: 0 done, 2 what was asked is wrong, 3 the job failed, 5 the service can't be reached",
    )
    submit.add_argument("sql", metavar="SQL")
    submit.add_argument("files", metavar="FILE", nargs="*", help="the table `input`")
    submit.add_argument("--input", metavar="NAME=PATH", type=named_path, action="append", default=[])
    submit.add_argument(
        "-o", "--output", metavar="FILE", help="wait for the job, and download its result here"
    )
    submit.add_argument("--wait", action="store_true", help="wait for the job")
    submit.add_argument("--name", help="of the job")
    submit.add_argument(
        "--format",
        choices=["csv", "ndjson", "parquet", "arrow"],
        help="default: by the name of FILE, else csv",
    )
    submit.add_argument("--compression", choices=["none", "gzip", "zstd", "snappy", "lz4"])
    submit.add_argument("--partition-by", metavar="COLUMN", action="append", default=[])
    submit.add_argument("--bad-rows", choices=["fail", "reject", "null"], default="fail")
    submit.add_argument("--max-rejected", metavar="N", type=int)
    submit.set_defaults(handler="gateway.remote:submit")

    follow = commands.add_parser("follow", help="show a job of a service to its end")
    follow.add_argument("job", metavar="JOB")
    follow.set_defaults(handler="gateway.remote:follow")

    download = commands.add_parser("download", help="bring what a job of a service made")
    download.add_argument("job", metavar="JOB")
    download.add_argument("-o", "--output", metavar="PATH", help="default: this folder")
    download.add_argument("--kind", choices=["output", "rejects", "profile", "report"], default="output")
    download.set_defaults(handler="gateway.remote:download")

    for command in (submit, follow, download):
        command.add_argument(
            "--url", help="of the service; default: KARYAKSHAM_URL, else http://127.0.0.1:8000"
        )
        command.add_argument("--token", help="an API token; default: KARYAKSHAM_TOKEN")


def entry() -> int:
    """The command as a process. Where nothing is left to do, it ends without taking the interpreter apart."""
    status = main()
    if "ray" in sys.modules or "asyncio" in sys.modules:
        return status
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            return status  # The interpreter says so, as it does for any program.
    os._exit(status)


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if options.version:
        from importlib.metadata import version  # 15 ms that `run` need not pay

        print(f"karyaksham {version('karyaksham')}")
        return 0
    if not options.command:
        parser.print_help(sys.stderr)
        return 2
    module, _, name = options.handler.partition(":")
    gc.disable()  # Imports leave nothing to collect.
    handler = getattr(import_module(module), name)
    gc.freeze()
    gc.enable()
    try:
        return int(handler(options))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output went away (`| head`): nothing is wrong, and nothing may be printed at exit.
        sys.stdout = None
        return 0
