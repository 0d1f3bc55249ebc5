"""Subscribers and their passwords' hashes."""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from parlour.domain.address import Address, numbered
from parlour.domain.errors import Unavailable
from parlour.domain.subscriber import Profile, Subscriber
from parlour.store.paging import Page, Position, fetch_page
from parlour.store.prepared import InsertUnlessTaken
from parlour.store.tables import subscribers

ADDRESS_TRIES = 8

_PROFILE = tuple(field.name for field in fields(Profile))
_COLUMNS = ("id", "project_id", "reference", "address_id", "address_name", "created_at", "updated_at", *_PROFILE)
_SELECT = sa.select(*(subscribers.c[name] for name in _COLUMNS))
_BY_ID = _SELECT.where(subscribers.c.project_id == sa.bindparam("project"), subscribers.c.id == sa.bindparam("key"))
_BY_REFERENCE = _SELECT.where(
    subscribers.c.project_id == sa.bindparam("project"), subscribers.c.reference == sa.bindparam("key")
)
_PASSWORD = sa.select(subscribers.c.password_hash).where(
    subscribers.c.project_id == sa.bindparam("project"), subscribers.c.id == sa.bindparam("key")
)
_insert = InsertUnlessTaken(subscribers)


def create(
    connection: sa.Connection, subscriber: Subscriber, slug: str, password_hash: str | None
) -> Subscriber | None:
    """Keep a new subscriber at the first free address that ``slug`` gives; ``None`` when the reference is taken."""
    for name in _names(slug):
        candidate = replace(subscriber, address=Address(subscriber.address.id, name))
        row = {**_row(candidate), "password_hash": password_hash}
        if _insert(connection, row):
            return candidate
        if by_reference(connection, subscriber.project_id, subscriber.reference):
            return None
    raise Unavailable(f"no free address found for {slug!r}")


def get(connection: sa.Connection, project: UUID, subscriber: UUID) -> Subscriber | None:
    """One subscriber of a project."""
    return _one(connection.execute(_BY_ID, {"project": project, "key": subscriber}))


def by_reference(connection: sa.Connection, project: UUID, reference: str) -> Subscriber | None:
    """The subscriber of that reference."""
    return _one(connection.execute(_BY_REFERENCE, {"project": project, "key": reference}))


def with_ids(connection: sa.Connection, project: UUID, ids: list[UUID]) -> dict[UUID, Subscriber]:
    """Those of the subscribers that there are."""
    query = _SELECT.where(subscribers.c.project_id == project, subscribers.c.id.in_(ids))
    return {row.id: _subscriber(row) for row in connection.execute(query)}


def page(connection: sa.Connection, project: UUID, position: Position, size: int) -> Page[Subscriber]:
    """A page of a project's subscribers, the newest first."""
    query = _SELECT.where(subscribers.c.project_id == project)
    return fetch_page(connection, query, subscribers.c.id, position, size, _subscriber)


def update(
    connection: sa.Connection,
    project: UUID,
    subscriber: UUID,
    values: Mapping[str, Any],
    password_hash: str | None,
    now: datetime,
) -> Subscriber | None:
    """Lay ``values`` (the reference, fields of the profile) over a subscriber; a hash of ``None`` leaves the password.

    Raises ``sqlalchemy.exc.IntegrityError`` where the new reference is taken.
    """
    before = _one(connection.execute(_BY_ID.with_for_update(), {"project": project, "key": subscriber}))
    if before is None:
        return None
    profile = {name: value for name, value in values.items() if name in _PROFILE}
    after = replace(
        before,
        reference=values.get("reference", before.reference),
        profile=replace(before.profile, **profile),
        updated_at=now,
    )
    row = _row(after)
    if password_hash is not None:
        row["password_hash"] = password_hash
    with connection.begin_nested():
        connection.execute(subscribers.update().where(subscribers.c.id == subscriber), row)
    return after


def delete(connection: sa.Connection, project: UUID, subscriber: UUID) -> bool:
    """Forget a subscriber, whose tickets open nothing from then on; whether there was one."""
    query = subscribers.delete().where(subscribers.c.project_id == project, subscribers.c.id == subscriber)
    return connection.execute(query).rowcount == 1


def password_hash(connection: sa.Connection, project: UUID, subscriber: UUID) -> str | None:
    """The hash of a subscriber's password, where one was set."""
    return connection.execute(_PASSWORD, {"project": project, "key": subscriber}).scalar()


def _names(slug: str) -> Iterator[str]:
    yield slug
    for attempt in range(ADDRESS_TRIES):
        yield numbered(slug, 2 + secrets.randbelow(10 ** (attempt + 1)))


def _one(result: sa.CursorResult[Any]) -> Subscriber | None:
    row = result.first()
    return None if row is None else _subscriber(row)


def _row(subscriber: Subscriber) -> dict[str, Any]:
    return {
        "id": subscriber.id,
        "project_id": subscriber.project_id,
        "reference": subscriber.reference,
        "address_id": subscriber.address.id,
        "address_name": subscriber.address.name,
        "name": subscriber.name,
        "created_at": subscriber.created_at,
        "updated_at": subscriber.updated_at,
        **asdict(subscriber.profile),
    }


def _subscriber(row: sa.Row[Any]) -> Subscriber:
    (id_, project, reference, address_id, address_name, created_at, updated_at, *profile) = tuple(row)
    return Subscriber(
        id_, project, reference, Address(address_id, address_name), Profile(*profile), created_at, updated_at
    )
