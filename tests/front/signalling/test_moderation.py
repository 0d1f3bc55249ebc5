"""Running a room over a real socket: who may do what, what is told of it, and what is said at the door."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from parlour.domain.live.capabilities import GUEST
from parlour.domain.moment import format_moment
from parlour.store.database import Database
from tests.support.acting_rooms import ActingRooms
from tests.support.fake_rooms import SDP
from tests.support.signalling import Client, House, Json, Seat, front_with_rooms


class Clock:
    """A clock on the wall that stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> float:
        return self.moment.timestamp()

    def pass_by(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)

    def after(self, seconds: float) -> str:
        """The moment that many seconds from now, as it is spelled."""
        return format_moment(self.moment + timedelta(seconds=seconds))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rooms(clock: Clock) -> ActingRooms:
    """Rooms by the real rules."""
    return ActingRooms(clock)


@pytest.fixture
async def house(database: Database, rooms: ActingRooms) -> AsyncIterator[House]:
    """A running front with them."""
    async with front_with_rooms(database, rooms) as running:
        yield running


ON_SOMEBODY: list[tuple[str, Json, str, str, Json]] = [
    ("mute", {"channels": ["audio"]}, "mute.audio.off", "mute.audio.on", {"audio_muted": True}),
    ("unmute", {"channels": ["audio"]}, "mute.audio.on", "mute.audio.off", {"audio_muted": False}),
    ("mute", {"channels": ["video"]}, "mute.video.off", "mute.video.on", {"video_muted": True}),
    ("unmute", {"channels": ["video"]}, "mute.video.on", "mute.video.off", {"video_muted": False}),
    ("deaf", {}, "deaf.on", "deaf.off", {"deaf": True}),
    ("undeaf", {}, "deaf.off", "deaf.on", {"deaf": False}),
    ("raisehand", {}, "raisehand.on", "raisehand.off", {"handraised": True}),
    ("lowerhand", {}, "raisehand.off", "raisehand.on", {"handraised": False}),
    ("microphone.volume.set", {"volume": 9}, "microphone.volume.set", "speaker", {"input_volume": 9}),
    ("speaker.volume.set", {"volume": -9}, "speaker.volume.set", "microphone", {"output_volume": -9}),
    (
        "microphone.sensitivity.set",
        {"sensitivity": 9},
        "microphone.sensitivity.set",
        "microphone.volume.set",
        {"input_sensitivity": 9},
    ),
    ("audioflags.set", {"auto_gain": False}, "audioflags.set", "microphone", {"auto_gain": False}),
]
"""A method, its parameters, the least that grants it below self and member, a near miss, and what everybody is told."""

OPPOSITE = {"unmute": "mute", "undeaf": "deaf", "lowerhand": "raisehand"}


async def _updated(client: Client, expected: Json) -> Json:
    """The next update of a member that tells this."""
    while True:
        member: Json = (await client.event("member.updated"))["member"]
        if expected.keys() <= set(member["updated"]):
            assert {name: member[name] for name in expected} == expected
            return member


@pytest.mark.parametrize(("method", "params", "right", "miss", "expected"), ON_SOMEBODY)
async def test_a_method_on_members_takes_its_right_and_is_told_to_everybody(
    house: House, rooms: ActingRooms, method: str, params: Json, right: str, miss: str, expected: Json
) -> None:
    await house.room()
    rooms.granted = {
        "Right": (f"self.{right}", f"member.{right}"),
        "Miss": (f"self.{miss}", f"member.{miss}"),
        "Eve": (),
    }
    async with (
        house.client(await house.token("Right")) as one,
        house.client(await house.token("Miss")) as two,
        house.client(await house.token("Eve")) as three,
        house.client(await house.token("Boss")) as four,
    ):
        seats = [await client.join() for client in (one, two, three, four)]
        able, unable, eve, boss = seats
        if method in OPPOSITE:
            assert (await boss.act(OPPOSITE[method], "all", **params))["code"] == "200"
            for client in (one, two, three, four):
                for _ in seats:
                    await client.event("member.updated")
        for target, changed in (("oneself", [able]), ("another", [eve]), ("all", [unable, boss])):
            whom = {"oneself": None, "another": eve.member_id, "all": "all"}[target]
            refused = await unable.act(method, whom, **params)
            assert (refused["code"], refused["reason"]) == ("403", "not_allowed")
            assert refused["message"]
            assert (await able.act(method, whom, **params))["code"] == "200"
            for client in (one, two, three, four):
                told = [(await _updated(client, expected))["member_id"] for _ in changed]
                assert sorted(told) == sorted(seat.member_id for seat in changed)


