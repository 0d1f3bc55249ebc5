"""What a live room goes without while its worker has too much to do: seen by who is in it."""

from collections import deque
from itertools import pairwise

import numpy as np
from av import VideoFrame
from numpy.typing import NDArray

from parlour.domain.live.commands import Join, Refused
from parlour.domain.live.relief import Relief
from parlour.media.conference import Conference
from parlour.media.transport import Endpoint
from parlour.media.video.canvas import rows_of
from tests.media.guest import ROOM, Guest, film, is_at, live, while_filming

PICTURES = 20
STILL = 0.5
"""The mean change of luma, in steps of 256, of a tile in which nothing new was drawn."""


def steps(guest: Guest) -> list[int]:
    """The ticks of 90 kHz from picture to picture, the last ones."""
    times = sorted({stamp for _, stamp in guest.stamps})
    return [after - before for before, after in pairwise(times)][-PICTURES:]


async def test_the_picture_slows_down_and_the_sound_goes_on(conference: Conference, endpoint: Endpoint) -> None:
    ann = await Guest(conference, endpoint, "ann", room=ROOM).join()

    def comes_at(rate: int) -> bool:
        found = steps(ann)
        return len(found) == PICTURES and is_at(rate, found)

    async def act() -> None:
        await live([ann], lambda: comes_at(30))
        conference.relieve(Relief.SLOWER_PICTURE)
        await live([ann], lambda: comes_at(15))
        heard = ann.heard
        await live([ann], lambda: ann.heard > heard + 50)
        conference.relieve(Relief.NONE)
        await live([ann], lambda: comes_at(30))

    await while_filming(ann, film(), act)


async def test_small_tiles_move_at_half_the_rate(conference: Conference, endpoint: Endpoint) -> None:
    """Of five people each has a ninth of the picture; that of the first to come is in the corner."""
    ann, *_ = [await Guest(conference, endpoint, f"guest {number}", room=ROOM).join() for number in range(5)]
    tiles = deque[NDArray[np.int16]](maxlen=PICTURES + 1)

    def look(frame: VideoFrame, _time: int) -> None:
        rows = rows_of(frame.planes[0])
        tiles.append(rows[: frame.height // 3, : frame.width // 3].astype(np.int16))

    def moves() -> int:
        return sum(bool(np.abs(after - before).mean() > STILL) for before, after in pairwise(tiles))

    async def act() -> None:
        ann.look = look
        await live([ann], lambda: moves() > 0.8 * PICTURES)
        conference.relieve(Relief.SLOWER_SMALL_TILES)
        tiles.clear()
        await live([ann], lambda: len(tiles) > PICTURES)
        assert 0 < moves() < 0.7 * PICTURES
        conference.relieve(Relief.NONE)
        await live([ann], lambda: moves() > 0.8 * PICTURES)

    await while_filming(ann, film(), act)


async def test_senders_are_asked_for_less(conference: Conference, endpoint: Endpoint) -> None:
    ann = await Guest(conference, endpoint, "ann", room=ROOM).join()

    async def act() -> None:
        await live([ann], lambda: bool(ann.limits))
        whole = ann.limits[-1]
        conference.relieve(Relief.SMALLER_CAMERAS)
        await live([ann], lambda: ann.limits[-1] <= whole / 2)
        conference.relieve(Relief.NONE)
        await live([ann], lambda: ann.limits[-1] == whole)

    await while_filming(ann, film(), act)


async def test_nobody_new_comes_in_at_last(conference: Conference, endpoint: Endpoint) -> None:
    ann = await Guest(conference, endpoint, "ann", room=ROOM).join()
    conference.relieve(Relief.NO_MORE_MEMBERS)
    reply = conference.ask(Join(ROOM, "call-bob", ann.offer, "bob", ()))
    assert isinstance(reply, Refused)
    assert reply.reason == "busy"
    assert conference.members == 1
    assert conference.ask(Join(ROOM, "call-eve", "no offer", "eve", ())) == reply, "which nobody reads"
    conference.relieve(Relief.NO_MORE_CAMERAS)
    bob = Guest(conference, endpoint, "bob", room=ROOM)
    assert conference._state.members[bob.member_id].video_muted
