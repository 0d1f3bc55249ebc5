"""The media of one person without a browser: the load test's peer, which can be told to send wrong things as well."""

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final

from parlour.loadtest.content import LOUD, QUIET, Film
from parlour.loadtest.engine import TEND_S, Engine
from parlour.loadtest.eye import Opening
from parlour.loadtest.member import FRAME_S, PICTURE_S
from parlour.loadtest.peer import Certificate, Peer
from parlour.loadtest.places import choose
from parlour.loadtest.reception import Reception
from parlour.media.audio.frame import FRAME
from parlour.media.video.codec import VIDEO_CLOCK, VideoCodec
from tests.support.waiting import PATIENCE_S

if TYPE_CHECKING:
    import socket

    from parlour.media.packets import RtpPacket

PICTURE_TICKS: Final = VIDEO_CLOCK // 30


@dataclass(frozen=True)
class Content:
    """What somebody sends: a camera, and the packet of 20 ms in which nothing is to be heard."""

    film: Film
    silence: bytes


@dataclass(slots=True)
class Seen(Reception):
    """What came; ``captured`` are the plain RTP packets with their Unix times, where they are ``kept``."""

    kept: bool = False
    captured: list[tuple[float, bytes]] = field(default_factory=list)

    def take(self, plain: bytes, arrived: float) -> "RtpPacket | None":
        """See ``Reception``."""
        if self.kept:
            self.captured.append((arrived, plain))
        return Reception.take(self, plain, arrived)


class Drive:
    """The one engine of an event loop, which runs while somebody uses it."""

    current: "Drive | None" = None

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.engine = Engine()
        self.users = 0
        self.running = self.loop.create_task(self.engine.run())

    @classmethod
    def take(cls) -> "Drive":
        """Use it."""
        if cls.current is None or cls.current.loop is not asyncio.get_running_loop():
            cls.current = cls()
        cls.current.users += 1
        return cls.current

    async def give_back(self) -> None:
        """Use it no longer."""
        self.users -= 1
        if not self.users:
            if Drive.current is self:
                Drive.current = None
            self.running.cancel()
            await asyncio.gather(self.running, return_exceptions=True)
            self.engine.shut()


class Media(Peer):
    """One person's connection. ``watches`` keeps all that comes."""

    def __init__(self, codec: VideoCodec, *, sends: bool, watches: bool = False) -> None:
        super().__init__(certificate(), codec, self.put, sends=sends)
        self.reception = self.seen = Seen(kept=watches)
        self.sight = self.opening = Opening(codec)
        self.socket: socket.socket | None = None
        self.film: list[list[bytes]] = []
        self._drive: Drive | None = None
        self._index = 0
        self._picture_due = self._sound_due = 0.0

    async def connect(self, answer: str) -> None:
        """Go where the answer points, agree on keys and wait for the first keyframe. Raises ``TimeoutError``."""
        place = choose(self.answered(answer).places, None)
        assert place is not None
        self._drive = self._drive or Drive.take()
        self.socket = self._drive.engine.open(place, self)
        async with asyncio.timeout(PATIENCE_S):
            while self.opening.seen_at is None:  # noqa: ASYNC110 - the engine tells nobody
                await asyncio.sleep(0.005)
        self.sight = None

    def start(self, content: Content, voice: list[bytes] | None) -> None:
        """Begin to send; ``voice`` is what is said, if anything."""
        assert self._drive is not None
        self.show(content.film.payloads)
        now, sound, at = time.monotonic(), voice or [content.silence], 0
        level = QUIET if voice is None else LOUD
        self._picture_due = now + secrets.randbelow(1000) / 1000 * PICTURE_S
        self._sound_due = now + secrets.randbelow(1000) / 1000 * FRAME_S

        def speak(now: float) -> float:
            nonlocal at
            self.send_sound(sound[at % len(sound)], level, FRAME)
            at += 1
            self._sound_due += FRAME_S
            return self._sound_due

        works = ((self._picture_due - now, self._film), (self._sound_due - now, speak))
        self._drive.engine.add(self, works)

    def show(self, film: list[list[bytes]]) -> None:
        """Send this from its beginning on."""
        self.film, self._index = film, 0

    def put(self, datagram: bytes) -> None:
        """Send a datagram as it is."""
        if self.socket is not None:
            self.socket.send(datagram)

    async def gone(self) -> None:
        """Say nothing more."""
        drive, self._drive = self._drive, None
        if drive is not None:
            if self.socket is not None:
                drive.engine.close(self.socket)
            await drive.give_back()

    def tend(self, now: float) -> float:
        """See ``engine.Member``."""
        self.tick(now, time.time())
        return now + TEND_S

    def _film(self, now: float) -> float:
        if self.keyframe_wanted:
            self.keyframe_wanted, self._index = False, 0
        self.send_picture(self.film[self._index % len(self.film)], PICTURE_TICKS, now)
        self._index += 1
        self._picture_due += PICTURE_S
        return self._picture_due


@cache
def certificate() -> Certificate:
    """Everybody's."""
    return Certificate()
