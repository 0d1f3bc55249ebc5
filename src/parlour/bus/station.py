"""The worker's side: says that it lives, is asked, tells."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.kv import KeyValue

from parlour.bus import codec
from parlour.bus.link import ALIVE, ALIVE_S, Alive, ask_subject, connect, encoder, open_leases, told_subject
from parlour.domain.live.commands import Command, Refused, Reply
from parlour.domain.live.events import Told

Handler = Callable[[UUID, Command], Awaitable[Reply]]
Burden = Callable[[], tuple[float, int]]
"""Gives the load, a fraction of what the worker can carry, and the number of its rooms."""

TOLD_MAX = 8192
"""Events that may wait for the bus while it is away; one more is lost, and counted."""
ASKS_MAX = 256
"""Commands in work at once; one more is refused."""

log = logging.getLogger("parlour.bus")

BUSY = Refused(503, "busy", "the worker has too much to do")
FAILED = Refused(500, "failed", "something went wrong; the worker's log has it")
GARBLED = Refused(422, "bad_parameter", "the command cannot be read")


class Station:
    """A worker's place on the bus."""

    def __init__(self, client: Client, leases: KeyValue, worker: str, handler: Handler, burden: Burden) -> None:
        self.worker = worker
        self._client = client
        self._leases = leases
        self._handler = handler
        self._burden = burden
        self._started = time.time()
        self._leaving = False
        self._asks: set[asyncio.Task[None]] = set()
        self._refused = 0
        self._untold = 0
        self._outgoing: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(TOLD_MAX)

    def tell(self, room_id: UUID, told: Told) -> None:
        """Tell what happens in a room, in order, once the event loop comes to it."""
        try:
            self._outgoing.put_nowait((told_subject(room_id), codec.encode_told(told)))
        except asyncio.QueueFull:
            self._untold += 1

    async def give_up(self, room_id: UUID) -> None:
        """Let go of a room that is over."""
        with contextlib.suppress(nats.errors.Error, nats.js.errors.Error):  # it lapses with this worker's next start
            await self._leases.delete(room_id.hex)

    async def leave(self) -> None:
        """Take no more rooms."""
        self._leaving = True
        await self._say_alive()

    async def live(self) -> None:
        """Be asked and tell until cancelled; say every ``ALIVE_S`` that this worker lives."""
        await self._client.subscribe(ask_subject(self.worker), cb=self._hear)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._pass_on())
            while True:
                await self._say_alive()
                await asyncio.sleep(ALIVE_S)

    def statistics(self) -> dict[str, float]:
        """Counts since the start."""
        return {"asks": len(self._asks), "refused": self._refused, "untold": self._untold}

    async def _pass_on(self) -> None:
        while True:
            subject, message = await self._outgoing.get()
            try:
                await self._client.publish(subject, message)
            except nats.errors.Error as error:
                self._untold += 1
                log.warning("bus: an event is lost: %s", error)

    async def _say_alive(self) -> None:
        load, rooms = self._burden()
        alive = Alive(self.worker, load, rooms, self._started, self._leaving)
        with contextlib.suppress(nats.errors.Error):  # while the bus is away nobody hears it anyway
            await self._client.publish(ALIVE, encoder.encode(alive))

    async def _hear(self, message: Msg) -> None:
        if len(self._asks) >= ASKS_MAX:
            self._refused += 1
            await message.respond(codec.encode(BUSY))
            return
        task = asyncio.get_running_loop().create_task(self._answer(message))
        self._asks.add(task)
        task.add_done_callback(self._asks.discard)

    async def _answer(self, message: Msg) -> None:
        try:
            reply = await self._handler(UUID((message.headers or {})["room"]), codec.decode_command(message.data))
        except (codec.Garbled, KeyError, ValueError):
            log.warning("bus: a command cannot be read", exc_info=True)
            reply = GARBLED
        except Exception:
            log.exception("bus: a command failed")
            reply = FAILED
        with contextlib.suppress(nats.errors.Error):  # whoever asked has given up or will
            await message.respond(codec.encode(reply))


@contextlib.asynccontextmanager
async def station(url: str, worker: str, handler: Handler, burden: Burden) -> AsyncIterator[Station]:
    """A worker's place on a bus, for as long as it lives. Raises ``Unavailable`` when the bus is not there."""
    client = await connect(url, f"worker {worker}")
    try:
        yield Station(client, await open_leases(client), worker, handler, burden)
    finally:
        await client.drain()
