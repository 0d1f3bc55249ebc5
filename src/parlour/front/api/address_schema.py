"""Addresses as the API shows them, whatever stands behind them."""

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from parlour.domain import address, subscriber
from parlour.domain.moment import format_moment
from parlour.front.describe import Lead, Links
from parlour.store.directory import ROOM, Entry

_FIRST = "/data/0/id"
LEADS_TO = {
    "get-address": Lead({"id": _FIRST}),
    "create-guest-token": Lead(body={"allowed_addresses": [_FIRST]}),
    "create-invite-token": Lead(body={"address_id": _FIRST}),
    "create-embed": Lead(body={"address_id": _FIRST}),
}
"""Where a list of addresses leads to."""


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


def entry_body(entry: Entry, origin: str) -> dict[str, Any]:
    """An address of any kind as the API shows it."""
    is_room = entry.kind == ROOM
    uri = f"/{address.CONTEXT if is_room else subscriber.CONTEXT}/{entry.name}"
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
