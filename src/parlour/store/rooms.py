"""Rooms: functions from a connection and a request to rows. None of them commits; ``Database`` does.

``get`` and ``create_alone`` are nearly all that a busy server is asked for. They take the ``Database`` itself, so that
it can run their one statement its cheapest way.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from parlour.domain.address import Address, numbered
from parlour.domain.errors import Unavailable
from parlour.domain.room import Layout, Quality, Room, RoomSettings
from parlour.store.database import Database
from parlour.store.paging import Page, Position, fetch_page
from parlour.store.prepared import InsertUnlessTaken, PreparedSelect
from parlour.store.tables import rooms

ADDRESS_TRIES = 8

_SETTINGS = tuple(field.name for field in fields(RoomSettings))
_QUALITY, _LAYOUT = _SETTINGS.index("quality"), _SETTINGS.index("layout")
_settings_of = attrgetter(*_SETTINGS)
_COLUMNS = (
    "id",
    "project_id",
    "room_id",
    "address_id",
    "address_name",
    "created_at",
    "updated_at",
    *_SETTINGS,
)
_SELECT = sa.select(*(rooms.c[name] for name in _COLUMNS))
_SELECT_ONE = _SELECT.where(rooms.c.project_id == sa.bindparam("project"), rooms.c.id == sa.bindparam("room"))
_SELECT_AT = _SELECT.where(rooms.c.project_id == sa.bindparam("project"), rooms.c.address_name == sa.bindparam("name"))
_SELECT_FOR_UPDATE = _SELECT_ONE.add_columns(rooms.c.slug, rooms.c.slug_number).with_for_update()
_DELETE = rooms.delete().where(rooms.c.project_id == sa.bindparam("project"), rooms.c.id == sa.bindparam("room"))
_HIGHEST_NUMBER = sa.select(sa.func.max(rooms.c.slug_number)).where(
    rooms.c.project_id == sa.bindparam("project"), rooms.c.slug == sa.bindparam("slug")
)
_get = PreparedSelect(_SELECT_ONE)
_insert = InsertUnlessTaken(rooms)


def create(connection: sa.Connection, room: Room, slug: str) -> Room:
    """Keep a new room under the first free address that ``slug`` gives: itself, or itself with a number.

    Each step is one statement, so it needs no transaction around it. Raises ``Unavailable`` in the
    improbable case that others take every address it tries.
    """
    for number in _numbers(connection, room.project_id, slug):
        placed = _at(room, slug, number)
        if _insert(connection, _row(placed, slug, number)):
            return placed
    raise Unavailable(f"no free address found for {slug!r}")


async def create_alone(database: Database, room: Room, slug: str) -> Room:
    """Keep a new room as ``create`` does, durably when this returns."""
    placed = _at(room, slug, 1)
    if await database.insert(_insert, _row(placed, slug, 1)):
        return placed
    return await database.write(lambda connection: create(connection, room, slug))


async def get(database: Database, project: UUID, room: UUID) -> Room | None:
    """One room of a project."""
    row = await database.first(_get, {"project": project, "room": room})
    return None if row is None else _room(row)


def at_address(connection: sa.Connection, project: UUID, name: str) -> Room | None:
    """The room that is dialled as ``/public/<name>``."""
    row = connection.execute(_SELECT_AT, {"project": project, "name": name}).first()
    return None if row is None else _room(row)


def with_room_id(connection: sa.Connection, project: UUID, room_id: UUID) -> Room | None:
    """The room that sessions and events name so."""
    query = _SELECT.where(rooms.c.project_id == project, rooms.c.room_id == room_id)
    row = connection.execute(query).first()
    return None if row is None else _room(row)


def with_ids(connection: sa.Connection, project: UUID, ids: list[UUID]) -> dict[UUID, Room]:
    """Those of the rooms that there are."""
    query = _SELECT.where(rooms.c.project_id == project, rooms.c.id.in_(ids))
    return {row.id: _room(row) for row in connection.execute(query)}


def page(connection: sa.Connection, project: UUID, position: Position, size: int) -> Page[Room]:
    """A page of a project's rooms, the newest first."""
    return fetch_page(connection, _SELECT.where(rooms.c.project_id == project), rooms.c.id, position, size, _room)


def update(
    connection: sa.Connection,
    project: UUID,
    room: UUID,
    change: Callable[[RoomSettings], RoomSettings],
    slug_of: Callable[[str], str],
    now: datetime,
) -> Room | None:
    """Change a room's settings, with the row locked between the read and the write.

    A new name brings a new address, unless both names give the same slug. Whatever ``change`` raises leaves
    the room as it was.
    """
    row = connection.execute(_SELECT_FOR_UPDATE, {"project": project, "room": room}).first()
    if row is None:
        return None
    before = _room(row)
    settings = change(before.settings)
    values: dict[str, Any] = {name: getattr(settings, name) for name in _SETTINGS}
    values["updated_at"] = now
    statement = rooms.update().where(rooms.c.id == room)
    slug = slug_of(settings.name)
    address = before.address
    if slug == row.slug:
        connection.execute(statement, values)
    else:
        address = Address(address.id, _move(connection, project, statement, values, slug))
    return replace(before, address=address, settings=settings, updated_at=now)


def delete(connection: sa.Connection, project: UUID, room: UUID) -> bool:
    """Forget a room; whether there was one."""
    return connection.execute(_DELETE, {"project": project, "room": room}).rowcount == 1


def _numbers(connection: sa.Connection, project: UUID, slug: str) -> Iterator[int]:
    """Numbers worth trying for a slug: 1, then ever wider above the highest, so that rivals soon part."""
    yield 1
    for attempt in range(ADDRESS_TRIES):
        highest = connection.execute(_HIGHEST_NUMBER, {"project": project, "slug": slug}).scalar() or 1
        yield highest + 1 + secrets.randbelow(4**attempt)


def _move(connection: sa.Connection, project: UUID, statement: sa.Update, values: dict[str, Any], slug: str) -> str:
    for number in _numbers(connection, project, slug):
        name = numbered(slug, number)
        try:
            with connection.begin_nested():
                connection.execute(statement, {**values, "address_name": name, "slug": slug, "slug_number": number})
        except sa.exc.IntegrityError:
            continue
        return name
    raise Unavailable(f"no free address found for {slug!r}")


def _at(room: Room, slug: str, number: int) -> Room:
    address = Address(room.address.id, numbered(slug, number))
    return Room(room.id, room.project_id, room.room_id, address, room.settings, room.created_at, room.updated_at)


def _row(room: Room, slug: str, number: int) -> dict[str, Any]:
    return {
        "id": room.id,
        "project_id": room.project_id,
        "room_id": room.room_id,
        "address_id": room.address.id,
        "address_name": room.address.name,
        "slug": slug,
        "slug_number": number,
        "created_at": room.created_at,
        "updated_at": room.updated_at,
        **dict(zip(_SETTINGS, _settings_of(room.settings), strict=True)),
    }


def _room(row: Sequence[Any]) -> Room:
    (id_, project_id, room_id, address_id, address_name, created_at, updated_at, *settings) = row[: len(_COLUMNS)]
    settings[_QUALITY] = Quality(settings[_QUALITY])
    settings[_LAYOUT] = Layout(settings[_LAYOUT])
    return Room(
        id_, project_id, room_id, Address(address_id, address_name), RoomSettings(*settings), created_at, updated_at
    )
