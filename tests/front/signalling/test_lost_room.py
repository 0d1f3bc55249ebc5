"""A room loses its worker: its calls end in order, and whoever comes back has the seat again."""

import asyncio
from datetime import timedelta

from parlour.domain.live.commands import Join
from parlour.domain.live.events import RoomLost
from parlour.domain.live.room import GRACE
from parlour.front.front import utc_now
from parlour.front.signalling.switchboard import VACANT_S, Switchboard
from parlour.front.tickets import Tickets
from parlour.store.database import Database
from tests.support.fake_rooms import FakeRooms
from tests.support.signalling import Client, House, Json, front_with_rooms


async def byes(client: Client, count: int) -> list[Json]:
    """The parameters of the next ends of calls."""
    found: list[Json] = []
    while len(found) < count:
        message = await client.event("webrtc.message")
        if message["method"] == "verto.bye":
            found.append(message["params"])
    return found


def joins(house: House) -> list[Join]:
    return [command for command in house.rooms.asked if isinstance(command, Join)]


async def test_each_call_ends_with_the_reason_and_a_screen_before_its_owner(house: House) -> None:
    room_id = await house.room()
    async with house.client() as client:
        seat = await client.join()
        await client.dial(call_id="screen", screenShare=True, userVariables={"memberId": seat.member_id})
        await client.event("member.joined")
        house.rooms.lose(room_id)
        left = await client.event("call.left")
        assert (left["call_id"], left["reason"]) == (seat.call_id, "the room moved; join again")
        ends = await byes(client, 2)
        assert [end["callID"] for end in ends] == ["screen", seat.call_id]
        assert {(end["cause"], end["causeCode"]) for end in ends} == {("NORMAL_TEMPORARY_FAILURE", "41")}
        assert (await seat.act("raisehand"))["code"] == "404"
        assert house.board.statistics()["calls"] == 0


async def test_the_room_begins_where_it_ended_and_everybody_has_their_seat_again(house: House) -> None:
    room_id = await house.room()
    async with house.client(await house.token("Alice")) as one, house.client(await house.token("Bob")) as two:
        alice, bob = await one.join(), await two.join()
        await alice.act("mute", channels=["audio"])
        await bob.act("raisehand")
        await alice.act("lock")
        await alice.act("layout.set", layout="3x3")
        await two.event("call.updated")
        house.rooms.lose(room_id)
        await byes(one, 1)
        await byes(two, 1)

        again = await one.join(call_id="new-call", attach=True, reattaching=True)
        assert (again.member_id, again.call_id) == (alice.member_id, "new-call")
        past = joins(house)[-1].past
        assert past is not None
        assert (past.session.id, past.session.locked) == (alice.joined["room_session_id"], True)
        assert past.session.layout == "3x3"
        assert [(member.name, member.audio_muted, member.handraised) for member in past.members] == [
            ("Alice", True, False),
            ("Bob", False, True),
        ]
        assert again.joined["room_session_id"] == alice.joined["room_session_id"]

        back = await two.join()
        assert back.member_id == bob.member_id
        assert joins(house)[-1].past is None, "the room is there again"
        assert (await back.act("lowerhand"))["code"] == "200"


async def test_a_seat_that_went_down_is_nobody_elses(house: House) -> None:
    room_id = await house.room()
    async with house.client() as one, house.client() as stranger:
        seat = await one.join()
        house.rooms.lose(room_id)
        await byes(one, 1)
        refused = await stranger.dial(call_id=seat.call_id, attach=True, reattaching=True)
        assert refused["result"]["error"]["message"] == "INVALID_CALL_REFERENCE"
        other = await stranger.join()
        assert other.member_id != seat.member_id


async def test_a_join_under_way_while_the_room_is_lost_is_not_ended(house: House) -> None:
    room_id = await house.room()
    gate, asked = asyncio.Event(), asyncio.Event()
    answer = house.rooms._answerer

    async def slow(call_id: str, offer: str, audio_first: bool) -> str:
        asked.set()
        await gate.wait()
        return await answer(call_id, offer, audio_first)

    async with house.client() as one, house.client() as two:
        await one.join()
        house.rooms._answerer = slow
        joining = asyncio.create_task(two.join())
        await asked.wait()
        house.rooms.tell(room_id, RoomLost())
        gate.set()
        seat = await joining
        assert (await seat.act("raisehand"))["code"] == "200"
        assert not any(event["event_type"] == "call.left" for event in two.events)


async def test_a_lost_seat_comes_back_although_its_token_has_expired_meanwhile(
    database: Database,
) -> None:
    ahead = timedelta()
    rooms = FakeRooms()
    board = Switchboard(database, Tickets(database, lambda: utc_now() + ahead), rooms, strict=True)
    async with front_with_rooms(database, rooms, board) as house:
        room_id = await house.room()
        token = await house.token()
        async with house.client(token) as first:
            seat = await first.join()
            rooms.lose(room_id)
            await byes(first, 1)
        ahead = timedelta(hours=3)
        again = {"protocol": first.protocol, "authorization_state": first.state}
        async with house.client(token, **again) as second:
            back = await second.join(attach=True, reattaching=True)
            assert back.member_id == seat.member_id


async def test_a_lost_room_that_nobody_comes_back_to_is_forgotten(database: Database) -> None:
    now = 0.0
    rooms = FakeRooms()
    board = Switchboard(database, Tickets(database, utc_now), rooms, strict=True, monotonic=lambda: now)
    async with front_with_rooms(database, rooms, board) as house:
        room_id = await house.room()
        async with house.client() as client:
            seat = await client.join()
            rooms.lose(room_id)
            await byes(client, 1)
            now = GRACE + VACANT_S + 1
            await board.tidy()
            assert rooms.listening(room_id) == 0
            refused = await client.dial(attach=True, reattaching=True)
            assert refused["result"]["error"]["message"] == "INVALID_CALL_REFERENCE"
            assert (await client.join()).member_id != seat.member_id
        assert joins(house)[-1].past is None
