"""Rooms that are recorded, and where their recordings go."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from parlour.domain.live.events import Told
from parlour.domain.live.journal import Entry
from parlour.domain.live.recording import Recording
from parlour.domain.room import Room
from parlour.media.conference import Conference
from parlour.media.recording.archive import Archive
from parlour.media.recording.spool import Spool
from parlour.media.transport import Endpoint


@dataclass
class Studio:
    """A folder with a spool and a store, the rooms that record there, and what they have told."""

    folder: Path
    endpoint: Endpoint
    entries: list[Entry] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    kept: bool = True
    rooms: list[Conference] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.spool = Spool(self.folder / "spool", reserve=0)
        self.archive = Archive((self.folder / "objects").as_uri(), self.spool, pause=lambda seconds: None)

    def new_id(self) -> str:
        """An id."""
        return str(UUID(int=next(self._numbers)))

    def room(self, room: Room, **given: Any) -> Conference:
        """A live room of real threads."""

        async def written() -> bool:
            return self.kept

        conference = Conference(
            room,
            self.new_id(),
            self.endpoint,
            self.told.append,
            lambda: None,
            new_id=self.new_id,
            write=self.entries.append,
            written=written,
            archive=self.archive,
            **given,
        )
        self.rooms.append(conference)
        return conference

    @property
    def recordings(self) -> list[Recording]:
        """What was told of recordings, in order."""
        return [entry.recording for entry in self.entries if entry.recording is not None]

    def done(self) -> bool:
        """Whether all recordings are completed."""
        last = {recording.id: recording for recording in self.recordings}
        return bool(last) and all(recording.status == "completed" for recording in last.values())

    def film(self, recording: Recording | None = None) -> Path:
        """Where the store has a recording, by default the last one."""
        found = recording or self.recordings[-1]
        assert found.key, found
        return self.folder / "objects" / found.key

    def left(self) -> list[str]:
        """The files in the spool."""
        return sorted(path.name for path in self.spool.folder.glob("*"))


@pytest.fixture
async def studio(tmp_path: Path, endpoint: Endpoint) -> AsyncIterator[Studio]:
    """Where rooms are recorded."""
    found = Studio(tmp_path, endpoint)
    yield found
    for room in found.rooms:
        await room.close()
