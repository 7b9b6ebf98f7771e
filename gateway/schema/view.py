"""GraphQL over HTTP, WebSocket and server-sent events: strawberry's view, made strict."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from strawberry.asgi import ASGIWebSocketAdapter, GraphQL
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData, process_result
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from gateway import auth, log_context
from gateway.errors import ErrorCode, Unauthenticated
from gateway.schema import sse
from gateway.schema.context import Context, Services
from gateway.schema.schema import Schema
from gateway.schema.websocket import WebSocketHandler, until_over

GRAPHQL_JSON = "application/graphql-response+json"
PLAIN_JSON = "application/json"
ANONYMOUS_S = 60.0
"""A stream without a session lasts so long at most."""
_SUBSCRIPTIONS = (
    "Subscriptions go over a WebSocket (graphql-transport-ws), or with Accept: text/event-stream."
)


class _WebSocketAdapter(ASGIWebSocketAdapter):
    """Sends text: a frame of bytes is no message of graphql-transport-ws."""

    async def send_json(self, message: Mapping[str, object]) -> None:
        try:
            await self.ws.send_text(orjson.dumps(message).decode())
        except WebSocketDisconnect as error:
            raise WebSocketDisconnected from error


class View(GraphQL[Context, None]):
    """POST of one operation, or GET of a query, answered in JSON or as events; and graphql-transport-ws."""

    graphql_transport_ws_handler_class = WebSocketHandler
    websocket_adapter_class = _WebSocketAdapter

    def __init__(self, schema: Schema, services: Services) -> None:
        settings = services.settings
        super().__init__(
            schema,
            graphql_ide=None,
            allow_queries_via_get=False,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=timedelta(seconds=settings.websocket_init_timeout_s),
            max_subscriptions_per_connection=settings.websocket_max_operations,
            allowed_origins=settings.allowed_origins,
        )
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        request = Request(scope, limited(receive, self._services.settings.body_max_bytes))
        try:
            is_stream = sse.wants_stream(request.headers.get("accept", ""))
            response = await (self._stream(request) if is_stream else self.run(request))
        except HTTPException as error:
            response = refusal(error.status_code, error.reason)
        await response(scope, receive, send)

    async def _stream(self, request: Request) -> Response:
        """One query or subscription as server-sent events. A mutation may set cookies, which events can't."""
        context = await self.get_context(request, Response())
        body = await self.parse_http_body(self.request_adapter_class(request))
        results = await self.schema.stream(
            body.query,
            variable_values=body.variables,
            context_value=context,
            operation_name=body.operation_name,
            allowed_operation_types=(OperationType.QUERY, OperationType.SUBSCRIPTION),
        )

        async def render(result: ExecutionResult) -> bytes:
            return self.encode_json(await self.process_result(request, result))

        async def over() -> None:
            await (until_over(context.viewer) if context.viewer else asyncio.sleep(ANONYMOUS_S))

        stream = sse.events(results, render, over=over, stopping=self._services.stopping)
        return StreamingResponse(stream, headers=sse.HEADERS)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        context = Context(services=self._services, request=request, response=response)
        if isinstance(request, Request):
            try:
                if token := bearer(request.headers.get("authorization")):
                    context.viewer = await auth.viewer_of(self._services.settings, token)
                    log_context.bind(user_id=context.viewer.id)
            except Unauthenticated as error:
                # Not refused yet: a client may well send its old token along with a refresh.
                context.refusal = error
        return context

    async def get_sub_response(self, request: Request | WebSocket) -> Response:
        response = await super().get_sub_response(request)
        response.headers["content-type"] = media_type(request.headers.get("accept", ""))
        return response

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData:
        if request.method == "GET" and "query" in request.query_params:
            body: Any = dict(request.query_params)
            for name in ("variables", "extensions"):
                body[name] = self.parse_json(body[name]) if body.get(name) else None
        elif request.method != "POST":
            raise HTTPException(405, "GraphQL is asked with POST, or queries with GET.")
        elif (request.content_type or "").partition(";")[0].strip().lower() != PLAIN_JSON:
            raise HTTPException(415, f"The content type must be {PLAIN_JSON}.")
        else:
            body = self.parse_json(await request.get_body())
        if not isinstance(body, dict):
            raise HTTPException(400, "The body must be one JSON object with a query.")
        check_operation(body)
        return GraphQLRequestData(
            query=body["query"],
            variables=body.get("variables"),
            operation_name=body.get("operationName"),
            extensions=body.get("extensions"),
        )

    async def execute_single(
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        sub_response: Response,
        context: Context,
        root_value: None,
        request_data: GraphQLRequestData,
    ) -> ExecutionResult:
        is_get = request_adapter.method == "GET"
        allowed = (OperationType.QUERY,) if is_get else (OperationType.QUERY, OperationType.MUTATION)
        try:
            return await self.schema.execute(
                request_data.query,
                variable_values=request_data.variables,
                context_value=context,
                operation_name=request_data.operation_name,
                allowed_operation_types=allowed,
            )
        except CannotGetOperationTypeError as error:
            raise HTTPException(400, error.as_http_error_reason()) from None
        except InvalidOperationTypeError:
            if is_get:
                raise HTTPException(405, "With GET there are only queries.") from None
            raise HTTPException(400, _SUBSCRIPTIONS) from None

    def should_render_graphql_ide(self, request: Any) -> bool:
        return False

    def parse_json(self, data: str | bytes) -> Any:
        try:
            return self.decode_json(data)
        except (ValueError, RecursionError):
            raise HTTPException(400, "The body is not JSON.") from None

    def decode_json(self, data: str | bytes) -> object:
        return orjson.loads(data)

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        response = process_result(result)
        if result.data is None and result.errors and all(error.path is None for error in result.errors):
            # Nothing ran: the operation was refused.
            del response["data"]
        return response

    def create_response(
        self, response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse], sub_response: Response
    ) -> Response:
        refused = "data" not in response_data
        strict = sub_response.headers["content-type"].startswith(GRAPHQL_JSON)
        response = Response(self.encode_json(response_data), status_code=400 if refused and strict else 200)
        response.headers.raw.extend(sub_response.headers.raw)
        return response


