"""The journal: what a worker writes reaches a front once it has said so, whatever ends in between."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from uuid import UUID, uuid4

from parlour.bus.journal import JournalReader, JournalWriter
from parlour.bus.link import connect
from parlour.domain.live.journal import Entry, KeptMember, KeptSession
from parlour.domain.live.recording import Recording, RecordingStatus
from tests.domain.live.people import a_room
from tests.support.nats import NatsServer
from tests.support.waiting import PATIENCE_S


def an_entry(number: int, **about: object) -> Entry:
    """One of a session's entries."""
    return Entry(UUID(int=number), float(number), "member.joined", uuid4(), uuid4(), "s1", **about)  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def a_writer(bus: NatsServer) -> AsyncIterator[JournalWriter]:
    """A worker's end."""
    client = await connect(bus.url, "worker")
    writer = JournalWriter(client)
    task = asyncio.create_task(writer.run())
    try:
        yield writer
    finally:
        task.cancel()
        await client.close()


class Shelf:
    """Keeps entries, each once, however often it comes; ``failures`` times it cannot."""

    def __init__(self, failures: int = 0) -> None:
        self.entries: dict[UUID, Entry] = {}
        self.failures = failures
        self._news = asyncio.Event()

    async def keep(self, entries: Sequence[Entry]) -> None:
        """Write entries down."""
        if self.failures:
            self.failures -= 1
            raise OSError("the disk is full")
        for entry in entries:
            self.entries.setdefault(entry.id, entry)
        self._news.set()

    async def until(self, count: int) -> list[Entry]:
        """The first entries, once there are so many."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.entries) < count:
                self._news.clear()
                await self._news.wait()
        return list(self.entries.values())


@contextlib.asynccontextmanager
async def a_reader(bus: NatsServer, shelf: Shelf) -> AsyncIterator[JournalReader]:
    """A front's end."""
    client = await connect(bus.url, "front")
    reader = JournalReader(client)
    task = asyncio.create_task(reader.run(shelf.keep))
    try:
        yield reader
    finally:
        task.cancel()
        await client.close()


async def test_entries_arrive_as_they_were_written(bus: NatsServer) -> None:
    settings = a_room(meta={"floor": 2}).settings
    written = [
        an_entry(1, session=KeptSession(settings, "grid-responsive", locked=False, started_at=1.5)),
        an_entry(2, member=KeptMember("m1", "Ana", "member", 2.5), payload={"audio_muted": True}),
        an_entry(3, recording=Recording("r1", 3.5, RecordingStatus.PROCESSING, 4.5)),
    ]
    shelf = Shelf()
    async with a_writer(bus) as writer:
        for entry in written:
            writer.write(entry)
        assert await writer.written(PATIENCE_S)
    async with a_reader(bus, shelf) as reader:  # only now: the bus has kept them
        assert await shelf.until(3) == written
    assert reader.statistics()["journal_failed"] == 0


async def test_what_cannot_be_written_down_comes_again(bus: NatsServer) -> None:
    shelf = Shelf(failures=2)
    async with a_writer(bus) as writer, a_reader(bus, shelf) as reader:
        writer.write(an_entry(1))
        assert [entry.id.int for entry in await shelf.until(1)] == [1]
        assert reader.statistics()["journal_failed"] == 2


async def test_entries_wait_while_the_bus_is_away(bus: NatsServer) -> None:
    shelf = Shelf()
    async with a_writer(bus) as writer, a_reader(bus, shelf):
        writer.write(an_entry(1))
        await shelf.until(1)
        bus.kill()
        for number in range(2, 6):
            writer.write(an_entry(number))
        assert not await writer.written(0.2)
        bus.again()
        assert [entry.id.int for entry in await shelf.until(5)] == [1, 2, 3, 4, 5]
        assert writer.statistics()["journal_lost"] == 0
