"""When a busy port is read: shortly before somebody uses what has come.

To be woken costs as much as several datagrams do, because little of what is needed is still in the processor's caches.
So a busy port is not read with each datagram, and not at moments of its own either, but before each picture and each
frame of sound is made. Then nothing waits for long, and nothing that waits is read too late to be in it.
"""

import math
from typing import Final, NamedTuple

LEAD: Final = 0.0025
"""Seconds before a beat: a timer may be a millisecond late, and a batch takes some time."""
APART: Final = 0.005
"""Seconds between two reads at least, where many rooms have many beats."""
ALONE: Final = 0.008
"""Seconds between two reads while nobody has a beat."""


class Beat(NamedTuple):
    """Moments ``every`` so many seconds since ``started``, at which what has come is used."""

    started: float
    every: float

    def since(self, moment: float) -> float:
        """The first of them that is not before ``moment``."""
        return self.started + math.ceil((moment - self.started) / self.every) * self.every


class Rhythm:
    """Everybody's beats."""

    def __init__(self) -> None:
        self._beats: dict[object, tuple[Beat, ...]] = {}

    def follow(self, owner: object, *beats: Beat) -> None:
        """Read for these, too, until ``owner`` is forgotten."""
        self._beats[owner] = beats

    def forget(self, owner: object) -> None:
        """Nobody uses anything at the beats of ``owner`` any more."""
        self._beats.pop(owner, None)

    def next(self, now: float) -> float:
        """When to read after a read at ``now``."""
        earliest = now + APART + LEAD
        beats = (beat.since(earliest) for beats in self._beats.values() for beat in beats)
        return min(beats, default=now + ALONE + LEAD) - LEAD
