"""The size of the room's picture and how often it comes, as a receiver decodes it and reads its packets' times."""

from itertools import pairwise
from typing import Any

import pytest

from parlour.domain.live.commands import Change, Past
from parlour.domain.room import Room
from parlour.media.video.codec import VideoCodec
from tests.domain.live.people import a_room
from tests.media.guest import Guest, film, is_at, live, while_filming
from tests.media.rooms import House

CLOCK = 90_000
"""Ticks of RTP time in a second (RFC 6184 section 5.1, RFC 7741 section 4.1)."""


def room_of(quality: str, fps: int, **given: Any) -> Room:
    """A room with a picture of this kind."""
    return a_room(quality=quality, fps=fps, tone_on_entry_and_exit=False, **given)


def steps(guest: Guest, since: int = 0) -> list[int]:
    """RTP time from each picture to the next, of those that came after so many packets."""
    stamps = sorted({stamp for _, stamp in guest.stamps[since:]})
    return [after - before for before, after in pairwise(stamps)]


async def watched(house: House, room: Room, codec: str = "H264", past: Past | None = None) -> tuple[Guest, list[int]]:
    """A guest who has seen a room whose picture moves, and the steps between its pictures."""
    conference = house.open(room, past).conference
    guest = await Guest(conference, house.endpoint, "ana", room=room, codec=codec).join()

    async def watch() -> None:
        await live([guest], lambda: len(steps(guest)) >= 60)

    await while_filming(guest, film(VideoCodec(codec)), watch)
    return guest, steps(guest)


@pytest.mark.parametrize("codec", ["H264", "VP8"])
@pytest.mark.parametrize(
    ("quality", "size", "fps"),
    [("720p", (1280, 720), 30), ("720p", (1280, 720), 20), ("1080p", (1920, 1080), 30), ("1080p", (1920, 1080), 20)],
)
async def test_a_receiver_gets_the_size_and_the_rate(
    house: House, quality: str, size: tuple[int, int], fps: int, codec: str
) -> None:
    guest, found = await watched(house, room_of(quality, fps), codec)
    assert set(guest.frames) == {size}
    assert is_at(fps, found)


async def test_a_change_acts_from_the_next_session_on(house: House) -> None:
    room, finer = room_of("720p", 30), room_of("1080p", 20, updated=1)
    conference = house.open(room).conference
    ana = await Guest(conference, house.endpoint, "ana", room=room).join()
    conference.ask(Change(finer))
    ben = await Guest(conference, house.endpoint, "ben", room=finer).join()

    async def watch() -> None:
        await live([ana, ben], lambda: len(steps(ben)) >= 60)

    await while_filming(ana, film(), watch)
    assert set(ana.frames) == set(ben.frames) == {(1280, 720)}
    assert is_at(30, steps(ben))
    past = conference.past
    await conference.close(silent=True)
    guest, found = await watched(house, finer, past=past)
    assert (set(guest.frames), is_at(30, found)) == ({(1280, 720)}, True), "the session goes on at another worker"
    guest, found = await watched(house, finer)
    assert (set(guest.frames), is_at(20, found)) == ({(1920, 1080)}, True), "this is the next session"
