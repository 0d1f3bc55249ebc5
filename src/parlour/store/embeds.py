"""Embed tokens: each stands for one address, and anybody who has it may ask for a ticket there."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from parlour.store.paging import Page, Position, fetch_page
from parlour.store.tables import embeds

_SELECT: sa.Select[Any] = sa.select(
    embeds.c.id, embeds.c.project_id, embeds.c.address_id, embeds.c.hint, embeds.c.created_at
)
_BY_DIGEST = _SELECT.where(embeds.c.digest == sa.bindparam("digest"))


@dataclass(frozen=True, slots=True)
class Embed:
    """An embed token as kept; ``hint`` is its last four characters."""

    id: UUID
    project_id: UUID
    address_id: UUID
    hint: str
    created_at: datetime


def create(connection: sa.Connection, embed: Embed, digest: bytes) -> None:
    """Keep a new embed token by its SHA-256."""
    connection.execute(
        embeds.insert(),
        {
            "id": embed.id,
            "project_id": embed.project_id,
            "address_id": embed.address_id,
            "digest": digest,
            "hint": embed.hint,
            "created_at": embed.created_at,
        },
    )


def find(connection: sa.Connection, digest: bytes) -> Embed | None:
    """The embed token of that SHA-256, whosever it is."""
    row = connection.execute(_BY_DIGEST, {"digest": digest}).first()
    return None if row is None else _embed(row)


def page(connection: sa.Connection, project: UUID, position: Position, size: int) -> Page[Embed]:
    """A page of a project's embed tokens, the newest first."""
    return fetch_page(connection, _SELECT.where(embeds.c.project_id == project), embeds.c.id, position, size, _embed)


def delete(connection: sa.Connection, project: UUID, embed: UUID) -> bool:
    """Revoke an embed token; whether there was one."""
    return connection.execute(embeds.delete().where(embeds.c.project_id == project, embeds.c.id == embed)).rowcount == 1


def _embed(row: sa.Row[Any]) -> Embed:
    return Embed(*tuple(row))
