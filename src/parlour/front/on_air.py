"""Which recording of a room's session goes on, for the page of whoever may record it.

Every page is told whether there is one; pausing and stopping it takes its id, also for somebody who did not start it or
has loaded the page anew. Finished recordings, and the links to their files, are for API tokens.
"""

from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from parlour.domain.errors import NotAuthorized, NotFound
from parlour.domain.live.capabilities import may
from parlour.front.bearer import admit_bearer
from parlour.front.errors import render
from parlour.front.front import front_of
from parlour.store import recordings, rooms, sessions

router = APIRouter(include_in_schema=False)


@router.get("/rooms/{address}/sessions/{session}/recording")
async def recording(request: Request) -> Response:
    """The ``id`` and the ``status`` of the recording that goes on, paused or not; 204 where there is none."""
    front = front_of(request)
    ticket = await admit_bearer(request)
    if not may(ticket.capabilities, "recording"):
        raise NotAuthorized("Bearer")
    name = request.path_params["address"]
    try:
        key = UUID(request.path_params["session"])
    except ValueError:
        raise NotFound from None
    room, session, live = await front.database.run(
        lambda connection: (
            rooms.at_address(connection, ticket.project, name),
            sessions.get(connection, ticket.project, key),
            recordings.live(connection, key),
        )
    )
    if room is None or not ticket.opens(room.address.id) or (session is not None and session.room_id != room.room_id):
        raise NotFound
    headers = {"Cache-Control": "no-store"}
    # A session that has just begun may not have come to the database yet, nor may its recordings.
    if session is None or live is None:
        return Response(status_code=204, headers=headers)
    return render(200, {"id": live.id, "status": live.status.value}, headers)
