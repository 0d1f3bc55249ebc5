"""The people of a measured room, in a process of their own: an ``Order`` as JSON on standard input, a ``Report`` out.

They are the members of ``parlour loadtest``, but join over the bus as a front would let them. One of them watches
closely: it decodes the room's picture, and reads from it how old it is.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import msgspec
import numpy as np
import uvloop

from benchmarks.content import Content, decode_opus, load, onsets
from parlour.bus.rooms import BusRooms, bus_rooms
from parlour.domain.address import Address
from parlour.domain.live.commands import Accepted, Join, Leave
from parlour.domain.live.events import LayoutChanged, Told
from parlour.domain.room import Layout, Room, RoomSettings
from parlour.loadtest import figures
from parlour.loadtest.content import LOUD, QUIET
from parlour.loadtest.crowd import Crowd, Guest
from parlour.loadtest.description import AUDIO
from parlour.loadtest.member import Member
from parlour.loadtest.signalling import NotIn, Seat
from parlour.media.audio.frame import FRAME, RATE
from parlour.media.transport import rtp
from parlour.media.video.codec import VideoCodec

MEMBERS = 300
BEEP_EVERY_S = 0.7
APART_S = 0.35
"""Longer than keyframes of the shared picture keep apart, so that joins do not wait for one another."""
TOGETHER_S = 0.05
"""For rooms of so many that their joins are not what is measured."""
LARGE = 16
QUANTILES = 401
_FOUND_S = 30.0
_TOLD_S = 0.05
_FRAME_S = FRAME / RATE
_LOOPBACK = frozenset({"127.0.0.1"})


@dataclass(frozen=True, slots=True)
class Order:
    """What room to make. ``senders`` send and receive, ``watchers`` only receive.

    ``speakers`` of the senders speak all the time; with ``beeps`` nobody does, and all but one beep in turn. With
    ``turns`` there is one sender, and ``watchers`` come and go so often.
    """

    nats_url: str
    worker_pid: int
    content: str
    codec: VideoCodec
    senders: int
    seconds: float
    settle: float
    watchers: int = 0
    speakers: int = 0
    turns: int = 0
    beeps: bool = False
    layout: Layout = Layout.GRID_RESPONSIVE


@dataclass(slots=True)
class Window:
    """A measured span of time. CPU in seconds: the worker's and of its threads, the largest first behind the loop's.

    ``worker`` is by how much the worker's own figures grew, over about the same time.
    """

    receivers: int
    wall: float = 0.0
    cpu: float = 0.0
    threads: list[float] = field(default_factory=list)
    own_cpu: float = 0.0
    machine_busy: float = 0.0
    """CPU seconds that the whole machine was busy."""
    video_out: int = 0
    audio_out: int = 0
    octets_out: int = 0
    packets_in: int = 0
    worker: dict[str, float] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """The worker's CPU seconds a second."""
        return self.cpu / self.wall


@dataclass(slots=True)
class Report:
    """What was seen. Lists are in milliseconds; of many values they are quantiles at equal distances.

    ``ages`` is how old senders' pictures were when they came composed, ``aged`` how many values that is.
    """

    windows: list[Window] = field(default_factory=list)
    joins: list[float] = field(default_factory=list)
    ages: list[float] = field(default_factory=list)
    aged: int = 0
    beeps: list[float] = field(default_factory=list)
    beeps_sent: int = 0
    deviations: list[float] = field(default_factory=list)
    pictures: int = 0
    ticks: int = 0
    """How many pictures the timestamps of the first and the last leave room for."""
    frames: int = 0
    late_frames: int = 0
    """20 ms of sound, and those of them that came a whole frame behind the others."""
    lost: int = 0
    lateness: list[float] = field(default_factory=list)


class BusDoor:
    """A way in over the bus."""

    def __init__(self, rooms: BusRooms, room: Room) -> None:
        self._rooms, self._room, self._call_id = rooms, room, str(uuid4())

    async def enter(self, offer: str) -> Seat:
        """See ``crowd.Door``."""
        join = Join(self._room, self._call_id, offer, "Somebody", ("self", "member", "layout"))
        reply = await self._rooms.ask(self._room.room_id, join)
        if not isinstance(reply, Accepted):
            raise NotIn(f"nobody lets us in: {reply}")
        return Seat(reply.member_id, reply.sdp)

    async def leave(self) -> None:
        """See ``crowd.Door``."""
        await self._rooms.ask(self._room.room_id, Leave(self._call_id))

    async def vanish(self) -> None:
        """See ``crowd.Door``: on the bus nobody vanishes."""
        await self.leave()


class Beeper:
    """A microphone that is silent but for beeps. ``beeps`` are the Unix times at which they began to be sent."""

    def __init__(self, content: Content) -> None:
        self.wanted = False
        self.beeps: list[float] = []
        self._content = content

    def sound(self) -> Iterator[tuple[bytes, int]]:
        """Packets with their levels."""
        beep, at = self._content.beep, -1
        while True:
            if self.wanted:
                self.wanted, at = False, 0
                self.beeps.append(time.time())
            if 0 <= at < len(beep.payloads):
                yield beep.payloads[at], LOUD if beep.levels[at] == LOUD else QUIET
                at += 1
            else:
                yield self._content.sounds.silence, QUIET


