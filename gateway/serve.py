"""`karyaksham serve`, `dispatch`, `migrate`, `user`, `schema`, `settings`: the service, and what its keeper needs."""

import asyncio
import getpass
import signal
import socket
import sys
from argparse import Namespace
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette

from . import accounts, audit, database, users
from .app import Server, create_app
from .dispatch import Dispatcher
from .errors import KaryakshamError
from .events import Events
from .inspection import Inspector
from .middleware import configure_logging
from .models import Role, User
from .settings import BadSetting, Settings, describe
from .shared import Shared
from .terminal import table

DASHBOARD_POLL_S = 0.2


def serve(options: Namespace) -> int:
    """Everything in one process, until SIGTERM or Ctrl-C."""
    return _with_settings(
        options, _serve, host=options.host, port=options.port, dispatcher=options.dispatcher
    )


def dispatch(options: Namespace) -> int:
    """Jobs and the inspection of datasets; the page and the API run elsewhere on the same database.

    There may be several: a job has one of them at a time, and another where that one dies.
    """
    return _with_settings(options, _dispatch)


def migrate(options: Namespace) -> int:
    return _with_settings(options, _migrate)


def user(options: Namespace) -> int:
    async def command(settings: Settings) -> int:
        async with database.opened(settings, migrate=settings.embedded):
            return await _user(settings, options)

    return _with_settings(options, command)


def schema(_: Namespace) -> int:
    from .schema import schema as graphql

    print(graphql.as_str())
    return 0


def settings(_: Namespace) -> int:
    """The documentation of every setting, in Markdown."""
    print("# Settings\n\nRead once at start from the environment (`gateway/settings.py`).\n")
    print("| setting | unit | default | why |\n| --- | --- | --- | --- |")
    for name, unit, default, reason in describe():
        print(f"| `{name}` | {unit} | {f'`{default}`' if default else ''} | {reason} |")
    return 0


def _with_settings(options: Namespace, command: Any, **given: Any) -> int:
    overrides = {name: value for name, value in given.items() if value is not None}
    if options.data_dir:
        overrides["data_dir"] = Path(options.data_dir)
    try:
        read = Settings.from_environment(**overrides).prepare()
        work: Coroutine[Any, Any, int] = command(read)
        return asyncio.run(work)
    except (KaryakshamError, BadSetting) as error:
        print(f"karyaksham: {error}", file=sys.stderr)
        return 2


async def _serve(settings: Settings) -> int:
    configure_logging(settings)
    try:
        listening = socket.create_server((settings.host, settings.port))
    except OSError as error:
        print(
            f"karyaksham: {settings.host}:{settings.port} can't be used: {error.strerror}.", file=sys.stderr
        )
        print("  hint: choose another with --port; 0 takes a free one.", file=sys.stderr)
        return 5
    first_admin = None
    if settings.embedded:
        async with database.opened(settings, migrate=True):
            first_admin = await users.ensure_first_admin(settings)
    app = create_app(settings)
    server = Server(app, settings)
    address = f"http://{settings.host}:{listening.getsockname()[1]}"
    async with asyncio.TaskGroup() as tasks:
        announcing = tasks.create_task(_announce(app, server, address, first_admin))
        await server.serve(sockets=[listening])
        announcing.cancel()
    return 0 if server.started else 1


async def _announce(
    app: Starlette, server: uvicorn.Server, address: str, first_admin: users.Credentials | None
) -> None:
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(DASHBOARD_POLL_S)
    print(f"Karyaksham is at {address}", flush=True)
    if first_admin is not None:
        print(f"Sign in as {first_admin.email} with the password {first_admin.password}", flush=True)
        print("  (shown this once; `karyaksham user add` makes more users)", flush=True)
    dispatcher: Dispatcher | None = app.state.dispatcher
    if dispatcher is None:
        print("Jobs are run by `karyaksham dispatch`, started beside this process.", flush=True)
        return
    while not dispatcher.is_ready:  # noqa: ASYNC110 - Ray comes up once a process
        await asyncio.sleep(DASHBOARD_POLL_S)
    if dispatcher.cluster is not None and dispatcher.cluster.dashboard_url:
        print(f"Ray dashboard: {dispatcher.cluster.dashboard_url}", flush=True)


async def _dispatch(settings: Settings) -> int:
    configure_logging(settings)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with database.opened(settings, migrate=settings.embedded):
        events = Events()
        shared = Shared(settings, events) if settings.redis_url else None
        dispatcher, inspector = Dispatcher(settings, events), Inspector(settings)
        if shared is not None:
            await shared.start()
        inspector.start()
        await dispatcher.start()
        print("The dispatcher takes jobs.", flush=True)
        await stopped.wait()
        await dispatcher.stop()
        await inspector.stop()
        if shared is not None:
            await shared.stop()
    return 0


async def _migrate(settings: Settings) -> int:
    async with database.opened(settings, migrate=False):
        applied = await database.upgrade(settings)
    print("\n".join(f"applied {name}" for name in applied) or "nothing to do")
    return 0


async def _user(settings: Settings, options: Namespace) -> int:
    if options.action == "add":
        password = _asked_password()
        role = Role(options.role.upper())
        added = await users.add(
            settings, email=options.email, password=password, display_name=options.name, role=role
        )
        await audit.add("user add", subject=audit.Subject("User", added.id), data={"role": role.value})
        print(f"added {added.email} as {added.role.lower()}")
    elif options.action == "password":
        found = await users.find(email=options.email)
        password = _asked_password()
        await accounts.set_password(settings, found, password)
        await audit.add("user password", subject=audit.Subject("User", found.id))
        print(f"{found.email} has a new password; all sessions of theirs are over")
    elif options.action == "role":
        found = await users.find(email=options.email)
        role = Role(options.role.upper())
        await users.update(found.id, role=role)
        await audit.add("user role", subject=audit.Subject("User", found.id), data={"role": role.value})
        print(f"{found.email} is {options.role} now")
    else:
        everyone = await User.all().order_by("id")
        rows = [
            [one.email, one.display_name, one.role.lower(), "" if one.is_active else "inactive"]
            for one in everyone
        ]
        print(table(["email", "name", "role", ""], rows))
    return 0


def _asked_password() -> str:
    """From the terminal without showing it, else a line of standard input."""
    return getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
