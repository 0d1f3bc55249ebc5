"""What a soak says of what it saw."""

import os
import socket
from collections import Counter

import pytest
from benchmarks.soak import Belongings, Course, Soak, descriptors, growth, least


def test_growth_is_the_slope_once_warm() -> None:
    minutes = [number / 10 for number in range(300)]
    warming = [100 + 10 * min(minute, 9.0) + max(0.0, minute - 10) * 0.05 for minute in minutes]
    assert growth(minutes, warming) == pytest.approx(0.5, abs=0.05)
    assert growth([0.0], [1.0]) == 0.0


def test_what_is_left_over_is_told() -> None:
    fine = Course([0, 1, 2], [50, 50, 50], Belongings(5, 6, ("pipe", "socket")), Belongings(5, 9, ("socket",)))
    assert Soak({"front": fine}).complaints == []
    more = Belongings(6, 6, ("socket", "socket"))
    worse = Course([0, 1, 2], [50, 52, 54], Belongings(5, 6, ("socket",)), more)
    assert Soak({"worker": worse}, refused=["the room is full"]).complaints == [
        "somebody did not get in: the room is full",
        "the worker grows by 20.00 MB in 10 minutes",
        "the worker has more tasks than before: 1",
        "the worker has more file descriptors than before: socket",
    ]


def test_a_descriptor_that_took_the_place_of_another_is_told() -> None:
    course = Course([0, 1, 2], [50, 50, 50], Belongings(5, 6, ("pipe",)), Belongings(5, 6, ("socket",)))
    assert Soak({"front": course}).complaints == ["the front has more file descriptors than before: socket"]


def test_the_least_of_some_looks_counts() -> None:
    looks = [Belongings(5, 7, ("pipe", "socket")), Belongings(6, 6, ("socket",))]
    assert least(looks) == Belongings(5, 6, ("socket",))


def test_descriptors_are_told_by_what_they_lead_to() -> None:
    before = descriptors(os.getpid())
    with socket.socket():
        assert Counter(descriptors(os.getpid())) - Counter(before) == Counter({"socket": 1})
