"""The database connection and its migrations: one set for SQLite, one for PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aerich import Command
from tortoise import Tortoise
from tortoise.exceptions import BaseORMException, OperationalError

from gateway.settings import Settings

APP = "gateway"
MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_TIMEOUT_MS = 10_000
"""How long SQLite waits for another process, such as `karyaksham user add` beside a running service."""
POOL_MAX = 20


def tortoise_config(settings: Settings) -> dict[str, Any]:
    if settings.dialect == "sqlite":
        credentials: dict[str, Any] = {
            "file_path": str(settings.database_path),
            "journal_mode": "WAL",
            "synchronous": "NORMAL",
            "foreign_keys": "ON",
            "busy_timeout": BUSY_TIMEOUT_MS,
        }
        connection: Any = {"engine": "tortoise.backends.sqlite", "credentials": credentials}
    else:
        separator = "&" if "?" in settings.database_url else "?"
        connection = f"{settings.database_url}{separator}maxsize={POOL_MAX}"
        connection = connection.replace("postgresql://", "postgres://", 1)
    return {
        # Named by its dialect: Tortoise keeps the SQL it made under the connection's name for as long as the process.
        "connections": {settings.dialect: connection},
        "apps": {
            APP: {"models": ["gateway.models", "aerich.models"], "default_connection": settings.dialect}
        },
        "use_tz": True,
        "timezone": "UTC",
    }


@asynccontextmanager
async def opened(settings: Settings, *, migrate: bool) -> AsyncIterator[None]:
    """The database, for as long as the block lasts; brought up to date first when `migrate`."""
    await Tortoise.init(config=tortoise_config(settings), _enable_global_fallback=True)
    try:
        if migrate:
            await upgrade(settings)
        yield
    finally:
        await Tortoise.close_connections()


async def upgrade(settings: Settings) -> list[str]:
    """Applies the migrations that are missing, each in a transaction; returns their names. The database is open."""
    return await (await _command(settings)).upgrade(run_in_transaction=True)


async def pending(settings: Settings) -> list[str]:
    """Names of the migrations that are missing."""
    command = await _command(settings)
    try:
        return await command.heads()
    except OperationalError:
        # An empty database has not even the table that lists what was applied.
        return await command.history()


async def reachable(settings: Settings, timeout_s: float) -> bool:
    """Whether the database answers."""
    try:
        async with asyncio.timeout(timeout_s):
            await Tortoise.get_connection(settings.dialect).execute_query("SELECT 1")
    except (BaseORMException, OSError, TimeoutError):
        return False
    return True


async def _command(settings: Settings) -> Command:
    command = Command(tortoise_config(settings), app=APP, location=str(MIGRATIONS / settings.dialect))
    await command.init()
    return command
