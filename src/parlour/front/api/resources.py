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
from parlour.front.api.address_schema import LEADS_TO, FabricAddressList
from parlour.front.api.addresses import list_addresses_of
from parlour.front.api.room_schema import ConferenceRoomResponse, room_body
from parlour.front.api.rooms import forget_room
from parlour.front.api.subscriber_schema import SubscriberResponse, subscriber_body
from parlour.front.describe import PAGING, Links, described, identifier
from parlour.front.errors import render
from parlour.front.front import front_of
from parlour.front.listing import listed
from parlour.front.path import path_id
from parlour.store import directory, rooms

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
    project = await front_of(request).gate.admit(request, ROOMS)
    return await listed(request, project, directory.resources, _body)


@router.get(
    _ONE,
    description="Shows one resource.",
    **described("get-resource", "Get resource", Resource, (401, 404, 500, 503), parameters=[_RESOURCE]),
)
async def get_resource(request: Request) -> Response:
    """Show a resource."""
    front = front_of(request)
    project = await front.gate.admit(request, ROOMS)
    key = path_id(request)
    resource = await directory.resource(front.database, project, key)
    if resource is None:
        raise NotFound
    return render(200, _body(resource))


@router.delete(
    _ONE,
    description="Deletes a resource and its addresses.",
    **described("delete-resource", "Delete resource", None, (401, 404, 500, 503), parameters=[_RESOURCE]),
)
async def delete_resource(request: Request) -> Response:
    """Delete a resource."""
    front = front_of(request)
    project = await front.gate.admit(request, ROOMS)
    key = path_id(request)
    room = await rooms.get(front.database, project, key)
    if room is not None:
        await forget_room(front, room)
    elif not await front.database.write(lambda connection: directory.delete(connection, project, key)):
        raise NotFound
    return Response(status_code=204)


@router.get(
    f"{_ONE}/addresses",
    description="Lists where the resource can be dialled.",
    **described(
        "list-resource-addresses",
        "List resource addresses",
        FabricAddressList,
        (401, 404, 422, 500, 503),
        parameters=[_RESOURCE, *PAGING],
        leads_to=LEADS_TO,
    ),
)
async def list_resource_addresses(request: Request) -> Response:
    """List a resource's addresses."""
    return await list_addresses_of(request)


def _body(resource: Room | Subscriber) -> dict[str, Any]:
    return room_body(resource) if isinstance(resource, Room) else subscriber_body(resource)
