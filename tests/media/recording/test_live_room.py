"""A live room is recorded: what people saw and heard is in the film, at the second at which it was so."""

import asyncio
import os
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

import pytest

from parlour.domain.live.commands import Act, Done, Leave, Record, Recorded, Refused, Shut
from parlour.domain.live.events import SessionUpdated
from parlour.domain.live.recording import Recording, RecordingStatus
from parlour.domain.live.recordings import UNFINISHED_MAX
from parlour.domain.room import Room
from parlour.media import conference as conference_module
from parlour.media.audio.tones import Tone
from parlour.media.conference import Conference
from parlour.media.recording import recorder
from parlour.media.recording.boxes import shape
from tests.domain.live.people import a_room
from tests.media.audio.signals import loudness
from tests.media.guest import Guest, live
from tests.media.recording.actors import Actor, on_stage
from tests.media.recording.conftest import Studio
from tests.media.recording.watching import Watched, watch
from tests.media.video.scene import BLUE, GREEN, RED, is_near, pixel
from tests.support.waiting import until

LOUD, QUIET = -35.0, -55.0
SLACK = 1.0
"""Seconds after a change within which it may come into the film: a busy machine, a fade, the settling of a layout."""
EARLY = 0.5
"""Seconds before a change from which on it may be in the film, which begins with its first keyframe."""
SCENE = 3.0
"""Seconds of each scene."""


def ask(conference: Conference, action: str, recording: str = "") -> Recording:
    """A command about a recording; the recording as it is then."""
    session = conference._state.session.id
    reply = conference.ask(Record(session, action, recording))  # type: ignore[arg-type]
    assert isinstance(reply, Recorded), reply
    return reply.recording


async def enter(studio: Studio, conference: Conference, room: Room, name: str, codec: str = "H264") -> Guest:
    """Somebody without a camera comes in."""
    return await Guest(conference, studio.endpoint, name, room=room, codec=codec).join()


async def seconds_pass(conference: Conference, seconds: float) -> None:
    """Wait until the room's clock has gone on for so long."""
    ticks = conference.statistics()["sound_ticks"]
    await until(lambda: conference.statistics()["sound_ticks"] >= ticks + seconds * 50)


@dataclass(frozen=True)
class Scene:
    """What is to be seen and heard from ``start`` to ``end``, in seconds of the film."""

    start: float
    end: float
    places: Mapping[str, tuple[float, float]]
    shown: Collection[Actor]
    heard: Collection[Actor]


def assert_is_in(film: Watched, scene: Scene, actors: Collection[Actor]) -> None:
    """The film shows and sounds as the scene did, all through."""
    at = scene.start + SLACK
    while at < scene.end - EARLY:
        frame = film.picture_at(at)
        for actor in actors:
            if actor.member_id in scene.places:
                x, y = scene.places[actor.member_id]
                found = pixel(frame, int(x * frame.width), int(y * frame.height))
                assert is_near(found, actor.colour, 12) is (actor in scene.shown), (at, actor.name, found)
            level = loudness(film.sound_at(at), actor.hertz)
            assert (level > LOUD) if actor in scene.heard else (level < QUIET), (at, actor.name, level)
        at += 0.2


