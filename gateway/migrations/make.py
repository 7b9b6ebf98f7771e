"""`python -m gateway.migrations.make NAME`: writes what the models need that the migrations lack, for both databases.

Reads and writes files only. Look at what it wrote: aerich can't alter a column on SQLite, and a new NOT NULL column needs a default.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from aerich import Command
from aerich.migrate import Migrate
from tortoise import Tortoise

from gateway.database import APP, MIGRATIONS, tortoise_config
from gateway.settings import Settings

URLS = {"sqlite": "", "postgres": "postgres://nobody@127.0.0.1:1/none"}


async def make(dialect: str, name: str) -> str:
    """The name of the new file, or empty when there is nothing to write."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), database_url=URLS[dialect], secret_key="-" * 32)
        location = MIGRATIONS / dialect
        # aerich keeps what it found on its class: the next dialect would get the SQL of the one before, too.
        for way in ("upgrade", "downgrade"):
            for kept in (f"{way}_operators", f"_{way}_fk_m2m_index_operators", f"_{way}_m2m"):
                getattr(Migrate, kept).clear()
        command = Command(tortoise_config(settings), app=APP, location=str(location))
        try:
            if not any((location / APP).glob("[0-9]*.py")):
                await command.init_migrations(safe=False)
                return "the first"
            await command.init(offline=True)
            return await command.migrate(name, no_input=True, offline=True) or ""
        finally:
            await Tortoise.close_connections()


if __name__ == "__main__":
    for dialect in URLS:
        print(f"{dialect}: {asyncio.run(make(dialect, sys.argv[1])) or 'nothing to do'}")
