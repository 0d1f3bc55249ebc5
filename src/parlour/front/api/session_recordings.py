"""``/api/video/room_sessions/{id}/recordings``: what was recorded of a session, and recording it."""

import asyncio
import logging
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from parlour.domain.errors import InvalidInput, NotAuthorized, NotFound, Problem, Unavailable
from parlour.domain.identity import made_at
from parlour.domain.live.capabilities import may
from parlour.domain.live.commands import Record, Recorded, Refused
from parlour.domain.token import ROOMS
from parlour.front.api.recording_schema import (
    MEDIA_TTL,
    ChangeRecordingRequest,
    RoomRecording,
    RoomRecordingList,
    StartRecordingRequest,
)
from parlour.front.api.room_recordings import LEADS_TO, shown
from parlour.front.api.room_sessions import PATH as SESSIONS
from parlour.front.api.room_sessions import SESSION, find_session, of_session
from parlour.front.bearer import admit_either
from parlour.front.body import read_object, read_object_or_nothing
from parlour.front.describe import PAGING, Lead, described, identifier
from parlour.front.errors import render
from parlour.front.front import Front, front_of
from parlour.front.listing import listed
from parlour.front.path import path_id
from parlour.front.problems import validate
from parlour.front.signalling.frames import Denied
from parlour.store import recordings, rooms
from parlour.store.recordings import Recording
from parlour.store.sessions import Session

PATH = f"{SESSIONS}/{{id}}/recordings"
FRESH_FOR_S = 30.0
"""For how long after its beginning a session may be on its way to the database."""
FRESH_TRIES, FRESH_S = 10, 0.1
"""How often such a session is looked for, and how long between: a second in all."""
_WAYS = ("ProjectToken", "JoinToken")

router = APIRouter(tags=["Room recordings"])
_RECORDING = identifier("recording_id", "the recording")

log = logging.getLogger("parlour.front")


@router.get(
    PATH,
    description="Lists a session's recordings, the newest first.",
    **described(
        "list-room-session-recordings",
        "List room session recordings",
        RoomRecordingList,
        (401, 404, 422, 500, 503),
        parameters=[SESSION, MEDIA_TTL, *PAGING],
        leads_to=LEADS_TO,
    ),
)
async def list_recordings(request: Request) -> Response:
    """List a session's recordings."""
    project = await front_of(request).gate.admit(request, ROOMS)
    show, filters = await shown(request)
    return await listed(request, project, of_session(request, recordings.of_session), show, **filters)


@router.post(
    PATH,
    description="Starts to record a session that goes on; everybody in it sees that. One recording at a time: where"
    " there is one already, this is refused with `invalid_state`.\n\nAn extension of the service's API. A join token"
    " does too, if it opens the room and has the capability `recording`.",
    **described(
        "start-room-recording",
        "Start room recording",
        RoomRecording,
        (401, 404, 413, 422, 500, 503),
        may_take=StartRecordingRequest,
        parameters=[SESSION],
        leads_to={
            "update-room-recording": Lead({"id": "/room_session_id", "recording_id": "/id"}),
            **dict.fromkeys(("get-room-recording", "list-room-recording-events"), Lead({"id": "/id"})),
        },
        status=201,
        security=_WAYS,
    ),
)
async def start_recording(request: Request) -> Response:
    """Start a recording."""
    front = front_of(request)
    session = await _admitted(request)
    await read_object_or_nothing(request)
    return await _answer(request, 201, await _ask(front, session, Record(str(session.id), "start"), None))


@router.put(
    f"{PATH}/{{recording_id}}",
    description="Pauses, resumes or stops a recording. What cannot be done to it now is refused with `invalid_state`."
    "\n\nAn extension of the service's API. A join token does too, if it opens the room and has the capability"
    " `recording`.",
    **described(
        "update-room-recording",
        "Pause, resume or stop room recording",
        RoomRecording,
        (401, 404, 413, 422, 500, 503),
        takes=ChangeRecordingRequest,
        parameters=[SESSION, _RECORDING],
        security=_WAYS,
    ),
)
async def change_recording(request: Request) -> Response:
    """Pause, resume or stop a recording."""
    front = front_of(request)
    session = await _admitted(request)
    given, _ = await read_object(request)
    action = validate(ChangeRecordingRequest, given).action
    try:
        key = UUID(request.path_params["recording_id"])
    except ValueError:
        raise NotFound from None
    before = await front.database.run(lambda connection: recordings.get(connection, session.project_id, key))
    return await _answer(request, 200, await _ask(front, session, Record(str(session.id), action, str(key)), before))


async def _admitted(request: Request) -> Session:
    """The session that the path names, for whoever may record it. Raises ``NotAuthorized`` and ``NotFound``."""
    front = front_of(request)
    project, ticket = await admit_either(request)
    if ticket is not None and not may(ticket.capabilities, "recording"):
        raise NotAuthorized("Bearer")
    session = await _fresh_session(request, project)
    if ticket is not None and ticket.addresses is not None:
        room = await front.database.run(lambda connection: rooms.with_room_id(connection, project, session.room_id))
        if room is None or not ticket.opens(room.address.id):
            raise NotFound
    return session


async def _fresh_session(request: Request, project: UUID) -> Session:
    """A session, also one that began so lately that it is on its way to the database still. Raises ``NotFound``."""
    age = front_of(request).now().timestamp() - made_at(path_id(request))
    for _ in range(FRESH_TRIES if abs(age) < FRESH_FOR_S else 0):
        try:
            return await find_session(request, project)
        except NotFound:
            await asyncio.sleep(FRESH_S)
    return await find_session(request, project)


async def _ask(front: Front, session: Session, command: Record, before: Recording | None) -> Recording:
    """Ask the room; the recording as it is then. ``before`` is what was known of it.

    Raises ``NotFound`` where the session is over or has no such recording, ``InvalidInput`` where that cannot be done
    to it now, ``Unavailable`` where the room does not answer.
    """
    try:
        reply = await front.switchboard.ask(session.room_id, command)
    except Denied as denied:
        raise Unavailable(str(denied)) from denied
    match reply:
        case Recorded(recording):
            since = before.told_at if before is not None else None
            found = recordings.as_told(recording, session.project_id, session.id, front.now())
            try:
                await front.database.write(lambda connection: recordings.note(connection, found, since))
            except Unavailable as error:
                log.warning("a recording is noted later, by the journal: %s", error)
            return found
        case Refused(code=404):
            raise NotFound
        case Refused(code=422):
            raise InvalidInput(Problem(reply.reason, reply.message))
        case Refused():
            raise Unavailable(reply.message)
        case _:
            raise Unavailable("the room answers something else")


async def _answer(request: Request, status: int, recording: Recording) -> Response:
    show, _ = await shown(request)
    return render(status, show(recording))
