"""The recordings of a live room: one at a time, none that cannot be finished, and what becomes of them elsewhere."""

import pytest

from parlour.domain.live import recordings, seats
from parlour.domain.live.commands import Record, Recorded, Refused
from parlour.domain.live.recording import Recording, RecordingStatus
from parlour.domain.live.recordings import KEPT, UNFINISHED_MAX
from parlour.domain.live.room import LiveRoom
from tests.domain.live.people import T0, opened, with_people

ACTIONS = ("pause", "resume", "stop")
RECORDING, PAUSED, PROCESSING, COMPLETED = RecordingStatus


def recorded(room: LiveRoom, name: str = "r1", now: float = T0) -> LiveRoom:
    """The room while it is recorded."""
    return recordings.start(room, name, now).room


def finished(room: LiveRoom, name: str) -> LiveRoom:
    """The room once a recording is kept."""
    recording = recordings.stop(room, T0 + 5).room.recordings[name]
    done = Recording(name, recording.started_at, COMPLETED, recording.finished_at, 5.0, 100, "key")
    return recordings.with_recording(room, done).room


@pytest.mark.parametrize("on", [True, False])
def test_a_recording_is_due_where_the_room_says_so(on: bool) -> None:
    assert opened(record_on_start=on).record_due is on


def test_what_is_due_begins_once() -> None:
    begun = recordings.begun(opened(record_on_start=True), "r1", T0)
    assert not begun.room.record_due
    assert begun.room.session.recording
    assert list(begun.room.recordings) == ["r1"]


@pytest.mark.parametrize(
    ("before", "action", "after"),
    [
        (RECORDING, "pause", PAUSED),
        (PAUSED, "resume", RECORDING),
        (RECORDING, "stop", PROCESSING),
        (PAUSED, "stop", PROCESSING),
    ],
)
def test_what_can_be_done_to_a_recording(before: RecordingStatus, action: str, after: RecordingStatus) -> None:
    room = with_people(opened(), "ana")
    room = recordings.with_recording(room, Recording("r1", T0, before)).room
    outcome = recordings.record(room, Record("session", action, "r1"), "", T0 + 9)  # type: ignore[arg-type]
    assert isinstance(outcome.reply, Recorded)
    recording = outcome.reply.recording
    assert recording.status is after
    assert recording.finished_at == (T0 + 9 if action == "stop" else None)
    assert outcome.room.session.recording is (after is RECORDING)


@pytest.mark.parametrize("before", [PROCESSING, COMPLETED])
@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_can_be_done_to_what_has_ended(before: RecordingStatus, action: str) -> None:
    room = recordings.with_recording(with_people(opened(), "ana"), Recording("r1", T0, before)).room
    outcome = recordings.record(room, Record("session", action, "r1"), "", T0)  # type: ignore[arg-type]
    assert isinstance(outcome.reply, Refused)
    assert outcome.reply.reason == "invalid_state"
    assert outcome.room is room


def test_there_is_one_at_a_time_and_not_more_than_can_be_finished() -> None:
    room = with_people(opened(), "ana")
    for number in range(UNFINISHED_MAX):
        room = recorded(room, f"r{number}")
        assert recordings.start(room, "more", T0).reply == recordings.ALREADY
        room = recordings.stop(room, T0 + 1).room
    assert recordings.start(room, "more", T0).reply == recordings.TOO_MANY
    room = finished(room, "r0")
    assert isinstance(recordings.start(room, "more", T0).reply, Recorded)


def test_the_room_remembers_so_many() -> None:
    room = with_people(opened(), "ana")
    for number in range(KEPT + 5):
        room = finished(recorded(room, f"r{number}"), f"r{number}")
    assert list(room.recordings) == [f"r{number}" for number in range(5, KEPT + 5)]


def test_what_ends_by_itself_says_why_and_what_has_ended_stays() -> None:
    room = recorded(with_people(opened(), "ana"))
    room = recordings.stop(room, T0 + 3, "The disk is full.").room
    assert room.recordings["r1"] == Recording("r1", T0, PROCESSING, T0 + 3, reason="The disk is full.")
    assert recordings.stop(room, T0 + 4).room is room


@pytest.mark.parametrize("status", RecordingStatus)
@pytest.mark.parametrize("on_start", [True, False])
def test_a_session_that_was_being_recorded_is_recorded_on_elsewhere(status: RecordingStatus, on_start: bool) -> None:
    room = recordings.with_recording(
        with_people(opened(record_on_start=on_start), "ana"), Recording("r1", T0, status)
    ).room
    past = seats.past_of(room)
    assert past is not None
    revived = seats.revive(opened(record_on_start=on_start), past, T0 + 60)
    assert revived.record_due is (status is RECORDING)
    assert not revived.session.recording, "until somebody is back"
    assert revived.recordings == {}, "the film is the one who had it's to finish"
