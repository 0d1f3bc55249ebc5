"""The object store as the front reads it: a piece at a time, in a few threads, never a whole file in memory."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import obstore
from obstore.exceptions import BaseError, PreconditionError
from obstore.store import ObjectStore

from parlour.domain.errors import Unavailable
from parlour.objects import open_objects

PATIENCE_S = 15.0
"""How long a bucket may take for one request."""
THREADS = 6
WAITING_MAX = 128
"""Requests to the store in work and waiting; one more is refused."""
DOWNLOADS_MAX = 200
"""Files that are sent at once; one more is refused. Each takes about a mebibyte, also with a slow client."""
AGAIN_S = 5
"""After how many seconds it makes sense to try again."""

Result = TypeVar("Result")

log = logging.getLogger("parlour.front")


@dataclass(frozen=True, slots=True)
class Found:
    """An object that is there: ``size`` in octets; ``etag`` names this very content, quotes included."""

    key: str
    size: int
    etag: str
    changed_at: datetime


class Changed(Exception):  # noqa: N818 - says what became of the object
    """The object is another one than it was, or gone."""


class Objects:
    """Where finished recordings and previews are. Everything raises ``Unavailable`` while the store is away."""

    def __init__(self, url: str) -> None:
        """Nothing is opened before it is needed: a store that is away keeps no front from starting."""
        self._url = url
        self._store: ObjectStore | None = None
        self._threads = ThreadPoolExecutor(THREADS, "parlour-objects")
        self._waiting = self._downloads = 0
        self._octets = self._failed = self._refused = self._removed = 0

    async def find(self, key: str) -> Found | None:
        """What is there under a key; ``None`` for nothing."""

        def look(store: ObjectStore) -> Found | None:
            try:
                meta = obstore.head(store, key)
            except FileNotFoundError:
                return None
            changed_at = meta["last_modified"]
            return Found(key, meta["size"], meta["e_tag"] or f'"{changed_at.timestamp()}-{meta["size"]}"', changed_at)

        return await self._run(look)

    async def read(self, found: Found, start: int, end: int) -> bytes:
        """The octets from ``start`` up to ``end`` of what was found. Raises ``Changed`` where that is no more."""

        def piece(store: ObjectStore) -> bytes:
            try:
                answer = obstore.get(store, found.key, options={"range": (start, end), "if_match": found.etag})
                return bytes(answer.bytes())
            except (FileNotFoundError, PreconditionError) as error:
                raise Changed from error

        octets = await self._run(piece)
        if len(octets) != end - start:
            raise Changed
        self._octets += len(octets)
        return octets

    async def remove(self, key: str) -> None:
        """Remove an object, if it is there."""

        def away(store: ObjectStore) -> None:
            try:
                obstore.delete(store, key)
            except FileNotFoundError:
                log.info("objects: %s was gone already", key)

        await self._run(away)
        self._removed += 1

    def admit_download(self) -> None:
        """Raises ``Unavailable`` while as many files are being sent as may be."""
        if self._downloads >= DOWNLOADS_MAX:
            self._refused += 1
            raise Unavailable("too many files are being sent", AGAIN_S)

    @contextlib.contextmanager
    def downloading(self) -> Iterator[None]:
        """A file is being sent for the length of a block."""
        self._downloads += 1
        try:
            yield
        finally:
            self._downloads -= 1

    def close(self) -> None:
        """Let go; requests that wait are dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def statistics(self) -> dict[str, float]:
        """Requests that wait and files being sent just now; since the start octets read, objects removed, requests
        that failed or were refused.
        """
        return {
            "waiting": self._waiting,
            "downloads": self._downloads,
            "octets": self._octets,
            "removed": self._removed,
            "failed": self._failed,
            "refused": self._refused,
        }

    async def _run(self, work: Callable[[ObjectStore], Result]) -> Result:
        if self._waiting >= WAITING_MAX:
            self._refused += 1
            raise Unavailable("too many requests wait for the object store")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: work(self._open()))
        except (BaseError, OSError) as error:
            self._failed += 1
            reason = str(error).partition("\n")[0]
            raise Unavailable(f"the object store does not answer: {reason}", AGAIN_S) from error
        finally:
            self._waiting -= 1

    def _open(self) -> ObjectStore:
        if self._store is None:
            self._store = open_objects(self._url, patience=PATIENCE_S)
        return self._store
