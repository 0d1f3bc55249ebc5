"""What each live room is like, kept in the bus's files: with it a room goes on after every process has ended.

The room's worker writes it, and whichever worker opens the room next reads it, unless a front knows better. A record is
good for about as long as the seats in it are kept, and goes when the room is empty.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import msgspec
from nats.aio.client import Client
from nats.js.errors import KeyNotFoundError

from parlour.bus.bucket import Bucket
from parlour.domain.live.commands import Past

BUCKET = "parlour-records"
TTL_S = 15 * 60.0
"""How long a record is kept at all; longer than any seat."""
REFRESH_S = 10.0
"""How often a record is written again although nothing has changed."""


@dataclass(frozen=True, slots=True)
class Record:
    """A room as it was; ``good_until`` in Unix seconds."""

    past: Past
    good_until: float


_decoder = msgspec.json.Decoder(Record)
_encoder = msgspec.json.Encoder()


class Records:
    """The rooms' records. All methods raise ``nats.errors.Error`` or ``TimeoutError`` while the bus is away."""

    def __init__(self, client: Client, now: Callable[[], float] = time.time) -> None:
        """``now`` gives Unix seconds."""
        self._bucket = Bucket(client, BUCKET, TTL_S, durable=True)
        self._now = now
        self._written: dict[UUID, Record] = {}

    async def keep(self, room_id: UUID, past: Past | None, grace: float) -> None:
        """Write what a room is like, where that is news; ``None`` for a room that nobody is in.

        ``grace`` is how many seconds its seats are kept.
        """
        before = self._written.get(room_id)
        if past is None:
            if before is not None:
                await self.drop(room_id)
            return
        record = Record(past, self._now() + grace + REFRESH_S)
        if before is None or before.past != past or record.good_until - before.good_until >= REFRESH_S:
            await self._bucket.use(lambda bucket: bucket.put(room_id.hex, _encoder.encode(record)))
            self._written[room_id] = record

    async def drop(self, room_id: UUID) -> None:
        """Forget a room that is over."""
        self.forget(room_id)
        await self._bucket.use(lambda bucket: bucket.delete(room_id.hex))

    def forget(self, room_id: UUID) -> None:
        """The room is no longer written of from here; its record stays."""
        self._written.pop(room_id, None)

    async def find(self, room_id: UUID) -> Past | None:
        """What a room was like just now, before all that had to do with it ended."""
        try:
            entry = await self._bucket.use(lambda bucket: bucket.get(room_id.hex))
            record = _decoder.decode(entry.value or b"")
        except (KeyNotFoundError, msgspec.MsgspecError):  # there is none, or none of this version
            return None
        return record.past if self._now() < record.good_until else None
