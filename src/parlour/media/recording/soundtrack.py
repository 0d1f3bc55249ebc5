"""The sound of a film: the room's mix as AAC, without a hole from the first sample to the last."""

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import av
import numpy as np

from parlour.media.audio.frame import RATE, Pcm

if TYPE_CHECKING:
    from av.audio.stream import AudioStream

    Sound = av.Packet[AudioStream]

BLOCK: Final = 1024
"""Samples of an AAC frame, and what its encoder puts before the first one."""

BITRATE: Final = 96_000

_SLACK: Final = RATE // 1000  # samples by which a frame may miss its place and still follow the one before
_SILENT: Final = RATE  # samples of silence made at once


class Soundtrack:
    """Takes 16-bit mono samples at their places, gives packets. Where nothing came there is silence.

    The packets' times count samples of the film from `BLOCK` on, so that none is negative.
    """

    def __init__(self, stream: "AudioStream") -> None:
        """``stream`` is one of an MP4 that is being written, with the encoder's settings."""
        self._stream = stream
        self._rest: Pcm = np.zeros(0, np.int16)
        self._encoded = 0

    @property
    def length(self) -> int:
        """Samples taken."""
        return self._encoded + self._rest.size

    def add(self, position: int, samples: Pcm) -> Iterator["Sound"]:
        """Take samples whose first one is at ``position``, counted from the film's start."""
        ahead = position - self.length
        if ahead > _SLACK:
            yield from self.fill(position)
        elif ahead < -_SLACK:
            samples = samples[-ahead:]
        yield from self._take(samples)

    def fill(self, position: int) -> Iterator["Sound"]:
        """Be silent up to ``position``."""
        while (missing := position - self.length) > 0:
            yield from self._take(np.zeros(min(missing, _SILENT), np.int16))

    def close(self) -> Iterator["Sound"]:
        """Give what is left, filled up with silence to a whole frame."""
        if self._rest.size:
            yield from self._take(np.zeros(BLOCK - self._rest.size, np.int16))
        yield from map(self._timed, self._stream.encode(None))

    def _take(self, samples: Pcm) -> Iterator["Sound"]:
        waiting = np.concatenate((self._rest, samples))
        whole = waiting.size // BLOCK * BLOCK
        self._rest = waiting[whole:]
        for start in range(0, whole, BLOCK):
            block = waiting[start : start + BLOCK].astype(np.float32)[None] / 32768
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
            frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), self._encoded
            self._encoded += BLOCK
            yield from map(self._timed, self._stream.encode(frame))

    def _timed(self, packet: "Sound") -> "Sound":
        """The encoder counts from before the first sample."""
        if packet.pts is not None:
            packet.pts = packet.dts = packet.pts + BLOCK
        return packet


def add_sound(container: "av.container.OutputContainer") -> "AudioStream":
    """A stream for a soundtrack."""
    stream = container.add_stream("aac", rate=RATE, layout="mono")
    stream.bit_rate = BITRATE
    stream.time_base = Fraction(1, RATE)
    return stream
