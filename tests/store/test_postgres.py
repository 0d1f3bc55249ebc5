"""What only PostgreSQL has: connections that are kept, lost, and not shared with those who went away."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, cast
from uuid import UUID

import asyncpg
import pytest
import sqlalchemy as sa

from parlour.domain.errors import Unavailable
from parlour.front.front import random_id, utc_now
from parlour.store.database import open_database
from parlour.store.postgres import POOL_SIZE, Postgres
from parlour.store.prepared import InsertUnlessTaken, PreparedSelect
from parlour.store.tables import projects
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.waiting import PATIENCE_S

_insert = InsertUnlessTaken(projects)
_select = PreparedSelect(sa.select(projects.c.id).where(projects.c.id == sa.bindparam("project")))


async def insert(database: Postgres) -> UUID:
    """Keep something; give its id."""
    project = random_id()
    assert await database.insert(_insert, {"id": project, "created_at": utc_now()})
    return project


async def find(database: Postgres, project: UUID) -> Any:
    """Find it again."""
    row = await database.first(_select, {"project": project})
    return row and row[0]


async def opened(url: str) -> Postgres:
    """A migrated database."""
    database = cast("Postgres", open_database(url))
    await database.migrate()
    return database


@pytest.fixture
def url(new_url: Callable[[str], str]) -> str:
    """The URL of an empty database."""
    return new_url("postgresql")


@pytest.fixture
async def postgres_database(url: str) -> AsyncIterator[Postgres]:
    """A migrated database."""
    database = await opened(url)
    yield database
    await database.close()


@pytest.fixture
async def other(url: str) -> AsyncIterator[Any]:
    """Somebody else's connection to the same database."""
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


@pytest.fixture
def mortal() -> Iterator[PostgresServer]:
    """A PostgreSQL that may die without hurting other tests."""
    with postgres_server() as server:
        yield server


async def test_statements_share_the_connections_with_units_of_work(postgres_database: Postgres, other: Any) -> None:
    made = await asyncio.gather(*(insert(postgres_database) for _ in range(5 * POOL_SIZE)))
    assert await asyncio.gather(*(find(postgres_database, project) for project in made)) == made

    def count(connection: sa.Connection) -> int:
        return connection.execute(sa.select(sa.func.count()).select_from(projects)).scalar_one()

    counts = await asyncio.gather(
        *(postgres_database.run(count) for _ in range(POOL_SIZE)),
        *(postgres_database.transact(count) for _ in range(POOL_SIZE)),
        *(find(postgres_database, project) for project in made),
    )
    assert counts == [len(made)] * 2 * POOL_SIZE + made
    ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'parlour' AND datname = current_database()"
    assert await other.fetchval(ours) <= POOL_SIZE
    assert postgres_database.statistics()["waiting"] == 0


async def blocked(other: Any, count: int) -> None:
    """Return when so many statements wait for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with asyncio.timeout(PATIENCE_S):
        while await other.fetchval(waiting) != count:
            await other.execute("SELECT pg_stat_clear_snapshot()")


@pytest.mark.parametrize("direct", [True, False])
async def test_whoever_goes_away_takes_the_connection_along(
    postgres_database: Postgres, other: Any, direct: bool
) -> None:
    made = await asyncio.gather(*(insert(postgres_database) for _ in range(2 * POOL_SIZE)))

    async def read() -> None:
        if direct:
            await find(postgres_database, made[0])
        else:
            await postgres_database.run(lambda connection: _select.first(connection, {"project": made[0]}))

    async with other.transaction():
        await other.execute("LOCK TABLE projects IN ACCESS EXCLUSIVE MODE")
        leaving = [asyncio.create_task(read()) for _ in range(3)]
        await blocked(other, 3)
        busy = len(postgres_database._kept)
        for task in leaving:
            task.cancel()
        results = await asyncio.gather(*leaving, return_exceptions=True)
        assert [type(result) for result in results] == [asyncio.CancelledError] * 3
        assert len(postgres_database._kept) == busy
    assert await asyncio.gather(*(find(postgres_database, project) for project in made)) == made
    assert postgres_database.statistics()["waiting"] == 0


async def test_a_statement_out_of_time_is_unavailable(url: str, other: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parlour.store.postgres.STATEMENT_S", 2.0)
    database = await opened(url)
    try:
        made = [await insert(database) for _ in range(3)]
        async with other.transaction():
            await other.execute("LOCK TABLE projects IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(Unavailable):
                await find(database, made[0])
        assert await asyncio.gather(*(find(database, project) for project in made)) == made
    finally:
        await database.close()


async def test_connections_that_were_cut_are_replaced(postgres_database: Postgres, other: Any) -> None:
    made = await asyncio.gather(*(insert(postgres_database) for _ in range(2 * POOL_SIZE)))
    drivers = [kept.driver for kept in postgres_database._kept]
    assert drivers
    await other.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'parlour'"
        " AND datname = current_database()"
    )
    async with asyncio.timeout(PATIENCE_S):
        while not all(driver.is_closed() for driver in drivers):
            await other.fetchval("SELECT 1")
    assert await asyncio.gather(*(find(postgres_database, project) for project in made)) == made


async def test_a_mistake_of_ours_is_not_called_unavailable(postgres_database: Postgres) -> None:
    nonsense = PreparedSelect(sa.select(sa.literal_column("nonsense")))
    with pytest.raises(asyncpg.UndefinedColumnError):
        await postgres_database.first(nonsense, {})
    await insert(postgres_database)


@pytest.mark.slow
async def test_a_server_that_dies_is_unavailable_until_it_is_back(mortal: PostgresServer) -> None:
    database = await opened(mortal.new_database())
    try:
        made = await asyncio.gather(*(insert(database) for _ in range(2 * POOL_SIZE)))
        mortal.stop("immediate")
        results = await asyncio.gather(
            *(find(database, project) for project in made),
            *(insert(database) for _ in made),
            return_exceptions=True,
        )
        assert {type(result) for result in results} == {Unavailable}
        mortal.start()
        assert await asyncio.gather(*(find(database, project) for project in made)) == made
        assert database.statistics()["waiting"] == 0
    finally:
        await database.close()
