"""What the bearer of a join token can see: the addresses to dial, and who the bearer is."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from parlour.domain.errors import InvalidInput, NotAuthorized, NotFound, Problem
from parlour.domain.subscriber import Profile
from parlour.domain.ticket import Ticket
from parlour.front.api.address_schema import LEADS_TO, FabricAddress, FabricAddressList, entry_body, live_sessions
from parlour.front.api.subscriber_schema import SubscriberInfo, profile_body
from parlour.front.bearer import admit_bearer, admit_either
from parlour.front.describe import PAGING, described, identifier
from parlour.front.errors import render
from parlour.front.front import front_of
from parlour.front.listing import gone_page, render_page
from parlour.front.paging import Asked
from parlour.front.path import path_id
from parlour.store import directory, subscribers
from parlour.store.directory import ROOM, SUBSCRIBER, Wanted

PATH = "/api/fabric/addresses"
INFO_PATH = "/api/fabric/subscriber/info"
SORTS = ("name", "display_name", "created_at")
ORDERS = ("asc", "desc")
KINDS = (ROOM, SUBSCRIBER, "app", "call")
FILTER_MAX = 200
_WAYS = ("JoinToken", "ProjectToken")

router = APIRouter(tags=["Addresses"])
_ADDRESS = identifier("id", "the address")


def _query(name: str, description: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": {"type": "string", **schema}}


FILTERS = [
    _query("name", "Only the address of that name, with or without its context.", maxLength=FILTER_MAX),
    _query("type", "Only addresses of that kind; there are none of `app` and `call`.", enum=list(KINDS)),
    _query("display_name", "Only addresses with this in their display name, in any case.", maxLength=FILTER_MAX),
    _query("sort_by", "What to sort by.", enum=list(SORTS), default="created_at"),
    _query("sort_order", "Up or down.", enum=list(ORDERS), default="desc"),
]


@router.get(
    PATH,
    description="Lists the addresses that the caller may see: a subscriber or an API token all of the project, anybody"
    " else those that the token opens.",
    **described(
        "list-addresses",
        "List addresses",
        FabricAddressList,
        (401, 422, 500, 503),
        parameters=[*FILTERS, *PAGING],
        leads_to=LEADS_TO,
        security=_WAYS,
    ),
)
async def list_addresses(request: Request) -> Response:
    """List addresses."""
    project, ticket = await admit_either(request)
    wanted, filters = _wanted(request, ticket)
    front, asked = front_of(request), Asked.read(request.query_params)
    page = await front.database.run(
        lambda connection: directory.page(connection, project, asked.position, asked.size, wanted)
    )
    if page is None:
        raise gone_page()
    origin, live = front.origin(request), await live_sessions(front, page.items)
    return render_page(request, asked, page, lambda entry: entry_body(entry, origin, live), **filters)


@router.get(
    f"{PATH}/{{id}}",
    description="Shows one address.",
    **described(
        "get-address", "Get address", FabricAddress, (401, 404, 500, 503), parameters=[_ADDRESS], security=_WAYS
    ),
)
async def get_address(request: Request) -> Response:
    """Show an address."""
    front = front_of(request)
    project, ticket = await admit_either(request)
    address = path_id(request)
    found = await front.database.run(lambda connection: directory.find(connection, project, frozenset({address})))
    if address not in found or (ticket is not None and not ticket.opens(address)):
        raise NotFound
    live = await live_sessions(front, [found[address]])
    return render(200, entry_body(found[address], front.origin(request), live))


@router.get(
    INFO_PATH,
    description="Says whom a token stands for.",
    **described("get-subscriber-info", "Get subscriber info", SubscriberInfo, (401, 500, 503), security=("JoinToken",)),
)
async def subscriber_info(request: Request) -> Response:
    """Say who the bearer is; guests have no profile, only addresses."""
    front = front_of(request)
    ticket = await admit_bearer(request)
    origin = front.origin(request)
    if ticket.subscriber is None:
        opened = ticket.addresses or frozenset()
        found = await front.database.run(lambda connection: directory.find(connection, ticket.project, opened))
        live = await live_sessions(front, found.values())
        bodies = [entry_body(one, origin, live) for one in found.values()]
        return render(200, _info(ticket, _nobody(ticket), bodies))
    key = ticket.subscriber
    subscriber, entry = await front.database.run(
        lambda connection: (
            subscribers.get(connection, ticket.project, key),
            directory.entry_of(connection, ticket.project, key),
        )
    )
    if subscriber is None or entry is None:
        raise NotAuthorized("Bearer")
    return render(200, _info(ticket, profile_body(subscriber), [entry_body(entry, origin, {})]))


def _info(ticket: Ticket, profile: dict[str, Any], addresses: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        **profile,
        "push_notification_key": "",
        "app_settings": {"display_name": "Parlour", "scopes": list(ticket.capabilities)},
        "fabric_addresses": addresses,
    }


def _nobody(ticket: Ticket) -> dict[str, Any]:
    blank = dict.fromkeys(Profile.__dataclass_fields__, "")
    return {**blank, "id": ticket.id, "email": "", "reference": "", "display_name": ticket.name or "Guest"}


def _wanted(request: Request, ticket: Ticket | None) -> tuple[Wanted, dict[str, str]]:
    """What to list, and the filters as they were given. Raises ``InvalidInput``."""
    query = request.query_params
    problems: list[Problem] = []
    given = {name: query[name] for name in ("name", "type", "display_name", "sort_by", "sort_order") if name in query}
    for name, known, code in (
        ("type", KINDS, "invalid_parameter"),
        ("sort_by", SORTS, "sort_order_validations"),
        ("sort_order", ORDERS, "sort_order_validations"),
    ):
        if name in given and given[name] not in known:
            problems.append(Problem(code, f"{name} must be one of {', '.join(known)}", name))
    problems += [
        Problem("invalid_parameter_value", f"{name} must be at most {FILTER_MAX} characters without NUL", name)
        for name in ("name", "display_name")
        if len(given.get(name, "")) > FILTER_MAX or "\0" in given.get(name, "")
    ]
    if problems:
        raise InvalidInput(*problems)
    wanted_name, kind = given.get("name") or None, given.get("type")
    if wanted_name is not None and wanted_name.startswith("/"):
        context, _, rest = wanted_name[1:].partition("/")
        wanted_name = rest.partition("?")[0]
        kind = kind or {"public": ROOM, "private": SUBSCRIBER}.get(context, context)
    return (
        Wanted(
            wanted_name,
            kind,
            given.get("display_name"),
            ticket.addresses if ticket is not None else None,
            given.get("sort_by", "created_at"),
            given.get("sort_order", "desc") == "asc",
        ),
        given,
    )
