"""The front's application, put together."""

import functools
import time
from collections.abc import Callable
from datetime import datetime

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from parlour import __version__
from parlour.front import documents
from parlour.front.api import resources, rooms, service, tokens
from parlour.front.auth import Gate
from parlour.front.errors import HANDLERS
from parlour.front.front import Front, utc_now
from parlour.front.metrics import Metrics
from parlour.front.observe import Observe
from parlour.front.openapi import api_document
from parlour.store.database import Database

DESCRIPTION = """\
Parlour's REST API. A room made here is a place where people meet: everybody sees one composed picture and hears one
sound. Authenticate with HTTP Basic: the project's id and an API token.

Every answer carries an `X-Request-ID`. Times are UTC.
"""


def build_app(
    database: Database,
    *,
    public_url: str | None = None,
    lenient_create: bool = False,
    log_requests: bool = False,
    now: Callable[[], datetime] = utc_now,
    monotonic: Callable[[], float] = time.monotonic,
) -> ASGIApp:
    """The application over a migrated database. The clocks are given so that tests can hold them."""
    gate = Gate(database, monotonic)
    metrics = Metrics(database=database.statistics, gate=gate.statistics)
    described = FastAPI(
        title="Parlour",
        version=__version__,
        summary="Conference rooms on your own server.",
        description=DESCRIPTION,
    )
    # Rooms before resources: their paths are the longer ones.
    routers = (rooms.router, resources.router, tokens.router, service.router, documents.router)
    for router in routers:
        described.include_router(router)
    # FastAPI describes the routes; Starlette serves them, at a third of the cost a request.
    routes = [
        Route(route.path, route.endpoint, methods=sorted(route.methods or ()))
        for router in routers
        for route in router.routes
        if isinstance(route, Route)
    ]
    app = Starlette(exception_handlers=HANDLERS)
    app.router.routes.extend(routes)
    app.router.redirect_slashes = False
    document = functools.cache(lambda: api_document(described))
    app.state.front = Front(database, gate, metrics, document, public_url, lenient_create, now, routes)
    return Observe(app, metrics, log_requests=log_requests)