class Meter:
    """Reads CPU clocks of the worker, its figures, and counts packets over a window."""

    def __init__(self, pid: int, crowd: Crowd, rooms: BusRooms) -> None:
        self._pid, self._crowd, self._rooms = pid, crowd, rooms
        self._began = self._read()

    def window(self) -> Window:
        """From the start until now."""
        now, began = self._read(), self._began
        threads = {tid: seconds - began[5].get(tid, 0.0) for tid, seconds in now[5].items()}
        loop = threads.pop(self._pid, 0.0)
        video, audio, octets, sent = (after - before for after, before in zip(now[4], began[4], strict=True))
        return Window(
            len(self._crowd.guests),
            now[0] - began[0],
            now[1] - began[1],
            [loop, *sorted(threads.values(), reverse=True)[:4]],
            now[2] - began[2],
            now[3] - began[3],
            video,
            audio,
            octets,
            sent,
            {name: value - began[6].get(name, 0.0) for name, value in now[6].items()},
        )

    def _read(self) -> tuple[float, float, float, float, tuple[int, ...], dict[int, float], dict[str, float]]:
        peers = [guest.member.peer for guest in self._crowd.guests]
        seen = [peer.reception.counts for peer in peers]
        counts = (
            sum(one.video for one in seen),
            sum(one.audio for one in seen),
            sum(one.octets for one in seen),
            sum(peer.sent for peer in peers),
        )
        tasks = Path(f"/proc/{self._pid}/task").iterdir()
        threads = {int(task.name): int((task / "schedstat").read_text().split()[0]) / 1e9 for task in tasks}
        cpu = time.clock_gettime(~self._pid << 3 | 2)  # another process's clock, see clock_getcpuclockid(3)
        told = next(iter(self._rooms.workers().values()), {})
        return time.monotonic(), cpu, time.process_time(), machine_busy(), counts, threads, told


def thinned(seconds: Collection[float]) -> list[float]:
    """Values in milliseconds; where there are many, quantiles of them at equal distances, the ends included."""
    if len(seconds) <= QUANTILES:
        return [round(value * 1000, 2) for value in seconds]
    found = np.quantile(np.fromiter(seconds, np.float64), np.linspace(0, 1, QUANTILES))
    return [round(float(value) * 1000, 2) for value in found]


