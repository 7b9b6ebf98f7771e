"""The steps of a recipe, as a client writes them. They can be written, and not yet run."""

from enum import StrEnum

import strawberry

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
class RenameStepInput:
    column: str
    to: str


@strawberry.input
class DeriveStepInput:
    column: str
    expression: str


@strawberry.input
class CastStepInput:
    column: str
    type: str


@strawberry.input
class FillNullStepInput:
    column: str
    value: str


@strawberry.input
class MeasureInput:
    as_: str = strawberry.field(name="as")
    expression: str


@strawberry.input
class AggregateStepInput:
    by: list[str]
    measures: list[MeasureInput]


@strawberry.input
class JoinStepInput:
    with_: str = strawberry.field(name="with")
    on: str
    kind: JoinKind | None = JoinKind.INNER


@strawberry.input
class SortKeyInput:
    column: str
    direction: SortDirection | None = SortDirection.ASC
    nulls_first: bool | None = None


@strawberry.input
class SortStepInput:
    by: list[SortKeyInput]


@strawberry.input
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
    rename: RenameStepInput | None = strawberry.UNSET
    derive: DeriveStepInput | None = strawberry.UNSET
    cast: CastStepInput | None = strawberry.UNSET
    fill_null: FillNullStepInput | None = strawberry.UNSET
    aggregate: AggregateStepInput | None = strawberry.UNSET
    join: JoinStepInput | None = strawberry.UNSET
    sort: SortStepInput | None = strawberry.UNSET
    dedupe: DedupeStepInput | None = strawberry.UNSET
    limit: LimitStepInput | None = strawberry.UNSET
