"""What every test can ask for: both databases, the application over each, a running server."""

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from parlour.front.app import build_app
from parlour.front.bootstrap import ensure_credentials
from parlour.front.front import utc_now
from parlour.store.database import Database, open_database
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.server import PROJECT, TOKEN, RunningServer, serving

DATABASES = ("sqlite", "postgresql")
REAL_TIME = ("tests/browser/", "tests/cluster/", "tests/media/", "tests/loadtest/", "tests/cli/test_loadtest.py")
"""Tests of what runs in real time. They go one after another, in one of the two processes that ``make test`` has."""

# How long an example takes says more about the machine than about the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


class RealTimeTogether(LoadScopeScheduling):  # type: ignore[misc]  # xdist comes without types
    """Hands tests out one by one, and those of what runs in real time to one process alone."""

    def _split_scope(self, nodeid: str) -> str:
        return "real time" if nodeid.startswith(REAL_TIME) else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> RealTimeTogether:
    """Who hands out the tests, where there are several processes."""
    return RealTimeTogether(config, log)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One real PostgreSQL for the whole run."""
    with postgres_server() as server:
        yield server


@pytest.fixture(params=DATABASES)
def backend(request: pytest.FixtureRequest) -> str:
    """The name of each database in turn."""
    name: str = request.param
    return name


@pytest.fixture
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Makes URLs of empty databases, which are gone after the test."""
    made: list[str] = []

    def make(backend: str) -> str:
        if backend == "sqlite":
            return f"sqlite:///{tmp_path}/{next(numbers)}.sqlite3"
        made.append(request.getfixturevalue("postgres").new_database())
        return made[-1]

    numbers = itertools.count()
    yield make
    for url in made:
        request.getfixturevalue("postgres").drop_database(url)


@pytest.fixture
def database_url(backend: str, new_url: Callable[[str], str]) -> str:
    """The URL of an empty database of each kind."""
    return new_url(backend)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A migrated database of each kind, with one project."""
    database = open_database(database_url)
    await database.migrate()
    await database.transact(lambda connection: ensure_credentials(connection, UUID(PROJECT), TOKEN, utc_now()))
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture
async def api(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """The application over each database, called as an authenticated client calls it."""
    transport = httpx.ASGITransport(build_app(database))
    async with httpx.AsyncClient(transport=transport, base_url="http://parlour.test", auth=(PROJECT, TOKEN)) as client:
        yield client


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[RunningServer]:
    """A running ``parlour serve`` over each database."""
    with serving(tmp_path / "server", PARLOUR_DATABASE_URL=database_url) as running:
        yield running
