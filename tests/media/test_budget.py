from itertools import pairwise

import pytest

from parlour.domain.live.relief import Relief
from parlour.media.budget import CALM_S, LATE, SETTLE_S, Budget, Measured


class Worker:
    """A worker that is measured every second; ``load`` gives the cores it keeps busy at each step of relief."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.now = 0.0

    def lives(self, seconds: int, *loads: float, late: float = 0.0) -> list[Relief]:
        """What is gone without after each second. Cores are by step; the last one stands for later steps."""
        found = []
        for _ in range(seconds):
            self.now += 1.0
            cores = loads[min(self.budget.relief, len(loads) - 1)]
            found.append(self.budget.take(Measured(cores, late), self.now))
        return found


def test_what_fits_costs_nobody_anything() -> None:
    worker = Worker(Budget(1.0))
    assert set(worker.lives(60, 0.85)) == {Relief.NONE}
    assert worker.budget.statistics() == {"load_percent": 85.0, "budget_cores": 1.0, "relief": 0}


def test_a_hiccup_is_forgiven() -> None:
    worker = Worker(Budget(1.0))
    worker.lives(1, 1.4)
    worker.lives(1, 0.5)
    assert worker.lives(1, 0.5, late=1.0) == [Relief.NONE]
    assert worker.lives(1, 0.5) == [Relief.NONE]
    assert worker.budget.cores == 1.0


def test_things_are_given_up_in_order_until_the_rest_fits() -> None:
    worker = Worker(Budget(1.0))
    reliefs = worker.lives(20, 1.6, 1.4, 1.1, 0.8)
    assert list(dict.fromkeys(reliefs)) == [
        Relief.NONE, Relief.SLOWER_SMALL_TILES, Relief.SMALLER_CAMERAS, Relief.SLOWER_PICTURE,
    ]  # fmt: skip
    assert reliefs[1] is Relief.SLOWER_SMALL_TILES, "the second look decides"
    assert reliefs.count(Relief.SLOWER_SMALL_TILES) >= SETTLE_S, "a step is given the time to show"


def test_in_the_end_nobody_new_comes_in() -> None:
    assert Worker(Budget(1.0)).lives(30, 2.0)[-1] is Relief.NO_MORE_MEMBERS


def test_where_nothing_may_be_given_up_the_load_is_told_all_the_same() -> None:
    worker = Worker(Budget(1.0, most=Relief.NONE))
    assert set(worker.lives(30, 2.0)) == {Relief.NONE}
    assert worker.budget.statistics()["load_percent"] == 200.0


def test_what_was_given_up_comes_back_step_by_step() -> None:
    worker = Worker(Budget(1.0))
    worker.lives(30, 2.0)
    reliefs = worker.lives(90, 0.3)
    assert [relief for at, relief in enumerate(reliefs) if at == 0 or relief is not reliefs[at - 1]] == [
        Relief.NO_MORE_MEMBERS, Relief.NO_MORE_CAMERAS, Relief.SLOWER_PICTURE, Relief.SMALLER_CAMERAS,
        Relief.SLOWER_SMALL_TILES, Relief.NONE,
    ]  # fmt: skip
    assert reliefs.count(Relief.NO_MORE_CAMERAS) == CALM_S


def test_what_comes_back_too_early_is_waited_for_twice_as_long() -> None:
    """With the first step it is easy, without it too much: the room must not swing to and fro."""
    worker = Worker(Budget(1.0))
    reliefs = worker.lives(600, 0.95, 0.55)
    turns = sum(before is not after for before, after in pairwise(reliefs))
    assert turns <= 2 * 600 / 60 + 6


def test_late_sound_counts_although_there_should_be_room() -> None:
    """The machine has other work: what is left for this worker is less than it was granted."""
    worker = Worker(Budget(1.0))
    worker.lives(2, 0.4, late=0.3)
    assert worker.budget.cores == pytest.approx(0.4)
    assert worker.lives(1, 0.2)[-1] is Relief.SLOWER_SMALL_TILES
    assert worker.lives(120, 0.2)[-1] is Relief.NONE
    assert worker.budget.cores == 1.0


def test_a_stall_of_the_machine_is_over_when_it_is_over() -> None:
    worker = Worker(Budget(1.0))
    worker.lives(10, 0.5)
    assert worker.lives(2, 0.1, late=0.5)[-1] is Relief.SLOWER_SMALL_TILES
    assert set(worker.lives(10, 0.5)) == {Relief.SLOWER_SMALL_TILES}, "what is used while nothing is late is there"
    assert worker.lives(40, 0.5)[-1] is Relief.NONE


def test_a_late_frame_now_and_then_keeps_nothing_back() -> None:
    """Of many rooms one is always late with something."""
    worker = Worker(Budget(1.0))
    worker.lives(2, 0.4, late=0.3)
    worker.lives(10, 2.0)
    assert worker.budget.relief is Relief.NO_MORE_MEMBERS
    assert worker.lives(120, 0.3, late=LATE / 4)[-1] is Relief.NONE
    assert worker.budget.cores == 1.0


def test_what_is_granted_may_change() -> None:
    worker = Worker(Budget(1.0))
    worker.lives(1, 0.5)
    worker.budget.grant(2.0)
    worker.lives(1, 0.5)
    assert worker.budget.statistics() == {"load_percent": 25.0, "budget_cores": 2.0, "relief": 0}
    worker.budget.grant(0.5)
    assert worker.lives(2, 0.5)[-1] is Relief.SLOWER_SMALL_TILES
