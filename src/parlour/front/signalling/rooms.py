"""What signalling needs of the live rooms, wherever they run."""

from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from parlour.domain.errors import Unavailable
from parlour.domain.live.commands import Command, Reply
from parlour.domain.live.events import Told

Listener = Callable[[Told], None]
"""Takes one event at a time, in the room's order, on the event loop. Does not block."""


class Subscription(Protocol):
    """A listener at a room's door."""

    async def close(self) -> None:
        """Hear no more."""


class Rooms(Protocol):
    """The live rooms, by ``Room.room_id``. Both methods raise ``Unavailable`` while a room cannot be reached."""

    async def ask(self, room_id: UUID, command: Command) -> Reply:
        """Ask a room; a ``Join`` brings the room to life where it is not."""

    async def subscribe(self, room_id: UUID, listener: Listener) -> Subscription:
        """Hear what the room tells, also before it is alive."""


class NoRooms:
    """Stands where no rooms can live: everything is unavailable."""

    async def ask(self, room_id: UUID, command: Command) -> Reply:
        """Raise ``Unavailable``."""
        raise Unavailable("this server runs no rooms")

    async def subscribe(self, room_id: UUID, listener: Listener) -> Subscription:
        """Raise ``Unavailable``."""
        raise Unavailable("this server runs no rooms")
