"""Recordings and the end of processes, wished for or not: what was recorded is kept, and the session recorded on."""

import signal
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from parlour.media.recording.salvage import LOST
from parlour.store.tables import recordings
from tests.cluster.conftest import descendants, figures, is_running, kill, owner, until
from tests.media.recording.watching import watch
from tests.support.caller import caller, invite, make_room
from tests.support.server import RunningServer, serving
from tests.support.waiting import PATIENCE_S

pytestmark = pytest.mark.slow

LOSS_S = 3.0
"""What may be lost of a film with the process that made it, where other tests keep the machine busy."""
SHOT_S = 6.0


@dataclass(frozen=True)
class Kept:
    """A recording as the database has it."""

    status: str
    started_at: datetime
    duration: float | None
    key: str
    reason: str


def kept(folder: Path) -> list[Kept]:
    """All recordings of a server below a folder, the oldest first."""
    engine = sa.create_engine(f"sqlite:///{folder}/data/parlour.sqlite3", poolclass=sa.NullPool)
    columns = [recordings.c[name] for name in Kept.__dataclass_fields__]
    with engine.connect() as connection:
        return [Kept(*row) for row in connection.execute(sa.select(*columns).order_by(recordings.c.id))]


def are_completed(folder: Path, count: int) -> bool:
    """Whether there are so many recordings, and all have an end."""
    found = kept(folder)
    return len(found) == count and all(one.status == "completed" for one in found)


def assert_is_kept(folder: Path, recording: Kept, seconds: float, more: float = 0.0) -> None:
    """The file is there, and what was shot in so many seconds; it may go on for some ``more``."""
    film = watch(folder / "data" / "objects" / recording.key)
    assert film.video == pytest.approx(film.audio, abs=0.5)
    assert recording.duration == pytest.approx(max(film.video, film.audio), abs=0.05)
    assert seconds - LOSS_S <= film.video <= seconds + more + 1


async def end(server: RunningServer, number: signal.Signals) -> None:
    """End a server with all that belongs to it, at once where it is to be killed."""
    below = descendants(server.process.pid)
    if number is signal.SIGKILL:
        for pid in below:
            kill(pid)
    server.process.send_signal(number)
    await until(lambda: server.process.poll() is not None)
    await until(lambda: not [pid for pid in below if is_running(pid)])


async def shoot(folder: Path, count: int = 1) -> float:
    """Wait until the last recording has gone on for a while; when it began."""
    await until(lambda: len(kept(folder)) == count)
    began = kept(folder)[-1].started_at.timestamp()
    await until(lambda: time.time() >= began + SHOT_S)
    return began


async def test_a_killed_worker_costs_two_seconds_of_film_and_the_session_is_recorded_on(tmp_path: Path) -> None:
    with serving(tmp_path, PARLOUR_WORKERS="2") as server:
        to = make_room(server, record_on_start=True)
        await until(lambda: len(figures(server)) == 2)
        async with caller(server, to, invite(server, to)) as ana:
            before = await ana.join()
            assert before["room_session"]["recording"], "whoever comes is told"
            await ana.sees()
            began = await shoot(tmp_path)
            lost = owner(server)
            assert lost is not None
            assert figures(server)[lost]["recordings_live"] == 1
            kill(lost)
            died = time.time()
            await ana.bye()
            after = await ana.join()
            assert after["room_session_id"] == before["room_session_id"]
            assert after["room_session"]["recording"]
            await ana.sees()
            await shoot(tmp_path, 2)
            await until(lambda: kept(tmp_path)[0].status == "completed")
            assert kept(tmp_path)[1].status == "recording"
            assert ana.seat is not None
            await ana.client.verto("verto.bye", {"dialogParams": {"callID": ana.seat.call_id}})
            await until(lambda: are_completed(tmp_path, 2))
        first, second = kept(tmp_path)
        assert first.reason == LOST
        assert_is_kept(tmp_path, first, died - began)
        assert second.reason == ""
        assert_is_kept(tmp_path, second, SHOT_S, PATIENCE_S)
        assert list((tmp_path / "data" / "spool").iterdir()) == []
        assert sum(of["recordings_salvaged"] for of in figures(server).values()) == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "told to end"])
async def test_a_server_that_ends_leaves_nothing_unfinished_once_it_is_back(
    tmp_path: Path, number: signal.Signals
) -> None:
    with serving(tmp_path) as server:
        to = make_room(server, record_on_start=True)
        await until(lambda: figures(server))
        async with caller(server, to, invite(server, to)) as ana:
            await ana.join()
            began = await shoot(tmp_path)
            told = time.time()
            await end(server, number)
            died = time.time()
        if number is signal.SIGTERM:
            assert server.process.returncode == 0
    with serving(tmp_path):
        await until(lambda: are_completed(tmp_path, 1))
        (recording,) = kept(tmp_path)
        assert recording.reason == (LOST if number is signal.SIGKILL else "")
        assert_is_kept(tmp_path, recording, told - began, died - told)
        assert list((tmp_path / "data" / "spool").iterdir()) == []
