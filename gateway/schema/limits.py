"""How much one GraphQL document may ask for, and who may see the schema."""

import functools
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from graphql import (
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    SelectionSetNode,
)
from strawberry.extensions import ParserCache, SchemaExtension

from gateway.errors import ErrorCode
from gateway.settings import Settings

_INTROSPECTION = frozenset({"__schema", "__type"})
"""The standard introspection query is 13 deep; it is not ours to make flatter."""


@dataclass(frozen=True, slots=True)
class Cost:
    depth: int = 0
    aliases: int = 0
    fields: int = 0


class _Costs:
    """Costs of a document's selections; each fragment is walked once, however often it is spread."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._known: dict[str, Cost] = {}

    def of(self, selections: SelectionSetNode | None) -> Cost:
        depth = aliases = fields = 0
        for node in selections.selections if selections else ():
            if isinstance(node, FieldNode):
                inner = self.of(node.selection_set)
                exempt = node.name.value in _INTROSPECTION
                cost = Cost(
                    0 if exempt else inner.depth + 1, inner.aliases + bool(node.alias), inner.fields + 1
                )
            elif isinstance(node, FragmentSpreadNode):
                cost = self._of_fragment(node.name.value)
            else:
                cost = self.of(getattr(node, "selection_set", None))
            depth = max(depth, cost.depth)
            aliases += cost.aliases
            fields += cost.fields
        return Cost(depth, aliases, fields)

    def _of_fragment(self, name: str) -> Cost:
        if name not in self._known:
            # A cycle costs nothing here; another rule of GraphQL refuses it.
            self._known[name] = Cost()
            fragment = self._fragments.get(name)
            self._known[name] = self.of(fragment.selection_set) if fragment else Cost()
        return self._known[name]


@functools.cache
def complexity_rule(max_depth: int, max_aliases: int, max_fields: int) -> type[ASTValidationRule]:
    """The rule for these limits. Always the same class for the same limits: the validation cache keys on it."""

    class Complexity(ASTValidationRule):
        def enter_document(self, node: DocumentNode, *_: Any) -> None:
            costs = _Costs(node)
            for operation in node.definitions:
                if isinstance(operation, OperationDefinitionNode):
                    self._check(operation, costs.of(operation.selection_set))

        def _check(self, operation: OperationDefinitionNode, cost: Cost) -> None:
            for name, value, most in (
                ("levels deep", cost.depth, max_depth),
                ("aliases", cost.aliases, max_aliases),
                ("fields", cost.fields, max_fields),
            ):
                if value > most:
                    self.report_error(
                        GraphQLError(
                            f"The query has {value:,} {name}; at most {most:,} are allowed.",
                            operation,
                            extensions={"code": ErrorCode.QUERY_TOO_COMPLEX.value},
                        )
                    )

    return Complexity


class Limits(SchemaExtension):
    """Bounds tokens, depth, aliases and fields, and hides the schema from those who are not signed in."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._rule = complexity_rule(
            settings.query_max_depth, settings.query_max_aliases, settings.query_max_fields
        )

    def on_operation(self) -> Iterator[None]:
        execution = self.execution_context
        execution.parse_options["max_tokens"] = self._settings.query_max_tokens
        rules: tuple[type[ASTValidationRule], ...] = (self._rule,)
        if execution.context.viewer is None and not self._settings.development:
            rules = (*rules, NoSchemaIntrospectionCustomRule)
        execution.validation_rules = (*execution.validation_rules, *rules)
        yield


class DocumentCache(ParserCache):
    """Parses a text once. A wrong one is left to strawberry, which knows how to tell it."""

    def on_parse(self) -> Iterator[None]:
        execution = self.execution_context
        with suppress(GraphQLSyntaxError):
            execution.graphql_document = self.cached_parse_document(
                execution.query, **execution.parse_options
            )
        yield
