"""The sum of those who are heard, and the same less each one's own voice."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from parlour.media.audio.frame import FRAME, SILENCE, Pcm, Samples

FULL_SCALE: Final = 32767.0

_KNEE: Final = FULL_SCALE * 10 ** (-3 / 20)
_ROOM: Final = FULL_SCALE - _KNEE
_DECIBEL_A_STEP: Final = 0.4
_RAMP: Final[Samples] = np.linspace(1 / FRAME, 1.0, FRAME, dtype=np.float32)


def volume_gain(volume: int) -> float:
    """The factor of a volume, -50 to 50: 0.4 dB a step, so a tenth at -50, one at 0 and ten at 50."""
    return float(10 ** (max(-50, min(50, volume)) * _DECIBEL_A_STEP / 20))


def turned(samples: Samples, before: float, gain: float) -> Samples:
    """A frame times ``gain``, which it reaches over its length where it was another ``before``."""
    if gain == before:
        return samples if gain == 1.0 else samples * np.float32(gain)
    return samples * (np.float32(before) + np.float32(gain - before) * _RAMP)


def soft_clip(samples: Samples) -> Samples:
    """``samples`` within full scale: untouched up to -3 dBFS, above that bent smoothly (tanh). Keeps no state."""
    if max(float(samples.max()), -float(samples.min())) <= _KNEE:
        return samples
    size = np.abs(samples)
    bent = _KNEE + _ROOM * np.tanh((size - _KNEE) / _ROOM)
    return np.where(size > _KNEE, np.copysign(bent, samples), samples).astype(np.float32)


def to_pcm(samples: Samples) -> Pcm:
    """``samples`` soft-clipped and rounded to 16 bits."""
    return np.rint(soft_clip(samples)).astype(np.int16)


@dataclass(frozen=True, slots=True)
class Mixed:
    """One frame: the sum of everything, and what each member gave to it. ``parts`` counts what was summed."""

    total: Samples
    shares: Mapping[str, Samples]
    parts: int

    @property
    def silent(self) -> bool:
        """Whether nothing was summed."""
        return not self.parts

    def without(self, member: str) -> Samples:
        """The mix less the member's own share."""
        share = self.shares.get(member)
        return self.total if share is None else self.total - share

    def silent_without(self, member: str) -> bool:
        """Whether nothing is left when the member's share is taken away."""
        return self.parts == int(member in self.shares)


class Mixer:
    """Sums frames. A member who comes, goes or changes volume does so over one frame."""

    def __init__(self) -> None:
        self._gains: dict[str, float] = {}

    @property
    def sounding(self) -> Iterable[str]:
        """Those who were in the last frame; one who leaves the mix is wanted once more, to fade."""
        return self._gains.keys()

    def mix(self, frames: Mapping[str, Samples], gains: Mapping[str, float], tone: Samples | None = None) -> Mixed:
        """Sum ``frames`` by the ``gains`` of those in the mix, and ``tone``, which everybody hears.

        Who has no gain is not in the mix; who is in the mix but has no frame is silent.
        """
        shares: dict[str, Samples] = {}
        for member in {**self._gains, **gains}:
            gain, before = gains.get(member, 0.0), self._gains.get(member, 0.0)
            frame = frames.get(member)
            if frame is not None:
                shares[member] = turned(frame, before, gain)
        self._gains = dict(gains)
        parts = list(shares.values()) if tone is None else [*shares.values(), tone]
        if not parts:
            return Mixed(SILENCE, shares, 0)
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return Mixed(total, shares, len(parts))
