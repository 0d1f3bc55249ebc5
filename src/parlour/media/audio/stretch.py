"""Playing a little faster or slower without a change of pitch, and the ramps that keep cuts from clicking."""

from typing import Final

import numpy as np

from parlour.media.audio.frame import FRAME, Samples

RAMP: Final = FRAME // 4
"""Samples of a short fade, 5 ms."""

LEAST_CUT: Final = FRAME // 4
"""Samples that a cut takes out at least, 5 ms: a period of 200 Hz."""

_MOST_CUT: Final = FRAME  # 20 ms, a period of 50 Hz
_OVERLAP: Final = FRAME // 2
_COARSE: Final = 4  # the search looks at every fourth sample

_UP = np.linspace(0.0, 1.0, _OVERLAP, dtype=np.float32)
_RAMP_UP = np.linspace(0.0, 1.0, RAMP, dtype=np.float32)
_RAMP_DOWN = _RAMP_UP[::-1].copy()


def shorten(samples: Samples, most: int) -> Samples:
    """``samples`` less 5 to 20 ms, at most ``most`` samples, cut out near the beginning where the sound repeats.

    The first and the last sample stay as they are. Where ``most`` or ``samples`` is too short nothing is cut.
    """
    most = min(most, _MOST_CUT, samples.size - _OVERLAP)
    if most < LEAST_CUT:
        return samples
    lag = _period(samples[: most + _OVERLAP])
    start = samples[:_OVERLAP]
    joined = start + (samples[lag : lag + _OVERLAP] - start) * _UP
    return np.concatenate((joined, samples[lag + _OVERLAP :]))


def lengthen(samples: Samples, most: int) -> Samples:
    """``samples`` and 5 to 20 ms more, at most ``most`` samples, put in near the beginning where the sound repeats.

    The first and the last sample stay as they are. Where ``most`` or ``samples`` is too short nothing is put in.
    """
    most = min(most, _MOST_CUT, samples.size - _OVERLAP)
    if most < LEAST_CUT:
        return samples
    lag = _period(samples[: most + _OVERLAP])
    onward = samples[lag : lag + _OVERLAP]
    joined = onward + (samples[:_OVERLAP] - onward) * _UP
    return np.concatenate((samples[:lag], joined, samples[_OVERLAP:]))


def fade_in(samples: Samples) -> Samples:
    """``samples`` with a rise from silence over the first 5 ms."""
    risen = samples.copy()
    size = min(RAMP, risen.size)
    risen[:size] *= _RAMP_UP[:size]
    return risen


def fade_out(samples: Samples) -> Samples:
    """``samples`` with a fall to silence over the first 5 ms, silent after."""
    fallen = np.zeros_like(samples)
    size = min(RAMP, samples.size)
    fallen[:size] = samples[:size] * _RAMP_DOWN[:size]
    return fallen


def cross_fade(old: Samples, new: Samples) -> Samples:
    """``new``, begun as a continuation of ``old`` and all its own after 5 ms."""
    size = min(RAMP, old.size, new.size)
    joined = new.copy()
    joined[:size] = old[:size] * _RAMP_DOWN[:size] + new[:size] * _RAMP_UP[:size]
    return joined


def _period(samples: Samples) -> int:
    """The lag, within what a cut may take, at which the sound is most like its beginning."""
    coarse = samples[::_COARSE]
    pattern = coarse[: _OVERLAP // _COARSE]
    likeness = np.correlate(coarse[LEAST_CUT // _COARSE :], pattern, "valid")
    power = np.cumsum(np.concatenate((np.zeros(1), coarse.astype(np.float64) ** 2)))
    windows = power[pattern.size :] - power[: -pattern.size]
    best = np.argmax(likeness / np.sqrt(windows[LEAST_CUT // _COARSE :] + 1.0))
    return LEAST_CUT + int(best) * _COARSE
