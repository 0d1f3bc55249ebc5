"""Tokens to join with: for subscribers, for guests, by invitation, for the visitors of a page."""

from dataclasses import fields
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from parlour.domain.address import Address
from parlour.domain.errors import InvalidInput, NotAuthorized, NotFound, Problem
from parlour.domain.subscriber import Profile, Subscriber
from parlour.domain.ticket import LIFE_MAX_S, LIFE_S, Bearer, Ticket
from parlour.domain.token import ROOMS, digest
from parlour.front.api.join_token_schema import (
    EmbedTokenRequest,
    GuestTokenRequest,
    InviteTokenRequest,
    JoinToken,
    RefreshTokenRequest,
    SubscriberTokenRequest,
    SubscriberTokens,
    TokenPair,
)
from parlour.front.bearer import admit_either
from parlour.front.body import read_object
from parlour.front.describe import Lead, described
from parlour.front.errors import render
from parlour.front.front import Front, front_of, random_id
from parlour.front.passwords import hash_password
from parlour.front.problems import validate
from parlour.front.slug import slug_of
from parlour.front.tickets import BadToken, OldToken, Use
from parlour.store import directory, embeds, subscribers

PREFIX = "/api/fabric"
FAILURES = (401, 413, 422, 500, 503)
PROFILE = tuple(field.name for field in fields(Profile))

router = APIRouter(tags=["Join tokens"])
_REFRESH = {"refresh-subscriber-token": Lead(body={"refresh_token": "/refresh_token"})}
_WHO = Lead({"id": "/subscriber_id"})
# The last two take the token itself, as bearer.
_SUBSCRIBER_LEADS_TO = {
    **_REFRESH,
    "get-subscriber": _WHO,
    "list-subscriber-addresses": _WHO,
    "get-subscriber-info": Lead(),
    "list-addresses": Lead(),
}


@router.post(
    f"{PREFIX}/subscribers/tokens",
    description="Makes a token for a subscriber, who is made known on first use and may dial every room of the project"
    " as a moderator. The same `reference` is always the same person.",
    **described(
        "create-subscriber-token",
        "Create subscriber token",
        SubscriberTokens,
        FAILURES,
        takes=SubscriberTokenRequest,
        leads_to=_SUBSCRIBER_LEADS_TO,
    ),
)
async def create_subscriber_token(request: Request) -> Response:
    """Make tokens for a subscriber."""
    front = front_of(request)
    project = await front.gate.admit(request, ROOMS)
    given, _ = await read_object(request)
    values = validate(SubscriberTokenRequest, given).model_dump(exclude_unset=True)
    expires_at = _expiry(front, values.pop("expire_at", None), "expire_at")
    password = values.pop("password", "")
    password_hash = await hash_password(password) if password else None
    subscriber = await front.database.transact(
        lambda connection: _known(connection, front, project, values, password_hash)
    )
    pair = await _pair(front, _ticket_of(front, subscriber, expires_at))
    return render(200, {"subscriber_id": str(subscriber.id), **pair})


@router.post(
    f"{PREFIX}/subscribers/tokens/refresh",
    description="Gives a new pair of tokens, good for two hours, for a refresh token that is still good.",
    **described(
        "refresh-subscriber-token",
        "Refresh subscriber token",
        TokenPair,
        FAILURES,
        takes=RefreshTokenRequest,
        leads_to=_REFRESH,
        status=201,
    ),
)
async def refresh_token(request: Request) -> Response:
    """Renew tokens."""
    front = front_of(request)
    project = await front.gate.admit(request, ROOMS)
    given, _ = await read_object(request)
    wanted = validate(RefreshTokenRequest, given)
    try:
        old = await front.tickets.read(wanted.refresh_token, Use.REFRESH)
    except OldToken:
        raise _problem("token_expired", "refresh_token has expired", "refresh_token") from None
    except BadToken:
        raise _problem("not_a_refresh_token", "refresh_token is no refresh token", "refresh_token") from None
    if old.project != project:
        raise _problem("not_a_refresh_token", "refresh_token is no refresh token", "refresh_token")
    expires_at = _expiry(front, None, "")
    if old.bearer is Bearer.SUBSCRIBER:
        key = old.subscriber or UUID(int=0)
        subscriber = await front.database.run(lambda connection: subscribers.get(connection, project, key))
        if subscriber is None:
            raise _problem("token_invalid", "refresh_token is of a subscriber who is gone", "refresh_token")
        return render(201, await _pair(front, _ticket_of(front, subscriber, expires_at)))
    return render(201, await _pair(front, _ticket(front, project, old.bearer, expires_at, addresses=old.addresses)))


@router.post(
    f"{PREFIX}/guests/tokens",
    description="Makes a token for a guest, who may dial the addresses named and moderates nothing.",
    **described(
        "create-guest-token",
        "Create guest token",
        TokenPair,
        FAILURES,
        takes=GuestTokenRequest,
        leads_to=_REFRESH,
        status=201,
    ),
)
async def create_guest_token(request: Request) -> Response:
    """Make tokens for a guest."""
    front = front_of(request)
    project = await front.gate.admit(request, ROOMS)
    given, _ = await read_object(request)
    wanted = validate(GuestTokenRequest, given)
    expires_at = _expiry(front, wanted.expire_at, "expire_at")
    addresses = await _own(front, project, frozenset(wanted.allowed_addresses), "allowed_addresses")
    return render(201, await _pair(front, _ticket(front, project, Bearer.GUEST, expires_at, addresses=addresses)))