async def test_sound_processing_is_set_at_the_leg_it_is_for(house: House) -> None:
    await house.room()
    async with house.client(await house.token("Alice")) as one, house.client(await house.token("Bob")) as two:
        alice, bob = await one.join(), await two.join()
        await alice.act("audioflags.set", bob.member_id, noise_suppression=False, echo_cancellation=False)
        while (message := await two.event("webrtc.message"))["method"] != "verto.mediaParams":
            pass
        assert message["params"]["callID"] == bob.call_id
        assert message["params"]["mediaParams"]["audio"] == {"noiseSuppression": False, "echoCancellation": False}
        await alice.act("member.list")
        assert not any(event["params"].get("method") == "verto.mediaParams" for event in one.events)


async def test_a_page_that_comes_back_has_its_sound_processing_set_again(house: House) -> None:
    await house.room()
    async with house.client() as client:
        seat = await client.join()
        assert not any(event["params"].get("method") == "verto.mediaParams" for event in client.events)
        await seat.act("audioflags.set", auto_gain=False)
        again = await client.dial(call_id=seat.call_id, attach=True, reattaching=True)
        assert again["code"] == "200"
        await client.event("call.joined")
        wanted = [event["params"] for event in client.events if event["params"].get("method") == "verto.mediaParams"]
        assert [one["params"]["mediaParams"] for one in wanted] == [{"audio": {"autoGainControl": False}}] * 2


@pytest.mark.parametrize(
    ("method", "params", "right", "miss", "told", "updated", "field"),
    [
        ("lock", {}, "lock.on", "lock.off", True, "locked", "locked"),
        ("meta.set", {"meta": {"a": 1}}, "meta", "layout", {"a": 1}, "meta", "meta"),
        ("meta.update", {"meta": {"a": 1}}, "meta.update", "meta.set", {"a": 1}, "meta", "meta"),
        (
            "handraise.prioritize.set",
            {"enable": True},
            "layout",
            "self.raisehand",
            True,
            "prioritize_handraise",
            "prioritize_handraise",
        ),
        (
            "vmuted.hide.set",
            {"enable": True},
            "vmuted.hide.on",
            "vmuted.hide.off",
            True,
            "hide_video_muted",
            "hide_video_muted",
        ),
    ],
)
async def test_a_method_on_the_room_takes_its_right_and_is_told_to_everybody(
    house: House,
    rooms: ActingRooms,
    method: str,
    params: Json,
    right: str,
    miss: str,
    told: object,
    updated: str,
    field: str,
) -> None:
    await house.room()
    rooms.granted = {"Right": (right,), "Miss": (miss,)}
    async with house.client(await house.token("Right")) as one, house.client(await house.token("Miss")) as two:
        able, unable = await one.join(), await two.join()
        refused = await unable.act(method, **params)
        assert (refused["code"], refused["reason"]) == ("403", "not_allowed")
        assert (await able.act(method, **params))["code"] == "200"
        for client in (one, two):
            session = (await client.event("call.updated"))["room_session"]
            assert session["updated"] == [updated]
            assert session[field] == told
        if method == "lock":
            return
        async with house.client(await house.token("Late")) as three:
            late = await three.join()
            assert late.joined["room_session"][field] == told


