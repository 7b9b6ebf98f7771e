"""The client for programs that do not await: the calls of AsyncClient, run by an event loop in a thread of its own."""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import ExitStack
from functools import partial, wraps
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from anyio.from_thread import start_blocking_portal

from karyaksham.client import AsyncClient

Given = ParamSpec("Given")
Result = TypeVar("Result")
_END = object()


def _waits(
    method: Callable[Concatenate[AsyncClient, Given], Coroutine[Any, Any, Result]],
) -> Callable[Concatenate["Client", Given], Result]:
    """`method`, returning when it is done."""

    @wraps(method)
    def call(self: "Client", /, *args: Given.args, **options: Given.kwargs) -> Result:
        done: Result = self._portal.call(partial(method, self._client, *args, **options))
        return done

    return call


def _iterates(
    method: Callable[Concatenate[AsyncClient, Given], AsyncIterator[Result]],
) -> Callable[Concatenate["Client", Given], Iterator[Result]]:
    """`method`, each item when it is there."""

    @wraps(method)
    def call(self: "Client", /, *args: Given.args, **options: Given.kwargs) -> Iterator[Result]:
        items = method(self._client, *args, **options)
        try:
            while (item := self._portal.call(_following, items)) is not _END:
                yield item
        finally:
            self._portal.call(_left, items)

    return call


async def _following(items: AsyncIterator[Any]) -> Any:
    return await anext(items, _END)


async def _left(items: Any) -> None:
    await items.aclose()


class Client:
    """AsyncClient for programs that do not await; `with` it, or `close` it."""

    def __init__(self, url: str | None = None, token: str | None = None) -> None:
        self._client = AsyncClient(url, token)
        self._closing = ExitStack()
        self._portal = self._closing.enter_context(start_blocking_portal())
        self._closing.callback(lambda: self._portal.call(self._client.aclose))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.__exit__(kind, error, trace)

    def close(self) -> None:
        self._closing.close()

    sign_in = _waits(AsyncClient.sign_in)
    sign_up = _waits(AsyncClient.sign_up)

    upload = _waits(AsyncClient.upload)
    register = _waits(AsyncClient.register)
    read_as = _waits(AsyncClient.read_as)
    ready = _waits(AsyncClient.ready)
    dataset = _waits(AsyncClient.dataset)
    datasets = _iterates(AsyncClient.datasets)
    preview = _waits(AsyncClient.preview)
    profile = _waits(AsyncClient.profile)
    delete_dataset = _waits(AsyncClient.delete_dataset)

    submit = _waits(AsyncClient.submit)
    explain = _waits(AsyncClient.explain)
    run = _waits(AsyncClient.run)
    wait = _waits(AsyncClient.wait)
    follow = _iterates(AsyncClient.follow)
    events = _iterates(AsyncClient.events)
    job = _waits(AsyncClient.job)
    jobs = _iterates(AsyncClient.jobs)
    cancel = _waits(AsyncClient.cancel)
    pause = _waits(AsyncClient.pause)
    resume = _waits(AsyncClient.resume)
    retry = _waits(AsyncClient.retry)
    delete_job = _waits(AsyncClient.delete_job)
    download = _waits(AsyncClient.download)
