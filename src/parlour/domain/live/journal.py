"""What of a session is kept: who was in, when it began and ended, what changed, what was recorded.

Entries are made where the room lives and written down elsewhere, maybe twice and not always in order. So each tells
all that is to be known of what it is about, and whichever of two is younger is right.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from parlour.domain.live.events import MemberLeft
from parlour.domain.live.member import Member
from parlour.domain.live.recording import Recording, RecordingStatus
from parlour.domain.live.room import TOLD, LiveRoom, Outcome
from parlour.domain.room import RoomSettings

UNTOLD = {"requested_position", "hushed", "withheld"}
"""Fields of a member whose change is nobody's business afterwards."""


@dataclass(frozen=True, slots=True)
class KeptSession:
    """A session with the settings that its room had. Times are Unix seconds."""

    settings: RoomSettings
    layout: str
    locked: bool
    started_at: float
    ended_at: float | None = None
    preview: str = ""


@dataclass(frozen=True, slots=True)
class KeptMember:
    """Somebody, or a shared screen, who is or was in a session. Times are Unix seconds."""

    id: str
    name: str
    kind: str
    joined_at: float
    left_at: float | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened in a session ``at`` a time, in Unix seconds.

    ``name`` is one of ``room.started``, ``room.updated``, ``room.ended``, ``member.joined``, ``member.updated``,
    ``member.left``, ``layout.changed``, ``recording.started``, ``recording.updated``, ``recording.ended``.
    """

    id: UUID
    at: float
    name: str
    project_id: UUID
    room_id: UUID
    session_id: str
    session: KeptSession | None = None
    member: KeptMember | None = None
    recording: Recording | None = None
    payload: dict[str, Any] = field(default_factory=dict)


class Journal:
    """Makes the entries of one session. ``new_id`` gives ids that sort by time."""

    def __init__(self, new_id: Callable[[], UUID], *, begun: bool = False) -> None:
        """``begun`` is a session that goes on from elsewhere."""
        self._new_id = new_id
        self._begun = begun
        self._empty_since: float | None = None

    def follow(self, before: LiveRoom, outcome: Outcome, now: float) -> tuple[Entry, ...]:
        """What is to be kept of a step from one room to the next."""
        after = outcome.room
        if before is after:
            return ()
        if not after.members:
            self._empty_since = now if before.members or self._empty_since is None else self._empty_since
        reasons = {
            told.event.member.id: told.event.reason for told in outcome.told if isinstance(told.event, MemberLeft)
        }
        return tuple(self._entries(before, after, reasons, now))

    def end(self, room: LiveRoom, now: float) -> tuple[Entry, ...]:
        """The session is over: it ended when the last one left. Nothing where nobody ever came."""
        if not self._begun:
            return ()
        self._begun = False
        ended_at = self._empty_since if self._empty_since is not None and not room.members else now
        return (self._entry("room.ended", room, now, session=kept_session(room, ended_at)),)

    def _entries(self, before: LiveRoom, after: LiveRoom, reasons: Mapping[str, str], now: float) -> Iterator[Entry]:
        if not self._begun and after.members:
            self._begun = True
            yield self._entry("room.started", after, now, session=kept_session(after))
        elif self._begun and not _same_session(before, after) and kept_session(before) != (kept := kept_session(after)):
            yield self._entry("room.updated", after, now, session=kept)
        if before.session.layout != after.session.layout:
            yield self._entry("layout.changed", after, now, payload={"layout": after.session.layout})
        if before.members is not after.members:
            yield from self._members(before, after, reasons, now)
        for recording in after.recordings.values():
            if before.recordings.get(recording.id) != recording:
                name = _recording_event(recording, new=recording.id not in before.recordings)
                yield self._entry(name, after, now, recording=recording)

    def _members(self, before: LiveRoom, after: LiveRoom, reasons: Mapping[str, str], now: float) -> Iterator[Entry]:
        for member in before.members.values():
            if member.id not in after.members:
                payload = {"reason": reasons.get(member.id, "")}
                yield self._entry("member.left", after, now, member=kept_member(member, now), payload=payload)
        for member in after.members.values():
            old = before.members.get(member.id)
            if old is None:
                yield self._entry("member.joined", after, now, member=kept_member(member))
            elif old is not member and (changed := _changed(old, member)):
                yield self._entry("member.updated", after, now, member=kept_member(member), payload=changed)

    def _entry(self, name: str, room: LiveRoom, now: float, **about: Any) -> Entry:
        return Entry(self._new_id(), now, name, room.room.project_id, room.room.room_id, room.session.id, **about)


def _same_session(before: LiveRoom, after: LiveRoom) -> bool:
    return before.session is after.session and before.room is after.room


def kept_session(room: LiveRoom, ended_at: float | None = None) -> KeptSession:
    """What is kept of a room's session as it is now."""
    session = room.session
    return KeptSession(
        room.room.settings,
        room.before_screens or session.layout,
        session.locked,
        session.started_at,
        ended_at,
        session.preview,
    )


def kept_member(member: Member, left_at: float | None = None) -> KeptMember:
    """What is kept of a member."""
    return KeptMember(member.id, member.name, member.kind.value, member.joined_at, left_at)


def _changed(old: Member, new: Member) -> dict[str, Any]:
    return {
        name: getattr(new, name) for name in TOLD if name not in UNTOLD and getattr(old, name) != getattr(new, name)
    }


def _recording_event(recording: Recording, *, new: bool) -> str:
    if new:
        return "recording.started"
    return "recording.ended" if recording.status is RecordingStatus.COMPLETED else "recording.updated"
