"""What a live room goes without while its worker has too much to do: seen by who is in it."""

from itertools import pairwise

from parlour.domain.live.commands import Join, Refused
from parlour.domain.live.relief import Relief
from parlour.media.conference import Conference
from parlour.media.transport import Endpoint
from tests.media.guest import ROOM, Guest, film, live, while_filming

PICTURES = 20


def steps(guest: Guest) -> list[int]:
    """The ticks of 90 kHz from picture to picture, the last ones."""
    times = sorted({stamp for _, stamp in guest.stamps})
    return [after - before for before, after in pairwise(times)][-PICTURES:]


async def test_the_picture_slows_down_and_the_sound_goes_on(conference: Conference, endpoint: Endpoint) -> None:
    ann = await Guest(conference, endpoint, "ann", room=ROOM).join()

    async def act() -> None:
        await live([ann], lambda: steps(ann) == [3000] * PICTURES)
        conference.relieve(Relief.SLOWER_PICTURE)
        await live([ann], lambda: steps(ann) == [6000] * PICTURES)
        heard = ann.heard
        await live([ann], lambda: ann.heard > heard + 50)
        conference.relieve(Relief.NONE)
        await live([ann], lambda: steps(ann) == [3000] * PICTURES)

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
    conference.relieve(Relief.NO_MORE_CAMERAS)
    bob = Guest(conference, endpoint, "bob", room=ROOM)
    assert conference._state.members[bob.member_id].video_muted