@router.post(
    f"{PREFIX}/subscriber/invites",
    description="Makes a token for one address. A subscriber invites with a token of the own, a server with an API"
    " token, which may make its bearer a moderator.",
    **described(
        "create-invite-token",
        "Create invite token",
        JoinToken,
        FAILURES,
        takes=InviteTokenRequest,
        status=201,
        security=("JoinToken", "ProjectToken"),
    ),
)
async def create_invite_token(request: Request) -> Response:
    """Make a token for somebody invited."""
    front = front_of(request)
    project, ticket = await admit_either(request)
    if ticket is not None and ticket.bearer is not Bearer.SUBSCRIBER:
        raise NotAuthorized("Bearer")
    given, _ = await read_object(request)
    wanted = validate(InviteTokenRequest, given)
    if wanted.moderator and ticket is not None:
        raise _problem("invalid_parameter_value", "moderator can only be set with an API token", "moderator")
    expires_at = _expiry(front, wanted.expires_at, "expires_at")
    addresses = await _own(front, project, frozenset({wanted.address_id}), "address_id")
    invite = _ticket(front, project, Bearer.INVITE, expires_at, addresses=addresses, moderator=bool(wanted.moderator))
    return render(201, {"token": await front.tickets.mint(invite)})


@router.post(
    f"{PREFIX}/embeds/tokens",
    description="Makes a token for a visitor of a page that carries an embed token. Open to all.",
    **described(
        "create-embed-join-token",
        "Exchange embed token",
        JoinToken,
        (404, 413, 422, 500, 503),
        takes=EmbedTokenRequest,
        status=201,
        security=(),
    ),
)
async def create_embed_join_token(request: Request) -> Response:
    """Make a token for a visitor."""
    front = front_of(request)
    given, _ = await read_object(request)
    wanted = validate(EmbedTokenRequest, given)
    embed = await front.database.run(lambda connection: embeds.find(connection, digest(wanted.token)))
    if embed is None:
        raise NotFound
    expires_at = _expiry(front, None, "")
    addresses = frozenset({embed.address_id})
    visitor = _ticket(front, embed.project_id, Bearer.EMBED, expires_at, addresses=addresses)
    return render(201, {"token": await front.tickets.mint(visitor)})


def new_subscriber(front: Front, project: UUID, reference: str, profile: Profile) -> tuple[Subscriber, str]:
    """A subscriber to be kept, and the slug of the address."""
    now = front.now()
    subscriber = Subscriber(front.new_id(), project, reference, Address(random_id(), ""), profile, now, now)
    return subscriber, slug_of(reference.partition("@")[0] or reference)


async def _own(front: Front, project: UUID, addresses: frozenset[UUID], attribute: str) -> frozenset[UUID]:
    found = await front.database.run(lambda connection: directory.find(connection, project, addresses))
    if len(found) < len(addresses):
        raise _problem("must_belong_to_project", f"{attribute} must be of addresses of the project", attribute)
    return addresses


def _known(
    connection: sa.Connection, front: Front, project: UUID, values: dict[str, Any], password_hash: str | None
) -> Subscriber:
    """The subscriber of a reference, made or changed as the request says."""
    reference = values["reference"]
    profile = {name: values[name] for name in PROFILE if name in values}
    known = subscribers.by_reference(connection, project, reference)
    if known is None:
        subscriber, slug = new_subscriber(front, project, reference, Profile(**profile))
        made = subscribers.create(connection, subscriber, slug, password_hash)
        if made is not None:
            return made
        known = subscribers.by_reference(connection, project, reference)
    if known is None:
        raise NotFound  # made and deleted by others just now
    if not profile and password_hash is None:
        return known
    return subscribers.update(connection, project, known.id, profile, password_hash, front.now()) or known


def _ticket_of(front: Front, subscriber: Subscriber, expires_at: int) -> Ticket:
    return _ticket(
        front,
        subscriber.project_id,
        Bearer.SUBSCRIBER,
        expires_at,
        name=subscriber.name,
        subscriber=subscriber.id,
    )


def _ticket(front: Front, project: UUID, bearer: Bearer, expires_at: int, **more: Any) -> Ticket:
    return Ticket(str(uuid4()), project, bearer, int(front.now().timestamp()), expires_at, **more)


async def _pair(front: Front, ticket: Ticket) -> dict[str, str]:
    return {
        "token": await front.tickets.mint(ticket),
        "refresh_token": await front.tickets.mint(ticket, Use.REFRESH),
    }


def _expiry(front: Front, asked: int | None, attribute: str) -> int:
    now = int(front.now().timestamp())
    if asked is None:
        return now + LIFE_S
    if asked <= now:
        raise _problem("invalid_parameter_value", f"{attribute} must be in the future", attribute)
    if asked > now + LIFE_MAX_S:
        raise _problem("invalid_parameter_value", f"{attribute} must be at most 30 days ahead", attribute)
    return asked


def _problem(code: str, message: str, attribute: str) -> InvalidInput:
    return InvalidInput(Problem(code, message, attribute))
