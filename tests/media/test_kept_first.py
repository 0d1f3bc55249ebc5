"""What a worker has answered is kept: it waits for the journal first."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from parlour.domain.live.commands import Accepted, Command, Join, Leave, Record, Recorded, Reply
from parlour.domain.live.journal import Entry
from parlour.media import worker
from parlour.media.worker import WorkerOptions
from tests.media.guest import ROOM, only
from tests.media.transport.peer import CHROMIUM


class Journal:
    """A station whose journal takes its time."""

    def __init__(self, handle: Any) -> None:
        self.handle = handle
        self.entries: list[Entry] = []
        self.kept, self.asked = asyncio.Event(), asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        async def nothing(*_: object) -> None: ...

        return nothing

    def tell(self, *_: object) -> None:
        """Nobody listens."""

    hand_over = tell

    def write(self, entry: Entry) -> None:
        """Take an entry."""
        self.entries.append(entry)

    async def written(self) -> None:
        """Wait as long as the test wants."""
        self.asked.set()
        await self.kept.wait()


async def held(journal: Journal, command: Command) -> Reply:
    """The answer to a command, which must not be there before the journal is kept."""
    before = len(journal.entries)
    journal.kept.clear()
    journal.asked.clear()
    asking = asyncio.create_task(journal.handle(ROOM.room_id, command))
    done, _ = await asyncio.wait({asking, asyncio.ensure_future(journal.asked.wait())}, return_when="FIRST_COMPLETED")
    assert asking not in done, asking.result()
    assert len(journal.entries) > before
    journal.kept.set()
    reply: Reply = await asking
    return reply


async def test_joins_and_recordings_are_answered_once_they_are_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stop = asyncio.Event()

    @contextlib.asynccontextmanager
    async def station(_url: str, _name: str, handle: Any, *_: object) -> AsyncIterator[Any]:
        journal = handle.__self__.station = Journal(handle)
        try:
            joined = await held(journal, Join(ROOM, "c1", only(CHROMIUM, "H264"), "Ana", ()))
            assert isinstance(joined, Accepted)
            assert [entry.name for entry in journal.entries] == ["room.started", "member.joined"]
            recorded = await held(journal, Record(joined.session_id, "start"))
            assert isinstance(recorded, Recorded)
            assert journal.entries[-1].recording == recorded.recording
            journal.kept.clear()
            await asyncio.wait_for(handle(ROOM.room_id, Leave("c1")), 5)
        finally:
            journal.kept.set()
            stop.set()
        yield journal

    monkeypatch.setattr(worker, "station", station)
    objects = (tmp_path / "objects").as_uri()
    await worker.work(WorkerOptions("nats://nowhere", objects, tmp_path / "spool", hosts=("127.0.0.1",)), stop)
