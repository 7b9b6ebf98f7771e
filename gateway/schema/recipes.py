"""Recipes: queries that are kept under a name, in versions."""

from datetime import datetime
from typing import Self
from uuid import UUID

import strawberry

from gateway import drafts, recipes
from gateway.errors import NotFound
from gateway.schema.context import Context, Info, signed_in
from gateway.schema.errors import UserError, UserErrors
from gateway.schema.job_inputs import BadRowsInput, JobSourceInput, OutputInput
from gateway.schema.jobs import Job, JobPayload
from gateway.schema.permissions import JOBS, SIGNED_IN
from gateway.schema.relay import Connection, Node, connection, global_id, local_id, page_arguments
from gateway.schema.users import User, load_owner


@strawberry.type(description="Never changes.")
class RecipeVersion:
    version: int
    sql: str
    created_at: datetime

    @classmethod
    def of(cls, row: recipes.RecipeVersion) -> Self:
        return cls(version=row.version, sql=row.sql, created_at=row.created_at)


@strawberry.type
class Recipe(Node):
    name: str
    description: str | None
    version: int = strawberry.field(description="The newest.")
    created_at: datetime
    row: strawberry.Private[recipes.Recipe]

    @strawberry.field
    async def owner(self, info: Info) -> User:
        return await load_owner(info.context, self.row.owner_id)

    @strawberry.field(description="Of the newest version.")
    async def sql(self, info: Info) -> str:
        found = await info.context.loader(recipes.latest).load(self.row.id)
        return found.sql if found else ""

    @strawberry.field(description="Newest first.")
    async def versions(self, first: int | None = 50) -> list[RecipeVersion]:
        rows = await recipes.versions(self.row.id, first=50 if first is None else first)
        return [RecipeVersion.of(row) for row in rows]

    @classmethod
    def of(cls, row: recipes.Recipe) -> Self:
        return cls(
            id=global_id("Recipe", row.id),
            name=row.name,
            description=row.description,
            version=row.version,
            created_at=row.created_at,
            row=row,
        )


@strawberry.type
class RecipePayload:
    recipe: Recipe | None = None
    errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class DeleteRecipePayload:
    deleted_id: strawberry.ID | None = None
    errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.input
class SaveRecipeInput:
    recipe_id: strawberry.ID | None = strawberry.field(default=None, description="Left out: a new recipe.")
    name: str
    description: str | None = None
    sql: str
    output: OutputInput | None = None
    bad_rows: BadRowsInput | None = None
    idempotency_key: str | None = None


@strawberry.input
class RunRecipeInput:
    recipe_id: strawberry.ID
    version: int | None = strawberry.field(default=None, description="Left out: the newest.")
    sources: list[JobSourceInput]
    name: str | None = None
    idempotency_key: str | None = None


@strawberry.input
class RecipeIdInput:
    recipe_id: strawberry.ID


@strawberry.type
class RecipeQuery:
    @strawberry.field(extensions=[SIGNED_IN])
    async def recipe(self, info: Info, id: strawberry.ID) -> Recipe | None:
        try:
            row = await recipes.find(signed_in(info), local_id(id, "Recipe"))
        except NotFound:
            return None
        return Recipe.of(row) if row else None

    @strawberry.field(extensions=[SIGNED_IN], description="Newest first; `search` is part of the name.")
    async def recipes(
        self, info: Info, first: int | None = 50, after: str | None = None, search: str | None = None
    ) -> Connection[Recipe] | None:
        most, cursor = page_arguments(first, after, most=info.context.settings.page_max)
        page = await recipes.page(signed_in(info), first=most, after=cursor, search=search)
        return connection(page, Recipe.of)


@strawberry.type
class RecipeMutation:
    @strawberry.mutation(
        extensions=[UserErrors(RecipePayload), JOBS],
        description="A new recipe, or the next version of one; the SQL is bound when it runs.",
    )
    async def save_recipe(self, info: Info, input: SaveRecipeInput) -> RecipePayload:
        row = await recipes.save(
            signed_in(info),
            info.context.settings,
            recipe_id=local_id(input.recipe_id, "Recipe", field="recipeId") if input.recipe_id else None,
            name=input.name,
            description=input.description,
            sql=input.sql,
            output=input.output.draft() if input.output is not None else drafts.OutputDraft(),
            bad_rows=input.bad_rows.draft() if input.bad_rows is not None else drafts.BadRowsDraft(),
            idempotency_key=input.idempotency_key,
        )
        return RecipePayload(recipe=Recipe.of(row))

    @strawberry.mutation(
        extensions=[UserErrors(JobPayload), JOBS], description="Queues a job of a recipe on datasets."
    )
    async def run_recipe(self, info: Info, input: RunRecipeInput) -> JobPayload:
        context = info.context
        row = await recipes.run(
            signed_in(info),
            local_id(input.recipe_id, "Recipe", field="recipeId"),
            version=input.version,
            sources=tuple(
                drafts.SourceDraft(local_id(source.dataset_id, "Dataset", field="sources"), source.alias)
                for source in input.sources
            ),
            name=input.name,
            idempotency_key=input.idempotency_key,
            settings=context.settings,
            events=context.events,
        )
        return JobPayload(job=Job.of(row))

    @strawberry.mutation(
        extensions=[UserErrors(DeleteRecipePayload), JOBS], description="Jobs that were made of it stay."
    )
    async def delete_recipe(self, info: Info, input: RecipeIdInput) -> DeleteRecipePayload:
        row = await recipes.delete(signed_in(info), local_id(input.recipe_id, "Recipe", field="recipeId"))
        return DeleteRecipePayload(deleted_id=global_id("Recipe", row.id))


async def load_node(context: Context, id: UUID) -> Recipe | None:
    """For `node`: where the viewer may see it."""
    row = await recipes.find(context.viewer, id) if context.viewer else None
    return Recipe.of(row) if row else None
