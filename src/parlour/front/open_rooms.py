"""Rooms that are open to all: their pages ask for a guest's ticket here, where a link would carry an invitation."""

import math
from collections import OrderedDict
from collections.abc import Callable
from uuid import UUID, uuid4

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from parlour.domain.errors import NotFound, TooMany
from parlour.domain.ticket import Bearer, Ticket
from parlour.front.errors import render
from parlour.front.front import front_of
from parlour.store import rooms

TICKET_S = 10 * 60
"""How long one of these tickets lets its bearer dial. A call that has begun by then goes on."""
BURST = 300
"""Tickets for one room that may be had at once: as many as a room has seats at most."""
PER_S = 5.0
"""Tickets for one room that may be had in each further second."""
ROOMS_MAX = 10_000
"""Rooms whose tickets are counted at a time."""

router = APIRouter(include_in_schema=False)


class OpenRooms:
    """Counts the tickets that are handed out for a project's rooms, so that nobody can have them without end."""

    def __init__(self, project: UUID, clock: Callable[[], float]) -> None:
        """``clock`` gives seconds that never go back."""
        self.project = project
        self._clock = clock
        self._lately: OrderedDict[UUID, tuple[float, float]] = OrderedDict()
        self._given = 0
        self._refused = 0

    def take(self, room_id: UUID) -> None:
        """Count one ticket. Raises ``TooMany`` when there were too many for this room lately."""
        now = self._clock()
        count, since = self._lately.get(room_id, (0.0, now))
        count = max(0.0, count - (now - since) * PER_S) + 1
        if count > BURST:
            self._refused += 1
            raise TooMany(math.ceil((count - BURST) / PER_S))
        self._given += 1
        self._lately[room_id] = count, now
        self._lately.move_to_end(room_id)
        while len(self._lately) > ROOMS_MAX:
            self._lately.popitem(last=False)

    def statistics(self) -> dict[str, float]:
        """Counts since the start."""
        return {"given": self._given, "refused": self._refused}


@router.post("/rooms/{address}/ticket")
async def ticket(request: Request) -> Response:
    """A guest's ticket for one room; 204 where rooms are by invitation only."""
    front = front_of(request)
    doors = front.open_rooms
    if doors is None:
        return Response(status_code=204)
    name = request.path_params["address"]
    room = await front.database.run(lambda connection: rooms.at_address(connection, doors.project, name))
    if room is None:
        raise NotFound
    doors.take(room.room_id)
    now = int(front.now().timestamp())
    guest = Ticket(
        str(uuid4()), doors.project, Bearer.GUEST, now, now + TICKET_S, addresses=frozenset({room.address.id})
    )
    return render(201, {"token": await front.tickets.mint(guest)}, {"Cache-Control": "no-store"})
