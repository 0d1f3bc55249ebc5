"""Calls and what is done in them, over a real socket."""

import asyncio
from uuid import uuid4

import pytest

from parlour.domain.live.commands import Act, Hold, Join, Refused
from parlour.domain.live.events import MediaWanted
from tests.support.fake_rooms import SDP
from tests.support.server import PROJECT
from tests.support.signalling import AGENT, House

VIDEO_FIRST = SDP + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"


async def test_two_members_see_each_other(house: House) -> None:
    await house.room()
    async with house.client(await house.token("Alice")) as one, house.client(await house.token("Bob")) as two:
        alice = await one.join()
        bob = await two.join()
        joined = await one.event("member.joined")
        assert joined["member"]["name"] == "Bob"
        assert (await alice.act("mute", bob.member_id, channels=["audio"]))["code"] == "200"
        updated = await two.event("member.updated")
        assert updated["member"] | {"updated": ["audio_muted"], "audio_muted": True} == updated["member"]
        listed = (await bob.act("member.list"))["members"]
        assert {member["member_id"] for member in listed} == {alice.member_id, bob.member_id}
        assert (await alice.act("member.remove", bob.member_id))["code"] == "200"
        assert (await two.event("call.left"))["reason"] == "removed"
        messages = [await two.event("webrtc.message") for _ in range(2)]
        assert [message["method"] for message in messages] == ["verto.answer", "verto.bye"]
        assert (await one.event("member.left"))["member"]["member_id"] == bob.member_id


async def test_acts_reach_the_room_with_their_parameters(house: House) -> None:
    await house.room()
    async with house.client() as client:
        seat = await client.join()
        await seat.act("layout.set", layout="3x3", positions={"self": "reserved-1"})
        target = {"member_id": seat.member_id, "call_id": seat.call_id, "node_id": "n"}
        await client.call(
            "call.member.position.set", {"self": seat.me(), "targets": [{"target": target, "position": "standard-2"}]}
        )
        await seat.act("mute", "all", channels=["video"])
    acts = [command for command in house.rooms.asked if isinstance(command, Act)]
    me = seat.member_id
    assert acts == [
        Act(me, "layout.set", (me,), {"layout": "3x3", "positions": {me: "reserved-1"}}),
        Act(me, "member.position.set", (me,), {"positions": {me: "standard-2"}}),
        Act(me, "mute", ("all",), {"channels": ["video"]}),
    ]


@pytest.mark.parametrize(("method", "target"), [("end", None), ("end", "all"), ("member.remove", None)])
async def test_the_answer_comes_before_the_end_that_was_asked_for(
    house: House, method: str, target: str | None
) -> None:
    await house.room()
    async with house.client() as client:
        seat = await client.join()
        heard = len(client.frames)
        assert (await seat.act(method, target))["code"] == "200"
        assert len(client.frames) == heard + 1, "nothing is told before the answer"
        await client.event("call.left")
        while (message := await client.event("webrtc.message"))["method"] != "verto.bye":
            pass
        assert message["params"]["callID"] == seat.call_id


async def test_nobody_acts_in_somebody_elses_name(house: House) -> None:
    await house.room()
    async with house.client() as one, house.client() as two:
        alice, bob = await one.join(), await two.join()
        me = {**alice.me(), "member_id": bob.member_id}
        answer = await one.call("call.mute", {"self": me, "target": bob.me(), "channels": ["audio"]})
        assert answer["result"]["code"] == "403"


async def test_a_guest_may_not_mute_others(house: House) -> None:
    await house.room()
    async with house.client() as one, house.client(await house.token(moderator=False)) as two:
        alice, guest = await one.join(), await two.join()
        assert "self.mute" in guest.joined["capabilities"]
        refused = await guest.act("mute", alice.member_id, channels=["audio"])
        assert (refused["code"], refused["reason"]) == ("403", "not_allowed")


async def test_the_same_request_twice_is_done_once(house: House) -> None:
    await house.room()
    async with house.client() as client:
        parameters = {"callID": "c1", "destination_number": "/public/coffee_cafe"}
        frame = {
            "jsonrpc": "2.0",
            "id": "again",
            "method": "webrtc.verto",
            "params": {
                "message": {
                    "jsonrpc": "2.0",
                    "id": "v",
                    "method": "verto.invite",
                    "params": {"dialogParams": parameters, "sdp": SDP},
                }
            },
        }
        await asyncio.gather(client.send(frame), client.send(frame))
        assert await client.answer("again") == await client.answer("again")
        await client.send(frame)
        await client.answer("again")
    assert sum(isinstance(command, Join) for command in house.rooms.asked) == 1


