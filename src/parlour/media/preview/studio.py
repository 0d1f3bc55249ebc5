"""Where the previews of a worker's rooms are made and kept: one thread, one film at a time.

The thread has no lower priority than others: one that waits for a core while it holds the interpreter's lock would hold
up the rooms themselves. It works outside of that lock for nearly all of its time, some 2 ms a second for each room.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from obstore.exceptions import BaseError
from obstore.store import ObjectStore

from parlour.media.preview.sampler import FPS, Film
from parlour.media.preview.webp import animate
from parlour.objects import PREVIEWS, preview_key

FILMS_MAX = 16
"""Films that may wait, at 1.3 MB each; one more is refused, and counted by whoever offered it."""
REMOVALS_MAX = 1024
"""Removals that may wait; what is not removed for want of room is swept later."""
CLOSE_S = 2.0
"""How long the end waits for the film in work and for what is to be removed."""
STALE_S = 3600.0
"""A preview that was not renewed for so long belongs to a session that ended with its worker."""
SWEEP_EVERY_S = 3600.0
LOOK_S = 60.0
"""How often a thread with nothing to do looks whether it is time for a sweep."""
SWEPT_MAX = 10_000
"""Previews that one sweep looks at."""

log = logging.getLogger("parlour.media")


class Studio:
    """Makes films into animated WebPs and puts them where they can be had. Any thread may call anything."""

    def __init__(self, store: ObjectStore, wall: Callable[[], float] = time.time) -> None:
        """``wall`` gives Unix seconds."""
        self._store = store
        self._wall = wall
        self._news = threading.Condition()
        self._films: dict[str, Film] = {}
        self._removals: dict[str, None] = {}
        self._ending = False
        self._swept_at = float("-inf")
        self._made = self._superseded = self._failed = self._removed = self._unremoved = self._swept = 0
        self._octets = 0
        self._seconds = 0.0
        self._thread = threading.Thread(target=self._run, name="parlour-previews", daemon=True)
        self._thread.start()

    def offer(self, film: Film) -> bool:
        """Have a film made, or return ``False`` where too many wait. It replaces one of its session that waits."""
        with self._news:
            if film.secret in self._films:
                self._superseded += 1
            elif self._ending or len(self._films) >= FILMS_MAX:
                return False
            self._films[film.secret] = film
            self._news.notify()
        return True

    def remove(self, secret: str) -> None:
        """Remove a preview, also one that is in work. A film that is offered afterwards is another one."""
        with self._news:
            self._films.pop(secret, None)
            if len(self._removals) >= REMOVALS_MAX:
                self._unremoved += 1
                return
            self._removals[secret] = None
            self._news.notify()

    def close(self) -> None:
        """Do what is to be removed, make no more films. Blocks, for at most `CLOSE_S`."""
        with self._news:
            self._ending = True
            self._films.clear()
            self._news.notify()
        self._thread.join(CLOSE_S)

    def statistics(self) -> dict[str, float]:
        """Counts since the start, and the films that wait. ``seconds`` is the thread's CPU time.

        ``superseded`` films were replaced by newer ones, ``failed`` is what the store or the encoder did not take,
        ``unremoved`` removals left to the sweep, ``swept`` previews that nobody renewed.
        """
        return {
            "waiting": len(self._films),
            "made": self._made,
            "octets": self._octets,
            "superseded": self._superseded,
            "failed": self._failed,
            "removed": self._removed,
            "unremoved": self._unremoved,
            "swept": self._swept,
            "seconds": self._seconds,
        }

    def _run(self) -> None:
        for work in self._works():
            try:
                work()
            except (BaseError, OSError) as error:
                self._failed += 1
                log.warning("previews: %s", str(error).partition("\n")[0])
            except Exception:
                # One film is not worth the others; what fails each time shows in the log and the counts.
                self._failed += 1
                log.exception("a preview failed")
            self._seconds = time.thread_time()

    def _works(self) -> Iterator[Callable[[], None]]:
        """What is to be done next, again and again until the end: removals before films, and those before the sweep."""
        while True:
            with self._news:
                work = self._next()
                while work is None and not self._ending:
                    self._news.wait(LOOK_S)
                    work = self._next()
            if work is None:
                return
            yield work

    def _next(self) -> Callable[[], None] | None:
        if self._removals:
            secret = next(iter(self._removals))
            del self._removals[secret]
            return lambda: self._remove(secret)
        if self._ending:
            return None
        if self._films:
            film = self._films.pop(next(iter(self._films)))
            return lambda: self._make(film)
        if time.monotonic() - self._swept_at >= SWEEP_EVERY_S:
            return self._sweep
        return None

    def _make(self, film: Film) -> None:
        made = animate(film.frames, FPS)
        self._store.put(preview_key(film.secret), made)
        self._made += 1
        self._octets += len(made)

    def _remove(self, secret: str) -> None:
        try:
            self._store.delete(preview_key(secret))
        except FileNotFoundError:
            return
        self._removed += 1

    def _sweep(self) -> None:
        """Remove what was not renewed for long, which no worker will do that knows of it."""
        self._swept_at = time.monotonic()
        stale = datetime.fromtimestamp(self._wall() - STALE_S, UTC)
        looked_at = 0
        for chunk in self._store.list(PREVIEWS):
            for found in chunk:
                if found["last_modified"] < stale:
                    self._store.delete(found["path"])
                    self._swept += 1
            looked_at += len(chunk)
            if looked_at >= SWEPT_MAX or self._ending:
                return
