"""What is changed over REST reaches the live room: at once, or once it can be reached."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from parlour.domain.live.commands import Change, Command, Done, Refused, Reply, Shut
from parlour.front.signalling.frames import Denied
from parlour.front.signalling.notices import WAITING_MAX, Notices
from parlour.store.database import Database
from tests.domain.live.people import a_room
from tests.support.acting_rooms import ActingRooms
from tests.support.signalling import ROOMS, House, front_with_rooms


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    """A running front whose rooms go by the real rules."""
    async with front_with_rooms(database, ActingRooms()) as running:
        yield running


async def test_a_change_is_in_the_room_once_it_is_answered(house: House) -> None:
    room_id = await house.room()
    async with house.client() as client:
        await client.join()
        await house.change(room_id, max_members=1, layout="3x3", meta={"a": 1})
        session = (await client.event("call.updated"))["room_session"]
        assert session["meta"] == {"a": 1}
        while (await client.event("layout.changed"))["layout"]["id"] != "3x3":
            pass
        async with house.client() as second:
            assert (await second.dial())["reason"] == "full"


@pytest.mark.parametrize("path", [ROOMS, "/api/fabric/resources"])
async def test_whoever_is_in_a_room_that_is_deleted_is_removed(house: House, path: str) -> None:
    room_id = await house.room()
    async with house.client() as client:
        await client.join()
        assert (await house.api.delete(f"{path}/{house.resources[room_id]}")).status_code == 204
        assert (await client.event("call.left"))["reason"] == "the room was deleted"
        assert (await client.dial())["code"] == "404"
        assert (await house.api.delete(f"{path}/{house.resources[room_id]}")).status_code == 404


async def test_what_is_changed_while_the_room_cannot_be_reached_is_told_later(house: House) -> None:
    room_id = await house.room()
    async with house.client() as client:
        await client.join()
        house.rooms.away = True
        await house.change(room_id, meta={"a": 1})
        await house.change(room_id, meta={"a": 2})
        assert house.board.statistics()["notices_waiting"] == 1
        await house.board.notices.again()
        assert house.board.statistics()["notices_waiting"] == 1
        house.rooms.away = False
        await house.board.notices.again()
        assert house.board.statistics()["notices_waiting"] == 0
        assert (await client.event("call.updated"))["room_session"]["meta"] == {"a": 2}


class Deaf:
    """Rooms that cannot be reached, or answer as they are told."""

    def __init__(self) -> None:
        self.reply: Reply | None = None
        self.asked: list[Command] = []

    async def __call__(self, _room_id: UUID, command: Command) -> Reply:
        self.asked.append(command)
        if self.reply is None:
            raise Denied(503, "unavailable", "away")
        return self.reply


async def test_there_is_an_end_to_what_waits() -> None:
    rooms = Deaf()
    notices = Notices(rooms)
    for _ in range(WAITING_MAX + 2):
        await notices.tell(uuid4(), Change(a_room()))
    assert notices.statistics() == {"told": 0, "waiting": WAITING_MAX, "given_up": 2}


async def test_a_busy_room_is_told_again_and_a_lost_one_begins_with_what_is_kept() -> None:
    rooms = Deaf()
    notices = Notices(rooms)
    rooms.reply = Refused(503, "busy", "the worker has too much to do")
    await notices.tell(uuid4(), Change(a_room()))
    assert notices.statistics()["waiting"] == 1
    rooms.reply = Done()
    await notices.again()
    assert notices.statistics() == {"told": 1, "waiting": 0, "given_up": 0}
    rooms.reply = Refused(503, "lost", "the room has lost its worker")
    await notices.tell(uuid4(), Change(a_room()))
    assert notices.statistics()["waiting"] == 0


async def test_a_room_that_is_deleted_is_not_changed_any_more() -> None:
    rooms = Deaf()
    notices = Notices(rooms)
    room_id = uuid4()
    await notices.tell(room_id, Shut())
    await notices.tell(room_id, Change(a_room()))
    rooms.reply = Done()
    await notices.again()
    assert rooms.asked[-1] == Shut()
