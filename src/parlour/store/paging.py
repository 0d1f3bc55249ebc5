"""Keyset paging: a page starts where another ended, by key, so page 1,000 costs what page 1 costs.

Keys sort by the time they were made and lists go from the newest down. A row made meanwhile appears before the
first page; rows that were there are neither repeated nor skipped.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

import sqlalchemy as sa

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page lies: behind ``key`` (older), or before it (newer) when ``backward``. No key: the newest."""

    key: UUID | None = None
    backward: bool = False

    def holds(self, key: UUID) -> bool:
        """Whether an item of that key lies here."""
        return self.key is None or (key > self.key if self.backward else key < self.key)


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some items, the newest first, and the keys to go on from; ``None`` where the list ends."""

    items: list[Item]
    older: UUID | None
    newer: UUID | None


def fetch_page(
    connection: sa.Connection,
    select: sa.Select[Any],
    key: sa.ColumnElement[UUID],
    position: Position,
    size: int,
    convert: Callable[[sa.Row[Any]], Item],
) -> Page[Item]:
    """Read the page of ``select`` at ``position``; the first selected column is the key."""
    query = select.order_by(key.asc() if position.backward else key.desc()).limit(size + 1)
    if position.key:
        query = query.where(key > position.key if position.backward else key < position.key)
    rows = connection.execute(query).all()
    more = len(rows) > size
    rows = rows[:size]
    if position.backward:
        rows = rows[::-1]
    if not rows:
        return Page([], None, None)
    newest, oldest = rows[0][0], rows[-1][0]

    def beyond(condition: sa.ColumnElement[bool]) -> bool:
        return bool(connection.execute(sa.select(select.where(condition).exists())).scalar())

    if position.backward:
        older, newer = beyond(key < oldest), more
    else:
        older, newer = more, position.key is not None and beyond(key > newest)
    return Page([convert(row) for row in rows], oldest if older else None, newest if newer else None)
