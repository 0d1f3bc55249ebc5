"""A media worker: one process, one port, whole rooms."""

import asyncio
import contextlib
import logging
import os
import secrets
import time
from collections import Counter
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from obstore.exceptions import BaseError
from obstore.store import ObjectStore

from parlour.bus.station import NOT_HERE, Burden, Station, station
from parlour.cores import granted_cores
from parlour.domain.errors import Unavailable
from parlour.domain.live.admission import refusal
from parlour.domain.live.commands import Change, Command, Join, Past, Record, Refused, Reply, Shut
from parlour.domain.live.relief import Relief
from parlour.domain.live.room import GRACE
from parlour.domain.room import MEMBERS_MAX
from parlour.media.audio.libopus import libopus
from parlour.media.budget import Budget, Measured
from parlour.media.conference import Conference, fresh_id
from parlour.media.memory import GIVE_BACK_EVERY_S, give_back_what_is_free
from parlour.media.preview.studio import Studio
from parlour.media.recording.archive import Archive
from parlour.media.recording.salvage import Salvage
from parlour.media.recording.spool import Spool
from parlour.media.transport import Endpoint
from parlour.media.video.card import card_press
from parlour.objects import open_objects

LOAD_EVERY_S = 1.0
REMEMBER_EVERY_S = 1.0
"""How often what the rooms are like is kept, where it has changed. What happened since is lost with the machine."""
CLOSE_S = 4.0
"""How long rooms may take to end."""
PREVIEW_S = 10.0
"""How long it may take to put a preview where it is kept."""

DROPS = ("calls_dropped_", "calls_received_dropped", "sound_packets_", "unsent")
"""How figures begin that say what was dropped."""

log = logging.getLogger("parlour.media")

KEPT_FIRST = (Join, Record, Shut, Change)
"""Commands that are answered once what follows from them is kept."""


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """What a worker is told. Ports of 0 are free ones; ``public_ips`` are what clients reach it under.

    ``grace`` is how many seconds a seat is kept without its browser. ``objects_url`` is where finished recordings and
    previews go, ``spool`` the folder of unfinished ones. ``share`` is how many workers share what this process is
    granted of the machine; with ``relief`` quality and newcomers are given up, step by step, before sound breaks.
    """

    nats_url: str
    objects_url: str
    spool: Path
    hosts: Sequence[str] = ("0.0.0.0", "::")  # noqa: S104 - media ports are public by nature
    udp_port: int = 0
    tcp_port: int | None = None
    public_ips: Sequence[str] = ()
    server_limit: int = MEMBERS_MAX
    grace: float = GRACE
    share: int = 1
    relief: bool = True


