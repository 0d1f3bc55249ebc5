"""Sessions, members and events as they are kept: each once, the younger word counts, whatever order it comes in."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parlour.domain.live.journal import Entry
from parlour.domain.live.recording import RecordingStatus
from parlour.store import recordings, sessions
from parlour.store.database import Database
from parlour.store.paging import Position
from parlour.store.sessions import Session, Wanted
from parlour.store.tables import metadata
from tests.store.entries import Story, an_id, moment
from tests.support.server import PROJECT

OURS = UUID(PROJECT)


async def keep(database: Database, *entries: Entry) -> None:
    """Write entries down in one go."""
    await database.transact(lambda connection: sessions.keep(connection, entries))


async def session_of(database: Database, story: Story) -> Session:
    """The session of a story, which has to be there."""
    found = await database.run(lambda connection: sessions.get(connection, OURS, story.id))
    assert found is not None
    return found


async def everything(database: Database) -> dict[str, list[Any]]:
    """All rows of what the journal tells."""
    names = ("sessions", "session_members", "session_events", "recordings")

    def read(connection: sa.Connection) -> dict[str, list[Any]]:
        return {
            name: [tuple(row) for row in connection.execute(sa.select(table).order_by(table.c.id))]
            for name in names
            for table in (metadata.tables[name],)
        }

    return await database.run(read)


async def test_a_session_as_it_was(database: Database) -> None:
    story = Story(max_members=7, remove_after_seconds_elapsed=60)
    await keep(database, story.started(preview="secret"), story.joined(2, 0.0), story.joined(3, 1.0, "Bob"))
    await keep(database, story.updated(2.0, locked=True), story.left(2, 0.0, 4.5), story.ended(9.0))
    found = await session_of(database, story)
    assert (found.room_id, found.name, found.locked, found.preview) == (story.room_id, "coffee_cafe", True, "secret")
    assert (found.started_at, found.ended_at) == (moment(0), moment(9))
    assert (found.settings["max_members"], found.settings["fps"]) == (7, 30)
    members = await database.run(lambda connection: sessions.members(connection, story.id, Position(), 10))
    assert [(member.name, member.joined_at, member.left_at) for member in members.items] == [
        ("Bob", moment(1), moment(9)),
        ("Ana", moment(0), moment(4.5)),
    ]
    events = await database.run(lambda connection: sessions.events(connection, story.id, Position(), 10))
    assert [event.name for event in events.items] == [
        *("room.ended", "member.left", "room.updated", "member.joined", "member.joined", "room.started")
    ]
    assert events.items[1].payload == {"reason": "left"}
    assert events.items[1].member_id == an_id(2)


async def test_whatever_order_it_comes_in_and_however_often(database: Database) -> None:
    story = Story()
    entries = [
        story.started(),
        story.joined(2, 0.0),
        story.updated(1.0, locked=True),
        story.recorded(story.recording(5), 1.0),
        story.recorded(story.recording(5, status=RecordingStatus.PAUSED), 2.0),
        story.updated(3.0, locked=False),
        story.left(2, 0.0, 4.0),
        story.ended(4.0),
    ]
    await keep(database, *entries)
    expected = await everything(database)
    assert [len(rows) for rows in expected.values()] == [1, 1, 8, 1]

    async def told_again(order: list[Entry]) -> None:
        await database.transact(lambda connection: _empty(connection))
        for some in (order[:3], order[3:5], order[5:]):
            await keep(database, *some)
        assert await everything(database) == expected

    await told_again(entries[::-1])
    await told_again(entries + entries[:4])
    await told_again(entries[4:] + entries)


def _empty(connection: sa.Connection) -> None:
    for name in ("recordings", "session_events", "session_members", "sessions"):
        connection.execute(metadata.tables[name].delete())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_any_order_gives_the_same(database: Database, data: st.DataObject) -> None:
    story = Story()
    steps = [story.started(), *(story.updated(float(at), locked=at % 2 == 0) for at in range(1, 6)), story.ended(6.0)]
    told = data.draw(st.permutations(steps + steps[:3]))
    await database.transact(_empty)
    for entry in told:
        await keep(database, entry)
    found = await session_of(database, story)
    assert (found.locked, found.ended_at, found.told_at) == (False, moment(6), moment(6))
    assert len((await everything(database))["session_events"]) == len(steps)


async def test_what_is_of_no_project_here_is_left_out_and_keeps_nothing_back(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    story, foreign, odd = Story(), Story(1), Story(2)
    foreign.project = uuid4()
    await keep(
        database,
        foreign.started(),
        odd.recorded(replace(odd.recording(1), id="no id"), 1.0),
        story.started(),
    )
    found = await everything(database)
    assert [row[0] for row in found["sessions"]] == [story.id]
    assert found["recordings"] == []
    assert len(caplog.records) == 2


async def test_lists_are_filtered(database: Database) -> None:
    one, two, three = Story(0, 1), Story(1, 1), Story(2, 2, name="100%_Team")
    await keep(database, one.started(), one.ended(5.0), two.started(6.0), three.started(7.0))

    async def found(**wanted: Any) -> list[UUID]:
        page = await database.run(lambda connection: sessions.page(connection, OURS, Position(), 10, Wanted(**wanted)))
        return [session.id for session in page.items]

    assert await found() == [three.id, two.id, one.id]
    assert await found(room_id=one.room_id) == [two.id, one.id]
    assert await found(in_progress=True) == [three.id, two.id]
    assert await found(in_progress=False) == [one.id]
    assert await found(name="coffee_cafe", in_progress=True) == [two.id]
    assert await found(name="coffee") == []
    assert await found(name_has="FFEE") == [two.id, one.id]
    assert await found(name_has="0%_t") == [three.id]
    assert await found(name_has="%") == [three.id]
    other = await database.run(lambda connection: sessions.page(connection, uuid4(), Position(), 10, Wanted()))
    assert other.items == []


async def test_what_goes_on_now(database: Database) -> None:
    over, live, other = Story(0, 1), Story(1, 1), Story(2, 2)
    await keep(database, over.started(), over.ended(2.0), live.started(3.0, preview="abc"), other.started(4.0))
    rooms = [over.room_id, other.room_id, uuid4()]
    found = await database.run(lambda connection: sessions.in_progress(connection, rooms))
    assert {room: session.id for room, session in found.items()} == {live.room_id: live.id, other.room_id: other.id}
    assert await database.run(lambda connection: sessions.in_progress(connection, [])) == {}
    everywhere = await database.run(lambda connection: sessions.all_in_progress(connection, 10))
    assert [session.id for session in everywhere] == [live.id, other.id]

    async def previewed(story: Story, secret: str) -> bool:
        return await database.run(lambda connection: sessions.previewed(connection, story.id, secret))

    assert await previewed(live, "abc")
    assert not await previewed(live, "abd")
    assert not await previewed(live, "é\udcff")
    assert not await previewed(other, "")
    await keep(database, live.ended(9.0))
    assert not await previewed(live, "abc")


async def test_a_lost_session_ends_when_it_was_last_heard_of_and_stays_ended(database: Database) -> None:
    story = Story()
    going = story.recording(5)
    late = story.updated(30.0, locked=True), story.joined(2, 25.0)
    await keep(
        database,
        *(story.started(), story.joined(2, 0.0), story.joined(3, 1.0), story.left(3, 1.0, 20.0)),
        story.recorded(going, 2.0),
    )
    before = await session_of(database, story)
    assert await database.transact(lambda connection: sessions.end_lost(connection, before, moment(100.0)))
    after = await session_of(database, story)
    assert after.ended_at == moment(20)
    members = await database.run(lambda connection: sessions.members(connection, story.id, Position(), 10))
    assert [member.left_at for member in members.items] == [moment(20), moment(20)]
    recording = await database.run(lambda connection: recordings.get(connection, OURS, an_id(5)))
    assert recording is not None
    assert (recording.status, recording.finished_at) == (RecordingStatus.COMPLETED, moment(20))
    assert recording.reason == sessions.LOST
    assert not await database.transact(lambda connection: sessions.end_lost(connection, before, moment(101.0)))
    await keep(database, *late)
    assert (await session_of(database, story)).ended_at == moment(20), "it was told before the end, and comes late"
    members = await database.run(lambda connection: sessions.members(connection, story.id, Position(), 10))
    assert [member.left_at for member in members.items] == [moment(20), moment(20)]


async def test_a_session_that_was_told_of_meanwhile_is_not_ended(database: Database) -> None:
    story = Story()
    await keep(database, story.started())
    before = await session_of(database, story)
    await keep(database, story.updated(1.0, locked=True))
    assert not await database.transact(lambda connection: sessions.end_lost(connection, before, moment(100.0)))
    assert (await session_of(database, story)).ended_at is None


async def test_nobody_stays_in_a_session_that_is_over(database: Database) -> None:
    story = Story()
    await keep(database, story.started(), story.joined(2, 0.0), story.joined(3, 1.0, kind="screen"))
    left = story.left(2, 0.0, 8.0)
    await keep(database, story.ended(9.0))
    page = await database.run(lambda connection: sessions.members(connection, story.id, Position(), 10))
    assert [member.left_at for member in page.items] == [moment(9), moment(9)]
    await keep(database, left, story.joined(4, 7.0))
    page = await database.run(lambda connection: sessions.members(connection, story.id, Position(), 10))
    assert [member.left_at for member in page.items] == [moment(9), moment(9), moment(8)], "late words count"