async def test_a_scripted_scene_is_in_the_film_as_it_was(studio: Studio) -> None:
    room = a_room(record_on_start=True, tone_on_entry_and_exit=False)
    conference = studio.room(room)
    script = [("ana", RED, 1000, "VP8"), ("ben", GREEN, 1500, "H264"), ("cleo", BLUE, 2200, "H264")]
    actors = [Actor(conference, studio.endpoint, n, c, h, room=room, codec=codec) for n, c, h, codec in script]
    ana, ben, cleo = actors
    began = studio.recordings[0].started_at
    scenes: list[Scene] = []

    def do(actor: Actor, name: str, **params: object) -> None:
        reply = conference.ask(Act(actor.member_id, name, (actor.member_id,), params))
        assert isinstance(reply, Done), reply

    async def play(shown: Collection[Actor], heard: Collection[Actor]) -> None:
        start = time.time() - began
        await seconds_pass(conference, SCENE)
        places = {
            layer.member_id: ((layer.x + layer.width / 2) / 100, (layer.y + layer.height / 2) / 100)
            for layer in conference._state.picture.layers
            if layer.member_id
        }
        scenes.append(Scene(start, time.time() - began, places, shown, heard))

    for actor in actors:
        await actor.join()
    async with on_stage(*actors):
        await until(lambda: all(member.talking for member in conference._state.members.values()))
        await play(actors, actors)
        do(ana, "layout.set", layout="highlight-1-responsive")
        await play(actors, actors)
        do(ben, "mute", channels=["audio", "video"])
        await play([ana, cleo], [ana, cleo])
        conference.ask(Leave("call-cleo"))
        await play([ana], [ana])
        await conference.close()
    assert scenes[0].places != scenes[1].places, "the layout has changed"
    assert cleo.member_id not in scenes[3].places
    film = watch(studio.film())
    assert abs(film.video - film.audio) < 0.1
    assert film.video == pytest.approx(scenes[3].end, abs=SLACK)
    for scene in scenes:
        assert len(scene.places) == (2 if scene is scenes[3] else 3)
        assert_is_in(film, scene, actors)


async def test_a_session_is_recorded_from_its_first_member_to_its_end(studio: Studio) -> None:
    room = a_room(record_on_start=True)
    conference = studio.room(room)
    await asyncio.sleep(0.1)
    assert studio.recordings == [], "nobody is in"
    ana = await enter(studio, conference, room, "ana", codec="VP8")
    await live([ana], lambda: len(ana.frames) >= 60)
    (begun,) = studio.recordings
    assert begun.status is RecordingStatus.RECORDING
    assert conference._state.session.recording
    assert conference.statistics()["recordings_live"] == 1
    conference.ask(Shut())
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
    assert done.duration == pytest.approx(max(film.video, film.audio), abs=0.05)
    assert 1.0 < film.video <= done.finished_at - done.started_at + SLACK
    assert studio.left() == []
    names = [entry.name for entry in studio.entries]
    assert names.index("recording.started") < names.index("room.ended") < names.index("recording.ended")


async def test_a_room_that_does_not_ask_for_it_is_not_recorded(studio: Studio) -> None:
    room = a_room()
    conference = studio.room(room)
    ana = await enter(studio, conference, room, "ana", codec="VP8")
    await live([ana], lambda: len(ana.frames) >= 5)
    assert studio.recordings == []
    assert conference.statistics()["picture_renditions"] == 1
    assert not studio.spool.folder.exists()


async def test_h264_is_encoded_once_for_recordings_and_for_whoever_watches(studio: Studio) -> None:
    room = a_room()
    conference = studio.room(room)

    def renditions() -> float:
        return conference.statistics()["picture_renditions"]

    async def encoded_for_each_tick() -> float:
        before = conference.statistics()
        await until(lambda: conference.statistics()["picture_ticks"] >= before["picture_ticks"] + 40)
        after = conference.statistics()
        return (after["picture_encoded"] - before["picture_encoded"]) / (
            after["picture_ticks"] - before["picture_ticks"]
        )

    ana = await enter(studio, conference, room, "ana", codec="VP8")
    await live([ana], lambda: len(ana.frames) >= 5)
    assert renditions() == 1
    recording = ask(conference, "start")
    assert renditions() == 2, "where nobody takes H.264 it is made for the recording"
    ben = await enter(studio, conference, room, "ben")
    await live([ana, ben], lambda: len(ben.frames) >= 5)
    assert renditions() == 2, "who takes it now gets what is recorded"
    ask(conference, "pause", recording.id)
    assert renditions() == 2
    conference.ask(Leave("call-ana"))
    await until(lambda: renditions() == 1)
    alone = await encoded_for_each_tick()
    ask(conference, "resume", recording.id)
    assert renditions() == 1
    assert await encoded_for_each_tick() <= max(1.0, alone + 0.35), "keyframes aside, nothing more is encoded"
    ask(conference, "stop", recording.id)
    await until(studio.done)
    assert renditions() == 1
    assert studio.film().exists()


