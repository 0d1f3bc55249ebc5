"""Rows that are told again and again: the younger word counts."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


def put_younger(connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows with a ``told_at`` by their id, each unless the row that is there was told later.

    Rows of one id are in the order of time.
    """
    if not rows:
        return
    insert = _insert(connection, table)
    new = {name: insert.excluded[name] for name in rows[0] if name != "id"}
    statement = insert.on_conflict_do_update(
        index_elements=["id"], set_=new, where=insert.excluded.told_at >= table.c.told_at
    )
    # By id, so that two who write the same rows wait for each other in one order.
    connection.execute(statement, sorted(rows, key=itemgetter("id")))


def put_once(connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows by their id, each unless it is there."""
    if rows:
        connection.execute(_insert(connection, table).on_conflict_do_nothing(index_elements=["id"]), list(rows))


def _insert(connection: sa.Connection, table: sa.Table) -> Any:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
