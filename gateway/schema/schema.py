"""The whole schema, composed from one file a subject."""

import logging
from collections.abc import Awaitable, Callable
from importlib import metadata
from typing import Any
from uuid import UUID

import strawberry
from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.extensions import ValidationCache
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionContext
from strawberry.types.base import get_object_definition

from gateway.errors import ErrorCode, error_code
from gateway.schema import audit, cluster, datasets, jobs, recipes, tokens, uploads, users
from gateway.schema.context import Context, Info
from gateway.schema.errors import InputError, LimitError, top_level
from gateway.schema.limits import DocumentCache, Limits
from gateway.schema.permissions import PUBLIC, SIGNED_IN, unguarded
from gateway.schema.relay import SCALARS, Node, split_global_id
from gateway.schema.subscriptions import Subscription
from gateway.settings import Settings
from karyaksham_engine.errors import KaryakshamError

CACHED_DOCUMENTS = 256
"""Parsed and validated; a client sends the same few over and over."""

log = logging.getLogger("gateway.graphql")

NODES: dict[str, Callable[[Context, UUID], Awaitable[Any]]] = {
    "User": users.load_node,
    "ApiToken": tokens.load_node,
    "Upload": uploads.load_node,
    "Dataset": datasets.load_node,
    "Job": jobs.load_job,
    "Artifact": jobs.load_artifact,
    "Recipe": recipes.load_node,
}

NODE_TYPES = (
    users.User,
    tokens.ApiToken,
    uploads.Upload,
    datasets.Dataset,
    jobs.Job,
    jobs.Artifact,
    recipes.Recipe,
)


@strawberry.type
class Query(
    users.UserQuery,
    tokens.TokenQuery,
    uploads.UploadQuery,
    datasets.DatasetQuery,
    jobs.JobQuery,
    cluster.ClusterQuery,
    audit.AuditQuery,
    recipes.RecipeQuery,
):
    @strawberry.field(
        extensions=[PUBLIC],
        description="Of the running service; `unreleased` where it runs without being installed.",
    )
    async def version(self) -> str:
        try:
            return metadata.version("karyaksham")
        except metadata.PackageNotFoundError:
            return "unreleased"

    @strawberry.field(
        extensions=[SIGNED_IN], description="Null for what is missing and for what is not yours."
    )
    async def node(self, info: Info, id: strawberry.ID) -> Node | None:
        parts = split_global_id(id)
        if parts is None or parts[0] not in NODES:
            return None
        found: Node | None = await NODES[parts[0]](info.context, parts[1])
        return found


@strawberry.type
class Mutation(
    users.UserMutation,
    tokens.TokenMutation,
    uploads.UploadMutation,
    datasets.DatasetMutation,
    jobs.JobMutation,
    recipes.RecipeMutation,
):
    pass


class Schema(strawberry.Schema):
    """Tells errors with a code, and faults of ours only to the log."""

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        context = execution_context.context if execution_context else None
        request_id = context.request_id if isinstance(context, Context) else "-"
        # In place: the result that goes out holds this very list.
        errors[:] = [told(error, request_id) for error in errors]


def told(error: GraphQLError, request_id: str) -> GraphQLError:
    """The error as a client may see it."""
    if (error.extensions or {}).get("code"):
        return error
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    if isinstance(cause, KaryakshamError) and error_code(cause) is not ErrorCode.INTERNAL:
        shown = top_level(cause)
        message, extensions = shown.message, shown.extensions
    elif isinstance(cause, InvalidOperationTypeError | CannotGetOperationTypeError):
        message = "Only queries and subscriptions are answered as events; name one operation of the document."
        extensions = {"code": ErrorCode.BAD_USER_INPUT.value}
    elif cause is None or isinstance(cause, GraphQLError):
        too_long = isinstance(error, GraphQLSyntaxError) and "Parsing aborted" in error.message
        code = ErrorCode.QUERY_TOO_COMPLEX if too_long else ErrorCode.BAD_USER_INPUT
        message, extensions = error.message, {"code": code.value}
    else:
        log.error("request %s failed at %s", request_id, error.path, exc_info=cause)
        message = f"Something went wrong on our side. Tell an administrator the request id {request_id}."
        extensions = {"code": ErrorCode.INTERNAL.value, "requestId": request_id}
    return GraphQLError(message, error.nodes, error.source, error.positions, error.path, cause, extensions)


def build_schema(settings: Settings) -> Schema:
    """The schema with the limits of `settings`. Raises when a root field lacks its permission check."""
    for root in (Query, Mutation, Subscription):
        definition = get_object_definition(root, strict=True)
        if names := unguarded(definition.fields):
            raise TypeError(f"{root.__name__} has fields without a permission check: {', '.join(names)}")
    return Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[InputError, LimitError, *NODE_TYPES],
        extensions=[
            lambda: Limits(settings),
            lambda: DocumentCache(maxsize=CACHED_DOCUMENTS),
            lambda: ValidationCache(maxsize=CACHED_DOCUMENTS),
        ],
        config=StrawberryConfig(scalar_map=SCALARS, relay_max_results=settings.page_max),
    )


def as_str() -> str:
    """The schema in GraphQL's own language, as docs/schema.graphql holds it."""
    return build_schema(Settings()).as_str()
