"""Both databases behind their one interface: all or nothing, bounded, back by themselves."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from parlour.domain.errors import Unavailable
from parlour.front.front import random_id, utc_now
from parlour.store import database as limits
from parlour.store import tokens
from parlour.store.database import Database, check_database_url, open_database
from parlour.store.prepared import InsertUnlessTaken, PreparedSelect
from parlour.store.tables import projects


def add(connection: sa.Connection) -> UUID:
    """Keep something; give its id."""
    project = random_id()
    tokens.ensure_project(connection, project, utc_now())
    return project


def count(connection: sa.Connection) -> int:
    """How much is kept."""
    return connection.execute(sa.select(sa.func.count()).select_from(projects)).scalar_one()


_insert = InsertUnlessTaken(projects)
_select = PreparedSelect(
    sa.select(projects.c.id, projects.c.created_at).where(projects.c.id == sa.bindparam("project"))
)


async def insert(database: Database, project: UUID | None = None) -> bool:
    """Keep something the direct way."""
    return await database.insert(_insert, {"id": project or random_id(), "created_at": utc_now()})


async def test_one_statement_alone(database: Database) -> None:
    project, now = random_id(), utc_now()
    assert await database.first(_select, {"project": project}) is None
    assert await database.insert(_insert, {"id": project, "created_at": now})
    assert not await insert(database, project)
    assert await database.first(_select, {"project": project}) == [project, now]


async def test_a_transaction_is_all_or_nothing(database: Database) -> None:
    before = await database.run(count)

    def fail(connection: sa.Connection) -> None:
        add(connection)
        raise LookupError("after the write")

    with pytest.raises(LookupError):
        await database.transact(fail)
    assert await database.run(count) == before
    await database.transact(add)
    assert await database.run(count) == before + 1


async def test_one_failure_among_many_hurts_nobody_else(database: Database) -> None:
    before = await database.run(count)

    def fail(connection: sa.Connection) -> None:
        add(connection)
        raise LookupError

    results = await asyncio.gather(
        *(database.transact(fail if number == 7 else add) for number in range(20)), return_exceptions=True
    )
    assert [number for number, result in enumerate(results) if isinstance(result, Exception)] == [7]
    assert isinstance(results[7], LookupError)
    assert await database.run(count) == before + 19


async def test_a_mistake_of_ours_is_not_called_unavailable(database: Database) -> None:
    for way in (database.run, database.write, database.transact):
        with pytest.raises(sa.exc.DBAPIError):
            await way(lambda connection: connection.execute(sa.text("SELECT nonsense FROM nowhere")))
    await database.probe()


async def test_a_caller_that_goes_away_leaves_the_others_alone(database: Database) -> None:
    before = await database.run(count)
    leaving = asyncio.create_task(database.transact(add))
    staying = asyncio.create_task(database.transact(add))
    await asyncio.sleep(0)
    leaving.cancel()
    await staying
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert await database.run(count) in {before + 1, before + 2}


@pytest.mark.parametrize("direct", [False, True])
async def test_the_queue_is_bounded(database_url: str, monkeypatch: pytest.MonkeyPatch, direct: bool) -> None:
    for module in ("sqlite", "postgres"):
        monkeypatch.setattr(f"parlour.store.{module}.QUEUE_MAX", 5)
    assert limits.QUEUE_MAX > 5
    database = open_database(database_url)
    try:
        await database.migrate()
        attempts = [insert(database) if direct else database.write(add) for _ in range(20)]
        results = await asyncio.gather(*attempts, return_exceptions=True)
        refused = [result for result in results if isinstance(result, Unavailable)]
        assert len(refused) == 15
        assert sum(value for name, value in database.statistics().items() if name.endswith("refused")) == 15
        await database.write(add)
        assert await database.run(count) == 6
    finally:
        await database.close()


async def test_readers_cannot_write_to_sqlite(database: Database, backend: str) -> None:
    if backend == "sqlite":
        with pytest.raises(Unavailable, match="readonly"):
            await database.run(add)


async def test_writers_share_commits(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/shared.sqlite3")
    try:
        await database.migrate()
        before = database.statistics()
        await asyncio.gather(*(database.write(add) for _ in range(200)))
        after = database.statistics()
        assert after["writer_done"] - before["writer_done"] == 200
        assert after["writer_batches"] - before["writer_batches"] < 50
    finally:
        await database.close()


def move(path: Path, to: Path) -> None:
    """Move a SQLite database with its companions."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").rename(f"{to}{suffix}")


async def test_a_removed_file_is_noticed_and_a_restored_one_taken_up(tmp_path: Path) -> None:
    path = tmp_path / "gone.sqlite3"
    database = open_database(f"sqlite:///{path}")
    try:
        await database.migrate()
        kept = await database.write(add)
        await database.transact(lambda connection: None)
        aside = tmp_path / "aside"
        move(path, aside)
        for attempt in (database.write(add), database.run(count), database.probe()):
            with pytest.raises(Unavailable, match="gone"):
                await attempt
        move(aside, path)
        await database.probe()
        assert await database.run(count) == 1
        await database.write(add)
        assert await database.run(lambda connection: tokens.first_project(connection)) == kept
    finally:
        await database.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "sqlite:///path"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("mysql://localhost/x", "mysql is not supported"),
        ("postgresql://localhost/x?target_session_attrs=any", "sslmode"),
    ],
)
def test_bad_urls_are_refused_in_words(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_database_url(url)


async def test_a_host_that_does_not_answer_is_unavailable() -> None:
    database = open_database("postgresql://postgres@127.0.0.1:1/nothing")
    try:
        for attempt in (database.run(count), database.probe(), database.migrate()):
            with pytest.raises(Unavailable):
                await attempt
    finally:
        await database.close()


@pytest.mark.parametrize(("mode", "works"), [("disable", True), ("prefer", True), ("require", False)])
async def test_sslmode_as_libpq_spells_it(new_url: Callable[[str], str], mode: str, works: bool) -> None:
    database = open_database(f"{new_url('postgresql')}?sslmode={mode}")
    try:
        if works:
            await database.migrate()
            await database.probe()
        else:
            for attempt in (database.migrate(), database.probe()):
                with pytest.raises(Unavailable, match="SSL"):
                    await attempt
    finally:
        await database.close()
