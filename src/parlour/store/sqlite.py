"""SQLite in threads of its own, with commits shared by whoever waits.

One thread owns the writing connection, one the reading connection. A unit of work crosses to its thread and back once,
however many statements it has. Writers that arrive while a commit is on its way to the disk wait together and share
the next one, so many connections cost few disk flushes.
"""

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import NullPool

from parlour.domain.errors import Unavailable
from parlour.store.database import LOCK_WAIT_S, PROBE_WAIT_S, QUEUE_MAX, Result, Work
from parlour.store.migrations import upgrade
from parlour.store.prepared import InsertUnlessTaken, PreparedSelect, Values

BATCH_MAX = 64
"""Units that share one commit."""
LOCK_LOOK_S = 0.01
"""How often a lock is looked at that SQLite does not wait for."""


@dataclass(frozen=True, slots=True)
class _Unit:
    work: Work[Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class _Outcome:
    unit: _Unit
    result: Any = None
    error: Exception | None = None

    def deliver(self) -> None:
        if self.unit.future.done():  # its caller went away; the work is done all the same
            return
        if self.error is None:
            self.unit.future.set_result(self.result)
        else:
            self.unit.future.set_exception(self.error)


class Lane:
    """A thread that owns one connection and runs units of work in the order they came."""

    def __init__(self, name: str, connect: Callable[[], sa.Connection], alive: Callable[[sa.Connection], None]) -> None:
        self._connect = connect
        self._alive = alive
        self._connection: sa.Connection | None = None
        self._units: queue.SimpleQueue[_Unit | None] = queue.SimpleQueue()
        self._waiting = 0
        self._refused = 0
        self._batches = 0
        self._done = 0
        self._thread = threading.Thread(target=self._live, name=f"parlour-{name}", daemon=True)
        self._thread.start()

    async def submit(self, work: Work[Result]) -> Result:
        """Run ``work`` on the lane. Raises ``Unavailable`` when too many wait already."""
        if self._waiting >= QUEUE_MAX:
            self._refused += 1
            raise Unavailable("too many requests wait for the database")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._waiting += 1
        self._units.put(_Unit(work, loop, future))
        try:
            return await future
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """Run what waits, then end the thread."""
        self._units.put(None)
        await asyncio.to_thread(self._thread.join)

    def statistics(self) -> dict[str, float]:
        """Counts since the start; ``batches`` of ``done`` units, for writers the number of commits."""
        return {
            "waiting": self._waiting,
            "refused": self._refused,
            "batches": self._batches,
            "done": self._done,
        }

    def _live(self) -> None:
        running = True
        while running:
            batch = []
            unit = self._units.get()
            while unit is not None:
                batch.append(unit)
                if len(batch) == BATCH_MAX:
                    break
                try:
                    unit = self._units.get_nowait()
                except queue.Empty:
                    break
            else:
                running = False
            if batch:
                self._batches += 1
                self._done += len(batch)
                _deliver(self._outcomes(batch))
        self._drop()

    def _outcomes(self, batch: list[_Unit]) -> list[_Outcome]:
        try:
            return self._together(batch)
        except Exception as error:  # noqa: BLE001 - each unit's error goes to its own caller below
            if len(batch) == 1:
                return [_Outcome(batch[0], error=self._explained(error))]
        return [outcome for unit in batch for outcome in self._outcomes([unit])]

    def _together(self, batch: list[_Unit]) -> list[_Outcome]:
        """Run a batch under one transaction. Units read and write the database and nothing else, so after a failure
        the batch can be run again, one by one."""
        connection = self._connection
        if connection is None:
            connection = self._connection = self._connect()
        with connection.begin():
            outcomes = [_Outcome(unit, unit.work(connection)) for unit in batch]
            self._alive(connection)
        return outcomes

    def _explained(self, error: Exception) -> Exception:
        if isinstance(error, Unavailable):
            self._drop()
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        if not isinstance(cause, sqlite3.Error) or _is_mistake(cause):
            return error
        self._drop()
        away = Unavailable(f"the database is not available: {cause}")
        away.__cause__ = error
        return away

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sa.exc.SQLAlchemyError):  # it is of no more use, whatever it says
                connection.close()


def _deliver(outcomes: list[_Outcome]) -> None:
    """Hand results to the event loop in one wake-up."""

    def hand_over() -> None:
        for outcome in outcomes:
            outcome.deliver()

    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
        outcomes[0].unit.loop.call_soon_threadsafe(hand_over)


