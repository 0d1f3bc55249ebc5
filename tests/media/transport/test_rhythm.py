"""When busy ports are read."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.media.transport.rhythm import ALONE, APART, LEAD, Beat, Rhythm

SOUND, PICTURE = 0.02, 1 / 30


def reads(rhythm: Rhythm, now: float, count: int) -> list[float]:
    """The next moments at which a port is read that was read at ``now``."""
    found = []
    for _ in range(count):
        now = rhythm.next(now)
        found.append(now)
    return found


def test_one_room_is_read_before_each_frame_of_its_sound_and_each_of_its_pictures() -> None:
    rhythm = Rhythm()
    rhythm.follow("room", Beat(100.0, SOUND), Beat(100.0, PICTURE))
    beats = sorted({100 + n / 50 for n in range(1, 16)} | {100 + n / 30 for n in range(1, 10) if n % 3})
    assert reads(rhythm, 100.0, len(beats)) == pytest.approx([beat - LEAD for beat in beats])


def test_nobody_waits_for_a_room_that_is_over() -> None:
    rhythm = Rhythm()
    rhythm.follow("room", Beat(0.0, SOUND))
    rhythm.forget("room")
    rhythm.forget("another")
    assert rhythm.next(7.0) == pytest.approx(7.0 + ALONE)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.floats(0, 1e6))
def test_many_rooms_are_read_often_but_not_all_the_time(starts: list[float], now: float) -> None:
    rhythm = Rhythm()
    for number, start in enumerate(starts):
        rhythm.follow(number, Beat(start, SOUND), Beat(start, PICTURE))
    moments = [now, *reads(rhythm, now, 50)]
    assert all(APART - 1e-6 <= after - before <= APART + SOUND + 1e-6 for before, after in pairwise(moments))
