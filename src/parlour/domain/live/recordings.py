"""The recordings of a live room: started, paused, resumed, stopped. At most one is live at a time.

Where ``LiveRoom.record_due`` says so, one begins with the first person.
"""

from dataclasses import replace

from parlour.domain.live.commands import Record, Recorded, Refused
from parlour.domain.live.recording import Recording, RecordingStatus
from parlour.domain.live.room import LiveRoom, Outcome, changes

KEPT = 32
"""Recordings of a session that the live room remembers; older ones are known to the database alone."""

NO_SUCH_SESSION = Refused(404, "no_such_session", "This session is over.")
NO_SUCH_RECORDING = Refused(404, "no_such_recording", "There is no such recording in this session.")
UNFINISHED_MAX = 4
"""Recordings of a session that may be in the making or being finished at the same time."""

ALREADY = Refused(422, "invalid_state", "The session is being recorded already.")
TOO_MANY = Refused(422, "invalid_state", "Recordings of this session are still being finished; try again later.")


def record(room: LiveRoom, command: Record, new_id: str, now: float) -> Outcome:
    """Do what is asked; a recording that begins is called ``new_id``."""
    if command.session_id != room.session.id or not room.members:
        return Outcome(room, (), NO_SUCH_SESSION)
    if command.action == "start":
        return start(room, new_id, now)
    recording = room.recordings.get(command.recording_id)
    if recording is None:
        return Outcome(room, (), NO_SUCH_RECORDING)
    after = recording.turned(command.action, now)
    if after is None:
        return Outcome(room, (), Refused(422, "invalid_state", f"The recording is {recording.status.value}."))
    return with_recording(room, after)


def start(room: LiveRoom, new_id: str, now: float) -> Outcome:
    """Begin to record, unless the session is being recorded."""
    if live(room) is not None:
        return Outcome(room, (), ALREADY)
    if sum(one.status is not RecordingStatus.COMPLETED for one in room.recordings.values()) >= UNFINISHED_MAX:
        return Outcome(room, (), TOO_MANY)
    return with_recording(room, Recording(new_id, now))


def begun(room: LiveRoom, new_id: str, now: float) -> Outcome:
    """What a room is like for the person who comes first, where that begins a recording called ``new_id``."""
    return start(replace(room, record_due=False), new_id, now)


def stop(room: LiveRoom, now: float, reason: str = "") -> Outcome:
    """End what is live; ``reason`` says in words why, where nobody has asked for it."""
    recording = live(room)
    after = recording.turned("stop", now) if recording is not None else None
    return Outcome(room) if after is None else with_recording(room, replace(after, reason=reason))


def with_recording(room: LiveRoom, recording: Recording) -> Outcome:
    """The room with this recording as it is now; everybody sees whether they are being recorded."""
    recordings = {**room.recordings, recording.id: recording}
    for found in [one.id for one in recordings.values() if not one.is_live][:-KEPT]:
        del recordings[found]
    on = any(one.status is RecordingStatus.RECORDING for one in recordings.values())
    after = replace(room, recordings=recordings, session=replace(room.session, recording=on))
    return Outcome(after, changes(room, after), Recorded(recording))


def live(room: LiveRoom) -> Recording | None:
    """The recording that is going on, paused or not."""
    return next((recording for recording in room.recordings.values() if recording.is_live), None)