class Worker:
    """The rooms of one process."""

    def __init__(
        self,
        endpoint: Endpoint,
        studio: Studio,
        archive: Archive,
        server_limit: int,
        grace: float,
        budget: Budget,
        share: int = 1,
    ) -> None:
        """``budget`` is what the worker may use, and says what its rooms go without; ``share`` workers share cores."""
        self.station: Station | None = None
        self._studio = studio
        self._endpoint = endpoint
        self._archive = archive
        self._salvage: Salvage | None = None
        self._server_limit = server_limit
        self._grace = grace
        self._rooms: dict[UUID, Conference] = {}
        self._dropped: Counter[str] = Counter()
        self._closing: set[asyncio.Task[None]] = set()
        self._budget = budget
        self._share = share
        self._started = time.monotonic()
        self._punctuality: dict[UUID, tuple[float, float]] = {}

    async def handle(self, room_id: UUID, command: Command) -> Reply:
        """Pass a command on to its room; a join brings the room to life."""
        room = self._living(room_id)
        if room is None:
            if not isinstance(command, Join):
                return NOT_HERE
            past = command.past or await self._at_station().recall(room_id)
            room = self._living(room_id)  # another join may have been faster
            if room is None and past is None and (refused := self._turned_away(command)) is not None:
                await self._at_station().decline(room_id)
                return refused
            room = room or self._open(room_id, command, past)
        reply = room.ask(command)
        if isinstance(command, KEPT_FIRST):
            await self._at_station().written()
        return reply

    def burden(self) -> Burden:
        """The load is the part of its budget that this process uses."""
        return Burden(self._budget.load, tuple(self._rooms), self._budget.relief, self.statistics())

    def statistics(self) -> dict[str, float]:
        """What happened so far, of the rooms that live now the sum; what was dropped also of those that are over.

        Seconds are CPU time: all of the process's, and of the loop's thread, on which this is to be called.
        """
        endpoint = self._endpoint.statistics()
        rooms = self._dropped.copy()
        for room in self._rooms.values():
            rooms.update(room.statistics())
        return {
            **rooms,
            **{f"previews_{name}": value for name, value in self._studio.statistics().items()},
            **self._archive.statistics(),
            **(self._salvage.statistics() if self._salvage is not None else {}),
            **self._budget.statistics(),
            "legs": endpoint.legs,
            "tcp_connections": endpoint.connections,
            "datagrams": endpoint.datagrams,
            "in_seconds": endpoint.seconds,
            "loop_seconds": time.thread_time(),
            "cpu_seconds": time.process_time(),
            "uptime_seconds": time.monotonic() - self._started,
            "tasks": len(asyncio.all_tasks()),
            **{f"dropped_{reason.replace(' ', '_')}": count for reason, count in endpoint.dropped.items()},
        }

    async def measure(self) -> None:
        """Keep the load up to date until cancelled, and let the rooms go without something where it is too much."""
        cpu, wall = time.process_time(), time.monotonic()
        while True:
            await asyncio.sleep(LOAD_EVERY_S)
            cpu_now, wall_now = time.process_time(), time.monotonic()
            measured = Measured((cpu_now - cpu) / (wall_now - wall), self._late())
            cpu, wall = cpu_now, wall_now
            self._budget.grant(granted_cores() / self._share)  # it may have been changed
            before = self._budget.relief
            after = self._budget.take(measured, wall_now)
            if after is not before:
                log.warning("load %.0f %%: relief is %s", 100 * self._budget.load, after.name.lower())
                for room in self._rooms.values():
                    room.relieve(after)

    async def tidy(self) -> None:
        """Give memory back to the system until cancelled."""
        while True:
            await asyncio.sleep(GIVE_BACK_EVERY_S)
            await asyncio.to_thread(give_back_what_is_free)

    async def remember(self) -> None:
        """Keep what the rooms are like until cancelled."""
        while True:
            await asyncio.sleep(REMEMBER_EVERY_S)
            await self._remember()

    async def salvage(self) -> None:
        """Finish the recordings that others have left, until cancelled."""
        station = self._at_station()
        self._salvage = Salvage(self._archive, station.write, station.written, fresh_id)
        await self._salvage.run()

    async def close(self) -> None:
        """Hand every room over to other workers: whoever is in is told, and may join again at once."""
        station = self._at_station()
        await station.leave()
        with contextlib.suppress(TimeoutError):  # the bus is away: what was kept last must do
            async with asyncio.timeout(REMEMBER_EVERY_S):
                await self._remember()
        rooms, self._rooms = self._rooms, {}  # nobody asks for figures any more
        for room_id, room in rooms.items():
            if not room.is_over:
                station.hand_over(room_id)
        await station.last_words()
        try:
            async with asyncio.timeout(CLOSE_S):
                await asyncio.gather(*(room.close(silent=True) for room in rooms.values()), *self._closing)
        except TimeoutError:
            log.warning("not all rooms ended in time")
        await station.written()

    async def forget(self, room_id: UUID) -> None:
        """End a room here without a word: another worker has it."""
        room = self._rooms.get(room_id)
        if room is not None:
            self._remove(room_id, room)
            log.warning("room %s goes on elsewhere", room_id)
            self._close_later(room.close(silent=True))

    async def _remember(self) -> None:
        for room_id, room in tuple(self._rooms.items()):
            await self._at_station().remember(room_id, room.past, self._grace)

    def _living(self, room_id: UUID) -> Conference | None:
        """The room, unless it is over and only its recordings are still to be kept."""
        room = self._rooms.get(room_id)
        return None if room is None or room.is_over else room

    def _turned_away(self, command: Join) -> Refused | None:
        """Why whoever is new does not come in: for that no room is brought to life, which costs more than to say no."""
        if command.seat is not None or command.reattach or command.screen_of is not None:
            return None
        return refusal(
            command.room.settings, time.time(), seats=0, server_limit=self._server_limit, relief=self._budget.relief
        )

    def _remove(self, room_id: UUID, room: Conference) -> None:
        """The room is no longer here, but what it dropped stays counted."""
        del self._rooms[room_id]
        self._dropped.update({name: count for name, count in room.statistics().items() if name.startswith(DROPS)})

    def _late(self) -> float:
        """The part of what all rooms were due to make since the last call that came late or not at all."""
        before = self._punctuality
        self._punctuality = {room_id: room.punctuality() for room_id, room in self._rooms.items()}
        due = late = 0.0
        for room_id, (due_now, late_now) in self._punctuality.items():
            due_then, late_then = before.get(room_id, (0.0, 0.0))
            due += due_now - due_then
            late += late_now - late_then
        return late / due if due else 0.0

    def _at_station(self) -> Station:
        if self.station is None:
            raise RuntimeError("the worker is not at its station")
        return self.station

    def _open(self, room_id: UUID, command: Join, past: Past | None) -> Conference:
        station = self._at_station()

        def ended() -> None:
            self._close_later(self._end(room_id, room))

        if (before := self._rooms.get(room_id)) is not None:
            self._remove(room_id, before)
        room = self._rooms[room_id] = Conference(
            command.room,
            new_id(),
            self._endpoint,
            lambda told: station.tell(room_id, told),
            ended,
            server_limit=self._server_limit,
            grace=self._grace,
            new_id=new_id,
            past=past,
            write=station.write,
            studio=self._studio,
            written=station.written,
            archive=self._archive,
        )
        room.relieve(self._budget.relief)
        log.info("room %s lives", room_id)
        return room

    def _close_later(self, closing: Coroutine[None, None, None]) -> None:
        """Close a room, which takes as long as its recordings do, while everything else goes on."""
        task = asyncio.get_running_loop().create_task(closing)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _end(self, room_id: UUID, room: Conference) -> None:
        await room.close()
        if self._rooms.get(room_id) is room:
            self._remove(room_id, room)
            log.info("room %s is over", room_id)
            await self._at_station().give_up(room_id)


