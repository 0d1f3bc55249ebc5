"""PostgreSQL through asyncpg."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.util import greenlet_spawn

from parlour.domain.errors import Unavailable
from parlour.store.database import LOCK_WAIT_S, PROBE_WAIT_S, QUEUE_MAX, Result, Work
from parlour.store.migrations import upgrade

POOL_SIZE = 10
STATEMENT_S = 10.0
MIGRATION_LOCK = 0x5041524C4F5552
"""The advisory lock of a migration: the product's name in ASCII."""


WAIT_S = 20.0
"""How long a unit of work may take, the wait for a connection included."""

_OUR_MISTAKES = (sa.exc.DataError, sa.exc.IntegrityError, sa.exc.ProgrammingError, sa.exc.NotSupportedError)
_DRIVERS_MISTAKES = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.SyntaxOrAccessError,
    asyncpg.exceptions.UnsupportedClientFeatureError,
)
"""The same as the driver says it: wrong requests of ours, not the database's trouble."""


class Postgres:
    """A pool of connections; each unit of work runs in one greenlet, start to end."""

    def __init__(self, url: sa.URL) -> None:
        self._connect_args: dict[str, Any] = {"timeout": LOCK_WAIT_S}
        if "sslmode" in url.query:  # libpq's word; the driver's is another
            self._connect_args["ssl"] = url.query["sslmode"]
        url = url.set(query={})
        self._engine = create_async_engine(
            url,
            pool_size=POOL_SIZE,
            max_overflow=0,
            pool_timeout=LOCK_WAIT_S,
            # Every block below commits or rolls back by itself, so a returned connection is clean.
            pool_reset_on_return=None,
            connect_args={
                **self._connect_args,
                "command_timeout": STATEMENT_S,
                "server_settings": {"application_name": "parlour", "lock_timeout": f"{LOCK_WAIT_S:.0f}s"},
            },
        )
        self._sync = self._engine.sync_engine
        self._autocommit = self._sync.execution_options(isolation_level="AUTOCOMMIT", parlour_alone=True)
        self._free = asyncio.Semaphore(POOL_SIZE)
        self._kept: list[sa.Connection] = []
        self._waiting = 0
        self._refused = 0

    async def run(self, work: Work[Result]) -> Result:
        """See ``Database.run``."""
        return await self._spawn(lambda: self._alone(work))

    async def write(self, work: Work[Result]) -> Result:
        """See ``Database.write``."""
        return await self._spawn(lambda: self._alone(work))

    async def transact(self, work: Work[Result]) -> Result:
        """See ``Database.transact``."""
        return await self._spawn(lambda: self._together(work))

    async def migrate(self) -> None:
        """See ``Database.migrate``; an advisory lock makes others wait, and is let go with the transaction.

        It has a connection of its own, without a time limit: rewriting a large table takes as long as it takes.
        """

        def locked(connection: sa.Connection) -> None:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
            upgrade(connection)

        engine = create_async_engine(self._engine.url, poolclass=NullPool, connect_args=self._connect_args)
        with _told():
            async with engine.begin() as connection:
                await connection.run_sync(locked)

    async def probe(self) -> None:
        """See ``Database.probe``; a standby answers but takes no writes, so it is away too."""

        def standby(connection: sa.Connection) -> bool:
            return bool(connection.execute(sa.select(sa.func.pg_is_in_recovery())).scalar())

        try:
            async with asyncio.timeout(PROBE_WAIT_S):
                read_only = await self.run(standby)
        except TimeoutError as error:
            raise Unavailable("the database does not answer") from error
        if read_only:
            raise Unavailable("the database is read-only")

    async def close(self) -> None:
        """See ``Database.close``."""
        await greenlet_spawn(self._close_kept)
        await self._engine.dispose()

    def _close_kept(self) -> None:
        while self._kept:
            self._kept.pop().close()

    def statistics(self) -> dict[str, float]:
        """See ``Database.statistics``."""
        return {"waiting": self._waiting, "refused": self._refused}

    def _alone(self, work: Work[Result]) -> Result:
        """Run statements that stand alone on a connection kept for them: taking it from the pool costs more than a
        query."""
        connection = self._kept_connection() or self._autocommit.connect()
        try:
            result = work(connection)
            if connection.in_transaction():  # SQLAlchemy's notion; there is none at the server
                connection.rollback()
        except BaseException:
            connection.close()
            raise
        self._kept.append(connection)
        return result

    def _together(self, work: Work[Result]) -> Result:
        if self._kept:  # back to the pool, so that there is one to take
            self._kept.pop().close()
        with self._sync.begin() as connection:
            return work(connection)

    def _kept_connection(self) -> sa.Connection | None:
        while self._kept:
            connection = self._kept.pop()
            driver: Any = connection.connection.driver_connection
            if not driver.is_closed():
                return connection
            connection.invalidate()
            connection.close()
        return None

    async def _spawn(self, unit: Callable[[], Result]) -> Result:
        if self._waiting >= QUEUE_MAX:
            self._refused += 1
            raise Unavailable("too many requests wait for the database")
        self._waiting += 1
        try:
            # Waiting here costs a future; waiting in the engine's pool costs a task and a timer each.
            with _told():
                async with asyncio.timeout(WAIT_S), self._free:
                    spawned: Awaitable[Any] = greenlet_spawn(unit)
                    result: Result = await spawned
        finally:
            self._waiting -= 1
        return result


@contextmanager
def _told() -> Iterator[None]:
    """Tell the database's trouble, which is ``Unavailable``, from mistakes of ours."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        if isinstance(error, _OUR_MISTAKES) and not error.connection_invalidated:
            raise
        raise Unavailable(f"the database is not available: {error.orig}") from error
    except _DRIVERS_MISTAKES:
        raise
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Unavailable(f"the database is not available: {str(error) or type(error).__name__}") from error
