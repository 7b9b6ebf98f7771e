"""How what the service says looks in a notebook."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from karyaksham._graphql import DatasetFields, JobFields, PreviewFields, ProgressFields
from karyaksham.progress import in_words, size


def dataset(found: DatasetFields) -> str:
    rows = [(column.name, column.type_, "yes" if column.nullable else "no") for column in found.columns]
    said = f"{found.format.value}, {size(found.size_bytes)}, {found.status.value.lower()}"
    return f"<p><b>{escape(found.name)}</b> {escape(said)}</p>" + table(("column", "type", "nullable"), rows)


def job(found: JobFields) -> str:
    facts: list[tuple[str, Any]] = [("state", found.state.value)]
    if found.failure:
        facts.append(("failure", f"{found.failure.message} {found.failure.hint or ''}"))
    if balance := found.row_balance:
        facts += [(name, f"{getattr(balance, name):,}") for name in ("read", "passed", "rejected", "written")]
    facts += [(artifact.name, size(artifact.size_bytes)) for artifact in found.artifacts]
    return f"<p><b>{escape(found.name)}</b></p>" + table(("", ""), facts)


def preview(found: PreviewFields) -> str:
    more = "<p>There is more.</p>" if found.truncated else ""
    return table([column.name for column in found.columns], found.rows) + more


def progress(found: ProgressFields) -> str:
    return f"<p>{int(found.fraction * 1000) / 10:.1f} % {escape(in_words(found))}</p>"


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join(
        "<tr>" + "".join(f"<td>{'' if cell is None else escape(str(cell))}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def attach() -> None:
    """Notebooks look for `_repr_html_`; the classes are generated."""
    for kind, shown in (
        (DatasetFields, dataset),
        (JobFields, job),
        (PreviewFields, preview),
        (ProgressFields, progress),
    ):
        setattr(kind, "_repr_html_", shown)  # noqa: B010