def new_id() -> str:
    """An id for a session, a member or a recording. They sort by time, as lists of them do."""
    return str(fresh_id())


async def work(options: WorkerOptions, stop: asyncio.Event) -> None:
    """Live until ``stop`` is set: start up, serve rooms, end them. Raises ``Unavailable`` without a bus or a store."""
    name = f"{os.getpid()}-{secrets.token_hex(4)}"
    endpoint = await Endpoint.open(
        options.hosts, udp_port=options.udp_port, tcp_port=options.tcp_port, public=options.public_ips
    )
    async with endpoint:
        _look_for_codecs()
        studio = Studio(_objects(options.objects_url))
        archive = Archive(options.objects_url, Spool(options.spool))
        budget = Budget(granted_cores() / options.share, most=max(Relief) if options.relief else Relief.NONE)
        worker = Worker(endpoint, studio, archive, options.server_limit, options.grace, budget, options.share)
        async with station(options.nats_url, name, worker.handle, worker.burden, worker.forget) as place:
            worker.station = place
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(asyncio.to_thread(card_press().warm))
                chores = (place.live(), worker.measure(), worker.remember(), worker.salvage(), worker.tidy())
                running = [tasks.create_task(chore) for chore in chores]
                await stop.wait()
                await worker.close()
                for task in running:
                    task.cancel()
        await asyncio.to_thread(studio.close)


def _look_for_codecs() -> None:
    try:
        libopus()
    except OSError as error:
        raise Unavailable(f"there is no libopus: {error}") from error


def _objects(url: str) -> ObjectStore:
    try:
        return open_objects(url, patience=PREVIEW_S)
    except (BaseError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise Unavailable(f"recordings and previews cannot be kept at {url}: {reason}") from error
