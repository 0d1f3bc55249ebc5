"""Which pictures of the canvas are made: in each codec a full one, and a small one for whoever cannot take that."""

from enum import StrEnum
from typing import NamedTuple

from parlour.media.video.codec import VideoCodec

SMALL_SIZE = (640, 360)
"""Pixels of the small rendition: a quarter of the smaller canvas."""

SMALL_FPS = 15
"""Pictures a second of the small rendition, roughly: it leaves out whole ticks of the room's clock."""

SMALL_BITRATE = 350_000
"""Bits a second of the small rendition: with sound it fits a link of half a megabit."""


class RenditionSize(StrEnum):
    """How large: the canvas's own size, or `SMALL_SIZE`."""

    FULL = "full"
    SMALL = "small"


class RenditionId(NamedTuple):
    """One encoder's output. There are four at most: two codecs, two sizes."""

    codec: VideoCodec
    size: RenditionSize


class Shape(NamedTuple):
    """Pixels, how many ticks of the room's clock make one picture, and bits a second."""

    width: int
    height: int
    every: int
    bitrate: int


def shapes(width: int, height: int, fps: int, bitrate: int) -> dict[RenditionSize, Shape]:
    """The shapes for a canvas of this size (pixels) and rate, whose full rendition has ``bitrate`` bits a second."""
    return {
        RenditionSize.FULL: Shape(width, height, 1, bitrate),
        RenditionSize.SMALL: Shape(*SMALL_SIZE, max(1, round(fps / SMALL_FPS)), min(bitrate, SMALL_BITRATE)),
    }
