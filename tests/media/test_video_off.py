"""Rooms that people come into without the room's picture, or without their own."""

from typing import Any

import pytest

from parlour.domain.live.capabilities import MODERATOR
from parlour.domain.live.commands import Accepted, Act, Done, Join, Reply
from parlour.domain.live.events import MemberUpdated
from parlour.domain.room import Room
from parlour.media.conference import Conference
from parlour.media.video.codec import VideoCodec
from tests.domain.live.people import a_room
from tests.media.guest import Guest, film, live, while_filming
from tests.media.rooms import House, Opened
from tests.media.video.scene import RED, is_near, painted, pixel, sent

HEARD = 100
"""Packets of sound, two seconds of them: time in which pictures would have come as well."""

SOON = 200
"""Packets of sound, four seconds: keyframes come by themselves every twenty."""


def room_with(**settings: Any) -> Room:
    """A room without tones."""
    return a_room(tone_on_entry_and_exit=False, **settings)


async def enter(house: House, opened: Opened, name: str, room: Room) -> Guest:
    """Somebody comes in who may do everything."""
    return await Guest(opened.conference, house.endpoint, name, room=room, capabilities=MODERATOR).join()


def unmute(conference: Conference, actor: Guest, target: Guest) -> Reply:
    """Turn a member's video on."""
    return conference.ask(Act(actor.member_id, "unmute", (target.member_id,), {"channels": ["video"]}))


def updates(opened: Opened, guest: Guest) -> list[tuple[str, ...]]:
    """What was told of a member's changes."""
    events = [told.event for _, told in opened.told]
    return [e.updated for e in events if isinstance(e, MemberUpdated) and e.member.id == guest.member_id]


@pytest.mark.parametrize("who", ["the member", "a moderator"])
async def test_the_rooms_picture_comes_to_who_turns_it_on(house: House, who: str) -> None:
    room = room_with(room_join_video_off=True)
    opened = house.open(room)
    ana = await enter(house, opened, "ana", room)
    ben = await enter(house, opened, "ben", room)
    state = opened.conference._state

    async def wait() -> None:
        await live([ana, ben], lambda: ana.heard >= HEARD and ben.heard >= HEARD)
        assert (ana.stamps, ben.stamps) == ([], []), "not one packet"
        assert Done() == unmute(opened.conference, ben if who == "the member" else ana, ben)
        asked = ben.heard
        await live([ana, ben], lambda: len(ben.frames) >= 5)
        assert ben.heard - asked < SOON, "it does not wait for a keyframe that comes by itself"

    await while_filming(ana, film(), wait)
    assert not any(state.members[guest.member_id].receives_video for guest in (ana, ben))
    assert all(state.members[guest.member_id].withheld for guest in (ana, ben))
    assert opened.conference._state.members[ben.member_id].receives_video
    assert "withheld" in updates(opened, ben)[-1]
    assert ben.keyframes[0], "the first picture stands alone"
    assert not ana.stamps, "it concerns only who turned it on"
    assert not state.members[ana.member_id].video_muted, "and the own camera was never off"


async def test_a_reload_does_not_turn_the_rooms_picture_on(house: House) -> None:
    room = room_with(room_join_video_off=True)
    opened = house.open(room)
    ana = await enter(house, opened, "ana", room)
    again = opened.conference.ask(Join(room, "call-ana", ana.offer, "ana", MODERATOR, reattach=True))
    assert isinstance(again, Accepted)
    assert not opened.conference._state.members[ana.member_id].receives_video


@pytest.mark.parametrize("who", ["the member", "a moderator"])
async def test_ones_own_camera_is_off_until_it_is_turned_on(house: House, who: str) -> None:
    room = room_with(user_join_video_off=True)
    opened = house.open(room)
    ana = await enter(house, opened, "ana", room)
    ben = await enter(house, opened, "ben", room)
    member = opened.conference._state.members[ana.member_id]
    assert (member.video_muted, member.visible, member.receives_video) == (True, False, True)
    red = sent((painted(640, 360, RED) for _ in range(30)), VideoCodec.H264)

    def is_red() -> bool:
        return ben.picture is not None and any(is_near(pixel(ben.picture, x, 360), RED, 20) for x in (200, 320, 640))

    async def wait() -> None:
        await live([ana, ben], lambda: len(ben.frames) >= 1 and ben.heard >= HEARD)
        assert not is_red(), "a card, whatever the camera sends"
        assert Done() == unmute(opened.conference, ana if who == "the member" else ben, ana)
        await live([ana, ben], is_red)

    await while_filming(ana, red, wait)
    assert "video_muted" in updates(opened, ana)[-1]


async def test_without_the_settings_both_are_there_at_once(house: House) -> None:
    room = room_with()
    opened = house.open(room)
    ana = await enter(house, opened, "ana", room)
    await live([ana], lambda: len(ana.frames) >= 1)
    member = opened.conference._state.members[ana.member_id]
    assert (member.video_muted, member.receives_video) == (False, True)
