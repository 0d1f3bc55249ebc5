"""Writes down what the journal tells of sessions, and ends those that nobody is left to end."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NoReturn, Protocol
from uuid import UUID

import sqlalchemy as sa

from parlour.domain.errors import Unavailable
from parlour.domain.live.journal import Entry
from parlour.store import sessions
from parlour.store.database import Database

LOOK_S = 15.0
"""How often sessions are looked at whose rooms may be gone."""
SLACK_S = 30.0
"""How much longer than its seats a session is waited for whose room lives nowhere."""
LOOKED_AT_MAX = 1000

log = logging.getLogger("parlour.front")


class Keeper:
    """Keeps journal entries in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, entries: Sequence[Entry]) -> None:
        """Write entries down, all or none. Raises ``Unavailable`` while the database is away."""

        def write(connection: sa.Connection) -> None:
            sessions.keep(connection, entries)

        await self._database.transact(write)


class LivingRooms(Protocol):
    """Who knows where rooms live."""

    async def lives(self, room_id: UUID) -> bool:
        """Whether a room lives somewhere, or may be brought back to life, as far as can be known."""


class Reaper:
    """Ends sessions whose rooms went down with everything that knew of them, once nobody can come back to them."""

    def __init__(self, database: Database, rooms: LivingRooms, grace: float, now: Callable[[], datetime]) -> None:
        """``grace`` is how many seconds seats are kept."""
        self._database = database
        self._rooms = rooms
        self._patience = grace + SLACK_S
        self._now = now
        self._missing: dict[UUID, datetime] = {}
        self._ended = 0

    async def run(self) -> NoReturn:
        """Look again and again until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.look()
            except Unavailable as error:
                log.warning("lost sessions wait: %s", error)

    async def look(self) -> None:
        """End the sessions that were missing for long enough."""
        found = await self._database.run(lambda connection: sessions.all_in_progress(connection, LOOKED_AT_MAX))
        now = self._now()
        missing = [session for session in found if not await self._rooms.lives(session.room_id)]
        self._missing = {session.id: self._missing.get(session.id, now) for session in missing}
        for session in missing:
            if (now - self._missing[session.id]).total_seconds() >= self._patience:
                await self._end(session, now)

    def statistics(self) -> dict[str, float]:
        """Counts since the start: sessions missing now, and those that were ended."""
        return {"missing": len(self._missing), "ended": self._ended}

    async def _end(self, session: sessions.Session, now: datetime) -> None:
        if await self._database.transact(lambda connection: sessions.end_lost(connection, session, now)):
            log.warning("session %s is over: its room has lost everything", session.id)
            self._ended += 1
