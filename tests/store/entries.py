"""Entries of the journal, as a worker would write them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from parlour.domain.identity import time_ordered_id
from parlour.domain.live.journal import Entry, KeptMember, KeptSession
from parlour.domain.live.recording import Recording
from parlour.domain.room import RoomSettings
from tests.support.server import PROJECT

NOON = 1_795_000_000.0
"""Unix seconds of when everything begins."""
SETTINGS: dict[str, Any] = {"name": "coffee_cafe", "enable_room_previews": True}


def an_id(number: int) -> UUID:
    """An id that sorts by its number."""
    return time_ordered_id(int(NOON * 1e9) + number * 1_000_000_000, number)


def moment(seconds: float) -> datetime:
    """So many seconds after noon."""
    return datetime.fromtimestamp(NOON + seconds, UTC)


class Story:
    """A session's journal: each method gives an entry, ``at`` seconds after noon."""

    def __init__(self, number: int = 0, room: int = 1, **settings: Any) -> None:
        self.id = an_id(10_000 * (number + 1))
        self.project = UUID(PROJECT)
        self.room_id = an_id(room)
        self.kept = KeptSession(
            RoomSettings.created({**SETTINGS, **settings}), "grid-responsive", locked=False, started_at=NOON
        )
        self._numbers = iter(range(10_000 * (number + 1) + 1, 10_000 * (number + 2)))

    def entry(self, name: str, at: float, **about: Any) -> Entry:
        """Any entry."""
        return Entry(an_id(next(self._numbers)), NOON + at, name, self.project, self.room_id, str(self.id), **about)

    def started(self, at: float = 0.0, **kept: Any) -> Entry:
        """The first is in."""
        self.kept = replace(self.kept, started_at=NOON + at, **kept)
        return self.entry("room.started", at, session=self.kept)

    def updated(self, at: float, **kept: Any) -> Entry:
        """The session is another now."""
        self.kept = replace(self.kept, **kept)
        return self.entry("room.updated", at, session=self.kept)

    def ended(self, at: float) -> Entry:
        """The last is gone."""
        return self.entry("room.ended", at, session=replace(self.kept, ended_at=NOON + at))

    def joined(self, who: int, at: float, name: str = "Ana", kind: str = "member") -> Entry:
        """Somebody comes in."""
        return self.entry("member.joined", at, member=KeptMember(str(an_id(who)), name, kind, NOON + at))

    def left(self, who: int, joined_at: float, at: float, name: str = "Ana") -> Entry:
        """Somebody is gone."""
        member = KeptMember(str(an_id(who)), name, "member", NOON + joined_at, NOON + at)
        return self.entry("member.left", at, member=member, payload={"reason": "left"})

    def recorded(self, recording: Recording, at: float) -> Entry:
        """How a recording is now."""
        return self.entry("recording.updated", at, recording=recording)

    def recording(self, number: int, at: float = 1.0, **fields: Any) -> Recording:
        """A recording that began ``at``."""
        return Recording(str(an_id(number)), NOON + at, **fields)
