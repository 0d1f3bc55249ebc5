"""What the subscriber endpoints take and give."""

import re
from dataclasses import asdict
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from parlour.domain.moment import format_moment
from parlour.domain.subscriber import REFERENCE_MAX, Subscriber
from parlour.front.api.address_schema import FabricAddress
from parlour.front.api.fields import ABSENT, CONTROL
from parlour.front.api.profile_schema import ProfileRequest
from parlour.front.describe import Links
from parlour.store.directory import SUBSCRIBER

# Python and JSON Schema take different control characters, and the byte order mark, for space.
_PART = rf"[^\s@{CONTROL}\ufeff]+"
EMAIL_PATTERN = f"^{_PART}@{_PART}$"
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


class CreateSubscriberRequest(ProfileRequest):
    """A new subscriber."""

    email: Email = Field(
        description="The e-mail address. The `reference` of the subscriber's tokens.", examples=["alice@example.com"]
    )


class UpdateSubscriberRequest(ProfileRequest):
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
        "type": SUBSCRIBER,
        "created_at": format_moment(subscriber.created_at),
        "updated_at": format_moment(subscriber.updated_at),
        "subscriber": profile_body(subscriber),
    }
