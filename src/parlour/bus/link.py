"""A connection to the bus, and the subjects on it.

::

    parlour.worker.<worker>.ask     a command for a room that the worker owns; answered
    parlour.worker.alive            each worker says every so often that it lives, and how loaded it is
    parlour.room.<room>.told        what happens in a room

Which worker owns a room stands in a key-value bucket, so that two fronts never place one room twice.
"""

import logging
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import BucketNotFoundError
from nats.js.kv import KeyValue

from parlour.domain.errors import Unavailable

ALIVE_S = 0.5
"""How often a worker says that it lives."""
DEAD_S = 2.5
"""After how long a silence it is taken for dead; a room must be known to be lost within 5 s."""
BUCKET = "parlour-rooms"
CONNECT_S = 5

ALIVE = "parlour.worker.alive"

log = logging.getLogger("parlour.bus")


@dataclass(frozen=True, slots=True)
class Alive:
    """A worker's sign of life. ``load`` is a fraction of what it can carry, ``started`` in Unix seconds."""

    worker: str
    load: float
    rooms: int
    started: float
    leaving: bool = False


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
    """Connect and stay connected. Raises ``Unavailable`` when the bus is not there."""

    async def trouble(error: Exception) -> None:
        log.warning("bus: %s", str(error) or type(error).__name__)

    async def back() -> None:
        log.info("bus: connected again")

    try:
        return await nats.connect(
            url,
            name=name,
            connect_timeout=CONNECT_S,
            allow_reconnect=True,
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.2,
            error_cb=trouble,
            reconnected_cb=back,
        )
    except (TimeoutError, OSError, nats.errors.Error) as error:
        raise Unavailable(f"the bus is not available: {str(error) or type(error).__name__}") from error


async def open_leases(client: Client) -> KeyValue:
    """The bucket of leases, made where it is not there yet."""
    stream = client.jetstream()
    try:
        return await stream.key_value(BUCKET)
    except BucketNotFoundError:
        return await stream.create_key_value(bucket=BUCKET, history=1, storage=nats.js.api.StorageType.MEMORY)


def is_for(message: Msg, kind: msgspec.json.Decoder[Any]) -> Any:
    """Read a message; ``None``, and a line in the log, for what it should not be."""
    try:
        return kind.decode(message.data)
    except msgspec.MsgspecError as error:
        log.warning("bus: a message on %s is garbled: %s", message.subject, error)
        return None
