"""A live room is recorded: what people saw and heard is in the film, at the second at which it was so."""

from parlour.domain.live.recording import RecordingStatus
from parlour.media.recording.boxes import shape
from tests.domain.live.people import a_room
from tests.media.guest import Guest, live
from tests.media.recording.conftest import Studio
from tests.media.recording.watching import watch


async def test_a_session_is_recorded_from_its_first_member_to_its_end(studio: Studio) -> None:
    room = a_room(record_on_start=True)
    conference = studio.room(room)
    ana = await Guest(conference, studio.endpoint, "ana", room=room, codec="VP8").join()
    await live([ana], lambda: len(ana.frames) >= 60)
    (begun,) = studio.recordings
    assert begun.status is RecordingStatus.RECORDING
    await conference.close()
    stopped, done = studio.recordings[1:]
    assert stopped.status is RecordingStatus.PROCESSING
    assert done.status is RecordingStatus.COMPLETED
    assert done.reason == ""
    assert done.finished_at == stopped.finished_at
    path = studio.film(done)
    assert done.key.endswith(f"/{done.id}.mp4")
    assert done.size == path.stat().st_size
    with path.open("rb") as file:
        assert not shape(file).fragmented
    film = watch(path)
    assert abs(film.video - film.audio) < 0.1
    assert done.duration is not None
    assert done.finished_at is not None
    assert abs(done.duration - film.video) < 0.05
    assert 1.0 < film.video <= done.finished_at - done.started_at + 0.5
    assert studio.left() == []
