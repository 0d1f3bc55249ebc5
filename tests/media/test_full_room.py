"""The seats of a room, asked for at the same time by many, through two fronts, a real bus and a real worker."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from parlour.bus.rooms import BusRooms, bus_rooms
from parlour.domain.live.capabilities import MODERATOR
from parlour.domain.live.commands import Absent, Accepted, Act, Done, Join, Leave, Present, Refused, Reply
from parlour.domain.room import Room
from parlour.media.transport.dtls import Identity
from tests.domain.live.people import a_room
from tests.media.guest import only
from tests.media.rooms import a_worker
from tests.media.transport.peer import CHROMIUM, with_fingerprint
from tests.support.nats import NatsServer
from tests.support.waiting import until

SEATS, CROWD = 20, 50


@dataclass
class Fronts:
    """Two fronts of one worker."""

    one: BusRooms
    two: BusRooms

    async def join(self, room: Room, name: str, front: int = 0, **given: Any) -> Reply:
        """Join through one of the fronts."""
        return await (self.one, self.two)[front].ask(room.room_id, join(room, name, **given))

    async def members(self, room: Room, asker: str) -> int:
        """How many are in."""
        reply = await self.one.ask(room.room_id, Act(asker, "member.list"))
        assert isinstance(reply, Done), reply
        return len(reply.result["members"])


@pytest.fixture
async def fronts(bus: NatsServer, tmp_path: Path) -> AsyncIterator[Fronts]:
    """Two fronts that know of the worker."""
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(a_worker(bus.url, tmp_path))
        one, two = [await stack.enter_async_context(bus_rooms(bus.url)) for _ in range(2)]
        await until(lambda: all(front.statistics()["workers"] for front in (one, two)))
        yield Fronts(one, two)


OFFER = with_fingerprint(only(CHROMIUM, "H264"), Identity().fingerprint)


def join(room: Room, name: str, **given: Any) -> Join:
    """A join of a browser's."""
    return Join(room, f"c-{name}", OFFER, name, MODERATOR, **{"subscriber_id": name, **given})


def is_full(reply: Reply) -> bool:
    """Whether somebody was told that there is no seat."""
    return isinstance(reply, Refused) and (reply.code, reply.reason) == (409, "full")


async def test_fifty_at_once_through_two_fronts_fill_the_room_to_its_last_seat(fronts: Fronts) -> None:
    room = a_room(max_members=SEATS)
    replies = await asyncio.gather(*(fronts.join(room, f"p{number}", number % 2) for number in range(CROWD)))
    taken = [reply for reply in replies if isinstance(reply, Accepted)]
    assert len(taken) == SEATS
    assert len({reply.member_id for reply in taken}) == SEATS
    assert sum(map(is_full, replies)) == CROWD - SEATS
    assert await fronts.members(room, taken[0].member_id) == SEATS
    assert is_full(await fronts.join(room, "late"))


async def test_a_seat_that_is_left_goes_to_one_of_those_who_wait(fronts: Fronts) -> None:
    room = a_room(max_members=SEATS)
    await asyncio.gather(*(fronts.join(room, f"p{number}", number % 2) for number in range(SEATS)))
    await fronts.two.ask(room.room_id, Leave("c-p3"))
    replies = await asyncio.gather(*(fronts.join(room, f"late{number}", number % 2) for number in range(CROWD)))
    assert sum(isinstance(reply, Accepted) for reply in replies) == 1
    assert sum(map(is_full, replies)) == CROWD - 1


async def test_a_shared_screen_takes_a_seat(fronts: Fronts) -> None:
    room = a_room(max_members=2)
    ana = await fronts.join(room, "ana")
    assert isinstance(ana, Accepted)
    shown: dict[str, Any] = {"subscriber_id": "ana", "screen_of": ana.member_id}
    both = await asyncio.gather(fronts.join(room, "screen", **shown), fronts.join(room, "ben", 1))
    assert sum(isinstance(reply, Accepted) for reply in both) == 1
    assert sum(map(is_full, both)) == 1
    assert await fronts.members(room, ana.member_id) == 2
    await fronts.one.ask(room.room_id, Leave("c-screen" if isinstance(both[0], Accepted) else "c-ben"))
    assert isinstance(await fronts.join(room, "cleo"), Accepted)
    assert is_full(await fronts.join(room, "screen", **shown)), "and finds none where there is none"


async def test_a_seat_that_waits_for_its_browser_is_kept(fronts: Fronts) -> None:
    room = a_room(max_members=1)
    ana = await fronts.join(room, "ana")
    assert isinstance(ana, Accepted)
    await fronts.one.ask(room.room_id, Absent(("c-ana",)))
    replies = await asyncio.gather(*(fronts.join(room, f"p{number}", number % 2) for number in range(CROWD)))
    assert all(map(is_full, replies))
    again = await fronts.join(room, "ana", 1, reattach=True)
    assert isinstance(again, Accepted)
    assert again.member_id == ana.member_id
    await fronts.two.ask(room.room_id, Present(("c-ana",)))
    assert is_full(await fronts.join(room, "ben"))


async def test_zero_seats_are_as_many_as_the_server_has(fronts: Fronts) -> None:
    room = a_room(max_members=0)
    replies = await asyncio.gather(*(fronts.join(room, f"p{number}", number % 2) for number in range(CROWD)))
    assert all(isinstance(reply, Accepted) for reply in replies)
