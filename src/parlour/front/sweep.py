"""Housekeeping: what has served its time goes."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import NoReturn

from parlour.domain.errors import Unavailable
from parlour.store import replies
from parlour.store.database import Database

EVERY_S = 600.0

log = logging.getLogger("parlour.front")


async def sweep(database: Database, now: Callable[[], datetime]) -> NoReturn:
    """Drop answers kept for retries once they are past their time, again and again until cancelled."""
    while True:
        try:
            await database.write(lambda connection: replies.forget_old(connection, now()))
        except Unavailable as error:
            log.warning("housekeeping waits: %s", error)
        await asyncio.sleep(EVERY_S)
