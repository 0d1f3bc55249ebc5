"""How loud a frame is."""

import numpy as np

from parlour.media.audio.frame import Samples


def score(samples: Samples) -> float:
    """The mean absolute sample, 0 (silence) to 32767: the energy that gates talking and wins the floor."""
    if not samples.size:
        return 0.0
    return min(32767.0, float(np.add.reduce(np.abs(samples))) / samples.size)
