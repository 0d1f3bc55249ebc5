"""``/api/video/room_sessions``: what went on in the rooms, and what goes on."""

from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from parlour.domain.errors import InvalidInput, NotFound, Problem
from parlour.domain.token import ROOMS
from parlour.front.api.session_schema import (
    COMPLETED,
    IN_PROGRESS,
    RoomSessionEventList,
    RoomSessionList,
    RoomSessionMemberList,
    RoomSessionSummary,
    event_body,
    listed_session_body,
    member_body,
    session_body,
)
from parlour.front.describe import PAGING, Lead, described, identifier
from parlour.front.errors import render
from parlour.front.front import front_of
from parlour.front.links import SESSIONS
from parlour.front.listing import Fetch, listed
from parlour.front.path import path_id
from parlour.store import sessions
from parlour.store.paging import Page, Position
from parlour.store.sessions import Session, Wanted

PATH = SESSIONS
FILTER_MAX = 200

Item = TypeVar("Item")

router = APIRouter(tags=["Room sessions"])
SESSION = identifier("id", "the session")
_FIRST = Lead({"id": "/data/0/id"})
_LEADS_TO = dict.fromkeys(
    (
        "get-room-session",
        "list-room-session-members",
        "list-room-session-events",
        "list-room-session-recordings",
        "start-room-recording",
    ),
    _FIRST,
)


def _query(name: str, description: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": {"type": "string", **schema}}


FILTERS = [
    _query("room_id", "Only sessions of this room, as `conference_room.id`.", format="uuid"),
    _query("room_name", "Only sessions of rooms of this name.", maxLength=FILTER_MAX),
    _query("room_name_matches", "Only sessions of rooms with this in their name, in any case.", maxLength=FILTER_MAX),
    _query("status", "Only sessions that go on, or only those that are over.", enum=[IN_PROGRESS, COMPLETED]),
]


@router.get(
    PATH,
    description="Lists the project's sessions, the newest first.",
    **described(
        "list-room-sessions",
        "List room sessions",
        RoomSessionList,
        (401, 422, 500, 503),
        parameters=[*FILTERS, *PAGING],
        leads_to=_LEADS_TO,
    ),
)
async def list_sessions(request: Request) -> Response:
    """List sessions."""
    front = front_of(request)
    project = await front.gate.admit(request, ROOMS)
    wanted, filters = _wanted(request)
    origin = front.origin(request)
    return await listed(
        request,
        project,
        partial(sessions.page, wanted=wanted),
        lambda session: listed_session_body(session, origin),
        **filters,
    )


@router.get(
    f"{PATH}/{{id}}",
    description="Shows one session.",
    **described("get-room-session", "Get room session", RoomSessionSummary, (401, 404, 500, 503), parameters=[SESSION]),
)
async def get_session(request: Request) -> Response:
    """Show a session."""
    front = front_of(request)
    project = await front.gate.admit(request, ROOMS)
    return render(200, session_body(await find_session(request, project), front.origin(request)))


@router.get(
    f"{PATH}/{{id}}/members",
    description="Lists who is or was in a session, the last to come first. A shared screen is one too, as `type` says.",
    **described(
        "list-room-session-members",
        "List room session members",
        RoomSessionMemberList,
        (401, 404, 422, 500, 503),
        parameters=[SESSION, *PAGING],
    ),
)
async def list_members(request: Request) -> Response:
    """List a session's members."""
    project = await front_of(request).gate.admit(request, ROOMS)
    return await listed(request, project, of_session(request, sessions.members), member_body)


@router.get(
    f"{PATH}/{{id}}/events",
    description="Lists what happened in a session, the latest first.",
    **described(
        "list-room-session-events",
        "List room session events",
        RoomSessionEventList,
        (401, 404, 422, 500, 503),
        parameters=[SESSION, *PAGING],
    ),
)
async def list_events(request: Request) -> Response:
    """List a session's events."""
    project = await front_of(request).gate.admit(request, ROOMS)
    return await listed(request, project, of_session(request, sessions.events), event_body)


async def find_session(request: Request, project: UUID) -> Session:
    """The project's session that the path names. Raises ``NotFound``."""
    key = path_id(request)
    session = await front_of(request).database.run(lambda connection: sessions.get(connection, project, key))
    if session is None:
        raise NotFound
    return session


def of_session(request: Request, fetch: Fetch[Item]) -> Fetch[Item]:
    """Reads a page of what belongs to the session that the path names. Raises ``NotFound``."""
    key = path_id(request)

    def read(connection: sa.Connection, project: UUID, position: Position, size: int) -> Page[Item] | None:
        if sessions.get(connection, project, key) is None:
            raise NotFound
        return fetch(connection, key, position, size)

    return read


def _wanted(request: Request) -> tuple[Wanted, dict[str, str]]:
    """What to list, and the filters as they were given. Raises ``InvalidInput``."""
    query = request.query_params
    names = [parameter["name"] for parameter in FILTERS]
    given = {name: query[name] for name in names if name in query}
    problems: list[Problem] = []
    room_id = None
    if "room_id" in given:
        try:
            room_id = UUID(given["room_id"])
        except ValueError:
            problems.append(Problem("not_an_id", "room_id must be a UUID", "room_id"))
    problems += [
        Problem("invalid_parameter_value", f"{name} must be at most {FILTER_MAX} characters without NUL", name)
        for name in ("room_name", "room_name_matches")
        if len(given.get(name, "")) > FILTER_MAX or "\0" in given.get(name, "")
    ]
    status = given.get("status")
    if status not in {None, IN_PROGRESS, COMPLETED}:
        problems.append(Problem("invalid_parameter", f"status must be {IN_PROGRESS} or {COMPLETED}", "status"))
    if problems:
        raise InvalidInput(*problems)
    in_progress = None if status is None else status == IN_PROGRESS
    return Wanted(room_id, given.get("room_name"), given.get("room_name_matches"), in_progress), given
