"""``/api/video/room_recordings``: what was recorded, whatever room it is of."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from parlour.domain.errors import InvalidInput, NotFound, Problem
from parlour.domain.token import ROOMS
from parlour.front.api.recording_schema import (
    MEDIA_TTL,
    RoomRecording,
    RoomRecordingList,
    media_ttl,
    recording_body,
)
from parlour.front.api.session_schema import RoomSessionEventList, event_body
from parlour.front.describe import PAGING, Lead, described, identifier
from parlour.front.errors import render
from parlour.front.front import front_of
from parlour.front.links import RECORDINGS
from parlour.front.listing import listed
from parlour.front.path import path_id
from parlour.front.sweep import remove_file
from parlour.store import recordings, sessions
from parlour.store.paging import Page, Position
from parlour.store.recordings import Recording
from parlour.store.sessions import SessionEvent

PATH = RECORDINGS

router = APIRouter(tags=["Room recordings"])
RECORDING = identifier("id", "the recording")
LEADS_TO = dict.fromkeys(
    ("get-room-recording", "delete-room-recording", "list-room-recording-events"), Lead({"id": "/data/0/id"})
)


@router.get(
    PATH,
    description="Lists the project's recordings, the newest first.",
    **described(
        "list-room-recordings",
        "List room recordings",
        RoomRecordingList,
        (401, 422, 500, 503),
        parameters=[MEDIA_TTL, *PAGING],
        leads_to=LEADS_TO,
    ),
)
async def list_recordings(request: Request) -> Response:
    """List recordings."""
    project = await front_of(request).gate.admit(request, ROOMS)
    show, filters = await shown(request)
    return await listed(request, project, recordings.page, show, **filters)


@router.get(
    f"{PATH}/{{id}}",
    description="Shows one recording, with a link to its file once that is there.",
    **described(
        "get-room-recording",
        "Get room recording",
        RoomRecording,
        (401, 404, 422, 500, 503),
        parameters=[RECORDING, MEDIA_TTL],
    ),
)
async def get_recording(request: Request) -> Response:
    """Show a recording."""
    project = await front_of(request).gate.admit(request, ROOMS)
    show, _ = await shown(request)
    return render(200, show(await find_recording(request, project)))


@router.delete(
    f"{PATH}/{{id}}",
    description="Deletes a recording and its file. One that is not finished is refused with `invalid_state`: stop it"
    " first.",
    **described(
        "delete-room-recording", "Delete room recording", None, (401, 404, 422, 500, 503), parameters=[RECORDING]
    ),
)
async def delete_recording(request: Request) -> Response:
    """Delete a recording. From then on it is gone; where the store is away, its file follows later."""
    front = front_of(request)
    project = await front.gate.admit(request, ROOMS)
    recording = await find_recording(request, project)
    now = front.now()
    if not await front.database.write(lambda connection: recordings.delete(connection, project, recording.id, now)):
        recording = await find_recording(request, project)  # somebody else may have deleted it
        raise InvalidInput(
            Problem("invalid_state", f"The recording is {recording.status.value}: only a finished one can be deleted.")
        )
    await remove_file(front.database, front.objects, recording.id, recording.key)
    return Response(status_code=204)


@router.get(
    f"{PATH}/{{id}}/events",
    description="Lists what happened to a recording, the latest first.",
    **described(
        "list-room-recording-events",
        "List room recording events",
        RoomSessionEventList,
        (401, 404, 422, 500, 503),
        parameters=[RECORDING, *PAGING],
    ),
)
async def list_events(request: Request) -> Response:
    """List a recording's events."""
    project = await front_of(request).gate.admit(request, ROOMS)
    key = path_id(request)

    def read(connection: sa.Connection, project: UUID, position: Position, size: int) -> Page[SessionEvent]:
        if recordings.get(connection, project, key) is None:
            raise NotFound
        return sessions.events_of_recording(connection, key, position, size)

    return await listed(request, project, read, event_body)


async def find_recording(request: Request, project: UUID) -> Recording:
    """The project's recording that the path names. Raises ``NotFound``."""
    key = path_id(request)
    recording = await front_of(request).database.run(lambda connection: recordings.get(connection, project, key))
    if recording is None:
        raise NotFound
    return recording


async def shown(request: Request) -> tuple[Callable[[Recording], dict[str, Any]], dict[str, str]]:
    """How to show recordings, with links as the request wants them, and what it said of that.

    Raises ``InvalidInput``.
    """
    front = front_of(request)
    given = request.query_params.get("media_ttl")
    life, origin = media_ttl(given), front.origin(request)
    await front.file_links.ready()

    def show(recording: Recording) -> dict[str, Any]:
        uri = front.file_links.url(origin, recording.id, life) if recording.key else None
        return recording_body(recording, uri)

    return show, {} if given is None else {"media_ttl": given}
