"""How long a sender's sound and picture are to wait for each other.

A path's *transit* is the time from the moment at which something was taken, by the sender's clock, until it could be
put out, by ours. The two clocks have nothing in common, so a transit means nothing by itself; but a sender's sound and
picture share both clocks, and so the difference of their transits is the offset at which they would be put out. The
shorter transit is made as long as the other: pictures wait for the sound, or the sound is delayed for the pictures.
"""

from collections import deque
from statistics import median
from typing import Final, NamedTuple

from parlour.media.lipsync.clock import SenderClock
from parlour.media.lipsync.schedule import LIMIT, Schedule
from parlour.media.transport.sink import Kind

CODEC: Final = 2 * 312 / 48_000
"""Seconds by which sound lags its timestamps: the look-ahead of libopus, once at the sender's and once in the room."""
AHEAD: Final = 0.04
"""Seconds that the sound is delayed in any case. A voice is let into the mix only once it is loud enough, and without
these its first moments would come late."""
EXPECTED: Final = 0.05
"""Seconds from a packet's arrival until its sound is put out, for who has said nothing yet."""
MISSING: Final = 2.0
"""Seconds without a packet after which there is no sound, or no picture, to wait for."""

_SAMPLES: Final = 5  # of the sound's transit, of which the middle one counts
_SLOWER: Final = 0.001  # seconds by which the fastest packet's transit is forgotten in a second
_RISE: Final = 0.5  # share of a picture's additional transit by which the expectation rises
_RISE_MOST: Final = 0.05  # seconds of it that count, so that one straggler does not move much
_FALL: Final = 0.003  # seconds by which the expectation falls in a second
_STRANGE: Final = 2.0  # seconds from the expectation at which a transit is nonsense: a report is missing or wrong
_STEP: Final = 0.01  # seconds by which the sound's delay is too much or too little before it is changed
_RELIEF: Final = 0.05  # seconds below the limit at which somebody who was given up is taken on again


class Plan(NamedTuple):
    """Seconds by which to delay the sound, and when pictures are due; ``None`` is as soon as they come."""

    delay: float = 0.0
    schedule: Schedule | None = None


AS_IT_COMES: Final = Plan()


class AlignmentStatistics(NamedTuple):
    """Reports believed and not, jumps of the sender's clocks, and how often its offset was too much to make up for."""

    reports: int
    odd_reports: int
    jumps: int
    given_up: int


class Alignment:
    """One sender. ``given_up`` is whether its offset is more than can be made up for."""

    def __init__(self) -> None:
        self.given_up = False
        self._clocks: dict[Kind, SenderClock] = {"audio": SenderClock(48_000), "video": SenderClock(90_000)}
        self._jumps: dict[Kind, int] = {"audio": 0, "video": 0}
        self._sound: deque[float] = deque(maxlen=_SAMPLES)
        self._fastest: float | None = None
        self._picture: float | None = None
        self._pictured_at = self._packet_at = float("-inf")
        self._delay = 0.0
        self._times_given_up = 0

    @property
    def offset(self) -> float | None:
        """Seconds by which the picture's path is longer than the sound's, negative if shorter; ``None`` if unknown."""
        sound = self._sound_transit()
        return None if self._picture is None or sound is None else self._picture - sound

    def report(self, kind: Kind, seconds: float, timestamp: int) -> None:
        """The sender's report about one of its streams; see ``SenderClock.report``."""
        self._clocks[kind].report(seconds, timestamp)

    def heard(self, timestamp: int, arrived: float) -> None:
        """A packet of sound was there at ``arrived`` seconds of the room's clock."""
        passed, self._packet_at = arrived - self._packet_at, arrived
        if self._sound:
            return
        transit = self._transit("audio", timestamp, arrived)
        if transit is not None:
            known = self._fastest
            self._fastest = transit if known is None else min(transit, known + _SLOWER * max(0.0, passed))

    def said(self, timestamp: int, at: float) -> None:
        """Undelayed, the sound of ``timestamp`` would be put out at ``at`` seconds of the room's clock."""
        transit = self._transit("audio", timestamp, at)
        if transit is not None and not (self._sound and abs(transit - self._sound[-1]) > _STRANGE):
            self._sound.append(transit)

    def pictured(self, timestamp: int, arrived: float) -> None:
        """A picture was there at ``arrived`` seconds of the room's clock."""
        passed, self._pictured_at = arrived - self._pictured_at, arrived
        transit = self._transit("video", timestamp, arrived)
        if transit is None:
            return
        expected = self._picture
        if expected is None:
            self._picture = transit
        elif abs(transit - expected) > _STRANGE:
            return
        elif passed > MISSING:
            self._picture = transit
        elif transit > expected:
            self._picture = expected + _RISE * min(transit - expected, _RISE_MOST)
        else:
            self._picture = max(transit, expected - _FALL * max(0.0, passed))

    def plan(self, now: float, tick: float, *, both: bool) -> Plan:
        """What to do from ``now`` on, with a picture each ``tick`` seconds. ``both`` are let into the room."""
        offset, sound, anchor = self.offset, self._sound_transit(), self._clocks["video"].anchor
        missing = now - min(self._pictured_at, self._packet_at) > MISSING
        if not both or offset is None or sound is None or anchor is None or missing:
            self._delay = 0.0
            return AS_IT_COMES
        needed = max(AHEAD, offset + tick / 2)
        self._judge(max(needed, needed - offset))
        if self.given_up:
            self._delay = 0.0
            return AS_IT_COMES
        if abs(needed - self._delay) >= _STEP:
            self._delay = needed
        timestamp, captured = anchor
        return Plan(self._delay, Schedule(timestamp, captured + sound + self._delay))

    def statistics(self) -> AlignmentStatistics:
        """What happened so far."""
        clocks = [clock.statistics() for clock in self._clocks.values()]
        return AlignmentStatistics(
            reports=sum(clock.reports for clock in clocks),
            odd_reports=sum(clock.odd for clock in clocks),
            jumps=sum(clock.jumps for clock in clocks),
            given_up=self._times_given_up,
        )

    def _sound_transit(self) -> float | None:
        if self._sound:
            return median(self._sound) + CODEC
        return None if self._fastest is None else self._fastest + EXPECTED + CODEC

    def _transit(self, kind: Kind, timestamp: int, at: float) -> float | None:
        clock = self._clocks[kind]
        if clock.jumps != self._jumps[kind]:  # what was measured by the clock from before is worth nothing
            self._jumps[kind] = clock.jumps
            self._sound.clear()
            self._picture = self._fastest = None
        captured = clock.captured(timestamp)
        return None if captured is None else at - captured

    def _judge(self, wait: float) -> None:
        """Give up on who would have to wait too long, until that is clearly no longer so."""
        if not self.given_up and wait > LIMIT:
            self.given_up = True
            self._times_given_up += 1
        elif self.given_up and wait < LIMIT - _RELIEF:
            self.given_up = False
