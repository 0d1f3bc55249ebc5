"""``/api/fabric/resources/conference_rooms``: make, show, list, change and delete rooms."""

import hashlib
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from parlour.domain.address import Address
from parlour.domain.errors import InvalidInput, NotFound, Problem
from parlour.domain.live.commands import Change, Shut
from parlour.domain.room import Room, RoomSettings
from parlour.domain.token import ROOMS
from parlour.front.api.address_schema import LEADS_TO
from parlour.front.api.addresses import list_addresses_of
from parlour.front.api.room_schema import (
    ConferenceRoomCreateRequest,
    ConferenceRoomList,
    ConferenceRoomResponse,
    ConferenceRoomUpdateRequest,
    FabricAddressRoomList,
    LenientCreateRequest,
    named,
    room_body,
)
from parlour.front.body import read_object
from parlour.front.describe import BY_ID, PAGING, described, identifier
from parlour.front.errors import render, to_json
from parlour.front.front import Front, front_of, random_id
from parlour.front.header import header
from parlour.front.listing import listed
from parlour.front.path import path_id
from parlour.front.problems import validate
from parlour.front.slug import slug_of
from parlour.store import replies, rooms
from parlour.store.directory import ROOM

PATH = "/api/fabric/resources/conference_rooms"
KEY_MAX = 255

router = APIRouter(tags=["Conference rooms"])
_ROOM = identifier("id", "the room, as `id` of its answer, not of `conference_room`")
_LEADS_TO = dict.fromkeys(
    (
        "get-conference-room",
        "update-conference-room",
        "delete-conference-room",
        "list-conference-room-addresses",
        "list-conference-room-addresses-plural",
        "get-resource",
        "list-resource-addresses",
    ),
    BY_ID,
)
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Makes a retry safe: the same key with the same body within 24 hours gives the first answer again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": KEY_MAX, "pattern": "^[!-~]+$"},
}


@router.post(
    PATH,
    description="Makes a room. Running the same request twice makes two rooms of one name, at two addresses.\n\n"
    "The API token needs one of the permissions `calling`, `messaging`, `fax` or `video`.",
    **described(
        "create-conference-room",
        "Create conference room",
        ConferenceRoomResponse,
        (401, 404, 413, 422, 500, 503),
        takes=ConferenceRoomCreateRequest,
        parameters=[_KEY],
        leads_to=_LEADS_TO,
    ),
)
async def create_room(request: Request) -> Response:
    """Make a room."""
    front = front_of(request)
    project = await front.gate.admit(request, ROOMS)
    key = _idempotency_key(request)
    given, raw = await read_object(request)
    model = LenientCreateRequest if front.lenient_create else ConferenceRoomCreateRequest
    values = named(validate(model, given))
    values.setdefault("enable_room_previews", False)
    now = front.now()
    room = Room(front.new_id(), project, random_id(), Address(random_id(), ""), RoomSettings.created(values), now, now)
    slug = slug_of(room.settings.name)
    if key is None:
        return render(200, room_body(await rooms.create_alone(front.database, room, slug)))
    claim = replies.Claim(project, key, hashlib.sha256(raw).digest(), now)
    answer = await front.database.transact(
        lambda connection: replies.answer_once(
            connection, claim, lambda inner: to_json(room_body(rooms.create(inner, room, slug)))
        )
    )
    if answer is None:
        raise InvalidInput(
            Problem("invalid_parameter_value", "this Idempotency-Key was used for another request", "Idempotency-Key")
        )
    return Response(answer, media_type="application/json")


@router.get(
    PATH,
    description="Lists the project's rooms, the newest first.",
    **described(
        "list-conference-rooms", "List conference rooms", ConferenceRoomList, (401, 422, 500, 503), parameters=PAGING
    ),
)
async def list_rooms(request: Request) -> Response:
    """List rooms."""
    project = await front_of(request).gate.admit(request, ROOMS)
    return await listed(request, project, rooms.page, room_body, type="conference_room")


