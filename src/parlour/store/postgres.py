"""PostgreSQL through asyncpg."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.util import greenlet_spawn

from parlour.domain.errors import Unavailable
from parlour.store.database import LOCK_WAIT_S, PROBE_WAIT_S, QUEUE_MAX, Result, Work
from parlour.store.migrations import upgrade
from parlour.store.prepared import InsertUnlessTaken, PreparedSelect, Values
from parlour.store.turns import Turns

POOL_SIZE = 10
STATEMENT_S = 10.0
MIGRATION_LOCK = 0x5041524C4F5552
"""The advisory lock of a migration: the product's name in ASCII."""
WAIT_S = 20.0
"""How long the wait for a connection may take, and how long the unit of work after it."""

_OUR_MISTAKES = (sa.exc.DataError, sa.exc.IntegrityError, sa.exc.ProgrammingError, sa.exc.NotSupportedError)
_DRIVERS_MISTAKES = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.SyntaxOrAccessError,
    asyncpg.exceptions.UnsupportedClientFeatureError,
)
"""The same as the driver says it: wrong requests of ours, not the database's trouble."""
_TROUBLE = (sa.exc.DBAPIError, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


@dataclass(slots=True)
class _Kept:
    """A connection in autocommit with no statement in flight, and the driver's own beneath it."""

    connection: sa.Connection
    driver: Any


class Postgres:
    """A pool of connections. A unit of work runs in one greenlet, start to end; a prepared statement in none."""

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
        # Waiting for a turn costs a future; waiting in the engine's pool costs a task and a timer each.
        self._turns = Turns(POOL_SIZE, QUEUE_MAX, WAIT_S)
        self._kept: list[_Kept] = []

    async def run(self, work: Work[Result]) -> Result:
        """See ``Database.run``."""
        return await self._spawn(lambda: self._alone(work))

    async def write(self, work: Work[Result]) -> Result:
        """See ``Database.write``."""
        return await self._spawn(lambda: self._alone(work))

    async def transact(self, work: Work[Result]) -> Result:
        """See ``Database.transact``."""
        return await self._spawn(lambda: self._together(work))

    async def first(self, query: PreparedSelect, values: Values) -> Sequence[Any] | None:
        """See ``Database.first``."""
        statement = query.compiled(self._sync.dialect)
        record = await self._direct("fetchrow", statement.sql, statement.arguments(values))
        return None if record is None else statement.row(record)

    async def insert(self, insert: InsertUnlessTaken, row: Values) -> bool:
        """See ``Database.insert``."""
        statement = insert.compiled(self._sync.dialect, row)
        status: str = await self._direct("execute", statement.sql, statement.arguments(row))
        return status == "INSERT 0 1"

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
        self._turns.close()
        await greenlet_spawn(self._close_kept)
        await self._engine.dispose()

    def statistics(self) -> dict[str, float]:
        """See ``Database.statistics``."""
        return self._turns.statistics()

    async def _direct(self, method: str, sql: str, arguments: Sequence[Any]) -> Any:
        """Have the driver run one statement. It bounds that itself (``command_timeout``)."""
        await self._turns.take()
        try:
            kept = self._pop_kept()
            if kept is None:
                kept = await _spawned(self._connect)
            try:
                result = await getattr(kept.driver, method)(sql, *arguments)
            except BaseException:
                # Cancelled, or out of time: its statement may be in flight still, so nobody else may have it.
                kept.connection.invalidate()
                kept.connection.close()
                raise
            self._kept.append(kept)
        except _TROUBLE as error:
            if not _is_trouble(error):
                raise
            raise _unavailable(error) from error
        finally:
            self._turns.give()
        return result

    async def _spawn(self, unit: Callable[[], Result]) -> Result:
        await self._turns.take()
        try:
            with _told():
                async with asyncio.timeout(WAIT_S):
                    return await _spawned(unit)
        finally:
            self._turns.give()

    def _alone(self, work: Work[Result]) -> Result:
        """Run statements that stand alone on a connection kept for them: taking it from the pool costs more than a
        query."""
        kept = self._pop_kept() or self._connect()
        connection = kept.connection
        try:
            result = work(connection)
            if connection.in_transaction():  # SQLAlchemy's notion; there is none at the server
                connection.rollback()
        except BaseException:
            connection.close()
            raise
        self._kept.append(kept)
        return result

    def _together(self, work: Work[Result]) -> Result:
        if self._kept:  # back to the pool, so that there is one to take
            self._kept.pop().connection.close()
        with self._sync.begin() as connection:
            return work(connection)

    def _connect(self) -> _Kept:
        connection = self._autocommit.connect()
        return _Kept(connection, connection.connection.driver_connection)

    def _pop_kept(self) -> _Kept | None:
        while self._kept:
            kept = self._kept.pop()
            if not kept.driver.is_closed():
                return kept
            kept.connection.invalidate()
            kept.connection.close()
        return None

    def _close_kept(self) -> None:
        while self._kept:
            self._kept.pop().connection.close()


async def _spawned(unit: Callable[[], Result]) -> Result:
    spawned: Awaitable[Any] = greenlet_spawn(unit)
    result: Result = await spawned
    return result


@contextmanager
def _told() -> Iterator[None]:
    """Tell the database's trouble, which is ``Unavailable``, from mistakes of ours."""
    try:
        yield
    except _TROUBLE as error:
        if not _is_trouble(error):
            raise
        raise _unavailable(error) from error


def _is_trouble(error: Exception) -> bool:
    if isinstance(error, sa.exc.DBAPIError):
        return error.connection_invalidated or not isinstance(error, _OUR_MISTAKES)
    return not isinstance(error, _DRIVERS_MISTAKES)


def _unavailable(error: Exception) -> Unavailable:
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    return Unavailable(f"the database is not available: {str(cause) or type(cause).__name__}")
