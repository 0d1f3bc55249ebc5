"""When people are removed from a live room: at a moment, or a while after coming."""

from datetime import UTC, datetime
from typing import Any

import pytest

from parlour.domain.live.commands import Absent, Accepted, Change, Join, Refused
from parlour.domain.room import Room
from parlour.media.conference import Conference
from tests.domain.live.people import a_room
from tests.media.guest import Guest, live
from tests.media.rooms import House, Opened

IN_TIME_S = 2.0
"""How late a removal may be."""
STAY_S = 8
"""Seconds from coming to the removal, time for all that happens before it."""


def utc(seconds: float) -> datetime:
    """Unix seconds as a setting has them."""
    return datetime.fromtimestamp(seconds, UTC)


def room_with(updated: float = 0, **limits: Any) -> Room:
    """A room with a limit."""
    return a_room(tone_on_entry_and_exit=False, updated=updated, **limits)


def left(opened: Opened, due: dict[str, float], reason: str) -> None:
    """These have been removed when it was time, no sooner, and were told so."""
    for member_id, moment in due.items():
        at, event = opened.endings[member_id]
        assert 0 <= at - moment < IN_TIME_S
        assert (event.cause, event.reason) == ("ALLOTTED_TIMEOUT", reason)


async def enter(house: House, opened: Opened, name: str, room: Room) -> Guest:
    """Somebody comes in."""
    return await Guest(opened.conference, house.endpoint, name, room=room).join()


def again(guest: Guest, room: Room, conference: Conference | None = None) -> object:
    """What somebody is told who reloads the page."""
    join = Join(room, f"call-{guest.name}", guest.offer, guest.name, (), reattach=True)
    return (conference or guest.conference).ask(join)


def knock(conference: Conference, guest: Guest, room: Room) -> object:
    """What somebody is told who comes anew."""
    return conference.ask(Join(room, "call-new", guest.offer, "new", ()))


async def test_everybody_is_removed_at_the_moment_and_nobody_gets_in_after_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parlour.media.conference.LINGER_S", 0.2)
    moment = round(house.wall()) + STAY_S
    room = room_with(remove_at=utc(moment))
    over: list[float] = []
    opened = house.open(room, ended=lambda: over.append(house.wall()))
    guests = [await enter(house, opened, name, room) for name in ("ana", "ben", "cleo")]
    opened.conference.ask(Absent(("call-cleo",)))
    await live(guests, lambda: len(opened.endings) == 3)
    left(opened, {guest.member_id: moment for guest in guests}, "the room is over")
    assert all(guest.leg.closed for guest in guests), "with their media"
    for reply in (knock(opened.conference, guests[0], room), again(guests[0], room)):
        assert isinstance(reply, Refused)
    assert knock(opened.conference, guests[0], room) == Refused(403, "over", "This room is over.")
    await live([], lambda: bool(over))


async def test_a_moment_that_is_changed_acts_at_once(house: House) -> None:
    moment = round(house.wall()) + float(STAY_S)
    room = room_with(remove_at=utc(moment))
    opened = house.open(room)
    ana = await enter(house, opened, "ana", room)
    opened.conference.ask(Change(room_with(remove_at=None, updated=1)))
    house.wall.set_by = STAY_S
    await live([ana], lambda: house.wall() > moment + IN_TIME_S)
    assert not opened.endings, "it was taken back"
    moment = round(house.wall()) + 2.0
    opened.conference.ask(Change(room_with(remove_at=utc(moment), updated=2)))
    await live([ana], lambda: bool(opened.endings))
    left(opened, {ana.member_id: moment}, "the room is over")
    ben = await enter(house, opened, "ben", room_with(remove_at=None, updated=3))
    now = house.wall()
    opened.conference.ask(Change(room_with(remove_at=utc(now - 60), updated=4)))
    await live([ben], lambda: ben.member_id in opened.endings)
    left(opened, {ben.member_id: now}, "the room is over")


async def test_a_clock_that_is_set_on_does_not_put_the_removal_off(house: House) -> None:
    room = room_with(remove_at=utc(house.wall() + 3600))
    opened = house.open(room)
    ana = await enter(house, opened, "ana", room)
    house.wall.set_by = 3600.0
    now = house.wall()
    await live([ana], lambda: bool(opened.endings))
    left(opened, {ana.member_id: now}, "the room is over")


async def test_each_is_removed_after_its_own_time_however_often_the_page_is_loaded(house: House) -> None:
    room = room_with(remove_after_seconds_elapsed=STAY_S)
    opened = house.open(room)
    ana = await enter(house, opened, "ana", room)
    began = opened.conference._state.members[ana.member_id].joined_at
    await live([ana], lambda: house.wall() > began + 2.5)
    ben = await enter(house, opened, "ben", room)
    bens = opened.conference._state.members[ben.member_id].joined_at
    await live([ana, ben], lambda: house.wall() > began + 4)
    assert isinstance(again(ana, room), Accepted)
    await live([ben], lambda: len(opened.endings) == 2)
    left(opened, {ana.member_id: began + STAY_S, ben.member_id: bens + STAY_S}, "time is up")
    assert bens >= began + 2.5, "late enough to tell one's time from the other's"


async def test_a_time_that_is_changed_acts_on_who_is_in(house: House) -> None:
    room = room_with()
    opened = house.open(room)
    ana = await enter(house, opened, "ana", room)
    began = opened.conference._state.members[ana.member_id].joined_at
    opened.conference.ask(Change(room_with(remove_after_seconds_elapsed=2, updated=1)))
    await live([ana], lambda: bool(opened.endings))
    left(opened, {ana.member_id: began + 2}, "time is up")


@pytest.mark.parametrize("after", [True, False], ids=["each after a while", "all at a moment"])
async def test_a_room_that_is_lost_removes_people_when_it_would_have(house: House, after: bool) -> None:
    moment = round(house.wall()) + STAY_S
    room = room_with(remove_after_seconds_elapsed=STAY_S) if after else room_with(remove_at=utc(moment))
    opened = house.open(room)
    ana = await enter(house, opened, "ana", room)
    ben = await enter(house, opened, "ben", room)
    due = {
        member.id: member.joined_at + STAY_S if after else moment
        for member in opened.conference._state.members.values()
    }
    past = opened.conference.past
    await opened.conference.close(silent=True)
    elsewhere = house.open(room, past)
    assert isinstance(again(ana, room, elsewhere.conference), Accepted)
    await live([], lambda: len(elsewhere.endings) == 2)
    left(elsewhere, due, "time is up" if after else "the room is over")
    assert isinstance(again(ben, room, elsewhere.conference), Refused)


async def test_a_room_that_nobody_came_back_to_is_over_all_the_same(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parlour.media.conference.LINGER_S", 0.2)
    moment = house.wall() + 600
    room = room_with(remove_at=utc(moment))
    opened = house.open(room)
    ana = await enter(house, opened, "ana", room)
    past = opened.conference.past
    await opened.conference.close(silent=True)
    house.wall.set_by = 601.0
    over: list[float] = []
    elsewhere = house.open(room, past, ended=lambda: over.append(house.wall()))
    assert again(ana, room, elsewhere.conference) == Refused(403, "over", "This room is over.")
    await live([], lambda: bool(over))
    assert set(elsewhere.endings) == {ana.member_id}
