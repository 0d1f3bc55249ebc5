"""What the parts of the media plane hand each other."""

from typing import NamedTuple


class RtpPacket(NamedTuple):
    """A packet that a member sent, unprotected and stripped of padding.

    ``sequence`` is extended to count on past 65535, ``timestamp`` is raw (32 bits, 48 kHz or 90 kHz ticks);
    ``arrived`` is in seconds of the event loop's clock; ``level`` is the RFC 6464 audio level in -dBov, 0 (loud) to
    127, where the sender gives it.
    """

    payload: bytes
    sequence: int
    timestamp: int
    marker: bool
    arrived: float
    level: int | None = None


class MediaPacket(NamedTuple):
    """A packet of a shared rendition, to be sent to many: an RTP payload without its header.

    ``timestamp`` counts 90 kHz ticks from the room's start, in every rendition. ``first`` and ``marker`` tell the
    ends of a picture, ``keyframe`` that the picture stands alone.
    """

    payload: bytes
    timestamp: int
    first: bool
    marker: bool
    keyframe: bool
