"""The steps of a job, as a client writes them. What they mean is known to `compute.steps`."""

import dataclasses
from enum import StrEnum
from typing import Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

from gateway.schema.relay import BigInt


@strawberry.enum
class JoinKind(StrEnum):
    INNER = "INNER"
    LEFT = "LEFT"
    RIGHT = "RIGHT"
    FULL = "FULL"
    SEMI = "SEMI"
    ANTI = "ANTI"


@strawberry.enum
class SortDirection(StrEnum):
    ASC = "ASC"
    DESC = "DESC"


@strawberry.input
class FilterStepInput:
    where: str


@strawberry.input
class SelectStepInput:
    columns: list[str]


@strawberry.input
class DropStepInput:
    columns: list[str]


@strawberry.input
class RenameStepInput:
    column: str
    to: str


@strawberry.input(description="A new column, or a column anew.")
class DeriveStepInput:
    column: str
    expression: str


@strawberry.input
class CastStepInput:
    column: str
    type: str = strawberry.field(
        description="As columns show theirs: Int64, Float64, Decimal128(18, 2), Utf8, Boolean, Date32, Timestamp(us)."
    )
    or_null: bool | None = strawberry.field(
        default=None, description="NULL for what can't be such a value, which otherwise fails the job."
    )


@strawberry.input(description="Gives NULL a value, which must be one of the column's type.")
class FillNullStepInput:
    column: str
    value: str


@strawberry.input(description="Every place where `find` is in a text.")
class ReplaceStepInput:
    column: str
    find: str
    with_: str = strawberry.field(name="with")
    regex: bool | None = strawberry.field(default=None, description="`find` is a regular expression.")


@strawberry.input(description="The parts of a text as columns of their own; what is empty is NULL.")
class SplitStepInput:
    column: str
    by: str
    into: list[str]


@strawberry.input
class MeasureInput:
    as_: str = strawberry.field(name="as")
    expression: str


@strawberry.input
class AggregateStepInput:
    by: list[str]
    measures: list[MeasureInput]


@strawberry.input(description="Rows so far go by the name of the first source.")
class JoinStepInput:
    with_: str = strawberry.field(name="with", description="The name of another source.")
    on: str = strawberry.field(description="A column that both have, or a condition.")
    kind: JoinKind | None = JoinKind.INNER


@strawberry.input(description="The rows of another source behind those so far, columns matched by name.")
class UnionStepInput:
    with_: str = strawberry.field(name="with")


@strawberry.input
class SortKeyInput:
    column: str
    direction: SortDirection | None = SortDirection.ASC
    nulls_first: bool | None = None


@strawberry.input
class SortStepInput:
    by: list[SortKeyInput]


@strawberry.input(description="The first of rows that are alike in some columns, or in all.")
class DedupeStepInput:
    by: list[str] | None = None


@strawberry.input
class LimitStepInput:
    count: BigInt


@strawberry.input(
    one_of=True,
    description="One step of a recipe. Expressions are SQL expressions over the columns at that point.",
)
class StepInput:
    filter: FilterStepInput | None = strawberry.UNSET
    select: SelectStepInput | None = strawberry.UNSET
    drop: DropStepInput | None = strawberry.UNSET
    rename: RenameStepInput | None = strawberry.UNSET
    derive: DeriveStepInput | None = strawberry.UNSET
    cast: CastStepInput | None = strawberry.UNSET
    fill_null: FillNullStepInput | None = strawberry.UNSET
    replace: ReplaceStepInput | None = strawberry.UNSET
    split: SplitStepInput | None = strawberry.UNSET
    aggregate: AggregateStepInput | None = strawberry.UNSET
    join: JoinStepInput | None = strawberry.UNSET
    union: UnionStepInput | None = strawberry.UNSET
    sort: SortStepInput | None = strawberry.UNSET
    dedupe: DedupeStepInput | None = strawberry.UNSET
    limit: LimitStepInput | None = strawberry.UNSET

    def draft(self) -> dict[str, Any]:
        """The same as JSON, without what is not given."""
        return {to_camel_case(name): value for name, value in _given(self)}


def _given(input: Any) -> list[tuple[str, Any]]:
    values = [(field.name, getattr(input, field.name)) for field in dataclasses.fields(input)]
    return [(name, _plain(value)) for name, value in values if value not in (None, strawberry.UNSET)]


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, StrEnum):
        return value.value
    if dataclasses.is_dataclass(value):
        return {to_camel_case(name.rstrip("_")): inner for name, inner in _given(value)}
    return value
