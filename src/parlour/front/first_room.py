"""A first room to walk into: made when a server starts on an empty data folder."""

import secrets
from datetime import datetime
from uuid import UUID

from parlour.domain.address import Address
from parlour.domain.identity import time_ordered_id
from parlour.domain.room import Room, RoomSettings
from parlour.domain.ticket import Bearer, Ticket
from parlour.front.front import random_id
from parlour.front.slug import slug_of
from parlour.front.tickets import Tickets
from parlour.store import rooms
from parlour.store.database import Database

NAME = "first-room"
LINK_S = 24 * 60 * 60
"""Seconds that the link to it is good for: the day of trying things out."""


async def open_first_room(database: Database, tickets: Tickets, project: UUID, now: datetime) -> str:
    """Make a room and a moderator's way in; give the path of its page, with the invite in the fragment."""
    room = Room(
        time_ordered_id(int(now.timestamp() * 1_000_000_000), secrets.randbits(64)),
        project,
        random_id(),
        Address(random_id(), ""),
        RoomSettings.created({"name": NAME, "display_name": "First room", "enable_room_previews": False}),
        now,
        now,
    )
    room = await database.write(lambda connection: rooms.create(connection, room, slug_of(NAME)))
    invite = Ticket(
        id=random_id().hex,
        project=project,
        bearer=Bearer.INVITE,
        issued_at=int(now.timestamp()),
        expires_at=int(now.timestamp()) + LINK_S,
        addresses=frozenset({room.address.id}),
        moderator=True,
    )
    return f"/rooms/{room.address.name}#{await tickets.mint(invite)}"
