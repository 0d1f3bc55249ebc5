"""The people of a measured room, in a process of their own: an ``Order`` as JSON on standard input, a ``Report`` out.

They join over the bus as a front would let them, send, and look at what they get. One of them watches closely: it keeps
every packet with the kernel's arrival time and decodes them once the measured time is over.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import av
import msgspec
import numpy as np
import uvloop
from numpy.typing import NDArray

from benchmarks.client import AUDIO, VIDEO, Client
from benchmarks.content import CANVAS, DARK, LIGHT, PATCH, Content, decode_opus, load, onsets
from parlour.bus.rooms import BusRooms, bus_rooms
from parlour.domain.address import Address
from parlour.domain.live.commands import Accepted, Join, Leave
from parlour.domain.live.events import LayoutChanged, Told
from parlour.domain.room import Layout, Room, RoomSettings
from parlour.media.audio.frame import FRAME, RATE
from parlour.media.packets import RtpPacket
from parlour.media.transport import rtp
from parlour.media.transport.dtls import Identity
from parlour.media.video.canvas import rows_of
from parlour.media.video.codec import EncodedPicture, VideoCodec
from parlour.media.video.depacketize import Depacketizer

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext

MEMBERS = 300
BEEP_EVERY_S = 0.7
JOIN_EVERY_S = 0.35
"""Longer than keyframes of the shared picture keep apart, so that joins do not wait for one another."""
_FOUND_S = 30.0

Rect = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Order:
    """What room to make. ``people`` send and receive, ``viewers`` only receive, and come and go ``turns`` times.

    ``speakers`` of the people speak all the time; with ``beeps`` nobody does, and all but one beep in turn.
    """

    nats_url: str
    worker_pid: int
    content: str
    codec: VideoCodec
    people: int
    seconds: float
    settle: float
    speakers: int = 0
    viewers: int = 0
    turns: int = 0
    beeps: bool = False
    layout: Layout = Layout.GRID_RESPONSIVE


@dataclass(slots=True)
class Window:
    """A measured span of time. CPU in seconds: the worker's and of its threads, the largest first behind the loop's."""

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


@dataclass(slots=True)
class Report:
    """What was seen. Lists are in milliseconds."""

    windows: list[Window] = field(default_factory=list)
    joins: list[float] = field(default_factory=list)
    flashes: list[float] = field(default_factory=list)
    flashes_sent: int = 0
    beeps: list[float] = field(default_factory=list)
    beeps_sent: int = 0
    deviations: list[float] = field(default_factory=list)
    pictures: int = 0
    ticks: int = 0
    """How many pictures the timestamps of the first and the last leave room for."""
    lateness: list[float] = field(default_factory=list)


class Meter:
    """Reads CPU clocks of the worker and counts packets over a window."""

    def __init__(self, pid: int, clients: list[Client]) -> None:
        self._pid, self._clients = pid, clients
        self._began = self._read()

    def window(self) -> Window:
        """From the start until now."""
        now, began = self._read(), self._began
        threads = {tid: seconds - began[5].get(tid, 0.0) for tid, seconds in now[5].items()}
        loop = threads.pop(self._pid, 0.0)
        counts = [after - before for after, before in zip(now[4], began[4], strict=True)]
        return Window(
            len(self._clients),
            now[0] - began[0],
            now[1] - began[1],
            [loop, *sorted(threads.values(), reverse=True)[:4]],
            now[2] - began[2],
            now[3] - began[3],
            *counts,
        )

    def _read(self) -> tuple[float, float, float, float, list[int], dict[int, float]]:
        seen = [client.seen for client in self._clients]
        counts = [
            sum(one.video for one in seen),
            sum(one.audio for one in seen),
            sum(one.octets for one in seen),
            sum(client.sent.packets for client in self._clients),
        ]
        tasks = Path(f"/proc/{self._pid}/task").iterdir()
        threads = {int(task.name): int((task / "schedstat").read_text().split()[0]) / 1e9 for task in tasks}
        cpu = time.clock_gettime(~self._pid << 3 | 2)  # another process's clock, see clock_getcpuclockid(3)
        return time.monotonic(), cpu, time.process_time(), machine_busy(), counts, threads


def machine_busy() -> float:
    """CPU seconds since the start in which the machine was not idle."""
    fields = [int(text) for text in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / 100


class Crowd:
    """A room and who is in it."""

    def __init__(self, order: Order, rooms: BusRooms, content: Content) -> None:
        self.report = Report()
        self.clients: list[Client] = []
        self._order, self._rooms, self._content = order, rooms, content
        now = datetime.now(UTC)
        settings = RoomSettings(
            "bench", "bench", enable_room_previews=False, max_members=MEMBERS, layout=order.layout,
            tone_on_entry_and_exit=False,
        )  # fmt: skip
        self.room = Room(uuid4(), uuid4(), uuid4(), Address(uuid4(), "bench"), settings, now, now)
        self.member_ids: list[str] = []
        self.tiles: dict[str, Rect] = {}
        self._calls: dict[Client, str] = {}
        self._identity = Identity()

    def hear(self, told: Told) -> None:
        """Remember where everybody is shown."""
        if isinstance(told.event, LayoutChanged):
            self.tiles = {
                layer.member_id: (layer.x, layer.y, layer.width, layer.height)
                for layer in told.event.picture.layers
                if layer.member_id is not None
            }

    async def join(self, *, sends: bool, watches: bool = False, voice: list[bytes] | None = None) -> Client:
        """Bring one more in; how long it took until a picture could be shown goes to the report."""
        client = Client(self._identity, self._order.codec, sends=sends, watches=watches)
        call_id, invited = str(uuid4()), time.time()
        reply = await self._rooms.ask(
            self.room.room_id, Join(self.room, call_id, client.offer(), "Somebody", ("self", "member", "layout"))
        )
        if not isinstance(reply, Accepted):
            raise TypeError(f"nobody lets us in: {reply}")
        await client.connect(reply.sdp)
        assert client.seen.keyframe_at is not None
        self.report.joins.append((client.seen.keyframe_at - invited) * 1000)
        client.start(self._content, voice)
        self.clients.append(client)
        self.member_ids.append(reply.member_id)
        self._calls[client] = call_id
        return client

    async def leave(self, client: Client) -> None:
        """Take one out."""
        at = self.clients.index(client)
        del self.clients[at], self.member_ids[at]
        await self._rooms.ask(self.room.room_id, Leave(self._calls.pop(client)))
        await client.close()

    async def measure(self) -> tuple[float, float]:
        """One window; returns its Unix times."""
        meter, began = Meter(self._order.worker_pid, self.clients), time.time()
        await asyncio.sleep(self._order.seconds)
        self.report.windows.append(meter.window())
        return began, time.time()


@asynccontextmanager
async def gathered(order: Order) -> AsyncIterator[Crowd]:
    """An empty room on the worker."""
    content = load(Path(order.content))
    async with bus_rooms(order.nats_url) as rooms:
        async with asyncio.timeout(_FOUND_S):
            while not rooms.statistics()["workers"]:  # noqa: ASYNC110 - it says so to nobody but the bus
                await asyncio.sleep(0.05)
        crowd = Crowd(order, rooms, content)
        door = await rooms.subscribe(crowd.room.room_id, crowd.hear)
        try:
            yield crowd
        finally:
            for client in list(crowd.clients):
                await crowd.leave(client)
            await door.close()


async def conversation(order: Order) -> Report:
    """People who send and receive; the last to come watches."""
    async with gathered(order) as crowd:
        voices = load(Path(order.content)).voices
        for number in range(order.people):
            voice = voices[number % len(voices)] if number < order.speakers else None
            await crowd.join(sends=True, watches=number == order.people - 1, voice=voice)
            await asyncio.sleep(JOIN_EVERY_S)
        watcher = crowd.clients[-1]
        await asyncio.sleep(order.settle)
        beeping = asyncio.create_task(_beep(crowd.clients[:-1])) if order.beeps else None
        began, ended = await crowd.measure()
        if beeping is not None:
            beeping.cancel()
            await asyncio.sleep(0.3)
        captured, report = list(watcher.seen.captured), crowd.report
        tiles = [crowd.tiles[member_id] for member_id in crowd.member_ids]
        sent = [client.sent for client in crowd.clients]
        onset = load(Path(order.content)).beep.onset / RATE
    report.lateness = [late * 1000 for one in sent for late in one.lateness]
    _look(report, order.codec, captured, tiles, [one.flashes for one in sent], (began, ended))
    if order.beeps:
        beeps = sorted(at + onset for one in sent for at in one.beeps)
        report.beeps_sent = len(beeps)
        report.beeps = _match(_heard(captured), beeps, BEEP_EVERY_S)
    return report


async def audience(order: Order) -> Report:
    """One who sends, and viewers who come and go: windows with few and with many of them in turns."""
    async with gathered(order) as crowd:
        voices = load(Path(order.content)).voices
        await crowd.join(sends=True, voice=voices[0])
        for _ in range(2):
            await crowd.join(sends=False)
        for turn in range(2 * order.turns + 1):
            while turn % 2 and len(crowd.clients) < 1 + order.viewers:
                await crowd.join(sends=False)
            while not turn % 2 and len(crowd.clients) > 3:
                await crowd.leave(crowd.clients[-1])
            await asyncio.sleep(order.settle)
            await crowd.measure()
        return crowd.report


async def _beep(clients: list[Client]) -> None:
    while True:
        for client in clients:
            client.beep_wanted = True
            await asyncio.sleep(BEEP_EVERY_S)


def _look(
    report: Report,
    codec: VideoCodec,
    captured: list[tuple[float, bytes]],
    tiles: list[Rect],
    flashes: list[list[float]],
    window: tuple[float, float],
) -> None:
    """Decode what the watcher got: when each tile flashed, and how evenly pictures came."""
    arrived: list[float] = []
    stamps: list[int] = []
    brightness: list[list[float]] = []
    decoder: VideoCodecContext = av.CodecContext.create("h264" if codec is VideoCodec.H264 else "vp8", "r")
    decoder.thread_count = 1
    for picture in _pictures(codec, captured):
        for frame in decoder.decode(av.Packet(picture.data)):
            if window[0] <= picture.arrived < window[1]:
                luma = rows_of(frame.planes[0])
                arrived.append(picture.arrived)
                stamps.append(picture.timestamp)
                brightness.append([_patch(luma, tile) for tile in tiles])
    ticks = np.array([(stamp - stamps[0]) & 0xFFFFFFFF for stamp in stamps])
    elapsed = ticks / 90_000
    deviations = (np.array(arrived) - elapsed) * 1000
    report.deviations = [float(value) for value in deviations - np.median(deviations)]
    report.pictures = len(stamps)
    report.ticks = round(float(elapsed[-1]) * 30) + 1
    middle = (DARK + LIGHT) / 2
    for number, sent in enumerate(flashes):
        light = np.array([values[number] > middle for values in brightness])
        turned = np.flatnonzero(light[1:] & ~light[:-1]) + 1
        times = [arrived[at] for at in turned]
        report.flashes += _match(times, sent, 0.5)
        report.flashes_sent += sum(window[0] <= at < window[1] for at in sent)


def _match(seen: list[float], sent: list[float], limit: float) -> list[float]:
    """Milliseconds from each sending to what was seen of it; what is later than ``limit`` seconds belongs to none."""
    sent_at = np.array(sent)
    found = []
    for at in seen:
        before = sent_at[sent_at <= at]
        if before.size and at - before[-1] < limit:
            found.append(float(at - before[-1]) * 1000)
    return found


def _pictures(codec: VideoCodec, captured: list[tuple[float, bytes]]) -> list[EncodedPicture]:
    depacketizer, highest = Depacketizer(codec), 0xFFFF
    pictures: list[EncodedPicture] = []
    for arrived, plain in captured:
        header = rtp.parse(plain)
        if header.payload_type == VIDEO:
            highest = rtp.extend(header.sequence, highest)
            payload = plain[header.start : header.end]
            pictures += depacketizer.push(RtpPacket(payload, highest, header.timestamp, header.marker, arrived))
    return pictures


def _patch(luma: NDArray[np.uint8], tile: Rect) -> float:
    """How bright the middle of the patch in a tile is."""
    left, top, right, bottom = PATCH
    x, y, width, height = (part / 100 * edge for part, edge in zip(tile, CANVAS * 2, strict=True))
    across, down = (right - left) / 4, (bottom - top) / 4
    part = luma[
        round(y + (top + down) * height) : round(y + (bottom - down) * height),
        round(x + (left + across) * width) : round(x + (right - across) * width),
    ]
    return float(part.mean())


def _heard(captured: list[tuple[float, bytes]]) -> list[float]:
    """When each sound began: the arrival of its packet, and how far into the packet."""
    arrivals: list[float] = []
    payloads: list[bytes] = []
    for arrived, plain in captured:
        header = rtp.parse(plain)
        if header.payload_type == AUDIO:
            arrivals.append(arrived)
            payloads.append(plain[header.start : header.end])
    return [arrivals[at // FRAME] + at % FRAME / RATE for at in onsets(decode_opus(payloads))]


def main() -> None:
    """Read the order, carry it out, report."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    report = uvloop.run(audience(order) if order.turns else conversation(order))
    sys.stdout.buffer.write(msgspec.json.encode(report))


if __name__ == "__main__":
    main()
