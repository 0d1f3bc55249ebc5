"""What a load test is to do."""

from dataclasses import dataclass
from typing import Final

from parlour.media.video.codec import MAX_AREA, VideoCodec
from parlour.media.video.request import request_for

MEMBERS_MAX: Final = 1000
SECONDS_MAX: Final = 3600.0
LOSS_MAX: Final = 0.5
CANVAS: Final = (1280, 720)
FPS: Final = 30
GRIDS: Final = (1, 2, 3, 4, 5, 6, 8, 10, 15)
"""Columns and rows of the grids that rooms have."""


def side_of(people: int) -> int:
    """Columns and rows of the grid for so many people; of the largest one for more than it has places."""
    return next((side for side in GRIDS if side * side >= people), GRIDS[-1])


@dataclass(frozen=True, slots=True)
class Plan:
    """Who comes, what they send, and for how long everything is measured.

    ``size`` is in pixels, ``None`` for what the server asks each of so many senders for; ``speakers`` of the senders
    speak, the others are silent. ``losses`` are the parts of the datagrams that one member then loses, each for
    ``loss_seconds``. Raises ``ValueError`` with a sentence.
    """

    senders: int
    watchers: int = 0
    codec: VideoCodec = VideoCodec.H264
    size: tuple[int, int] | None = None
    speakers: int = 1
    seconds: float = 10.0
    settle: float = 3.0
    join_every: float = 0.1
    losses: tuple[float, ...] = ()
    loss_seconds: float = 5.0

    def __post_init__(self) -> None:
        if not 1 <= self.members <= MEMBERS_MAX:
            raise ValueError(f"There must be 1 to {MEMBERS_MAX} members, not {self.members}.")
        if min(self.senders, self.watchers, self.speakers) < 0:
            raise ValueError("There cannot be fewer than no members.")
        if self.speakers > self.senders:
            raise ValueError(f"{self.speakers} of {self.senders} senders cannot speak.")
        if not 1 <= self.seconds <= SECONDS_MAX or not 1 <= self.loss_seconds <= SECONDS_MAX:
            raise ValueError(f"It can be measured for 1 to {SECONDS_MAX:.0f} seconds.")
        if any(not 0 < loss <= LOSS_MAX for loss in self.losses):
            raise ValueError(f"A loss must be above 0 % and at most {LOSS_MAX:.0%}.")
        if self.size is not None:
            width, height = self.size
            if width % 2 or height % 2 or min(self.size) < 48 or width * height > MAX_AREA:
                raise ValueError("A size must be of even numbers, at least 48 and at most 1920x1080.")

    @property
    def members(self) -> int:
        """How many come."""
        return self.senders + self.watchers

    @property
    def film(self) -> tuple[int, int, int]:
        """Width and height in pixels and bits a second of each camera."""
        side = side_of(self.senders)
        asked = request_for((CANVAS[0] // side, CANVAS[1] // side), FPS)
        if self.size is None:
            return asked.width, asked.height, asked.bitrate
        return *self.size, request_for(self.size, FPS).bitrate

    @property
    def lasts(self) -> float:
        """About how many seconds it takes, at most, once everybody is in."""
        return self.settle + self.seconds + len(self.losses) * (self.loss_seconds + 10.0)
