"""Guests with a colour and a tone of their own, who send both on the real clock until told otherwise."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import lru_cache

from parlour.domain.live.capabilities import MODERATOR
from parlour.domain.room import Room
from parlour.media.audio.frame import FRAME
from parlour.media.conference import Conference
from parlour.media.packets import MediaPacket
from parlour.media.transport import Endpoint, rtp
from parlour.media.video.codec import VideoCodec
from parlour.media.video.colour import Rgb
from tests.media.audio.signals import opus, sine
from tests.media.guest import Guest
from tests.media.video.scene import painted, sent

FPS = 15
SECOND = 50
"""Packets of sound in a second."""


@lru_cache
def _film(codec: VideoCodec, colour: Rgb) -> list[list[MediaPacket]]:
    return sent((painted(640, 360, colour) for _ in range(FPS)), codec, bitrate=300_000)


@lru_cache
def _tone(hertz: int) -> list[bytes]:
    """A second of a tone, without a seam where it starts over."""
    return opus(sine(hertz, 3 * SECOND, 6000.0))[SECOND : 2 * SECOND]


class Actor(Guest):
    """Somebody who is seen as one colour and heard as one tone."""

    def __init__(
        self,
        conference: Conference,
        endpoint: Endpoint,
        name: str,
        colour: Rgb,
        hertz: int,
        *,
        room: Room,
        codec: str = "H264",
    ) -> None:
        super().__init__(conference, endpoint, name, room=room, codec=codec, capabilities=MODERATOR)
        self.colour, self.hertz = colour, hertz
        self._camera = _film(VideoCodec(codec), colour)
        self._voice = _tone(hertz)

    async def act(self) -> None:
        """Send and watch until cancelled."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        pictures = packets = 0
        while True:
            now = loop.time() - started
            while pictures / FPS <= now:
                self.send(self._camera[pictures % FPS], pictures * 90_000 // FPS)
                pictures += 1
            while packets / SECOND <= now:
                self._say(self._voice[packets % SECOND], packets)
                packets += 1
            self.watch()
            await asyncio.sleep(0.01)

    def _say(self, payload: bytes, number: int) -> None:
        audio = self.leg.audio
        assert audio is not None
        header = rtp.HEADER.pack(rtp.VERSION, audio.payload_type, number & 0xFFFF, number * FRAME, 0x5678)
        self.rtp(header + payload)


@contextlib.asynccontextmanager
async def on_stage(*actors: Actor) -> AsyncIterator[None]:
    """Let these act for the length of a block."""
    tasks = [asyncio.create_task(actor.act()) for actor in actors]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