@router.get(
    f"{PATH}/{{id}}",
    description="Shows one room.",
    **described(
        "get-conference-room",
        "Get conference room",
        ConferenceRoomResponse,
        (401, 404, 500, 503),
        parameters=[_ROOM],
    ),
)
async def get_room(request: Request) -> Response:
    """Show a room."""
    project = await front_of(request).gate.admit(request, ROOMS)
    return render(200, room_body(await find_room(request, project)))


@router.put(
    f"{PATH}/{{id}}",
    description="Changes a room. Fields that are not named keep their values; `null` clears those that can be null.\n\n"
    "A live room has the change once this is answered; `quality` and `fps` are those of its next session.",
    **described(
        "update-conference-room",
        "Update conference room",
        ConferenceRoomResponse,
        (401, 404, 413, 422, 500, 503),
        takes=ConferenceRoomUpdateRequest,
        parameters=[_ROOM],
    ),
)
async def update_room(request: Request) -> Response:
    """Change a room."""
    front = front_of(request)
    project = await front.gate.admit(request, ROOMS)
    room_id = path_id(request)
    given, _ = await read_object(request)
    values = named(validate(ConferenceRoomUpdateRequest, given))
    room = await front.database.transact(
        lambda connection: rooms.update(
            connection, project, room_id, lambda settings: settings.updated(values), slug_of, front.now()
        )
    )
    if room is None:
        raise NotFound
    await front.switchboard.notices.tell(room.room_id, Change(room))
    return render(200, room_body(room))


@router.delete(
    f"{PATH}/{{id}}",
    description="Deletes a room and its address. Whoever is in is removed.",
    **described("delete-conference-room", "Delete conference room", None, (401, 404, 500, 503), parameters=[_ROOM]),
)
async def delete_room(request: Request) -> Response:
    """Delete a room."""
    front = front_of(request)
    project = await front.gate.admit(request, ROOMS)
    room = await find_room(request, project)
    await forget_room(front, room)
    return Response(status_code=204)


@router.get(
    f"{PATH}/{{id}}/addresses",
    description="Lists where the room can be dialled.",
    **described(
        "list-conference-room-addresses-plural",
        "List conference room addresses",
        FabricAddressRoomList,
        (401, 404, 422, 500, 503),
        parameters=[_ROOM, *PAGING],
        leads_to=LEADS_TO,
    ),
)
@router.get(
    "/api/fabric/resources/conference_room/{id}/addresses",
    description="Lists where the room can be dialled. The documented path: `conference_room` in the singular.",
    **described(
        "list-conference-room-addresses",
        "List conference room addresses",
        FabricAddressRoomList,
        (401, 404, 422, 500, 503),
        parameters=[_ROOM, *PAGING],
        leads_to=LEADS_TO,
    ),
)
async def list_room_addresses(request: Request) -> Response:
    """List a room's addresses: there is one."""
    return await list_addresses_of(request, ROOM)


async def forget_room(front: Front, room: Room) -> None:
    """Delete a room and end its session. Raises ``NotFound`` where it is gone already."""
    if not await front.database.write(lambda connection: rooms.delete(connection, room.project_id, room.id)):
        raise NotFound
    await front.switchboard.notices.tell(room.room_id, Shut())


async def find_room(request: Request, project: UUID) -> Room:
    """The project's room that the path names. Raises ``NotFound``."""
    room_id = path_id(request)
    room = await rooms.get(front_of(request).database, project, room_id)
    if room is None:
        raise NotFound
    return room


def _idempotency_key(request: Request) -> str | None:
    key = header(request, b"idempotency-key")
    if key is None:
        return None
    if 0 < len(key) <= KEY_MAX and key.isascii() and key.isprintable() and " " not in key:
        return key
    raise InvalidInput(
        Problem(
            "invalid_parameter_value",
            f"Idempotency-Key must be 1 to {KEY_MAX} printable ASCII characters without a space",
            "Idempotency-Key",
        )
    )
