"""Who may come in, and why not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.domain.live.admission import refusal, seat_limit
from parlour.domain.live.commands import Refused
from parlour.domain.room import RoomSettings
from tests.domain.live.people import T0, a_room, at


def settings(**given: Any) -> RoomSettings:
    return a_room(**given).settings


def reason(refused: Refused | None) -> str | None:
    return refused.reason if refused else None


def test_a_room_without_times_is_open() -> None:
    assert refusal(settings(), T0, seats=0) is None


@pytest.mark.parametrize(("now", "why"), [(-0.001, "too_early"), (0, None), (1, None)])
def test_it_opens_at_join_from(now: float, why: str | None) -> None:
    assert reason(refusal(settings(join_from=at(0)), T0 + now, seats=0)) == why


def test_who_is_too_early_learns_when_to_come() -> None:
    refused = refusal(settings(join_from=at(60)), T0, seats=0)
    assert refused == Refused(403, "too_early", "This room opens at 2023-11-14T22:14:20Z.", T0 + 60)


@pytest.mark.parametrize(("now", "why"), [(-0.001, None), (0, "closed"), (1, "closed")])
def test_it_closes_at_join_until(now: float, why: str | None) -> None:
    assert reason(refusal(settings(join_until=at(0)), T0 + now, seats=0)) == why


@pytest.mark.parametrize(("now", "why"), [(-0.001, None), (0, "over"), (1, "over")])
def test_it_is_over_at_remove_at(now: float, why: str | None) -> None:
    assert reason(refusal(settings(remove_at=at(0)), T0 + now, seats=0)) == why


@pytest.mark.parametrize(
    ("max_members", "server_limit", "limit"), [(2, 300, 2), (0, 300, 300), (0, 7, 7), (20, 7, 7), (1, 300, 1)]
)
def test_it_has_its_own_limit_within_the_servers(max_members: int, server_limit: int, limit: int) -> None:
    room = settings(max_members=max_members)
    assert seat_limit(room, server_limit) == limit
    assert refusal(room, T0, seats=limit - 1, server_limit=server_limit) is None
    full = refusal(room, T0, seats=limit, server_limit=server_limit)
    assert full == Refused(409, "full", f"This room is full: it has {limit} seats.")


def test_a_lock_keeps_people_out() -> None:
    assert reason(refusal(settings(), T0, seats=0, locked=True)) == "locked"


moments = st.none() | st.integers(-5, 5)


@given(
    now=st.integers(-9, 9), opens=moments, closes=moments, ends=moments, seats=st.integers(0, 3), locked=st.booleans()
)
def test_every_reason_is_checked(
    now: int, opens: int | None, closes: int | None, ends: int | None, seats: int, locked: bool
) -> None:
    if opens is not None and closes is not None and closes < opens:
        opens, closes = closes, opens
    times = {"join_from": opens, "join_until": closes, "remove_at": ends}
    room = settings(max_members=2, **{name: None if after is None else at(after) for name, after in times.items()})
    wrong = {
        "over": ends is not None and now >= ends,
        "closed": closes is not None and now >= closes,
        "too_early": opens is not None and now < opens,
        "locked": locked,
        "full": seats >= 2,
    }
    why = next((name for name, is_so in wrong.items() if is_so), None)
    assert reason(refusal(room, T0 + now, seats=seats, locked=locked)) == why
