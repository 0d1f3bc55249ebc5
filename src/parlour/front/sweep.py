"""Housekeeping: what has served its time goes."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import NoReturn
from uuid import UUID

from parlour.domain.errors import Unavailable
from parlour.front.objects import Objects
from parlour.store import recordings, replies
from parlour.store.database import Database

EVERY_S = 600.0
FILES_MAX = 100
"""Files of deleted recordings that are looked after at a time."""
REMOVE_S = 5.0
"""How long somebody who deletes a recording waits for its file to be gone."""

log = logging.getLogger("parlour.front")


async def sweep(database: Database, objects: Objects, now: Callable[[], datetime]) -> NoReturn:
    """Drop answers kept for retries once they are past their time, and files of deleted recordings that are there
    still, again and again until cancelled.
    """
    while True:
        try:
            await database.write(lambda connection: replies.forget_old(connection, now()))
            await remove_left_files(database, objects)
        except Unavailable as error:
            log.warning("housekeeping waits: %s", error)
        await asyncio.sleep(EVERY_S)


async def remove_left_files(database: Database, objects: Objects) -> None:
    """Remove files of deleted recordings that could not be removed with them. Raises ``Unavailable``."""
    left = await database.run(lambda connection: recordings.left_files(connection, FILES_MAX))
    for recording, key in left:
        await _remove(database, objects, recording, key)


async def remove_file(database: Database, objects: Objects, recording: UUID, key: str) -> None:
    """Remove the file of a recording that was deleted just now; what cannot be done now is left to ``sweep``."""
    if not key:
        return
    try:
        async with asyncio.timeout(REMOVE_S):
            await _remove(database, objects, recording, key)
    except (Unavailable, TimeoutError) as error:
        log.warning("the file of a deleted recording goes later: %s", str(error) or "the object store is slow")


async def _remove(database: Database, objects: Objects, recording: UUID, key: str) -> None:
    await objects.remove(key)
    await database.write(lambda connection: recordings.file_is_gone(connection, recording, key))
