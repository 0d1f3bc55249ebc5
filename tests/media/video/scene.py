"""Plain coloured pictures, the packets a sender would make of them, and a look at pixels."""

from collections.abc import Iterable
from fractions import Fraction

import av
import numpy as np
from av import VideoFrame

from parlour.media.packets import MediaPacket, RtpPacket
from parlour.media.video.canvas import rows_of
from parlour.media.video.codec import VideoCodec
from parlour.media.video.colour import Rgb, Yuv, to_yuv
from parlour.media.video.encode import Rendition

RED, GREEN, BLUE, YELLOW = Rgb(200, 30, 30), Rgb(30, 170, 40), Rgb(40, 60, 210), Rgb(220, 200, 40)
FRAME = 3000
"""90 kHz ticks of a frame at 30 a second."""


def painted(width: int, height: int, colour: Rgb, format_name: str = "yuv420p") -> VideoFrame:
    """A frame of one colour."""
    frame = VideoFrame(width, height, format_name)
    for plane, value in zip(frame.planes, to_yuv(colour), strict=True):
        rows_of(plane)[:] = value
    return frame


def noisy(width: int, height: int, seed: int) -> VideoFrame:
    """A frame that takes many packets."""
    frame = VideoFrame(width, height, "yuv420p")
    random = np.random.default_rng(seed)
    for plane in frame.planes:
        rows_of(plane)[:] = random.integers(16, 235, rows_of(plane).shape, np.uint8)
    return frame


def pixel(frame: VideoFrame, x: int, y: int) -> Yuv:
    """The colour at a place."""
    y_plane, u_plane, v_plane = (rows_of(plane) for plane in frame.planes)
    return Yuv(int(y_plane[y, x]), int(u_plane[y // 2, x // 2]), int(v_plane[y // 2, x // 2]))


def is_near(one: Yuv, colour: Rgb, tolerance: int = 6) -> bool:
    """Whether a decoded pixel has this colour, coding errors aside."""
    return all(abs(a - b) <= tolerance for a, b in zip(one, to_yuv(colour), strict=True))


def access_unit(frame: VideoFrame, **options: str) -> bytes:
    """One H.264 keyframe of a foreign encoder, as a byte stream."""
    context = av.CodecContext.create("libx264", "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = frame.width, frame.height, frame.format.name
    context.framerate, context.time_base = Fraction(30), Fraction(1, 30)
    context.options = {"preset": "ultrafast", "tune": "zerolatency", **options}
    return b"".join(bytes(packet) for packet in context.encode(frame))


def sent(
    frames: Iterable[VideoFrame],
    codec: VideoCodec,
    *,
    bitrate: int = 1_000_000,
    keyframes: frozenset[int] = frozenset(),
) -> list[list[MediaPacket]]:
    """The packets of each frame from one encoder of the first one's size."""
    pictures: list[list[MediaPacket]] = []
    rendition: Rendition | None = None
    for index, frame in enumerate(frames):
        rendition = rendition or Rendition(codec, frame.width, frame.height, bitrate, 30)
        pictures.append(rendition.encode(frame, index * FRAME, force_keyframe=index in keyframes))
    return pictures


def rtp(pictures: Iterable[Iterable[MediaPacket]], first: int = 65_500) -> list[RtpPacket]:
    """The pictures' packets with sequence numbers, a thirtieth of a second between pictures."""
    packets: list[RtpPacket] = []
    for index, picture in enumerate(pictures):
        packets.extend(
            RtpPacket(packet.payload, 0, packet.timestamp, packet.marker, 10 + index / 30) for packet in picture
        )
    return [packet._replace(sequence=first + index) for index, packet in enumerate(packets)]
