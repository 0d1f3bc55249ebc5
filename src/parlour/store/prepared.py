"""Statements that run with every request, compiled once.

SQLAlchemy composes them, then they are handed to the driver itself: the machinery between costs several times what the
query does, and a single statement needs none of it. Only inside a transaction on PostgreSQL they go the usual way,
because there the transaction is SQLAlchemy's to begin.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.util import await_only

_INSERT: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}

Convert = Callable[[Any], Any]
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement as the driver takes it, with what its values pass through on their way in and out.

    Most pass as they are, so what is to be converted is named by its place.
    """

    sql: str
    names: tuple[str, ...]
    binds: tuple[tuple[int, Convert], ...]
    results: tuple[tuple[int, Convert], ...]

    @classmethod
    def of(cls, statement: Any, dialect: sa.Dialect, keys: Sequence[str] | None = None) -> "Compiled":
        """Compile a statement; ``keys`` are the columns that an insert fills."""
        compiled = statement.compile(dialect=dialect, column_keys=keys)
        names = compiled.positiontup or ()
        types = [compiled.binds[name].type.dialect_impl(dialect) for name in names]
        selected = statement.selected_columns if isinstance(statement, sa.Select) else ()
        return cls(
            str(compiled),
            tuple(names),
            _conversions(None if _is_native(kind, dialect) else kind.bind_processor(dialect) for kind in types),
            _conversions(column.type.dialect_impl(dialect).result_processor(dialect, None) for column in selected),
        )

    def arguments(self, values: Values) -> list[Any]:
        """The statement's parameters, in order."""
        found = [values[name] for name in self.names]
        for place, convert in self.binds:
            found[place] = convert(found[place])
        return found

    def row(self, record: Sequence[Any]) -> list[Any]:
        """What the driver found, as the store knows it."""
        found = list(record)
        for place, convert in self.results:
            found[place] = convert(found[place])
        return found


class PreparedSelect:
    """A query for one row."""

    def __init__(self, statement: sa.Select[Any]) -> None:
        self._statement = statement
        self._compiled: dict[str, Compiled] = {}

    def compiled(self, dialect: sa.Dialect) -> Compiled:
        """The query in a database's own words."""
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = Compiled.of(self._statement, dialect)
        return found

    def first(self, connection: sa.Connection, values: Values) -> Sequence[Any] | None:
        """The first row, if any."""
        if _in_transaction_of_sqlalchemy(connection):
            return connection.execute(self._statement, values).first()
        compiled = self.compiled(connection.dialect)
        record = _FIRST[connection.dialect.name](connection, compiled.sql, compiled.arguments(values))
        return None if record is None else compiled.row(record)


class InsertUnlessTaken:
    """An insert that does nothing where a unique key is taken; safe inside a transaction that goes on.

    Every row has the same keys.
    """

    def __init__(self, table: sa.Table) -> None:
        self._statements = {name: insert(table).on_conflict_do_nothing() for name, insert in _INSERT.items()}
        self._compiled: dict[str, Compiled] = {}

    def compiled(self, dialect: sa.Dialect, row: Values) -> Compiled:
        """The insert in a database's own words."""
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = Compiled.of(self._statements[dialect.name], dialect, tuple(row))
        return found

    def __call__(self, connection: sa.Connection, row: Values) -> bool:
        """Insert ``row``; whether it went in."""
        name = connection.dialect.name
        if _in_transaction_of_sqlalchemy(connection):
            return bool(connection.execute(self._statements[name], dict(row)).rowcount == 1)
        compiled = self.compiled(connection.dialect, row)
        return _CHANGED[name](connection, compiled.sql, compiled.arguments(row)) == 1


def _is_native(kind: Any, dialect: sa.Dialect) -> bool:
    """Whether the driver checks values itself, so that SQLAlchemy need not."""
    return isinstance(kind, sa.Boolean) and dialect.supports_native_boolean


def _conversions(processors: Iterable[Convert | None]) -> tuple[tuple[int, Convert], ...]:
    return tuple((place, convert) for place, convert in enumerate(processors) if convert is not None)


def _in_transaction_of_sqlalchemy(connection: sa.Connection) -> bool:
    return connection.dialect.name == "postgresql" and not connection.get_execution_options().get("parlour_alone")


def _await(connection: sa.Connection, method: str, sql: str, arguments: list[Any]) -> Any:
    driver: Any = connection.connection.driver_connection
    try:
        return await_only(getattr(driver, method)(sql, *arguments))
    except BaseException as error:
        # Cancelled or out of time: the statement may be in flight still.
        if driver.is_closed() or isinstance(error, TimeoutError) or not isinstance(error, Exception):
            connection.invalidate()
        raise


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
