"""docs/schema.graphql is what the code exports, and the export has all of the contract but what is listed here."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    DefinitionNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    parse,
    print_ast,
)

from gateway.schema import schema
from gateway.schema.permissions import Access, unguarded
from gateway.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
NOT_YET: frozenset[str] = frozenset()
"""Whole types and fields that are left out of the schema rather than stubbed."""


def facts(text: str) -> dict[str, str]:
    """Everything that a client relies on, by its path: types of fields and arguments, defaults, values, interfaces."""
    return {path: fact for node in parse(text).definitions for path, fact in _facts(node)}


def _facts(node: DefinitionNode) -> Iterator[tuple[str, str]]:
    name = getattr(getattr(node, "name", None), "value", "")
    yield name, node.kind
    if isinstance(node, EnumTypeDefinitionNode):
        for value in node.values or ():
            yield f"{name}.{value.name.value}", "value"
    if isinstance(node, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
        for interface in node.interfaces or ():
            yield f"{name} implements {interface.name.value}", "interface"
    if isinstance(node, InputObjectTypeDefinitionNode):
        for directive in node.directives or ():
            yield f"{name}@{directive.name.value}", "directive"
    fields: Iterator[FieldDefinitionNode | InputValueDefinitionNode] = iter(
        getattr(node, "fields", None) or ()
    )
    for field in fields:
        path = f"{name}.{field.name.value}"
        yield path, _value(field)
        for argument in getattr(field, "arguments", None) or ():
            yield f"{path}({argument.name.value})", _value(argument)


def _value(node: FieldDefinitionNode | InputValueDefinitionNode) -> str:
    """The type, and a default that is more than to leave it out."""
    default = getattr(node, "default_value", None)
    written = print_ast(default) if default else "null"
    return print_ast(node.type) + (f" = {written}" if written != "null" else "")


def _owner(path: str) -> set[str]:
    """The path itself, its field and its type."""
    field = path.partition("(")[0]
    return {path, field, field.partition(".")[0].partition(" ")[0]}


@pytest.fixture(scope="module")
def exported() -> str:
    return schema.as_str()


def test_exported_schema_is_the_one_in_docs(exported: str) -> None:
    kept = (DOCS / "schema.graphql").read_text()
    assert kept.strip() == exported.strip(), "run `make schema`"


def test_export_has_the_contract(exported: str) -> None:
    ours, contract = facts(exported), facts((DOCS / "api-contract.graphql").read_text())
    missing = {path: fact for path, fact in contract.items() if ours.get(path) != fact}
    unexpected = {
        path: (fact, ours.get(path)) for path, fact in missing.items() if not _owner(path) & NOT_YET
    }
    assert unexpected == {}


def test_list_of_what_is_not_yet_there_is_true(exported: str) -> None:
    assert NOT_YET & facts(exported).keys() == set()


def test_schema_with_an_unguarded_root_field_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from strawberry.types.base import get_object_definition

    fields = get_object_definition(schema.Query, strict=True).fields
    assert unguarded(fields) == []
    version = next(field for field in fields if field.python_name == "version")
    monkeypatch.setattr(version, "extensions", [e for e in version.extensions if not isinstance(e, Access)])
    with pytest.raises(TypeError, match="version"):
        schema.build_schema(Settings())
