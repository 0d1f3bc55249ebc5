"""A clapper in front of a camera and a microphone, and somebody who watches and listens for it.

With each clap a flash and a beep are taken at one moment. They go their own ways to the room, which take as long as a
test says, and come back in the room's picture and sound. When, is told by the room's own timestamps and reports, so
that neither the network nor the machine has a say in it.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache, partial
from heapq import heappop, heappush

import av
import numpy as np
from av import VideoFrame
from numpy.typing import NDArray

from parlour.media.audio.encode import MixEncoder
from parlour.media.audio.frame import FRAME, RATE
from parlour.media.transport.sink import Kind
from parlour.media.video.canvas import rows_of
from parlour.media.video.codec import VideoCodec
from parlour.media.video.encode import Rendition
from tests.media.guest import Guest

FPS = 30
LASTS = 3
"""Pictures of a flash; the beep is as long, 100 ms."""
WIDTH, HEIGHT = 320, 180
AMPLITUDE = 9000
KEPT = 16
"""Claps that a tape holds."""
WINDOW = RATE // 200
"""Samples over which the loudness of a tone is taken, 5 ms."""
BRIGHT = 130
"""The luma from which a picture is a flash."""
HUSH = 0.03
"""Seconds of packets before a beep that are already marked as loud, as a browser's voice detection does."""

Path = Callable[[float], float]


def takes(seconds: float, jitter: float = 0.0, seed: int = 1) -> Path:
    """A way that takes so long, and up to ``jitter`` more, on which nobody overtakes anybody."""
    chance = random.Random(seed)  # noqa: S311 - a network that is made up
    last = float("-inf")

    def taken(captured: float) -> float:
        nonlocal last
        last = max(last, captured + seconds + jitter * chance.random())
        return last - captured

    return taken


@lru_cache
def shade(bright: bool) -> VideoFrame:
    """A dark picture or a bright one."""
    frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
    for plane, value in zip(frame.planes, (220 if bright else 40, 128, 128), strict=True):
        rows_of(plane)[:] = value
    return frame


@dataclass
class Clapper:
    """Claps once in ``every`` pictures, from picture ``first`` on.

    ``picture`` and ``sound`` are the ways to the room, from the moment at which something is taken (a frame of sound:
    complete). ``clock`` is what the sender's clock says at time zero; ``drift`` is by how much its sound card is fast.
    """

    guest: Guest
    tone: float = 1000.0
    every: int = 30
    first: int = 15
    picture: Path = field(default_factory=lambda: takes(0.0))
    sound: Path = field(default_factory=lambda: takes(0.0))
    clock: float = 3_900_000_000.0
    drift: float = 0.0
    levels: bool = True
    reports: bool = True
    films: bool = True
    speaks: bool = True
    started: float = 0.0
    _queue: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _count: int = 0
    picture_zero: int = 4_294_900_000
    sound_zero: int = 77

    async def clap(self) -> None:
        """Go on until cancelled."""
        loop = asyncio.get_running_loop()
        self.started = loop.time()
        video, audio, reports = self._film(), self._record(), self._report()
        upcoming = [next(video), next(audio), next(reports)]
        makers = [video, audio, reports]
        while True:
            now = loop.time() - self.started
            for number, maker in enumerate(makers):
                while upcoming[number] <= now:
                    upcoming[number] = next(maker)
            while self._queue and self._queue[0][0] <= now:
                heappop(self._queue)[2]()
            due = min(*upcoming, *(item[0] for item in self._queue[:1]))
            await asyncio.sleep(max(0.001, due - (loop.time() - self.started)))

    def _later(self, due: float, act: Callable[[], None]) -> None:
        self._count += 1
        heappush(self._queue, (due, self._count, act))

    def _film(self) -> Iterator[float]:
        rendition = Rendition(VideoCodec.H264, WIDTH, HEIGHT, 600_000, FPS)
        number, wishes = 0, 0
        while True:
            captured = number / FPS
            yield captured
            if self.films:
                bright = (number - self.first) % self.every < LASTS and number >= self.first
                asked = len(self.guest.asked_for_keyframe)
                packets = rendition.encode(shade(bright), number * 3000, force_keyframe=asked > wishes)
                wishes, stamp = asked, number * 3000 + self.picture_zero
                self._later(captured + self.picture(captured), partial(self.guest.send, packets, stamp))
            number += 1

    def _record(self) -> Iterator[float]:
        encoder = MixEncoder(bit_rate=32_000)
        rate = RATE * (1 + self.drift)
        number, sequence = 0, 0
        while True:
            captured = (number + 1) * FRAME / rate  # a frame can be sent once it is complete
            yield captured
            if self.speaks:
                at = (number * FRAME + np.arange(FRAME)) / rate
                phase = at * FPS - self.first
                beep = (np.mod(phase, self.every) < LASTS) & (phase >= 0)
                samples = np.where(beep, AMPLITUDE * np.sin(2 * np.pi * self.tone * at), 0).astype(np.int16)
                payload = encoder.encode(samples)
                soon = np.mod(at + HUSH - self.first / FPS, self.every / FPS) < LASTS / FPS + 2 * HUSH
                level = (25 if soon.any() else 127) if self.levels else None
                stamp = number * FRAME + self.sound_zero
                self._later(captured + self.sound(captured), partial(self.guest.speak, payload, sequence, stamp, level))
                sequence += 1
            number += 1

    def _report(self) -> Iterator[float]:
        """Reports as Chromium's: one a second of the picture, one in five of the sound, the first ones soon."""
        number = 0
        while True:
            yield 0.3 + number
            if self.reports:
                now = 0.3 + number
                self.guest.tell(self.guest.ssrc, self.clock + now, round(now * 90_000) + self.picture_zero)
                if number % 5 == 0:
                    samples = round(now * RATE * (1 + self.drift))
                    self.guest.tell(self.guest.voice_ssrc, self.clock + now, samples + self.sound_zero)
            number += 1


