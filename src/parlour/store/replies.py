"""Answers kept for requests that carry an ``Idempotency-Key``, so that a retry repeats nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from parlour.store.prepared import InsertUnlessTaken
from parlour.store.tables import replies

KEPT_FOR = timedelta(hours=24)

_insert = InsertUnlessTaken(replies)
_SELECT = sa.select(replies.c.request_digest, replies.c.answer, replies.c.created_at).where(
    replies.c.project_id == sa.bindparam("project"), replies.c.key == sa.bindparam("name")
)
_MINE = sa.and_(replies.c.project_id == sa.bindparam("project"), replies.c.key == sa.bindparam("name"))


@dataclass(frozen=True, slots=True)
class Claim:
    """A request as its key sees it: ``digest`` is the SHA-256 of what was asked."""

    project: UUID
    key: str
    digest: bytes
    now: datetime


def answer_once(connection: sa.Connection, claim: Claim, act: Callable[[sa.Connection], bytes]) -> bytes | None:
    """Do ``act`` and keep its answer under the claim's key, or give the answer kept from before.

    ``None`` when the key was used for another request. Needs a transaction around it: a rival with the same key
    waits for the outcome.
    """
    key = {"project": claim.project, "name": claim.key}
    connection.execute(replies.delete().where(_MINE, replies.c.created_at <= claim.now - KEPT_FOR), key)
    row = {
        "project_id": claim.project,
        "key": claim.key,
        "request_digest": claim.digest,
        "answer": b"",
        "created_at": claim.now,
    }
    if _insert(connection, row):
        answer = act(connection)
        connection.execute(replies.update().where(_MINE).values(answer=answer), key)
        return answer
    kept = connection.execute(_SELECT, key).one()
    return bytes(kept.answer) if bytes(kept.request_digest) == claim.digest else None


def forget_old(connection: sa.Connection, now: datetime) -> int:
    """Drop the answers that are past their time; how many went."""
    return connection.execute(replies.delete().where(replies.c.created_at <= now - KEPT_FOR)).rowcount
