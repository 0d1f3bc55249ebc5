"""When pictures are due, where they wait for their sound."""

from typing import Final, NamedTuple

from parlour.media.lipsync.clock import ticks_between
from parlour.media.video.codec import VIDEO_CLOCK

LIMIT: Final = 0.4
"""Seconds that a sender's sound or picture is held back at most. Who needs more is left as it comes."""
SLACK: Final = 0.1
"""Seconds that a single picture may wait beyond that, as one that came earlier than others do."""


class Schedule(NamedTuple):
    """A picture with ``timestamp`` (32 bits, 90 kHz ticks) is due at ``due`` seconds, the others accordingly."""

    timestamp: int
    due: float

    def due_at(self, timestamp: int, arrived: float) -> float:
        """When a picture is due that was there at ``arrived``; at once where its time makes no sense."""
        due = self.due + ticks_between(self.timestamp, timestamp) / VIDEO_CLOCK
        return due if due - arrived <= LIMIT + SLACK else arrived
