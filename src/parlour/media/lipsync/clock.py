"""When a sender took what it sends: the RTP timestamps of one stream as times of the sender's own clock.

RTCP sender reports say which timestamp belongs to which time of a clock that all streams of a sender share (RFC 3550
section 6.4.1). Between reports a stream runs at its nominal rate: a sound card that is wrong by 100 ppm is half a
millisecond off after the usual five seconds. The clock itself may be anything, also years off.
"""

from collections import deque
from statistics import median
from typing import Final, NamedTuple

HISTORY: Final = 5
"""Reports of which the middle one counts, so that no single report moves anything."""
ODD: Final = 0.1
"""Seconds by which a report may differ from what those before it say. One that differs more is left out; when the next
one says the same, the sender's clock has jumped."""
STALE: Final = 300.0
"""Seconds of a stream's time that may lie between the last report and what it is to explain."""


class ClockStatistics(NamedTuple):
    """Reports believed, reports that did not fit, and how often the clock has become another one."""

    reports: int
    odd: int
    jumps: int


class SenderClock:
    """The clock of one stream, whose timestamps run at ``rate`` ticks a second. Believes nothing that does not fit."""

    def __init__(self, rate: int) -> None:
        self.jumps = 0
        self._rate = rate
        self._anchor: tuple[int, float] | None = None
        self._doubtful: tuple[int, float] | None = None
        self._errors: deque[float] = deque(maxlen=HISTORY)  # of the reports, in seconds, against the anchor
        self._reports = self._odd = 0

    @property
    def anchor(self) -> tuple[int, float] | None:
        """A timestamp and its time in seconds of the sender's clock, ``None`` before the first report."""
        return self._anchor

    def report(self, seconds: float, timestamp: int) -> None:
        """A sender report: ``timestamp`` (32 bits) is ``seconds`` of the sender's clock. A zero says that it has none.

        Takes whatever comes.
        """
        if not 0 < seconds < 2**32:
            self._odd += 1
            return
        if self._anchor is None:
            self._begin(seconds, timestamp)
            return
        predicted = self._at(self._anchor, timestamp)
        error = seconds - predicted
        if abs(error) > ODD:
            self._doubt(seconds, timestamp)
            return
        self._reports += 1
        self._doubtful = None
        self._errors.append(error)
        correction = median(self._errors)
        self._errors = deque((each - correction for each in self._errors), HISTORY)
        self._anchor = (timestamp, predicted + correction)

    def captured(self, timestamp: int) -> float | None:
        """When the sender took what bears ``timestamp`` (32 bits), in seconds of its clock; ``None`` if unknown."""
        if self._anchor is None or abs(ticks_between(self._anchor[0], timestamp)) > STALE * self._rate:
            return None
        return self._at(self._anchor, timestamp)

    def statistics(self) -> ClockStatistics:
        """What came so far."""
        return ClockStatistics(self._reports, self._odd, self.jumps)

    def _begin(self, seconds: float, timestamp: int) -> None:
        self._reports += 1
        self._anchor, self._doubtful = (timestamp, seconds), None
        self._errors.clear()
        self._errors.append(0.0)

    def _doubt(self, seconds: float, timestamp: int) -> None:
        """A report that does not fit: the second one in a row that says the same is the truth."""
        doubtful = self._doubtful
        if doubtful is not None and doubtful[0] != timestamp and abs(seconds - self._at(doubtful, timestamp)) <= ODD:
            self.jumps += 1
            self._begin(seconds, timestamp)
            return
        self._odd += 1
        self._doubtful = (timestamp, seconds)

    def _at(self, anchor: tuple[int, float], timestamp: int) -> float:
        return anchor[1] + ticks_between(anchor[0], timestamp) / self._rate


def ticks_between(earlier: int, later: int) -> int:
    """The way from one timestamp of 32 bits to another, backwards if that is shorter."""
    return ((later - earlier + 0x80000000) & 0xFFFFFFFF) - 0x80000000
