"""The journal on the bus: what is to be kept of sessions, in files, until a front has written it down.

Workers append, fronts take turns to read: each entry is handed to one of them, and to another one if that does not say
in time that it is done. So an entry may come twice, and not always in order.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import NoReturn

import msgspec
import nats.errors
import nats.js.api
import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.client import JetStreamContext

from parlour.bus.codec import plain
from parlour.domain.errors import Unavailable
from parlour.domain.live.journal import Entry

STREAM = "parlour-journal"
SUBJECT = "parlour.journal"
READER = "keeper"
AGE_S = 7 * 24 * 3600.0
"""How long an entry waits for a front at most."""
OCTETS_MAX = 256 * 1024 * 1024
"""What all entries take; beyond it the oldest go."""
WAITING_MAX = 8192
"""Entries that may wait for the bus while it is away; one more is lost, and counted."""
BATCH = 64
DONE_S = 10
"""After how long an entry that a front has not written down is given to another."""
PATIENCE_S = 5.0
AGAIN_S = 0.5

Keep = Callable[[Sequence[Entry]], Awaitable[None]]
"""Writes entries down for good. What it raises means that nothing is written."""

log = logging.getLogger("parlour.bus")

_AWAY = (nats.errors.Error, nats.js.errors.Error, TimeoutError, OSError)
_decoder = msgspec.json.Decoder(Entry)
_encoder = msgspec.json.Encoder(enc_hook=plain)


class JournalWriter:
    """The worker's end. ``write`` never waits; ``run`` carries what was written to the bus, in order."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._waiting: asyncio.Queue[Entry] = asyncio.Queue(WAITING_MAX)
        self._lost = 0

    def write(self, entry: Entry) -> None:
        """Have an entry kept."""
        try:
            self._waiting.put_nowait(entry)
        except asyncio.QueueFull:
            self._lost += 1

    async def written(self, patience: float) -> bool:
        """Wait until all that was written so far is in the bus's files; ``False`` where that takes too long."""
        try:
            async with asyncio.timeout(patience):
                await self._waiting.join()
        except TimeoutError:
            return False
        return True

    async def run(self) -> NoReturn:
        """Carry entries to the bus until cancelled. While the bus is away they wait."""
        stream = self._client.jetstream()
        while True:
            entry = await self._waiting.get()
            try:
                await self._append(stream, entry)
            finally:
                self._waiting.task_done()

    def statistics(self) -> dict[str, float]:
        """Entries that wait, and those that were lost for want of room."""
        return {"journal_waiting": self._waiting.qsize(), "journal_lost": self._lost}

    async def _append(self, stream: JetStreamContext, entry: Entry) -> None:
        message = _encoder.encode(entry)
        while True:
            try:
                await stream.publish(
                    f"{SUBJECT}.{entry.room_id.hex}",
                    message,
                    timeout=PATIENCE_S,
                    headers={"Nats-Msg-Id": entry.id.hex},  # appended once, however often it is tried
                )
            except (nats.js.errors.NoStreamResponseError, nats.errors.NoRespondersError):
                await self._pause()
                with contextlib.suppress(*_AWAY):
                    await ensure(stream)
            except _AWAY as error:
                log.warning("bus: an entry waits: %s", str(error) or type(error).__name__)
                await self._pause()
            else:
                return

    async def _pause(self) -> None:
        await asyncio.sleep(AGAIN_S)


class JournalReader:
    """A front's end."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._kept = self._failed = self._garbled = 0

    async def run(self, keep: Keep) -> NoReturn:
        """Hand entries to ``keep`` until cancelled; those that it could not write come again."""
        stream = self._client.jetstream()
        while True:
            try:
                await ensure(stream)
                subscription = await stream.pull_subscribe_bind(consumer=READER, stream=STREAM)
                while True:
                    await self._read(subscription, keep)
            except _AWAY as error:
                log.info("bus: the journal cannot be read just now: %s", str(error) or type(error).__name__)
                await asyncio.sleep(AGAIN_S)

    def statistics(self) -> dict[str, float]:
        """Counts since the start: entries written down, batches that could not be, entries that cannot be read."""
        return {"journal_kept": self._kept, "journal_failed": self._failed, "journal_garbled": self._garbled}

    async def _read(self, subscription: JetStreamContext.PullSubscription, keep: Keep) -> None:
        try:
            messages = await subscription.fetch(BATCH, timeout=PATIENCE_S)
        except TimeoutError:  # nothing has happened
            return
        entries = [entry for message in messages if (entry := self._entry(message)) is not None]
        try:
            await keep(entries)
        except Exception as error:
            # Whatever it is, the entries are safe where they are, and come again.
            self._failed += 1
            known = isinstance(error, Unavailable)  # said again and again while the database is away
            log.warning("bus: the journal waits: %s", error, exc_info=None if known else error)
            await asyncio.sleep(AGAIN_S)
            for message in messages:
                await message.nak()
            return
        self._kept += len(entries)
        for message in messages:
            await message.ack()

    def _entry(self, message: Msg) -> Entry | None:
        try:
            return _decoder.decode(message.data)
        except msgspec.MsgspecError as error:
            self._garbled += 1
            log.warning("bus: an entry of the journal cannot be read: %s", error)
            return None


async def ensure(stream: JetStreamContext) -> None:
    """Make the journal and its reader, where they are not there yet. Raises what NATS does."""
    try:
        await stream.stream_info(STREAM)
    except nats.js.errors.NotFoundError:
        await stream.add_stream(
            nats.js.api.StreamConfig(
                name=STREAM,
                subjects=[f"{SUBJECT}.>"],
                storage=nats.js.api.StorageType.FILE,
                max_age=AGE_S,
                max_bytes=OCTETS_MAX,
                discard=nats.js.api.DiscardPolicy.OLD,
                duplicate_window=120.0,
            )
        )
    try:
        await stream.consumer_info(STREAM, READER)
    except nats.js.errors.NotFoundError:
        await stream.add_consumer(
            STREAM,
            nats.js.api.ConsumerConfig(
                durable_name=READER,
                deliver_policy=nats.js.api.DeliverPolicy.ALL,
                ack_policy=nats.js.api.AckPolicy.EXPLICIT,
                ack_wait=DONE_S,
                max_deliver=-1,
                max_ack_pending=4 * BATCH,
            ),
        )
