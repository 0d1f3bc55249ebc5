"""A thread that keeps to a clock: one that only goes on when somebody sleeps or works."""

import logging
import math

import pytest

from parlour.media.metronome import Metronome

PERIOD = 0.02
STARTED = 100.0


class Time:
    """Seconds as the thread sees them."""

    def __init__(self) -> None:
        self.now = STARTED
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Work:
    """Beats that take as long as is said here, by their number; the last one ends the metronome."""

    def __init__(self, time: Time, last: int, **seconds: float) -> None:
        self.heard: list[tuple[int, float]] = []
        self.let_go: list[int] = []
        self._time = time
        self._last = last
        self._seconds = {int(number[1:]): taken for number, taken in seconds.items()}
        self.metronome = Metronome(
            "work",
            self._beat,
            started=STARTED,
            period=PERIOD,
            behind_max=0.2,
            let_go=self.let_go.append,
            clock=time.clock,
            sleep=time.sleep,
        )

    def done(self) -> list[tuple[int, int]]:
        """Run to the end: each beat's number and when it came, in milliseconds from the start."""
        self.metronome.start()
        self.metronome._thread.join(10)
        return [(number, round(1000 * (at - STARTED))) for number, at in self.heard]

    def _beat(self, number: int) -> None:
        self.heard.append((number, self._time.now))
        if number >= self._last:
            self.metronome._ending = True
        taken = self._seconds.get(number, 0.0)
        if math.isnan(taken):
            raise ValueError("this beat fails")
        self._time.now += taken


def test_beats_come_when_they_are_due_however_long_they_take() -> None:
    work = Work(Time(), 4, n0=0.015, n2=0.005)
    assert work.done() == [(0, 0), (1, 20), (2, 40), (3, 60), (4, 80)]
    assert (work.metronome.missed, work.metronome.late, work.let_go) == (0, 0, [])


def test_what_is_late_comes_at_once_until_it_has_caught_up() -> None:
    work = Work(Time(), 4, n0=0.05)
    assert work.done() == [(0, 0), (1, 50), (2, 50), (3, 60), (4, 80)]
    assert (work.metronome.missed, work.metronome.late) == (0, 2), "the one that took long, and the one after it"


def test_far_behind_beats_are_let_go() -> None:
    work = Work(Time(), 16, n0=0.305)
    assert work.done() == [(0, 0), (15, 305), (16, 320)]
    assert (work.metronome.missed, work.metronome.late, work.let_go) == (14, 1, [14])


def test_a_beat_that_fails_is_counted_and_the_next_one_comes(caplog: pytest.LogCaptureFixture) -> None:
    work = Work(Time(), 2, n1=math.nan)
    with caplog.at_level(logging.ERROR, "parlour.media"):
        assert work.done() == [(0, 0), (1, 20), (2, 40)]
    assert work.metronome.missed == 1
    assert "work failed" in caplog.text
    assert "this beat fails" in caplog.text


def test_ending_waits_for_the_thread() -> None:
    time = Time()
    work = Work(time, 10**9)
    work.metronome.start()
    work.metronome.end()
    assert not work.metronome._thread.is_alive()
    assert all(slept >= 0 for slept in time.slept)
