"""Unfinished recordings on a worker's disk.

::

    <recording>.mp4    the film
    <recording>.json   what it is of
    <recording>.lock   locked by whoever has it in hand; the kernel unlocks what the dead have left

The note is there before the film is and goes after it. So where there is a note that nobody holds the lock of, there is
a recording to be finished.
"""

import contextlib
import errno
import fcntl
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import msgspec

from parlour.domain.live.recording import Recording

RESERVE = 64 * 1024 * 1024
"""Octets of the disk that recordings leave to others."""

log = logging.getLogger("parlour.media")


@dataclass(frozen=True, slots=True)
class Note:
    """What a film is of, for whoever finds it. ``told`` is whether it is known that the store does not have it yet."""

    project_id: UUID
    room_id: UUID
    session_id: str
    recording: Recording
    told: bool = False


_decoder = msgspec.json.Decoder(Note)


class Reel:
    """The files of one unfinished recording, which nobody else touches until ``let_go`` or ``discard``."""

    def __init__(self, folder: Path, name: str, lock: int) -> None:
        self.film = folder / f"{name}.mp4"
        self.draft = folder / f"{name}.part"
        self._note = folder / f"{name}.json"
        self._lock_path = folder / f"{name}.lock"
        self._lock: int | None = lock

    @classmethod
    def taken(cls, folder: Path, name: str) -> "Reel | None":
        """The files of this name, unless somebody has them in hand. Raises ``OSError``."""
        lock = os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            if isinstance(error, BlockingIOError):
                return None
            raise
        return cls(folder, name, lock)

    @property
    def is_noted(self) -> bool:
        """Whether there is a recording, or still one."""
        return self._note.exists()

    def note(self) -> Note:
        """What it is of. Raises ``OSError``, ``msgspec.MsgspecError``."""
        return _decoder.decode(self._note.read_bytes())

    def write_note(self, note: Note) -> None:
        """Write what it is of. Raises ``OSError``."""
        draft = self._note.with_suffix(".note")
        draft.write_bytes(msgspec.json.encode(note))
        draft.replace(self._note)

    def let_go(self) -> None:
        """Leave the files to whoever comes."""
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    def discard(self) -> None:
        """Remove the files. Raises ``OSError``."""
        try:
            for path in (self.draft, self.film, self._note.with_suffix(".note"), self._note, self._lock_path):
                path.unlink(missing_ok=True)
        finally:
            self.let_go()


class FilmFile:
    """Where a film is written. ``error`` is what the disk said when it would not take any more."""

    def __init__(self, path: Path, reserve: int, wrote: Callable[[int], None] = lambda octets: None) -> None:
        """A new file that leaves ``reserve`` octets of its disk free; ``wrote`` hears of each piece how large it was.

        Raises ``OSError``.
        """
        self.error: OSError | None = None
        self._wrote = wrote
        self._reserve = reserve
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)

    def write(self, data: bytes, /) -> int:
        """Write all of it. Raises ``OSError``."""
        try:
            if self._reserve:
                disk = os.fstatvfs(self._file)
                if disk.f_bavail * disk.f_frsize < self._reserve + len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as error:
            self.error = self.error or error
            raise
        self._wrote(len(data))
        return len(data)

    def close(self) -> None:
        """Have it written. Raises ``OSError``."""
        os.close(self._file)


class Spool:
    """The folder. Workers may share one. All methods block on the disk."""

    def __init__(self, folder: Path, reserve: int = RESERVE) -> None:
        """``reserve`` is how many octets of the disk are left to others."""
        self.folder = folder
        self.reserve = reserve

    def open(self, note: Note) -> Reel:
        """Begin a recording. Raises ``OSError``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        reel = Reel.taken(self.folder, note.recording.id)
        if reel is None:
            raise FileExistsError(f"recording {note.recording.id} is in hand already")
        try:
            reel.write_note(note)
        except OSError:
            with contextlib.suppress(OSError):  # the disk does nothing any more
                reel.discard()
            raise
        return reel

    def orphans(self) -> Iterator[tuple[Reel, Note]]:
        """What nobody has in hand, each taken in hand. Raises ``OSError`` where the folder cannot be read."""
        if not self.folder.is_dir():
            return
        for path in sorted(self.folder.glob("*.json")):
            try:
                reel = Reel.taken(self.folder, path.stem)
            except OSError as error:
                log.warning("recording %s cannot be taken in hand: %s", path.stem, error)
                continue
            if reel is None:
                continue
            try:
                note = reel.note() if reel.is_noted else None
            except (OSError, msgspec.MsgspecError) as error:
                log.warning("recording %s: its note cannot be read: %s", path.stem, error)
                note = None
            if note is None or note.recording.id != path.stem:
                reel.let_go()
            else:
                yield reel, note