@pytest.mark.parametrize(
    ("method", "params", "right", "miss"),
    [
        ("layout.set", {"layout": "3x3"}, "layout.set", "vmuted"),
        ("member.position.set", {"positions": {"self": "standard-2"}}, "self.position", "member.position"),
    ],
)
async def test_a_change_of_the_picture_takes_its_right(
    house: House, rooms: ActingRooms, method: str, params: Json, right: str, miss: str
) -> None:
    await house.room(layout="2x2")
    rooms.granted = {"Right": (right,), "Miss": (miss,)}
    async with house.client(await house.token("Right")) as one, house.client(await house.token("Miss")) as two:
        able, unable = await one.join(), await two.join()
        for client in (one, two):
            while not _shows(await client.event("layout.changed"), unable.member_id):
                pass
        refused = await unable.act(method, **params)
        assert (refused["code"], refused["reason"]) == ("403", "not_allowed")
        assert (await able.act(method, **params))["code"] == "200"
        for client in (one, two):
            layout = (await client.event("layout.changed"))["layout"]
            if method == "layout.set":
                assert layout["id"] == "3x3"
            else:
                assert next(x["member_id"] for x in layout["layers"] if x["position"] == "standard-2") == able.member_id
                member = (await client.event("member.updated"))["member"]
                assert (member["member_id"], member["updated"]) == (able.member_id, ["requested_position"])
                assert member["requested_position"] == "standard-2"


def _shows(params: Json, member_id: str) -> bool:
    return any(layer.get("member_id") == member_id for layer in params["layout"]["layers"])


@pytest.mark.parametrize(
    ("method", "target", "right", "miss"),
    [
        ("member.remove", "another", "member.remove", "self.remove"),
        ("member.remove", "all", "member", "self"),
        ("member.remove", "oneself", "self.remove", "member.remove"),
        ("end", "oneself", "end", "self"),
        ("end", "another", "end", "member"),
        ("end", "all", "end", "member"),
    ],
)
async def test_an_ending_takes_its_right_and_is_told(
    house: House, rooms: ActingRooms, method: str, target: str, right: str, miss: str
) -> None:
    await house.room()
    rooms.granted = {"Right": (right,), "Miss": (miss,), "Eve": ()}
    async with (
        house.client(await house.token("Right")) as one,
        house.client(await house.token("Miss")) as two,
        house.client(await house.token("Eve")) as three,
    ):
        able, unable, eve = [await client.join() for client in (one, two, three)]

        def aim(seat: Seat) -> str:
            return {"oneself": seat.member_id, "another": eve.member_id, "all": "all"}[target]

        refused = await unable.act(method, aim(unable))
        assert (refused["code"], refused["reason"]) == ("403", "not_allowed")
        assert (await able.act(method, aim(able)))["code"] == "200"
        gone = {"oneself": [able], "another": [eve], "all": [able, unable, eve]}[target]
        reason = "removed by a moderator" if method == "member.remove" else "the call was ended"
        for seat in (able, unable, eve):
            if seat in gone:
                left = await seat.client.event("call.left")
                assert (left["call_id"], left["reason"]) == (seat.call_id, reason)
                while (message := await seat.client.event("webrtc.message"))["method"] != "verto.bye":
                    pass
                assert message["params"]["callID"] == seat.call_id
            else:
                left = await seat.client.event("member.left")
                assert (left["member"]["member_id"], left["reason"]) == (gone[0].member_id, reason)


def _deep(levels: int) -> Json:
    found: Json = {}
    for _ in range(levels - 1):
        found = {"a": found}
    return found


async def test_meta_is_refused_in_words_and_what_stands_stays(house: House) -> None:
    await house.room(meta={"from": "rest"})
    async with house.client() as client:
        seat = await client.join()
        assert seat.joined["room_session"]["meta"] == {"from": "rest"}
        for params in ({}, {"meta": [1]}, {"meta": {"a": "x" * 2000}}, {"meta": _deep(33)}):
            refused = await seat.act("meta.update", **params)
            assert (refused["code"], refused["reason"]) == ("422", "bad_parameter")
            assert refused["message"].startswith("meta must ")
        refused = await seat.act("meta.update", meta=_deep(200))
        assert (refused["code"], refused["reason"]) == ("422", "bad_parameter")
        assert "levels" in refused["message"]
        await seat.act("meta.update", meta={"live": True})
        assert (await client.event("call.updated"))["room_session"]["meta"] == {"from": "rest", "live": True}


