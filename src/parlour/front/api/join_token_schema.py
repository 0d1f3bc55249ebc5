"""What the endpoints that make join tokens take and give."""

import re
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from parlour.domain.subscriber import REFERENCE_MAX
from parlour.domain.ticket import GUEST_ADDRESSES_MAX
from parlour.front.api.fields import ABSENT, NAME_PATTERN, Whole, drop_defaults, no_control, present
from parlour.front.api.profile_schema import ProfileRequest
from parlour.front.tickets import TOKEN_MAX

EMBED_PREFIX = "c2c_"
EMBED_PATTERN = rf"^{EMBED_PREFIX}[0-9a-f]{{32}}$"
_EMBED = re.compile(EMBED_PATTERN[:-1] + r"\Z", re.ASCII)


def _id(value: Any) -> UUID:
    if isinstance(value, str):
        try:
            return UUID(value)
        except ValueError:
            pass
    raise PydanticCustomError("not_an_id", "{field} must be a UUID")


def _ids(value: Any) -> list[UUID]:
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise PydanticCustomError("invalid_list_items", "{field} must be a list with at least one UUID in it")
    if len(value) > GUEST_ADDRESSES_MAX:
        raise PydanticCustomError(
            "allowed_address_limit_exceeded", "{field} may name at most {most} addresses", {"most": GUEST_ADDRESSES_MAX}
        )
    try:
        return [UUID(item) for item in value]
    except ValueError:
        raise PydanticCustomError("invalid_list_items", "{field} must be a list of UUIDs") from None


def _embed(text: str) -> str:
    if not _EMBED.match(text):
        raise PydanticCustomError("invalid_token_format", "{field} must be c2c_ and 32 hexadecimal digits")
    return text


Id = Annotated[UUID, BeforeValidator(_id), WithJsonSchema({"type": "string", "format": "uuid"})]
Ids = Annotated[
    list[UUID],
    BeforeValidator(_ids),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "string", "format": "uuid"},
            "minItems": 1,
            "maxItems": GUEST_ADDRESSES_MAX,
        }
    ),
]
Reference = Annotated[
    str,
    StringConstraints(max_length=REFERENCE_MAX),
    AfterValidator(no_control),
    AfterValidator(present),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": REFERENCE_MAX, "pattern": NAME_PATTERN}),
]
Secret = Annotated[str, StringConstraints(max_length=TOKEN_MAX)]
Expiry = Annotated[int, Field(ge=0, le=2**53, json_schema_extra={"format": "int64"}), Whole]
_EXPIRY = "Unix seconds until when the token is good: in the future, at most 30 days ahead. By default two hours ahead."


class _Request(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", json_schema_extra=drop_defaults)


class SubscriberTokenRequest(ProfileRequest):
    """A token for somebody whom the project knows, and what is known of that person."""

    reference: Reference = Field(
        description="Who it is: an e-mail address or any other text of your own. Made known on first use.",
        examples=["alice@example.com"],
    )
    expire_at: Expiry = Field(ABSENT, description=_EXPIRY)


class RefreshTokenRequest(_Request):
    """A new pair of tokens for an old one."""

    refresh_token: Secret = Field(description="The refresh token that came with the token.")


class GuestTokenRequest(_Request):
    """A token for somebody who is only passing by."""

    allowed_addresses: Ids = Field(description="The addresses that may be dialled, by their ids.")
    expire_at: Expiry = Field(ABSENT, description=_EXPIRY)


class InviteTokenRequest(_Request):
    """A token that opens one address."""

    address_id: Id = Field(description="The address that may be dialled.")
    expires_at: Expiry = Field(ABSENT, description=_EXPIRY)
    moderator: bool = Field(
        ABSENT, description="Whether its bearer may moderate. Takes an API token. An extension of the service's API."
    )


class EmbedTokenRequest(_Request):
    """A token for a visitor of a page."""

    token: Annotated[str, AfterValidator(_embed), WithJsonSchema({"type": "string", "pattern": EMBED_PATTERN})] = Field(
        description="The embed token that the page carries.", examples=["c2c_7acc0e5e968706a032983cd80cdca219"]
    )


class CreateEmbedRequest(_Request):
    """An embed token: a page may carry it openly."""

    address_id: Id = Field(description="The address that the page's visitors may dial.")


class TokenPair(BaseModel):
    """A token to join with, and one to renew it."""

    token: str = Field(description="Joins, for two hours unless asked otherwise.")
    refresh_token: str = Field(description="Renews the token, until five minutes after its end.")


class SubscriberTokens(TokenPair):
    """A subscriber's tokens."""

    subscriber_id: UUID = Field(description="The subscriber as a resource.")


class JoinToken(BaseModel):
    """A token to join with."""

    token: str = Field(description="Joins at one address, for two hours unless asked otherwise.")


class EmbedResponse(BaseModel):
    """An embed token. In full once, when it is made; after that only its end is known."""

    id: UUID
    address_id: UUID
    token: str = Field(examples=["c2c_…a219"])
    created_at: str = Field(json_schema_extra={"format": "date-time"})


JOIN_TOKEN_REQUESTS: tuple[type[BaseModel], ...] = (
    SubscriberTokenRequest,
    RefreshTokenRequest,
    GuestTokenRequest,
    InviteTokenRequest,
    EmbedTokenRequest,
    CreateEmbedRequest,
)
