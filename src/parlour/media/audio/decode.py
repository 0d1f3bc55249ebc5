"""Opus to samples, and what stands for packets that are lost: concealment, or what the next packet repeats of them."""

import ctypes
from typing import NamedTuple

import numpy as np

from parlour.media.audio.frame import FRAME, LONGEST_PACKET, RATE, Samples
from parlour.media.audio.libopus import libopus

_STEP = RATE // 400
"""Samples of 2.5 ms: what libopus conceals is a multiple of it."""


class DecoderStatistics(NamedTuple):
    """Packets decoded, times that sound was concealed or recovered, packets that libopus refused."""

    decoded: int
    concealed: int
    recovered: int
    malformed: int


class OpusDecoder:
    """Decodes one sender's packets in order. Stereo is mixed down by libopus. Made by first use."""

    def __init__(self) -> None:
        self._state: ctypes.Array[ctypes.c_char] | None = None
        self._decoded = self._concealed = self._recovered = self._malformed = 0

    def decode(self, payload: bytes) -> Samples:
        """The samples of a packet, which has some octets; none where it is malformed."""
        samples = self._run(payload, LONGEST_PACKET)
        if not samples.size:
            self._malformed += 1
            return samples
        self._decoded += 1
        return samples

    def conceal(self, count: int = FRAME) -> Samples:
        """So many samples, up to 120 ms, that carry on the sound and fade; silence where nothing was heard yet."""
        self._concealed += 1
        return self._run(b"", count)

    def recover(self, following: bytes, count: int) -> Samples:
        """The last ``count`` samples before a packet, as far as it repeats them; empty where it repeats nothing.

        This is Opus's in-band forward error correction (RFC 6716 section 2.1.7): the packet itself is decoded after it.
        """
        if not following or libopus().opus_packet_has_lbrr(following, len(following)) != 1:
            return np.zeros(0, np.float32)
        samples = self._run(following, count, repeated=1)
        self._recovered += bool(samples.size)
        return samples

    def statistics(self) -> DecoderStatistics:
        """Counters since the beginning."""
        return DecoderStatistics(self._decoded, self._concealed, self._recovered, self._malformed)

    def _run(self, payload: bytes, most: int, repeated: int = 0) -> Samples:
        """Decode a packet, or conceal ``most`` samples where it is empty. Empty where libopus refuses."""
        state, room = self._opened(), np.empty(-(-most // _STEP) * _STEP, np.int16)
        at = room.ctypes.data
        count = libopus().opus_decode(state, payload or None, len(payload), at, room.size, repeated)
        samples: Samples = room[: max(0, count)].astype(np.float32)
        return samples[-most:]

    def _opened(self) -> "ctypes.Array[ctypes.c_char]":
        if self._state is None:
            library = libopus()
            state = ctypes.create_string_buffer(library.opus_decoder_get_size(1))
            if library.opus_decoder_init(state, RATE, 1):
                raise RuntimeError("libopus makes no decoder")
            self._state = state
        return self._state
