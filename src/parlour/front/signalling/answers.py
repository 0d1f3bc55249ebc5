"""What a session has answered, for requests that come again under their id."""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Iterator

KEPT_MAX = 256
"""Answers kept for requests that come again; older ones go first."""
KEPT_CHARACTERS_MAX = 256 * 1024
"""Characters of them altogether: a client may ask for what is long, or for its own words back."""


class Answers:
    """Answers by the ids of their requests, those that are worked on among them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str | int, str] = OrderedDict()
        self._coming: dict[str | int, asyncio.Future[str]] = {}
        self._characters = 0

    async def find(self, id_: str | int) -> str | None:
        """The answer that a request of this id got, or is about to get."""
        coming = self._coming.get(id_)
        return self._kept.get(id_) if coming is None else await asyncio.shield(coming)

    @contextlib.contextmanager
    def coming(self, id_: str | int) -> Iterator[asyncio.Future[str]]:
        """What is to be given the answer within the block. Without one, whoever waits for it waits no longer."""
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._coming[id_] = future
        try:
            yield future
        finally:
            del self._coming[id_]
            future.cancel()

    def keep(self, id_: str | int, text: str) -> None:
        """Keep an answer as it was sent, and let the oldest go where there are too many."""
        self._kept[id_] = text
        self._characters += len(text)
        while len(self._kept) > KEPT_MAX or self._characters > KEPT_CHARACTERS_MAX:
            _, oldest = self._kept.popitem(last=False)
            self._characters -= len(oldest)
