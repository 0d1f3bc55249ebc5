"""What outlives a socket: sessions, seats, calls taken over by a reloaded page."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from parlour.domain.live.commands import Absent, Act, Done, Join, Present, Refused
from parlour.domain.live.room import GRACE
from parlour.domain.ticket import Bearer, Ticket
from parlour.front.front import utc_now
from parlour.front.signalling import sleepers, switchboard
from parlour.front.signalling.switchboard import KEPT_S, Switchboard
from parlour.front.tickets import Tickets
from parlour.store.database import Database
from tests.support.fake_rooms import FakeRooms
from tests.support.server import PROJECT
from tests.support.signalling import Client, House, front_with_rooms, open_socket
from tests.support.waiting import PATIENCE_S


async def _asked(rooms: FakeRooms, kind: type, count: int = 1) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await rooms.until(lambda: sum(isinstance(command, kind) for command in rooms.asked) >= count)


async def test_a_reconnected_page_goes_on_without_joining_again(house: House) -> None:
    room_id = await house.room()
    token = await house.token()
    async with house.client(token) as first:
        seat = await first.join()
        protocol, state = first.protocol, first.state
    await _asked(house.rooms, Absent)
    house.rooms._change(room_id, seat.member_id, "audio_muted", True)
    async with house.client(token, protocol=protocol, authorization_state=state) as second:
        assert second.protocol == protocol
        await _asked(house.rooms, Present)
        assert (await seat.of(second).act("unmute", channels=["audio"]))["code"] == "200"
        kinds = [event["event_type"] for event in second.events]
        assert kinds.count("member.updated") == 2, "what was told while the socket was gone comes first"
        assert "call.joined" not in kinds
    assert sum(isinstance(command, Join) for command in house.rooms.asked) == 1


@pytest.mark.parametrize("busy", [[], [Present, Present], [Act, Act]], ids=["away", "busy", "busy a moment later"])
async def test_a_room_that_did_not_hear_that_somebody_is_back_is_told_again(
    house: House, monkeypatch: pytest.MonkeyPatch, busy: list[type]
) -> None:
    monkeypatch.setattr(switchboard, "AGAIN_S", 0.05)
    await house.room()
    token = await house.token()
    async with house.client(token) as first:
        seat = await first.join()
    await _asked(house.rooms, Absent)
    house.rooms.away = not busy
    house.rooms.busy = [*busy]
    async with house.client(token, protocol=first.protocol, authorization_state=first.state) as second:
        await asyncio.sleep(0.1)
        house.rooms.away = False
        await _asked(house.rooms, Act)
        assert not house.rooms.busy
        assert (await seat.of(second).act("unmute", channels=["audio"]))["code"] == "200"
        assert not any(event["event_type"] == "call.left" for event in second.events)


async def test_another_front_takes_a_session_over(database: Database, house: House) -> None:
    room_id = await house.room()
    token = await house.token()
    async with house.client(token) as first:
        seat = await first.join()
    async with front_with_rooms(database, house.rooms) as other:
        again = {"protocol": first.protocol, "authorization_state": first.state}
        async with other.client(token, **again) as second:
            assert second.protocol == first.protocol
            assert (await seat.of(second).act("raisehand"))["code"] == "200"
            updated = next(event for event in second.events if event["event_type"] == "member.updated")
            assert updated["params"]["member"]["updated"] == ["handraised"]
            assert updated["params"]["room_id"] == str(room_id)
        fronts = [one.front for one in house.rooms.asked if isinstance(one, Join | Absent | Present)]
    assert fronts[0] == fronts[1] != fronts[2], "who is gone here may be back there"


async def test_a_reloaded_page_takes_its_call_over(house: House) -> None:
    await house.room()
    token = await house.token()
    async with house.client(token) as first:
        seat = await first.join()
    again = {"protocol": first.protocol, "authorization_state": first.state}
    async with house.client(token, **again) as second:
        retaken = await second.join(call_id=seat.call_id, attach=True, reattaching=True)
        assert retaken.member_id == seat.member_id
        assert retaken.call_id == seat.call_id
    joins = [command for command in house.rooms.asked if isinstance(command, Join)]
    assert [join.reattach for join in joins] == [False, True]


async def _unanswered(_room_id: UUID, _command: Join) -> Done:
    return Done()


@pytest.mark.parametrize("why", ["away", "unanswered", "variables", "owner", "refused"])
async def test_a_call_that_cannot_be_joined_anew_goes_on_as_it_was(
    house: House, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    room_id = await house.room()
    async with house.client() as client:
        seat = await client.join()
        more: dict[str, Any] = {}
        with monkeypatch.context() as patch:
            match why:
                case "away":
                    patch.setattr(house.rooms, "away", True)
                case "unanswered":
                    patch.setattr(house.rooms, "_join", _unanswered)
                case "variables":
                    more = {"userVariables": {"x": "a" * 10_000}}
                case "owner":
                    more = {"screenShare": True, "userVariables": {"memberId": "somebody else"}}
                case "refused":
                    house.rooms.refusal = Refused(409, "full", "the room is full")
            refused = await client.dial(call_id=seat.call_id, attach=True, reattaching=True, **more)
            assert refused["code"] in {"403", "409", "422", "503"}
        house.rooms._change(room_id, seat.member_id, "audio_muted", True)
        assert (await client.event("member.updated"))["member"]["audio_muted"]


async def test_a_call_that_could_not_be_joined_anew_hears_what_was_told_meanwhile(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    room_id = await house.room()
    async with house.client() as client:
        seat = await client.join()

        async def busy(_room_id: UUID, _command: Join) -> Refused:
            house.rooms._change(room_id, seat.member_id, "audio_muted", True)
            return Refused(503, "unavailable", "too much to do")

        monkeypatch.setattr(house.rooms, "_join", busy)
        refused = await client.dial(call_id=seat.call_id, attach=True, reattaching=True)
        assert refused["code"] == "503"
        assert (await client.event("member.updated"))["member"]["audio_muted"]


async def test_a_call_of_somebody_else_cannot_be_taken_over(house: House) -> None:
    await house.room()
    async with house.client() as victim, house.client() as thief:
        seat = await victim.join()
        result = await thief.dial(call_id=seat.call_id, attach=True, reattaching=True)
        assert result["result"]["error"]["message"] == "INVALID_CALL_REFERENCE"
        answer = await thief.call("call.mute", {"self": seat.me(), "target": seat.me(), "channels": ["audio"]})
        assert answer["result"]["code"] == "404"


async def test_a_state_of_somebody_else_begins_a_new_session(house: House) -> None:
    await house.room()
    async with house.client() as first:
        await first.join()
    stranger = await house.tickets.read(await house.token())
    other = type(stranger)(
        stranger.id, UUID(PROJECT), stranger.bearer, stranger.issued_at, stranger.expires_at, subscriber=UUID(int=1)
    )
    token = await house.tickets.mint(other)
    again = {"protocol": first.protocol, "authorization_state": first.state}
    async with house.client(token, **again) as second:
        assert second.protocol != first.protocol
    async with house.client(protocol=first.protocol, authorization_state="nonsense") as third:
        assert third.protocol != first.protocol


class Later:
    """A clock that tokens expire by; it can be put forward."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.ahead


