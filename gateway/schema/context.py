"""What a resolver gets: who asks, and the objects of the composition root."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import strawberry
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.dataloader import DataLoader

from gateway.auth import Viewer
from gateway.dispatch import Dispatcher
from gateway.errors import Unauthenticated
from gateway.events import Events
from gateway.inspection import Inspector
from gateway.parts import PartStore
from gateway.rates import RateLimits
from gateway.settings import Settings

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the composition root made, one of each in a process."""

    settings: Settings
    events: Events
    rates: RateLimits
    parts: PartStore
    inspector: Inspector | None
    """None where the dispatcher is a process of its own; it finds new datasets by itself."""
    dispatcher: Dispatcher | None
    """None in the same case."""
    stopping: asyncio.Event
    """Set when the service begins to stop: what would never end by itself ends now."""


@dataclass(slots=True, kw_only=True)
class Context:
    """Of one HTTP request, or of one WebSocket for as long as it is open."""

    services: Services
    request: Request | WebSocket
    response: Response | WebSocket
    """Where cookies go; of no use on a WebSocket."""
    viewer: Viewer | None = None
    refusal: Unauthenticated | None = None
    """Why the token that came along makes no viewer."""
    connection_params: dict[str, Any] | None = None
    """Payload of connection_init."""
    _loaders: dict[Any, DataLoader[Any, Any]] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        return self.services.settings

    @property
    def events(self) -> Events:
        return self.services.events

    @property
    def rates(self) -> RateLimits:
        return self.services.rates

    @property
    def request_id(self) -> str:
        return str(self.request.scope.get("request_id", "-"))

    @property
    def address(self) -> str:
        """Of the client, for rate limits."""
        return self.request.client.host if self.request.client else "unknown"

    @property
    def base_url(self) -> str:
        """Of signed links, without a slash at the end."""
        return public_base_url(self.settings, self.request)

    def loader(self, load: Callable[[Sequence[K]], Awaitable[Sequence[V]]]) -> DataLoader[K, V]:
        """The one loader of this request for `load`, a module function: many keys in, as many values out, in order.

        Usage: `await info.context.loader(users.by_ids).load(owner_id)`.
        """
        if load not in self._loaders:
            # A WebSocket outlives what it has read: there a loader only batches.
            keep = isinstance(self.request, Request)
            self._loaders[load] = DataLoader(load_fn=load, cache=keep)
        return self._loaders[load]


Info = strawberry.Info[Context, None]


def signed_in(info: Info) -> Viewer:
    """Who asks. The field's Access extension has let only signed-in viewers through."""
    viewer = info.context.viewer
    if viewer is None:
        raise info.context.refusal or Unauthenticated("Sign in first.")
    return viewer


def public_base_url(settings: Settings, connection: HTTPConnection) -> str:
    """Scheme and host under which the client reaches the gateway."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    scheme = {"ws": "http", "wss": "https"}.get(connection.url.scheme, connection.url.scheme)
    return f"{scheme}://{connection.url.netloc}"


__all__ = ["Context", "Info", "Services", "Viewer", "public_base_url", "signed_in"]
