"""What stands on a room's door: what it is called and for, and when it lets people in. For those with leave to come in.

The room's page shows it before one joins. To everybody else, and for a room that the token does not open, there is no
door.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from parlour.domain.errors import NotFound
from parlour.front.bearer import admit_bearer
from parlour.front.errors import render
from parlour.front.front import front_of
from parlour.store import rooms

router = APIRouter(include_in_schema=False)


@router.get("/rooms/{address}/door")
async def door(request: Request) -> Response:
    """The room's words and times, ``null`` where it has no bound.

    ``now`` is in Unix milliseconds: the clock that counts is this one, and browsers' own may be hours off.
    """
    front = front_of(request)
    ticket = await admit_bearer(request)
    name = request.path_params["address"]
    room = await front.database.run(lambda connection: rooms.at_address(connection, ticket.project, name))
    if room is None or not ticket.opens(room.address.id):
        raise NotFound
    settings, topic = room.settings, room.settings.meta.get("topic")
    shown = {
        "name": settings.name,
        "display_name": settings.display_name,
        "description": settings.description,
        "topic": topic if isinstance(topic, str) else "",
        "recorded": settings.record_on_start,
        "opens_at": settings.join_from,
        "closes_at": settings.join_until,
        "ends_at": settings.remove_at,
        "now": round(front.now().timestamp() * 1000),
    }
    return render(200, shown, {"Cache-Control": "no-store"})
