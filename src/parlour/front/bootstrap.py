"""The first project and its first token."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from parlour.domain.identity import time_ordered_id
from parlour.domain.token import SECRET_BYTES, Permission, Token, digest, spell
from parlour.front.front import random_id
from parlour.store import tokens

FROM_SETTINGS = "PARLOUR_API_TOKEN"
"""The name of the token that the settings bring; a new value replaces the old one."""
FIRST = "First token"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Whom this server serves. ``new_token`` is the token made just now, in full: the only time it is known."""

    project: UUID
    new_token: str | None


def ensure_credentials(
    connection: sa.Connection, project: UUID | None, api_token: str | None, now: datetime
) -> Credentials:
    """Make sure that somebody can call: with what the settings bring, or with what is made here and now."""
    project = project or tokens.first_project(connection) or random_id()
    tokens.ensure_project(connection, project, now)
    if api_token is not None:
        tokens.delete_named(connection, project, FROM_SETTINGS, but=digest(api_token))
        if tokens.find(connection, project, digest(api_token)) is None:
            _keep(connection, project, FROM_SETTINGS, api_token, now)
        return Credentials(project, None)
    if tokens.has_tokens(connection, project):
        return Credentials(project, None)
    secret = spell(secrets.token_bytes(SECRET_BYTES))
    _keep(connection, project, FIRST, secret, now)
    return Credentials(project, secret)


def _keep(connection: sa.Connection, project: UUID, name: str, secret: str, now: datetime) -> None:
    token_id = time_ordered_id(int(now.timestamp() * 1_000_000_000), secrets.randbits(64))
    tokens.create(
        connection, Token(token_id, project, name, frozenset(Permission), digest(secret), secret[-4:], now, now)
    )
