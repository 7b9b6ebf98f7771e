"""Recipes: queries that are kept under a name, in versions that never change, to be run on other datasets.

A job that was made of a recipe has a copy of it, so what becomes of the recipe later does not touch the job.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Final
from uuid import UUID

from tortoise.exceptions import IntegrityError
from tortoise.expressions import F
from tortoise.queryset import QuerySet

from gateway import datasets, jobs
from gateway.auth import Viewer
from gateway.drafts import BadRowsDraft, JobDraft, OutputDraft, SourceDraft, check, draft_of, spec_row
from gateway.errors import BadInput, Conflict, LimitExceeded, NotFound
from gateway.events import Events
from gateway.models import Job, Recipe, RecipeVersion, Role, new_id, now
from gateway.paging import Page, newest_first
from gateway.settings import Settings
from gateway.transactions import atomically

__all__ = ["Recipe", "RecipeVersion", "delete", "find", "latest", "page", "run", "save", "versions"]

DESCRIPTION_MAX: Final = 2_000
VERSIONS_MAX: Final = 1_000
_ANY: Final = SourceDraft(UUID(int=0))
"""In place of a dataset, where only the rest of a draft is looked at."""


def _visible(viewer: Viewer) -> QuerySet[Recipe]:
    query = Recipe.filter(deleted_at=None)
    return query if viewer.user.role is Role.ADMIN else query.filter(owner_id=viewer.id)


async def find(viewer: Viewer, recipe_id: UUID) -> Recipe | None:
    return await _visible(viewer).get_or_none(id=recipe_id)


async def page(viewer: Viewer, *, first: int, after: UUID | None, search: str | None) -> Page[Recipe]:
    query = _visible(viewer)
    if search:
        query = query.filter(name__icontains=search)
    return await newest_first(query, first=first, after=after)


async def latest(recipe_ids: Sequence[UUID]) -> list[RecipeVersion | None]:
    """The newest version of each; for a loader."""
    newest = dict(await Recipe.filter(id__in=list(recipe_ids)).values_list("id", "version"))
    # Perhaps some older ones of other recipes, too: a pair can't be asked for.
    rows = await RecipeVersion.filter(recipe_id__in=list(recipe_ids), version__in=list(set(newest.values())))
    found = {(row.recipe_id, row.version): row for row in rows}
    return [found.get((recipe_id, newest.get(recipe_id, 0))) for recipe_id in recipe_ids]


async def versions(recipe_id: UUID, *, first: int) -> list[RecipeVersion]:
    """Newest first."""
    if not 1 <= first <= VERSIONS_MAX:
        raise BadInput(f"first must be from 1 to {VERSIONS_MAX}.", field=["first"])
    return await RecipeVersion.filter(recipe_id=recipe_id).order_by("-version").limit(first)


async def save(
    viewer: Viewer,
    settings: Settings,
    *,
    recipe_id: UUID | None,
    name: str,
    description: str | None,
    sql: str,
    output: OutputDraft,
    bad_rows: BadRowsDraft,
    idempotency_key: str | None,
) -> Recipe:
    """A new recipe, or the next version of one. Raises BadInput, NotFound, Conflict, LimitExceeded."""
    name = datasets.checked_name(name)
    if description is not None and len(description) > DESCRIPTION_MAX:
        raise BadInput(
            f"A description has at most {DESCRIPTION_MAX} characters.", field=["input", "description"]
        )
    datasets.check_key(idempotency_key)
    draft = JobDraft((_ANY,), sql, output=output, bad_rows=bad_rows)
    check(draft, settings)
    spec = spec_row(draft, ())
    if recipe_id is not None:
        return await _next(viewer, recipe_id, name, description, sql, spec)
    digest = datasets.fingerprint({"name": name, "description": description, **asdict(draft)})
    if known := await _by_key(viewer.id, idempotency_key, digest):
        return known
    if await Recipe.filter(owner_id=viewer.id, deleted_at=None).count() >= settings.recipes_max:
        raise LimitExceeded(
            f"You have {settings.recipes_max} recipes.", "Delete some of them.", limit="recipes_max"
        )
    made = new_id()

    async def work() -> Recipe:
        recipe = await Recipe.create(
            id=made,
            owner_id=viewer.id,
            name=name,
            description=description,
            version=1,
            idempotency_key=idempotency_key,
            input_hash=digest,
        )
        await RecipeVersion.create(recipe_id=made, version=1, sql=sql, spec=spec)
        return recipe

    try:
        return await atomically(work)
    except IntegrityError:
        if known := await _by_key(viewer.id, idempotency_key, digest):
            return known
        raise


async def run(
    viewer: Viewer,
    recipe_id: UUID,
    *,
    version: int | None,
    sources: tuple[SourceDraft, ...],
    name: str | None,
    idempotency_key: str | None,
    settings: Settings,
    events: Events,
) -> Job:
    """A job of a version, else of the newest, on `sources`. Raises as `jobs.create`."""
    recipe = await find(viewer, recipe_id)
    if recipe is None:
        raise _not_found()
    kept = await RecipeVersion.get_or_none(
        recipe_id=recipe.id, version=recipe.version if version is None else version
    )
    if kept is None:
        raise NotFound("The recipe has no such version.", field=["input", "version"])
    draft = draft_of(kept.sql, kept.spec, sources, name=name or recipe.name, idempotency_key=idempotency_key)
    return await jobs.create(viewer, replace(draft, shard_size_bytes=None), settings, events)


async def delete(viewer: Viewer, recipe_id: UUID) -> Recipe:
    """Forgets a recipe; jobs that were made of it stay. Raises NotFound."""
    recipe = await find(viewer, recipe_id)
    gone = {"deleted_at": now(), "idempotency_key": None}
    if recipe is None or not await _visible(viewer).filter(id=recipe_id).update(**gone):
        raise _not_found()
    return recipe


async def _next(
    viewer: Viewer, recipe_id: UUID, name: str, description: str | None, sql: str, spec: dict[str, object]
) -> Recipe:
    async def work() -> None:
        changed = {"name": name, "description": description, "version": F("version") + 1}
        if not await _visible(viewer).filter(id=recipe_id, version__lt=VERSIONS_MAX).update(**changed):
            raise _not_found()
        version = (await Recipe.get(id=recipe_id)).version
        await RecipeVersion.create(recipe_id=recipe_id, version=version, sql=sql, spec=spec)

    await atomically(work)
    return await Recipe.get(id=recipe_id)


async def _by_key(owner_id: UUID, key: str | None, digest: str) -> Recipe | None:
    known = await Recipe.get_or_none(owner_id=owner_id, idempotency_key=key) if key else None
    if known is not None and known.input_hash != digest:
        raise Conflict(
            "This idempotency key was used for another recipe.",
            "Use a new key for a new recipe.",
            field=["input", "idempotencyKey"],
        )
    return known


def _not_found() -> NotFound:
    return NotFound("There is no such recipe.", field=["input", "recipeId"])
