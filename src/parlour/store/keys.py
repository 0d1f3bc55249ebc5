"""Secrets that an installation makes for itself, once, and that all its fronts share."""

from datetime import datetime

import sqlalchemy as sa

from parlour.store.prepared import InsertUnlessTaken
from parlour.store.tables import keys

_SELECT = sa.select(keys.c.value).where(keys.c.name == sa.bindparam("key"))
_insert = InsertUnlessTaken(keys)


def ensure(connection: sa.Connection, name: str, proposed: bytes, now: datetime) -> bytes:
    """The key of that name: the one that is kept, or else ``proposed``, kept from now on."""
    _insert(connection, {"name": name, "value": proposed, "created_at": now})
    return bytes(connection.execute(_SELECT, {"key": name}).scalar_one())
