"""Addresses as the API shows them, whatever stands behind them."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from parlour.domain import address, subscriber
from parlour.domain.moment import format_moment
from parlour.front.describe import Lead, Links
from parlour.front.front import Front
from parlour.front.links import preview_url
from parlour.store import sessions
from parlour.store.directory import ROOM, Entry
from parlour.store.sessions import Session

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


async def live_sessions(front: Front, entries: Iterable[Entry]) -> dict[UUID, Session]:
    """The sessions that go on behind addresses, by ``room_id``."""
    rooms = [entry.room_id for entry in entries if entry.room_id is not None]
    if not rooms:
        return {}
    return await front.database.run(lambda connection: sessions.in_progress(connection, rooms))


def entry_body(entry: Entry, origin: str, live: Mapping[UUID, Session]) -> dict[str, Any]:
    """An address of any kind as the API shows it; ``live`` are the sessions that go on."""
    session = live.get(entry.room_id) if entry.room_id is not None else None
    is_room = entry.kind == ROOM
    uri = f"/{address.CONTEXT if is_room else subscriber.CONTEXT}/{entry.name}"
    return {
        "id": str(entry.id),
        "resource_id": str(entry.resource_id),
        "name": entry.name,
        "display_name": entry.display_name,
        "type": entry.kind,
        "cover_url": f"{origin}/covers/room.svg" if is_room else None,
        "preview_url": preview_url(origin, session.id, session.preview) if session is not None else None,
        "locked": session is not None and session.locked,
        "channels": {channel: f"{uri}?channel={channel}" for channel in ("audio", "messaging", "video")},
        "created_at": format_moment(entry.created_at),
    }
