"""A real NATS server, and workers that live in the test."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from parlour.bus.station import NOT_HERE, Burden, Station, station
from parlour.domain.live.commands import Accepted, Command, Done, Join, Reply
from tests.support.nats import NatsServer, nats_server


@pytest.fixture
def bus() -> Iterator[NatsServer]:
    """An empty bus."""
    with nats_server() as server:
        yield server


@dataclass
class Hand:
    """A worker without media. ``deaf`` ones say that they live but never answer; ``slow`` ones have no room yet."""

    name: str
    load: float = 0.0
    relief: int = 0
    rooms: list[UUID] = field(default_factory=list)
    asked: list[tuple[UUID, Command]] = field(default_factory=list)
    forgotten: list[UUID] = field(default_factory=list)
    deaf: bool = False
    slow: bool = False
    place: Station | None = None
    task: "asyncio.Task[None] | None" = None

    async def handle(self, room_id: UUID, command: Command) -> Reply:
        self.asked.append((room_id, command))
        if self.deaf:
            await asyncio.Event().wait()
        if not isinstance(command, Join):
            return NOT_HERE if self.slow else Done({"by": self.name})
        if room_id not in self.rooms:
            self.rooms.append(room_id)
        return Accepted(self.name, "session", "")

    def burden(self) -> Burden:
        return Burden(self.load, tuple(self.rooms), self.relief, {"legs": 3.0})

    async def forget(self, room_id: UUID) -> None:
        self.rooms.remove(room_id)
        self.forgotten.append(room_id)

    def die(self) -> None:
        """Say nothing any more, as if killed."""
        assert self.task is not None
        self.task.cancel()


@contextlib.asynccontextmanager
async def hand(url: str, name: str, **given: float) -> AsyncIterator[Hand]:
    """A worker at its station."""
    worker = Hand(name, **given)  # type: ignore[arg-type]  # only numbers are given
    async with station(url, name, worker.handle, worker.burden, worker.forget) as place:
        worker.place = place
        worker.task = asyncio.create_task(place.live())
        try:
            yield worker
        finally:
            worker.task.cancel()
            await asyncio.gather(worker.task, return_exceptions=True)
