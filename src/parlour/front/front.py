"""What every handler works with: the database, the gate, the clocks, and how this server is reached."""

import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from starlette.requests import HTTPConnection, Request

from parlour.domain.identity import time_ordered_id
from parlour.front.auth import Gate
from parlour.front.links import FileLinks
from parlour.front.metrics import Metrics
from parlour.front.objects import Objects
from parlour.front.signalling.switchboard import Switchboard
from parlour.front.tickets import Tickets
from parlour.store.database import Database

if TYPE_CHECKING:
    from starlette.routing import Route

    from parlour.front.open_rooms import OpenRooms

_VERSION_4 = 0x4 << 76 | 0b10 << 62
"""The version and the variant of a random UUID (RFC 9562 section 5.4)."""
_RANDOM_BITS = (1 << 128) - 1 & ~(0xF << 76 | 0b11 << 62)
_AUTHORITY = re.compile(r"[A-Za-z0-9._~-]{1,253}(:[0-9]{1,5})?\Z|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?\Z")
_HTTP = {"ws": "http", "wss": "https"}
"""What is reached where a WebSocket is."""


def utc_now() -> datetime:
    """The clock on the wall."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Front:
    """One front and what it stands on. Without ``open_rooms`` one comes in by invitation only."""

    database: Database
    gate: Gate
    metrics: Metrics
    document: Callable[[], dict[str, Any]]
    public_url: str | None
    lenient_create: bool
    tickets: Tickets
    file_links: FileLinks
    objects: Objects
    switchboard: Switchboard
    now: Callable[[], datetime] = utc_now
    routes: "Sequence[Route]" = ()
    open_rooms: "OpenRooms | None" = None

    def new_id(self) -> UUID:
        """An id that sorts by the time it was made."""
        return time_ordered_id(time.time_ns(), int.from_bytes(os.urandom(8), "big"))

    def origin(self, request: HTTPConnection) -> str:
        """Where the caller reached this server, without a slash at the end; ``public_url`` decides where it is set."""
        if self.public_url:
            return self.public_url
        host = request.headers.get("host", "")
        if not _AUTHORITY.match(host):
            name, port = request.scope["server"]
            host = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
        scheme = request.scope["scheme"]
        return f"{_HTTP.get(scheme, scheme)}://{host}"


def random_id() -> UUID:
    """An id that tells nothing."""
    # What ``version=4`` does, at half the cost.
    return UUID(int=int.from_bytes(os.urandom(16), "big") & _RANDOM_BITS | _VERSION_4)


def front_of(request: Request) -> Front:
    """The front that serves a request."""
    front: Front = request.app.state.front
    return front
