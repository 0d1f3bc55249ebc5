"""Which rendition a receiver gets, by what it reports."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.media.video.receiver import CALM_MAX_S, CALM_S, LOSS_CALM, LOSS_MAX, RELAPSE_S, SUSTAINED_S, Receiver
from parlour.media.video.rendition import RenditionSize

FULL, SMALL = RenditionSize.FULL, RenditionSize.SMALL
RATES = {FULL: 2_000_000, SMALL: 350_000}


class Link:
    """A receiver that reports once a second about what it is sent."""

    def __init__(self) -> None:
        self.receiver = Receiver(RATES[FULL], RATES[SMALL])
        self.now = 100.0
        self.octets = 0

    def second(self, *, loss: float | None = None, estimate: int | None = None, rate: int | None = None) -> None:
        """Let a second pass, sending at the rendition's rate or at another; then report."""
        self.now += 1.0
        self.octets += (RATES[self.receiver.size] if rate is None else rate) // 8
        if estimate is not None:
            self.receiver.estimated(estimate, self.octets, self.now)
        if loss is not None:
            self.receiver.lost(loss, self.octets, self.now)

    def seconds(self, count: int, **reports: float | int) -> None:
        for _ in range(count):
            self.second(**reports)  # type: ignore[arg-type]  # the names and their types are those of second()

    @property
    def size(self) -> RenditionSize:
        return self.receiver.size


def went_down() -> Link:
    link = Link()
    link.seconds(3, loss=0.2)
    assert link.size is SMALL
    return link


def test_loss_that_lasts_moves_down() -> None:
    link = Link()
    link.seconds(2, loss=0.2)
    assert link.size is FULL
    link.second(loss=0.2)
    assert link.size is SMALL
    assert (link.receiver.downs, link.receiver.ups) == (1, 0)


def test_loss_that_stops_in_between_does_not() -> None:
    link = Link()
    for fraction in (0.3, 0.3, 0.0) * 5:
        link.second(loss=fraction)
    assert link.size is FULL


def test_reports_far_apart_do_not_make_one_trouble() -> None:
    link = Link()
    for _ in range(4):
        link.second(loss=0.3)
        link.seconds(9)
    assert link.size is FULL


def test_an_estimate_that_stays_below_what_is_sent_moves_down() -> None:
    link = Link()
    link.seconds(4, estimate=600_000)
    assert link.size is SMALL


def test_an_estimate_held_down_by_a_still_picture_does_not() -> None:
    link = Link()
    link.seconds(30, estimate=160_000, rate=100_000)
    assert link.size is FULL


def test_an_estimate_on_its_way_up_is_no_alarm() -> None:
    link = Link()
    link.seconds(10, estimate=450_000, rate=300_000)
    estimate = 450_000.0
    while estimate < RATES[FULL]:
        estimate *= 1.08
        link.second(estimate=int(estimate))
        assert link.size is FULL
    link.seconds(5, estimate=int(estimate))
    assert link.size is FULL


def test_one_that_rose_and_falls_is() -> None:
    link = Link()
    for estimate in (800_000, 900_000, 1_000_000):
        link.second(estimate=estimate)
    link.seconds(3, estimate=700_000)
    assert link.size is SMALL


def test_calm_moves_up_again() -> None:
    link = went_down()
    link.seconds(int(CALM_S), loss=0.0, estimate=500_000)
    assert link.size is SMALL
    link.second(loss=0.0, estimate=500_000)
    assert link.size is FULL
    link.seconds(60, loss=0.0, estimate=2_500_000)
    assert link.size is FULL


def test_an_estimate_at_the_link_s_limit_is_not_calm() -> None:
    link = went_down()
    link.seconds(100, loss=0.0, estimate=360_000)
    assert link.size is SMALL


def test_silence_is_not_calm() -> None:
    link = went_down()
    link.seconds(2, loss=0.0)
    link.seconds(100)
    link.second(loss=0.0)
    assert link.size is SMALL


