"""What a sender is asked for: no more pixels and bits than its tile shows. Screens keep their pixels, to stay sharp."""

from typing import NamedTuple

from parlour.domain.live.relief import Relief
from parlour.media.video.rate import kush_bitrate

DECREASE_DELAY = 5.0
"""Seconds for which a smaller request must hold before it is sent: cameras restart visibly when their size changes."""

LADDER = ((320, 180), (480, 270), (640, 360), (960, 540), (1280, 720), (1920, 1080))
"""Sizes in pixels that cameras and browsers' scalers deliver."""

SLACK = 0.9
"""A tile may be larger than its picture by this factor: 270 lines are enough for 288."""


SMALL_PARTS = 9
"""How many small tiles fill a canvas."""


class SenderRequest(NamedTuple):
    """For ``applyConstraints`` (pixels, frames a second) and for REMB (bits a second).

    A width and height of 0 leave the picture as large as it is.
    """

    width: int
    height: int
    fps: int
    bitrate: int


UNSEEN = SenderRequest(320, 180, 5, 60_000)
"""For who is not on the canvas: enough to be shown at once, in poor quality, when that changes."""


SCREEN_BITRATE = 3_000_000
"""For a screen in a large tile: enough for text that scrolls, at the most pixels that a canvas has."""
LARGE = 360
"""Lines from which on a tile is large enough to read a screen in it."""
SMALL_SCREEN = SenderRequest(0, 0, 10, 1_000_000)
UNSEEN_SCREEN = SenderRequest(0, 0, 5, 500_000)


def request_for_screen(tile: tuple[int, int] | None, fps: int) -> SenderRequest:
    """The request for a shared screen in a tile of this width and height in pixels, or in none.

    Letters that were scaled down on the way cannot be read any more: what a small tile saves, it saves in frames.
    """
    if tile is None:
        return UNSEEN_SCREEN
    return SenderRequest(0, 0, fps, SCREEN_BITRATE) if tile[1] >= LARGE else SMALL_SCREEN


def request_for(tile: tuple[int, int] | None, fps: int) -> SenderRequest:
    """The request for a tile of this width and height in pixels, or for none.

    A small picture gets more bits a pixel than the rate for the canvas: it has more detail in each, and the smallest
    step is 300 kbit/s so that faces stay faces.
    """
    if tile is None:
        return UNSEEN
    width, height = next(
        (size for size in LADDER if size[0] >= tile[0] * SLACK and size[1] >= tile[1] * SLACK), LADDER[-1]
    )
    quality = 1.5 if height <= 360 else 1.0
    return SenderRequest(width, height, fps, max(300_000, kush_bitrate(width, height, fps, quality)))


def eased(
    tile: tuple[int, int] | None, canvas: tuple[int, int], fps: int, relief: Relief
) -> tuple[tuple[int, int] | None, int]:
    """The tile and the frame rate to ask a sender for, where the worker goes without something.

    ``tile`` and ``canvas`` are widths and heights in pixels.
    """
    if tile is None or relief is Relief.NONE:
        return tile, fps
    if is_small(tile, canvas) or relief >= Relief.SLOWER_PICTURE:
        fps //= 2
    if relief >= Relief.SMALLER_CAMERAS:
        tile = (tile[0] // 2, tile[1] // 2)
    return tile, fps


def is_small(tile: tuple[int, int], canvas: tuple[int, int]) -> bool:
    """Whether a tile takes a ninth of the canvas or less, give or take the rounding to even pixels."""
    return SMALL_PARTS * (tile[0] - 2) * (tile[1] - 2) <= canvas[0] * canvas[1]


class SenderRequests:
    """Remembers what each sender was asked for: more at once, less after a while. Times are seconds of one clock."""

    def __init__(self, fps: int, canvas: tuple[int, int]) -> None:
        self._fps = fps
        self._canvas = canvas
        self._relief = Relief.NONE
        self._asked: dict[str, SenderRequest] = {}
        self._less_since: dict[str, float] = {}

    def relieve(self, relief: Relief) -> None:
        """What is to be gone without from now on. Less is asked for without delay."""
        if relief > self._relief:
            self._less_since = dict.fromkeys(self._asked, float("-inf"))
        self._relief = relief

    def update(
        self, member_id: str, tile: tuple[int, int] | None, now: float, *, screen: bool = False
    ) -> SenderRequest | None:
        """The request to send now, or ``None`` when the last one stands.

        To be called at every layout and now and then.
        """
        eased_tile, fps = eased(tile, self._canvas, self._fps, self._relief)
        wanted = request_for_screen(tile, fps) if screen else request_for(eased_tile, fps)
        asked = self._asked.get(member_id)
        if asked is None or wanted.bitrate > asked.bitrate:
            return self._ask(member_id, wanted)
        if wanted == asked:
            self._less_since.pop(member_id, None)
            return None
        if now - self._less_since.setdefault(member_id, now) < DECREASE_DELAY:
            return None
        return self._ask(member_id, wanted)

    def forget(self, member_id: str) -> None:
        """The member left, or sends with new settings."""
        self._asked.pop(member_id, None)
        self._less_since.pop(member_id, None)

    def _ask(self, member_id: str, request: SenderRequest) -> SenderRequest:
        self._asked[member_id] = request
        self._less_since.pop(member_id, None)
        return request
