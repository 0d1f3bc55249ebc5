"""Who wants a keyframe, and when one is due: many requests make one keyframe, and keyframes keep a distance."""

from dataclasses import dataclass

ENCODER_PERIOD = 0.25
"""Seconds between keyframes of a shared encoder: a second request within them is answered by one more at their end."""

SENDER_PERIOD = 1.0
"""Seconds between two requests (PLI) to the same sender, who needs a round trip and a frame time to answer."""


@dataclass(frozen=True, slots=True)
class KeyframeStatistics:
    """Requests that came and keyframes that were made for them."""

    asked: int = 0
    granted: int = 0


class KeyframeRequests:
    """Merges requests. Times are seconds of any one clock that does not run backwards.

    For an encoder it starts out ``wanted``: the first picture is a keyframe. For a sender's refreshes it does not.
    """

    def __init__(self, period: float = ENCODER_PERIOD, *, wanted: bool = True) -> None:
        self._period = period
        self._wanted = wanted
        self._last: float | None = None
        self._asked = self._granted = 0

    def ask(self) -> None:
        """Note that somebody needs a keyframe."""
        self._wanted = True
        self._asked += 1

    def take(self, now: float) -> bool:
        """Whether a keyframe is to be made now; if so, what was asked for until now is answered by it."""
        if not self._wanted or (self._last is not None and now - self._last < self._period):
            return False
        self.made(now)
        self._granted += 1
        return True

    def made(self, now: float) -> None:
        """A keyframe was made, whatever for: nobody waits any more."""
        self._wanted, self._last = False, now

    def statistics(self) -> KeyframeStatistics:
        """What was asked for and granted."""
        return KeyframeStatistics(self._asked, self._granted)
