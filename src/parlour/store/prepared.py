"""Statements that run with every request, compiled once.

SQLAlchemy composes them, then they are handed to the driver itself: the machinery between costs several times what the
query does, and a single statement needs none of it. Only inside a transaction on PostgreSQL they go the usual way,
because there the transaction is SQLAlchemy's to begin.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.util import await_only

_INSERT: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}

Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement as the driver takes it, with what each value passes through on its way in and out."""

    sql: str
    binds: tuple[tuple[str, Convert | None], ...]
    results: tuple[Convert | None, ...]

    @classmethod
    def of(cls, statement: Any, dialect: sa.Dialect, keys: Sequence[str] | None = None) -> "_Compiled":
        compiled = statement.compile(dialect=dialect, column_keys=keys)
        names = compiled.positiontup or ()
        types = [compiled.binds[name].type.dialect_impl(dialect) for name in names]
        selected = statement.selected_columns if isinstance(statement, sa.Select) else ()
        return cls(
            str(compiled),
            tuple((name, kind.bind_processor(dialect)) for name, kind in zip(names, types, strict=True)),
            tuple(column.type.dialect_impl(dialect).result_processor(dialect, None) for column in selected),
        )

    def arguments(self, values: dict[str, Any]) -> list[Any]:
        return [values[name] if convert is None else convert(values[name]) for name, convert in self.binds]

    def row(self, record: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(
            value if convert is None else convert(value) for value, convert in zip(record, self.results, strict=True)
        )


class PreparedSelect:
    """A query for one row."""

    def __init__(self, statement: sa.Select[Any]) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def first(self, connection: sa.Connection, values: dict[str, Any]) -> Sequence[Any] | None:
        """The first row, if any."""
        if _in_transaction_of_sqlalchemy(connection):
            return connection.execute(self._statement, values).first()
        name = connection.dialect.name
        compiled = self._compiled.get(name)
        if compiled is None:
            compiled = self._compiled[name] = _Compiled.of(self._statement, connection.dialect)
        record = _FIRST[name](connection, compiled.sql, compiled.arguments(values))
        return None if record is None else compiled.row(record)


class InsertUnlessTaken:
    """An insert that does nothing where a unique key is taken; safe inside a transaction that goes on.

    Every row has the same keys.
    """

    def __init__(self, table: sa.Table) -> None:
        self._statements = {name: insert(table).on_conflict_do_nothing() for name, insert in _INSERT.items()}
        self._compiled: dict[str, _Compiled] = {}

    def __call__(self, connection: sa.Connection, row: dict[str, Any]) -> bool:
        """Insert ``row``; whether it went in."""
        name = connection.dialect.name
        statement = self._statements[name]
        if _in_transaction_of_sqlalchemy(connection):
            return bool(connection.execute(statement, row).rowcount == 1)
        compiled = self._compiled.get(name)
        if compiled is None:
            compiled = self._compiled[name] = _Compiled.of(statement, connection.dialect, tuple(row))
        return _CHANGED[name](connection, compiled.sql, compiled.arguments(row)) == 1


def _in_transaction_of_sqlalchemy(connection: sa.Connection) -> bool:
    return connection.dialect.name == "postgresql" and not connection.get_execution_options().get("parlour_alone")


def _await(connection: sa.Connection, method: str, sql: str, arguments: list[Any]) -> Any:
    driver: Any = connection.connection.driver_connection
    try:
        return await_only(getattr(driver, method)(sql, *arguments))
    finally:
        if driver.is_closed():
            connection.invalidate()


def _cursor(connection: sa.Connection, sql: str, arguments: list[Any]) -> sqlite3.Cursor:
    driver: Any = connection.connection.driver_connection
    found: sqlite3.Cursor = driver.execute(sql, arguments)
    return found


_FIRST: dict[str, Callable[[sa.Connection, str, list[Any]], Any]] = {
    "postgresql": lambda connection, sql, arguments: _await(connection, "fetchrow", sql, arguments),
    "sqlite": lambda connection, sql, arguments: _cursor(connection, sql, arguments).fetchone(),
}
_CHANGED: dict[str, Callable[[sa.Connection, str, list[Any]], int]] = {
    "postgresql": lambda connection, sql, arguments: int(
        _await(connection, "execute", sql, arguments).rpartition(" ")[2]
    ),
    "sqlite": lambda connection, sql, arguments: _cursor(connection, sql, arguments).rowcount,
}
