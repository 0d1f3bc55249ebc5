"""Projects and their API tokens."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from parlour.domain.token import Permission, Token
from parlour.store.paging import Page, Position, fetch_page
from parlour.store.prepared import InsertUnlessTaken, PreparedSelect
from parlour.store.tables import projects, tokens

_SELECT: sa.Select[Any] = sa.select(
    tokens.c.id,
    tokens.c.project_id,
    tokens.c.name,
    tokens.c.permissions,
    tokens.c.digest,
    tokens.c.hint,
    tokens.c.created_at,
    tokens.c.updated_at,
)
_BY_DIGEST = _SELECT.where(tokens.c.project_id == sa.bindparam("project"), tokens.c.digest == sa.bindparam("digest"))
_BY_ID = _SELECT.where(tokens.c.project_id == sa.bindparam("project"), tokens.c.id == sa.bindparam("token"))
_by_digest = PreparedSelect(_BY_DIGEST)
_insert_project = InsertUnlessTaken(projects)


def first_project(connection: sa.Connection) -> UUID | None:
    """The oldest project, which a server without settings serves."""
    return connection.execute(sa.select(projects.c.id).order_by(projects.c.created_at, projects.c.id).limit(1)).scalar()


def ensure_project(connection: sa.Connection, project: UUID, now: datetime) -> bool:
    """Make sure that a project is there; whether it is new."""
    return _insert_project(connection, {"id": project, "created_at": now})


def has_tokens(connection: sa.Connection, project: UUID) -> bool:
    """Whether anybody can call in the name of the project."""
    query = sa.select(_SELECT.where(tokens.c.project_id == project).exists())
    return bool(connection.execute(query).scalar())


def create(connection: sa.Connection, token: Token) -> Token:
    """Keep a new token."""
    connection.execute(tokens.insert(), _row(token))
    return token


def find(connection: sa.Connection, project: UUID, digest: bytes) -> Token | None:
    """The project's token of that SHA-256."""
    row = _by_digest.first(connection, {"project": project, "digest": digest})
    return None if row is None else _token(row)


def get(connection: sa.Connection, project: UUID, token: UUID) -> Token | None:
    """One token of a project."""
    row = connection.execute(_BY_ID, {"project": project, "token": token}).first()
    return None if row is None else _token(row)


def page(connection: sa.Connection, project: UUID, position: Position, size: int) -> Page[Token]:
    """A page of a project's tokens, the newest first."""
    return fetch_page(connection, _SELECT.where(tokens.c.project_id == project), tokens.c.id, position, size, _token)


def update(
    connection: sa.Connection,
    project: UUID,
    token: UUID,
    name: str | None,
    permissions: frozenset[Permission] | None,
    now: datetime,
) -> Token | None:
    """Rename a token or change what it may do; ``None`` leaves as is."""
    values: dict[str, Any] = {"updated_at": now}
    if name is not None:
        values["name"] = name
    if permissions is not None:
        values["permissions"] = _spell(permissions)
    query = tokens.update().where(tokens.c.project_id == project, tokens.c.id == token)
    connection.execute(query, values)
    return get(connection, project, token)


def delete(connection: sa.Connection, project: UUID, token: UUID) -> bool:
    """Revoke a token; whether there was one."""
    query = tokens.delete().where(tokens.c.project_id == project, tokens.c.id == token)
    return connection.execute(query).rowcount == 1


def delete_named(connection: sa.Connection, project: UUID, name: str, but: bytes) -> None:
    """Revoke a project's tokens of that name, except the one with the SHA-256 ``but``."""
    connection.execute(
        tokens.delete().where(tokens.c.project_id == project, tokens.c.name == name, tokens.c.digest != but)
    )


def _spell(permissions: frozenset[Permission]) -> str:
    return " ".join(sorted(permissions))


def _row(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "project_id": token.project_id,
        "name": token.name,
        "permissions": _spell(token.permissions),
        "digest": token.digest,
        "hint": token.hint,
        "created_at": token.created_at,
        "updated_at": token.updated_at,
    }


def _token(row: Sequence[Any]) -> Token:
    id_, project, name, permissions, digest, hint, created_at, updated_at = row
    words = frozenset(Permission(word) for word in permissions.split())
    return Token(id_, project, name, words, bytes(digest), hint, created_at, updated_at)
