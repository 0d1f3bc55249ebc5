"""The front's side: rooms wherever they live. Finds a room's worker, places new rooms, notices workers that die."""

import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from uuid import UUID

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as NatsSubscription
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError
from nats.js.kv import KeyValue

from parlour.bus import codec
from parlour.bus.link import (
    ALIVE,
    DEAD_S,
    Alive,
    Lease,
    alive_decoder,
    ask_subject,
    connect,
    encoder,
    is_for,
    lease_decoder,
    open_leases,
    told_subject,
)
from parlour.domain.errors import Unavailable
from parlour.domain.live.commands import Command, Join, Refused, Reply
from parlour.domain.live.events import Told

ANSWER_S = 8.0
"""How long a room may take to answer; a browser gives up after ten seconds."""
PLACE_TRIES = 4

Listener = Callable[[Told], None]

log = logging.getLogger("parlour.bus")

NOT_ALIVE = Refused(404, "no_such_call", "the room is not alive")


@dataclass(slots=True)
class _Seen:
    alive: Alive
    at: float


class BusRooms:
    """Live rooms over the bus."""

    def __init__(self, client: Client, leases: KeyValue, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._leases = leases
        self._clock = clock
        self._workers: dict[str, _Seen] = {}
        self._listeners: dict[UUID, set[_Door]] = {}
        self._owners: dict[UUID, Lease] = {}
        self._asked = 0
        self._unanswered = 0

    async def ask(self, room_id: UUID, command: Command) -> Reply:
        """Ask a room; a ``Join`` brings it to life where it is not.

        Raises ``Unavailable`` when no worker can take it or none answers in time.
        """
        self._asked += 1
        for _ in range(PLACE_TRIES):
            lease = await self._owner(room_id, place=isinstance(command, Join))
            if lease is None:
                return NOT_ALIVE
            try:
                message = await self._client.request(
                    ask_subject(lease.worker),
                    codec.encode(command),
                    timeout=ANSWER_S,
                    headers={"room": room_id.hex},
                )
            except nats.errors.NoRespondersError:
                self._workers.pop(lease.worker, None)
                continue
            except (TimeoutError, nats.errors.Error) as error:
                self._unanswered += 1
                raise Unavailable(f"the room does not answer: {str(error) or type(error).__name__}") from error
            return codec.decode_reply(message.data)
        raise Unavailable("no worker takes the room")

    async def subscribe(self, room_id: UUID, listener: Listener) -> "_Door":
        """Hear what the room tells, also before it is alive."""

        async def hear(message: Msg) -> None:
            try:
                listener(codec.decode_told(message.data))
            except codec.Garbled as error:
                log.warning("bus: what room %s told is garbled: %s", room_id, error)

        try:
            door = _Door(await self._client.subscribe(told_subject(room_id), cb=hear))
        except (nats.errors.Error, OSError) as error:
            raise Unavailable(f"the bus is not available: {error}") from error
        return door

    def lost(self, room_id: UUID) -> bool:
        """Whether the room had a worker that is dead now."""
        lease = self._owners.get(room_id)
        return lease is not None and not self._is_alive(lease)

    def statistics(self) -> dict[str, float]:
        """Counts since the start, and the workers alive."""
        alive = [seen for seen in self._workers.values() if self._clock() - seen.at < DEAD_S]
        return {"asked": self._asked, "unanswered": self._unanswered, "workers": len(alive)}

    async def heard(self, message: Msg) -> None:
        """Take note of a worker's sign of life."""
        alive: Alive | None = is_for(message, alive_decoder)
        if alive is not None:
            self._workers[alive.worker] = _Seen(alive, self._clock())

    async def _owner(self, room_id: UUID, *, place: bool) -> Lease | None:
        known = self._owners.get(room_id)
        if known is not None and self._is_alive(known):
            return known
        revision = 0
        with contextlib.suppress(KeyNotFoundError):
            entry = await self._leases.get(room_id.hex)
            revision = entry.revision or 0
            found = lease_decoder.decode(entry.value or b"")
            if self._is_alive(found):
                self._owners[room_id] = found
                return found
        if not place:
            return None
        lease = self._least_loaded()
        try:
            value = encoder.encode(lease)
            if revision:
                await self._leases.update(room_id.hex, value, last=revision)
            else:
                await self._leases.create(room_id.hex, value)
        except KeyWrongLastSequenceError:  # another front placed it meanwhile
            return await self._owner(room_id, place=False)
        self._owners[room_id] = lease
        return lease

    def _least_loaded(self) -> Lease:
        now = self._clock()
        able = [seen.alive for seen in self._workers.values() if now - seen.at < DEAD_S and not seen.alive.leaving]
        if not able:
            raise Unavailable("no media worker is alive")
        best = min(able, key=lambda alive: (alive.load, alive.rooms, alive.worker))
        return Lease(best.worker, best.started)

    def _is_alive(self, lease: Lease) -> bool:
        seen = self._workers.get(lease.worker)
        return seen is not None and seen.alive.started == lease.started and self._clock() - seen.at < DEAD_S


class _Door:
    """A listener at a room's door."""

    def __init__(self, subscription: NatsSubscription) -> None:
        self._subscription = subscription

    async def close(self) -> None:
        """Hear no more."""
        with contextlib.suppress(nats.errors.Error):  # the bus is closed already
            await self._subscription.unsubscribe()


@contextlib.asynccontextmanager
async def bus_rooms(url: str) -> AsyncIterator[BusRooms]:
    """The rooms on a bus, for as long as a front lives. Raises ``Unavailable`` when the bus is not there."""
    client = await connect(url, "front")
    try:
        rooms = BusRooms(client, await open_leases(client))
        await client.subscribe(ALIVE, cb=rooms.heard)
        yield rooms
    finally:
        await client.close()
