"""graphql-transport-ws: strawberry's handler, made strict, and ended when its session ends.

Close codes: 4400 for what is no message of the protocol, 4401 for a token that is missing, wrong or over.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Any, Final

from graphql import GraphQLError
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
    Operation,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.types import ConnectionInitMessage, Message
from strawberry.types.execution import PreExecutionError

from gateway import auth, log_context
from gateway.errors import Unauthenticated
from gateway.schema.context import Context, Viewer

RECHECK_S: Final = 15.0
"""How long a WebSocket may outlive a logout or a deactivation."""
ID_MAX: Final = 128
CLOSE_INVALID: Final = 4400
CLOSE_UNAUTHORIZED: Final = 4401

log = logging.getLogger("gateway.websocket")


class WebSocketHandler(BaseGraphQLTransportWSHandler[Context, None]):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._session_task: asyncio.Task[None] | None = None

    async def handle_message(self, message: Message) -> None:
        if problem := _problem(message):
            await self.handle_invalid_message(problem)
        else:
            await super().handle_message(message)

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        if not self.connection_init_received:
            try:
                token = _token(message.get("payload") or {})
                self.context.viewer = await auth.viewer_of(self.context.settings, token)
                log_context.bind(user_id=self.context.viewer.id)
            except Unauthenticated as error:
                await self.websocket.close(code=CLOSE_UNAUTHORIZED, reason=error.message)
                return
        await super().handle_connection_init(message)
        if self.connection_acknowledged and self._session_task is None:
            self._session_task = asyncio.create_task(self._end_with_session())

    async def shutdown(self) -> None:
        if self._session_task is not None:
            self._session_task.cancel()
            with suppress(asyncio.CancelledError):
                await self._session_task
        await super().shutdown()

    async def _handle_pre_execution_error(
        self, operation: Operation[Context, None], result: PreExecutionError
    ) -> None:
        # A wrong document is an error of its operation; the others on this socket go on.
        await operation.send_initial_errors(result.errors or [GraphQLError("The operation was refused.")])

    async def _end_with_session(self) -> None:
        await until_over(self.context.viewer)
        # The handler's own loop ends when the socket is closed, and stops the operations.
        with suppress(WebSocketDisconnected, RuntimeError):
            await self.websocket.close(code=CLOSE_UNAUTHORIZED, reason="The session is over.")


async def until_over(viewer: Viewer | None) -> None:
    """Returns when the viewer's session has ended; at once where there is none."""
    while viewer is not None and (left_s := await auth.seconds_left(viewer)):  # noqa: ASYNC110 -- the database has no event
        await asyncio.sleep(min(left_s, RECHECK_S))


def _token(payload: object) -> str:
    """The access token in connection_init: {"authorization": "Bearer ..."} or {"accessToken": "..."}."""
    values = {str(key).lower(): value for key, value in payload.items()} if isinstance(payload, dict) else {}
    given = values.get("authorization") or values.get("accesstoken")
    if not isinstance(given, str):
        raise Unauthenticated("connection_init needs an accessToken.")
    return given.removeprefix("Bearer ").removeprefix("bearer ").strip()


def _problem(message: object) -> str | None:
    """What keeps `message` from being one of the protocol; its type is checked elsewhere."""
    if not isinstance(message, dict):
        return "A message must be a JSON object"
    kind = message.get("type")
    if not isinstance(kind, str):
        return "A message needs a type"
    if kind not in ("subscribe", "complete"):
        return None
    id = message.get("id")
    if not isinstance(id, str) or not 1 <= len(id) <= ID_MAX:
        return "A message needs an id"
    if kind == "complete":
        return None
    payload = message.get("payload")
    if not isinstance(payload, dict) or not isinstance(payload.get("query"), str):
        return "subscribe needs a query"
    if not isinstance(payload.get("variables"), dict | None):
        return "variables must be an object"
    if not isinstance(payload.get("operationName"), str | None):
        return "operationName must be a string"
    return None
