"""Who was on hold has missed pictures: the next one must stand alone."""

from parlour.domain.live.commands import Hold
from parlour.media.conference import Conference
from parlour.media.transport import Endpoint
from tests.media.guest import ROOM, Guest, film, live, while_filming


async def test_the_picture_comes_back_from_hold_with_a_keyframe(conference: Conference, endpoint: Endpoint) -> None:
    ana = await Guest(conference, endpoint, "ana", room=ROOM).join()
    ben = await Guest(conference, endpoint, "ben", room=ROOM).join()

    async def act() -> None:
        await live([ana, ben], lambda: len(ben.keyframes) >= 10)
        conference.ask(Hold("call-ben", held=True))
        await live([ana, ben], lambda: len(ana.keyframes) > len(ben.keyframes) + 10)
        before = len(ben.keyframes)
        conference.ask(Hold("call-ben", held=False))
        await live([ana, ben], lambda: len(ben.keyframes) > before + 3)
        assert ben.keyframes[before]
        assert not any(ben.keyframes[before + 1 : before + 3]), "one is enough"

    await while_filming(ana, film(), act)
