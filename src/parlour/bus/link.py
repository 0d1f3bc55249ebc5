"""A connection to the bus, and the subjects on it.

::

    parlour.worker.<worker>.ask     a command for a room that the worker owns; answered
    parlour.worker.alive            each worker says every so often that it lives, and how loaded it is
    parlour.room.<room>.told        what happens in a room

Whose a room is, its worker says with each sign of life. Until it first does, and where two fronts place one room at
the same time, the lease in a key-value bucket decides. The bucket may be lost with the bus: it is made again, and
leases are only for placing, never for going on.
"""

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError

from parlour.bus.bucket import Bucket
from parlour.domain.errors import Unavailable

ALIVE_S = 0.5
"""How often a worker says that it lives."""
DEAD_S = 2.5
"""After how long a silence it is taken for dead; a room must be known to be lost within 5 s."""
LEASE_S = 600.0
"""How long a lease is remembered: far longer than it takes until the worker speaks for itself."""
BUCKET = "parlour-rooms"
CONNECT_S = 5
DRAIN_S = 2

ALIVE = "parlour.worker.alive"

log = logging.getLogger("parlour.bus")


@dataclass(frozen=True, slots=True)
class Alive:
    """A worker's sign of life. ``load`` is a fraction of what it can carry, ``started`` in Unix seconds.

    ``relief`` is the step of what its rooms go without, 0 for nothing. ``figures`` are its statistics, to be seen by
    whoever asks.
    """

    worker: str
    load: float
    rooms: tuple[UUID, ...]
    started: float
    leaving: bool = False
    relief: int = 0
    figures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lease:
    """Which worker owns a room, and since which of the worker's starts."""

    worker: str
    started: float


alive_decoder = msgspec.json.Decoder(Alive)
lease_decoder = msgspec.json.Decoder(Lease)
encoder = msgspec.json.Encoder()


def ask_subject(worker: str) -> str:
    """Where a worker is asked."""
    return f"parlour.worker.{worker}.ask"


def told_subject(room: UUID) -> str:
    """Where a room tells."""
    return f"parlour.room.{room.hex}.told"


async def connect(url: str, name: str) -> Client:
    """Connect and stay connected. Raises ``Unavailable`` when the bus is not there now, or does not let us in."""
    client = Client()
    troubles: list[str] = []
    denials: list[str] = []

    async def trouble(error: Exception) -> None:
        words = str(error) or type(error).__name__
        if troubles[-1:] != [words]:  # the same again and again, while the bus is away
            log.warning("bus: %s", words)
            troubles[:] = [words]
        if "Authorization" in words:  # what comes of it, such as a connection that is reset, tells nobody anything
            denials[:] = [words]

    async def back() -> None:
        troubles.clear()
        log.info("bus: connected again")

    try:
        async with asyncio.timeout(CONNECT_S):
            await client.connect(
                url,
                name=name,
                connect_timeout=CONNECT_S,
                allow_reconnect=True,
                max_reconnect_attempts=-1,
                reconnect_time_wait=0.2,  # type: ignore[arg-type]  # seconds, in fractions as well
                drain_timeout=DRAIN_S,
                error_cb=trouble,
                reconnected_cb=back,
            )
    except (TimeoutError, OSError, nats.errors.Error) as error:
        troubles = troubles or [str(error) or type(error).__name__]
    if not client.is_connected:  # the client takes the end of our patience for its own
        await client.close()
        raise Unavailable(f"the bus is not available: {(denials or troubles or ['no answer'])[-1]}")
    return client


class Leases:
    """Who was given a room, as fronts agree on it. All methods raise ``nats.errors.Error`` while the bus is away."""

    def __init__(self, client: Client) -> None:
        self._bucket = Bucket(client, BUCKET, LEASE_S)

    async def get(self, room_id: UUID) -> tuple[Lease | None, int]:
        """The lease and its revision; ``None`` and 0 where there is none."""
        try:
            entry = await self._bucket.use(lambda bucket: bucket.get(room_id.hex))
            return lease_decoder.decode(entry.value or b""), entry.revision or 0
        except (KeyNotFoundError, msgspec.MsgspecError):
            return None, 0

    async def put(self, room_id: UUID, lease: Lease, revision: int) -> bool:
        """Write a lease over the one of ``revision``, 0 for none. ``False`` where somebody else was faster."""
        value = encoder.encode(lease)
        try:
            if revision:
                await self._bucket.use(lambda bucket: bucket.update(room_id.hex, value, last=revision))
            else:
                await self._bucket.use(lambda bucket: bucket.create(room_id.hex, value))
        except (KeyWrongLastSequenceError, KeyNotFoundError):
            return False
        return True

    async def drop(self, room_id: UUID, worker: str) -> None:
        """Remove a worker's lease; another worker's stays."""
        lease, revision = await self.get(room_id)
        if lease is not None and lease.worker == worker:
            with contextlib.suppress(KeyWrongLastSequenceError, nats.js.errors.APIError):  # it is another's by now
                await self._bucket.use(lambda bucket: bucket.delete(room_id.hex, last=revision))


def is_for(message: Msg, kind: msgspec.json.Decoder[Any]) -> Any:
    """Read a message; ``None``, and a line in the log, for what it should not be."""
    try:
        return kind.decode(message.data)
    except msgspec.MsgspecError as error:
        log.warning("bus: a message on %s is garbled: %s", message.subject, error)
        return None
