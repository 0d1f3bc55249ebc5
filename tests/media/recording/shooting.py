"""Pictures and sound as a room's planes hand them over, at times that the test chooses."""

from collections.abc import Callable, Iterable
from functools import lru_cache

import numpy as np
from av import VideoFrame

from parlour.media.audio.frame import FRAME, RATE, Pcm
from parlour.media.packets import MediaPacket
from parlour.media.video.codec import VIDEO_CLOCK, VideoCodec
from parlour.media.video.colour import Rgb
from parlour.media.video.encode import Rendition
from parlour.media.video.h264 import H264Assembler
from tests.media.video.scene import BLUE, GREEN, RED, YELLOW, painted

WIDTH, HEIGHT, FPS = 320, 180, 30
COLOURS = (RED, GREEN, BLUE, YELLOW)
HERTZ = (500, 900, 1300, 1700)
START = 4321.0123
"""Seconds of the room's clock at which a test begins."""


class Camera:
    """The room's shared encoder."""

    def __init__(self) -> None:
        self._rendition = Rendition(VideoCodec.H264, WIDTH, HEIGHT, 300_000, FPS)

    def take(self, at: float, colour: Rgb, *, keyframe: bool = False) -> list[MediaPacket]:
        """The packets of a picture."""
        return self._rendition.encode(_painted(colour), round(at * VIDEO_CLOCK), force_keyframe=keyframe)


@lru_cache
def _painted(colour: Rgb) -> VideoFrame:
    return painted(WIDTH, HEIGHT, colour)


def unit(packets: Iterable[MediaPacket]) -> tuple[bytes, bool]:
    """The access unit of a picture's packets."""
    assembler = H264Assembler()
    for packet in packets:
        assembler.add(packet.payload)
    found = assembler.finish()
    assert found is not None
    return found


def tone(at: float, hertz: float, amplitude: float = 8000.0) -> Pcm:
    """20 ms of a tone that goes on from one call to the next."""
    time = at + np.arange(FRAME) / RATE
    return (amplitude * np.sin(2 * np.pi * hertz * time)).astype(np.int16)


def shoot(
    seconds: float,
    picture: Callable[[float], None],
    sound: Callable[[float], None],
    *,
    start: float = START,
    skips: Callable[[float], bool] = lambda at: False,
    idle: Callable[[float], bool] = lambda at: False,
) -> None:
    """Call for pictures and sound in the order of a room's clock, from ``start`` on.

    ``skips`` says of a time whether sound is left out then, ``idle`` whether only each fifth picture is made.
    """
    frames = round(seconds * 50)
    pictures = round(seconds * FPS)
    due = 0
    for number in range(frames):
        while due < pictures and due / FPS <= number / 50:
            at = due / FPS
            if not idle(at) or due % 5 == 0:
                picture(start + at)
            due += 1
        if not skips(number / 50):
            sound(start + number / 50)
