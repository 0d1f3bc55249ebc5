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
from xdist.workermanage import WorkerController

from parlour.front.app import build_app
from parlour.front.bootstrap import ensure_credentials
from parlour.front.front import utc_now
from parlour.store.database import Database, open_database
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.server import PROJECT, TOKEN, RunningServer, serving

DATABASES = ("sqlite", "postgresql")
LANES = {
    "browsers": ("tests/browser/",),
    "rooms": (
        "tests/cluster/", "tests/media/test_", "tests/media/recording/", "tests/media/transport/test_chromium.py",
        "tests/loadtest/", "tests/cli/test_loadtest.py",
    ),
    "alone": ("tests/cluster/test_overload.py", "tests/media/test_lipsync.py", "tests/media/test_lipsync_chromium.py"),
}  # fmt: skip
"""Tests of what runs in real time. Those of a lane go one after another, those that go ``alone`` at the very end."""

# How long an example takes says more about the machine than about the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


class InLanes(LoadScopeScheduling):  # type: ignore[misc]  # xdist comes without types
    """Hands tests out one by one, and those of a lane to one process."""

    def _split_scope(self, nodeid: str) -> str:
        lanes = [lane for lane, names in LANES.items() if nodeid.startswith(names)]
        return lanes[-1] if lanes else nodeid

    def _assign_work_unit(self, node: WorkerController) -> None:
        if "alone" in self.workqueue:
            self.workqueue.move_to_end("alone")
        super()._assign_work_unit(node)

    def _reschedule(self, node: WorkerController) -> None:
        others = [other for other in self.nodes if other is not node and not other.shutting_down]
        if others and list(self.workqueue) == ["alone"]:
            node.shutdown()  # the last one to have nothing else to do gets what is left
        else:
            super()._reschedule(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> InLanes:
    """Who hands out the tests, where there are several processes."""
    return InLanes(config, log)


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
