"""The two databases behind one interface.

Everything the store does is a plain function over a SQLAlchemy ``Connection``; a ``Database`` decides where it runs:
on PostgreSQL in a greenlet over asyncpg, on SQLite in a thread that owns the connection (``sqlite.py``). The two
statements that nearly every request is made of have ways of their own, ``first`` and ``insert``.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from parlour.store.prepared import InsertUnlessTaken, PreparedSelect, Values

Result = TypeVar("Result")
Work = Callable[[sa.Connection], Result]

LOCK_WAIT_S = 5.0
"""How long a statement waits for somebody else's lock."""
PROBE_WAIT_S = 2.0
"""How long a health probe waits for an answer."""
QUEUE_MAX = 1024
"""Units of work that may wait for a connection; one more is refused."""


class Database(Protocol):
    """A place to run the store's functions. Everything raises ``Unavailable`` while the database is away."""

    async def run(self, work: Work[Result]) -> Result:
        """Run statements that each stand alone; reads above all."""

    async def write(self, work: Work[Result]) -> Result:
        """Run writes that each stand alone: each statement is durable when it returns."""

    async def transact(self, work: Work[Result]) -> Result:
        """Run writes that belong together: all durable when it returns, none when ``work`` raises."""

    async def first(self, query: PreparedSelect, values: Values) -> Sequence[Any] | None:
        """The first row of a query that stands alone, if any; the cheapest way to read one."""

    async def insert(self, insert: InsertUnlessTaken, row: Values) -> bool:
        """Insert a row by itself, durable when this returns; whether it went in. The cheapest way to write one."""

    async def migrate(self) -> None:
        """Bring the schema to the newest revision, once, however many processes start together."""

    async def probe(self) -> None:
        """Return when a write could be made just now."""

    async def close(self) -> None:
        """Finish what was begun and let go."""

    def statistics(self) -> dict[str, float]:
        """Figures for ``/metrics``."""


def open_database(url: str) -> Database:
    """Open the database of a URL: ``sqlite:///path`` or ``postgresql://user:password@host/name``.

    Nothing is connected yet. Raises ``ValueError`` for any other kind.
    """
    from parlour.store.postgres import Postgres
    from parlour.store.sqlite import Sqlite

    parsed = check_database_url(url)
    return Sqlite(parsed) if parsed.get_backend_name() == "sqlite" else Postgres(parsed)


def check_database_url(url: str) -> sa.URL:
    """Read a database's URL. Raises ``ValueError`` with a sentence when it cannot be one of ours."""
    try:
        parsed = make_url(url)
    except sa.exc.ArgumentError:
        raise ValueError("must be sqlite:///path or postgresql://user:password@host/name") from None
    match parsed.get_backend_name():
        case "sqlite" if not parsed.database or parsed.database == ":memory:":
            raise ValueError("SQLite needs a file: sqlite:///path")
        case "sqlite":
            return parsed.set(drivername="sqlite")
        case "postgresql" | "postgres" if set(parsed.query) - {"sslmode"}:
            raise ValueError("the only parameter that a PostgreSQL URL may carry is sslmode")
        case "postgresql" | "postgres":
            return parsed.set(drivername="postgresql+asyncpg")
        case other:
            raise ValueError(f"{other} is not supported; use sqlite:///path or postgresql://user:password@host/name")
