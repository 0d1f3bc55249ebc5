"""Opus to samples.

FFmpeg's wrapper of libopus always decodes with ``decode_fec`` at 0, so that in-band FEC is out of reach. Its packet
loss concealment is within reach: an Opus frame of no octets asks the decoder to conceal (RFC 6716 section 4.4 and the
zero-length frames of section 3.2.1), and a packet of the first octet alone is such a frame.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from parlour.media.audio.frame import FRAME, RATE, Samples, opus_frame_samples

if TYPE_CHECKING:
    from av.audio.codeccontext import AudioCodecContext


@dataclass(frozen=True, slots=True)
class DecoderStatistics:
    """Packets decoded, frames concealed, packets that libopus refused."""

    decoded: int
    concealed: int
    malformed: int


class OpusDecoder:
    """Decodes one sender's packets in order. Stereo is mixed down by libopus. The codec is opened by first use."""

    def __init__(self) -> None:
        self._codec: AudioCodecContext | None = None
        self._toc: bytes = b""
        self._decoded = self._concealed = self._malformed = 0

    def decode(self, payload: bytes) -> Samples:
        """The packet's samples; empty where it is malformed."""
        samples = self._run(payload)
        if samples is None:
            self._malformed += 1
            return np.zeros(0, np.float32)
        # The same configuration, mono or stereo alike, with one frame.
        self._toc = bytes((payload[0] & 0xFC,))
        self._decoded += 1
        return samples

    def conceal(self, least: int = FRAME) -> Samples:
        """At least ``least`` samples that carry on the sound and fade, in whole Opus frames of the sender's length."""
        if not self._toc:
            return np.zeros(least, np.float32)
        count = -(-least // opus_frame_samples(self._toc[0]))
        self._concealed += count
        parts = [part for _ in range(count) if (part := self._run(self._toc)) is not None]
        return np.concatenate(parts) if parts else np.zeros(least, np.float32)

    def statistics(self) -> DecoderStatistics:
        """Counters since the beginning."""
        return DecoderStatistics(self._decoded, self._concealed, self._malformed)

    def _run(self, payload: bytes) -> Samples | None:
        if self._codec is None:
            self._codec = av.CodecContext.create("libopus", "r")
            self._codec.layout = "mono"
            self._codec.sample_rate = RATE
        try:
            frames = self._codec.decode(av.Packet(payload))
        except av.FFmpegError:
            return None
        if not frames:
            return None
        plane: Any = frames[0].planes[0]  # a buffer, which its type does not say
        samples: Samples = np.frombuffer(plane, np.int16, frames[0].samples).astype(np.float32)
        return samples
