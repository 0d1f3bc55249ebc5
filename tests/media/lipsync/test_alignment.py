"""How long sound and picture wait for each other, for paths of every kind, on a made-up clock."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlour.media.lipsync.alignment import AHEAD, AS_IT_COMES, CODEC, MISSING, Alignment, Plan
from parlour.media.lipsync.schedule import LIMIT, SLACK, Schedule

TICK = 1 / 30
NTP = 3_900_000_000.0
OURS = 5_000.0
Way = Callable[[float], float]


def takes(seconds: float) -> Way:
    """A way that always takes as long."""
    return lambda taken: seconds


@dataclass
class Sender:
    """Takes pictures and sound by its own clock; ``sound`` and ``picture`` are their ways until they can be put out."""

    sound: Way
    picture: Way
    drift: float = 0.0
    clock_drift: float = 0.0
    alignment: Alignment = field(default_factory=Alignment)
    plans: list[Plan] = field(default_factory=list)
    now: float = 0.0

    def run(self, seconds: float, *, both: bool = True, films: bool = True, speaks: bool = True) -> "Sender":
        """Let time pass."""
        align, until = self.alignment, self.now + seconds
        pictures, step = 0, round(self.now * 50)
        while self.now < until - 1e-9:
            taken = step / 50
            self.now = taken
            at = OURS + taken * (1 + self.clock_drift)
            if step % 50 == 10:
                align.report("video", NTP + taken, self.video(taken))
            if step % 250 == 10:
                align.report("audio", NTP + taken, self.audio(taken))
            if speaks:
                align.heard(self.audio(taken), at + 0.02)
            if speaks and step % 5 == 0:
                align.said(self.audio(taken), at + self.sound(taken))
            if films and step % 5 in (0, 2, 3):
                align.pictured(self.video(taken), at + self.picture(taken))
                pictures += 1
            if step % 5 == 0:
                self.plans.append(align.plan(at, TICK, both=both))
            step += 1
        return self

    def audio(self, taken: float) -> int:
        return round(taken * 48_000 * (1 + self.drift)) + 11 & 0xFFFFFFFF

    def video(self, taken: float) -> int:
        return round(taken * 90_000) + 4_294_900_000 & 0xFFFFFFFF

    def error(self) -> float:
        """By how much later a picture is shown now than its sound is heard, by the last plan, in seconds."""
        plan, taken = self.plans[-1], self.now
        at = OURS + taken * (1 + self.clock_drift)
        heard = at + self.sound(taken) + CODEC + plan.delay
        arrived = at + self.picture(taken)
        due = arrived if plan.schedule is None else plan.schedule.due_at(self.video(taken), arrived)
        return max(due, arrived) - heard


ways = st.floats(0.0, 0.5)


@settings(max_examples=60, deadline=None)
@given(ways, ways)
def test_any_two_ways_within_the_limit_are_made_as_long(sound: float, picture: float) -> None:
    sender = Sender(takes(sound), takes(picture)).run(4)
    offset = picture - sound - CODEC
    plan = sender.plans[-1]
    if -LIMIT + AHEAD + 0.001 < offset < LIMIT - TICK / 2 - 0.001:
        assert abs(sender.error()) <= 0.012
        assert AHEAD <= plan.delay <= LIMIT
        assert plan.delay == pytest.approx(max(AHEAD, offset + TICK / 2), abs=0.012), "no longer than it takes"
        assert not sender.alignment.given_up
    elif offset > LIMIT or offset < -LIMIT:
        assert plan == AS_IT_COMES
        assert sender.alignment.given_up
        assert sender.alignment.statistics().given_up == 1


@pytest.mark.parametrize("clock_drift", [-200e-6, 200e-6])
@pytest.mark.parametrize("drift", [-300e-6, 300e-6])
def test_clocks_that_drift_for_an_hour(drift: float, clock_drift: float) -> None:
    sender = Sender(takes(0.06), takes(0.2), drift, clock_drift)
    for _ in range(60):
        sender.run(60)
        assert abs(sender.error()) <= 0.015
    delays = {plan.delay for plan in sender.plans[100:]}
    assert max(delays) - min(delays) <= 0.021, "the drift does not become a delay"


def test_pictures_with_jitter_get_the_time_that_most_of_them_need() -> None:
    chance = random.Random(3)  # noqa: S311 - a network that is made up
    sender = Sender(takes(0.06), lambda taken: 0.1 + 0.08 * chance.random()).run(20)
    assert 0.1 + 0.05 < 0.06 + CODEC + sender.plans[-1].delay < 0.1 + 0.08 + TICK


def test_a_straggler_moves_little_and_a_lasting_change_moves_all() -> None:
    late = [0.0]
    sender = Sender(takes(0.06), lambda taken: 0.12 + late[0]).run(5)
    before = sender.plans[-1].delay
    late[0] = 1.0
    sender.run(0.02)
    late[0] = 0.0
    sender.run(1)
    assert sender.plans[-1].delay <= before + 0.03
    late[0] = 0.15
    sender.run(3)
    assert abs(sender.error()) <= 0.012
    late[0] = 0.0
    sender.run(60)
    assert sender.plans[-1].delay == pytest.approx(before, abs=0.02), "and what is no longer needed is given back"


@pytest.mark.parametrize("without", ["films", "speaks"])
def test_with_only_one_of_both_nothing_waits(without: str) -> None:
    sender = Sender(takes(0.06), takes(0.25)).run(5, **{without: False})
    assert set(sender.plans) == {AS_IT_COMES}


def test_who_is_muted_waits_for_nothing_and_is_aligned_at_once_afterwards() -> None:
    sender = Sender(takes(0.06), takes(0.2)).run(5)
    plan = sender.plans[-1]
    assert sender.run(20, both=False).plans[-1] == AS_IT_COMES
    sender.run(0.2)
    assert sender.plans[-1].delay == pytest.approx(plan.delay, abs=0.012)


def test_a_camera_that_starts_later_and_one_that_stops() -> None:
    sender = Sender(takes(0.06), takes(0.2)).run(10, films=False)
    assert set(sender.plans) == {AS_IT_COMES}
    sender.run(3)
    assert abs(sender.error()) <= 0.012
    assert sender.plans[-1].delay > AHEAD
    sender.run(MISSING + 0.3, films=False)
    assert sender.plans[-1] == AS_IT_COMES


def test_who_has_said_nothing_yet_is_expected_to_take_the_usual_time() -> None:
    sender = Sender(takes(0.07), takes(0.05))
    align = sender.alignment
    align.report("video", NTP, sender.video(0))
    align.report("audio", NTP, sender.audio(0))
    for step in range(50):
        align.heard(sender.audio(step / 50), OURS + step / 50 + 0.02)
        align.pictured(sender.video(step / 50), OURS + step / 50 + 0.05)
    plan = align.plan(OURS + 1, TICK, both=True)
    assert plan.schedule is not None
    due = plan.schedule.due_at(sender.video(1.0), OURS + 1.05)
    assert due == pytest.approx(OURS + 1 + 0.07 + CODEC + plan.delay, abs=0.02)


def test_without_reports_nothing_waits() -> None:
    align = Alignment()
    for step in range(100):
        align.heard(step * 960, OURS + step / 50)
        align.said(step * 960, OURS + step / 50)
        align.pictured(step * 1800, OURS + step / 50)
    assert align.plan(OURS + 2, TICK, both=True) == AS_IT_COMES


def test_a_clock_that_is_set_while_we_talk() -> None:
    sender = Sender(takes(0.06), takes(0.2)).run(10)
    align, ahead = sender.alignment, 7.0
    for step in range(4):
        align.report("video", NTP + 10 + step + ahead, sender.video(10.0 + step))
        align.report("audio", NTP + 10 + step + ahead, sender.audio(10.0 + step))
    for step in range(100):
        taken = 10 + step / 50
        align.said(sender.audio(taken), OURS + taken + 0.06)
        align.heard(sender.audio(taken), OURS + taken)
        align.pictured(sender.video(taken), OURS + taken + 0.2)
    sender.plans.append(align.plan(OURS + 12, TICK, both=True))
    assert abs(sender.error()) <= 0.012
    assert align.statistics().jumps == 2


anything = st.one_of(
    st.tuples(st.just("report"), st.sampled_from(["audio", "video"]), st.floats(), st.integers(0, 2**32 - 1)),
    st.tuples(st.just("said"), st.integers(0, 2**32 - 1)),
    st.tuples(st.just("heard"), st.integers(0, 2**32 - 1)),
    st.tuples(st.just("pictured"), st.integers(0, 2**32 - 1)),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(anything, max_size=80), st.integers(0, 2**32 - 1))
def test_whatever_a_sender_says_nothing_waits_longer_than_the_limit(acts: list[tuple], asked: int) -> None:  # type: ignore[type-arg]
    align, now = Alignment(), OURS
    for name, *arguments in acts:
        now += 0.01
        getattr(align, name)(*arguments, *([] if name == "report" else [now]))
        plan = align.plan(now, TICK, both=True)
        assert 0.0 <= plan.delay <= LIMIT
        if plan.schedule is not None:
            assert plan.schedule.due_at(asked, now) <= now + LIMIT + SLACK


@given(st.integers(0, 2**32 - 1), st.floats(-1e9, 1e9), st.integers(0, 2**32 - 1), st.floats(0, 1e7))
def test_a_time_that_makes_no_sense_is_now(anchor: int, due: float, timestamp: int, arrived: float) -> None:
    assert Schedule(anchor, due).due_at(timestamp, arrived) <= arrived + LIMIT + SLACK
