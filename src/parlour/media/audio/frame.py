"""The unit of sound: 20 ms of mono at 48 kHz, and what an Opus packet says about its length."""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

RATE: Final = 48_000
"""Samples a second; also the RTP clock of Opus (RFC 7587 section 4.1)."""

FRAME: Final = 960
"""Samples of a frame, 20 ms."""

Samples: TypeAlias = NDArray[np.float32]
"""Mono samples in units of 16-bit PCM: full scale is ±32767."""

Pcm: TypeAlias = NDArray[np.int16]
"""Mono 16-bit PCM."""

LONGEST_PACKET: Final = 5760
"""Samples of the longest packet that Opus allows, 120 ms (RFC 6716 section 3.2.5)."""

SILENCE: Final[Samples] = np.zeros(FRAME, np.float32)
SILENCE.flags.writeable = False

# Samples of one Opus frame by the five configuration bits of the first octet (RFC 6716, table 2).
_SILK = (480, 960, 1920, 2880)
_HYBRID = (480, 960)
_CELT = (120, 240, 480, 960)


def opus_frame_samples(toc: int) -> int:
    """Samples of each Opus frame in a packet whose first octet is ``toc``."""
    config = toc >> 3
    if config < 12:
        return _SILK[config & 3]
    if config < 16:
        return _HYBRID[config & 1]
    return _CELT[config & 3]


def opus_packet_samples(payload: bytes) -> int:
    """Samples of an Opus packet at 48 kHz, 0 where it is malformed (RFC 6716 section 3.2)."""
    if not payload:
        return 0
    code = payload[0] & 3
    if code == 0:
        count = 1
    elif code < 3:
        count = 2
    elif len(payload) > 1:
        count = payload[1] & 63
    else:
        return 0
    samples = count * opus_frame_samples(payload[0])
    return samples if samples <= LONGEST_PACKET else 0
