"""The journal is written down whatever is in it, and what is lost is ended in time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from parlour.domain.errors import Unavailable
from parlour.domain.live.recording import RecordingStatus
from parlour.front.keeper import FORGOTTEN_S, SLACK_S, Keeper, Reaper
from parlour.store import recordings, sessions
from parlour.store.database import Database, Result, Work
from tests.front.test_auth import Counting
from tests.store.entries import NOON, Story, an_id, moment
from tests.store.test_sessions import OURS, session_of

GRACE = 45.0


class Away(Counting):
    """A database that is away for a while."""

    away = True

    async def transact(self, work: Work[Result]) -> Result:
        if self.away:
            raise Unavailable("away")
        return await self._database.transact(work)


async def test_entries_are_kept_once_the_database_is_back(database: Database) -> None:
    story, away = Story(), Away(database)
    keeper = Keeper(away)
    with pytest.raises(Unavailable):
        await keeper.keep([story.started()])
    away.away = False
    await keeper.keep([story.started(), story.joined(2, 0.0)])
    assert keeper.statistics() == {"kept": 2, "lost": 0}
    assert (await session_of(database, story)).ended_at is None


async def test_an_entry_that_cannot_be_kept_stands_in_nobodys_way(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    story = Story()
    keeper = Keeper(database)
    odd = replace(story.started(), at=1e300)
    await keeper.keep([odd, story.started(), story.joined(2, 0.0)])
    assert keeper.statistics() == {"kept": 2, "lost": 1}
    assert (await session_of(database, story)).started_at == moment(0)
    assert any("cannot be kept: room.started" in record.getMessage() for record in caplog.records)


class Rooms:
    """Where rooms live, as the test says."""

    def __init__(self, *alive: UUID) -> None:
        self.alive = set(alive)

    async def lives(self, room_id: UUID) -> bool:
        return room_id in self.alive


class Clock:
    """Stands still unless it is moved."""

    def __init__(self) -> None:
        self.now = datetime.fromtimestamp(NOON, UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


async def test_a_session_is_ended_when_its_room_was_gone_for_long_enough(database: Database) -> None:
    story, clock = Story(), Clock()
    rooms = Rooms(story.room_id)
    reaper = Reaper(database, rooms, GRACE, clock)
    await Keeper(database).keep([story.started(), story.joined(2, 3.0)])
    clock.pass_(1000)
    await reaper.look()
    assert reaper.statistics() == {"missing": 0, "ended": 0, "recordings_given_up": 0}

    rooms.alive.clear()
    await reaper.look()
    clock.pass_(GRACE)
    await reaper.look()
    assert reaper.statistics()["missing"] == 1
    rooms.alive.add(story.room_id)  # somebody came back
    await reaper.look()
    rooms.alive.clear()
    clock.pass_(SLACK_S)
    await reaper.look()
    clock.pass_(GRACE + SLACK_S - 1)
    await reaper.look()
    assert (await session_of(database, story)).ended_at is None, "its patience began anew"
    clock.pass_(1)
    await reaper.look()
    assert (await session_of(database, story)).ended_at == moment(3)
    await reaper.look()
    assert reaper.statistics() == {"missing": 0, "ended": 1, "recordings_given_up": 0}


async def test_a_session_whose_room_has_a_newer_one_is_ended_though_the_room_lives(database: Database) -> None:
    lost, live, clock = Story(0, room=1), Story(1, room=1), Clock()
    reaper = Reaper(database, Rooms(live.room_id), GRACE, clock)
    await Keeper(database).keep([lost.started(), live.started(5.0)])
    await reaper.look()
    clock.pass_(GRACE + SLACK_S)
    await reaper.look()
    assert (await session_of(database, lost)).ended_at == moment(0)
    assert (await session_of(database, live)).ended_at is None


async def test_two_fronts_end_a_session_once(database: Database) -> None:
    story, clock = Story(), Clock()
    reapers = [Reaper(database, Rooms(), GRACE, clock) for _ in range(2)]
    await Keeper(database).keep([story.started()])
    for reaper in reapers:
        await reaper.look()
    clock.pass_(GRACE + SLACK_S)
    for reaper in reapers:
        await reaper.look()
    assert sum(reaper.statistics()["ended"] for reaper in reapers) == 1


async def test_a_recording_that_nobody_finishes_is_given_up(database: Database) -> None:
    story, clock = Story(), Clock()
    reaper = Reaper(database, Rooms(), GRACE, clock)
    recording = story.recording(5, status=RecordingStatus.PROCESSING)
    await Keeper(database).keep([story.started(), story.recorded(recording, 2.0), story.ended(2.0)])
    clock.pass_(FORGOTTEN_S)
    await reaper.look()
    assert reaper.statistics()["recordings_given_up"] == 0
    clock.pass_(3)
    await reaper.look()
    assert reaper.statistics()["recordings_given_up"] == 1
    found = await database.run(lambda connection: recordings.get(connection, OURS, an_id(5)))
    assert found is not None
    assert (found.status, found.reason) == (RecordingStatus.COMPLETED, sessions.LOST)
