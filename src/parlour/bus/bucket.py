"""A key-value bucket on the bus, made when it is first needed, and again when the bus has lost it."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

import nats.js.api
from nats.aio.client import Client
from nats.errors import NoRespondersError
from nats.js.errors import BucketNotFoundError, NoStreamResponseError, ServiceUnavailableError
from nats.js.kv import KeyValue

T = TypeVar("T")

log = logging.getLogger("parlour.bus")


@dataclass(slots=True)
class Bucket:
    """One bucket. Its values are forgotten after ``ttl`` seconds, and with the bus unless they are ``durable``."""

    client: Client
    name: str
    ttl: float
    durable: bool = False
    _found: KeyValue | None = field(default=None, init=False)

    async def use(self, act: Callable[[KeyValue], Awaitable[T]]) -> T:
        """Act on the bucket. Raises what ``act`` does, and ``nats.errors.Error`` while the bus is away."""
        if self._found is not None:
            try:
                return await act(self._found)
            except (NoRespondersError, NoStreamResponseError, ServiceUnavailableError):
                log.warning("bus: the bucket %s is gone; beginning anew", self.name)
        self._found = await self._open()
        return await act(self._found)

    async def _open(self) -> KeyValue:
        stream = self.client.jetstream()
        try:
            return await stream.key_value(self.name)
        except BucketNotFoundError:
            kind = nats.js.api.StorageType.FILE if self.durable else nats.js.api.StorageType.MEMORY
            return await stream.create_key_value(bucket=self.name, history=1, ttl=self.ttl, storage=kind)
