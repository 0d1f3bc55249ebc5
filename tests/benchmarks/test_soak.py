"""What a soak says of what it saw."""

import pytest
from benchmarks.soak import Belongings, Course, Soak, growth


def test_growth_is_the_slope_once_warm() -> None:
    minutes = [number / 10 for number in range(300)]
    warming = [100 + 10 * min(minute, 9.0) + max(0.0, minute - 10) * 0.05 for minute in minutes]
    assert growth(minutes, warming) == pytest.approx(0.5, abs=0.05)
    assert growth([0.0], [1.0]) == 0.0


def test_what_is_left_over_is_told() -> None:
    fine = Course([0, 1, 2], [50, 50, 50], Belongings(5, 6, 7), Belongings(5, 9, 6))
    assert Soak({"front": fine}).complaints == []
    worse = Course([0, 1, 2], [50, 52, 54], Belongings(5, 6, 7), Belongings(6, 6, 8))
    found = Soak({"worker": worse}, refused=["the room is full"]).complaints
    assert [complaint.partition("worker ")[2][:5] or complaint[-4:] for complaint in found] == [
        "full", "grows", "has 1", "has 1",
    ]  # fmt: skip
