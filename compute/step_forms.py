"""What each kind of step takes, and whether a step has that form. A closed set: what is not known is refused."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from karyaksham_engine.errors import InvalidJob

Step = Mapping[str, Any]

KINDS: Final[dict[str, str]] = {
    "filter": "where:text",
    "select": "columns:texts",
    "drop": "columns:texts",
    "rename": "column:text to:text",
    "derive": "column:text expression:text",
    "cast": "column:text type:text orNull:flag?",
    "fillNull": "column:text value:text",
    "replace": "column:text find:text with:text regex:flag?",
    "split": "column:text by:text into:texts",
    "aggregate": "by:texts measures:measures",
    "join": "with:text on:text kind:text?",
    "union": "with:text",
    "sort": "by:keys",
    "dedupe": "by:texts?",
    "limit": "count:count",
}
"""What each kind of step takes; a `?` says that it may be left out."""


def wrong(message: str, hint: str | None = None) -> InvalidJob:
    return InvalidJob("STEP_INVALID", message, hint)


def listed(names: Mapping[str, object]) -> str:
    """The first of them, for a message."""
    return ", ".join(list(names)[:20])


def checked(step: Any) -> tuple[str, dict[str, Any]]:
    """The kind of a step and what it is given, which has the form that its kind asks for."""
    if not isinstance(step, Mapping) or len(step) != 1:
        raise wrong("A step is an object with one key, its kind.", f"Kinds are {listed(KINDS)}.")
    ((kind, given),) = step.items()
    if kind not in KINDS:
        near = get_close_matches(str(kind), KINDS, n=1)
        raise wrong(
            f"There is no step {kind!r}.",
            f"Did you mean {near[0]!r}?" if near else f"There are {listed(KINDS)}.",
        )
    return kind, _formed(given, KINDS[kind])


def _formed(given: Any, fields: str) -> dict[str, Any]:
    wanted = {name: form for name, form in (each.split(":") for each in fields.split())}
    if not isinstance(given, Mapping):
        raise wrong(f"It takes {listed(wanted)}.")
    if unknown := [name for name in given if name not in wanted]:
        raise wrong(f"It takes no {unknown[0]!r}.", f"It takes {listed(wanted)}.")
    found: dict[str, Any] = {}
    for name, form in wanted.items():
        value = given.get(name)
        if value is None and form.endswith("?"):
            continue
        problem = _FORMS[form.removesuffix("?")](value)
        if problem:
            raise wrong(f"{name!r} is missing." if value is None else f"{name!r} {problem}.")
        found[name] = value
    return found


def _is_text(value: Any) -> str:
    return "" if isinstance(value, str) and "\x00" not in value else "is text"


def _are_texts(value: Any) -> str:
    fine = isinstance(value, list | tuple) and all(not _is_text(each) for each in value)
    return "" if fine else "is a list of names"


def _is_count(value: Any) -> str:
    fine = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63
    return "" if fine else "is a whole number, 0 or more"


def _are_formed(fields: str) -> Callable[[Any], str]:
    def problem(value: Any) -> str:
        if not isinstance(value, list | tuple):
            return "is a list"
        for each in value:
            _formed(each, fields)
        return ""

    return problem


_FORMS: Final[dict[str, Callable[[Any], str]]] = {
    "text": _is_text,
    "texts": _are_texts,
    "flag": lambda value: "" if isinstance(value, bool) else "is true or false",
    "count": _is_count,
    "measures": _are_formed("as:text expression:text"),
    "keys": _are_formed("column:text direction:text? nullsFirst:flag?"),
}
