"""Whoever is not let in brings no room to life, and is not held by the worker that said so."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from parlour.bus.rooms import BusRooms, bus_rooms
from parlour.domain.live.commands import Accepted, Refused
from parlour.domain.live.relief import Relief
from parlour.media import worker as module
from parlour.media.budget import Budget, Measured
from tests.domain.live.people import a_room
from tests.media.rooms import a_worker
from tests.media.test_full_room import join
from tests.support.nats import NatsServer
from tests.support.waiting import until


class Exhausted(Budget):
    """Of a worker that takes nobody any more."""

    def take(self, measured: Measured, now: float) -> Relief:
        self.relief = Relief.NO_MORE_MEMBERS
        return self.relief


@pytest.fixture
async def front(bus: NatsServer) -> AsyncIterator[BusRooms]:
    """The side of a front."""
    async with bus_rooms(bus.url) as front:
        yield front


def figures(front: BusRooms, name: str) -> list[float]:
    """What each worker says of itself."""
    return [found.get(name, 0.0) for found in front.workers().values()]


async def test_a_worker_with_too_much_to_do_opens_no_room_to_say_so(
    front: BusRooms, bus: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = a_room()
    monkeypatch.setattr(module, "Budget", Exhausted)
    async with a_worker(bus.url, tmp_path / "one"):
        await until(lambda: figures(front, "relief") == [Relief.NO_MORE_MEMBERS])
        monkeypatch.undo()
        await front.subscribe(room.room_id, lambda told: None)  # as whoever joins does first
        refused = await front.ask(room.room_id, join(room, "ana"))
        assert isinstance(refused, Refused)
        assert (refused.code, refused.reason) == (503, "busy")
        said = figures(front, "uptime_seconds")
        await until(lambda: figures(front, "uptime_seconds") > said)
        assert figures(front, "sound_ticks") == [0]
        async with a_worker(bus.url, tmp_path / "two"):
            await until(lambda: len(figures(front, "relief")) == 2)
            assert isinstance(await front.ask(room.room_id, join(room, "ana")), Accepted), "another one may take it"


async def test_who_is_too_early_does_not_open_the_room(front: BusRooms, bus: NatsServer, tmp_path: Path) -> None:
    room = a_room(join_from=datetime.fromtimestamp(time.time() + 3600, UTC))
    async with a_worker(bus.url, tmp_path):
        await until(lambda: front.statistics()["workers"] == 1)
        refused = await front.ask(room.room_id, join(room, "ana"))
        assert isinstance(refused, Refused)
        assert refused.reason == "too_early"
        said = figures(front, "uptime_seconds")
        await until(lambda: figures(front, "uptime_seconds") > said)
        assert figures(front, "sound_ticks") == [0]
