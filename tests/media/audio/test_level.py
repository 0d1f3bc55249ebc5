"""The score of a frame."""

import numpy as np
import pytest

from parlour.media.audio.frame import FRAME, SILENCE
from parlour.media.audio.level import score


def test_silence_scores_nothing() -> None:
    assert score(SILENCE) == 0.0
    assert score(SILENCE[:0]) == 0.0


def test_the_score_is_the_mean_absolute_sample() -> None:
    assert score(np.array([-100, 300] * (FRAME // 2), np.float32)) == pytest.approx(200)


def test_the_score_ends_at_full_scale() -> None:
    assert score(np.full(FRAME, 90_000, np.float32)) == 32767
