"""A worker whose store is slow: rooms that are over wait for their recordings, and nobody waits for those rooms."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from parlour.bus.station import station
from parlour.domain.live.commands import Accepted, Join, Leave
from parlour.domain.live.journal import Entry
from parlour.domain.live.recording import Recording, RecordingStatus
from parlour.media import conference as conference_module
from parlour.media import worker as module
from parlour.media.budget import Budget
from parlour.media.preview.studio import Studio
from parlour.media.recording.archive import Archive
from parlour.media.recording.spool import Spool
from parlour.media.transport import Endpoint
from parlour.media.worker import Worker
from parlour.objects import open_objects
from tests.domain.live.people import a_room
from tests.media.guest import only
from tests.media.transport.peer import CHROMIUM
from tests.support.nats import nats_server
from tests.support.waiting import until

ROOM = a_room(record_on_start=True)


class SlowArchive(Archive):
    """An archive whose store takes a film once it is let."""

    def __init__(self, url: str, spool: Spool) -> None:
        super().__init__(url, spool)
        self.let = threading.Event()

    def _put(self, key: str, film: Path) -> None:
        assert self.let.wait(60)
        super()._put(key, film)


class House:
    """A worker on a bus, and what it has written."""

    def __init__(self, worker: Worker, archive: SlowArchive, entries: list[Entry]) -> None:
        self.worker = worker
        self.archive = archive
        self.entries = entries

    async def join(self, name: str) -> Accepted:
        """Somebody comes."""
        reply = await self.worker.handle(
            ROOM.room_id, Join(ROOM, f"call-{name}", only(CHROMIUM, "H264"), name, (), channel="video")
        )
        assert isinstance(reply, Accepted), reply
        return reply

    @property
    def recordings(self) -> list[Recording]:
        """What was told of recordings."""
        return [entry.recording for entry in self.entries if entry.recording is not None]


@pytest.fixture(scope="module")
def bus() -> Iterator[str]:
    """A NATS server."""
    with nats_server() as server:
        yield server.url


@pytest.fixture
async def house(bus: str, endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """A worker at its station."""
    monkeypatch.setattr(conference_module, "LINGER_S", 0.2)
    url = (tmp_path / "objects").as_uri()
    archive = SlowArchive(url, Spool(tmp_path / "spool", 0))
    studio = Studio(open_objects(url))
    worker = Worker(endpoint, studio, archive, 300, 45, Budget(1.0))
    async with station(bus, "one", worker.handle, worker.burden, worker.forget) as place:
        entries: list[Entry] = []
        write = place.write

        def note(entry: Entry) -> None:
            entries.append(entry)
            write(entry)

        monkeypatch.setattr(place, "write", note)
        worker.station = place
        living = asyncio.create_task(place.live())
        yield House(worker, archive, entries)
        archive.let.set()
        await worker.close()
        living.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await living
    await asyncio.to_thread(studio.close)


def frames(house: House) -> float:
    """Ticks of sound of the room that lives."""
    return house.worker.statistics().get("sound_ticks", 0)


async def test_whoever_comes_while_the_last_session_is_stored_begins_a_new_one(house: House) -> None:
    first = await house.join("ana")
    await until(lambda: frames(house) > 30)
    await house.worker.handle(ROOM.room_id, Leave("call-ana"))
    await until(lambda: any(entry.name == "room.ended" for entry in house.entries))
    await until(lambda: house.recordings[-1].status is RecordingStatus.PROCESSING)
    assert house.worker.statistics()["recordings_finishing"] == 1
    second = await house.join("ben")
    assert second.session_id != first.session_id
    await until(lambda: frames(house) > 30)
    house.archive.let.set()
    await until(lambda: any(one.status is RecordingStatus.COMPLETED for one in house.recordings))
    (done,) = [entry for entry in house.entries if entry.name == "recording.ended"]
    assert done.session_id == first.session_id
    assert done.recording is not None
    assert done.recording.key


async def test_a_room_that_is_another_workers_now_is_let_go_without_waiting(house: House) -> None:
    await house.join("ana")
    await until(lambda: frames(house) > 30)
    house.worker._rooms[ROOM.room_id]._past_dropped["srtp forged"] = 3
    await asyncio.wait_for(house.worker.forget(ROOM.room_id), 20)
    assert frames(house) == 0
    assert house.worker.statistics()["calls_dropped_srtp_forged"] == 3, "what was dropped stays counted"
    assert not house.archive.let.is_set()
    house.archive.let.set()
    await until(lambda: any(one.status is RecordingStatus.COMPLETED for one in house.recordings))


async def test_a_worker_that_ends_does_not_wait_for_a_store_that_hangs(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CLOSE_S", 0.5)
    await house.join("ana")
    await until(lambda: frames(house) > 30)
    await asyncio.wait_for(house.worker.close(), 30)
    assert house.recordings[-1].status is RecordingStatus.PROCESSING
    assert list(house.archive.spool.orphans()) == [], "as long as the process lives, it may come to an end yet"
    assert list(house.archive.spool.folder.glob("*.mp4"))
