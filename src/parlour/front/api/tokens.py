"""``/api/project/tokens``: make, list, change and revoke the project's API tokens."""

import secrets
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError
from starlette.requests import Request
from starlette.responses import Response

from parlour.domain.errors import NotFound
from parlour.domain.moment import format_moment
from parlour.domain.token import SECRET_BYTES, TOKENS, Permission, Token, digest, spell
from parlour.front.api.fields import ABSENT, Name, drop_defaults
from parlour.front.body import read_object
from parlour.front.describe import BY_ID, PAGING, Links, described, identifier
from parlour.front.errors import render
from parlour.front.front import front_of
from parlour.front.listing import listed
from parlour.front.path import path_id
from parlour.front.problems import validate
from parlour.store import tokens

PATH = "/api/project/tokens"

router = APIRouter(tags=["API tokens"])
_TOKEN = identifier("id", "the token")
_LEADS_TO = dict.fromkeys(("get-token", "update-token", "delete-token"), BY_ID)


def _known(value: Any) -> list[Permission]:
    names = set(Permission)
    if (
        not isinstance(value, list)
        or not value
        or any(not isinstance(item, str) or item not in names for item in value)
    ):
        raise PydanticCustomError(
            "invalid_auth_token_permissions",
            "{field} must be a list with at least one of {names}",
            {"names": ", ".join(sorted(names))},
        )
    return [Permission(item) for item in value]


def _no_subproject(_value: object) -> None:
    raise PydanticCustomError("invalid_subproject_id", "the project has no subprojects")


Permissions = Annotated[list[Permission], BeforeValidator(_known), Field(min_length=1)]


class CreateTokenRequest(BaseModel):
    """A new API token."""

    model_config = ConfigDict(strict=True, extra="ignore", json_schema_extra=drop_defaults)

    name: Name = Field(description="What the token is for.", examples=["Booking page"])
    permissions: Permissions = Field(description="What it may do.", examples=[["video"]])
    subproject_id: Annotated[None, BeforeValidator(_no_subproject), WithJsonSchema({"not": {}})] = Field(
        ABSENT, description="Refused: projects have no subprojects here."
    )


class UpdateTokenRequest(BaseModel):
    """Changes to an API token; what is not named stays."""

    model_config = ConfigDict(strict=True, extra="ignore", json_schema_extra=drop_defaults)

    name: Name = Field(ABSENT, description="What the token is for.")
    permissions: Permissions = Field(ABSENT, description="What it may do.")


class TokenResponse(BaseModel):
    """An API token. In full once, when it is made; after that only its end is known."""

    id: UUID = Field(description="Names the token in the paths of this API.")
    name: str = Field(description="What the token is for.", examples=["Booking page"])
    permissions: list[Permission] = Field(description="What it may do.")
    token: str = Field(description="In full in the answer that makes it, masked later.", examples=["PT…1a2b"])
    created_at: datetime = Field(description="When it was made.")
    updated_at: datetime = Field(description="When it was last changed.")


class TokenList(BaseModel):
    """A page of API tokens, the newest first."""

    data: list[TokenResponse] = Field(description="The tokens of this page.")
    links: Links


def token_body(token: Token, secret: str | None = None) -> dict[str, Any]:
    """A token as the API shows it; with ``secret`` in full."""
    return {
        "id": str(token.id),
        "name": token.name,
        "permissions": sorted(token.permissions),
        "token": secret or token.masked,
        "created_at": format_moment(token.created_at),
        "updated_at": format_moment(token.updated_at),
    }


@router.post(
    PATH,
    description="Makes an API token. The answer is the only place where it is shown in full.\n\n"
    "Needs a token with the permission `management`, like everything here.",
    **described(
        "create-token",
        "Create API token",
        TokenResponse,
        (401, 413, 422, 500, 503),
        takes=CreateTokenRequest,
        leads_to=_LEADS_TO,
    ),
)
async def create_token(request: Request) -> Response:
    """Make a token."""
    front = front_of(request)
    project = await front.gate.admit(request, TOKENS)
    given, _ = await read_object(request)
    wanted = validate(CreateTokenRequest, given)
    secret = spell(secrets.token_bytes(SECRET_BYTES))
    now = front.now()
    token = Token(
        front.new_id(), project, wanted.name, frozenset(wanted.permissions), digest(secret), secret[-4:], now, now
    )
    await front.database.write(lambda connection: tokens.create(connection, token))
    return render(200, token_body(token, secret))


@router.get(
    PATH,
    description="Lists the project's tokens, the newest first. An extension of the service's API.",
    **described("list-tokens", "List API tokens", TokenList, (401, 422, 500, 503), parameters=PAGING),
)
async def list_tokens(request: Request) -> Response:
    """List tokens."""
    project = await front_of(request).gate.admit(request, TOKENS)
    return await listed(request, project, tokens.page, token_body)


@router.get(
    f"{PATH}/{{id}}",
    description="Shows one token. An extension of the service's API.",
    **described("get-token", "Get API token", TokenResponse, (401, 404, 500, 503), parameters=[_TOKEN]),
)
async def get_token(request: Request) -> Response:
    """Show a token."""
    front = front_of(request)
    project = await front.gate.admit(request, TOKENS)
    token_id = path_id(request)
    token = await front.database.run(lambda connection: tokens.get(connection, project, token_id))
    if token is None:
        raise NotFound
    return render(200, token_body(token))


@router.patch(
    f"{PATH}/{{id}}",
    description="Renames a token or changes what it may do.",
    **described(
        "update-token",
        "Update API token",
        TokenResponse,
        (401, 404, 413, 422, 500, 503),
        takes=UpdateTokenRequest,
        parameters=[_TOKEN],
    ),
)
async def update_token(request: Request) -> Response:
    """Change a token."""
    front = front_of(request)
    project = await front.gate.admit(request, TOKENS)
    token_id = path_id(request)
    given, _ = await read_object(request)
    wanted = validate(UpdateTokenRequest, given).model_dump(exclude_unset=True)
    permissions = frozenset(wanted["permissions"]) if "permissions" in wanted else None
    token = await front.database.transact(
        lambda connection: tokens.update(connection, project, token_id, wanted.get("name"), permissions, front.now())
    )
    front.gate.forget(token_id)
    if token is None:
        raise NotFound
    return render(200, token_body(token))


@router.delete(
    f"{PATH}/{{id}}",
    description="Revokes a token. It is refused within a second, on this server at once.",
    **described("delete-token", "Delete API token", None, (401, 404, 500, 503), parameters=[_TOKEN]),
)
async def delete_token(request: Request) -> Response:
    """Revoke a token."""
    front = front_of(request)
    project = await front.gate.admit(request, TOKENS)
    token_id = path_id(request)
    deleted = await front.database.write(lambda connection: tokens.delete(connection, project, token_id))
    front.gate.forget(token_id)
    if not deleted:
        raise NotFound
    return Response(status_code=204)
