"""Two people who talk in a room, in a process of their own, so that nothing a test does holds them up.

The process reads a ``Scene`` as a line of JSON, then orders, a line each, and answers each with a line.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import av
import msgspec
import numpy as np

from parlour.loadtest.description import AUDIO, VIDEO
from parlour.media.audio.frame import FRAME, RATE
from parlour.media.transport import rtp
from parlour.media.video.codec import VideoCodec
from tests.support.lean import TONE_AMPLITUDE, Lean, content, lean, tone
from tests.support.waiting import PATIENCE_S

if TYPE_CHECKING:
    from av.audio.codeccontext import AudioCodecContext
    from numpy.typing import NDArray

TONES: Final = (500, 1000)
"""Hertz, each a whole number of waves in 20 ms, so that one does not show where the other is measured."""
FPS: Final = 30
AFTER_S: Final = 1.0
"""Seconds for which the two are watched after something happened."""
STILL_S: Final = 2.5
SILENT_S: Final = 2.5
"""Seconds for which a picture may stand still and a voice be gone on a machine that has much else to do."""
PICTURES_KEPT: Final = 0.1
"""The part of the pictures that such a machine makes at least."""


@dataclass(frozen=True)
class Scene:
    """The room: where it is, and a token that lets in."""

    port: int
    to: str
    token: str
    codec: VideoCodec = VideoCodec.H264


@dataclass(frozen=True)
class Order:
    """What the two are asked for.

    ``mark``: what comes from now on is looked at. ``look``: say what came. ``spoof``: send these from the first one's
    address, as somebody can who writes that on datagrams of their own.
    """

    kind: Literal["mark", "look", "spoof"]
    datagrams: list[bytes] = field(default_factory=list)


@dataclass(frozen=True)
class Received:
    """What came to one of the two since the mark.

    ``holes`` are packets of picture and sound that never came, ``repeats`` those that came twice or out of order.
    ``ticks`` is how many pictures there was time for; ``still`` the seconds of the longest time between two of them,
    ``silent`` the longest for which the other's voice was not to be heard. Times are those of the packets' stamps.
    """

    pictures: int
    ticks: int
    frames: int
    holes: int
    repeats: int
    still: float
    silent: float


class Ear:
    """Listens to one sender's packets with one decoder, from the first to the last."""

    def __init__(self, hertz: int) -> None:
        self._decoder: AudioCodecContext = av.CodecContext.create("libopus", "r")
        self._decoder.layout = "mono"
        self._decoder.sample_rate = RATE
        self._wave = np.exp(-2j * np.pi * hertz / RATE * np.arange(FRAME)) * 2 / FRAME

    def hears(self, payload: bytes) -> bool:
        """Whether the tone is in this packet, at half its loudness at least."""
        samples: NDArray[Any] = np.concatenate(
            [frame.to_ndarray()[0] for frame in self._decoder.decode(av.Packet(payload))]
        )
        if samples.dtype != np.int16:
            samples = samples * 32767.0
        return bool(np.abs(np.dot(samples[:FRAME], self._wave[: samples.size])) > TONE_AMPLITUDE / 2)


def received(packets: list[bytes], ear: Ear) -> Received:
    """What plain RTP packets amount to."""
    stamps: dict[int, list[tuple[int, int, bytes]]] = {VIDEO: [], AUDIO: []}
    for packet in packets:
        header = rtp.parse(packet)
        if (kind := stamps.get(header.payload_type)) is not None:  # None: sent again
            kind.append((header.sequence, header.timestamp, packet[header.start : header.end]))
    steps = [(after[0] - before[0]) & 0xFFFF for of in stamps.values() for before, after in pairwise(of)]
    pictures = [stamp for stamp, _ in _groups(stamps[VIDEO])]
    between = [(after - before) & 0xFFFFFFFF for before, after in pairwise(pictures)]
    silent = longest = 0.0
    last: int | None = None
    for _, stamp, payload in stamps[AUDIO]:
        silent += 0.0 if last is None else ((stamp - last) & 0xFFFFFFFF) / RATE
        longest, last = max(longest, silent - FRAME / RATE), stamp
        if ear.hears(payload):
            silent = 0.0
    return Received(
        pictures=len(pictures),
        ticks=round(sum(between) * FPS / 90_000) + 1,
        frames=len(stamps[AUDIO]),
        holes=sum(step - 1 for step in steps if 1 <= step < 0x8000),
        repeats=sum(not 1 <= step < 0x8000 for step in steps),
        still=max(between, default=0) / 90_000,
        silent=longest,
    )


