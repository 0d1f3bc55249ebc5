"""What a running server is made to know of sessions, as if its workers had told it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import obstore

from parlour.domain.live.journal import Entry
from parlour.objects import open_objects
from parlour.store import sessions
from parlour.store.database import open_database


def tell(database_url: str, entries: Sequence[Entry]) -> None:
    """Write entries into a server's database, from a process beside it."""

    async def write() -> None:
        database = open_database(database_url)
        try:
            await database.transact(lambda connection: sessions.keep(connection, entries))
        finally:
            await database.close()

    asyncio.run(write())


def put_file(folder: Path, key: str, content: bytes) -> None:
    """Put a file where the server whose folder this is keeps them."""
    obstore.put(open_objects((folder / "data" / "objects").as_uri()), key, content)
