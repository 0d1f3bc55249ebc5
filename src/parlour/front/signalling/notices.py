"""What was changed over REST, told to the live rooms that it concerns: at once, or again until it is heard."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import NoReturn
from uuid import UUID

from parlour.domain.live.commands import Change, Command, Refused, Reply, Shut
from parlour.front.signalling.frames import Denied

AT_ONCE_S = 1.0
"""How long whoever changes a room waits for the room to have heard it."""
AGAIN_S = 2.0
WAITING_MAX = 1000
"""Rooms that may have something to hear yet; with one more the oldest is given up, and counted."""

log = logging.getLogger("parlour.signalling")


class Notices:
    """Tells rooms. One that is not alive has nothing to hear: it begins with what the database says."""

    def __init__(self, ask: Callable[[UUID, Command], Awaitable[Reply]]) -> None:
        """``ask`` raises ``Denied`` while a room cannot be reached."""
        self._ask = ask
        self._waiting: OrderedDict[UUID, Change | Shut] = OrderedDict()
        self._told = 0
        self._given_up = 0

    async def tell(self, room_id: UUID, notice: Change | Shut) -> None:
        """Tell a room. Comes back once it has heard, or after a moment: then it is told again later."""
        try:
            async with asyncio.timeout(AT_ONCE_S):
                heard = await self._try(room_id, notice)
        except TimeoutError:
            heard = False
        if not heard:
            self._later(room_id, notice)

    async def run(self) -> NoReturn:
        """Tell again what was not heard, until cancelled."""
        while True:
            await asyncio.sleep(AGAIN_S)
            await self.again()

    async def again(self) -> None:
        """Try each that waits once more."""
        for room_id, notice in tuple(self._waiting.items()):
            if await self._try(room_id, notice) and self._waiting.get(room_id) is notice:
                del self._waiting[room_id]

    def statistics(self) -> dict[str, float]:
        """Counts since the start, and how many rooms have not heard yet."""
        return {"told": self._told, "waiting": len(self._waiting), "given_up": self._given_up}

    async def _try(self, room_id: UUID, notice: Change | Shut) -> bool:
        try:
            reply = await self._ask(room_id, notice)
        except Denied:
            return False
        if isinstance(reply, Refused) and reply.code == 503 and reply.reason != "lost":
            return False  # too much to do just now, or about to move
        self._told += 1
        return True

    def _later(self, room_id: UUID, notice: Change | Shut) -> None:
        if isinstance(self._waiting.get(room_id), Shut):
            return  # there is nothing to change in a room that is deleted
        self._waiting[room_id] = notice
        while len(self._waiting) > WAITING_MAX:
            given_up, _ = self._waiting.popitem(last=False)
            self._given_up += 1
            log.error("room %s will not hear what was changed", given_up)
