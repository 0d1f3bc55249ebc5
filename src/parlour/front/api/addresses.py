"""Where a resource can be dialled: one address each, listed below the resource's own path."""

from starlette.requests import Request
from starlette.responses import Response

from parlour.domain.errors import NotFound
from parlour.domain.token import ROOMS
from parlour.front.api.address_schema import entry_body, live_sessions
from parlour.front.front import front_of
from parlour.front.listing import render_page
from parlour.front.paging import Asked
from parlour.front.path import path_id
from parlour.store import directory
from parlour.store.paging import Page


async def list_addresses_of(request: Request, kind: str | None = None) -> Response:
    """List the addresses of the resource that the path names, which has to be of that ``kind`` where one is given."""
    front = front_of(request)
    project = await front.gate.admit(request, ROOMS)
    resource = path_id(request)
    asked = Asked.read(request.query_params)
    entry = await front.database.run(lambda connection: directory.entry_of(connection, project, resource, kind))
    if entry is None:
        raise NotFound
    shown = [entry] if asked.position.holds(entry.id) else []
    origin, live = front.origin(request), await live_sessions(front, shown)
    return render_page(request, asked, Page(shown, None, None), lambda one: entry_body(one, origin, live))
