"""Finishes what others have left: recordings whose worker was killed, or that the store would not take."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import NoReturn
from uuid import UUID

from parlour.domain.live.journal import Entry
from parlour.domain.live.recording import Recording, RecordingStatus
from parlour.media.recording.archive import Archive, is_settled
from parlour.media.recording.aside import aside
from parlour.media.recording.recorders import settle
from parlour.media.recording.spool import Note, Reel

LOOK_S = 30.0
"""How often the spool is looked through."""

LOST = "The server ended while it was recording."

log = logging.getLogger("parlour.media")


class Salvage:
    """Looks through a worker's spool at its start and every so often; workers may share one."""

    def __init__(
        self,
        archive: Archive,
        write: Callable[[Entry], None],
        written: Callable[[], Awaitable[bool]],
        new_id: Callable[[], UUID],
        wall: Callable[[], float] = time.time,
    ) -> None:
        """``write`` and ``written`` keep entries of sessions' journals; ``wall`` gives Unix seconds."""
        self._archive = archive
        self._write = write
        self._written = written
        self._new_id = new_id
        self._wall = wall
        self._found = 0

    async def run(self) -> NoReturn:
        """Look again and again until cancelled."""
        while True:
            try:
                await self.look()
            except OSError as error:
                log.warning("the spool cannot be read: %s", error)
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Finish what nobody has in hand, one after the other. Raises ``OSError``."""
        orphans = self._archive.spool.orphans()
        while (found := await aside(lambda: next(orphans, None))) is not None:
            try:
                await self._finish(*found)
            except OSError:
                found[0].let_go()
                raise

    def statistics(self) -> dict[str, float]:
        """Recordings that were left by others and are finished."""
        return {"recordings_salvaged": self._found}

    async def _finish(self, reel: Reel, note: Note) -> None:
        note = await aside(lambda: replace(note, recording=_left(reel, note.recording)))
        recording = await aside(lambda: self._archive.finish(reel, note))
        if note.told and not is_settled(recording):
            reel.let_go()
            return
        log.info("recording %s is finished for those who left it", recording.id)
        self._found += 1
        self._write(
            Entry(
                self._new_id(),
                self._wall(),
                "recording.ended",
                note.project_id,
                note.room_id,
                note.session_id,
                recording=recording,
            )
        )
        if not is_settled(recording):
            await aside(lambda: reel.write_note(replace(note, told=True)))
        await settle(reel, recording, self._written)


def _left(reel: Reel, recording: Recording) -> Recording:
    """A recording as its worker has left it: it ended when its film did, unless it is known."""
    if recording.finished_at is not None:
        return recording
    try:
        finished = max(recording.started_at, reel.film.stat().st_mtime)
    except OSError:
        finished = recording.started_at
    return replace(recording, status=RecordingStatus.PROCESSING, finished_at=finished, reason=LOST)
