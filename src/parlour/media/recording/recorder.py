"""One recording in the making: a thread that writes what the room's planes hand it, and finishes the film."""

import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import av

from parlour.domain.live.recording import Recording, RecordingStatus
from parlour.media.audio.frame import Pcm
from parlour.media.packets import MediaPacket
from parlour.media.recording.archive import Archive, in_words, is_settled
from parlour.media.recording.film import Film
from parlour.media.recording.spool import FilmFile, Note, Reel
from parlour.media.video.codec import PayloadError
from parlour.media.video.h264 import H264Assembler

QUEUE_MAX = 800
"""Pictures and frames of sound that may wait for the disk: ten seconds of a room at 30 pictures a second."""

KEYFRAME_S = 10.0
"""A film has a keyframe at least this often, for it to be sought in."""

log = logging.getLogger("parlour.media")


class _Item(NamedTuple):
    """A picture's packets or a frame of sound. ``take`` counts how often the film was interrupted before it."""

    take: int
    at: float
    packets: Sequence[MediaPacket] = ()
    samples: Pcm | None = None


class Recorder:
    """Writes a film from ``roll`` on. Nothing here blocks but its own thread.

    ``picture`` and ``sound`` are called by the planes' threads. What the queue has no room for is dropped and counted;
    ``ask_keyframe`` is called where the film cannot go on without one. ``broke`` is told in words why the film has
    ended by itself, and ``stop`` is to follow; ``done`` the finished recording and its files. Both are called in the
    recorder's thread.
    """

    def __init__(
        self,
        note: Note,
        archive: Archive,
        ask_keyframe: Callable[[], None],
        broke: Callable[[str], None],
        done: Callable[[Recording, Reel | None], None],
    ) -> None:
        self._note = note
        self._archive = archive
        self._ask_keyframe = ask_keyframe
        self._broke = broke
        self._done = done
        self._items: queue.Queue[_Item | None] = queue.Queue()
        self._lock = threading.Lock()
        self._rolling = False
        self._take = 0
        self._needs_keyframe = True
        self._keyframe_at = 0.0
        self._stopped: Recording | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="parlour-recorder", daemon=True)
        self._thread.start()

    @property
    def rolling(self) -> bool:
        """Whether what comes gets into the film."""
        return self._rolling

    def roll(self, on: bool) -> None:
        """Let the film run, or leave out what comes from now on."""
        with self._lock:
            if on and not self._rolling:
                self._take += 1
                self._needs_keyframe = True
            self._rolling = on

    def stop(self, recording: Recording) -> None:
        """End the film, and finish the recording as it is given here. To be called once."""
        self.roll(on=False)
        self._stopped = recording
        self._stop.set()
        self._items.put(None)

    def picture(self, at: float, packets: Sequence[MediaPacket]) -> None:
        """Take a picture of the room, shown from ``at`` on, in seconds of a clock that the sound shares."""
        if not self._rolling or not packets:
            return
        keyframe = packets[0].keyframe
        with self._lock:
            wants = self._needs_keyframe and not keyframe
            if not wants:
                self._needs_keyframe = not self._put(_Item(self._take, at, packets=packets))
                if keyframe:
                    self._keyframe_at = at
                elif at - self._keyframe_at >= KEYFRAME_S:
                    self._keyframe_at, wants = at, True
        if wants and self._items.qsize() < QUEUE_MAX // 2:  # it would be dropped too
            self._ask_keyframe()

    def sound(self, at: float, samples: Pcm) -> None:
        """Take 20 ms of the room's mix, heard from ``at`` on."""
        if self._rolling:
            self._put(_Item(self._take, at, samples=samples))

    @property
    def waiting(self) -> int:
        """Pictures and frames of sound that wait for the disk."""
        return self._items.qsize()

    def _put(self, item: _Item) -> bool:
        if self._items.qsize() >= QUEUE_MAX:
            self._archive.count(recordings_drops=1)
            return False
        self._items.put(item)
        return True

    # -- the thread

    def _run(self) -> None:
        reel: Reel | None = None
        try:
            reel = self._archive.spool.open(self._note)
            self._write(reel)
        except OSError as error:
            self._fail(error)
        except Exception as error:
            # Whatever it is, it is of this film alone: the room goes on, and what there is of the film is kept.
            log.exception("recording %s failed", self._note.recording.id)
            self._fail(error)
        self._stop.wait()
        assert self._stopped is not None  # noqa: S101 - as set before
        self._finish(reel, self._stopped)

    def _write(self, reel: Reel) -> None:
        file = FilmFile(
            reel.film, self._archive.spool.reserve, lambda octets: self._archive.count(recordings_octets=octets)
        )
        film = Film(file)
        try:
            try:
                self._shoot(film)
            finally:
                film.close()
        except av.FFmpegError as error:
            raise file.error or OSError(str(error)) from error
        finally:
            file.close()

    def _shoot(self, film: Film) -> None:
        assembler = H264Assembler()
        take = 0
        while (item := self._items.get()) is not None:
            if item.take != take:
                film.cut()
                take = item.take
            if item.samples is not None:
                film.sound(item.at, item.samples)
                continue
            try:
                for packet in item.packets:
                    assembler.add(packet.payload)
                unit = assembler.finish()
            except PayloadError:
                assembler.reset()
                log.exception("recording %s: a picture cannot be put together", self._note.recording.id)
                unit = None
            if unit is not None:
                film.picture(item.at, unit[0], keyframe=unit[1])

    def _fail(self, error: Exception) -> None:
        self.roll(on=False)
        with contextlib.suppress(queue.Empty):
            while True:
                self._items.get_nowait()
        log.warning("recording %s ends: %s", self._note.recording.id, error)
        self._archive.count(recordings_failed=1)
        self._broke(f"The recording could not go on: {in_words(error)}")

    def _finish(self, reel: Reel | None, recording: Recording) -> None:
        note = replace(self._note, recording=recording)
        if reel is None:
            self._done(replace(recording, status=RecordingStatus.COMPLETED, size=0, duration=0.0), None)
            return
        self._write_note(reel, note)
        done = self._archive.finish(reel, note)
        if not is_settled(done):
            self._write_note(reel, replace(note, told=True))
        self._done(done, reel)

    def _write_note(self, reel: Reel, note: Note) -> None:
        try:
            reel.write_note(note)
        except OSError as error:  # the note from before is good enough
            log.warning("recording %s: %s", note.recording.id, error)
