"""Steps into SQL: a list of small changes to a table, each with a name that says what it does, as one query.

Each step becomes a table of the query (`WITH "step_1" AS (...)`) over the one before; the first is over the first
source. Names are quoted and known: a step that speaks of a column that is not there at that point is refused with its
number. Expressions are SQL expressions over the columns at that point, and stay within their step. What only the
planner can tell is asked of it, query by query, see `blamed`.

Rows keep the order of a `sort` through the steps that keep rows (filter, select, derive, ...); aggregate, join and
union end it. A column that rows are sorted by is carried along, hidden, when a step drops or changes it.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

from karyaksham_engine.errors import InvalidJob
from karyaksham_engine.types import Column, Source

from .sql_text import check_expression, literal, quoted, sql_type, text_literal
from .step_forms import KINDS, Step, checked, listed, wrong

STEPS_MAX: Final = 200
STEPS_BYTES_MAX: Final = 1 << 20
"""Of the file that `parse` takes."""

Describe = Callable[[str], Sequence[Column]]
"""The columns of a query. Raises InvalidJob."""

_JOINS: Final = {
    "INNER": "JOIN",
    "LEFT": "LEFT JOIN",
    "RIGHT": "RIGHT JOIN",
    "FULL": "FULL JOIN",
    "SEMI": "LEFT SEMI JOIN",
    "ANTI": "LEFT ANTI JOIN",
}


def parse(text: str | bytes) -> list[Step]:
    """Steps from JSON: a list, or an object with the list as `steps`. Raises InvalidJob."""
    if len(text) > STEPS_BYTES_MAX:
        raise InvalidJob("STEPS_INVALID", f"The steps have more than {STEPS_BYTES_MAX >> 10} KiB.")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidJob("STEPS_INVALID", f"The steps are no JSON: {error}.") from None
    steps = found.get("steps") if isinstance(found, dict) else found
    if not isinstance(steps, list):
        raise InvalidJob(
            "STEPS_INVALID",
            "Steps are a list.",
            'Write [{"filter": {"where": "amount > 10"}}, {"limit": {"count": 5}}].',
        )
    return steps


def compile(steps: Sequence[Step], sources: Sequence[Source], describe: Describe) -> str:
    """The SQL of `steps` over the first of `sources`. `describe` is asked for types that only the planner knows.

    Raises InvalidJob, with the number of the step (from 1) in its message and in `detail["step"]`.
    """
    if not 1 <= len(steps) <= STEPS_MAX:
        raise InvalidJob("STEPS_INVALID", f"There are 1 to {STEPS_MAX} steps.")
    if not sources:
        raise InvalidJob("NO_SOURCE", "Steps begin with a table, and there is none.")
    rows = _Rows.of(sources)
    for number, step in enumerate(steps, start=1):
        try:
            kind, given = checked(step)
            if kind == "fillNull" and rows.columns.get(given["column"], "") is None:
                rows.learn(_described(rows.sql(), steps[: number - 1], sources, describe))
            _MAKERS[kind](rows, given)
        except InvalidJob as error:
            raise (error if "step" in error.detail else _at(error, number, step)) from None
    return rows.sql()


def blamed(
    error: InvalidJob, steps: Sequence[Step], sources: Sequence[Source], describe: Describe
) -> InvalidJob:
    """`error`, which planning the SQL of `steps` raised, with the step that is at fault."""
    for count in range(1, len(steps) + 1):
        try:
            describe(compile(steps[:count], sources, describe))
        except InvalidJob as first:
            return first if "step" in first.detail else _at(first, count, steps[count - 1])
    return error


def _described(
    sql: str, steps: Sequence[Step], sources: Sequence[Source], describe: Describe
) -> Sequence[Column]:
    try:
        return describe(sql)
    except InvalidJob as error:
        raise blamed(error, steps, sources, describe) from None


def _at(error: InvalidJob, number: int, step: Step) -> InvalidJob:
    kind = next(iter(step), None) if isinstance(step, Mapping) else None
    name = f"Step {number} ({kind})" if kind in KINDS else f"Step {number}"
    message = f"{name}: {error.message}"
    return InvalidJob(error.code, message, error.hint, detail={**error.detail, "step": number})


@dataclass
class _Rows:
    """What the steps so far make."""

    tables: dict[str, list[Column]]
    columns: dict[str, str | None]
    """Those that are seen, with their types; None: only the planner knows."""
    bodies: list[str] = field(default_factory=list)
    order: list[tuple[str, str]] = field(default_factory=list)
    """Columns that rows are sorted by, hidden ones among them, and how."""

    @classmethod
    def of(cls, sources: Sequence[Source]) -> "_Rows":
        tables = {source["name"]: source["columns"] for source in sources}
        for source in sources:
            for alias in source.get("aliases", ()):
                tables.setdefault(alias, source["columns"])
        return cls(tables, _typed(sources[0]["columns"]))

    @property
    def base(self) -> str:
        return next(iter(self.tables))

    @property
    def current(self) -> str:
        """What the next step reads."""
        return quoted(self._name(len(self.bodies))) if self.bodies else quoted(self.base)

    def sql(self) -> str:
        """All of it as one query."""
        bodies = list(self.bodies)
        hidden = any(name not in self.columns for name, _ in self.order)
        if self.order or not bodies:
            shown = ", ".join(map(quoted, self.columns)) if hidden else "*"
            bodies.append(f"SELECT {shown} FROM {self.current}{self.order_by()}")
        *before, last = bodies
        if not before:
            return last
        tables = (f"{quoted(self._name(n))} AS (\n  {body}\n)" for n, body in enumerate(before, start=1))
        return "WITH " + ", ".join(tables) + f"\n{last}"

    def order_by(self) -> str:
        keys = ", ".join(f"{quoted(name)} {how}" for name, how in self.order)
        return f" ORDER BY {keys}" if keys else ""

    def make(self, body: str) -> None:
        self.bodies.append(body)

    def project(self, made: Mapping[str, tuple[str, str | None]]) -> None:
        """Columns by name, each with its expression and its type. What rows are sorted by goes along."""
        kept = {expression: name for name, (expression, _) in reversed(list(made.items()))}
        items = [
            expression if expression == quoted(name) else f"{expression} AS {quoted(name)}"
            for name, (expression, _) in made.items()
        ]
        for place, (key, how) in enumerate(self.order):
            name = kept.get(quoted(key))
            if name is None:
                name = self._hidden(made, place)
                items.append(f"{quoted(key)} AS {quoted(name)}")
            self.order[place] = (name, how)
        self.make(f"SELECT {', '.join(items)} FROM {self.current}")
        self.columns = {name: type for name, (_, type) in made.items()}

    def as_they_are(self) -> dict[str, tuple[str, str | None]]:
        return {name: (quoted(name), type) for name, type in self.columns.items()}

    def change(self, column: str, expression: str, type: str | None) -> None:
        """One column anew, in its place or behind the others."""
        self.project({**self.as_they_are(), column: (expression, type)})

    def learn(self, columns: Sequence[Column]) -> None:
        known = _typed(columns)
        self.columns = {name: known.get(name, type) for name, type in self.columns.items()}

    def need(self, name: str) -> str:
        """The name of a column that is there."""
        if name in self.columns:
            return name
        near = get_close_matches(name, self.columns, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else "The columns are " + listed(self.columns) + "."
        raise InvalidJob("UNKNOWN_COLUMN", f"There is no column {name!r} at this point.", hint)

    def need_all(self, names: Sequence[str]) -> list[str]:
        if len(set(names)) != len(names):
            raise wrong("A column is named twice.")
        return [self.need(name) for name in names]

    def need_new(self, name: str) -> str:
        if name in self.columns:
            raise wrong(f"There is a column {name!r} already.", "Choose another name.")
        return name

    def table(self, name: str) -> list[Column]:
        """The columns of another source."""
        if name in self.tables:
            return self.tables[name]
        raise InvalidJob("UNKNOWN_TABLE", f"There is no table {name!r}.", f"There are {listed(self.tables)}.")

    def _hidden(self, made: Mapping[str, object], place: int) -> str:
        name = f"sort key {place + 1}"
        while name in made or name in self.columns:
            name += " "
        return name

    def _name(self, number: int) -> str:
        name = f"step_{number}"
        while name.lower() in (table.lower() for table in self.tables):
            name = f"_{name}"
        return name


def _filter(rows: _Rows, given: Step) -> None:
    rows.make(f"SELECT * FROM {rows.current} WHERE {check_expression(given['where'])}")


def _select(rows: _Rows, given: Step) -> None:
    if not given["columns"]:
        raise wrong("No column would be left.")
    rows.project({name: (quoted(name), rows.columns[name]) for name in rows.need_all(given["columns"])})


def _drop(rows: _Rows, given: Step) -> None:
    dropped = rows.need_all(given["columns"])
    kept = {name: made for name, made in rows.as_they_are().items() if name not in dropped}
    if not kept:
        raise wrong("No column would be left.")
    rows.project(kept)


def _rename(rows: _Rows, given: Step) -> None:
    old, new = rows.need(given["column"]), rows.need_new(given["to"])
    rows.project({new if name == old else name: made for name, made in rows.as_they_are().items()})


def _derive(rows: _Rows, given: Step) -> None:
    rows.change(given["column"], f"({check_expression(given['expression'])})", None)


def _cast(rows: _Rows, given: Step) -> None:
    name, type = rows.need(given["column"]), given["type"].strip()
    how = "TRY_CAST" if given.get("orNull") else "CAST"
    rows.change(name, f"{how}({quoted(name)} AS {sql_type(type)})", type)


def _fill_null(rows: _Rows, given: Step) -> None:
    name = rows.need(given["column"])
    type = rows.columns[name] or "Utf8"
    rows.change(name, f"coalesce({quoted(name)}, {literal(given['value'], type)})", type)


def _replace(rows: _Rows, given: Step) -> None:
    name = rows.need(given["column"])
    find, other = text_literal(given["find"]), text_literal(given["with"])
    if given.get("regex"):
        rows.change(name, f"regexp_replace({quoted(name)}, {find}, {other}, 'g')", "Utf8")
    else:
        rows.change(name, f"replace({quoted(name)}, {find}, {other})", "Utf8")


def _split(rows: _Rows, given: Step) -> None:
    name, by = rows.need(given["column"]), text_literal(given["by"])
    if not given["by"]:
        raise wrong("`by` is empty.")
    made = rows.as_they_are()
    for place, part in enumerate(given["into"], start=1):
        rows.need_new(part)
        made[part] = (f"nullif(split_part({quoted(name)}, {by}, {place}), '')", "Utf8")
    if len(made) != len(rows.columns) + len(given["into"]):
        raise wrong("A column is named twice.")
    rows.project(made)


def _aggregate(rows: _Rows, given: Step) -> None:
    by, measures = rows.need_all(given["by"]), given["measures"]
    made: dict[str, str | None] = {name: rows.columns[name] for name in by}
    items = [quoted(name) for name in by]
    for measure in measures:
        name = measure["as"]
        if name in made:
            raise wrong(f"Two columns would be called {name!r}.")
        made[name] = None
        items.append(f"({check_expression(measure['expression'])}) AS {quoted(name)}")
    if not items:
        raise wrong("There is nothing to group by and no measure.")
    groups = " GROUP BY " + ", ".join(map(quoted, by)) if by else ""
    rows.make(f"SELECT {', '.join(items)} FROM {rows.current}{groups}")
    rows.columns, rows.order = made, []


def _join(rows: _Rows, given: Step) -> None:
    """The rows so far go by the name of the first table, and columns that both have by the name of theirs."""
    other, kind = given["with"], given.get("kind") or "INNER"
    if kind not in _JOINS:
        raise wrong(f"There is no join {kind!r}.", f"There are {listed(_JOINS)}.")
    theirs, on = _typed(rows.table(other)), given["on"]
    if other == rows.base:
        raise wrong(f"{other!r} can't be joined with itself.", "Give the table a second name.")
    left, right = quoted(rows.base), quoted(other)
    shared = on.strip() if on.strip() in theirs and on.strip() in rows.columns else None
    if shared is None:
        condition = check_expression(on)
    else:
        condition = f"{left}.{quoted(shared)} = {right}.{quoted(shared)}"
    made = dict(rows.columns)
    items = [f"{left}.{quoted(name)}" for name in made]
    if shared is not None and kind in ("RIGHT", "FULL"):
        both = f"coalesce({left}.{quoted(shared)}, {right}.{quoted(shared)})"
        items[list(made).index(shared)] = f"{both} AS {quoted(shared)}"
    for name, type in theirs.items() if kind not in ("SEMI", "ANTI") else ():
        if name == shared:
            continue
        shown = f"{other}_{name}" if name in made else name
        if shown in made:
            raise wrong(f"Two columns would be called {shown!r}.", "Rename one of them before.")
        made[shown] = type
        items.append(f"{right}.{quoted(name)}" + (f" AS {quoted(shown)}" if shown != name else ""))
    rows.make(
        f"SELECT {', '.join(items)} FROM {rows.current} AS {left} {_JOINS[kind]} {right} ON {condition}"
    )
    rows.columns, rows.order = made, []


def _union(rows: _Rows, given: Step) -> None:
    """Columns are matched by name; what one of the two lacks is NULL there."""
    theirs = _typed(rows.table(given["with"]))
    if not rows.columns.keys() & theirs.keys():
        raise wrong(f"The rows so far and {given['with']!r} have no column in common.")
    made = {**theirs, **rows.columns}
    names = [*rows.columns, *(name for name in theirs if name not in rows.columns)]

    def items(having: Mapping[str, object]) -> str:
        return ", ".join(quoted(n) if n in having else f"NULL AS {quoted(n)}" for n in names)

    of_theirs = f"SELECT {items(theirs)} FROM {quoted(given['with'])}"
    rows.make(f"SELECT {items(rows.columns)} FROM {rows.current}\n  UNION ALL {of_theirs}")
    alike = {name: made[name] if theirs.get(name, made[name]) == made[name] else None for name in names}
    rows.columns, rows.order = alike, []


def _sort(rows: _Rows, given: Step) -> None:
    order = []
    for key in given["by"]:
        name, direction = rows.need(key["column"]), key.get("direction") or "ASC"
        if direction not in ("ASC", "DESC"):
            raise wrong(f"There is no direction {direction!r}.", "There are ASC, DESC.")
        first = key.get("nullsFirst")
        first = direction == "DESC" if first is None else first
        order.append((name, f"{direction} NULLS {'FIRST' if first else 'LAST'}"))
    if not order:
        raise wrong("There is nothing to sort by.")
    rows.order = order


def _dedupe(rows: _Rows, given: Step) -> None:
    """Of rows that are alike in the given columns the first stays: of the sort, else of the file."""
    names = given.get("by")
    if names is None:
        columns = ", ".join(map(quoted, rows.columns))
        rows.make(f"SELECT DISTINCT {columns} FROM {rows.current}")
        if any(name not in rows.columns for name, _ in rows.order):
            rows.order = []
        return
    by = ", ".join(map(quoted, rows.need_all(names)))
    if not by:
        raise wrong("`by` names no column.", "Leave it out to compare whole rows.")
    if not rows.order:
        columns = ", ".join(map(quoted, rows.columns))
        rows.make(f"SELECT DISTINCT ON ({by}) {columns} FROM {rows.current}")
        return
    number = rows._hidden(rows.columns, len(rows.order))
    hidden = [name for name, _ in rows.order if name not in rows.columns]
    columns = ", ".join(map(quoted, [*rows.columns, *hidden]))
    first = f"row_number() OVER (PARTITION BY {by}{rows.order_by()}) AS {quoted(number)}"
    rows.make(
        f"SELECT {columns} FROM (SELECT *, {first} FROM {rows.current}) AS numbered WHERE {quoted(number)} = 1"
    )


def _limit(rows: _Rows, given: Step) -> None:
    rows.make(f"SELECT * FROM {rows.current}{rows.order_by()} LIMIT {given['count']}")


_MAKERS: Final[dict[str, Callable[[_Rows, Step], None]]] = {
    "filter": _filter,
    "select": _select,
    "drop": _drop,
    "rename": _rename,
    "derive": _derive,
    "cast": _cast,
    "fillNull": _fill_null,
    "replace": _replace,
    "split": _split,
    "aggregate": _aggregate,
    "join": _join,
    "union": _union,
    "sort": _sort,
    "dedupe": _dedupe,
    "limit": _limit,
}


def _typed(columns: Sequence[Column]) -> dict[str, str | None]:
    return {column["name"]: column["type"] for column in columns}
