"""Every address of a project, whatever stands behind it, and every resource."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from parlour.domain.room import Room
from parlour.domain.subscriber import Subscriber
from parlour.store import rooms as room_store
from parlour.store import subscribers as subscriber_store
from parlour.store.database import Database
from parlour.store.paging import Page, Position, fetch_page
from parlour.store.tables import rooms, subscribers

ROOM, SUBSCRIBER = "room", "subscriber"


@dataclass(frozen=True, slots=True)
class Entry:
    """An address as the directory shows it; ``kind`` is ``room`` or ``subscriber``.

    ``room_id`` is what sessions name a room by.
    """

    id: UUID
    resource_id: UUID
    kind: str
    name: str
    display_name: str
    created_at: datetime
    room_id: UUID | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries to list and how. ``only`` restricts to addresses of those ids, ``sort`` names a column."""

    name: str | None = None
    kind: str | None = None
    display_name: str | None = None
    only: frozenset[UUID] | None = None
    sort: str = "created_at"
    ascending: bool = False


_entries = sa.union_all(
    sa.select(
        rooms.c.address_id.label("id"),
        rooms.c.id.label("resource_id"),
        sa.literal(ROOM).label("kind"),
        rooms.c.address_name.label("name"),
        rooms.c.display_name.label("display_name"),
        rooms.c.created_at.label("created_at"),
        rooms.c.room_id.label("room_id"),
        rooms.c.project_id.label("project_id"),
    ),
    sa.select(
        subscribers.c.address_id,
        subscribers.c.id,
        sa.literal(SUBSCRIBER),
        subscribers.c.address_name,
        subscribers.c.name,
        subscribers.c.created_at,
        sa.null(),
        subscribers.c.project_id,
    ),
).subquery("entries")
_COLUMNS = tuple(_entries.c[name] for name in Entry.__dataclass_fields__)
_resource_id = _entries.c.resource_id


def find(connection: sa.Connection, project: UUID, addresses: frozenset[UUID]) -> dict[UUID, Entry]:
    """Those of the addresses that the project has."""
    query = sa.select(*_COLUMNS).where(_entries.c.project_id == project, _entries.c.id.in_(sorted(addresses)))
    return {row.id: Entry(*row) for row in connection.execute(query)}


def entry_of(connection: sa.Connection, project: UUID, resource: UUID, kind: str | None = None) -> Entry | None:
    """The address of a resource, which has to be of that ``kind`` where one is given."""
    query = sa.select(*_COLUMNS).where(_entries.c.project_id == project, _resource_id == resource)
    row = connection.execute(query if kind is None else query.where(_entries.c.kind == kind)).first()
    return None if row is None else Entry(*row)


def page(connection: sa.Connection, project: UUID, position: Position, size: int, wanted: Wanted) -> Page[Entry] | None:
    """A page of the directory; its keys are resources, which have one address each.

    ``None`` when the directory is sorted by what the key's resource was called and that resource is gone.
    """
    query = _filtered(project, wanted)
    # Resources' ids sort by the time they were made.
    sort = "resource_id" if wanted.sort == "created_at" else wanted.sort
    column = _entries.c[sort]

    def beyond(value: Any, key: UUID, later: bool) -> sa.ColumnElement[bool]:
        if later == wanted.ascending:
            return sa.or_(column > value, sa.and_(column == value, _resource_id > key))
        return sa.or_(column < value, sa.and_(column == value, _resource_id < key))

    if position.key is not None:
        here: Any = position.key
        if sort != "resource_id":
            # What it is sorted by matters here, not whether it still passes the filters.
            named = _filtered(project, Wanted(only=wanted.only)).where(_resource_id == position.key)
            here = connection.execute(named.with_only_columns(column)).scalar()
            if here is None:
                return None
        query = query.where(beyond(here, position.key, later=not position.backward))
    upwards = wanted.ascending != position.backward
    ordered = query.order_by(*(key.asc() if upwards else key.desc() for key in (column, _resource_id))).limit(size + 1)
    found = [Entry(*row) for row in connection.execute(ordered)]
    more, found = len(found) > size, found[:size]
    if position.backward:
        found.reverse()
    if not found:
        return Page([], None, None)

    def any_beyond(entry: Entry, later: bool) -> bool:
        condition = beyond(getattr(entry, sort), entry.resource_id, later)
        return bool(connection.execute(sa.select(_filtered(project, wanted).where(condition).exists())).scalar())

    later = any_beyond(found[-1], later=True) if position.backward else more
    earlier = more if position.backward else position.key is not None and any_beyond(found[0], later=False)
    return Page(found, found[-1].resource_id if later else None, found[0].resource_id if earlier else None)


async def resource(database: Database, project: UUID, key: UUID) -> Room | Subscriber | None:
    """One resource of a project, whatever its kind."""
    return await room_store.get(database, project, key) or await database.run(
        lambda connection: subscriber_store.get(connection, project, key)
    )


def delete(connection: sa.Connection, project: UUID, key: UUID) -> bool:
    """Forget a resource, whatever its kind; whether there was one."""
    return room_store.delete(connection, project, key) or subscriber_store.delete(connection, project, key)


def resources(connection: sa.Connection, project: UUID, position: Position, size: int) -> Page[Room | Subscriber]:
    """A page of everything that a project has, the newest first."""
    query = sa.select(_resource_id, _entries.c.kind).where(_entries.c.project_id == project)
    keys = fetch_page(connection, query, _resource_id, position, size, _key)
    found: dict[UUID, Room | Subscriber] = {
        **room_store.with_ids(connection, project, [key for key, kind in keys.items if kind == ROOM]),
        **subscriber_store.with_ids(connection, project, [key for key, kind in keys.items if kind == SUBSCRIBER]),
    }
    return Page([found[key] for key, _ in keys.items if key in found], keys.older, keys.newer)


def _key(row: sa.Row[Any]) -> tuple[UUID, str]:
    key, kind = tuple(row)
    return key, kind


def _filtered(project: UUID, wanted: Wanted) -> sa.Select[Any]:
    query = sa.select(*_COLUMNS).where(_entries.c.project_id == project)
    if wanted.name is not None:
        query = query.where(_entries.c.name == wanted.name)
    if wanted.kind is not None:
        query = query.where(_entries.c.kind == wanted.kind)
    if wanted.display_name is not None:
        pattern = sa.func.lower(_entries.c.display_name)
        query = query.where(pattern.contains(wanted.display_name.lower(), autoescape=True))
    if wanted.only is not None:
        query = query.where(_entries.c.id.in_(sorted(wanted.only)))
    return query