def check_operation(body: dict[str, Any]) -> None:
    """HTTPException unless `body` is a GraphQL request by its types."""
    if not isinstance(body.get("query"), str) or not body["query"]:
        raise HTTPException(400, "query must be a string that is not empty.")
    for name, kind in (("variables", dict), ("operationName", str), ("extensions", dict)):
        if not isinstance(body.get(name), kind | None):
            raise HTTPException(400, f"{name} must be {'a string' if kind is str else 'an object'}.")


def bearer(header: str | None) -> str | None:
    """The token of an Authorization header; Unauthenticated for another scheme."""
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("The Authorization header must be: Bearer <access token>.")
    return token.strip()


def media_type(accept: str) -> str:
    """What to answer in. Plain JSON to everyone who does not ask for the other."""
    for part in accept.lower().split(","):
        kind, _, parameters = part.strip().partition(";")
        if kind.strip() == GRAPHQL_JSON and parameters.replace(" ", "") not in ("q=0", "q=0.0"):
            return f"{GRAPHQL_JSON}; charset=utf-8"
    return f"{PLAIN_JSON}; charset=utf-8"


def refusal(status: int, message: str, code: ErrorCode = ErrorCode.BAD_USER_INPUT) -> Response:
    """An answer to what is no GraphQL request, in the shape of one."""
    body = {"errors": [{"message": message, "extensions": {"code": code.value}}]}
    headers = {"allow": "GET, POST"} if status == 405 else None
    return Response(orjson.dumps(body), status_code=status, headers=headers, media_type=PLAIN_JSON)


def limited(receive: Receive, max_bytes: int) -> Receive:
    """`receive` that refuses a body over `max_bytes`."""
    received = 0

    async def checked() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > max_bytes:
            raise HTTPException(413, f"A request has at most {max_bytes:,} bytes (body_max_bytes).")
        return message

    return checked
