"""Which rendition one receiver gets, by what it reports. Others' reports play no part: nobody drags the room down.

::

    full  ──  for 2 s: loss above 8 %, or an estimate that stays well below what is sent  ──▶  small
    small ──  calm for 10 s, and for twice as long after each try that failed, up to 160 s  ──▶  full

An estimate (REMB) says how much got through, not how much could: browsers let it grow to one and a half times of what
they receive, and no faster than 8 % a second. So it is held against the rate that was really sent, a low one that rises
is no alarm, and the way up is a try.
"""

from collections import deque

from parlour.media.video.rendition import RenditionSize

LOSS_MAX = 0.08
"""Fraction lost from which on retransmissions and keyframes take more than they give."""
LOSS_CALM = 0.04
"""Fraction lost up to which a link is calm: one packet of a report about a small picture may be 3 %."""
SHORTFALL = 0.85
"""An estimate below this part of the rate sent means a queue that grows. It is also what an over-used link reports."""
ROOM_TO_GROW = 1.2
"""An estimate of this many times the small picture's rate says that the rate, not the link, is its limit."""
RISE = 1.03
"""How much an estimate grows in a second at least while it is on its way up."""
SUSTAINED_S = 2.0
"""Seconds for which trouble must last."""
CALM_S = 10.0
"""Seconds of calm before the first try of the full picture."""
CALM_MAX_S = 160.0
"""Seconds of calm before a try, after many that failed."""
RELAPSE_S = 30.0
"""Seconds within which a move down means that the try before it failed."""
STALE_S = 5.0
"""Seconds after which a report says nothing about now: browsers report once a second."""
WINDOW_S = 2.0
"""Seconds over which the rate sent is measured, so that a keyframe does not count as a rate."""

_SAMPLE_S = 0.1
_SPAN_MIN_S = 0.5


class Receiver:
    """One receiver's part of the choice. Times are seconds of one clock, rates bits a second.

    ``octets`` is the count of video payload sent to it since its start; ``downs`` and ``ups`` count the moves.
    """

    def __init__(self, full: int, small: int) -> None:
        """``full`` and ``small`` are the renditions' rates."""
        self.size = RenditionSize.FULL
        self.downs = self.ups = 0
        self._full, self._small = full, small
        self._sent: deque[tuple[float, int]] = deque()
        self._estimate: tuple[float, int] | None = None
        self._earlier: tuple[float, int] | None = None
        self._rising = False
        self._loss: tuple[float, float] | None = None
        self._short_since: float | None = None
        self._lossy_since: float | None = None
        self._calm_since: float | None = None
        self._calm_needed = CALM_S
        self._up_at: float | None = None

    def estimated(self, bps: int, octets: int, now: float) -> RenditionSize:
        """The receiver says that it can take ``bps``; returns what it is to get from now on."""
        rate = self._rate(octets, now)
        if self._estimate is not None and now - self._estimate[0] > STALE_S:
            self._earlier = self._short_since = None
        self._estimate = (now, bps)
        self._follow(bps, now)
        if rate > self._small and bps < SHORTFALL * min(rate, self._full) and not self._rising:
            self._short_since = now if self._short_since is None else self._short_since
        else:
            self._short_since = None
        return self._decide(self._short_since, rate, now)

    def lost(self, fraction: float, octets: int, now: float) -> RenditionSize:
        """The receiver lost this part (0 to 1) since its last report; returns what it is to get from now on."""
        rate = self._rate(octets, now)
        if self._loss is not None and now - self._loss[0] > STALE_S:
            self._lossy_since = None
        self._loss = (now, fraction)
        if fraction > LOSS_MAX:
            self._lossy_since = now if self._lossy_since is None else self._lossy_since
        else:
            self._lossy_since = None
        return self._decide(self._lossy_since, rate, now)

    def _decide(self, trouble_since: float | None, rate: float, now: float) -> RenditionSize:
        if self.size is RenditionSize.FULL:
            if trouble_since is not None and now - trouble_since >= SUSTAINED_S:
                self._move_down(now)
        elif not self._is_calm(rate, now):
            self._calm_since = None
        elif self._calm_since is None:
            self._calm_since = now
        elif now - self._calm_since >= self._calm_needed:
            self._move_up(now)
        return self.size

    def _move_down(self, now: float) -> None:
        relapsed = self._up_at is not None and now - self._up_at < RELAPSE_S
        self._calm_needed = min(self._calm_needed * 2, CALM_MAX_S) if relapsed else CALM_S
        self.size = RenditionSize.SMALL
        self.downs += 1
        self._begin_anew()

    def _move_up(self, now: float) -> None:
        self._up_at = now
        self.size = RenditionSize.FULL
        self.ups += 1
        self._begin_anew()

    def _begin_anew(self) -> None:
        """What was reported was about the other rendition."""
        self._sent.clear()
        self._estimate = self._earlier = self._loss = None
        self._short_since = self._lossy_since = self._calm_since = None
        self._rising = False

    def _is_calm(self, rate: float, now: float) -> bool:
        """Whether the newest reports, those not out of date, leave room for more."""
        if self._loss is not None and now - self._loss[0] <= STALE_S and self._loss[1] > LOSS_CALM:
            return False
        if self._estimate is not None and now - self._estimate[0] <= STALE_S:
            return self._estimate[1] >= min(self._full, ROOM_TO_GROW * rate)
        return True

    def _follow(self, bps: int, now: float) -> None:
        """Whether the estimate is on its way up, looked at once a second; a fall shows at once."""
        if self._earlier is None:
            self._earlier, self._rising = (now, bps), False
        elif bps * RISE < self._earlier[1] or now - self._earlier[0] >= 1.0:
            self._rising = bps > RISE * self._earlier[1]
            self._earlier = (now, bps)

    def _rate(self, octets: int, now: float) -> float:
        sent = self._sent
        if sent and now - sent[-1][0] > STALE_S:
            sent.clear()
            self._calm_since = None
        if not sent or now - sent[-1][0] >= _SAMPLE_S:
            sent.append((now, octets))
        while len(sent) > 1 and sent[1][0] <= now - WINDOW_S:
            sent.popleft()
        span = now - sent[0][0]
        return (octets - sent[0][1]) * 8 / span if span >= _SPAN_MIN_S else 0.0
