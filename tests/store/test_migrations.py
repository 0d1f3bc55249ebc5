"""The schema's history leads from every revision to the newest, once, whoever starts."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from parlour.store.database import open_database
from parlour.store.migrations import SchemaTooNew, script, upgrade
from parlour.store.tables import metadata

REVISIONS = [revision.revision for revision in ScriptDirectory.from_config(script()).walk_revisions()]


def differences(connection: sa.Connection) -> list[object]:
    """What the tables in the code have other than the tables in the database."""
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


def current(connection: sa.Connection) -> str | None:
    """The revision that the database is at."""
    return MigrationContext.configure(connection).get_current_revision()


@pytest.mark.parametrize("revision", ["base", *REVISIONS])
async def test_forward_from_every_revision(database_url: str, revision: str) -> None:
    database = open_database(database_url)
    try:
        if database_url.startswith("sqlite"):
            await database.migrate()  # makes the file; what follows goes back to the beginning
            await database.transact(lambda connection: _drop_all(connection))
        if revision != "base":
            await database.transact(lambda connection: upgrade(connection, revision))
            assert await database.run(current) == revision
        await database.migrate()
        assert await database.run(current) == REVISIONS[0]
        assert await database.run(differences) == []
    finally:
        await database.close()


def _drop_all(connection: sa.Connection) -> None:
    found = sa.MetaData()
    found.reflect(connection)
    found.drop_all(connection)


async def test_many_start_together(database_url: str) -> None:
    databases = [open_database(database_url) for _ in range(6)]
    try:
        await asyncio.gather(*(database.migrate() for database in databases))
        assert await databases[0].run(current) == REVISIONS[0]
    finally:
        for database in databases:
            await database.close()


async def test_a_file_that_somebody_else_is_making_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "new.sqlite3"
    maker = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    maker.execute("BEGIN IMMEDIATE")  # with which SQLite refuses to switch to WAL mode, and does not wait
    database = open_database(f"sqlite:///{path}")
    migrating = asyncio.create_task(database.migrate())
    try:
        _, still = await asyncio.wait({migrating}, timeout=0.3)
        assert still, "it did not wait"
        maker.execute("COMMIT")
        await migrating
        assert await database.run(current) == REVISIONS[0]
    finally:
        maker.close()
        await database.close()


async def test_a_newer_schema_is_refused_in_words(backend: str, new_url: Callable[[str], str]) -> None:
    database = open_database(new_url(backend))
    try:
        await database.migrate()
        await database.transact(
            lambda connection: connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
        )
        with pytest.raises(SchemaTooNew, match="newer Parlour"):
            await database.migrate()
    finally:
        await database.close()


async def test_a_failed_migration_leaves_nothing_behind(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    database = open_database(database_url)

    def interrupted(connection: sa.Connection) -> None:
        upgrade(connection)
        raise RuntimeError("power cut")

    for module in ("sqlite", "postgres"):
        monkeypatch.setattr(f"parlour.store.{module}.upgrade", interrupted)
    try:
        with pytest.raises(RuntimeError, match="power cut"):
            await database.migrate()
        tables = await database.run(lambda connection: sa.inspect(connection).get_table_names())
        assert tables == []
    finally:
        await database.close()