def machine_busy() -> float:
    """CPU seconds since the start in which the machine was not idle."""
    fields = [int(text) for text in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / 100


class Gathering:
    """A room and who is in it."""

    def __init__(self, order: Order, rooms: BusRooms, content: Content) -> None:
        self.report = Report()
        # Without bursts: a kernel that hands over a burst in one piece spares the sender half of its work here.
        self.crowd = Crowd(order.codec, content.film, content.sounds, own=_LOOPBACK, bursts=False)
        self.sounds: list[tuple[float, int, bytes]] = []
        """Unix time, timestamp and payload of each packet of sound that the watching member got."""
        self._order, self._rooms, self._content = order, rooms, content
        now = datetime.now(UTC)
        settings = RoomSettings(
            "bench", "bench", enable_room_previews=False, max_members=MEMBERS, layout=order.layout,
            tone_on_entry_and_exit=False,
        )  # fmt: skip
        self.room = Room(uuid4(), uuid4(), uuid4(), Address(uuid4(), "bench"), settings, now, now)
        self.watching: Member | None = None

    def hear(self, told: Told) -> None:
        """Remember where everybody is shown."""
        if isinstance(told.event, LayoutChanged) and self.watching is not None and self.watching.eye is not None:
            self.watching.eye.lay_out(
                {
                    layer.member_id: (layer.x, layer.y, layer.width, layer.height)
                    for layer in told.event.picture.layers
                    if layer.member_id is not None
                }
            )

    async def join(
        self, *, sends: bool, watches: bool = False, voice: int | None = None, beeper: Beeper | None = None
    ) -> Guest:
        """Bring one more in; how long it took until a picture could be shown goes to the report."""
        guest = await self.crowd.join(
            BusDoor(self._rooms, self.room),
            sends=sends,
            voice=voice,
            sound=None if beeper is None else beeper.sound(),
            prepare=self._watch if watches else (lambda member: None),
        )
        self.report.joins.append(guest.joined * 1000)
        return guest

    async def measure(self) -> tuple[float, float]:
        """One window; returns its Unix times."""
        meter, began = Meter(self._order.worker_pid, self.crowd, self._rooms), time.time()
        await asyncio.sleep(self._order.seconds)
        self.report.windows.append(meter.window())
        return began, time.time()

    def look(self, began: float, ended: float) -> None:
        """Put what the watching member saw and heard in this time into the report."""
        report, member = self.report, self.watching
        if member is None or member.eye is None:
            return
        seen = member.eye.seen
        chosen = [index for index, at in enumerate(seen.arrivals) if began <= at < ended]
        stamps, arrivals = [seen.stamps[index] for index in chosen], [seen.arrivals[index] for index in chosen]
        report.deviations = thinned(figures.deviations(stamps, arrivals))
        report.pictures = len(stamps)
        report.ticks = round((stamps[-1] - stamps[0]) / 90_000 * 30) + 1 if stamps else 0
        ages = seen.ages_between(began, ended)
        report.ages, report.aged = thinned(ages), len(ages)
        heard = [(at, stamp) for at, stamp, _ in self.sounds if began <= at < ended]
        behind = figures.deviations([stamp * 90 // 48 for _, stamp in heard], [at for at, _ in heard])
        report.frames, report.late_frames = len(heard), sum(value > _FRAME_S for value in behind)
        report.lateness = thinned(self.crowd.engine.lateness)
        report.lost = sum(
            guest.member.peer.reception.counts.lost + guest.member.peer.reception.counts.audio_lost
            for guest in self.crowd.guests
        )

    def _watch(self, member: Member) -> None:
        self.watching = member
        member.watch(self.crowd.sent_at)
        member.peer.heard = self._hear_sound

    def _hear_sound(self, plain: bytes, arrived: float) -> None:
        header = rtp.parse(plain)
        if header.payload_type == AUDIO:
            self.sounds.append((arrived, header.timestamp, plain[header.start : header.end]))


@asynccontextmanager
async def gathered(order: Order) -> AsyncIterator[Gathering]:
    """An empty room on the worker."""
    content = load(Path(order.content))
    async with bus_rooms(order.nats_url) as rooms:
        async with asyncio.timeout(_FOUND_S):
            while not rooms.statistics()["workers"]:  # noqa: ASYNC110 - it says so to nobody but the bus
                await asyncio.sleep(_TOLD_S)
        gathering = Gathering(order, rooms, content)
        door = await rooms.subscribe(gathering.room.room_id, gathering.hear)
        running = asyncio.create_task(gathering.crowd.engine.run())
        try:
            yield gathering
        finally:
            for guest in list(gathering.crowd.guests):
                await gathering.crowd.leave(guest)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            gathering.crowd.engine.shut()
            await door.close()


async def conversation(order: Order) -> Report:
    """People who send and receive, and some who only receive; the last sender to come watches."""
    async with gathered(order) as gathering:
        content = load(Path(order.content))
        beepers = [Beeper(content) for _ in range(order.senders - 1)] if order.beeps else []
        apart = APART_S if order.senders + order.watchers <= LARGE else TOGETHER_S
        for number in range(order.senders):
            await gathering.join(
                sends=True,
                watches=number == order.senders - 1,
                voice=number if number < order.speakers else None,
                beeper=beepers[number] if number < len(beepers) else None,
            )
            await asyncio.sleep(apart)
        for _ in range(order.watchers):
            await gathering.join(sends=False)
            await asyncio.sleep(apart)
        await asyncio.sleep(order.settle)
        gathering.crowd.engine.lateness.clear()
        beeping = asyncio.create_task(_beep(beepers)) if beepers else None
        began, ended = await gathering.measure()
        if beeping is not None:
            beeping.cancel()
            await asyncio.sleep(0.3)
        gathering.look(began, ended)
        report = gathering.report
        if beepers:
            onset = content.beep.onset / RATE
            beeps = sorted(at + onset for beeper in beepers for at in beeper.beeps)
            report.beeps_sent = len(beeps)
            report.beeps = _match(_heard(gathering.sounds), beeps, BEEP_EVERY_S)
        return report


async def audience(order: Order) -> Report:
    """One who sends, and watchers who come and go: windows with few and with many of them in turns."""
    async with gathered(order) as gathering:
        guests = gathering.crowd.guests
        await gathering.join(sends=True, voice=0)
        for _ in range(2):
            await gathering.join(sends=False)
        for turn in range(2 * order.turns + 1):
            while turn % 2 and len(guests) < 1 + order.watchers:
                await gathering.join(sends=False)
            while not turn % 2 and len(guests) > 3:
                await gathering.crowd.leave(guests[-1])
            await asyncio.sleep(order.settle)
            await gathering.measure()
        return gathering.report


async def _beep(beepers: list[Beeper]) -> None:
    while True:
        for beeper in beepers:
            beeper.wanted = True
            await asyncio.sleep(BEEP_EVERY_S)


def _match(seen: list[float], sent: list[float], limit: float) -> list[float]:
    """Milliseconds from each sending to what was seen of it; what is later than ``limit`` seconds belongs to none."""
    found = []
    for at in seen:
        before = [begun for begun in sent if begun <= at]
        if before and at - before[-1] < limit:
            found.append((at - before[-1]) * 1000)
    return found


def _heard(sounds: list[tuple[float, int, bytes]]) -> list[float]:
    """When each sound began: the arrival of its packet, and how far into the packet."""
    samples = decode_opus([payload for _, _, payload in sounds])
    return [sounds[at // FRAME][0] + at % FRAME / RATE for at in onsets(samples)]


def main() -> None:
    """Read the order, carry it out, report."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    report = uvloop.run(audience(order) if order.turns else conversation(order))
    sys.stdout.buffer.write(msgspec.json.encode(report))


if __name__ == "__main__":
    main()
