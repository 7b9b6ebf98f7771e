"""What the documentation says of the API is so."""

import re
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from gateway.errors import ErrorCode
from gateway.events import Events
from gateway.metrics import Metrics
from gateway.tokens import Scope

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "api" / "index.md").read_text()
EXAMPLES = re.findall(r"```graphql\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_are_valid(example: str) -> None:
    assert validate(build_schema((DOCS / "schema.graphql").read_text()), parse(example)) == []


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 5


@pytest.mark.parametrize("code", list(ErrorCode))
def test_every_error_code_is_explained(code: ErrorCode) -> None:
    assert f"| `{code}` |" in PAGE


def test_every_metric_is_named() -> None:
    for metric in Metrics(Events()).registry.collect():
        name = f"{metric.name}_total" if metric.type == "counter" else metric.name
        assert f"`{name}`" in PAGE


@pytest.mark.parametrize("scope", list(Scope))
def test_every_scope_is_explained(scope: Scope) -> None:
    assert f"| `{scope}` |" in PAGE