class Sqlite:
    """A SQLite file in WAL mode: one writer, one reader."""

    def __init__(self, url: sa.URL) -> None:
        self._path = Path(url.database or "")
        engine = sa.create_engine(
            url, poolclass=NullPool, connect_args={"timeout": LOCK_WAIT_S, "check_same_thread": False}
        )
        sa.event.listen(engine, "connect", _prepare)
        sa.event.listen(engine, "begin", _begin)
        self._engine = engine
        self._writer = Lane("writer", self._connect_writer, self._still_there)
        self._reader = Lane("reader", self._connect_reader, self._still_there)

    async def run(self, work: Work[Result]) -> Result:
        """See ``Database.run``; the connection refuses writes."""
        return await self._reader.submit(work)

    async def write(self, work: Work[Result]) -> Result:
        """See ``Database.write``."""
        return await self._writer.submit(work)

    async def transact(self, work: Work[Result]) -> Result:
        """See ``Database.transact``."""
        return await self._writer.submit(work)

    async def first(self, query: PreparedSelect, values: Values) -> Sequence[Any] | None:
        """See ``Database.first``."""
        return await self._reader.submit(lambda connection: query.first(connection, values))

    async def insert(self, insert: InsertUnlessTaken, row: Values) -> bool:
        """See ``Database.insert``."""
        return await self._writer.submit(lambda connection: insert(connection, row))

    async def migrate(self) -> None:
        """See ``Database.migrate``; the transaction itself is the lock, for a SQLite file has one writer."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._path.touch(mode=0o600)
        except OSError as error:
            raise Unavailable(f"the database file {self._path} cannot be made: {error.strerror}") from error
        await self.transact(upgrade)

    async def probe(self) -> None:
        """See ``Database.probe``: takes the write lock for a moment."""
        try:
            async with asyncio.timeout(PROBE_WAIT_S):
                await self._writer.submit(lambda connection: None)
        except TimeoutError as error:
            raise Unavailable("the database is locked") from error

    async def close(self) -> None:
        """See ``Database.close``."""
        await self._writer.close()
        await self._reader.close()

    def statistics(self) -> dict[str, float]:
        """See ``Database.statistics``."""
        lanes = {"writer": self._writer, "reader": self._reader}
        return {f"{name}_{key}": value for name, lane in lanes.items() for key, value in lane.statistics().items()}

    def _connect_writer(self) -> sa.Connection:
        return self._connect("BEGIN IMMEDIATE")

    def _connect_reader(self) -> sa.Connection:
        connection = self._connect("BEGIN")
        with connection.begin():
            connection.exec_driver_sql("PRAGMA query_only = ON")
        return connection

    def _connect(self, begin: str) -> sa.Connection:
        inode = self._inode()  # first, or SQLite would make a new, empty file and answer from that
        connection = self._engine.connect().execution_options(parlour_begin=begin)
        connection.info["inode"] = inode
        return connection

    def _still_there(self, connection: sa.Connection) -> None:
        """Refuse to acknowledge what went into a file that somebody removed or replaced."""
        if self._inode() != connection.info["inode"]:
            raise Unavailable(f"the database file {self._path} was replaced")

    def _inode(self) -> int:
        try:
            return self._path.stat().st_ino
        except OSError as error:
            raise Unavailable(f"the database file {self._path} is gone: {error.strerror}") from error


def _is_mistake(error: sqlite3.Error) -> bool:
    """Whether an error is ours. The classes do not tell: wrong SQL has the same as a full disk."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISUSE)
    return code & 0xFF in {
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_MISMATCH,
        sqlite3.SQLITE_MISUSE,
        sqlite3.SQLITE_RANGE,
        sqlite3.SQLITE_TOOBIG,
    }


def _prepare(connection: DBAPIConnection, _record: object) -> None:
    # Autocommit as far as the driver knows: transactions are ours to begin (`_begin`).
    cast("Any", connection).isolation_level = None
    cursor = connection.cursor()
    _use_wal(cursor)
    for pragma in ("synchronous = FULL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _use_wal(cursor: Any) -> None:
    """Switch to WAL mode. While another process does so, SQLite refuses at once, whatever time it is given to wait."""
    give_up = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= give_up:
                raise
            time.sleep(LOCK_LOOK_S)
        else:
            return


def _begin(connection: sa.Connection) -> None:
    # By the driver itself, for it runs with every batch: through SQLAlchemy it takes longer than a query does.
    driver: Any = connection.connection.driver_connection
    driver.execute(connection.get_execution_options()["parlour_begin"])
