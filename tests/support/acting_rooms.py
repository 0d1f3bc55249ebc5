"""Rooms that live in the test by the real rules: everything about a live room but its media."""

import time
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from parlour.domain.errors import Unavailable
from parlour.domain.live import seats
from parlour.domain.live.commands import Accepted, Command, Join, Reoffer, Reply, Shut
from parlour.domain.live.events import RoomLost
from parlour.domain.live.room import Directions, LiveRoom, Outcome
from parlour.domain.live.steps import STEPS
from tests.support.fake_rooms import SDP, FakeRooms

CAMERA = Directions(sends_audio=True, sends_video=True)
SCREEN = Directions(sends_video=True, receives_audio=False, receives_video=False)


class ActingRooms(FakeRooms):
    """Implements ``Rooms``. ``granted`` are capabilities by name, in place of those that the token gives.

    ``now`` gives Unix seconds; ``pass_time`` does what is due by then.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        super().__init__()
        self.now = now
        self.live: dict[UUID, LiveRoom] = {}
        self.granted: dict[str, tuple[str, ...]] = {}

    async def ask(self, room_id: UUID, command: Command) -> Reply:
        """See ``Rooms``."""
        if self.away:
            raise Unavailable("away")
        self.asked.append(command)
        self._news.set()
        if isinstance(command, Join):
            return self._joins(room_id, command)
        room = self.live.get(room_id)
        if room is None:
            return seats.NO_SUCH_CALL
        if isinstance(command, Shut):
            return self._take(room_id, seats.end_all(room, self.now(), seats.DELETED))
        if isinstance(command, Reoffer):
            return self._take(room_id, seats.reoffer(room, command, CAMERA, self.now()))
        return self._take(room_id, STEPS[type(command)](room, command, self.now()))

    def pass_time(self) -> None:
        """Do what is due."""
        for room_id, room in tuple(self.live.items()):
            due = seats.next_due(room, self.now())
            while due is not None and due <= self.now():
                self._take(room_id, seats.expire(self.live[room_id], self.now()))
                due = seats.next_due(self.live[room_id], self.now())

    def lose(self, room_id: UUID) -> None:
        """Let a room's worker die."""
        del self.live[room_id]
        self.tell(room_id, RoomLost())

    def _joins(self, room_id: UUID, command: Join) -> Reply:
        room = self.live.get(room_id)
        if room is None:
            room = LiveRoom.opened(command.room, f"session-{next(self._numbers)}", now=self.now())
            if command.past is not None:
                room = seats.revive(room, command.past, self.now())
        command = replace(command, capabilities=self.granted.get(command.name, command.capabilities))
        seat = room.seat(command.call_id) or command.seat
        member_id = seat.id if seat else f"m{next(self._numbers)}"
        media = SCREEN if command.screen_of else CAMERA
        reply = self._take(room_id, seats.join(room, command, media, member_id, self.now()))
        return replace(reply, sdp=SDP) if isinstance(reply, Accepted) else reply

    def _take(self, room_id: UUID, outcome: Outcome) -> Reply:
        self.live[room_id] = outcome.room
        for told in outcome.told:
            self.tell(room_id, told.event, told.to, told.but)
        return outcome.reply
