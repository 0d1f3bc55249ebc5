"""Running a room with the unmodified SDK: what the others see of it, what is said at the door, what a reload keeps."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from parlour.domain.moment import format_moment
from tests.browser.venue import Room, Venue, meet, opened
from tests.support.people import Person, until

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

AT_THE_DOOR = """
async (to) => {
  try {
    await dial(to);
  } catch (error) {
    return { keys: Object.keys(error).sort(), message: error.message, ...error };
  }
}
"""
"""What the application gets where it is turned away."""
SETTINGS = "call.peer.instance.getSenders().find((one) => one.track?.kind === 'audio').track.getConstraints()"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def venue(tmp_path_factory: pytest.TempPathFactory, site: str) -> AsyncIterator[Venue]:
    """One server for all of these tests."""
    async with opened(tmp_path_factory.mktemp("moderation"), site) as place:
        yield place


def in_seconds(seconds: float) -> str:
    """The moment so long from now."""
    return format_moment(datetime.now(UTC) + timedelta(seconds=seconds))


async def turned_away(venue: Venue, room: Room, someone: Person) -> dict[str, Any]:
    """What somebody is told who cannot come in; the SDK puts it in the console too."""
    await someone.connect(venue.host, await venue.token(room))
    told: dict[str, Any] = await someone.page.evaluate(AT_THE_DOOR, f"{room.path}?channel=video")
    assert told, "there was a way in"
    assert someone.complaints
    someone.complaints.clear()
    return told


async def test_the_application_is_told_why_and_when(venue: Venue) -> None:
    opens = in_seconds(3600)
    early = await venue.room(join_from=opens)
    async with venue.person("red") as red:
        assert await turned_away(venue, early, red) == {
            "keys": ["at", "code", "message", "reason"],
            "code": "403",
            "reason": "too_early",
            "message": f"This room opens at {opens}.",
            "at": opens,
        }
    for settings, reason, message in (
        ({"join_until": in_seconds(-1)}, "closed", "This room does not let anybody in any more."),
        ({"remove_at": in_seconds(-1)}, "over", "This room is over."),
    ):
        room = await venue.room(**settings)
        async with venue.person("red") as red:
            assert await turned_away(venue, room, red) == {
                "keys": ["code", "message", "reason"],
                "code": "403",
                "reason": reason,
                "message": message,
            }


async def test_a_full_and_a_locked_room_turn_people_away(venue: Venue) -> None:
    room = await venue.room(max_members=1)
    async with venue.person("red") as red:
        await venue.enter(room, red)
        async with venue.person("green") as green:
            told = await turned_away(venue, room, green)
            assert (told["code"], told["reason"], told["keys"]) == ("409", "full", ["code", "message", "reason"])
        await red.do("lock")
        await red.told("call.updated", "params.room_session.locked")
        async with venue.person("green") as green:
            told = await turned_away(venue, room, green)
            assert (told["code"], told["reason"], told["message"]) == ("403", "locked", "This room is locked.")


async def test_whoever_is_in_a_closed_room_stays_and_may_come_back(venue: Venue) -> None:
    room = await venue.room(join_until=in_seconds(300))
    async with venue.person("red") as red, venue.person("green") as green, venue.person("blue") as blue:
        await venue.enter(room, red)
        await venue.enter(room, green)
        await meet(red, green)
        before = green.member_id
        await venue.change(room, join_until=in_seconds(-1))
        told = await turned_away(venue, room, blue)
        assert told["reason"] == "closed"
        await meet(red, green)
        await green.reload()
        assert green.member_id == before
        await meet(red, green)


async def test_everybody_is_muted_at_once_and_unmuted(venue: Venue) -> None:
    colours = ("red", "green", "blue", "yellow")
    async with venue.party(*colours) as people:
        red, green, blue, yellow = people
        for method, name, value in (
            ("audioMute", "audio_muted", "true"),
            ("videoMute", "video_muted", "true"),
            ("audioUnmute", "audio_muted", "false"),
            ("videoUnmute", "video_muted", "false"),
            ("deaf", "deaf", "true"),
            ("undeaf", "deaf", "false"),
        ):
            for someone in people:
                await someone.page.evaluate(
                    "heard.splice(0, heard.length, ...heard.filter((it) => it.name !== 'member.updated'))"
                )
            await red.do(method, memberId="all")
            for someone in people:
                for member in people:
                    check = f"params.member.updated.includes('{name}') && params.member.{name} === {value}"
                    await someone.told_of(member, "member.updated", check)
            if method == "audioMute":
                assert await green.misses(blue)
                assert await red.misses(yellow)
            if method == "videoMute":
                for member in people:
                    assert await green.sees_as(member, "card")
        await meet(*people)


async def test_sound_flags_reach_the_browser_that_they_are_for(venue: Venue) -> None:
    room = await venue.room()
    async with venue.person("red") as red, venue.person("green") as green:
        sound = {"echoCancellation": True, "noiseSuppression": True, "autoGainControl": True}
        await venue.enter(room, red, audio=sound)
        await venue.enter(room, green, audio=sound)
        await meet(red)

        async def constrained(someone: Person, **expected: bool) -> bool:
            async def check() -> bool:
                found = await someone.page.evaluate(SETTINGS)
                return {name: found.get(name) for name in expected} == expected

            return await until(check)

        assert await constrained(green, echoCancellation=True)
        await red.do("setAudioFlags", memberId=green.member_id, echoCancellation=False, noiseSuppression=False)
        for someone in (red, green):
            told = await someone.told_of(green, "member.updated", "params.member.echo_cancellation === false")
            assert sorted(told["member"]["updated"]) == ["echo_cancellation", "noise_suppression"]
        assert await constrained(green, echoCancellation=False, noiseSuppression=False, autoGainControl=True)
        assert await constrained(red, echoCancellation=True)
        await green.do("setAudioFlags", autoGain=False)
        await red.told_of(green, "member.updated", "params.member.auto_gain === false")
        off = {"echoCancellation": False, "noiseSuppression": False, "autoGainControl": False}
        assert await constrained(green, **off)
        await green.page.reload()
        await green.join(*green.invitation, how="reattach", audio=sound)
        assert await constrained(green, **off), "also after a reload"


async def test_a_reload_keeps_everything_that_was_set(venue: Venue) -> None:
    room = await venue.room(meta={"from": "rest"})
    async with venue.person("red") as red, venue.person("green") as green:
        await venue.enter(room, red)
        await venue.enter(room, green)
        await meet(red, green)
        before = green.member_id, await green.page.evaluate("call.callId")
        await green.do("setAudioFlags", echoCancellation=False, autoGain=False)
        await green.do("setInputVolume", volume=10)
        await green.do("setOutputVolume", volume=-10)
        await green.do("setInputSensitivity", value=60)
        await green.do("setRaisedHand", raised=True)
        await red.do("audioMute", memberId=green.member_id)
        await red.do("videoMute", memberId=green.member_id)
        await red.do("setLayout", name="2x2")
        await red.do("lock")
        await _execute(red, "call.meta.update", meta={"live": 1})
        await green.told("call.updated", "params.room_session.meta.live === 1 && params.room_session.locked")
        await green.reload()
        assert (green.member_id, await green.page.evaluate("call.callId")) == before
        joined = await green.told("call.joined")
        session = joined["room_session"]
        assert (session["locked"], session["layout_name"]) == (True, "2x2")
        assert session["meta"] == {"from": "rest", "live": 1}
        me = next(member for member in session["members"] if member["member_id"] == green.member_id)
        expected = {
            "audio_muted": True,
            "video_muted": True,
            "deaf": False,
            "handraised": True,
            "input_volume": 10,
            "output_volume": -10,
            "input_sensitivity": 60,
            "echo_cancellation": False,
            "auto_gain": False,
            "noise_suppression": True,
        }
        assert {name: me[name] for name in expected} == expected
        assert await red.sees_as(green, "card")
        assert await red.misses(green)
        await red.do("unlock")
        await red.do("audioUnmute", memberId=green.member_id)
        await red.do("videoUnmute", memberId=green.member_id)
        assert await red.sees(green)
        assert await red.hears(green, but=(red,))


async def _execute(someone: Person, method: str, **params: Any) -> None:
    """Send a method that the SDK has no name for."""
    await someone.page.evaluate(
        """([method, params]) => call.execute({
          method,
          params: { self: { member_id: call.memberId, call_id: call.callId, node_id: call.nodeId }, ...params },
        })""",
        [method, params],
    )


async def test_what_the_sdk_has_no_name_for_is_asked_all_the_same(venue: Venue) -> None:
    async with venue.party("red", "green", "blue") as (red, green, blue):
        await _execute(red, "call.meta.set", meta={"topic": "tea"})
        told = await green.told("call.updated", "params.room_session.updated?.includes('meta')")
        assert told["room_session"]["meta"] == {"topic": "tea"}
        await blue.do("videoMute")
        assert await green.sees_as(blue, "card")
        await _execute(red, "call.vmuted.hide.set", enable=True)
        assert await green.sees_as(blue, "nowhere")
        await _execute(red, "call.vmuted.hide.set", enable=False)
        assert await green.sees_as(blue, "card")
        await red.do("setLayout", name="1x1")
        await green.told("layout.changed", "params.layout.id === '1x1'")
        await blue.do("videoUnmute")
        await green.do("setRaisedHand", raised=True)
        await blue.do("setRaisedHand", raised=True)
        await _execute(red, "call.handraise.prioritize.set", enable=True)
        assert await red.sees(green)
        await red.do("setRaisedHand", raised=False, memberId=green.member_id)
        assert await red.sees(blue)


async def test_who_is_removed_and_an_end_for_all(venue: Venue) -> None:
    async with venue.party("red", "green", "blue") as (red, green, blue):
        await red.do("removeMember", memberId=green.member_id)
        left = await green.told("call.left")
        assert left["reason"] == "removed by a moderator"
        await green.told("destroy")
        assert (await blue.told_of(green, "member.left"))["reason"] == "removed by a moderator"
        await red.do("end", memberId="all")
        for someone in (red, blue):
            assert (await someone.told("call.left"))["reason"] == "the call was ended"
            await someone.told("destroy")
