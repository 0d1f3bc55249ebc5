"""Writes down what the journal tells of sessions, and ends those that nobody is left to end."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NoReturn, Protocol
from uuid import UUID

from parlour.domain.errors import Unavailable
from parlour.domain.live.journal import Entry
from parlour.store import recordings, sessions
from parlour.store.database import Database

LOOK_S = 15.0
"""How often sessions are looked at whose rooms may be gone."""
SLACK_S = 30.0
"""How much longer than its seats a session is waited for whose room lives nowhere."""
LOOKED_AT_MAX = 1000
FORGOTTEN_S = 3600.0
"""For how long the file of a recording is waited for whose session is over, since it was told of last."""

log = logging.getLogger("parlour.front")


class Keeper:
    """Keeps journal entries in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept = self._lost = 0

    async def keep(self, entries: Sequence[Entry]) -> None:
        """Write entries down. Raises ``Unavailable`` while the database is away; then nothing is written.

        An entry that the database will not take, whatever the reason, is lost: it would stand in the way of all others.
        """
        try:
            await self._write(entries)
        except Unavailable:
            raise
        except Exception:
            log.warning("entries of the journal are kept one by one", exc_info=True)
            for entry in entries:
                await self._write_alone(entry)

    def statistics(self) -> dict[str, float]:
        """Counts since the start: entries written down, and those that the database would not take."""
        return {"kept": self._kept, "lost": self._lost}

    async def _write(self, entries: Sequence[Entry]) -> None:
        await self._database.transact(lambda connection: sessions.keep(connection, entries))
        self._kept += len(entries)

    async def _write_alone(self, entry: Entry) -> None:
        try:
            await self._write([entry])
        except Unavailable:
            raise
        except Exception:
            self._lost += 1
            log.exception("an entry of the journal cannot be kept: %s of session %s", entry.name, entry.session_id)


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
        self._ended = self._given_up = 0

    async def run(self) -> NoReturn:
        """Look again and again until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.look()
            except Unavailable as error:
                log.warning("lost sessions wait: %s", error)

    async def look(self) -> None:
        """End the sessions that were missing for long enough, and recordings that nobody finishes."""
        found = await self._database.run(lambda connection: sessions.all_in_progress(connection, LOOKED_AT_MAX))
        now = self._now()
        newest = {session.room_id: session.id for session in found}  # a room has one session at a time
        missing = [
            session
            for session in found
            if newest[session.room_id] != session.id or not await self._rooms.lives(session.room_id)
        ]
        self._missing = {session.id: self._missing.get(session.id, now) for session in missing}
        for session in missing:
            if (now - self._missing[session.id]).total_seconds() >= self._patience:
                await self._end(session, now)
        await self._give_up(now)

    def statistics(self) -> dict[str, float]:
        """Counts since the start: sessions missing now, those that were ended, recordings that were given up."""
        return {"missing": len(self._missing), "ended": self._ended, "recordings_given_up": self._given_up}

    async def _end(self, session: sessions.Session, now: datetime) -> None:
        if await self._database.transact(lambda connection: sessions.end_lost(connection, session, now)):
            log.warning("session %s is over: its room has lost everything", session.id)
            self._ended += 1

    async def _give_up(self, now: datetime) -> None:
        since = now - timedelta(seconds=FORGOTTEN_S)
        count = await self._database.write(
            lambda connection: recordings.end_forgotten(connection, since, sessions.LOST, now)
        )
        if count:
            log.warning("%d recordings of sessions that are over were never finished", count)
            self._given_up += count
