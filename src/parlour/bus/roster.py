"""Which workers there are, by their signs of life. Time is passed in by a clock; nothing here waits."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from nats.aio.msg import Msg

from parlour.bus.link import ALIVE_S, DEAD_S, Alive, Lease, alive_decoder, is_for

WORKERS_MAX = 1024
FORGET_S = 60.0
"""How long a dead worker is remembered."""
DOZE_S = 3 * ALIVE_S
"""After so long without a look this process stood still, and has not read yet what was said meanwhile."""


@dataclass(slots=True)
class _Seen:
    """``given`` are rooms placed on the worker that its last sign of life may not count yet."""

    alive: Alive
    rooms: frozenset[UUID]
    at: float
    given: int = 0


class Roster:
    """The workers that were heard. ``look`` must be called every ``ALIVE_S``.

    While the bus is away, or this process itself stands still, nobody is taken for dead: it is not their silence.
    """

    def __init__(self, clock: Callable[[], float], connected: Callable[[], bool]) -> None:
        self._clock = clock
        self._connected = connected
        self._seen: dict[str, _Seen] = {}
        self._listening_since = self._looked_at = clock()
        self._away = False

    def heard(self, message: Msg) -> None:
        """Take note of a sign of life."""
        alive: Alive | None = is_for(message, alive_decoder)
        if alive is None or (alive.worker not in self._seen and len(self._seen) >= WORKERS_MAX):
            return
        before = self._seen.get(alive.worker)
        if before is not None and before.alive.started == alive.started and before.alive.leaving:
            alive = replace(alive, leaving=True)  # nobody comes back from that
        self._seen[alive.worker] = _Seen(alive, frozenset(alive.rooms), self._clock())

    def look(self) -> None:
        """See whether the bus was away, or this process, and forget who is long dead."""
        dozed = self._dozed()
        self._looked_at = self._clock()
        if not self._connected():
            self._away = True
        elif self._away or dozed:
            self._away = False
            self._listening_since = self._looked_at
        for name, seen in list(self._seen.items()):
            if self._silent(seen, FORGET_S):
                del self._seen[name]

    def lives(self, lease: Lease) -> bool:
        """Whether the worker of a lease is alive, in the same life, and stays."""
        seen = self._seen.get(lease.worker)
        return seen is not None and seen.alive.started == lease.started and self._able(seen)

    def may_turn_up(self, lease: Lease) -> bool:
        """Whether a worker was never heard only because nobody listened for long enough."""
        return lease.worker not in self._seen and self._clock() - self._listening_since < DEAD_S

    def lease(self, worker: str) -> Lease | None:
        """A lease in the name of a worker that lives."""
        seen = self._seen.get(worker)
        return Lease(worker, seen.alive.started) if seen is not None and self._able(seen) else None

    def owner(self, room_id: UUID) -> Lease | None:
        """The living worker that says that it has the room."""
        names = (name for name, seen in self._seen.items() if room_id in seen.rooms and self._able(seen))
        return next((self.lease(name) for name in names), None)

    def contested(self, room_id: UUID, owner: Lease) -> bool:
        """Whether another living worker says that it has the room."""
        return any(
            name != owner.worker and room_id in seen.rooms and self._able(seen) for name, seen in self._seen.items()
        )

    def least_loaded(self) -> Lease | None:
        """The worker to give a room to. It counts as given."""
        able = [seen for seen in self._seen.values() if self._able(seen)]
        if not able:
            return None
        best = min(able, key=_burden)
        best.given += 1
        return Lease(best.alive.worker, best.alive.started)

    def leaves(self, worker: str) -> None:
        """The worker takes no more rooms, and has none any more."""
        seen = self._seen.get(worker)
        if seen is not None:
            seen.alive = replace(seen.alive, leaving=True)

    def dies(self, worker: str) -> None:
        """The worker does not answer any more. It lives where it is heard again."""
        self._seen.pop(worker, None)

    def count(self) -> int:
        """How many live."""
        return sum(self._able(seen) for seen in self._seen.values())

    def figures(self) -> dict[str, dict[str, float]]:
        """What each living worker says of itself."""
        return {
            name: {"load": seen.alive.load, "rooms": len(seen.rooms), **seen.alive.figures}
            for name, seen in self._seen.items()
            if not self._silent(seen, DEAD_S)
        }

    def _able(self, seen: _Seen) -> bool:
        return not seen.alive.leaving and not self._silent(seen, DEAD_S)

    def _silent(self, seen: _Seen, seconds: float) -> bool:
        if self._away or not self._connected() or self._dozed():
            return False
        return self._clock() - max(seen.at, self._listening_since) >= seconds

    def _dozed(self) -> bool:
        return self._clock() - self._looked_at >= DOZE_S


def _burden(seen: _Seen) -> tuple[int, float, int, float, str]:
    """What to compare workers by: what their rooms go without, tenths of a load, then rooms, then the load itself.

    A load that is low because something was given up is no invitation.
    """
    alive = seen.alive
    return alive.relief, round(alive.load, 1), len(seen.rooms) + seen.given, alive.load, alive.worker
