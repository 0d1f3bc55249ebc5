"""The front's side: rooms wherever they live. Finds a room's worker, places rooms, notices workers that are gone."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn
from uuid import UUID

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from parlour.bus import codec
from parlour.bus.journal import JournalReader
from parlour.bus.link import ALIVE, ALIVE_S, Lease, Leases, ask_subject, connect, told_subject
from parlour.bus.records import Records
from parlour.bus.roster import Roster
from parlour.bus.station import LEAVING, NOT_HERE
from parlour.domain.errors import Unavailable
from parlour.domain.live.commands import Command, Join, Refused, Reply
from parlour.domain.live.events import RoomLost, Told

if TYPE_CHECKING:
    from nats.aio.subscription import Subscription as NatsSubscription

ANSWER_S = 8.0
"""How long a room may take to answer; a browser gives up after ten seconds."""
PLACE_TRIES = 4
PLACE_S = 6.0
"""How long a join may wait for a worker that can take the room: about as long as one needs to start again."""
LOOK_S = 0.05

Listener = Callable[[Told], None]

log = logging.getLogger("parlour.bus")

_AWAY = (nats.errors.Error, TimeoutError, OSError)
"""What NATS raises while the bus, or the part of it that keeps things, is away."""

NOT_ALIVE = Refused(404, "no_such_call", "the room is not alive")
LOST = Refused(503, "lost", "the room has lost its worker; join again")


@dataclass(slots=True)
class _Line:
    """A room that somebody here listens to. ``former`` is the worker that lost it: what that still tells is void."""

    doors: set["_Door"] = field(default_factory=set)
    owner: Lease | None = None
    former: str = ""


class BusRooms:
    """Live rooms over the bus."""

    def __init__(self, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._leases = Leases(client)
        self._records = Records(client)
        self.journal = JournalReader(client)
        self._clock = clock
        self._roster = Roster(clock, lambda: client.is_connected)
        self._lines: dict[UUID, _Line] = {}
        self._ending = False
        self._asked = 0
        self._unanswered = 0
        self._lost = 0
        self._void = 0

    async def ask(self, room_id: UUID, command: Command) -> Reply:
        """Ask a room; a ``Join`` brings it to life where it is not.

        Raises ``Unavailable`` when no worker can take it or none answers in time.
        """
        self._asked += 1
        if not self._client.is_connected:
            raise Unavailable("the bus is away")
        for _ in range(PLACE_TRIES):
            try:
                lease = await self._owner(room_id, place=isinstance(command, Join))
                if isinstance(lease, Refused):
                    return lease
                reply = await self._request(lease, room_id, command)
                if reply == NOT_HERE:
                    return await self._gone(room_id)
            except _AWAY as error:
                self._unanswered += 1
                raise Unavailable(f"the room does not answer: {str(error) or type(error).__name__}") from error
            if reply == LEAVING:
                self._roster.leaves(lease.worker)
            elif reply is not None:
                if isinstance(command, Join) and isinstance(reply, Refused):
                    self._is_free(room_id, lease)
                return reply
        raise Unavailable("no worker takes the room")

    async def lives(self, room_id: UUID) -> bool:
        """Whether a room lives somewhere, or may be brought back to life, as far as can be known."""
        if not self._client.is_connected or self._roster.owner(room_id) is not None:
            return True
        try:
            lease, _ = await self._leases.get(room_id)
            if lease is not None and (self._roster.lives(lease) or self._roster.may_turn_up(lease)):
                return True
            return await self._records.find(room_id) is not None
        except _AWAY:
            return True

    async def subscribe(self, room_id: UUID, listener: Listener) -> "_Door":
        """Hear what the room tells, also before it is alive, and ``RoomLost`` when its worker is gone.

        Raises ``Unavailable`` when the bus is away.
        """
        line = self._lines.setdefault(room_id, _Line())
        door = _Door(listener, lambda: self._shut(room_id, door))
        line.doors.add(door)

        async def hear(message: Msg) -> None:
            self._hear(room_id, door, message)

        try:
            door.subscription = await self._client.subscribe(told_subject(room_id), cb=hear)
        except _AWAY as error:
            self._shut(room_id, door)
            raise Unavailable(f"the bus is not available: {error}") from error
        return door

    async def watch(self) -> NoReturn:
        """Notice, until cancelled, the rooms whose workers are gone."""
        while True:
            await asyncio.sleep(ALIVE_S)
            self._roster.look()
            for room_id, line in list(self._lines.items()):
                if line.owner is not None and not self._roster.lives(line.owner):
                    self._lose(room_id, line, line.owner.worker)
                elif line.owner is not None and self._roster.contested(room_id, line.owner):
                    await self._settle(room_id, line, line.owner)

    def end(self) -> None:
        """This front ends: no join waits for a worker any more."""
        self._ending = True

    async def heard(self, message: Msg) -> None:
        """Take note of a worker's sign of life."""
        self._roster.heard(message)

    def statistics(self) -> dict[str, float]:
        """Counts since the start, and the workers alive. ``void`` events came from a worker that had lost the room."""
        return {
            "asked": self._asked,
            "unanswered": self._unanswered,
            "lost": self._lost,
            "void": self._void,
            "workers": self._roster.count(),
            "connected": self._client.is_connected,
            **self.journal.statistics(),
        }

    def workers(self) -> dict[str, dict[str, float]]:
        """Each worker's own figures."""
        return self._roster.figures()

    async def _request(self, lease: Lease, room_id: UUID, command: Command) -> Reply | None:
        """A worker's reply; ``None`` where it dies first."""
        request = asyncio.ensure_future(
            self._client.request(
                ask_subject(lease.worker), codec.encode(command), timeout=ANSWER_S, headers={"room": room_id.hex}
            )
        )
        try:
            while not (await asyncio.wait({request}, timeout=ALIVE_S))[0]:
                if not self._roster.lives(lease):
                    return None
            return codec.decode_reply(request.result().data)
        except nats.errors.NoRespondersError:
            self._roster.dies(lease.worker)
            return None
        except codec.Garbled as error:
            raise Unavailable(f"the worker's answer cannot be read: {error}") from error
        finally:
            request.cancel()

    async def _owner(self, room_id: UUID, *, place: bool) -> Lease | Refused:
        """The worker that has the room, or is given it now."""
        line = self._lines.get(room_id)
        if line is not None and line.owner is not None and self._roster.lives(line.owner):
            return line.owner
        lease = self._roster.owner(room_id)
        if lease is None:
            lease, revision = await self._leases.get(room_id)
            if lease is None or not await self._turns_up(lease):
                if not place:
                    lost = lease is not None or (line is not None and line.former)
                    return LOST if lost else await self._gone(room_id)
                lease = await self._place(room_id, revision)
        self._is_owned(room_id, lease)
        return lease

    async def _gone(self, room_id: UUID) -> Refused:
        """Why a room is not alive: it may be brought back to life, or is being so just now, or it is over."""
        return LOST if await self._records.find(room_id) else NOT_ALIVE

    async def _place(self, room_id: UUID, revision: int) -> Lease:
        """Give the room to the worker with the least to do; another front may be faster."""
        give_up = self._clock() + PLACE_S
        while self._clock() < give_up:
            lease = self._roster.least_loaded()
            if lease is None and self._ending:
                break
            if lease is None:  # they start, or start again
                await asyncio.sleep(LOOK_S)
                continue
            if await self._leases.put(room_id, lease, revision):
                return lease
            found, revision = await self._leases.get(room_id)
            if found is not None and self._roster.lives(found):
                return found
        raise Unavailable("no media worker is alive")

    async def _turns_up(self, lease: Lease) -> bool:
        """Whether a worker lives. One that was never heard gets the time for a sign of life."""
        while not self._roster.lives(lease):
            if not self._roster.may_turn_up(lease):
                return False
            await asyncio.sleep(LOOK_S)
        return True

    async def _settle(self, room_id: UUID, line: _Line, owner: Lease) -> None:
        """Two workers say that they have the room: the lease decides."""
        with contextlib.suppress(*_AWAY):  # looked at again in a moment
            lease, _ = await self._leases.get(room_id)
            if lease is not None and lease != owner and line.owner == owner:
                self._lose(room_id, line, owner.worker)
                line.owner = lease

    def _is_owned(self, room_id: UUID, lease: Lease) -> None:
        line = self._lines.get(room_id)
        if line is None or line.owner == lease:
            return
        if line.owner is not None:
            self._lose(room_id, line, line.owner.worker)
        line.owner = lease
        if line.former == lease.worker:
            line.former = ""

    def _is_free(self, room_id: UUID, lease: Lease) -> None:
        """A worker that refused somebody may have given the lease back: unless it has the room, the lease decides."""
        line = self._lines.get(room_id)
        if line is not None and line.owner == lease and self._roster.owner(room_id) is None:
            line.owner = None

    def _lose(self, room_id: UUID, line: _Line, worker: str) -> None:
        log.warning("bus: room %s has lost its worker %s", room_id, worker)
        self._lost += 1
        line.former, line.owner = worker, None
        for door in tuple(line.doors):
            door.listener(Told(RoomLost()))

    def _hear(self, room_id: UUID, door: "_Door", message: Msg) -> None:
        line = self._lines.get(room_id)
        if line is None:
            return
        try:
            told, by = codec.decode_told(message.data)
        except codec.Garbled as error:
            log.warning("bus: what room %s told is garbled: %s", room_id, error)
            return
        if by == line.former or (line.owner is not None and by != line.owner.worker):
            self._void += 1
            return
        if line.owner is None:
            line.owner = self._roster.lease(by)
        if isinstance(told.event, RoomLost):
            self._roster.leaves(by)
            self._lose(room_id, line, by)
        else:
            door.listener(told)

    def _shut(self, room_id: UUID, door: "_Door") -> None:
        line = self._lines.get(room_id)
        if line is not None:
            line.doors.discard(door)
            if not line.doors:
                del self._lines[room_id]


class _Door:
    """A listener at a room's door."""

    def __init__(self, listener: Listener, shut: Callable[[], None]) -> None:
        self.listener = listener
        self.subscription: NatsSubscription | None = None
        self._shut = shut

    async def close(self) -> None:
        """Hear no more."""
        self._shut()
        if self.subscription is not None:
            with contextlib.suppress(*_AWAY):  # the bus is closed already
                await self.subscription.unsubscribe()


@contextlib.asynccontextmanager
async def bus_rooms(url: str) -> AsyncIterator[BusRooms]:
    """The rooms on a bus, for as long as a front lives. Raises ``Unavailable`` when the bus is not there."""
    client = await connect(url, "front")
    try:
        rooms = BusRooms(client)
        await client.subscribe(ALIVE, cb=rooms.heard)
        watching = asyncio.create_task(rooms.watch())
        try:
            yield rooms
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
    finally:
        await client.close()
