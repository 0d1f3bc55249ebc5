"""The two video codecs of a room and what bounds a picture that a sender may send."""

from enum import StrEnum
from typing import NamedTuple

MAX_SIDE = 1920
MAX_AREA = 1920 * 1088

VIDEO_CLOCK = 90_000
"""RTP ticks a second of both payload formats (RFC 6184 section 8.1, RFC 7741 section 6.1)."""


class VideoCodec(StrEnum):
    """A codec by its RTP encoding name."""

    H264 = "H264"
    VP8 = "VP8"


class PayloadError(ValueError):
    """A payload or a bitstream header that breaks its format."""


class EncodedPicture(NamedTuple):
    """One complete picture as the sender encoded it: an H.264 access unit with start codes, or a VP8 frame.

    ``timestamp`` is raw (32 bits, 90 kHz ticks), ``arrived`` in seconds: when the last of its packets came.
    """

    codec: VideoCodec
    data: bytes
    timestamp: int
    keyframe: bool
    arrived: float


def is_too_large(width: int, height: int) -> bool:
    """Whether a picture of this coded size (pixels) is more than 1080p, upright or on its side."""
    return max(width, height) > MAX_SIDE or width * height > MAX_AREA
