"""A transaction that ends, whatever becomes of the one who asked for it.

Tortoise holds the one SQLite connection from before BEGIN; a task that is canceled just then would hold it for ever
and stop the whole service. Sockets that close and deadlines do cancel tasks, so the work runs in a task of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tortoise.transactions import in_transaction

Result = TypeVar("Result")


async def atomically(work: Callable[[], Awaitable[Result]]) -> Result:
    """All of `work` is committed, or nothing when it raises; canceling the caller stops neither.

    `work` begins with its write: on PostgreSQL that takes the row's lock, on SQLite the right to write.
    """

    async def transaction() -> Result:
        async with in_transaction():
            return await work()

    return await asyncio.shield(asyncio.ensure_future(transaction()))