def test_a_link_that_never_takes_the_full_picture_is_tried_less_and_less() -> None:
    link = Link()
    tries = []
    for _ in range(1000):
        before = link.size
        link.second(loss=0.2 if link.size is FULL else 0.0)
        if (before, link.size) == (SMALL, FULL):
            tries.append(link.now)
    gaps = [later - earlier for earlier, later in pairwise(tries)]
    assert gaps == sorted(gaps)
    assert gaps[0] < 30
    assert gaps[-1] >= CALM_MAX_S


def test_a_long_good_time_is_not_held_against_it() -> None:
    link = went_down()
    for _ in range(4):
        link.seconds(int(CALM_S) + 1, loss=0.0)
        assert link.size is FULL
        link.seconds(int(RELAPSE_S) + 1, loss=0.0)
        link.seconds(3, loss=0.2)
        assert link.size is SMALL


Report = tuple[float, float | None, int | None, int]

reports = st.lists(
    st.tuples(
        st.floats(0.01, 8.0),
        st.one_of(st.none(), st.floats(0, 1)),
        st.one_of(st.none(), st.integers(0, 10**10)),
        st.integers(0, 1_000_000),
    ),
    max_size=200,
)


def played(receiver: Receiver, reports: Iterable[Report]) -> list[tuple[float, RenditionSize]]:
    """The moves, with their times."""
    now, octets = 0.0, 0
    moves: list[tuple[float, RenditionSize]] = []
    for step, loss, estimate, sent in reports:
        now, octets = now + step, octets + sent
        before = receiver.size
        if loss is not None:
            receiver.lost(loss, octets, now)
        if estimate is not None:
            receiver.estimated(estimate, octets, now)
        if receiver.size is not before:
            moves.append((now, receiver.size))
    return moves


@given(reports)
def test_moves_keep_their_distance_whatever_is_reported(reports: list[Report]) -> None:
    receiver = Receiver(RATES[FULL], RATES[SMALL])
    moves = played(receiver, reports)
    assert [size for _, size in moves] == [SMALL if index % 2 == 0 else FULL for index in range(len(moves))]
    for (before, _), (at, size) in zip([(0.0, FULL), *moves], moves, strict=False):
        assert at - before >= (SUSTAINED_S if size is SMALL else CALM_S)
    assert (receiver.downs, receiver.ups) == ((len(moves) + 1) // 2, len(moves) // 2)
    assert len(receiver._sent) <= 50


@given(st.lists(st.tuples(st.floats(0, LOSS_MAX), st.integers(0, 1_000_000)), max_size=200))
def test_little_loss_and_a_good_estimate_never_move(reports: list[tuple[float, int]]) -> None:
    receiver = Receiver(RATES[FULL], RATES[SMALL])
    assert not played(receiver, [(1.0, loss, RATES[FULL], sent) for loss, sent in reports])


@given(reports, st.floats(LOSS_MAX + 0.001, 1))
def test_lasting_loss_ends_small_whatever_was_before(before: list[Report], loss: float) -> None:
    receiver = Receiver(RATES[FULL], RATES[SMALL])
    played(receiver, [*before, *[(1.0, loss, None, 40_000)] * 4])
    assert receiver.size is SMALL


@given(reports)
def test_calm_ends_full_whatever_was_before(before: list[Report]) -> None:
    receiver = Receiver(RATES[FULL], RATES[SMALL])
    played(receiver, [*before, *[(1.0, LOSS_CALM, None, 40_000)] * (int(CALM_MAX_S) + 7)])
    assert receiver.size is FULL


@pytest.mark.parametrize("hostile", [0, 1])
def test_an_absurd_estimate_takes_nobody_below_small(hostile: int) -> None:
    link = Link()
    link.seconds(200, estimate=hostile)
    assert link.size is SMALL
    assert link.receiver.downs == 1
