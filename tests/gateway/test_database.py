"""Migrations: each set makes the tables that the models describe."""

import contextlib
import dataclasses
import re
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tortoise import Tortoise
from tortoise.utils import get_schema_sql

from gateway import database, users
from gateway.migrations.make import make
from gateway.models import Dataset, FileFormat, Job, Role, Upload, new_id, now
from gateway.settings import Settings
from tests.postgres import Postgres

ID = "01a20bcf-adef-7473-b681-42c4b9ede9b9"


def sqlite_shape(path: Path) -> dict[str, set[tuple[object, ...]]]:
    """Tables with their columns, and indexes with what they cover."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        return {
            f"{table}:{about}": {tuple(row[1:]) for row in connection.execute(f"PRAGMA {about}({table})")}
            for table in tables
            for about in ("table_info", "foreign_key_list", "index_list")
            if not table.startswith("sqlite_")
        }


async def test_migrated_sqlite_equals_the_models(settings: Settings, tmp_path: Path) -> None:
    async with database.opened(settings, migrate=True):
        assert await database.pending(settings) == []
        sql = get_schema_sql(Tortoise.get_connection(settings.dialect), safe=False)
    fresh = tmp_path / "fresh.sqlite3"
    with contextlib.closing(sqlite3.connect(fresh)) as connection:
        connection.executescript(sql)
    assert sqlite_shape(settings.database_path) == sqlite_shape(fresh)


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
async def test_migrations_lack_nothing_that_the_models_have(dialect: str) -> None:
    before = set(database.MIGRATIONS.rglob("*.py"))
    try:
        assert await make(dialect, "missing") == "", "run `python -m gateway.migrations.make NAME`"
    finally:
        for path in set(database.MIGRATIONS.rglob("*.py")) - before:
            path.unlink()


async def test_upgrade_applies_once_and_keeps_rows(settings: Settings) -> None:
    async with database.opened(settings, migrate=False):
        assert len(await database.pending(settings)) >= 1
        assert len(await database.upgrade(settings)) >= 1
        await users.add(settings, email="a@b.c", password="x" * 12, display_name=None, role=Role.ADMIN)
    async with database.opened(settings, migrate=True):
        assert await database.upgrade(settings) == []
        assert (await users.find(email="a@b.c")).role is Role.ADMIN


async def test_sqlite_is_in_wal_with_foreign_keys(opened_database: None, settings: Settings) -> None:
    connection = Tortoise.get_connection(settings.dialect)
    for pragma, value in (("journal_mode", "wal"), ("foreign_keys", 1), ("busy_timeout", 10_000)):
        _, rows = await connection.execute_query(f"PRAGMA {pragma}")
        assert next(iter(dict(rows[0]).values())) == value


async def test_whether_the_database_answers_is_told(settings: Settings) -> None:
    async with database.opened(settings, migrate=True):
        assert await database.reachable(settings, 5.0)
    gone = dataclasses.replace(settings, database_url="postgres://nobody@127.0.0.1:1/none")
    async with database.opened(gone, migrate=False):
        assert not await database.reachable(gone, 5.0)


def test_ids_sort_by_the_time_they_were_made() -> None:
    ids = [new_id() for _ in range(1_000)]
    stamps = [id.int >> 68 for id in ids]
    assert stamps == sorted(stamps) and len(set(ids)) == 1_000
    assert {id.version for id in ids} == {7} and {id.variant for id in ids} == {"specified in RFC 4122"}


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    """A database without a table."""
    return postgres.empty()


@asynccontextmanager
async def on_postgres(url: str, tmp_path: Path) -> AsyncIterator[Settings]:
    settings = Settings.from_environment(
        {}, data_dir=tmp_path, database_url=url, secret_key="x" * 40, bcrypt_rounds=4
    ).prepare()
    async with database.opened(settings, migrate=True):
        yield settings


async def postgres_shape(schema: str) -> set[tuple[str, ...]]:
    connection = Tortoise.get_connection("postgres")
    columns = await connection.execute_query_dict(
        "SELECT table_name, column_name, data_type, is_nullable, character_maximum_length, column_default "
        "FROM information_schema.columns WHERE table_schema = $1",
        [schema],
    )
    indexes = await connection.execute_query_dict(
        "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = $1", [schema]
    )
    return {
        tuple(str(value).replace(f"{schema}.", "") for value in row.values()) for row in (*columns, *indexes)
    }


async def test_migrated_postgres_equals_the_models(postgres_url: str, tmp_path: Path) -> None:
    async with on_postgres(postgres_url, tmp_path) as settings:
        assert await database.pending(settings) == []
        connection = Tortoise.get_connection(settings.dialect)
        sql = get_schema_sql(connection, safe=False)
        migrated = await postgres_shape("public")
        await connection.execute_script(f"CREATE SCHEMA fresh; SET search_path TO fresh; {sql}")
        assert migrated == await postgres_shape("fresh")


async def test_rows_of_every_kind_go_through_postgres(postgres_url: str, tmp_path: Path) -> None:
    async with on_postgres(postgres_url, tmp_path) as settings:
        user = await users.add(
            settings, email="a@b.c", password="x" * 12, display_name=None, role=Role.MEMBER
        )
        await users.update(user.id, role=Role.ADMIN)
        upload = await Upload.create(
            owner=user, filename="a", size_bytes=2**40, part_size_bytes=1, part_count=1, expires_at=now()
        )
        dataset = await Dataset.create(owner=user, upload=upload, name="d", uri="u", format=FileFormat.CSV)
        job = await Job.create(owner=user, name="j", spec={"sources": [str(dataset.id)]})
        assert (await Job.get(id=job.id)).spec == {"sources": [str(dataset.id)]}
        assert (await Upload.get(id=upload.id)).size_bytes == 2**40
        assert (await users.by_ids([user.id, new_id()]))[0] == user


def literal(kind: str) -> str:
    """SQL of a value that a column of this type takes."""
    kind = kind.upper()
    if "JSON" in kind:
        return "'{}'"
    if "INT" in kind or "REAL" in kind or "DOUBLE" in kind:
        return "1"
    if "BOOL" in kind:
        return "TRUE"
    if "TIME" in kind:
        return "'2026-01-02 03:04:05+00:00'"
    return f"'{ID}'" if kind in ("UUID", "CHAR(36)") else "'OLD'"


def described(sql: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Tables in the order in which a migration makes them, so parents first, with the columns that must be given."""
    tables = []
    for name, body in re.findall(r'CREATE TABLE (?:IF NOT EXISTS )?"(\w+)" \((.*?)\n\)', sql, re.DOTALL):
        columns = re.findall(r'^\s*"(\w+)" (\w+(?:\(\d+\))?)(.*)$', body, re.MULTILINE)
        needed = [(column, kind) for column, kind, rest in columns if "NOT NULL" in rest]
        if name != "aerich":
            tables.append((name, [each for each in needed if "SERIAL" not in each[1].upper()]))
    return tables


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"], indirect=True)
async def test_rows_of_every_earlier_migration_outlive_those_after_it(
    dialect: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = database.MIGRATIONS / dialect / database.APP
    names = sorted(
        (path.name for path in whole.glob("[0-9]*.py")), key=lambda name: int(name.partition("_")[0])
    )
    kept = tmp_path / "migrations" / dialect / database.APP
    kept.mkdir(parents=True)
    url = request.getfixturevalue("postgres").empty() if dialect == "postgres" else ""
    settings = Settings.from_environment(
        {}, data_dir=tmp_path / "data", database_url=url, secret_key="x" * 40
    ).prepare()
    written: list[str] = []
    for name in names:
        shutil.copy(whole / name, kept)
        with monkeypatch.context() as patch:
            patch.setattr(database, "MIGRATIONS", tmp_path / "migrations")
            async with database.opened(settings, migrate=False):
                applied = await database.upgrade(settings)
                assert [each.removesuffix(".py") for each in applied] == [name.removesuffix(".py")]
                connection = Tortoise.get_connection(dialect)
                for table in written:
                    (row,) = (await connection.execute_query(f'SELECT count(*) AS n FROM "{table}"'))[1]
                    assert row["n"] == 1, f"{table} after {name}"
                for table, columns in described((whole / name).read_text()):
                    given = ", ".join(f'"{column}"' for column, _ in columns)
                    values = ", ".join(literal(kind) for _, kind in columns)
                    await connection.execute_script(f'INSERT INTO "{table}" ({given}) VALUES ({values})')
                    written.append(table)
    assert {"users", "jobs", "job_tasks", "artifacts", "recipes"} <= set(written)
    async with database.opened(settings, migrate=True):
        assert await database.pending(settings) == []
        ((job_id, email),) = await Job.all().values_list("id", "owner__email")
        assert (str(job_id), email) == (ID, "OLD")
