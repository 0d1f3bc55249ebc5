"""``/api/fabric/resources``: everything that a project has, whatever its kind: rooms and subscribers."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, RootModel
from starlette.requests import Request
from starlette.responses import Response

from parlour.domain.errors import NotFound
from parlour.domain.room import Room
from parlour.domain.subscriber import Subscriber
from parlour.domain.token import ROOMS
from parlour.front.api import rooms as room_routes
from parlour.front.api import subscribers as subscriber_routes
from parlour.front.api.room_schema import ConferenceRoomResponse, room_body
from parlour.front.api.subscriber_schema import FabricAddressList, SubscriberResponse, subscriber_body
from parlour.front.describe import PAGING, Links, described, identifier
from parlour.front.errors import render
from parlour.front.front import front_of
from parlour.front.paging import Asked
from parlour.store import directory

PATH = "/api/fabric/resources"

router = APIRouter(tags=["Resources"])
_RESOURCE = identifier("id", "the resource")
# Only a UUID: else DELETE on .../conference_rooms would mean a resource of that name, and be 404 rather than 405.
_ONE = f"{PATH}/{{id:uuid}}"


class Resource(RootModel[ConferenceRoomResponse | SubscriberResponse]):
    """A room or a subscriber, as `type` says."""


class ResourceList(BaseModel):
    """A page of resources, the newest first."""

    data: list[Resource]
    links: Links


@router.get(
    PATH,
    description="Lists the project's resources, the newest first.",
    **described("list-resources", "List resources", ResourceList, (401, 422, 500, 503), parameters=PAGING),
)
async def list_resources(request: Request) -> Response:
    """List resources."""
    front = front_of(request)
    project = await front.gate.admit(request, ROOMS)
    asked = Asked.read(request.query_params)
    page = await front.database.run(
        lambda connection: directory.resources(connection, project, asked.position, asked.size)
    )
    links = asked.links(front.origin(request) + PATH, page)
    return render(200, {"data": [_body(one) for one in page.items], "links": links})


@router.get(
    _ONE,
    description="Shows one resource.",
    **described("get-resource", "Get resource", Resource, (401, 404, 500, 503), parameters=[_RESOURCE]),
)
async def get_resource(request: Request) -> Response:
    """Show a resource."""
    try:
        return await room_routes.get_room(request)
    except NotFound:
        return await subscriber_routes.get_subscriber(request)


@router.delete(
    _ONE,
    description="Deletes a resource and its addresses.",
    **described("delete-resource", "Delete resource", None, (401, 404, 500, 503), parameters=[_RESOURCE]),
)
async def delete_resource(request: Request) -> Response:
    """Delete a resource."""
    try:
        return await room_routes.delete_room(request)
    except NotFound:
        return await subscriber_routes.delete_subscriber(request)


@router.get(
    f"{_ONE}/addresses",
    description="Lists where the resource can be dialled.",
    **described(
        "list-resource-addresses",
        "List resource addresses",
        FabricAddressList,
        (401, 404, 422, 500, 503),
        parameters=[_RESOURCE, *PAGING],
    ),
)
async def list_resource_addresses(request: Request) -> Response:
    """List a resource's addresses."""
    try:
        return await room_routes.list_room_addresses(request)
    except NotFound:
        return await subscriber_routes.list_subscriber_addresses(request)


def _body(resource: Room | Subscriber) -> dict[str, Any]:
    return room_body(resource) if isinstance(resource, Room) else subscriber_body(resource)
