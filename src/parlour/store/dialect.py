"""The one place where the two databases' SQL differs."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

_INSERT: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


class InsertUnlessTaken:
    """An insert that does nothing where a unique key is taken; safe inside a transaction that goes on."""

    def __init__(self, table: sa.Table) -> None:
        self._statements = {name: insert(table).on_conflict_do_nothing() for name, insert in _INSERT.items()}

    def __call__(self, connection: sa.Connection, row: dict[str, Any]) -> bool:
        """Insert ``row``; whether it went in."""
        return connection.execute(self._statements[connection.dialect.name], row).rowcount == 1
