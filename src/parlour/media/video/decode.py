"""One sender's pictures to frames: the newest is what counts, and nothing too large reaches the decoder."""

import threading
from collections import deque
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, cast

import av
from av import VideoFrame
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext

from parlour.media.video.codec import MAX_AREA, EncodedPicture, PayloadError, VideoCodec, is_too_large
from parlour.media.video.sps import find_parameters
from parlour.media.video.vp8 import keyframe_size

if TYPE_CHECKING:
    from parlour.media.lipsync.schedule import Schedule

QUEUE = 30
"""Encoded pictures that wait for a decoder: one second of a camera."""
HELD = 24
"""Of these, so many may wait for their time: 400 ms of a camera with 60 pictures a second."""
RATE = 75
"""Pictures a second of one sender that are decoded for as long as they come: a camera has 60."""
BURST = 75
"""So many on top, as where the network stood still or what was lost came after all."""

_DECODERS = {VideoCodec.H264: "h264", VideoCodec.VP8: "vp8"}
_PLAIN_FORMATS = frozenset({"yuv420p", "yuvj420p"})


@dataclass(slots=True)
class DecoderStatistics:
    """Counts since the start, in pictures.

    ``superseded`` were decoded and never taken because a newer one came, ``skipped`` not decoded because a newer
    keyframe or an error made them useless or nobody is to see them, ``refused`` came while the sender was disabled,
    ``hurried`` did not wait for their time because too many did. ``overflows`` is how often too many waited, or came in
    too short a time.
    """

    decoded: int = 0
    superseded: int = 0
    skipped: int = 0
    refused: int = 0
    errors: int = 0
    overflows: int = 0
    hurried: int = 0


class PictureDecoder:
    """Decodes one sender. `feed` on the event loop, `newest` in a thread, one call of each at a time; neither raises.

    Size and codec may change at any keyframe. A sender whose coded size is above 1080p is disabled, with the reason in
    `disabled`, until a keyframe of a proper size comes. While it is `idle` it throws away what comes, and then begins
    with a keyframe.

    ``schedule`` says when each picture is due; without one each is due when it comes. What waits is still encoded, so
    it takes little room. It may be set at any time. ``counts`` go on counting.
    """

    def __init__(self, codec: VideoCodec) -> None:
        self.codec = codec
        self.disabled: str | None = None
        self.idle = False
        self.schedule: Schedule | None = None
        self._queue: deque[EncodedPicture] = deque()
        self._lock = threading.Lock()
        self._overflowed = False
        self._allowance = float(BURST)
        self._fed_at = -inf
        self._broken = False
        self._context: VideoCodecContext | None = None
        self.counts = DecoderStatistics()

    @property
    def refresh_wanted(self) -> bool:
        """Whether a keyframe must be asked for because what is at hand cannot be decoded."""
        return (self._broken or self._overflowed) and not self.idle

    @property
    def is_waiting(self) -> bool:
        """Whether there is something for `newest` to decode."""
        return bool(self._queue)

    def feed(self, picture: EncodedPicture) -> None:
        """Queue a picture.

        A keyframe makes what waits before it useless, unless that waits for its time; too many waiting means starting
        again at one, and so does more than ``RATE`` and ``BURST`` allow.
        """
        with self._lock:
            self._earn(picture.arrived)
            if self.idle:
                self.counts.skipped += len(self._queue)
                self._queue.clear()
                self._overflowed = True
            elif self._allowance < 1:
                self.counts.overflows += not self._overflowed
                self._overflowed = True
            elif picture.keyframe and (self.schedule is None or self._overflowed or len(self._queue) >= QUEUE):
                self.counts.skipped += len(self._queue)
                self._queue.clear()
                self._overflowed = False
            elif len(self._queue) >= QUEUE:
                self.counts.skipped += len(self._queue)
                self.counts.overflows += 1
                self._queue.clear()
                self._overflowed = True
            if self._overflowed:
                self.counts.skipped += 1
            else:
                self._allowance -= 1
                self._queue.append(picture)

    def _earn(self, now: float) -> None:
        self._allowance = min(self._allowance + RATE * max(0.0, now - self._fed_at), BURST)
        self._fed_at = max(self._fed_at, now)

    def newest(self, due: float = inf) -> VideoFrame | None:
        """Decode all that waits and return the last frame, ``None`` without a new one. Blocks for the decoding.

        What is scheduled for later than ``due``, in seconds of the clock that pictures arrive by, goes on waiting.
        The frame is 8-bit 4:2:0, its range in ``color_range``; its size is whatever the sender chose. Its rotation is
        ignored.
        """
        with self._lock:
            pictures = self._take_due(due)
        newest: VideoFrame | None = None
        for picture in pictures:
            frame = self._decode(picture)
            if frame is not None:
                if newest is not None:
                    self.counts.superseded += 1
                newest = frame
        return None if newest is None else _plain(newest)

    def _take_due(self, due: float) -> list[EncodedPicture]:
        queue, schedule = self._queue, self.schedule
        if schedule is None or due == inf:
            pictures = list(queue)
            queue.clear()
            return pictures
        pictures = []
        while queue and schedule.due_at(queue[0].timestamp, queue[0].arrived) <= due:
            pictures.append(queue.popleft())
        while len(queue) > HELD:
            self.counts.hurried += 1
            pictures.append(queue.popleft())
        return pictures

    def _decode(self, picture: EncodedPicture) -> VideoFrame | None:
        if self._broken and not picture.keyframe:
            self.counts.skipped += 1
            return None
        if not self._is_admitted(picture):
            return None
        try:
            if self._context is None or picture.codec is not self.codec:
                self.codec, self._context = picture.codec, _open(picture.codec)
            frames = self._context.decode(av.Packet(picture.data))
            self._broken = any(frame.is_corrupt for frame in frames)
        except (av.FFmpegError, ValueError):
            frames, self._broken = [], True
        if self._broken:
            self._context = None
            self.counts.errors += 1
            return None
        if not frames or is_too_large(frames[-1].width, frames[-1].height):
            return None
        self.counts.decoded += len(frames)
        self.counts.superseded += len(frames) - 1
        return frames[-1]

    def _is_admitted(self, picture: EncodedPicture) -> bool:
        """Read the declared size before a decoder sees the picture."""
        try:
            sizes = _declared_sizes(picture)
        except PayloadError:
            self._broken = True
            self.counts.errors += 1
            return False
        excess = [size for size in sizes if is_too_large(*size)]
        if excess:
            self.disabled = f"the camera sends {excess[0][0]}×{excess[0][1]}, the limit is 1920×1080"
            self._context = None
        elif sizes and picture.keyframe:
            self.disabled = None
        if self.disabled is not None:
            self.counts.refused += 1
            return False
        return True


def _declared_sizes(picture: EncodedPicture) -> list[tuple[int, int]]:
    if picture.codec is VideoCodec.H264:
        return [(found.width, found.height) for found in find_parameters(picture.data)]
    return [keyframe_size(picture.data)] if picture.data and not picture.data[0] & 1 else []


def _open(codec: VideoCodec) -> VideoCodecContext:
    context = cast("VideoCodecContext", av.CodecContext.create(_DECODERS[codec], "r"))
    context.thread_count = 1
    context.flags |= Flags.low_delay
    context.options = {"max_pixels": str(MAX_AREA)}
    return context


def _plain(frame: VideoFrame) -> VideoFrame:
    return frame if frame.format.name in _PLAIN_FORMATS else frame.reformat(format="yuv420p", threads=1)
