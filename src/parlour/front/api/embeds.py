"""``/api/fabric/embeds``: make, list and revoke embed tokens. An extension: the service makes them in its dashboard."""

import secrets
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from parlour.domain.errors import InvalidInput, NotFound, Problem
from parlour.domain.moment import format_moment
from parlour.domain.token import ROOMS, digest
from parlour.front.api.join_token_schema import EMBED_PREFIX, CreateEmbedRequest, EmbedResponse
from parlour.front.body import read_object
from parlour.front.describe import BY_ID, PAGING, Lead, Links, described, identifier
from parlour.front.errors import render
from parlour.front.front import front_of
from parlour.front.listing import listed
from parlour.front.path import path_id
from parlour.front.problems import validate
from parlour.store import directory, embeds
from parlour.store.embeds import Embed

PATH = "/api/fabric/embeds"
SECRET_BYTES = 16

router = APIRouter(tags=["Join tokens"])


class EmbedList(BaseModel):
    """A page of embed tokens, the newest first."""

    data: list[EmbedResponse]
    links: Links


@router.post(
    PATH,
    description="Makes an embed token for an address. A page may carry it openly: whoever has it can join there as a"
    " guest. The answer is the only place where it is shown in full. An extension of the service's API.",
    **described(
        "create-embed",
        "Create embed token",
        EmbedResponse,
        (401, 413, 422, 500, 503),
        takes=CreateEmbedRequest,
        leads_to={"delete-embed": BY_ID, "create-embed-join-token": Lead(body={"token": "/token"})},
    ),
)
async def create_embed(request: Request) -> Response:
    """Make an embed token."""
    front = front_of(request)
    project = await front.gate.admit(request, ROOMS)
    given, _ = await read_object(request)
    address = validate(CreateEmbedRequest, given).address_id
    secret = EMBED_PREFIX + secrets.token_hex(SECRET_BYTES)
    embed = Embed(front.new_id(), project, address, secret[-4:], front.now())
    found = await front.database.run(lambda connection: directory.find(connection, project, frozenset({address})))
    if not found:
        raise InvalidInput(
            Problem("must_belong_to_project", "address_id must be of an address of the project", "address_id")
        )
    await front.database.write(lambda connection: embeds.create(connection, embed, digest(secret)))
    return render(200, _body(embed, secret))


@router.get(
    PATH,
    description="Lists the project's embed tokens, the newest first. An extension of the service's API.",
    **described("list-embeds", "List embed tokens", EmbedList, (401, 422, 500, 503), parameters=PAGING),
)
async def list_embeds(request: Request) -> Response:
    """List embed tokens."""
    project = await front_of(request).gate.admit(request, ROOMS)
    return await listed(request, project, embeds.page, _body)


@router.delete(
    f"{PATH}/{{id:uuid}}",  # only a UUID: .../tokens is a path of its own, with other methods
    description="Revokes an embed token. Tokens that were made with it stay good until their time is past.",
    **described(
        "delete-embed",
        "Delete embed token",
        None,
        (401, 404, 500, 503),
        parameters=[identifier("id", "the embed token")],
    ),
)
async def delete_embed(request: Request) -> Response:
    """Revoke an embed token."""
    front = front_of(request)
    project = await front.gate.admit(request, ROOMS)
    embed_id = path_id(request)
    if not await front.database.write(lambda connection: embeds.delete(connection, project, embed_id)):
        raise NotFound
    return Response(status_code=204)


def _body(embed: Embed, secret: str | None = None) -> dict[str, Any]:
    return {
        "id": str(embed.id),
        "address_id": str(embed.address_id),
        "token": secret or f"{EMBED_PREFIX}…{embed.hint}",
        "created_at": format_moment(embed.created_at),
    }