async def test_the_tones_of_the_room_are_in_the_film(studio: Studio) -> None:
    room = a_room(record_on_start=True, tone_on_entry_and_exit=True)
    conference = studio.room(room)
    ana = await enter(studio, conference, room, "ana")
    await live([ana], lambda: ana.heard >= 25)
    ben = await enter(studio, conference, room, "ben")
    await live([ana, ben], lambda: ben.heard >= 75)
    await conference.close()
    film = watch(studio.film())
    steps = [film.sound_at(0.05 * step, 0.1) for step in range(int(film.audio / 0.05) - 2)]
    assert any(min(loudness(step, hertz) for hertz in Tone.ENTRY.value[0]) > LOUD for step in steps)


async def test_pause_resume_and_stop(studio: Studio) -> None:
    room = a_room()
    conference = studio.room(room)
    actor = Actor(conference, studio.endpoint, "ana", RED, 1000, room=room)
    await actor.join()
    async with on_stage(actor):
        await until(lambda: conference._state.members[actor.member_id].talking)
        recording = ask(conference, "start")
        assert isinstance(conference.ask(Record(conference._state.session.id, "start")), Refused), "one at a time"
        await seconds_pass(conference, 1.5)
        assert ask(conference, "pause", recording.id).status is RecordingStatus.PAUSED
        await seconds_pass(conference, 2)
        assert ask(conference, "resume", recording.id).status is RecordingStatus.RECORDING
        await seconds_pass(conference, 1.5)
        stopped = ask(conference, "stop", recording.id)
        assert stopped.status is RecordingStatus.PROCESSING
        await until(studio.done)
    film = watch(studio.film())
    assert film.video == pytest.approx(3, abs=SLACK), "the pause is left out"
    assert film.audio == pytest.approx(film.video, abs=0.1)
    told = [
        t.event.session.recording
        for t in studio.told
        if isinstance(t.event, SessionUpdated) and "recording" in t.event.updated
    ]
    assert told == [True, False, True, False]


async def test_while_nobody_is_in_the_film_stands_still(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conference_module, "LINGER_S", 6.0)
    room = a_room(record_on_start=True)
    conference = studio.room(room)
    ana = await enter(studio, conference, room, "ana")
    await live([ana], lambda: ana.heard >= 75)
    conference.ask(Leave("call-ana"))
    left = time.time()
    await seconds_pass(conference, 1.5)
    assert conference._state.session.recording
    ben = await enter(studio, conference, room, "ben")
    back = time.time()
    await live([ben], lambda: ben.heard >= 75)
    conference.ask(Leave("call-ben"))
    await until(lambda: conference.is_over)
    await conference.close()
    (done,) = [one for one in studio.recordings if one.status is RecordingStatus.COMPLETED]
    assert done.finished_at is not None
    film = watch(studio.film(done))
    assert film.video <= done.finished_at - done.started_at - (back - left) - 5.5
    assert film.video == pytest.approx(film.audio, abs=0.1)


