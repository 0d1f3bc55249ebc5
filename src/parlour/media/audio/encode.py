"""One mix to Opus.

A listener's decoder hears packets of one encoder and, when the listener begins or stops to speak, of another. Opus
predicts from what went before, so an encoder that is to take over is first fed the last frames of the sound that the
listener has heard (``prime``): both then describe the same sound and the change is not a cut.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import av

from parlour.media.audio.frame import FRAME, RATE, Pcm

if TYPE_CHECKING:
    from av.audio.codeccontext import AudioCodecContext

_TIME_BASE = Fraction(1, RATE)
_SETTLED: Final = 50  # silent frames after which the packet for silence is not encoded again


@dataclass(frozen=True, slots=True)
class EncoderStatistics:
    """Frames encoded, frames of lasting silence that repeated a packet, and octets of all packets."""

    encoded: int
    repeated: int
    octets: int


class MixEncoder:
    """Encodes 20 ms frames, one packet each: mono, constrained VBR, in-band FEC, no discontinuous transmission.

    ``bit_rate`` in bits a second, ``complexity`` 0 to 10 as in libopus, ``expected_loss`` in percent: what in-band FEC
    is dimensioned for.
    """

    def __init__(self, bit_rate: int = 40_000, complexity: int = 5, expected_loss: int = 10) -> None:
        codec: AudioCodecContext = av.CodecContext.create("libopus", "w")
        codec.bit_rate = bit_rate
        codec.format = "s16"
        codec.layout = "mono"
        codec.sample_rate = RATE
        codec.time_base = _TIME_BASE
        codec.options = {
            "application": "audio",
            "frame_duration": "20",
            "vbr": "constrained",
            "fec": "1",
            "packet_loss": str(expected_loss),
            "compression_level": str(complexity),
        }
        self._codec = codec
        self._frame = av.AudioFrame(format="s16", layout="mono", samples=FRAME)
        self._frame.sample_rate = RATE
        self._frame.time_base = _TIME_BASE
        self._samples = self._frame.planes[0]
        self._pts = 0
        self._silent = 0
        self._last = b""
        self._encoded = self._repeated = self._octets = 0

    def prime(self, frames: Iterable[Pcm]) -> None:
        """Bring the encoder to where the listener's decoder is; the packets are thrown away."""
        for frame in frames:
            self._run(frame)

    def encode(self, frame: Pcm, silent: bool = False) -> bytes:
        """The packet of a frame of 960 samples. ``silent`` promises that all are zero."""
        self._silent = self._silent + 1 if silent else 0
        if self._silent > _SETTLED:
            self._repeated += 1
        else:
            self._last = self._run(frame)
            self._encoded += 1
        self._octets += len(self._last)
        return self._last

    def statistics(self) -> EncoderStatistics:
        """Counters since the beginning."""
        return EncoderStatistics(self._encoded, self._repeated, self._octets)

    def _run(self, samples: Pcm) -> bytes:
        if samples.shape != (FRAME,):
            raise ValueError(f"a frame has {FRAME} samples, not {samples.shape}")
        self._frame.pts = self._pts
        self._samples.update(samples.tobytes())
        self._pts += FRAME
        return b"".join(map(bytes, self._codec.encode(self._frame)))
