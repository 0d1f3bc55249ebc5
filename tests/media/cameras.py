"""Guests with cameras of one colour, and a look at where in the room's picture they are."""

from collections.abc import Awaitable, Callable
from functools import lru_cache

from parlour.media.packets import MediaPacket
from parlour.media.video.codec import VideoCodec
from parlour.media.video.colour import Rgb
from tests.media.guest import Guest, while_filming
from tests.media.video.scene import is_near, painted, pixel, sent

Film = list[list[MediaPacket]]
Look = tuple[tuple[int, int], Rgb]
"""A place in the room's picture, in pixels, and a colour."""


@lru_cache
def camera(colour: Rgb) -> Film:
    """A second of a camera of one colour."""
    return sent((painted(320, 180, colour) for _ in range(15)), VideoCodec.H264)


async def filming(act: Callable[[], Awaitable[None]], *films: tuple[Guest, Film]) -> None:
    """Let guests send their films while something is done."""
    if not films:
        await act()
        return
    (guest, film), *rest = films
    await while_filming(guest, film, lambda: filming(act, *rest))


def shows(guest: Guest, *colours: Look) -> bool:
    """Whether the picture that a guest has got last has these colours at these places."""
    picture = guest.picture
    return picture is not None and all(is_near(pixel(picture, *at), colour, 20) for at, colour in colours)
