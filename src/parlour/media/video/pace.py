"""When the canvas is encoded: each tick while it changes, now and then while it stands still."""

from parlour.media.video.codec import VIDEO_CLOCK

IDLE_EVERY = 5
"""Ticks between pictures of a room in which nothing moves."""

SETTLING = 10
"""Ticks at the full rate after the last change, in which a low-rate encoder still sharpens the picture."""


def timestamp_of(tick: int, fps: int) -> int:
    """The 90 kHz time of a tick since the start, exact in the long run for any rate."""
    return tick * VIDEO_CLOCK // fps


class Pace:
    """Decides tick by tick. A picture that is left out leaves a gap in the timestamps, not in the clock."""

    def __init__(self, idle_every: int = IDLE_EVERY, settling: int = SETTLING) -> None:
        self._idle_every, self._settling = idle_every, settling
        self._still = self._left_out = 0

    def is_due(self, *, changed: bool, keyframe: bool = False) -> bool:
        """Whether to encode on this tick; to be asked once a tick."""
        self._still = 0 if changed else self._still + 1
        self._left_out += 1
        due = keyframe or self._still <= self._settling or self._left_out >= self._idle_every
        if due:
            self._left_out = 0
        return due
