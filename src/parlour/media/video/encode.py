"""One shared encoder: the canvas to packets that every receiver of the rendition gets."""

import random
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import cast

import av
from av import VideoFrame
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

from parlour.media.packets import MediaPacket
from parlour.media.video import h264, vp8
from parlour.media.video.codec import VIDEO_CLOCK, VideoCodec

MAX_PAYLOAD = 1200
"""Bytes of an RTP payload: with RTP, SRTP, UDP and IPv6 headers and a TURN channel it stays within 1280."""

PRESET = "superfast"
"""Of libx264: at 720p it costs 15 % more CPU than ultrafast, which has no deblocking, and 40 % less than veryfast."""

KEYFRAME_SECONDS = 20
"""A keyframe comes at least this often, for recordings to be sought in; receivers ask for theirs."""

BUFFER_SECONDS = 0.5
"""How much of the rate a burst may use up. With a whole second a keyframe of a busy 720p canvas is of 80 kB, 70 packets
at once; so it is of 50 at most, for 6 % of the rate."""

_BT601 = 6
"""AVCOL_SPC_SMPTE170M."""

_LEVELS = ((108_000, 3600, "3.1"), (216_000, 5120, "3.2"), (245_760, 8192, "4.0"))
"""Macroblocks a second and a frame (ITU-T H.264 table A-1)."""


@dataclass(slots=True)
class RenditionStatistics:
    """Counts since the start."""

    pictures: int = 0
    keyframes: int = 0
    packets: int = 0
    octets: int = 0
    rebuilds: int = 0


class Rendition:
    """The canvas in one codec, size (pixels) and rate (bits a second). Its calls must not overlap.

    H.264 is constrained baseline with its parameter sets before every keyframe. ``threads`` above one cuts pictures
    into slices.
    """

    def __init__(self, codec: VideoCodec, width: int, height: int, bitrate: int, fps: int, *, threads: int = 1) -> None:
        self.codec, self.width, self.height, self.fps = codec, width, height, fps
        self.bitrate = bitrate
        self._threads = threads
        self._reformatter = VideoReformatter()
        self._last = -1
        self._picture_id = random.randrange(vp8.PICTURE_ID_LIMIT)  # noqa: S311 - RFC 7741 wants variety, not secrecy
        self._ceiling = bitrate
        self._counts = RenditionStatistics()
        self._context = self._open()

    def set_bitrate(self, bitrate: int) -> None:
        """Change the rate from the next picture on.

        libx264 follows at once up to the rate that it was opened with. More than that, and any change for libvpx, needs
        a new encoder and so a keyframe; libvpx is left alone for less than a tenth.
        """
        if bitrate == self.bitrate:
            return
        if self.codec is VideoCodec.H264 and bitrate <= self._ceiling:
            self._context.bit_rate = self.bitrate = bitrate
        elif self.codec is VideoCodec.H264 or abs(bitrate - self.bitrate) >= self.bitrate / 10:
            self.bitrate = self._ceiling = bitrate
            self._context = self._open()
            self._counts.rebuilds += 1

    def encode(self, frame: VideoFrame, timestamp: int, *, force_keyframe: bool = False) -> list[MediaPacket]:
        """Encode a frame, scaled where its size is another, and cut it into packets. Blocks for milliseconds.

        ``timestamp`` is in 90 kHz ticks of the room's clock and must grow from call to call (`ValueError`); the packets
        bear it. The frame's time and type are written to; its pixels may change again after the call.
        """
        if timestamp <= self._last:
            raise ValueError(f"time stands still at {timestamp}")
        self._last = timestamp
        if (frame.width, frame.height) != (self.width, self.height):
            frame = self._reformatter.reformat(
                frame,
                self.width,
                self.height,
                interpolation=Interpolation.AREA,
                src_color_range=ColorRange.MPEG,
                dst_color_range=ColorRange.MPEG,
                threads=1,
            )
        frame.pts, frame.time_base = timestamp, Fraction(1, VIDEO_CLOCK)
        frame.pict_type = PictureType.I if force_keyframe else PictureType.NONE
        packets: list[MediaPacket] = []
        for encoded in self._context.encode(frame):
            packets += self._packets(bytes(encoded), timestamp, keyframe=encoded.is_keyframe)
        return packets

    def statistics(self) -> RenditionStatistics:
        """What was made."""
        return replace(self._counts)

    def _packets(self, data: bytes, timestamp: int, *, keyframe: bool) -> list[MediaPacket]:
        if self.codec is VideoCodec.H264:
            payloads = h264.packetize(data, MAX_PAYLOAD)
        else:
            payloads = vp8.packetize(data, MAX_PAYLOAD, self._picture_id)
            self._picture_id = (self._picture_id + 1) % vp8.PICTURE_ID_LIMIT
        self._counts.pictures += 1
        self._counts.keyframes += keyframe
        self._counts.packets += len(payloads)
        self._counts.octets += sum(map(len, payloads))
        last = len(payloads) - 1
        return [MediaPacket(payload, timestamp, i == 0, i == last, keyframe) for i, payload in enumerate(payloads)]

    def _open(self) -> VideoCodecContext:
        name = "libx264" if self.codec is VideoCodec.H264 else "libvpx"
        context = cast("VideoCodecContext", av.CodecContext.create(name, "w"))
        context.width, context.height, context.pix_fmt = self.width, self.height, "yuv420p"
        context.bit_rate = self.bitrate
        context.framerate, context.time_base = Fraction(self.fps), Fraction(1, VIDEO_CLOCK)
        context.gop_size = KEYFRAME_SECONDS * self.fps
        context.max_b_frames = 0
        context.thread_count = self._threads
        context.color_range, context.colorspace = ColorRange.MPEG, _BT601
        context.options = self._h264_options() if self.codec is VideoCodec.H264 else self._vp8_options()
        context.open()
        return context

    def _h264_options(self) -> dict[str, str]:
        """A VBV of the same rate makes libx264 follow later changes, and bounds what a keyframe takes."""
        blocks = -(-self.width // 16) * -(-self.height // 16)
        level = next((name for rate, size, name in _LEVELS if blocks * self.fps <= rate and blocks <= size), "5.0")
        return {
            "preset": PRESET,
            "tune": "zerolatency",
            "profile": "baseline",
            "level": level,
            "maxrate": str(self.bitrate),
            "bufsize": str(round(self.bitrate * BUFFER_SECONDS)),
            "forced-idr": "1",
            "sc_threshold": "0",
        }

    def _vp8_options(self) -> dict[str, str]:
        """Constant rate and no look-ahead, as for WebRTC.

        Not error-resilient: after a loss a receiver waits for a retransmission or a keyframe in any case, and it costs
        quality.
        """
        return {
            "deadline": "realtime",
            "cpu-used": "-8",
            "lag-in-frames": "0",
            "error-resilient": "0",
            "minrate": str(self.bitrate),
            "maxrate": str(self.bitrate),
            "bufsize": str(round(self.bitrate * BUFFER_SECONDS)),
            "undershoot-pct": "100",
            "overshoot-pct": "15",
            "static-thresh": "1",
            "qmin": "2",
            "qmax": "56",
        }