def _groups(packets: list[tuple[int, int, bytes]]) -> list[tuple[int, int]]:
    """Pictures: a stamp and how many packets follow with the same."""
    found: list[tuple[int, int]] = []
    for _, stamp, _ in packets:
        if found and found[-1][0] == stamp:
            found[-1] = (stamp, found[-1][1] + 1)
        else:
            found.append((stamp, 1))
    return found


class Conversation:
    """The two, seen from the test."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @contextlib.asynccontextmanager
    async def undisturbed(self) -> AsyncIterator[None]:
        """Whatever happens during the block, neither of the two notices, then or in the time after it."""
        await self.ask(Order("mark"))
        yield
        await self.until(min(one.ticks for one in await self.look()) / FPS + AFTER_S)
        for one in await self.look():
            assert (one.holes, one.repeats) == (0, 0), one
            assert one.still < STILL_S, one
            assert one.silent < SILENT_S, one
            assert one.pictures >= PICTURES_KEPT * one.ticks, one

    async def until(self, seconds: float) -> None:
        """Wait until each has seen so much of the room since the mark."""
        async with asyncio.timeout(PATIENCE_S):
            while any(one.ticks < seconds * FPS for one in await self.look()):  # noqa: ASYNC110 - it tells only who asks
                await asyncio.sleep(0.1)

    async def look(self) -> list[Received]:
        """What came to each since the mark."""
        return msgspec.json.decode(await self.ask(Order("look")), type=list[Received])

    async def spoof(self, *datagrams: bytes) -> None:
        """Send these in the name of the first of the two."""
        await self.ask(Order("spoof", list(datagrams)))

    async def ask(self, order: Order | Scene) -> bytes:
        """Give an order; the answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(order) + b"\n")
        async with asyncio.timeout(PATIENCE_S):
            answer = await self._process.stdout.readline()
        assert answer, "the conversation broke off"
        return answer


@contextlib.asynccontextmanager
async def conversation(scene: Scene) -> AsyncIterator[Conversation]:
    """The two, who have just begun to talk."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.conversation",
        cwd=Path(__file__).parents[2],
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 22,
    )  # fmt: skip
    try:
        talk = Conversation(process)
        await talk.ask(scene)
        yield talk
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


async def _talk() -> None:
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader(limit=1 << 24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    scene = msgspec.json.decode(await orders.readline(), type=Scene)
    shown = content(scene.codec)
    async with contextlib.AsyncExitStack() as stack:
        people = [
            await stack.enter_async_context(lean(scene.port, scene.to, scene.token, scene.codec, watches=True))
            for _ in TONES
        ]
        for someone, hertz in zip(people, TONES, strict=True):
            await someone.enter()
            someone.media.start(shown, tone(hertz))
        await _hear_each_other(people)
        ears = [Ear(hertz) for hertz in reversed(TONES)]
        marks = [0 for _ in people]
        _answer(b"{}")
        while line := await orders.readline():
            order = msgspec.json.decode(line, type=Order)
            if order.kind == "mark":
                marks = [len(one.media.seen.captured) for one in people]
            elif order.kind == "spoof":
                for datagram in order.datagrams:
                    with contextlib.suppress(OSError):
                        people[0].media.put(datagram)
            found = [
                # beside the loop, which has sound to send and sockets to read
                await asyncio.to_thread(received, [plain for _, plain in one.media.seen.captured[mark:]], ear)
                for one, mark, ear in zip(people, marks, ears, strict=True)
            ]
            _answer(msgspec.json.encode(found))


async def _hear_each_other(people: list[Lean]) -> None:
    """Wait until each has heard the other for a while."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            await asyncio.sleep(0.2)
            last = [[plain for _, plain in one.media.seen.captured[-200:]] for one in people]
            found = [received(packets, Ear(hertz)) for packets, hertz in zip(last, reversed(TONES), strict=True)]
            if all(one.frames > 25 and one.silent < 0.1 for one in found):
                return


def _answer(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_talk())
