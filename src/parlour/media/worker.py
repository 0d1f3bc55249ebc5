"""A media worker: one process, one port, whole rooms."""

import asyncio
import logging
import os
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from parlour.bus.station import Station, station
from parlour.domain.live.commands import Command, Join, Refused, Reply
from parlour.domain.room import MEMBERS_MAX
from parlour.media.conference import Conference
from parlour.media.transport import Endpoint

LOAD_EVERY_S = 1.0

log = logging.getLogger("parlour.media")

NOT_HERE = Refused(404, "no_such_call", "The room is not alive.")


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """What a worker is told. Ports of 0 are free ones; ``public_ips`` are what clients reach it under."""

    nats_url: str
    hosts: Sequence[str] = ("0.0.0.0", "::")  # noqa: S104 - media ports are public by nature
    udp_port: int = 0
    tcp_port: int | None = None
    public_ips: Sequence[str] = ()
    server_limit: int = MEMBERS_MAX


class Worker:
    """The rooms of one process."""

    def __init__(self, endpoint: Endpoint, server_limit: int) -> None:
        self.station: Station | None = None
        self._endpoint = endpoint
        self._server_limit = server_limit
        self._rooms: dict[UUID, Conference] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._load = 0.0

    async def handle(self, room_id: UUID, command: Command) -> Reply:
        """Pass a command on to its room; a join brings the room to life."""
        room = self._rooms.get(room_id)
        if room is None:
            if not isinstance(command, Join):
                return NOT_HERE
            room = self._open(room_id, command)
        return room.ask(command)

    def burden(self) -> tuple[float, int]:
        """See ``Burden``: the load is the part of one core that this process uses."""
        return self._load, len(self._rooms)

    async def measure(self) -> None:
        """Keep the load up to date until cancelled."""
        cpu, wall = time.process_time(), time.monotonic()
        while True:
            await asyncio.sleep(LOAD_EVERY_S)
            cpu_now, wall_now = time.process_time(), time.monotonic()
            self._load = (cpu_now - cpu) / (wall_now - wall)
            cpu, wall = cpu_now, wall_now

    async def close(self) -> None:
        """End every room."""
        if self.station is not None:
            await self.station.leave()
        await asyncio.gather(*(room.close() for room in self._rooms.values()), *self._closing)

    def _open(self, room_id: UUID, command: Join) -> Conference:
        station = self.station
        if station is None:
            raise RuntimeError("the worker is not at its station")

        def ended() -> None:
            task = asyncio.get_running_loop().create_task(self._end(room_id))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

        room = self._rooms[room_id] = Conference(
            command.room,
            str(uuid4()),
            self._endpoint,
            lambda told: station.tell(room_id, told),
            ended,
            server_limit=self._server_limit,
            new_id=lambda: str(uuid4()),
        )
        log.info("room %s lives", room_id)
        return room

    async def _end(self, room_id: UUID) -> None:
        room = self._rooms.pop(room_id, None)
        if room is not None:
            await room.close()
            log.info("room %s is over", room_id)
        if self.station is not None:
            await self.station.give_up(room_id)


async def work(options: WorkerOptions, stop: asyncio.Event) -> None:
    """Live until ``stop`` is set: start up, serve rooms, end them. Raises ``Unavailable`` without a bus."""
    name = f"{os.getpid()}-{secrets.token_hex(4)}"
    async with await Endpoint.open(
        options.hosts, udp_port=options.udp_port, tcp_port=options.tcp_port, public=options.public_ips
    ) as endpoint:
        worker = Worker(endpoint, options.server_limit)
        async with station(options.nats_url, name, worker.handle, worker.burden) as place:
            worker.station = place
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(place.live()), tasks.create_task(worker.measure())]
                await stop.wait()
                await worker.close()
                for task in running:
                    task.cancel()