async def test_meta_and_what_a_room_is_called_follow_a_change_over_rest(house: House) -> None:
    room_id = await house.room("coffee", display_name="Coffee", description="for all")
    async with house.client() as client:
        seat = await client.join("/public/coffee")
        session = seat.joined["room_session"]
        assert (session["name"], session["display_name"], session["description"]) == ("coffee", "Coffee", "for all")
        await house.change(room_id, name="tea", display_name="Tea", description="", meta={"a": 1})
        session = (await client.event("call.updated"))["room_session"]
        assert session["updated"] == ["name", "display_name", "description", "meta"]
        assert (session["name"], session["display_name"], session["description"]) == ("tea", "Tea", "")
        assert session["meta"] == {"a": 1}


async def test_meta_survives_a_lost_worker(house: House, rooms: ActingRooms) -> None:
    room_id = await house.room()
    async with house.client() as client:
        seat = await client.join()
        await seat.act("meta.set", meta={"kept": 1})
        await seat.act("handraise.prioritize.set", enable=True)
        await seat.act("vmuted.hide.set", enable=True)
        rooms.lose(room_id)
        await client.event("call.left")
        session = (await client.join()).joined["room_session"]
        assert session["meta"] == {"kept": 1}
        assert (session["prioritize_handraise"], session["hide_video_muted"]) == (True, True)


async def test_a_front_that_took_a_session_over_knows_the_rooms_meta(
    database: Database, house: House, rooms: ActingRooms
) -> None:
    room_id = await house.room()
    token = await house.token()
    async with house.client(token) as client:
        seat = await client.join()
        await seat.act("meta.set", meta={"kept": 1})
        await client.event("call.updated")
        hello = {"protocol": client.protocol, "authorization_state": client.state}
    async with front_with_rooms(database, rooms) as elsewhere, elsewhere.client(token, **hello) as client:
        await seat.of(client).act("member.list")
        rooms.lose(room_id)
        left = await client.event("call.left")
        assert left["room_session"]["meta"] == {"kept": 1}
        assert (await client.join()).joined["room_session"]["meta"] == {"kept": 1}


async def test_everybody_knows_when_they_came_and_when_they_go(house: House, rooms: ActingRooms, clock: Clock) -> None:
    room_id = await house.room(remove_at=clock.after(3600), remove_after_seconds_elapsed=600)
    start = clock.after(0)
    async with house.client(await house.token("Alice")) as one, house.client(await house.token("Bob")) as two:
        alice = await one.join()
        assert alice.joined["remove_at"] == clock.after(600), "the earlier of the two"
        session = alice.joined["room_session"]
        assert (session["remove_at"], session["remove_after_seconds_elapsed"]) == (clock.after(3600), 600)
        assert session["members"][0]["joined_at"] == start
        end = clock.after(3600)
        clock.pass_by(3500)
        await house.change(room_id, remove_after_seconds_elapsed=None)
        session = (await one.event("call.updated"))["room_session"]
        assert session["updated"] == ["remove_after_seconds_elapsed"]
        assert session["remove_after_seconds_elapsed"] is None
        bob = await two.join()
        assert bob.joined["remove_at"] == end
        listed = {member["name"]: member["joined_at"] for member in (await bob.act("member.list"))["members"]}
        assert listed == {"Alice": start, "Bob": clock.after(0)}
        assert (await one.event("member.joined"))["member"]["joined_at"] == clock.after(0)
        await house.change(room_id, remove_at=None)
        assert (await one.event("call.updated"))["room_session"]["remove_at"] is None
        clock.pass_by(3600)
        rooms.pass_time()
        assert (await bob.act("member.list"))["code"] == "200"


async def test_nobody_is_removed_by_default(house: House) -> None:
    await house.room()
    async with house.client() as client:
        joined = (await client.join()).joined
        assert joined["remove_at"] is None
        assert joined["room_session"]["remove_at"] is None
        assert joined["room_session"]["remove_after_seconds_elapsed"] is None


async def _refused(client: Client, **dialog: Any) -> Json:
    found = await client.dial(**dialog)
    assert found["code"] != "200"
    return found


