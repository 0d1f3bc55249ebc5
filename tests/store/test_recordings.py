"""Recordings as they are kept: the younger word counts, and what is deleted stays away."""

from dataclasses import replace
from uuid import UUID, uuid4

from parlour.domain.live.recording import RecordingStatus
from parlour.store import recordings, sessions
from parlour.store.database import Database
from parlour.store.paging import Position
from parlour.store.recordings import Recording
from tests.store.entries import NOON, Story, an_id, moment
from tests.store.test_sessions import keep
from tests.support.server import PROJECT

OURS = UUID(PROJECT)


async def recording_of(database: Database, number: int) -> Recording | None:
    """A recording by its number."""
    return await database.run(lambda connection: recordings.get(connection, OURS, an_id(number)))


async def delete(database: Database, number: int, project: UUID = OURS) -> bool:
    """Delete a recording by its number."""
    key = an_id(number)
    return await database.write(lambda connection: recordings.delete(connection, project, key, moment(99)))


async def test_a_recording_from_its_beginning_to_its_file(database: Database) -> None:
    story = Story()
    begun = story.recording(5)
    await keep(database, story.started(), story.recorded(begun, 1.0))
    found = await recording_of(database, 5)
    assert found == Recording(
        *(an_id(5), OURS, story.id, RecordingStatus.RECORDING, moment(1), None, None, None, "", "", moment(1))
    )
    done = replace(
        begun, status=RecordingStatus.COMPLETED, finished_at=NOON + 9, duration=7.5, size=2**40, key="a.mp4", reason="x"
    )
    await keep(database, story.recorded(done, 11.0), story.recorded(replace(begun, status=RecordingStatus.PAUSED), 5.0))
    assert await recording_of(database, 5) == Recording(
        *(an_id(5), OURS, story.id, RecordingStatus.COMPLETED, moment(1), moment(9), 7.5, 2**40, "a.mp4", "x"),
        told_at=moment(11),
    )
    assert await database.run(lambda connection: recordings.get(connection, uuid4(), an_id(5))) is None


async def test_lists(database: Database) -> None:
    one, two = Story(0), Story(1)
    await keep(database, one.started(), two.started())
    await keep(database, *(story.recorded(story.recording(n), 1.0) for n, story in ((5, one), (6, two), (7, one))))
    page = await database.run(lambda connection: recordings.page(connection, OURS, Position(), 2))
    assert ([item.id for item in page.items], page.older) == ([an_id(7), an_id(6)], an_id(6))
    page = await database.run(lambda connection: recordings.of_session(connection, one.id, Position(), 9))
    assert [item.id for item in page.items] == [an_id(7), an_id(5)]
    assert (await database.run(lambda connection: recordings.page(connection, uuid4(), Position(), 2))).items == []


async def test_what_is_deleted_does_not_come_back_with_a_late_word(database: Database) -> None:
    story = Story()
    begun = story.recording(5)
    done = replace(begun, status=RecordingStatus.COMPLETED, key="a.mp4")
    await keep(database, story.started(), story.recorded(begun, 1.0))
    for status in (RecordingStatus.RECORDING, RecordingStatus.PAUSED, RecordingStatus.PROCESSING):
        await keep(database, story.recorded(replace(begun, status=status), 2.0))
        assert not await delete(database, 5), f"it is {status} still"
    await keep(database, story.recorded(done, 3.0))
    assert not await delete(database, 5, project=uuid4())
    assert await database.run(lambda connection: recordings.file_of(connection, an_id(5))) is not None
    assert await delete(database, 5)
    assert not await delete(database, 5)
    await keep(database, story.recorded(replace(done, key="b.mp4"), 4.0), story.recorded(begun, 1.0))
    assert await recording_of(database, 5) is None
    assert (await database.run(lambda connection: recordings.page(connection, OURS, Position(), 9))).items == []
    assert await database.run(lambda connection: recordings.file_of(connection, an_id(5))) is None

    left = await database.run(lambda connection: recordings.left_files(connection, 9))
    assert left == [(an_id(5), "b.mp4")], "a file that was told of late is removed too"
    await database.write(lambda connection: recordings.file_is_gone(connection, an_id(5), "a.mp4"))
    assert await database.run(lambda connection: recordings.left_files(connection, 9)) == left
    await database.write(lambda connection: recordings.file_is_gone(connection, an_id(5), "b.mp4"))
    assert await database.run(lambda connection: recordings.left_files(connection, 9)) == []


async def test_what_a_room_answers_counts_until_the_journal_tells_more(database: Database) -> None:
    story = Story()
    begun = story.recording(5)
    paused = replace(begun, status=RecordingStatus.PAUSED)
    told = recordings.as_told(begun, OURS, story.id, moment(50))
    await database.write(lambda connection: recordings.note(connection, told, None))
    found = await recording_of(database, 5)
    assert found is not None
    assert (found.status, found.told_at) == (RecordingStatus.RECORDING, moment(1))
    later = recordings.as_told(paused, OURS, story.id, moment(60))
    since = found.told_at
    await database.write(lambda connection: recordings.note(connection, later, since))
    found = await recording_of(database, 5)
    assert found is not None
    assert found.status is RecordingStatus.PAUSED
    await keep(database, story.started(), story.recorded(begun, 3.0))
    await database.write(lambda connection: recordings.note(connection, later, since))
    found = await recording_of(database, 5)
    assert found is not None
    assert found.status is RecordingStatus.RECORDING, "it was told to go on meanwhile"


async def test_recordings_that_nobody_finishes_are_ended_and_a_late_word_still_counts(database: Database) -> None:
    over, live = Story(0), Story(1)
    going, other = over.recording(5, status=RecordingStatus.PROCESSING), live.recording(6)
    await keep(database, over.started(), live.started(), over.recorded(going, 2.0), live.recorded(other, 2.0))

    async def given_up(before: float) -> int:
        return await database.write(
            lambda connection: recordings.end_forgotten(connection, moment(before), "lost", moment(100))
        )

    assert await given_up(50.0) == 0, "both sessions go on"
    await keep(database, over.ended(9.0))
    assert await given_up(1.5) == 0, "it was told of since"
    assert await given_up(50.0) == 1
    found = await recording_of(database, 5)
    assert found is not None
    assert (found.status, found.finished_at, found.reason) == (RecordingStatus.COMPLETED, moment(2), "lost")
    done = replace(going, status=RecordingStatus.COMPLETED, key="a.mp4", finished_at=NOON + 8)
    await keep(database, over.recorded(done, 120.0))
    found = await recording_of(database, 5)
    assert found is not None
    assert (found.key, found.reason) == ("a.mp4", "")
    file = await database.run(lambda connection: recordings.file_of(connection, an_id(5)))
    assert file == (found, "coffee_cafe")


async def test_what_happened_to_a_recording(database: Database) -> None:
    story = Story()
    await keep(
        database, story.started(), story.recorded(story.recording(5), 1.0), story.recorded(story.recording(6), 2.0)
    )
    page = await database.run(lambda connection: sessions.events_of_recording(connection, an_id(5), Position(), 9))
    assert [event.recording_id for event in page.items] == [an_id(5)]