async def test_what_failed_may_be_asked_again_under_its_id(house: House) -> None:
    await house.room()
    async with house.client() as client:
        seat = await client.join()
        house.rooms.away = True
        params = {"self": seat.me(), "target": seat.me()}
        assert (await client.call("call.raisehand", params, "same"))["result"]["code"] == "503"
        house.rooms.away = False
        assert (await client.call("call.raisehand", params, "same"))["result"]["code"] == "200"


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("/public/nowhere", "404"),
        ("/private/coffee_cafe", "404"),
        ("//", "404"),
        ("/public/coffee_cafe?channel=x", "404"),
    ],
)
async def test_what_cannot_be_dialled(house: House, to: str, code: str) -> None:
    await house.room()
    async with house.client() as client:
        assert (await client.dial(to))["code"] == code


async def test_a_guest_dials_only_what_the_token_opens(house: House) -> None:
    await house.room()
    token = await house.token(addresses=frozenset({uuid4()}), moderator=False)
    async with house.client(token) as client:
        for to in ("/public/coffee_cafe", "/public/nowhere"):
            refused = await client.dial(to)
            assert (refused["code"], refused["reason"]) == ("403", "resource_not_allowed")


async def test_a_rooms_refusal_reaches_the_caller(house: House) -> None:
    await house.room()
    async with house.client() as client:
        house.rooms.refusal = Refused(409, "full", "the room is full")
        assert await client.dial() == {"code": "409", "reason": "full", "message": "the room is full"}
        await client.join()


@pytest.mark.parametrize(
    ("agent", "sdp", "expected"),
    [(AGENT, VIDEO_FIRST, True), (AGENT, SDP, False), ("signalwire-js/4.0.0", VIDEO_FIRST, False)],
)
async def test_only_one_sdk_wants_audio_first(house: House, agent: str, sdp: str, expected: bool) -> None:
    await house.room()
    async with house.client(agent=agent) as client:
        await client.dial(sdp=sdp)
    assert [command.audio_first for command in house.rooms.asked if isinstance(command, Join)] == [expected]


async def test_renegotiation_hold_digits_and_hanging_up(house: House) -> None:
    await house.room()
    async with house.client() as client:
        seat = await client.join()
        dialog = {"dialogParams": {"callID": seat.call_id}}
        modified = await client.verto("verto.modify", {**dialog, "action": "updateMedia", "sdp": SDP})
        assert modified["result"]["result"] == {
            "action": "updateMedia",
            "callID": seat.call_id,
            "holdState": "active",
            "sdp": SDP,
        }
        held = await client.verto("verto.modify", {**dialog, "action": "hold"})
        assert held["result"]["result"]["holdState"] == "held"
        assert house.rooms.asked[-1] == Hold(seat.call_id, held=True)
        assert (await client.verto("verto.info", {**dialog, "dtmf": "12"}))["code"] == "200"
        ended = await client.verto("verto.bye", dialog)
        assert ended["result"]["result"]["message"] == "CALL ENDED"
        kinds = [event["event_type"] for event in client.events]
        assert kinds.count("call.left") == 1
        assert not any(event["params"].get("method") == "verto.bye" for event in client.events)
        assert (await client.verto("verto.bye", dialog))["code"] == "200"


async def test_a_screen_has_a_seat_but_no_joined_event(house: House) -> None:
    await house.room()
    async with house.client() as client:
        seat = await client.join()
        await client.dial(call_id="screen", screenShare=True, userVariables={"memberId": seat.member_id})
        joined = await client.event("member.joined")
        assert (joined["member"]["type"], joined["member"]["parent_id"]) == ("screen", seat.member_id)
        await client.event("signalwire.authorization.state")
        assert [event["event_type"] for event in client.events].count("call.joined") == 1
        muted = await client.call("video.member.video_mute", {"member_id": joined["member"]["member_id"]})
        assert muted["result"]["code"] == "200"
        stranger = await client.dial(screenShare=True, userVariables={"memberId": "m99"})
        assert stranger["code"] == "403"


async def test_a_sender_is_told_the_size_that_is_wanted(house: House) -> None:
    room_id = await house.room()
    async with house.client() as client:
        seat = await client.join()
        house.rooms.tell(room_id, MediaWanted(seat.call_id, 320, 180, 15))
        message = await client.event("webrtc.message")
        while message["method"] != "verto.mediaParams":
            message = await client.event("webrtc.message")
        assert message["params"]["mediaParams"]["video"]["width"] == 320


async def test_a_token_is_renewed_in_place(house: House) -> None:
    async with house.client() as client:
        newer = await house.token("Alice the second")
        answer = await client.call(
            "signalwire.reauthenticate", {"authentication": {"project": PROJECT, "jwt_token": newer}}
        )
        assert answer["result"]["authorization"]["jti"] == client.protocol.split("_")[1]
        answer = await client.call("signalwire.reauthenticate", {"authentication": {"jwt_token": "x"}})
        assert answer["error"]["code"] == -32002
