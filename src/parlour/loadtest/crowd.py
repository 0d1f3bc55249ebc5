"""Who is in a room under test: members come, send, are measured, and go."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from parlour.loadtest.content import Film, Sounds
from parlour.loadtest.description import BadAnswer
from parlour.loadtest.engine import Engine
from parlour.loadtest.member import Member, Sound, speech
from parlour.loadtest.peer import Certificate
from parlour.loadtest.places import choose
from parlour.loadtest.reception import Counts
from parlour.loadtest.signalling import NotIn, Seat
from parlour.media.video.codec import VideoCodec

CONNECT_S: Final = 15.0
"""How long ICE, DTLS and the first keyframe may take."""
_LOOK_S: Final = 0.005


class Door(Protocol):
    """A way into the room for one member."""

    async def enter(self, offer: str) -> Seat:
        """Get in. Raises :class:`NotIn` with a reason in words."""

    async def leave(self) -> None:
        """Go. Does not raise for what the server does."""

    async def vanish(self) -> None:
        """Be gone without a word."""


@dataclass(slots=True, eq=False)
class Guest:
    """Somebody who is in. ``signalled`` is how long it took to be let in, ``joined`` until there was a picture."""

    member: Member
    door: Door
    signalled: float
    joined: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Where everybody stood at a moment: seconds of a clock and of this process's CPU, and counts."""

    at: float
    cpu: float
    counts: dict[Guest, Counts]
    sent: int


class Crowd:
    """The guests of one room. ``own`` are the addresses that media may go to, ``None`` for all."""

    def __init__(
        self, codec: VideoCodec, film: Film, sounds: Sounds, *, own: frozenset[str] | None, bursts: bool = True
    ) -> None:
        self.engine = Engine(bursts=bursts)
        self.guests: list[Guest] = []
        self.sent_at: dict[str, list[float]] = {}
        self._codec, self._film, self._sounds, self._own = codec, film, sounds, own
        self._certificate = Certificate()

    async def join(
        self,
        door: Door,
        *,
        sends: bool,
        voice: int | None = None,
        sound: Sound | None = None,
        prepare: Callable[[Member], object] = lambda member: None,
    ) -> Guest:
        """Bring one more in and wait for the first picture. Raises :class:`NotIn`.

        Who ``sends`` says one of the voices, silence for ``None``, or ``sound``; ``prepare`` is called before the
        member goes in.
        """
        member = Member(self.engine, self._certificate, self._codec, self._film if sends else None)
        prepare(member)
        began, began_wall = time.monotonic(), time.time()
        try:
            seat = await door.enter(member.peer.offer())
            signalled = time.monotonic() - began
            place = choose(member.peer.answered(seat.sdp).places, self._own)
            if place is None:
                raise NotIn("the server's media are on another machine, where only --yes-remote goes")
            member.id = seat.member_id
            if sends:
                self.sent_at[member.id] = member.sent_at
            member.go(place)
            seen_at = await self._seen(member)
        except BadAnswer as problem:
            await door.leave()
            raise NotIn(str(problem)) from None
        except (NotIn, OSError) as problem:
            member.close()
            self.sent_at.pop(member.id, None)
            await door.leave()
            raise problem if isinstance(problem, NotIn) else NotIn(f"no way to the media: {problem}") from None
        guest = Guest(member, door, signalled, seen_at - began_wall)
        member.start(sound or speech(self._sounds, voice))
        self.guests.append(guest)
        return guest

    async def leave(self, guest: Guest) -> None:
        """Take one out."""
        self.guests.remove(guest)
        self.sent_at.pop(guest.member.id, None)
        await guest.door.leave()
        guest.member.close()

    async def lose(self, guest: Guest) -> None:
        """One is gone, and nobody says so."""
        self.guests.remove(guest)
        self.sent_at.pop(guest.member.id, None)
        guest.member.vanish()
        await guest.door.vanish()

    def snapshot(self) -> Snapshot:
        """Where everybody stands now."""
        zero = Counts()
        counts = {guest: guest.member.peer.reception.counts - zero for guest in self.guests}
        return Snapshot(
            time.monotonic(), time.process_time(), counts, sum(guest.member.peer.sent for guest in self.guests)
        )

    async def _seen(self, member: Member) -> float:
        """Wait for the first picture; when it came, in Unix time."""
        give_up = time.monotonic() + CONNECT_S
        while (seen_at := member.seen_at) is None:
            if member.peer.failure:
                raise NotIn(member.peer.failure)
            if time.monotonic() > give_up:
                what = "no picture" if member.peer.connected else "no connection for media"
                raise NotIn(f"{what} within {CONNECT_S:.0f} s")
            await asyncio.sleep(_LOOK_S)
        return seen_at
