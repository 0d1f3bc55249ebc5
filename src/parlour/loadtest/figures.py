"""The figures of a load test: plain functions from what was counted to what is told. Times in seconds."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from parlour.loadtest.reception import Counts
from parlour.media.video.codec import VIDEO_CLOCK


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value below which ``share`` percent lie; ``None`` where there is nothing."""
    return float(np.percentile(np.asarray(values, dtype=np.float64), share)) if len(values) else None


def loss(counts: Counts) -> float:
    """The part of the packets, sound and picture, that never came, 0 to 1."""
    lost = counts.lost + counts.audio_lost
    came = counts.video + counts.resent + counts.audio
    return max(0.0, lost / (lost + came)) if lost + came > 0 else 0.0


def longest_gap(arrivals: Sequence[float], until: float) -> float:
    """The longest time for which no picture came, up to ``until``."""
    if not len(arrivals):
        return 0.0
    times = [*arrivals, max(until, arrivals[-1])]
    return max(after - before for before, after in pairwise(times))


def deviations(stamps: Sequence[int], arrivals: Sequence[float]) -> list[float]:
    """How much later each picture came than its timestamp has it, less the median of all."""
    if not len(stamps):
        return []
    late = np.asarray(arrivals, dtype=np.float64) - np.asarray(stamps, dtype=np.float64) / VIDEO_CLOCK
    return [float(value) for value in late - np.median(late)]
