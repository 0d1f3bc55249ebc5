"""Figures from counts."""

import pytest

from parlour.loadtest import figures
from parlour.loadtest.reception import Counts


def test_loss_is_what_never_came_of_all_that_was_sent() -> None:
    assert figures.loss(Counts(video=89, resent=1, lost=5, audio=4, audio_lost=1)) == pytest.approx(0.06)
    assert figures.loss(Counts()) == 0.0
    assert figures.loss(Counts(audio=10, audio_lost=-2)) == 0.0


def test_the_longest_gap_counts_the_end() -> None:
    assert figures.longest_gap([1.0, 1.1, 1.4], 1.5) == pytest.approx(0.3)
    assert figures.longest_gap([1.0, 1.1], 3.1) == pytest.approx(2.0)
    assert figures.longest_gap([], 3.1) == 0.0


def test_deviations_are_from_the_due_time() -> None:
    found = figures.deviations([0, 3000, 6000], [10.0, 10.0 + 1 / 30, 10.0 + 2 / 30 + 0.01])
    assert found == pytest.approx([0, 0, 0.01], abs=1e-6)
    assert figures.deviations([], []) == []


def test_percentiles_of_nothing_are_nothing() -> None:
    assert figures.percentile([], 50) is None
    assert figures.percentile([1.0, 2.0, 9.0], 50) == 2.0
