"""Who calls with a join token: ``Authorization: Bearer``, as browsers do."""

from uuid import UUID

from starlette.requests import Request

from parlour.domain.errors import NotAuthorized
from parlour.domain.ticket import Ticket
from parlour.domain.token import ROOMS
from parlour.front.front import front_of
from parlour.front.tickets import BadToken


async def admit_bearer(request: Request) -> Ticket:
    """The ticket that a request carries. Raises ``NotAuthorized`` unless it is good."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise NotAuthorized("Bearer")
    try:
        return await front_of(request).switchboard.admit(token.strip())
    except BadToken:
        raise NotAuthorized("Bearer") from None


async def admit_either(request: Request) -> tuple[UUID, Ticket | None]:
    """The project in whose name a request comes, and the ticket where it carries one rather than an API token.

    Raises ``NotAuthorized``.
    """
    if request.headers.get("authorization", "")[:7].lower() == "bearer ":
        ticket = await admit_bearer(request)
        return ticket.project, ticket
    return await front_of(request).gate.admit(request, ROOMS), None
