"""Join tickets: who may come in, where, as what, and for how long. ``front.tickets`` spells them as tokens."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from parlour.domain.live.capabilities import GUEST, MODERATOR

LIFE_S = 2 * 60 * 60
"""Seconds that a ticket lasts unless its maker says otherwise."""
REFRESH_EXTRA_S = 5 * 60
"""Seconds by which the refresh ticket outlives its ticket."""
LIFE_MAX_S = 30 * 24 * 60 * 60
"""The longest life that a maker may ask for: a ticket cannot be taken back, only its subscriber can."""
GUEST_ADDRESSES_MAX = 10
"""How many addresses one guest ticket may open."""


class Bearer(StrEnum):
    """On what ground somebody comes in."""

    SUBSCRIBER = "subscriber"
    GUEST = "guest"
    INVITE = "invite"
    EMBED = "embed"


@dataclass(frozen=True, slots=True)
class Ticket:
    """Leave to join. ``addresses`` are those that may be dialled, ``None`` for all of the project.

    ``id`` has no underscore in it, as the browser SDK takes session names apart there. Times are Unix seconds.
    """

    id: str
    project: UUID
    bearer: Bearer
    issued_at: int
    expires_at: int
    name: str = ""
    subscriber: UUID | None = None
    addresses: frozenset[UUID] | None = None
    moderator: bool = False

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What its bearer may do in a room."""
        return MODERATOR if self.moderator or self.bearer is Bearer.SUBSCRIBER else GUEST

    def opens(self, address: UUID) -> bool:
        """Whether it lets its bearer dial an address."""
        return self.addresses is None or address in self.addresses

    def over(self, now: float) -> bool:
        """Whether its time is past."""
        return now >= self.expires_at
