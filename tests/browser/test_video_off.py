"""Rooms that one comes into without the room's picture, or without one's own: real browsers, the unmodified SDK."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.browser.venue import Venue, meet, opened
from tests.support.people import Person

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def venue(tmp_path_factory: pytest.TempPathFactory, site: str) -> AsyncIterator[Venue]:
    """One server with one media worker for all of these tests."""
    async with opened(tmp_path_factory.mktemp("video-off"), site) as place:
        yield place


async def pictures(someone: Person) -> int:
    """How many packets of the room's picture have come to somebody."""
    return int((await someone.inbound()).get("packetsReceived", 0))


async def test_the_rooms_picture_comes_once_it_is_turned_on(venue: Venue) -> None:
    room = await venue.room(room_join_video_off=True)
    async with venue.person("red") as red, venue.person("green") as green:
        await venue.enter(room, red)
        await venue.enter(room, green)
        assert await red.hears(green, but=(red,))
        assert await green.hears(red, but=(green,))
        assert [await pictures(red), await pictures(green)] == [0, 0]
        joined = await red.told("call.joined")
        assert [member["room_video_off"] for member in joined["room_session"]["members"]] == [True]
        assert [member["video_muted"] for member in joined["room_session"]["members"]] == [False]

        await red.do("videoUnmute")
        await green.told_of(red, "member.updated", "params.member.updated.includes('room_video_off')")
        assert await red.sees(red)
        assert await red.sees(green)
        assert await pictures(green) == 0, "it concerns only who asked"
        await red.do("videoUnmute", memberId=green.member_id)
        await meet(red, green)


async def test_ones_own_camera_is_a_card_until_it_is_turned_on(venue: Venue) -> None:
    room = await venue.room(user_join_video_off=True)
    async with venue.person("red") as red, venue.person("green") as green:
        await venue.enter(room, red)
        await venue.enter(room, green)
        joined = await green.told("call.joined")
        assert [member["video_muted"] for member in joined["room_session"]["members"]] == [True, True]
        for member in (red, green):
            assert await green.sees_as(member, "card")
        assert await red.hears(green, but=(red,))
        async with green.filming() as reel:
            await asyncio.sleep(1)
        assert not any({"red", "green"} & frame for frame in reel)
        await red.do("videoUnmute")
        assert await green.sees(red)
        assert await green.shows(green) == "card"
        await red.do("videoUnmute", memberId=green.member_id)
        await meet(red, green)


async def test_both_are_turned_on_together(venue: Venue) -> None:
    room = await venue.room(room_join_video_off=True, user_join_video_off=True)
    async with venue.person("red") as red, venue.person("green") as green:
        await venue.enter(room, red)
        await venue.enter(room, green)
        await red.do("videoUnmute")
        assert await red.sees(red)
        assert await red.sees_as(green, "card")
        await green.do("videoUnmute")
        await meet(red, green)