@pytest.fixture
def later() -> Later:
    return Later()


@pytest.fixture
async def timed(database: Database, later: Later) -> AsyncIterator[House]:
    """A front whose tokens expire by ``later``."""
    rooms = FakeRooms()
    board = Switchboard(database, Tickets(database, later), rooms, strict=True)
    async with front_with_rooms(database, rooms, board) as running:
        yield running


@pytest.mark.parametrize("elsewhere", [False, True], ids=["same front", "another front"])
async def test_a_seat_may_be_taken_again_after_its_token_has_expired(
    database: Database, timed: House, later: Later, elsewhere: bool
) -> None:
    await timed.room()
    token = await timed.token(moderator=False)
    async with timed.client(token) as first:
        seat = await first.join()
    later.ahead = timedelta(hours=3)
    async with contextlib.AsyncExitStack() as stack:
        there = timed
        if elsewhere:
            board = Switchboard(database, Tickets(database, later), timed.rooms, strict=True)
            there = await stack.enter_async_context(front_with_rooms(database, timed.rooms, board))
        again = {"protocol": first.protocol, "authorization_state": first.state}
        second = await stack.enter_async_context(there.client(token, **again))
        retaken = await second.join(call_id=seat.call_id, attach=True, reattaching=True)
        assert retaken.member_id == seat.member_id
        of_mine = {"memberId": seat.member_id}
        for refused in (await second.dial(), await second.dial(screenShare=True, userVariables=of_mine)):
            assert (refused["code"], refused["reason"]) == ("401", "token_expired")
        assert (await retaken.act("raisehand"))["code"] == "200"


async def test_an_expired_token_brings_back_no_seat_that_is_gone(timed: House, later: Later) -> None:
    room_id = await timed.room()
    token = await timed.token()
    async with timed.client(token) as first:
        await first.join()
    await _asked(timed.rooms, Absent)
    later.ahead = timedelta(hours=3)
    again = {"protocol": first.protocol, "authorization_state": first.state}
    timed.rooms.rooms[room_id].members.clear()
    assert await _refused(timed, token, **again) == "Unauthorized: the token has expired"