class Tape:
    """When it became bright at one place of a picture, and when a tone began: the last ``KEPT`` times of each.

    ``when`` gives the seconds of a timestamp. What comes is looked at once and let go, so that the tape costs the room
    that runs beside it no more in the second minute than in the first second.
    """

    def __init__(self, when: Callable[[Kind, int], float | None], tone: float) -> None:
        self._when = when
        self._rate = -2j * np.pi * tone / RATE
        self._light = 255.0
        self._flashes: deque[int] = deque(maxlen=KEPT)
        self._beeps: deque[tuple[int, int]] = deque(maxlen=KEPT)
        self._heard = 0  # samples so far
        self._mixed = np.zeros(WINDOW, np.complex128)  # the last ones, with the tone brought to zero
        self._loud = True
        self._rose = -RATE
        self._before = 0

    @classmethod
    def of(cls, guest: Guest, tone: float) -> "Tape":
        """By the reports that a guest gets from the room."""
        streams = {"audio": guest.leg.outgoing_audio, "video": guest.leg.outgoing_video}

        def when(kind: Kind, timestamp: int) -> float | None:
            return guest.heard_at(streams[kind].ssrc, streams[kind].clock_rate, timestamp)

        return cls(when, tone)

    def look(self, frame: VideoFrame, timestamp: int, place: tuple[int, int]) -> None:
        """A picture, of which a place is looked at (pixels)."""
        x, y = place
        before, self._light = self._light, float(rows_of(frame.planes[0])[y, x])
        if before < BRIGHT <= self._light:
            self._flashes.append(timestamp)

    def listen(self, samples: NDArray[np.float64], timestamp: int) -> None:
        """20 ms of sound."""
        start = self._heard - WINDOW  # of the first window, which ends where this frame begins
        self._heard += samples.size
        mixed = samples * np.exp(self._rate * np.arange(self._heard - samples.size, self._heard))
        sums = np.concatenate(([0], np.cumsum(np.concatenate((self._mixed, mixed)))))
        self._mixed = mixed[-WINDOW:]
        envelope = np.abs(sums[WINDOW:] - sums[:-WINDOW])[1:] / WINDOW * 2
        loud = np.concatenate(([self._loud], envelope > AMPLITUDE / 2))
        self._loud = bool(loud[-1])
        for rise in map(int, np.flatnonzero(loud[1:] & ~loud[:-1]) + start + 1 + WINDOW // 2):
            if rise - self._rose > RATE // 5:
                inside = rise - (self._heard - samples.size)
                self._beeps.append((timestamp, inside) if inside >= 0 else (self._before, inside + FRAME))
            self._rose = rise
        self._before = timestamp

    def flashes(self) -> list[float]:
        """When it became bright, in seconds."""
        return [at for flash in self._flashes if (at := self._when("video", flash)) is not None]

    def beeps(self) -> list[float]:
        """When the tone began, in seconds."""
        return [at + more / RATE for beep, more in self._beeps if (at := self._when("audio", beep)) is not None]


Place = Callable[[], tuple[int, int] | None]
"""Where on the canvas to look, ``None`` for nowhere."""


class Ear:
    """Decodes what a guest sees and hears, and puts it on tapes, each of one place."""

    def __init__(self, guest: Guest, *tapes: tuple[Tape, Place]) -> None:
        self._codec = av.CodecContext.create("libopus", "r")
        self._codec.layout = "mono"
        self._tapes = tapes
        guest.look, guest.listen = self._look, self._listen

    def _look(self, frame: VideoFrame, timestamp: int) -> None:
        for tape, place in self._tapes:
            if (at := place()) is not None:
                tape.look(frame, timestamp, at)

    def _listen(self, payload: bytes, timestamp: int) -> None:
        samples = np.concatenate([frame.to_ndarray()[0] for frame in self._codec.decode(av.Packet(payload))])
        for tape, _ in self._tapes:
            tape.listen(samples.astype(np.float64), timestamp)


@dataclass(frozen=True)
class Clap:
    """One that came through: when it was heard, and by how much later it was seen (seconds)."""

    heard: float
    offset: float


def claps(tape: Tape, apart: float) -> list[Clap]:
    """Each beep with the flash that is nearest to it."""
    flashes = tape.flashes()
    found = []
    for beep in tape.beeps():
        nearest = min(flashes, key=lambda flash: abs(flash - beep), default=None)
        if nearest is not None and abs(nearest - beep) < apart / 2:
            found.append(Clap(beep, nearest - beep))
    return found


def longest_run(offsets: Iterable[float], bound: float) -> int:
    """The most claps in a row that were seen no more than ``bound`` seconds from when they were heard.

    A machine with better things to do delays one now and then; what is not aligned has no run at all.
    """
    near = "".join("x" if abs(offset) <= bound else " " for offset in offsets)
    return max(map(len, near.split()), default=0)
