"""What the subscriber endpoints take and give."""

import re
from dataclasses import asdict
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from parlour.domain.moment import format_moment
from parlour.domain.subscriber import PASSWORD_MAX, PASSWORD_MIN, REFERENCE_MAX, Subscriber
from parlour.front.api.fields import ABSENT, drop_defaults
from parlour.front.api.join_token_schema import Line, Password
from parlour.front.describe import Links
from parlour.store.directory import Entry

KIND = "subscriber"
EMAIL_PATTERN = r"^[^\s@\x00-\x1f\x7f]+@[^\s@\x00-\x1f\x7f]+$"
_EMAIL = re.compile(EMAIL_PATTERN[:-1] + r"\Z")


def _email(text: str) -> str:
    if not _EMAIL.match(text):
        raise PydanticCustomError("invalid_parameter_value", "{field} must be an e-mail address")
    return text


Email = Annotated[
    str,
    StringConstraints(max_length=REFERENCE_MAX),
    AfterValidator(_email),
    WithJsonSchema({"type": "string", "maxLength": REFERENCE_MAX, "pattern": EMAIL_PATTERN, "minLength": 3}),
]


class _SubscriberFields(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", json_schema_extra=drop_defaults)

    password: Password = Field(
        ABSENT, description=f"The password, {PASSWORD_MIN} to {PASSWORD_MAX} characters; empty or missing: none is set."
    )
    first_name: Line = Field(ABSENT, description="The first name.", examples=["Alice"])
    last_name: Line = Field(ABSENT, description="The last name.")
    display_name: Line = Field(ABSENT, description="The name that others read.")
    job_title: Line = Field(ABSENT, description="The job title.")
    time_zone: Line = Field(ABSENT, description="The time zone.")
    country: Line = Field(ABSENT, description="The country.")
    region: Line = Field(ABSENT, description="The region.")
    company_name: Line = Field(ABSENT, description="The company's name.")


class CreateSubscriberRequest(_SubscriberFields):
    """A new subscriber."""

    email: Email = Field(
        description="The e-mail address. The `reference` of the subscriber's tokens.", examples=["alice@example.com"]
    )


class UpdateSubscriberRequest(_SubscriberFields):
    """Changes to a subscriber; what is not named stays."""

    email: Email = Field(ABSENT, description="The e-mail address, and with it the `reference`.")


class SubscriberProfile(BaseModel):
    """A subscriber's own data."""

    id: UUID = Field(description="The same as the resource's.")
    email: str = Field(description="Empty where the reference is no e-mail address.")
    reference: str = Field(description="What tokens name the subscriber by. An extension of the service's API.")
    first_name: str
    last_name: str
    display_name: str
    job_title: str
    time_zone: str
    country: str
    region: str
    company_name: str


class SubscriberResponse(BaseModel):
    """A subscriber as a resource of its project."""

    id: UUID = Field(description="Names the subscriber in the paths of this API.")
    project_id: UUID = Field(description="The project it belongs to.")
    display_name: str = Field(description="The name that others read.")
    type: Literal["subscriber"] = Field(description="What kind of resource it is.")
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    updated_at: str = Field(json_schema_extra={"format": "date-time"})
    subscriber: SubscriberProfile = Field(description="The subscriber's own data.")


class SubscriberList(BaseModel):
    """A page of subscribers, the newest first."""

    data: list[SubscriberResponse]
    links: Links


class Channels(BaseModel):
    """The addresses to dial for each kind of media."""

    audio: str
    messaging: str
    video: str


class FabricAddress(BaseModel):
    """Where somebody or something can be dialled."""

    id: UUID
    resource_id: UUID
    name: str
    display_name: str
    type: Literal["room", "subscriber"]
    cover_url: str | None
    preview_url: str | None
    locked: bool
    channels: Channels
    created_at: str = Field(json_schema_extra={"format": "date-time"})


class FabricAddressList(BaseModel):
    """A page of addresses."""

    data: list[FabricAddress]
    links: Links


class AppSettings(BaseModel):
    """What the SDK wants to know of the application."""

    display_name: str
    scopes: list[str]


class SubscriberInfo(SubscriberProfile):
    """The subscriber whom a token stands for."""

    push_notification_key: str
    app_settings: AppSettings
    fabric_addresses: list[FabricAddress]


def profile_body(subscriber: Subscriber) -> dict[str, Any]:
    """A subscriber's own data as the API shows it."""
    return {
        "id": str(subscriber.id),
        "email": subscriber.email,
        "reference": subscriber.reference,
        **asdict(subscriber.profile),
    }


def subscriber_body(subscriber: Subscriber) -> dict[str, Any]:
    """A subscriber as the API shows it."""
    return {
        "id": str(subscriber.id),
        "project_id": str(subscriber.project_id),
        "display_name": subscriber.name,
        "type": KIND,
        "created_at": format_moment(subscriber.created_at),
        "updated_at": format_moment(subscriber.updated_at),
        "subscriber": profile_body(subscriber),
    }


def entry_body(entry: Entry, origin: str) -> dict[str, Any]:
    """An address of any kind as the API shows it."""
    is_room = entry.kind == "room"
    uri = f"/{'public' if is_room else 'private'}/{entry.name}"
    return {
        "id": str(entry.id),
        "resource_id": str(entry.resource_id),
        "name": entry.name,
        "display_name": entry.display_name,
        "type": entry.kind,
        "cover_url": f"{origin}/covers/room.svg" if is_room else None,
        "preview_url": None,
        "locked": False,
        "channels": {channel: f"{uri}?channel={channel}" for channel in ("audio", "messaging", "video")},
        "created_at": format_moment(entry.created_at),
    }


def entry_of(subscriber: Subscriber) -> Entry:
    """A subscriber's address."""
    return Entry(
        subscriber.address.id,
        subscriber.id,
        KIND,
        subscriber.address.name,
        subscriber.name,
        subscriber.created_at,
    )
