"""The picture of a room, made on time: a thread that decodes, composes and encodes at the room's frame rate."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from av import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

from parlour.media.metronome import Metronome
from parlour.media.packets import MediaPacket
from parlour.media.priority import PICTURE
from parlour.media.video.decode import PictureDecoder
from parlour.media.video.encode import Rendition
from parlour.media.video.keyframes import KeyframeRequests
from parlour.media.video.pace import IDLE_EVERY, SETTLING, Pace, timestamp_of
from parlour.media.video.picture import Compositor
from parlour.media.video.rendition import RenditionId, RenditionSize, Shape, shapes

BEHIND_MAX = 0.25
"""Seconds behind its clock at which the plane lets ticks go instead of catching up."""

Deliver = Callable[[RenditionId, list[MediaPacket]], None]
"""Takes a picture's packets, in the plane's thread."""
Look = Callable[[int, Callable[[], VideoFrame]], None]
"""Looks at the canvas at the end of a tick, in the plane's thread. The frame shares the canvas's pixels until then."""


@dataclass(slots=True)
class _Output:
    """One rendition in use. Its encoder is opened by the plane's thread, which takes milliseconds."""

    shape: Shape
    pace: Pace
    keyframes: KeyframeRequests = field(default_factory=KeyframeRequests)
    rendition: Rendition | None = None
    changed: bool = False

    @classmethod
    def shaped(cls, shape: Shape) -> "_Output":
        return cls(shape, Pace(max(1, IDLE_EVERY // shape.every), SETTLING // shape.every))


class PicturePlane:
    """Decodes whoever waits, draws what changed, encodes once for each rendition in use.

    Everything may be called from the event loop; ``deliver`` is called in the plane's thread. ``started`` is when the
    first picture is due, in seconds of ``time.monotonic``: timestamps count from there.
    """

    def __init__(
        self,
        width: int,
        height: int,
        fps: int,
        bitrate: int,
        deliver: Deliver,
        started: float,
        *,
        look: Look = lambda tick, canvas: None,
    ) -> None:
        self.compositor = Compositor(width, height)
        self._size = (width, height)
        self._fps = fps
        self._shapes = shapes(width, height, fps, bitrate)
        self._deliver = deliver
        self._started = started
        self._look = look
        self._decoders: dict[str, PictureDecoder] = {}
        self._outputs: dict[RenditionId, _Output] = {}
        self._reformatter = VideoReformatter()
        self._lock = threading.Lock()
        self._every = 1
        self._ticks = self._encoded = 0
        self._decoding = self._composing = self._encoding = 0.0
        self._metronome = Metronome(
            "parlour-picture", self._tick, started=started, period=1 / fps, behind_max=BEHIND_MAX, niceness=PICTURE
        )
        self._metronome.start()

    def show(self, member_id: str, decoder: PictureDecoder | None) -> None:
        """Take a member's pictures from this decoder, or from none any more."""
        with self._lock:
            if decoder is None:
                self._decoders.pop(member_id, None)
            else:
                self._decoders[member_id] = decoder

    def make(self, renditions: frozenset[RenditionId]) -> None:
        """Encode exactly these; what nobody takes is not made."""
        with self._lock:
            for rendition in set(self._outputs) - renditions:
                del self._outputs[rendition]
            for rendition in renditions - set(self._outputs):
                self._outputs[rendition] = _Output.shaped(self._shapes[rendition.size])

    def ask_keyframe(self, rendition: RenditionId) -> None:
        """Somebody cannot start or go on without one."""
        with self._lock:
            output = self._outputs.get(rendition)
            if output is not None:
                output.keyframes.ask()

    def set_every(self, every: int) -> None:
        """Make a picture only with every so many ticks."""
        self._every = every

    def bitrate(self, size: RenditionSize) -> int:
        """Bits a second of the renditions of this size."""
        return self._shapes[size].bitrate

    def end(self) -> None:
        """Stop before the next tick. Blocks until it would be due."""
        self._metronome.end()

    def statistics(self) -> dict[str, float]:
        """Counts since the start; those in ``seconds`` are CPU time of the plane's thread, the last one all of it."""
        composed = self.compositor.statistics()
        return {
            "ticks": self._ticks,
            "missed": self._metronome.missed,
            "encoded": self._encoded,
            "renditions": len(self._outputs),
            "renditions_small": sum(rendition.size is RenditionSize.SMALL for rendition in tuple(self._outputs)),
            "composed": composed.composed,
            "scaled": composed.scaled,
            "decode_seconds": self._decoding,
            "scale_seconds": composed.scaling,
            "compose_seconds": self._composing - composed.scaling,
            "encode_seconds": self._encoding,
            "seconds": self._metronome.seconds,
        }

    def _tick(self, tick: int) -> None:
        self._ticks += 1
        if tick % self._every:
            return
        with self._lock:
            decoders = list(self._decoders.items())
            outputs = list(self._outputs.items())
        started = time.thread_time()
        due = self._started + (tick + self._every / 2) / self._fps  # the tick that is nearest to a picture's time
        for member_id, decoder in decoders:
            if decoder.is_waiting:
                frame = decoder.newest(due)
                if frame is not None:
                    self.compositor.update(member_id, frame)
        decoded = time.thread_time()
        changed = self.compositor.compose() is not None
        composed = time.thread_time()
        timestamp = timestamp_of(tick, self._fps)
        scaled: dict[tuple[int, int], VideoFrame] = {}
        for rendition, output in outputs:
            output.changed |= changed
            if tick % output.shape.every:
                continue
            now = time.monotonic()
            with self._lock:
                keyframe = output.keyframes.take(now)
            if output.pace.is_due(changed=output.changed, keyframe=keyframe):
                packets = self._encode(rendition, output, scaled, timestamp, keyframe=keyframe)
                if packets and packets[0].keyframe and not keyframe:
                    with self._lock:
                        output.keyframes.made(now)
                self._deliver(rendition, packets)
            output.changed = False
        encoded = time.thread_time()
        self._look(tick, self.compositor.frame)
        self._decoding += decoded - started
        self._composing += composed - decoded
        self._encoding += encoded - composed

    def _encode(
        self,
        rendition: RenditionId,
        output: _Output,
        scaled: dict[tuple[int, int], VideoFrame],
        timestamp: int,
        *,
        keyframe: bool,
    ) -> list[MediaPacket]:
        """Encode the canvas; ``scaled`` holds what this tick made of it already, by size in pixels."""
        width, height, every, bitrate = output.shape
        if output.rendition is None:
            output.rendition = Rendition(rendition.codec, width, height, bitrate, self._fps // every)
        frame = scaled.get((width, height))
        if frame is None:
            frame = scaled[width, height] = self._scale(width, height)
        self._encoded += 1
        return output.rendition.encode(frame, timestamp, force_keyframe=keyframe)

    def _scale(self, width: int, height: int) -> VideoFrame:
        frame = self.compositor.frame()
        if (width, height) == self._size:
            return frame
        return self._reformatter.reformat(
            frame,
            width,
            height,
            interpolation=Interpolation.AREA,
            src_color_range=ColorRange.MPEG,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )
