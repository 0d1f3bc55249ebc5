"""A front with rooms, for every test of signalling."""

from collections.abc import AsyncIterator

import pytest

from parlour.store.database import Database
from tests.support.signalling import House, front_with_rooms


@pytest.fixture
def backend() -> str:
    """Signalling looks the same over any database; SQLite will do."""
    return "sqlite"


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    """A running front with rooms that live in the test."""
    async with front_with_rooms(database) as running:
        yield running
