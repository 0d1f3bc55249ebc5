"""Live rooms for tests: opened with settings of their own, on a clock that can be set; and whole workers on a bus."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from parlour.domain.live.commands import Past
from parlour.domain.live.events import CallEnded, Told
from parlour.domain.room import Room
from parlour.media.conference import Conference
from parlour.media.preview.studio import Studio
from parlour.media.transport import Endpoint
from parlour.media.worker import WorkerOptions, work


class Wall:
    """A clock on the wall that goes on by itself, and can be set."""

    def __init__(self) -> None:
        self.set_by = 0.0

    def __call__(self) -> float:
        """Unix seconds."""
        return time.time() + self.set_by


@dataclass
class Opened:
    """A room, and what it told with the time at which it did."""

    conference: Conference
    wall: Wall
    told: list[tuple[float, Told]]

    @property
    def endings(self) -> dict[str, tuple[float, CallEnded]]:
        """When and why each member's call ended."""
        return {told.event.member_id: (at, told.event) for at, told in self.told if isinstance(told.event, CallEnded)}


@dataclass
class House:
    """Opens rooms, and closes them after the test."""

    endpoint: Endpoint
    studio: Studio | None = None
    wall: Wall = field(default_factory=Wall)
    opened: list[Conference] = field(default_factory=list)
    _numbers: Any = field(default_factory=lambda: count(1))

    def open(self, room: Room, past: Past | None = None, ended: Callable[[], None] = lambda: None) -> Opened:
        """Bring a room to life."""
        told: list[tuple[float, Told]] = []
        conference = Conference(
            room,
            f"session-{next(self._numbers)}",
            self.endpoint,
            lambda event: told.append((self.wall(), event)),
            ended,
            new_id=lambda: f"m{next(self._numbers)}",
            past=past,
            wall=self.wall,
            studio=self.studio,
        )
        self.opened.append(conference)
        return Opened(conference, self.wall, told)

    async def close(self) -> None:
        """End what is still alive."""
        await asyncio.gather(*(conference.close(silent=True) for conference in self.opened))


@contextlib.asynccontextmanager
async def a_worker(bus_url: str, folder: Path) -> AsyncIterator["asyncio.Task[None]"]:
    """A media worker on a bus, in this process. One that is cancelled dies as if killed: it hands nothing over."""
    stop = asyncio.Event()
    options = WorkerOptions(
        nats_url=bus_url,
        objects_url=(folder / "objects").as_uri(),
        spool=folder / "spool",
        hosts=("127.0.0.1",),
    )
    worker = asyncio.create_task(work(options, stop))
    try:
        yield worker
    finally:
        stop.set()
        with contextlib.suppress(asyncio.CancelledError):
            await worker
