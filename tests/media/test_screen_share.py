"""A shared screen in a live room: it has the base of the picture, stays sharp, and leaves everything as it was."""

from functools import lru_cache

import numpy as np
import pytest
from av import VideoFrame

from parlour.domain.live.commands import Act, Leave
from parlour.domain.live.events import LayoutChanged, MediaWanted, Told
from parlour.media.conference import Conference
from parlour.media.packets import MediaPacket
from parlour.media.transport import Endpoint
from parlour.media.video import request
from parlour.media.video.canvas import rows_of
from parlour.media.video.codec import VideoCodec
from tests.media.cameras import camera, filming, shows
from tests.media.guest import ROOM, Guest, live
from tests.media.video.scene import BLUE, RED, sent

MODERATOR = ("self", "member", "layout", "screenshare")
STRIPE = 4
"""Pixels of a stripe: what is scaled down and up again on the way has lost it."""
CANVAS = (1280, 720)
TOP_RIGHT, TOP_LEFT, MIDDLE = (1200, 30), (80, 30), (640, 360)


def striped(width: int, height: int) -> VideoFrame:
    """Fine white and black stripes, as of letters."""
    frame = VideoFrame(width, height, "yuv420p")
    for plane, value in zip(frame.planes, (16, 128, 128), strict=True):
        rows_of(plane)[:] = value
    rows_of(frame.planes[0])[:, (np.arange(width) // STRIPE) % 2 == 1] = 235
    return frame


def contrast(frame: VideoFrame) -> int:
    """The least difference between neighbouring stripes in the middle of the room's picture, 0 to 219."""
    row = rows_of(frame.planes[0])[MIDDLE[1], 400:880].astype(int)
    light, dark = row[STRIPE // 2 + STRIPE :: 2 * STRIPE], row[STRIPE // 2 :: 2 * STRIPE]
    return int(abs(light.min() - dark.max()))


@lru_cache
def screen() -> list[list[MediaPacket]]:
    """A second of a screen with stripes."""
    return sent((striped(*CANVAS) for _ in range(15)), VideoCodec.H264, bitrate=4_000_000)


def asked(told: list[Told], guest: Guest) -> list[tuple[int, int, int]]:
    """The sizes and frame rates that a guest was asked for."""
    found = [each.event for each in told if isinstance(each.event, MediaWanted)]
    return [(one.width, one.height, one.frame_rate) for one in found if one.call_id == f"call-{guest.name}"]


def layouts(told: list[Told]) -> list[str]:
    """The layouts that were told, each once."""
    found = [each.event.picture.layout for each in told if isinstance(each.event, LayoutChanged)]
    return [name for at, name in enumerate(found) if at == 0 or found[at - 1] != name]


async def test_a_screen_takes_the_base_people_lie_over_it_and_all_is_as_before_in_the_end(
    conference: Conference, endpoint: Endpoint, told: list[Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request, "DECREASE_DELAY", 0.1)
    ana = await Guest(conference, endpoint, "ana", room=ROOM, capabilities=MODERATOR).join()
    ben = await Guest(conference, endpoint, "ben", room=ROOM).join()
    people = [(ana, camera(RED)), (ben, camera(BLUE))]

    async def share() -> None:
        await live([ana, ben], lambda: shows(ben, ((320, 360), RED), ((960, 360), BLUE)))
        shared = await Guest(
            conference, endpoint, "screen", room=ROOM, capabilities=MODERATOR, screen_of=ana.member_id
        ).join()
        await filming(lambda: watch(shared), (shared, screen()))
        conference.ask(Leave("call-screen"))
        await live([ana, ben], lambda: shows(ben, ((320, 360), RED), ((960, 360), BLUE)))

    async def watch(shared: Guest) -> None:
        everybody = [ana, ben, shared]
        await live(everybody, lambda: shows(ben, (TOP_RIGHT, RED), (TOP_LEFT, BLUE)) and contrast(ben.picture) > 120)  # type: ignore[arg-type]  # there is one
        assert asked(told, shared) == [(0, 0, 30)], "as large as it is"
        await live(everybody, lambda: (320, 180, 30) in asked(told, ana) and (320, 180, 30) in asked(told, ben))
        places = {shared.member_id: "reserved-1"}
        conference.ask(Act(ana.member_id, "member.position.set", (), {"positions": places}))
        await live(everybody, lambda: len(asked(told, shared)) == 2)
        assert asked(told, shared)[-1] == (0, 0, 10), "a small tile costs frames and no pixels"
        conference.ask(Act(ana.member_id, "member.position.set", (), {"positions": {shared.member_id: "auto"}}))
        await live(everybody, lambda: len(asked(told, shared)) == 3)
        assert asked(told, shared)[-1] == (0, 0, 30)

    await filming(share, *people)
    assert layouts(told) == ["grid-responsive", "screen-share", "grid-responsive"]