async def test_an_expired_token_resumes_only_its_own_session_and_only_with_its_state(
    timed: House, later: Later
) -> None:
    await timed.room()
    token, other = await timed.token(moderator=False), await timed.token(moderator=True)
    async with timed.client(token) as first, timed.client(token) as idle:
        await first.join()
    later.ahead = timedelta(hours=3)
    expired = "Unauthorized: the token has expired"
    assert await _refused(timed, token) == expired
    assert await _refused(timed, token, protocol=first.protocol) == expired
    assert await _refused(timed, token, protocol=first.protocol, authorization_state="nonsense") == expired
    assert await _refused(timed, token, protocol=first.protocol, authorization_state=idle.state) == expired
    assert await _refused(timed, token, protocol=idle.protocol, authorization_state=idle.state) == expired
    assert await _refused(timed, other, protocol=first.protocol, authorization_state=first.state) == expired


async def test_a_renewed_token_is_the_one_that_a_session_goes_on_with(timed: House, later: Later) -> None:
    await timed.room()
    token = await timed.token(expires_at=int(time.time()) + 3600)
    async with timed.client(token) as first:
        await first.join()
        newer = await timed.token()
        await first.call("signalwire.reauthenticate", {"authentication": {"jwt_token": newer}})
        await first.event("signalwire.authorization.state")
    later.ahead = timedelta(hours=3)
    again = {"protocol": first.protocol, "authorization_state": first.state}
    assert await _refused(timed, token, **again) == "Unauthorized: the token has expired"
    async with timed.client(newer, **again) as second:
        assert second.protocol == first.protocol


async def _refused(house: House, token: str, **hello: str) -> str:
    """What is said to a client that is not let in."""
    async with open_socket(house.url) as websocket:
        params = {"authentication": {"jwt_token": token}, **hello}
        answer = await Client(websocket).call("signalwire.connect", params)
        assert answer["error"]["code"] == -32002
        return str(answer["error"]["message"])


async def test_a_newer_socket_takes_the_older_ones_place(house: House) -> None:
    await house.room()
    token = await house.token()
    async with house.client(token) as first:
        await first.join()
        again = {"protocol": first.protocol, "authorization_state": first.state}
        async with house.client(token, **again) as second:
            await first.websocket.wait_closed()
            assert first.websocket.close_code == 1000
            assert second.protocol == first.protocol
            assert not any(isinstance(command, Absent) for command in house.rooms.asked)


async def test_a_seat_that_the_room_gave_up_is_told_to_be_over(house: House) -> None:
    room_id = await house.room()
    token = await house.token()
    async with house.client(token) as first:
        seat = await first.join()
    await _asked(house.rooms, Absent)
    house.rooms.rooms[room_id].members.clear()
    again = {"protocol": first.protocol, "authorization_state": first.state}
    async with house.client(token, **again) as second:
        await second.event("call.left")
        bye = await second.event("webrtc.message")
        assert bye["method"] == "verto.bye"
        assert bye["params"]["callID"] == seat.call_id


@pytest.mark.parametrize("limit", ["SLEEPING_MAX", "OF_ONE_MAX"])
async def test_of_too_many_sleeping_sessions_the_oldest_are_forgotten(
    database: Database, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(sleepers, limit, 2)
    board = Switchboard(database, Tickets(database, utc_now), FakeRooms(), strict=True)
    now = int(time.time())
    ticket = Ticket("jti", UUID(PROJECT), Bearer.GUEST, now, now + 60, subscriber=UUID(int=1))
    opened = [await board.open(ticket, "", "", "") for _ in range(5)]
    assert list(board._dialogues.values()) == opened[-3:], "two that sleep, and the one that is about to be used"
    assert board.statistics()["crowded_out"] == 2


async def test_a_session_that_nobody_comes_back_for_is_forgotten(database: Database) -> None:
    now = 0.0
    rooms = FakeRooms()
    board = Switchboard(database, Tickets(database, utc_now), rooms, strict=True, monotonic=lambda: now)
    async with front_with_rooms(database, rooms, board) as house:
        room_id = await house.room()
        async with house.client() as client:
            await client.join()
            now = GRACE + KEPT_S + 1
            await board.tidy()
            assert board.statistics()["sessions"] == 1
        await _asked(rooms, Absent)
        now += GRACE + KEPT_S + 1
        await board.tidy()
        assert board.statistics()["sessions"] == board.statistics()["rooms"] == 0
        assert rooms.listening(room_id) == 0