@pytest.mark.parametrize("recorded", [True, False])
async def test_a_room_that_goes_on_elsewhere_is_recorded_on_if_it_was(studio: Studio, recorded: bool) -> None:
    """Also where moderators had started it, and not where they had stopped what began by itself."""
    room = a_room(record_on_start=not recorded)
    conference = studio.room(room)
    ana = await enter(studio, conference, room, "ana")
    await live([ana], lambda: ana.heard >= 25)
    if recorded:
        ask(conference, "start")
        await live([ana], lambda: ana.heard >= 50)
    else:
        ask(conference, "stop", studio.recordings[0].id)
    past = conference.past
    assert past is not None
    assert past.session.recording is recorded
    before = list(studio.told)
    await conference.close(silent=True)
    assert studio.told == before, "silent"
    assert studio.done()
    first = studio.recordings[-1]
    again = studio.room(room, past=past)
    ben = await enter(studio, again, room, "ben")
    await live([ben], lambda: ben.heard >= 25)
    assert again._state.session.recording is recorded
    assert (studio.recordings[-1].id != first.id) is recorded
    await again.close()
    if recorded:
        assert {entry.session_id for entry in studio.entries if entry.recording} == {past.session.id}
        assert studio.film() != studio.film(first)


async def test_a_stuck_disk_does_not_disturb_the_room(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """The film is a pipe that nobody reads until the room is over."""
    monkeypatch.setattr(recorder, "QUEUE_MAX", 50)
    monkeypatch.setattr(conference_module, "RECORDED_S", 0.5)
    room = a_room(record_on_start=True)
    studio.spool.folder.mkdir()
    name = UUID(int=int(studio.new_id().replace("-", ""), 16) + 3)  # ids of the session and of the member come first
    pipe = studio.spool.folder / f"{name}.mp4"
    os.mkfifo(pipe)
    conference = studio.room(room)
    ana = await enter(studio, conference, room, "ana")
    assert studio.recordings[0].id == str(name)
    await live([ana], lambda: ana.heard >= 150 and len(ana.frames) >= 20)
    counts = conference.statistics()
    assert counts["recordings_queue"] <= 52
    assert studio.archive.statistics()["recordings_drops"] > 50
    await asyncio.wait_for(conference.close(), 20)
    assert studio.recordings[-1].status is RecordingStatus.PROCESSING
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    await until(studio.done)
    reader.join()


async def test_what_breaks_a_recording_does_not_break_the_room(studio: Studio) -> None:
    room = a_room(record_on_start=True)
    studio.folder.joinpath("spool").write_text("in the way")
    conference = studio.room(room)
    ana = await enter(studio, conference, room, "ana")
    await live([ana], studio.done)
    done = studio.recordings[-1]
    assert done.reason.startswith("The recording could not go on: ")
    assert done.key == ""
    assert not conference._state.session.recording
    await live([ana], lambda: ana.heard >= 50)
    studio.folder.joinpath("spool").unlink()
    ask(conference, "start")
    await live([ana], lambda: ana.heard >= 100)
    await conference.close()
    assert studio.recordings[-1].key


async def test_a_moderator_cannot_start_more_than_can_be_finished(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    let = threading.Event()
    put = type(studio.archive)._put

    def wait(*arguments: object) -> None:
        assert let.wait(60)
        put(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(type(studio.archive), "_put", wait)
    room = a_room()
    conference = studio.room(room)
    ana = await enter(studio, conference, room, "ana")
    for _ in range(UNFINISHED_MAX):
        recording = ask(conference, "start")
        await live([ana], lambda before=ana.heard: ana.heard >= before + 25)  # type: ignore[misc]
        ask(conference, "stop", recording.id)
    refused = conference.ask(Record(conference._state.session.id, "start"))
    assert isinstance(refused, Refused)
    assert refused.reason == "invalid_state"
    let.set()
    await until(studio.done)
    ask(conference, "start")


async def test_the_files_stay_until_what_became_of_them_is_written_down(studio: Studio) -> None:
    studio.kept = False
    room = a_room(record_on_start=True)
    conference = studio.room(room)
    ana = await enter(studio, conference, room, "ana")
    await live([ana], lambda: ana.heard >= 25)
    await conference.close()
    assert studio.film().exists()
    assert f"{studio.recordings[-1].id}.mp4" in studio.left()
    ((reel, _),) = studio.spool.orphans()
    reel.discard()
