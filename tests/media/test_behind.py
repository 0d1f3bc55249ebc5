"""A loop that cannot send all that the room's threads make."""

import time

from parlour.media.conference import BEHIND_MAX, Conference
from parlour.media.transport import Endpoint
from tests.media.guest import ROOM, Guest, film, live, while_filming


async def test_what_was_made_long_ago_is_not_sent_and_the_next_picture_stands_alone(
    conference: Conference, endpoint: Endpoint
) -> None:
    ann = await Guest(conference, endpoint, "ann", room=ROOM).join()

    async def act() -> None:
        await live([ann], lambda: len(ann.frames) > 20 and ann.heard > 20)
        time.sleep(BEHIND_MAX / 80 + 1.0)  # noqa: ASYNC251 - the loop stands still, the threads do not
        seen, heard = len(ann.frames), ann.heard
        await live([ann], lambda: len(ann.frames) > seen + 20 and ann.heard > heard + 20)

    await while_filming(ann, film(), act)
    statistics = conference.statistics()
    assert statistics["unsent"] > 10
    due, late = conference.punctuality()
    assert statistics["unsent"] <= late < due
    assert sum(ann.keyframes) >= 2, "what follows a picture that was not sent cannot be read"
    assert len(conference._waiting) < BEHIND_MAX
