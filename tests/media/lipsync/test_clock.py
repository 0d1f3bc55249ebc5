"""A sender's clock from its reports, however wrong they may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.media.lipsync.clock import HISTORY, ODD, STALE, SenderClock, ticks_between

RATE = 90_000
NTP = 3_900_000_000.0
timestamps = st.integers(0, 2**32 - 1)


def told(*reports: tuple[float, int]) -> SenderClock:
    """A clock after these reports."""
    clock = SenderClock(RATE)
    for seconds, timestamp in reports:
        clock.report(seconds, timestamp)
    return clock


def test_before_a_report_nothing_is_known() -> None:
    assert SenderClock(RATE).captured(0) is None
    assert SenderClock(RATE).anchor is None


@given(zero=timestamps, seconds=st.floats(-STALE + 1, STALE - 1))
def test_one_report_explains_what_is_near_it_beyond_the_wrap(zero: int, seconds: float) -> None:
    clock = told((NTP, zero))
    found = clock.captured((zero + round(seconds * RATE)) & 0xFFFFFFFF)
    assert found == pytest.approx(NTP + seconds, abs=1e-4)


@pytest.mark.parametrize("seconds", [STALE + 1, -STALE - 1, 3600])
def test_what_is_far_from_a_report_is_not_explained(seconds: float) -> None:
    assert told((NTP, 7)).captured((7 + round(seconds * RATE)) & 0xFFFFFFFF) is None


@given(
    drift=st.floats(-500e-6, 500e-6),
    noise=st.lists(st.floats(-0.005, 0.005), min_size=20, max_size=200),
    every=st.floats(0.5, 10),
)
def test_it_follows_a_clock_that_drifts_through_reports_that_tremble(
    drift: float, noise: list[float], every: float
) -> None:
    clock = SenderClock(RATE)
    for number, error in enumerate(noise):
        taken = number * every
        clock.report(NTP + taken + error, round(taken * RATE * (1 + drift)) & 0xFFFFFFFF)
    now = len(noise) * every
    found = clock.captured(round(now * RATE * (1 + drift)) & 0xFFFFFFFF)
    assert found == pytest.approx(NTP + now, abs=0.005 + abs(drift) * every * (HISTORY + 1) + 1e-3)
    assert clock.statistics().odd == 0


@given(wrong=st.floats(-1e6, 1e6).filter(lambda error: abs(error) > 2 * ODD), at=st.integers(1, 9))
def test_a_single_report_moves_nothing(wrong: float, at: int) -> None:
    clock = SenderClock(RATE)
    for number in range(10):
        clock.report(NTP + number + (wrong if number == at else 0.0), number * RATE)
    assert clock.captured(10 * RATE) == pytest.approx(NTP + 10, abs=1e-4)
    assert clock.statistics() == (clock.statistics().__class__)(reports=9, odd=1, jumps=0)


@given(step=st.floats(-1e6, 1e6).filter(lambda error: abs(error) > 2 * ODD))
def test_two_that_say_the_same_are_a_new_clock(step: float) -> None:
    clock = told((NTP, 0), (NTP + 1, RATE), (NTP + 2 + step, 2 * RATE), (NTP + 3 + step, 3 * RATE))
    assert clock.captured(4 * RATE) == pytest.approx(NTP + 4 + step, abs=1e-4)
    assert clock.jumps == 1


def test_the_same_report_twice_proves_nothing() -> None:
    clock = told((NTP, 0), (NTP + 9, RATE), (NTP + 9, RATE), (NTP + 9, RATE))
    assert clock.captured(RATE) == pytest.approx(NTP + 1)
    assert clock.statistics().odd == 3


@given(st.lists(st.tuples(st.floats(allow_nan=True, allow_infinity=True), timestamps), max_size=60), timestamps)
def test_whatever_is_reported_it_stays_small_and_whole(reports: list[tuple[float, int]], asked: int) -> None:
    clock = told(*reports)
    found = clock.captured(asked)
    assert found is None or -STALE <= found <= 2**32 + STALE + 1
    assert len(clock._errors) <= HISTORY
    statistics = clock.statistics()
    assert statistics.reports + statistics.odd == len(reports)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_a_sender_without_a_clock_is_not_believed(seconds: float) -> None:
    assert told((seconds, 5)).anchor is None


@given(timestamps, st.integers(-(2**31), 2**31 - 1))
def test_ticks_go_the_shorter_way(earlier: int, way: int) -> None:
    assert ticks_between(earlier, (earlier + way) & 0xFFFFFFFF) == way
