"""Many small report blocks make one figure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.media.transport.loss import SPAN, LossMeter


def test_blocks_are_joined_by_the_packets_that_they_are_about() -> None:
    meter = LossMeter()
    assert meter.take(0.0, 1000, 10.0) == 0.0
    assert meter.take(0.5, 1002, 10.1) is None
    assert meter.take(0.0, 1008, 10.5) is None
    assert meter.take(0.1, 1018, 11.0) == pytest.approx(2 / 18)
    assert meter.take(0.0, 1020, 11.5) is None
    assert meter.take(0.0, 1022, 12.0) == 0.0, "what was told is not told again"


def test_a_browser_that_reports_with_each_nack_loses_a_fifth() -> None:
    meter = LossMeter()
    told = [meter.take(0.5 if step % 5 < 2 else 0.0, step * 4, step / 50) for step in range(1000)]
    figures = [figure for figure in told[1:] if figure is not None]
    assert len(figures) == 19
    assert figures == [pytest.approx(0.2, abs=0.01)] * 19


def test_nothing_due_is_nothing_known_and_a_step_back_counts_for_nothing() -> None:
    meter = LossMeter()
    meter.take(0.0, 1000, 10.0)
    assert meter.take(1.0, 1000, 15.0) is None
    assert meter.take(1.0, 900, 16.0) is None
    assert meter.take(0.0, 1010, 17.0) == 0.0


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 0xFFFFFFFF), st.floats(0, 2)), max_size=100))
def test_whatever_is_reported_it_is_a_fraction_and_not_often(blocks: list[tuple[float, int, float]]) -> None:
    meter, now, last = LossMeter(), 0.0, None
    for fraction, highest, step in blocks:
        now += step
        figure = meter.take(fraction, highest, now)
        if figure is not None:
            assert 0 <= figure <= 1 + 1e-9
            assert last is None or now - last >= SPAN
            last = now
