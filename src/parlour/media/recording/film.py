"""A film in the making: a fragmented MP4 of the room's own H.264 and of its sound.

::

    ftyp moov | moof mdat | moof mdat | ...

Each fragment holds half a second and is in the file once it is over, so whoever is killed loses no more than that and
the picture being shown. Fragments begin wherever their time has come, with a keyframe or without.
"""

import io
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple, Protocol

import av

from parlour.media.audio.frame import RATE, Pcm
from parlour.media.recording.soundtrack import BLOCK, Soundtrack, add_sound
from parlour.media.video.codec import VIDEO_CLOCK

if TYPE_CHECKING:
    from av.video.stream import VideoStream

FRAGMENT_S = 0.5
"""Seconds of a fragment."""

BUFFER = 256 * 1024
"""Octets that are written at once, at most."""

DELAY = BLOCK * VIDEO_CLOCK // RATE
"""90 kHz ticks by which the whole film is late, for the sound's encoder begins before the first sample."""

_TICK = Fraction(1, VIDEO_CLOCK)
_SHORTEST = VIDEO_CLOCK // 50


class Sink(Protocol):
    """Where a film goes."""

    def write(self, data: bytes, /) -> int:
        """Write all of it. Raises ``OSError``."""


class _Shown(NamedTuple):
    """The picture that is being shown: written once it is known for how long."""

    start: int
    data: bytes
    keyframe: bool


class Film:
    """Pictures and sound of a room, from the first keyframe on. Times are seconds of the room's clock.

    ``cut`` leaves out what comes until the next keyframe: the film goes on where it was. All methods raise ``OSError``
    or ``av.FFmpegError`` where the sink takes nothing any more.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._container: av.container.OutputContainer | None = None
        self._video: VideoStream
        self._sound: Soundtrack
        self._base: float | None = None
        self._shown: _Shown | None = None
        self._end = 0

    @property
    def length(self) -> float:
        """Seconds so far."""
        sound = self._sound.length / RATE if self._container is not None else 0.0
        return max(sound, self._end / VIDEO_CLOCK)

    @property
    def waits(self) -> bool:
        """Whether nothing but a keyframe helps."""
        return self._base is None

    def picture(self, at: float, data: bytes, *, keyframe: bool) -> None:
        """Take an access unit (Annex B, with its parameter sets before a keyframe)."""
        if self._base is None:
            if not keyframe:
                return
            if self._container is None:
                self._open(data)
            self._base = at - self.length
        start = round((at - self._base) * VIDEO_CLOCK)
        if self._shown is not None:
            if start <= self._shown.start:
                return  # no clock of a room runs backwards
            self._write(self._shown, start - self._shown.start)
        self._shown = _Shown(start, data, keyframe)
        self._end = start + _SHORTEST

    def sound(self, at: float, samples: Pcm) -> None:
        """Take some of the mix, 16-bit mono at 48 kHz."""
        if self._base is None or self._container is None:
            return
        position = round((at - self._base) * RATE)
        if position < 0:
            samples, position = samples[-position:], 0
        self._container.mux(list(self._sound.add(position, samples)))

    def cut(self) -> None:
        """Leave out what comes from now on, until a keyframe does."""
        self._base = None

    def close(self) -> None:
        """Write what is left. Picture and sound end together."""
        container, self._container = self._container, None
        if container is None:
            return
        try:
            container.mux(list(self._sound.fill(self._end * RATE // VIDEO_CLOCK)))
            if self._shown is not None:
                end = self._sound.length * VIDEO_CLOCK // RATE
                self._container = container
                self._write(self._shown, max(end - self._shown.start, 1))
                self._container = None
            container.mux(list(self._sound.close()))
        finally:
            container.close()

    def _open(self, keyframe: bytes) -> None:
        """Begin the file: a first keyframe tells all that must be known of the picture."""
        container = av.open(
            self._sink,
            "w",
            format="mp4",
            options={
                "movflags": "empty_moov+default_base_moof+skip_trailer",
                "frag_duration": str(round(FRAGMENT_S * 1_000_000)),
                "flush_packets": "1",
            },
            buffer_size=BUFFER,
        )
        with av.open(io.BytesIO(keyframe), format="h264") as stream:
            self._video = container.add_stream_from_template(stream.streams.video[0])
        self._video.time_base = _TICK
        self._sound = Soundtrack(add_sound(container))
        self._container = container
        container.start_encoding()

    def _write(self, shown: _Shown, duration: int) -> None:
        assert self._container is not None  # noqa: S101 - there is something to show
        packet = av.Packet(shown.data)
        packet.stream, packet.time_base = self._video, _TICK
        packet.pts = packet.dts = shown.start + DELAY
        packet.duration = duration
        packet.is_keyframe = shown.keyframe
        self._container.mux(packet)
