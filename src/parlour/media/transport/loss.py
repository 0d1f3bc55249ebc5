"""What a receiver's report blocks say of loss, over long enough to mean something."""

from typing import Final

#: Browsers send a report block with each NACK, about a handful of packets: the blocks of so many seconds are one.
SPAN: Final = 1.0


class LossMeter:
    """Joins the report blocks about one source, each weighted by the packets that it is about."""

    def __init__(self) -> None:
        self._highest: int | None = None
        self._since = 0.0
        self._expected = 0
        self._lost = 0.0

    def take(self, fraction: float, highest: int, now: float) -> float | None:
        """Take a block with its fraction lost (0 to 1) and its extended highest sequence number.

        Returns the fraction lost since the last one returned, ``None`` where that is less than ``SPAN`` seconds ago or
        no packet was due since. The first block counts as it is.
        """
        if self._highest is None:
            self._highest, self._since = highest, now
            return fraction
        due = (highest - self._highest) & 0xFFFFFFFF
        if due < 0x80000000:
            self._highest = highest
            self._expected += due
            self._lost += fraction * due
        if now - self._since < SPAN or not self._expected:
            return None
        lost = self._lost / self._expected
        self._since, self._expected, self._lost = now, 0, 0.0
        return lost
