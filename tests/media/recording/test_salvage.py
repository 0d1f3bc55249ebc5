"""What a worker finds in its spool that others have left."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest

from parlour.domain.live.journal import Entry
from parlour.domain.live.recording import Recording, RecordingStatus
from parlour.media.recording import salvage as module
from parlour.media.recording.archive import NOTHING, Archive
from parlour.media.recording.salvage import LOST, Salvage
from parlour.media.recording.spool import Note, Spool
from tests.media.recording.shooting import START
from tests.media.recording.test_archive import NOTE, PROJECT, ROOM, STOPPED, shot
from tests.media.recording.watching import watch
from tests.support.waiting import until

RUNNING = Recording(STOPPED.id, START)


@dataclass
class Yard:
    """A spool, a store, and what was written of them."""

    folder: Path
    kept: bool = True
    entries: list[Entry] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.spool = Spool(self.folder / "spool", 0)
        self.archive = Archive((self.folder / "objects").as_uri(), self.spool, pause=lambda seconds: None)
        numbers = count(1)

        async def written() -> bool:
            return self.kept

        self.salvage = Salvage(
            self.archive, self.entries.append, written, lambda: UUID(int=next(numbers)), lambda: START + 99
        )

    @property
    def recordings(self) -> list[Recording]:
        """What was written."""
        return [entry.recording for entry in self.entries if entry.recording is not None]

    def left(self) -> set[str]:
        """What kinds of files are left."""
        return {path.suffix for path in self.spool.folder.iterdir()}


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    """Where things are left."""
    return Yard(tmp_path)


def leave(yard: Yard, recording: Recording = RUNNING, seconds: float = 2) -> None:
    """Leave a film behind, as whoever is killed does."""
    shot(yard.spool, Note(PROJECT, ROOM, NOTE.session_id, recording), seconds).let_go()


async def test_what_was_being_recorded_is_finished(yard: Yard) -> None:
    leave(yard)
    film = yard.spool.folder / f"{RUNNING.id}.mp4"
    os.utime(film, (START + 7, START + 7))
    await yard.salvage.look()
    ((done,), (entry,)) = yard.recordings, yard.entries
    assert (entry.name, entry.at) == ("recording.ended", START + 99)
    assert (entry.project_id, entry.room_id, entry.session_id) == (PROJECT, ROOM, NOTE.session_id)
    assert (done.status, done.reason) == (RecordingStatus.COMPLETED, LOST)
    assert (done.started_at, done.finished_at) == (START, START + 7), "it ended when its film did"
    assert done.duration == pytest.approx(2, abs=0.03)
    assert watch(yard.folder / "objects" / done.key).video == pytest.approx(2, abs=0.03)
    assert yard.left() == set()
    assert yard.salvage.statistics() == {"recordings_salvaged": 1}
    await yard.salvage.look()
    assert len(yard.entries) == 1


async def test_what_had_been_stopped_ended_when_it_was(yard: Yard) -> None:
    leave(yard, STOPPED)
    await yard.salvage.look()
    (done,) = yard.recordings
    assert (done.finished_at, done.reason) == (STOPPED.finished_at, "")


async def test_what_somebody_has_in_hand_is_left_alone(yard: Yard) -> None:
    reel = shot(yard.spool)
    await yard.salvage.look()
    assert yard.entries == []
    reel.let_go()
    await yard.salvage.look()
    assert len(yard.entries) == 1


async def test_a_recording_without_a_film_has_an_end(yard: Yard) -> None:
    yard.spool.open(Note(PROJECT, ROOM, NOTE.session_id, RUNNING)).let_go()
    await yard.salvage.look()
    (done,) = yard.recordings
    assert (done.status, done.key, done.reason) == (RecordingStatus.COMPLETED, "", LOST)
    assert done.finished_at == START
    assert yard.left() == set()
    assert NOTHING != LOST


async def test_the_store_is_asked_until_it_takes_it_and_told_of_once(yard: Yard) -> None:
    objects = yard.folder / "objects"
    objects.write_text("in the way")
    leave(yard, STOPPED)
    for _ in range(3):
        await yard.salvage.look()
    (first,) = yard.recordings
    assert first.key == ""
    assert first.reason.startswith("The file could not be stored")
    objects.unlink()
    await yard.salvage.look()
    second = yard.recordings[1]
    assert second.key
    assert second.reason == ""
    assert yard.left() == set()


async def test_files_stay_until_it_is_written_down_where_they_are(yard: Yard) -> None:
    yard.kept = False
    leave(yard, STOPPED)
    await yard.salvage.look()
    assert yard.recordings[0].key
    assert ".mp4" in yard.left()
    yard.kept = True
    await yard.salvage.look()
    assert yard.recordings[1] == yard.recordings[0]
    assert yard.left() == set()


async def test_a_look_is_taken_at_once_and_again(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.01)
    task = asyncio.create_task(yard.salvage.run())
    leave(yard, Recording(str(UUID(int=1)), START))
    await until(lambda: len(yard.entries) >= 1)
    leave(yard, Recording(str(UUID(int=2)), START))
    await until(lambda: len(yard.entries) >= 2)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


KEEPER = """
    import sys, time
    from pathlib import Path
    from tests.media.recording.test_archive import shot
    from parlour.media.recording.spool import Spool
    reel = shot(Spool(Path(sys.argv[1]), 0))
    print("shot", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def keeper(yard: Yard) -> Iterator["subprocess.Popen[str]"]:
    """A process that has a film in hand."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KEEPER), str(yard.spool.folder)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "shot\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


async def test_what_a_living_process_has_in_hand_is_its_own_until_it_is_killed(
    yard: Yard, keeper: "subprocess.Popen[str]"
) -> None:
    await yard.salvage.look()
    assert yard.entries == []
    keeper.send_signal(signal.SIGKILL)
    keeper.wait()
    await yard.salvage.look()
    assert len(yard.entries) == 1
