"""``/api/fabric/resources``: everything that a project has, whatever its kind. For now that is rooms."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from parlour.domain.token import ROOMS
from parlour.front.api import rooms as room_routes
from parlour.front.api.room_schema import (
    ConferenceRoomList,
    ConferenceRoomResponse,
    FabricAddressRoomList,
    room_body,
)
from parlour.front.describe import PAGING, described, identifier
from parlour.front.errors import render
from parlour.front.front import front_of
from parlour.front.paging import Asked
from parlour.store import rooms

PATH = "/api/fabric/resources"

router = APIRouter(tags=["Resources"])
_RESOURCE = identifier("id", "the resource")
# Only a UUID: else DELETE on .../conference_rooms would mean a resource of that name, and be 404 rather than 405.
_ONE = f"{PATH}/{{id:uuid}}"


@router.get(
    PATH,
    description="Lists the project's resources, the newest first.",
    **described("list-resources", "List resources", ConferenceRoomList, (401, 422, 500, 503), parameters=PAGING),
)
async def list_resources(request: Request) -> Response:
    """List resources."""
    front = front_of(request)
    project = await front.gate.admit(request, ROOMS)
    asked = Asked.read(request.query_params)
    page = await front.database.run(lambda connection: rooms.page(connection, project, asked.position, asked.size))
    links = asked.links(front.origin(request) + PATH, page)
    return render(200, {"data": [room_body(room) for room in page.items], "links": links})


router.get(
    _ONE,
    description="Shows one resource.",
    **described("get-resource", "Get resource", ConferenceRoomResponse, (401, 404, 500, 503), parameters=[_RESOURCE]),
)(room_routes.get_room)

router.delete(
    _ONE,
    description="Deletes a resource and its addresses.",
    **described("delete-resource", "Delete resource", None, (401, 404, 500, 503), parameters=[_RESOURCE]),
)(room_routes.delete_room)

router.get(
    f"{_ONE}/addresses",
    description="Lists where the resource can be dialled.",
    **described(
        "list-resource-addresses",
        "List resource addresses",
        FabricAddressRoomList,
        (401, 404, 422, 500, 503),
        parameters=[_RESOURCE, *PAGING],
    ),
)(room_routes.list_room_addresses)
