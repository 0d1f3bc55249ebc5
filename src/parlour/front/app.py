"""The front's application, put together."""

import asyncio
import functools
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from uuid import UUID

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from parlour import __version__
from parlour.bus.rooms import BusRooms
from parlour.front import documents, door, on_air, open_rooms, web
from parlour.front.access_log import AccessLog
from parlour.front.api import (
    directory,
    embeds,
    join_tokens,
    previews,
    recording_file,
    resources,
    room_recordings,
    room_sessions,
    rooms,
    service,
    session_recordings,
    subscribers,
    tokens,
)
from parlour.front.auth import Gate
from parlour.front.cors import Cors
from parlour.front.errors import HANDLERS
from parlour.front.front import Front, utc_now
from parlour.front.links import FileLinks
from parlour.front.metrics import Metrics
from parlour.front.objects import Objects
from parlour.front.observe import Observe
from parlour.front.openapi import api_document
from parlour.front.signalling.rooms import NoRooms
from parlour.front.signalling.socket import signalling
from parlour.front.signalling.switchboard import Switchboard
from parlour.front.tickets import Tickets
from parlour.store.database import Database

DESCRIPTION = """\
Parlour's REST API. A room made here is a place where people meet: everybody sees one composed picture and hears one
sound. Authenticate with HTTP Basic: the project's id and an API token.

Every answer carries an `X-Request-ID`. Times are UTC.
"""


class Answering:
    """A handler as the router calls it.

    Starlette would do the same for a plain function, and once more catch refusals around it, in four calls that every
    request goes through: they are caught around all handlers already.
    """

    def __init__(self, handler: Callable[[Request], Awaitable[Response]]) -> None:
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        response = await self._handler(Request(scope, receive, send))
        await response(scope, receive, send)


def _loop() -> dict[str, float]:
    """What the event loop has to do; called on it."""
    return {"tasks": len(asyncio.all_tasks())}


def build_app(
    database: Database,
    *,
    public_url: str | None = None,
    lenient_create: bool = False,
    log_requests: bool = False,
    now: Callable[[], datetime] = utc_now,
    monotonic: Callable[[], float] = time.monotonic,
    switchboard: Switchboard | None = None,
    bus: BusRooms | None = None,
    open_project: UUID | None = None,
    objects: Objects | None = None,
    figures: Mapping[str, Callable[[], dict[str, float]]] | None = None,
) -> ASGIApp:
    """The application over a migrated database. The clocks are given so that tests can hold them.

    Without a ``switchboard`` nobody can join a room. ``bus`` is where its rooms live, for ``/metrics``, as are
    ``figures`` of what else runs. The rooms of ``open_project`` can be joined without an invitation. Without
    ``objects`` there are no files of recordings.
    """
    gate = Gate(database, monotonic)
    if switchboard is None:
        switchboard = Switchboard(database, Tickets(database, now), NoRooms())
    sources = {"database": database.statistics, "gate": gate.statistics, "signalling": switchboard.statistics}
    objects = objects or Objects("memory:///")
    sources |= {"objects": objects.statistics, "loop": _loop, **(figures or {})}
    if bus is not None:
        sources["bus"] = bus.statistics
    doors = open_rooms.OpenRooms(open_project, monotonic) if open_project is not None else None
    if doors is not None:
        sources["open_rooms"] = doors.statistics
    access = AccessLog(sys.stderr) if log_requests else None
    if access is not None:
        sources["access_log"] = access.statistics
    metrics = Metrics(bus.workers if bus is not None else None, **sources)
    described = FastAPI(
        title="Parlour",
        version=__version__,
        summary="Conference rooms on your own server.",
        description=DESCRIPTION,
    )
    # Rooms and subscribers before resources: their paths are the longer ones.
    parts = (
        *(rooms, subscribers, resources, join_tokens, embeds, directory, tokens),
        *(room_sessions, session_recordings, room_recordings, recording_file, previews),
        *(service, documents, door, on_air, open_rooms, web),
    )
    for part in parts:
        described.include_router(part.router)
    # FastAPI describes the routes; Starlette serves them, at a third of the cost a request.
    routes = [
        Route(route.path, Answering(route.endpoint), methods=sorted(route.methods or ()))
        for part in parts
        for route in part.router.routes
        if isinstance(route, Route)
    ]
    app = Starlette(exception_handlers=HANDLERS)
    app.router.routes.extend((*routes, WebSocketRoute("/", signalling)))
    app.router.redirect_slashes = False
    document = functools.cache(lambda: api_document(described))
    app.state.front = Front(
        database,
        gate,
        metrics,
        document,
        public_url,
        lenient_create,
        switchboard.tickets,
        FileLinks(database, now),
        objects,
        switchboard,
        now,
        routes,
        doors,
    )
    return Observe(Cors(app), metrics, access)
