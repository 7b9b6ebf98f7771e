"""graphql-sse, in its mode of distinct connections: one POST that takes `text/event-stream` is one operation.

An answer in JSON is preferred where the client takes both, so that ordinary queries never become streams. A stream
whose session ends says UNAUTHENTICATED and completes; one that the service leaves when it stops breaks off without
`complete`, which clients of the protocol take as a reason to come back.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any, Final

import orjson

from gateway.errors import ErrorCode

HEARTBEAT_S: Final = 15.0
"""Proxies end a connection on which nothing comes for a minute."""
EVENT_STREAM: Final = "text/event-stream"
HEADERS: Final[Mapping[str, str]] = {
    "content-type": f"{EVENT_STREAM}; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    # nginx would gather events.
    "x-accel-buffering": "no",
}
_JSON: Final = ("application/json", "application/graphql-response+json", "application/*", "*/*")
OVER: Final = {
    "errors": [{"message": "The session is over.", "extensions": {"code": ErrorCode.UNAUTHENTICATED.value}}]
}


def wants_stream(accept: str) -> bool:
    """Whether a client takes events, and likes JSON less."""
    qualities: dict[str, float] = {}
    for part in accept.lower().replace(" ", "").split(","):
        kind, *parameters = part.split(";")
        quality = next((value[2:] for value in parameters if value.startswith("q=")), "1")
        with suppress(ValueError):
            qualities[kind] = float(quality)
    return qualities.get(EVENT_STREAM, 0.0) > max(qualities.get(kind, 0.0) for kind in _JSON)


async def events(
    results: AsyncIterator[Any],
    render: Callable[[Any], Awaitable[bytes]],
    *,
    over: Callable[[], Coroutine[Any, Any, None]],
    stopping: asyncio.Event,
) -> AsyncGenerator[bytes, None]:
    """The events of one operation: a `next` for each result, then `complete`. `render` makes JSON of one.

    When `over` returns, the session has ended; when `stopping` is set, the service.
    """
    session, stop = asyncio.ensure_future(over()), asyncio.ensure_future(stopping.wait())
    following: asyncio.Future[Any] | None = None
    try:
        while True:
            following = following or asyncio.ensure_future(_next(results))
            await asyncio.wait(
                {following, session, stop}, timeout=HEARTBEAT_S, return_when=asyncio.FIRST_COMPLETED
            )
            if following.done():
                ended, result = following.result()
                following = None
                if ended:
                    break
                yield b"event: next\ndata: " + await render(result) + b"\n\n"
            elif stop.done():
                return
            elif session.done():
                yield b"event: next\ndata: " + orjson.dumps(OVER) + b"\n\n"
                break
            else:
                yield b": still here\n\n"
        yield b"event: complete\ndata:\n\n"
    finally:
        tasks = [task for task in (following, session, stop) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if isinstance(results, AsyncGenerator):
            await results.aclose()


async def _next(results: AsyncIterator[Any]) -> tuple[bool, Any]:
    try:
        return False, await anext(results)
    except StopAsyncIteration:
        return True, None
