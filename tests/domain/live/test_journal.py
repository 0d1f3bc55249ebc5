"""What is kept of a session, from the first who comes to the last who goes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest

from parlour.domain.live import acts, recordings, seats
from parlour.domain.live.commands import Change, Leave, Record
from parlour.domain.live.journal import Entry, Journal
from parlour.domain.live.recording import RecordingStatus
from parlour.domain.live.room import LiveRoom, Outcome
from tests.domain.live.people import T0, a_room, at, do, join, opened

LOUD = 5000
"""Somebody talks."""


@dataclass
class Book:
    """A room and all that was kept of it."""

    room: LiveRoom
    begun: bool = False
    entries: list[Entry] = field(default_factory=list)
    journal: Journal = field(init=False)

    def __post_init__(self) -> None:
        self.journal = Journal(lambda: UUID(int=len(self.entries) + 1), begun=self.begun)

    def take(self, outcome: Outcome, now: float = T0) -> Sequence[Entry]:
        """Go on to the next room; what is kept of this step."""
        entries = self.journal.follow(self.room, outcome, now)
        self.room = outcome.room
        self.entries += entries
        return entries

    def comes(self, name: str, now: float = T0) -> Sequence[Entry]:
        """Somebody joins."""
        return self.take(join(self.room, name, now), now)

    def goes(self, name: str, now: float = T0) -> Sequence[Entry]:
        """Somebody hangs up."""
        return self.take(seats.leave(self.room, Leave(f"c-{name}"), now), now)


def names(entries: Sequence[Entry]) -> list[str]:
    """What happened."""
    return [entry.name for entry in entries]


@pytest.fixture
def book() -> Book:
    """An empty room's."""
    room = opened(display_name="Lounge")
    return Book(replace(room, session=replace(room.session, started_at=T0)))


def test_a_session_begins_with_the_first_and_ends_with_the_last(book: Book) -> None:
    assert names(book.comes("ana")) == ["room.started", "member.joined"]
    started, joined = book.entries
    assert started.session is not None
    assert (started.session.settings.display_name, started.session.started_at) == ("Lounge", T0)
    assert joined.member is not None
    assert (joined.member.name, joined.member.joined_at, joined.member.left_at) == ("ana", T0, None)
    assert names(book.comes("ben", T0 + 1)) == ["member.joined"]
    (left,) = book.goes("ana", T0 + 5)
    assert left.name == "member.left"
    assert left.member is not None
    assert left.member.left_at == T0 + 5
    assert left.payload == {"reason": "left"}
    book.goes("ben", T0 + 7)
    (ended,) = book.journal.end(book.room, T0 + 17)
    assert ended.name == "room.ended"
    assert ended.session is not None
    assert ended.session.ended_at == T0 + 7, "when the last one left, not when nobody came back"


def test_nothing_is_kept_where_nobody_came(book: Book) -> None:
    assert book.journal.end(book.room, T0) == ()


def test_a_session_that_goes_on_elsewhere_does_not_begin_again() -> None:
    book = Book(opened(), begun=True)
    assert names(book.comes("ana")) == ["member.joined"]


def test_what_changes_is_kept_by_name(book: Book) -> None:
    book.comes("ana")
    (muted,) = book.take(acts.act(book.room, do("ana", "mute", channels=["audio"]), T0))
    assert (muted.name, muted.payload) == ("member.updated", {"audio_muted": True})
    assert names(book.take(acts.act(book.room, do("ana", "layout.set", layout="3x3"), T0))) == [
        "room.updated",
        "layout.changed",
    ]
    (locked,) = book.take(acts.act(book.room, do("ana", "lock"), T0))
    assert locked.session is not None
    assert locked.session.locked
    change = Change(a_room(updated=1, display_name="Hall", remove_at=at(60)))
    (changed,) = book.take(seats.change(book.room, change, T0))
    assert changed.session is not None
    assert (changed.session.settings.display_name, changed.session.locked) == ("Hall", True)


def test_voices_leave_no_trace(book: Book) -> None:
    book.comes("ana")
    for _ in range(60):
        assert book.take(book.room.hear({"ana": LOUD}, T0)) == ()
    assert book.room.members["ana"].talking


def test_recordings_are_followed_to_their_end(book: Book) -> None:
    book.comes("ana")
    session = book.room.session.id
    (started,) = book.take(recordings.record(book.room, Record(session, "start"), "r1", T0))
    assert started.name == "recording.started"
    assert started.recording is not None
    assert started.recording.status is RecordingStatus.RECORDING
    for action, status in (("pause", "paused"), ("resume", "recording"), ("stop", "processing")):
        (entry,) = book.take(recordings.record(book.room, Record(session, action, "r1"), "", T0 + 9))  # type: ignore[arg-type]
        assert entry.recording is not None
        assert (entry.name, entry.recording.status.value) == ("recording.updated", status)
    finished = replace(book.room.recordings["r1"], status=RecordingStatus.COMPLETED, duration=9.0, key="there")
    (ended,) = book.take(recordings.with_recording(book.room, finished))
    assert (ended.name, ended.recording) == ("recording.ended", finished)
