"""The floor: the least that a server in Python can do for a request that reads or writes one room.

A bare Starlette handler on the same HTTP server, the same tables, the same driver: JSON in, one statement, JSON out.
No authentication, no checks, no log. ``python -m benchmarks.floor URL`` prints its port once it listens; the database
of the URL has its tables already.

On SQLite there is a thread for writing and one for reading, and each statement is one trip to its thread and its own
transaction; on PostgreSQL a pool of asyncpg connections.
"""

import asyncio
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import orjson
import uvicorn
import uvloop
from sqlalchemy.engine import make_url
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tests.support.server import PROJECT

from benchmarks.load import PATH
from parlour.domain.identity import time_ordered_id
from parlour.store.postgres import POOL_SIZE
from parlour.store.tables import rooms

COLUMNS = tuple(str(column.name) for column in rooms.columns)
LIST_SIZE = 50
DEFAULTS: dict[str, Any] = {
    "slug_number": 1,
    "description": "",
    "join_from": None,
    "join_until": None,
    "max_members": 20,
    "quality": "720p",
    "fps": 30,
    "remove_at": None,
    "remove_after_seconds_elapsed": None,
    "layout": "grid-responsive",
    "record_on_start": False,
    "enable_room_previews": False,
    "sync_audio_video": None,
    "tone_on_entry_and_exit": True,
    "room_join_video_off": False,
    "user_join_video_off": False,
    "prioritize_handraise": False,
}

Row = Sequence[Any]


class Driver(Protocol):
    """The three statements."""

    async def insert(self, row: Row) -> None:
        """Keep a row; it is durable when this returns."""

    async def get(self, key: str) -> Row:
        """Read the row of an id."""

    async def newest(self) -> Sequence[Row]:
        """Read the newest rows."""


class Sqlite:
    """The standard library's sqlite3, a thread for each of two connections."""

    def __init__(self, path: str) -> None:
        columns, places = ", ".join(COLUMNS), ", ".join("?" * len(COLUMNS))
        self._insert = f"INSERT INTO rooms ({columns}) VALUES ({places})"
        self._get = f"SELECT {columns} FROM rooms WHERE id = ?"
        self._newest = f"SELECT {columns} FROM rooms ORDER BY id DESC LIMIT {LIST_SIZE}"
        self._writer, self._reader = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        self._writing, self._reading = (_connect(path) for _ in range(2))

    async def insert(self, row: Row) -> None:
        """See ``Driver.insert``."""
        values = [_plain(value) for value in row]
        await self._on(self._writer, lambda: self._writing.execute(self._insert, values))

    async def get(self, key: str) -> Row:
        """See ``Driver.get``."""
        name = UUID(key).hex
        found: Row = await self._on(self._reader, lambda: self._reading.execute(self._get, (name,)).fetchone())
        return found

    async def newest(self) -> Sequence[Row]:
        """See ``Driver.newest``."""
        found: list[Row] = await self._on(self._reader, lambda: self._reading.execute(self._newest).fetchall())
        return found

    async def _on(self, thread: ThreadPoolExecutor, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(thread, work)


class Postgres:
    """A pool of asyncpg connections. They are not reset between requests: that would be a second statement."""

    def __init__(self, pool: Any) -> None:
        columns, places = ", ".join(COLUMNS), ", ".join(f"${number + 1}" for number in range(len(COLUMNS)))
        self._insert = f"INSERT INTO rooms ({columns}) VALUES ({places})"
        self._get = f"SELECT {columns} FROM rooms WHERE id = $1"
        self._newest = f"SELECT {columns} FROM rooms ORDER BY id DESC LIMIT {LIST_SIZE}"
        self._pool = pool

    async def insert(self, row: Row) -> None:
        """See ``Driver.insert``."""
        await self._pool.execute(self._insert, *row)

    async def get(self, key: str) -> Row:
        """See ``Driver.get``."""
        found: Row = await self._pool.fetchrow(self._get, UUID(key))
        return found

    async def newest(self) -> Sequence[Row]:
        """See ``Driver.newest``."""
        found: list[Row] = await self._pool.fetch(self._newest)
        return found


async def _no_reset(_connection: Any) -> None:
    """Leave a connection as it is."""


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _plain(value: Any) -> Any:
    match value:
        case UUID():
            return value.hex
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M:%S.%f")
        case _:
            return value


def _row(given: Mapping[str, Any]) -> dict[str, Any]:
    now = datetime.now(UTC)
    name = given["name"]
    return DEFAULTS | {
        "id": time_ordered_id(time.time_ns(), int.from_bytes(os.urandom(10), "big")),
        "project_id": UUID(PROJECT),
        "room_id": UUID(bytes=os.urandom(16), version=4),
        "address_id": UUID(bytes=os.urandom(16), version=4),
        "address_name": name,
        "slug": name,
        "created_at": now,
        "updated_at": now,
        **given,
        "meta": orjson.dumps(given.get("meta", {})).decode(),
    }


def _answer(found: Any) -> Response:
    return Response(orjson.dumps(found, default=str), media_type="application/json")


def application(driver: Driver) -> Starlette:
    """The three handlers over a driver."""

    async def create(request: Request) -> Response:
        row = _row(orjson.loads(await request.body()))
        await driver.insert([row[name] for name in COLUMNS])
        return _answer(row)

    async def get(request: Request) -> Response:
        row = await driver.get(request.path_params["id"])
        return _answer(dict(zip(COLUMNS, row, strict=True)))

    async def newest(_request: Request) -> Response:
        return _answer([dict(zip(COLUMNS, row, strict=True)) for row in await driver.newest()])

    return Starlette(
        routes=[
            Route(PATH, create, methods=["POST"]),
            Route(PATH, newest),
            Route(f"{PATH}/{{id}}", get),
        ]
    )


async def serve(url: str) -> None:
    """Serve until killed."""
    parsed = make_url(url)
    driver: Driver
    if parsed.get_backend_name() == "sqlite":
        driver = Sqlite(parsed.database or "")
    else:
        driver = Postgres(await asyncpg.create_pool(url, min_size=POOL_SIZE, max_size=POOL_SIZE, reset=_no_reset))
    config = uvicorn.Config(
        application(driver),
        host="127.0.0.1",
        port=0,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
    listener = config.bind_socket()
    print(listener.getsockname()[1], flush=True)
    await uvicorn.Server(config).serve([listener])


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
