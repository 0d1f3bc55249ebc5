"""From a worker's disk to the store: films are made whole, put where they are kept, and removed here."""

import contextlib
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore

from parlour.domain.live.recording import Recording, RecordingStatus
from parlour.media.recording.boxes import shape
from parlour.media.recording.remux import apart
from parlour.media.recording.spool import Note, Reel, Spool
from parlour.objects import open_objects, recording_key

AGAIN_S = (1.0, 5.0, 15.0)
"""Pauses before the store is asked again; then the film stays in the spool until a worker looks there."""

PART = 8 * 1024 * 1024
"""Octets of a part of a film on its way to the store; S3 takes 10,000 of them."""

PARTS_AT_ONCE = 2

NOTHING = "Nothing was recorded."

log = logging.getLogger("parlour.media")


class Archive:
    """Finishes recordings, in whichever thread asks for it. One for each worker."""

    def __init__(self, url: str, spool: Spool, *, pause: Callable[[float], None] = time.sleep) -> None:
        """``url`` is the store's; it is opened when it is needed."""
        self.spool = spool
        self._url = url
        self._pause = pause
        self._store: ObjectStore | None = None
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter(
            recordings_stored=0, recordings_failed=0, recordings_octets=0, recordings_drops=0
        )

    def finish(self, reel: Reel, note: Note) -> Recording:
        """The recording, completed: with a key where the store has it, else with a reason. Blocks; raises nothing.

        Where the store has it, or where there is nothing to be kept, the reel can be discarded.
        """
        try:
            recording = self._finish(reel, note)
        except Exception as error:
            # Whatever it is, the recording has an end, and the film is still where it was.
            log.warning("recording %s is not stored", note.recording.id, exc_info=error)
            self.count(recordings_failed=1)
            reason = note.recording.reason or f"The file could not be stored: {in_words(error)}"
            recording = replace(note.recording, status=RecordingStatus.COMPLETED, reason=reason)
        return recording

    def count(self, **counts: int) -> None:
        """Add to the counts."""
        with self._lock:
            self._counts.update(counts)

    def statistics(self) -> dict[str, float]:
        """Counts since the start: films stored, and failures; octets written to the spool; what queues dropped."""
        with self._lock:
            return dict(self._counts)

    def _finish(self, reel: Reel, note: Note) -> Recording:
        recording = note.recording
        done = replace(recording, status=RecordingStatus.COMPLETED)
        duration = self._whole(reel)
        if duration is None:
            return replace(done, duration=0.0, size=0, reason=recording.reason or NOTHING)
        key = recording_key(note.project_id, note.session_id, recording.id)
        size = reel.film.stat().st_size
        self._put(key, reel.film)
        self.count(recordings_stored=1)
        return replace(done, duration=round(duration, 3), size=size, key=key)

    def _whole(self, reel: Reel) -> float | None:
        """Make a whole file of what there is; how many seconds that is, ``None`` where there is nothing."""
        try:
            with reel.film.open("r+b") as file:
                found = shape(file)
                file.truncate(found.size)
        except FileNotFoundError:
            return None
        if not found.size:
            return None
        if found.fragmented:
            try:
                duration = apart(reel.film, reel.draft)
                reel.draft.replace(reel.film)
            except OSError as error:  # it can be played as it is
                log.warning("recording %s stays in fragments: %s", reel.film.stem, error)
                with contextlib.suppress(OSError):
                    reel.draft.unlink(missing_ok=True)
            else:
                return duration
        return apart(reel.film)

    def _put(self, key: str, film: Path) -> None:
        for pause in (*AGAIN_S, None):
            try:
                obstore.put(
                    self._opened(),
                    key,
                    film,
                    attributes={} if self._url.startswith("file:") else {"Content-Type": "video/mp4"},
                    chunk_size=PART,
                    max_concurrency=PARTS_AT_ONCE,
                )
            except (OSError, BaseError) as error:
                if pause is None:
                    raise
                log.warning("recording %s: the store does not take it yet: %s", film.stem, error)
                self._pause(pause)
            else:
                return

    def _opened(self) -> ObjectStore:
        with self._lock:
            if self._store is None:
                self._store = open_objects(self._url)
            return self._store


def is_settled(recording: Recording) -> bool:
    """Whether nothing is left to be done with the files of a completed recording."""
    return bool(recording.key) or recording.size == 0


def in_words(error: Exception) -> str:
    """What went wrong, in one line for people, without paths."""
    if isinstance(error, OSError) and error.errno:
        return f"{os.strerror(error.errno)}."
    return f"{type(error).__name__}."
