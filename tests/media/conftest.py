"""A conference with real threads, whose guests are in memory."""

from collections.abc import AsyncIterator, Iterator
from itertools import count

import pytest

from parlour.domain.live.events import Told
from parlour.media.conference import Conference
from parlour.media.transport import Endpoint
from tests.media.guest import ROOM
from tests.media.rooms import House
from tests.support.nats import NatsServer, nats_server


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    """On loopback."""
    async with await Endpoint.open(("127.0.0.1",)) as endpoint:
        yield endpoint


@pytest.fixture
async def house(endpoint: Endpoint) -> AsyncIterator[House]:
    """Where rooms with settings of their own are opened."""
    house = House(endpoint)
    yield house
    await house.close()


@pytest.fixture
def told() -> list[Told]:
    """What the room has told."""
    return []


@pytest.fixture
async def conference(endpoint: Endpoint, told: list[Told]) -> AsyncIterator[Conference]:
    """A room of 1280×720 at 30 pictures a second."""
    numbers = count(1)
    room = Conference(ROOM, "session", endpoint, told.append, lambda: None, new_id=lambda: f"m{next(numbers)}")
    yield room
    await room.close()


@pytest.fixture
def bus() -> Iterator[NatsServer]:
    """An empty bus."""
    with nats_server() as server:
        yield server
