"""`sync_audio_video` on a live room: claps that come over unequal ways, as somebody in the room sees and hears them."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol

import pytest

from parlour.domain.live.capabilities import MODERATOR
from parlour.domain.live.commands import Act, Change, Done, Hold
from parlour.domain.room import Room
from parlour.media.conference import Conference
from parlour.media.lipsync.alignment import AHEAD, AS_IT_COMES
from parlour.media.transport import Endpoint, rtcp
from parlour.media.video.decode import QUEUE
from tests.domain.live.people import a_room
from tests.media.clapper import FPS, Clap, Clapper, Ear, Path, Place, Tape, claps, longest_run, takes
from tests.media.guest import Guest, every, live

pytestmark = pytest.mark.slow

BOUND = 0.04
"""Seconds by which a flash may be seen before or after its beep is heard."""
IN_A_ROW = 4
"""Claps after which a sender counts as aligned."""
EVERY = 36
APART = EVERY / FPS
"""Seconds from one clap to the next."""


def a_room_that(sync: bool | None, *, updated: float = 0, fps: int = 30) -> Room:
    """A room with this setting."""
    return a_room(max_members=0, sync_audio_video=sync, updated=updated, fps=fps)


@dataclass
class Scene:
    """A room, somebody who watches, and those who clap."""

    conference: Conference
    endpoint: Endpoint
    room: Room
    watcher: Guest
    clappers: dict[str, Clapper] = field(default_factory=dict)
    tapes: dict[str, Tape] = field(default_factory=dict)
    _places: dict[str, Place] = field(default_factory=dict)
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def clap(self, name: str, **given: Any) -> Clapper:
        """Somebody comes in, again perhaps, and claps."""
        guest = await Guest(
            self.conference, self.endpoint, name, room=self.room, capabilities=MODERATOR
        ).join()  # fmt: skip
        number = len(self.clappers)
        tone, first = 700.0 * 1.5**number, 15 + EVERY // 4 * (number % 4)
        if name in self.clappers:
            tone, first = self.clappers[name].tone, self.clappers[name].first
            self.silence(name)
        clapper = self.clappers[name] = Clapper(guest, tone=tone, first=first, every=EVERY, **given)
        self.watch(name)
        self._tasks[name] = asyncio.create_task(clapper.clap())
        return clapper

    def watch(self, name: str) -> None:
        """Forget what was seen and heard of somebody, and look and listen from now on."""
        member_id = self.clappers[name].guest.member_id

        def place() -> tuple[int, int] | None:
            for tile in self.conference._stage._tiles:
                if tile.member_id == member_id:
                    return tile.rect.x + tile.rect.width // 2, tile.rect.y + tile.rect.height // 2
            return None

        self.tapes[name] = Tape.of(self.watcher, self.clappers[name].tone)
        self._places[name] = place
        Ear(self.watcher, *((self.tapes[each], self._places[each]) for each in self.tapes))

    def silence(self, name: str) -> None:
        """Somebody stops clapping."""
        self._tasks.pop(name).cancel()

    async def live(self, until: Callable[[], bool], also: Callable[[int], object] = lambda step: None) -> None:
        """Let everybody watch until something is so, which is looked at now and then."""
        answer, said = False, -float("inf")

        def look(step: int) -> None:
            nonlocal answer, said
            also(step)
            if (now := time.monotonic()) - said > 5:  # who only watches says so now and then
                said = now
                self.watcher.line.deliver(self.watcher.check())
            answer = step % 20 == 0 and until()

        guests = [self.watcher, *(clapper.guest for clapper in self.clappers.values())]
        await live(guests, lambda: answer, also=look)

    def claps(self, name: str) -> list[Clap]:
        """What came through of somebody's."""
        return claps(self.tapes[name], APART)

    def together(self, *names: str) -> bool:
        """Whether claps of each of these, one after the other, were seen when they were heard."""
        offsets = ([clap.offset for clap in self.claps(name)] for name in names or self.clappers)
        return all(longest_run(each, BOUND) >= IN_A_ROW for each in offsets)

    def came(self, name: str) -> bool:
        """Whether enough claps of somebody came through to say something about them."""
        return len(self.claps(name)) >= IN_A_ROW

    def offset(self, name: str) -> float:
        """Seconds by which somebody's flashes come later than the beeps: the middle one."""
        offsets = sorted(clap.offset for clap in self.claps(name))
        return offsets[len(offsets) // 2]

    def counts(self, *names: str) -> list[float]:
        """Some of the room's figures."""
        statistics = self.conference.statistics()
        return [statistics[name] for name in names]

    def end(self) -> None:
        """Nobody claps any more."""
        for task in self._tasks.values():
            task.cancel()


class Build(Protocol):
    """Makes a room with the setting, and somebody in it who watches."""

    async def __call__(self, sync: bool | None, fps: int = 30) -> Scene: ...


@pytest.fixture
async def build(endpoint: Endpoint) -> AsyncIterator[Build]:
    """Rooms, which end with the test."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(sync: bool | None, fps: int = 30) -> Scene:
            numbers = count(1)
            room = a_room_that(sync, fps=fps)
            conference = Conference(
                room, "session", endpoint, lambda told: None, lambda: None, new_id=lambda: f"m{next(numbers)}"
            )
            stack.push_async_callback(conference.close)
            watcher = await Guest(conference, endpoint, "watcher", room=room).join()
            scene = Scene(conference, endpoint, room, watcher)
            stack.callback(scene.end)
            return scene

        yield make


def ways(offset: float, seed: int) -> dict[str, Path]:
    """Ways to the room of which the picture's takes so much longer, in seconds, both with jitter."""
    return {
        "picture": takes(max(0.0, offset) + 0.02, 0.05, seed),
        "sound": takes(max(0.0, -offset) + 0.01, 0.03, seed + 1),
    }


OFFSETS = {"a": -0.12, "b": 0.0, "c": 0.15, "d": 0.25}


@pytest.mark.parametrize(("levels", "fps"), [(True, 30), (False, 20)], ids=["silence is marked", "silence is decoded"])
async def test_what_was_taken_together_comes_together(build: Build, levels: bool, fps: int) -> None:
    scene = await build(True, fps)
    for number, (name, offset) in enumerate(OFFSETS.items()):
        await scene.clap(name, levels=levels, drift=(number - 1.5) * 100e-6, **ways(offset, number))
    most = dict.fromkeys(("sync_senders", "sync_offset_ms", "sync_sound_delay_ms", "sync_picture_delay_ms"), 0.0)

    def note(step: int) -> None:
        if step % 20 == 0:
            most.update((name, max(most[name], value)) for name, value in zip(most, scene.counts(*most), strict=True))

    await scene.live(scene.together, also=note)
    assert most["sync_senders"] == len(OFFSETS)
    assert most["sync_offset_ms"] > 300
    assert most["sync_sound_delay_ms"] > 250, "the sound of two waits for their pictures"
    assert most["sync_picture_delay_ms"] > 120, "the picture of one waits for the sound"


@pytest.mark.parametrize("setting", [False, None])
async def test_otherwise_everything_comes_as_soon_as_it_can(build: Build, setting: bool | None) -> None:
    scene = await build(setting)
    for number, (name, offset) in enumerate(OFFSETS.items()):
        await scene.clap(name, **ways(offset, number))
    await scene.live(lambda: all(map(scene.came, OFFSETS)))
    found = [scene.offset(name) for name in OFFSETS]
    assert found[0] < -BOUND
    assert min(found[2:]) > BOUND
    assert found == sorted(found)
    assert scene.counts("sync_senders", "sync_sound_delay_ms", "sync_picture_delay_ms") == [0, 0, 0]
    for call in scene.conference._calls.values():
        assert call.plan is AS_IT_COMES
        assert call.decoder is None or call.decoder.schedule is None
    members = scene.conference._stage.sound.sound._members.values()
    assert [member._delay for member in members] == [0] * len(members)
    assert all(member.statistics().lengthened == 0 for member in members)


async def test_it_is_turned_on_and_off_while_people_talk(build: Build) -> None:
    scene = await build(False)
    await scene.clap("a", **ways(0.25, 1))
    await scene.live(lambda: scene.came("a"))
    before = scene.offset("a")
    assert before > BOUND
    scene.conference.ask(Change(a_room_that(True, updated=1)))
    scene.watch("a")
    await scene.live(scene.together)
    scene.conference.ask(Change(a_room_that(None, updated=2)))
    await scene.live(lambda: scene.counts("sync_senders") == [0])
    scene.watch("a")
    await scene.live(lambda: scene.came("a"))
    assert scene.offset("a") > BOUND


async def test_who_sends_one_of_both_waits_for_nothing(build: Build) -> None:
    scene = await build(True)
    for name, given in (
        ("heard", {"films": False}),
        ("seen", {"speaks": False}),
        ("mute about it", {"reports": False}),
    ):
        await scene.clap(name, **given, **ways(0.2, 1))
    await scene.clap("both", **ways(0.2, 4))
    await scene.live(lambda: scene.together("both"))
    calls = {name: scene.conference._calls[clapper.guest.member_id] for name, clapper in scene.clappers.items()}
    assert {name: call.plan is AS_IT_COMES for name, call in calls.items()} == {
        "heard": True, "seen": True, "mute about it": True, "both": False,
    }  # fmt: skip
    assert len(scene.tapes["seen"].flashes()) >= IN_A_ROW
    assert len(scene.tapes["heard"].beeps()) >= IN_A_ROW


async def test_a_camera_that_is_turned_on_later(build: Build) -> None:
    scene = await build(True)
    clapper = await scene.clap("a", films=False, **ways(0.2, 1))
    await scene.live(lambda: len(scene.tapes["a"].beeps()) >= 2)
    assert scene.counts("sync_senders") == [0]
    clapper.films = True
    await scene.live(scene.together)
    clapper.films = False
    await scene.live(lambda: scene.counts("sync_senders", "sync_sound_delay_ms") == [0, 0])


async def test_mutes_and_holds_and_a_new_connection(build: Build) -> None:
    scene = await build(True)
    clapper = await scene.clap("a", **ways(-0.12, 1))
    await scene.live(scene.together)
    me = clapper.guest.member_id
    for channel in ("audio", "video"):
        assert isinstance(scene.conference.ask(Act(me, "mute", (me,), {"channels": [channel]})), Done)
        await scene.live(lambda: scene.counts("sync_senders") == [0])
        scene.conference.ask(Act(me, "unmute", (me,), {"channels": [channel]}))
        scene.watch("a")
        await scene.live(scene.together)
    scene.conference.ask(Hold("call-a", held=True))
    await scene.live(lambda: scene.counts("sync_senders") == [0])
    scene.conference.ask(Hold("call-a", held=False))
    scene.watch("a")
    await scene.live(scene.together)
    again = await scene.clap("a", clock=17.0, picture_zero=5, sound_zero=900_000, **ways(0.2, 1))
    assert again.guest.member_id == me
    await scene.live(scene.together)


async def test_lost_packets(build: Build) -> None:
    scene = await build(True)
    clapper = await scene.clap("a", **ways(0.15, 1))
    clapper.guest.line.loses = every(15)
    await scene.live(scene.together)


async def test_a_sender_that_lies_is_left_alone_and_harms_nobody(build: Build) -> None:
    scene = await build(True)
    await scene.clap("honest", **ways(0.15, 1))
    far = await scene.clap("far", reports=False, **ways(0.0, 2))
    wild = await scene.clap("wild", reports=False, **ways(0.0, 3))
    chance = random.Random(5)  # noqa: S311 - made up on purpose

    def lie(step: int) -> None:
        now = asyncio.get_running_loop().time() - far.started
        if step % 15 == 0:
            for ssrc, rate, zero, error in (
                (far.guest.ssrc, 90_000, far.picture_zero, 1.5), (far.guest.voice_ssrc, 48_000, far.sound_zero, 0.0),
            ):  # fmt: skip
                far.guest.tell(ssrc, 1e9 + now + error, round(now * rate) + zero)
        for ssrc in (wild.guest.ssrc, wild.guest.voice_ssrc):
            wild.guest.tell(ssrc, chance.random() * 2**32, chance.getrandbits(32))
        for call in scene.conference._calls.values():
            assert call.decoder is None or len(call.decoder._queue) <= QUEUE

    await scene.live(lambda: scene.together("honest") and scene.came("far") and scene.came("wild"), also=lie)
    calls = {name: scene.conference._calls[clapper.guest.member_id] for name, clapper in scene.clappers.items()}
    assert calls["far"].alignment.given_up
    assert calls["far"].plan is AS_IT_COMES
    assert calls["honest"].plan.delay > AHEAD
    assert scene.counts("sync_given_up")[0] >= 1
    assert scene.counts("calls_sync_given_up")[0] >= 1
    assert scene.counts("calls_sender_reports_odd")[0] > 20


async def test_the_room_s_own_reports_tie_its_sound_to_its_picture(build: Build) -> None:
    scene = await build(None)
    await scene.clap("a")
    streams = (scene.watcher.leg.outgoing_audio, scene.watcher.leg.outgoing_video)
    zeros: dict[int, dict[float, float]] = {stream.ssrc: {} for stream in streams}  # by when it was said

    def note(_: int) -> None:
        for stream in streams:
            if (told := scene.watcher.reports.get(stream.ssrc)) is not None:
                elapsed = ((told[1] - stream.offset) & 0xFFFFFFFF) / stream.clock_rate
                zeros[stream.ssrc][told[0]] = told[0] - elapsed

    await scene.live(lambda: all(len(each) >= 3 for each in zeros.values()), also=note)
    sound, picture = (zeros[stream.ssrc] for stream in streams)
    both = sound.keys() & picture.keys()
    assert len(both) >= 2, "both are told of at once"
    assert all(sound[at] == pytest.approx(picture[at], abs=0.0002) for at in both), "one moment, each time"
    began = scene.conference._stage.started + scene.endpoint.wall() - scene.endpoint.clock() + rtcp.NTP_OFFSET
    assert sound[max(both)] == pytest.approx(began, abs=0.5), "by the wall's clock"
