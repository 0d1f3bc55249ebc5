"""The worker's side: says that it lives, is asked, tells."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from parlour.bus import codec
from parlour.bus.journal import JournalWriter
from parlour.bus.link import ALIVE, ALIVE_S, DEAD_S, Alive, Leases, ask_subject, connect, encoder, told_subject
from parlour.bus.records import Records
from parlour.domain.live.commands import Command, Join, Past, Refused, Reply
from parlour.domain.live.events import RoomLost, Told
from parlour.domain.live.journal import Entry

TOLD_MAX = 8192
"""Events that may wait for the bus while it is away; one more is lost, and counted."""
ASKS_MAX = 256
"""Commands in work at once; one more is refused."""
WRITTEN_S = 1.0
"""How long an answer may wait for the journal to be kept."""
LAST_WORDS_S = 2.0
"""How long what was told last may take to reach the bus."""

log = logging.getLogger("parlour.bus")

BUSY = Refused(503, "busy", "the worker has too much to do")
FAILED = Refused(500, "failed", "something went wrong; the worker's log has it")
GARBLED = Refused(422, "bad_parameter", "the command cannot be read")
LEAVING = Refused(503, "leaving", "the worker takes no more rooms")
NOT_HERE = Refused(404, "not_here", "the room does not live here, or not yet")


@dataclass(frozen=True, slots=True)
class Burden:
    """What a worker carries: ``load`` is a fraction of what it can, ``figures`` are its statistics.

    ``relief`` is the step of what its rooms go without to make it so little, 0 for nothing.
    """

    load: float
    rooms: Sequence[UUID]
    relief: int = 0
    figures: dict[str, float] = field(default_factory=dict)


Handler = Callable[[UUID, Command], Awaitable[Reply]]
Forget = Callable[[UUID], Awaitable[None]]
"""Ends a room without a word: it goes on at another worker."""


class Station:
    """A worker's place on the bus."""

    def __init__(
        self,
        client: Client,
        worker: str,
        handler: Handler,
        burden: Callable[[], Burden],
        forget: Forget,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.worker = worker
        self._client = client
        self._leases = Leases(client)
        self._records = Records(client)
        self._journal = JournalWriter(client)
        self._handler = handler
        self._burden = burden
        self._forget = forget
        self._clock = clock
        self._started = time.time()
        self._leaving = False
        self._said_at = clock()
        self._asks: set[asyncio.Task[None]] = set()
        self._refused = 0
        self._untold = 0
        self._unwritten = 0
        self._outgoing: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(TOLD_MAX)

    def tell(self, room_id: UUID, told: Told) -> None:
        """Tell what happens in a room, in order, once the event loop comes to it."""
        try:
            self._outgoing.put_nowait((told_subject(room_id), codec.encode_told(told, self.worker)))
        except asyncio.QueueFull:
            self._untold += 1

    def write(self, entry: Entry) -> None:
        """Have an entry of a session's journal kept; see ``JournalWriter``."""
        self._journal.write(entry)

    async def written(self) -> bool:
        """Wait, within reason, until what was written so far is kept, and say whether it is."""
        kept = await self._journal.written(WRITTEN_S)
        if not kept:
            log.warning("bus: the journal is not written in time; it will be once the bus is back")
        return kept

    async def give_up(self, room_id: UUID) -> None:
        """Let go of a room that is over."""
        with contextlib.suppress(nats.errors.Error, TimeoutError):  # it is forgotten by itself in time
            await self._records.drop(room_id)
            await self._leases.drop(room_id, self.worker)

    async def decline(self, room_id: UUID) -> None:
        """Let go of a room that was not brought to life: whoever asks next may find another worker for it."""
        with contextlib.suppress(nats.errors.Error, TimeoutError):  # then this one is asked again
            await self._leases.drop(room_id, self.worker)

    async def remember(self, room_id: UUID, past: Past | None, grace: float) -> None:
        """Keep what a room is like, for the case that all that runs here ends; see ``Records.keep``."""
        try:
            await self._records.keep(room_id, past, grace)
        except (nats.errors.Error, TimeoutError):  # tried again with the next change
            self._unwritten += 1

    async def recall(self, room_id: UUID) -> Past | None:
        """What a room was like just now, where it has not ended in the regular way."""
        try:
            return await self._records.find(room_id)
        except (nats.errors.Error, TimeoutError) as error:
            log.warning("bus: room %s begins anew: %s", room_id, error)
            return None

    async def leave(self) -> None:
        """Take no more rooms."""
        self._leaving = True
        await self._say_alive()

    def hand_over(self, room_id: UUID) -> None:
        """Tell that a room goes on elsewhere: whoever is in may join again at once."""
        self._records.forget(room_id)
        self.tell(room_id, Told(RoomLost()))

    async def last_words(self) -> None:
        """Wait until all that was told is on its way."""
        with contextlib.suppress(nats.errors.Error, TimeoutError):  # the bus is away: fronts notice the silence
            async with asyncio.timeout(LAST_WORDS_S):
                await self._outgoing.join()
                await self._client.flush()
        await self.written()

    async def live(self) -> None:
        """Be asked and tell until cancelled; say every ``ALIVE_S`` that this worker lives."""
        await self._client.subscribe(ask_subject(self.worker), cb=self._hear)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._pass_on())
            tasks.create_task(self._journal.run())
            while True:
                if self._client.is_connected:
                    silence, self._said_at = self._clock() - self._said_at, self._clock()
                    await self._say_alive()
                    if silence >= DEAD_S:
                        await self._check_rooms()
                await asyncio.sleep(ALIVE_S)

    def statistics(self) -> dict[str, float]:
        """Counts since the start."""
        return {
            "asks": len(self._asks),
            "refused": self._refused,
            "untold": self._untold,
            "unwritten": self._unwritten,
            **self._journal.statistics(),
        }

    async def _check_rooms(self) -> None:
        """After a silence in which fronts may have taken this worker for dead: drop the rooms that others have now."""
        log.warning("bus: this worker was not heard for a while")
        for room_id in self._burden().rooms:
            try:
                lease, _ = await self._leases.get(room_id)
            except (nats.errors.Error, TimeoutError):
                continue
            if lease is not None and lease.worker != self.worker:
                self._records.forget(room_id)
                await self._forget(room_id)

    async def _pass_on(self) -> None:
        while True:
            subject, message = await self._outgoing.get()
            try:
                await self._client.publish(subject, message)
            except nats.errors.Error as error:
                self._untold += 1
                log.warning("bus: an event is lost: %s", error)
            finally:
                self._outgoing.task_done()

    async def _say_alive(self) -> None:
        burden = self._burden()
        figures = {**burden.figures, **self.statistics()}
        alive = Alive(
            self.worker,
            burden.load,
            tuple(burden.rooms),
            self._started,
            self._leaving,
            burden.relief,
            figures,
        )
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
            reply = await self._reply(UUID((message.headers or {})["room"]), codec.decode_command(message.data))
        except (codec.Garbled, KeyError, ValueError):
            log.warning("bus: a command cannot be read", exc_info=True)
            reply = GARBLED
        except Exception:
            log.exception("bus: a command failed")
            reply = FAILED
        with contextlib.suppress(nats.errors.Error):  # whoever asked has given up or will
            await message.respond(codec.encode(reply))

    async def _reply(self, room_id: UUID, command: Command) -> Reply:
        if self._leaving and isinstance(command, Join):
            return LEAVING
        return await self._handler(room_id, command)


@contextlib.asynccontextmanager
async def station(
    url: str, worker: str, handler: Handler, burden: Callable[[], Burden], forget: Forget
) -> AsyncIterator[Station]:
    """A worker's place on a bus, for as long as it lives. Raises ``Unavailable`` when the bus is not there."""
    client = await connect(url, f"worker {worker}")
    try:
        yield Station(client, worker, handler, burden, forget)
    finally:
        with contextlib.suppress(nats.errors.Error, TimeoutError):  # the bus is away
            await client.drain()
        await client.close()
