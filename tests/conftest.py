"""What every test can ask for: both databases, the application over each, a running server."""

import asyncio
import functools
import inspect
import itertools
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
import xdist
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from parlour.front.app import build_app
from parlour.front.bootstrap import ensure_credentials
from parlour.front.front import utc_now
from parlour.store.database import Database, open_database
from parlour.store.tables import metadata
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.server import PROJECT, TOKEN, RunningServer, serving

DATABASES = ("sqlite", "postgresql")
REAL_TIME = (
    "tests/media/test_", "tests/media/recording/", "tests/media/transport/test_chromium.py",
    "tests/media/transport/test_peer_connection.py", "tests/loadtest/test_peer.py", "tests/cluster/test_recording.py",
    "tests/browser/test_live.py", "tests/browser/test_sdk.py",
)  # fmt: skip
"""Tests of what runs in real time. They go one after another in one process; everything else makes way for them."""
WAITING = ("tests/cluster/", "tests/bus/", "tests/front/test_life.py")
"""Tests that mostly wait: for a lease to run out, for somebody to come back. They go on beside the others."""
ALONE = "tests/cluster/test_overload.py"
"""One test, which has the machine for itself, at the very end."""
BROWSERS = "tests/browser/"
"""Tests with browsers come late and two at a time: more would only slow each other down."""
NICE = 7
"""Of what keeps no real time. Pictures are made at 5, so that sound goes first: they still come before this.

At 10 a server took minutes to start beside a room with four browsers on a machine that is half as fast as most.
"""
LONGEST_S = 300.0
"""No test takes longer. One that hangs is cut off where it does, so that it can be seen."""

# How long an example takes says more about the machine than about the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


class RealTimeTogether(LoadScopeScheduling):  # type: ignore[misc]  # xdist comes without types
    """Hands tests out one by one, but those of what runs in real time to one process, those that wait to another."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(ALONE):
            return ALONE
        return "real time" if nodeid.startswith(REAL_TIME) else "waiting" if nodeid.startswith(WAITING) else nodeid

    def remove_node(self, node: WorkerController) -> str | None:
        crashed: str | None = super().remove_node(node)
        for other in self.nodes:
            self._reschedule(other)
        return crashed

    def _reschedule(self, node: WorkerController) -> None:
        others = [other for other in self.nodes if other is not node]
        at_work = [other for other in others if not other.shutting_down]
        work, coming = self.assigned_work[node], next(iter(self.workqueue), "")
        third = coming.startswith(BROWSERS) and "waiting" in work and len(at_work) > 1
        if not others or not (coming == ALONE or third):
            super()._reschedule(node)
        elif at_work and self._pending_of(work) <= 1:
            node.shutdown()  # the last one stays, and gets what goes alone once the others are gone


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> RealTimeTogether:
    """Who hands out the tests, where there are several processes."""
    return RealTimeTogether(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put browsers late, and at the very end what goes alone: single tests are handed out in their order."""
    items.sort(key=lambda item: (item.nodeid.startswith(ALONE), item.nodeid.startswith(BROWSERS)))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Without real time to keep, a process leaves the processor to the others, from its first such test on."""
    niceness = os.getpriority(os.PRIO_PROCESS, 0)
    if xdist.is_xdist_worker(item) and not item.nodeid.startswith(REAL_TIME) and niceness < NICE:
        os.nice(NICE - niceness)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Cut a test off that waits for ever."""
    if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
        item.obj = _bounded(item.obj)


def _bounded(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    @functools.wraps(test)
    async def run(*arguments: Any, **named: Any) -> None:
        async with asyncio.timeout(LONGEST_S):
            await test(*arguments, **named)

    return run


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
    """Gives URLs of empty databases, each for this test only."""
    made: list[str] = []

    def make(backend: str) -> str:
        if backend == "sqlite":
            return f"sqlite:///{tmp_path}/{next(numbers)}.sqlite3"
        made.append(request.getfixturevalue("postgres").new_database())
        return made[-1]

    numbers = itertools.count()
    yield make
    for url in made:
        request.getfixturevalue("postgres").give_back(url)


@pytest.fixture
def database_url(backend: str, new_url: Callable[[str], str]) -> str:
    """The URL of an empty database of each kind."""
    return new_url(backend)


@pytest.fixture(scope="session")
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Path], str]:
    """Gives URLs of migrated databases: of SQLite a copy, of PostgreSQL always the same."""

    @functools.cache
    def made(backend: str) -> str:
        file = tmp_path_factory.mktemp("prepared") / "database.sqlite3"
        url = f"sqlite:///{file}" if backend == "sqlite" else request.getfixturevalue("postgres").new_database()
        asyncio.run(_migrate(url))
        return str(url)

    def prepare(backend: str, folder: Path) -> str:
        url = made(backend)
        if backend != "sqlite":
            return url
        return f"sqlite:///{shutil.copy(url.removeprefix('sqlite:///'), folder / 'prepared.sqlite3')}"

    return prepare


async def _migrate(url: str) -> None:
    database = open_database(url)
    await database.migrate()
    await database.close()


@pytest.fixture
def prepared_url(backend: str, prepared: Callable[[str, Path], str], tmp_path: Path) -> str:
    """The URL of what ``database`` is."""
    return prepared(backend, tmp_path)


@pytest.fixture
async def database(prepared_url: str) -> AsyncIterator[Database]:
    """A migrated database of each kind, with one project."""

    def begin(connection: sa.Connection) -> None:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
        ensure_credentials(connection, UUID(PROJECT), TOKEN, utc_now())

    database = open_database(prepared_url)
    await database.transact(begin)
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