async def test_the_door_says_why_and_when(house: House, rooms: ActingRooms, clock: Clock) -> None:
    await house.room(join_from=clock.after(60), join_until=clock.after(120), remove_at=clock.after(180))
    async with house.client(await house.token("Alice")) as one, house.client(await house.token("Bob")) as two:
        early = await _refused(one)
        opens = clock.after(60)
        assert early == {
            "code": "403",
            "reason": "too_early",
            "message": f"This room opens at {opens}.",
            "at": opens,
        }
        clock.pass_by(60)
        alice = await one.join()
        clock.pass_by(60)
        assert await _refused(two) == {
            "code": "403",
            "reason": "closed",
            "message": "This room does not let anybody in any more.",
        }
        assert (await alice.act("raisehand"))["code"] == "200", "whoever is in stays"
        again = await one.dial(call_id=alice.call_id, attach=True, reattaching=True)
        assert again["result"]["result"]["memberID"] == alice.member_id, "and may take the own seat again"
        rooms.pass_time()
        clock.pass_by(60)
        rooms.pass_time()
        assert (await one.event("call.left"))["reason"] == "the room is over"
        assert await _refused(two) == {"code": "403", "reason": "over", "message": "This room is over."}


async def test_a_full_and_a_locked_room_say_so(house: House) -> None:
    await house.room(max_members=1)
    async with house.client(await house.token("Alice")) as one, house.client(await house.token("Bob")) as two:
        alice = await one.join()
        full = await _refused(two)
        assert (full["code"], full["reason"]) == ("409", "full")
        assert full["message"] == "This room is full: it has 1 seats."
        screen = await one.dial(call_id="screen", screenShare=True, userVariables={"memberId": alice.member_id})
        assert screen["reason"] == "full", "a screen takes a seat"
        await alice.act("lock")
        screen = await one.dial(call_id="screen", screenShare=True, userVariables={"memberId": alice.member_id})
        assert screen["reason"] == "full", "a lock is for those outside"
        locked = await _refused(two)
        assert locked == {"code": "403", "reason": "locked", "message": "This room is locked."}
        await alice.act("unlock")
        assert (await _refused(two))["reason"] == "full"


async def test_a_screen_brings_a_layout_and_places_in_which_it_is_self(house: House) -> None:
    await house.room()
    async with house.client() as client:
        seat = await client.join()
        dialog = {
            "callID": "screen",
            "destination_number": "/public/coffee_cafe",
            "screenShare": True,
            "userVariables": {"memberId": seat.member_id},
        }
        positions = {"self": "reserved-1", seat.member_id: "standard-1"}
        layout = "presenter-dual-horizontal"
        params = {"dialogParams": dialog, "sdp": SDP, "layout": layout, "positions": positions}
        created = await client.verto("verto.invite", params)
        screen = created["result"]["result"]["memberID"]
        while (shown := (await client.event("layout.changed"))["layout"])["id"] != layout:
            pass
        places = {layer["position"]: layer.get("member_id") for layer in shown["layers"]}
        assert (places["reserved-1"], places["standard-1"]) == (screen, seat.member_id)
        await client.verto("verto.bye", {"dialogParams": {"callID": "screen"}})
        while (await client.event("layout.changed"))["layout"]["id"] != "grid-responsive":
            pass


async def test_a_screen_takes_its_right(house: House, rooms: ActingRooms) -> None:
    await house.room()
    rooms.granted = {"Right": ("screenshare",), "Miss": tuple(name for name in GUEST if name != "screenshare")}
    async with house.client(await house.token("Right")) as one, house.client(await house.token("Miss")) as two:
        able, unable = await one.join(), await two.join()
        refused = await two.dial(screenShare=True, userVariables={"memberId": unable.member_id})
        assert (refused["code"], refused["reason"]) == ("403", "not_allowed")
        await one.dial(screenShare=True, userVariables={"memberId": able.member_id})
        joined = await two.event("member.joined")
        assert (joined["member"]["type"], joined["member"]["parent_id"]) == ("screen", able.member_id)
