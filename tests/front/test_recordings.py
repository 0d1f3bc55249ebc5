"""Recordings over REST: what is shown of them, starting and stopping them, deleting them."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import obstore
import pytest
from starlette.types import ASGIApp

from parlour.domain.identity import time_ordered_id
from parlour.domain.live.commands import Command, Done, Record, Recorded, Refused, Reply
from parlour.domain.live.recording import Recording, RecordingStatus
from parlour.domain.ticket import Bearer, Ticket
from parlour.front.app import build_app
from parlour.front.front import utc_now
from parlour.front.objects import Objects
from parlour.front.signalling.rooms import NoRooms
from parlour.front.signalling.switchboard import Switchboard
from parlour.front.sweep import remove_left_files
from parlour.front.tickets import Tickets
from parlour.objects import open_objects, recording_key
from parlour.store.database import Database
from tests.front.test_auth import client
from tests.front.test_paging import ids, walk
from tests.front.test_rooms import create
from tests.front.test_sessions import SESSIONS, get, shown
from tests.store.entries import NOON, Story, an_id
from tests.store.test_sessions import keep
from tests.support.server import PROJECT, TOKEN

RECORDINGS = "/api/video/room_recordings"
BODY = {"action": "pause"}


class Answering(NoRooms):
    """Rooms that answer what they are told to."""

    def __init__(self) -> None:
        self.reply: Reply = Done()
        self.asked: list[tuple[UUID, Command]] = []

    async def ask(self, room_id: UUID, command: Command) -> Reply:
        self.asked.append((room_id, command))
        return self.reply


@pytest.fixture
def rooms() -> Answering:
    """What the application asks."""
    return Answering()


@pytest.fixture
async def objects(tmp_path: Path) -> AsyncIterator[Objects]:
    """A folder of files."""
    found = Objects(f"file://{tmp_path}/objects")
    yield found
    found.close()


@pytest.fixture
def app(database: Database, rooms: Answering, objects: Objects) -> ASGIApp:
    """The application with rooms and files."""
    switchboard = Switchboard(database, Tickets(database, utc_now), rooms)
    return build_app(database, switchboard=switchboard, objects=objects)


@pytest.fixture
async def api(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    """The application, called with an API token."""
    async with client(app, PROJECT, TOKEN) as found:
        yield found


def done(story: Story, number: int, at: float = 1.0, **fields: Any) -> Recording:
    """A finished recording."""
    key = recording_key(story.project, story.id, an_id(number))
    given = {"status": RecordingStatus.COMPLETED, "finished_at": NOON + 9, "duration": 7.9, "size": 5, "key": key}
    return story.recording(number, at, **{**given, **fields})


async def test_a_recording_is_shown_whole(api: httpx.AsyncClient, database: Database) -> None:
    story = Story()
    begun = story.recording(5)
    await keep(database, story.started(), story.recorded(begun, 2.0))
    expected = {
        "id": str(an_id(5)),
        "room_session_id": str(story.id),
        "status": "recording",
        "started_at": shown(1),
        "finished_at": None,
        "duration": None,
        "size_in_bytes": None,
        "format": "video/mp4",
        "cost_in_dollars": 0,
        "uri": None,
        "reason": None,
        "created_at": shown(1),
        "updated_at": shown(2),
    }
    assert await get(api, f"{RECORDINGS}/{an_id(5)}") == expected
    await keep(database, story.recorded(done(story, 5), 11.0))
    found = await get(api, f"{RECORDINGS}/{an_id(5)}")
    uri = found.pop("uri")
    assert uri.startswith(f"http://parlour.test{RECORDINGS}/{an_id(5)}/file?expires=")
    del expected["uri"]
    assert found == expected | {
        "status": "completed",
        "finished_at": shown(9),
        "duration": 7,
        "size_in_bytes": 5,
        "updated_at": shown(11),
    }
    failed = replace(begun, status=RecordingStatus.COMPLETED, finished_at=NOON + 4, reason="The disk is full.")
    await keep(database, story.recorded(failed, 12.0))
    found = await get(api, f"{RECORDINGS}/{an_id(5)}")
    assert (found["status"], found["reason"]) == ("completed", "The disk is full.")
    assert (found["uri"], found["format"], found["size_in_bytes"], found["duration"]) == (None, None, None, None)


async def test_lists_and_pages(api: httpx.AsyncClient, database: Database) -> None:
    one, two = Story(0), Story(1)
    await keep(database, one.started(), two.started())
    await keep(database, *(one.recorded(done(one, number), 1.0) for number in range(5, 10)))
    await keep(database, two.recorded(done(two, 20), 1.0))
    newest_first = [str(an_id(number)) for number in range(9, 4, -1)]
    pages = await walk(api, f"{RECORDINGS}?page_size=4&media_ttl=60")
    assert [ids(page) for page in pages] == [[str(an_id(20)), *newest_first[:3]], newest_first[3:]]
    assert all("media_ttl=60" in page["links"]["self"] for page in pages)
    assert all(item["uri"] for page in pages for item in page["data"])
    pages = await walk(api, f"{SESSIONS}/{one.id}/recordings?page_size=3")
    assert [ids(page) for page in pages] == [newest_first[:3], newest_first[3:]]
    assert ids(await get(api, f"{SESSIONS}/{two.id}/recordings")) == [str(an_id(20))]
    found = await get(api, f"{RECORDINGS}/{an_id(5)}/events")
    assert [event["room_recording_id"] for event in found["data"]] == [str(an_id(5))]


@pytest.mark.parametrize("ttl", ["-1", "1.5", "604801", "", "a", "٣", "9" * 30])
async def test_links_that_cannot_be(api: httpx.AsyncClient, database: Database, ttl: str) -> None:
    story = Story()
    await keep(database, story.started(), story.recorded(done(story, 5), 2.0))
    for path in (RECORDINGS, f"{RECORDINGS}/{an_id(5)}", f"{SESSIONS}/{story.id}/recordings"):
        answer = await api.get(path, params={"media_ttl": ttl})
        assert answer.status_code == 422
        assert [error["attribute"] for error in answer.json()["errors"]] == ["media_ttl"]


async def test_there_is_no_such_recording(api: httpx.AsyncClient, database: Database) -> None:
    foreign = Story()
    foreign.project = uuid4()
    await keep(database, foreign.started(), foreign.recorded(done(foreign, 5), 2.0))
    for name in (uuid4(), "me", an_id(5)):
        for method, below in (("GET", ""), ("GET", "/events"), ("DELETE", "")):
            answer = await api.request(method, f"{RECORDINGS}/{name}{below}")
            assert (answer.status_code, answer.json()) == (404, {"error": "Not Found"})
        assert (await api.get(f"{SESSIONS}/{name}/recordings")).status_code == 404
    for path in (RECORDINGS, f"{RECORDINGS}/{an_id(5)}"):
        assert (await api.get(path, auth=("nobody", "nothing"))).status_code == 401


async def test_a_recording_is_deleted_with_its_file(
    api: httpx.AsyncClient, database: Database, objects: Objects, tmp_path: Path
) -> None:
    story = Story()
    recording = done(story, 5)
    obstore.put(open_objects(f"file://{tmp_path}/objects"), recording.key, b"hello")
    await keep(database, story.started(), story.recorded(recording, 2.0))
    uri = (await get(api, f"{RECORDINGS}/{an_id(5)}"))["uri"]
    assert (await api.get(uri)).content == b"hello"
    answer = await api.delete(f"{RECORDINGS}/{an_id(5)}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert await objects.find(recording.key) is None
    for path in (f"{RECORDINGS}/{an_id(5)}", f"{RECORDINGS}/{an_id(5)}/events", uri):
        assert (await api.get(path)).status_code == 404
    assert (await api.delete(f"{RECORDINGS}/{an_id(5)}")).status_code == 404
    assert ids(await get(api, RECORDINGS)) == []

    obstore.put(open_objects(f"file://{tmp_path}/objects"), recording.key, b"hello")
    await keep(database, story.recorded(recording, 3.0))  # the journal says it again
    await remove_left_files(database, objects)
    assert await objects.find(recording.key) is None
    assert ids(await get(api, RECORDINGS)) == []


@pytest.mark.parametrize("status", ["recording", "paused", "processing"])
async def test_a_recording_that_is_not_finished_is_not_deleted(
    api: httpx.AsyncClient, database: Database, status: str
) -> None:
    story = Story()
    await keep(database, story.started(), story.recorded(story.recording(5, status=RecordingStatus(status)), 2.0))
    answer = await api.delete(f"{RECORDINGS}/{an_id(5)}")
    assert answer.status_code == 422
    (problem,) = answer.json()["errors"]
    assert problem["code"] == "invalid_state"
    assert problem["message"] == f"The recording is {status}: only a finished one can be deleted."
    assert ids(await get(api, RECORDINGS)) == [str(an_id(5))]


async def test_where_the_store_is_away_a_recording_is_gone_and_its_file_follows(
    api: httpx.AsyncClient, database: Database, objects: Objects, tmp_path: Path
) -> None:
    story = Story()
    recording = done(story, 5)
    await keep(database, story.started(), story.recorded(recording, 2.0))
    (tmp_path / "objects").write_text("no folder")  # before the store is opened
    assert (await api.delete(f"{RECORDINGS}/{an_id(5)}")).status_code == 204
    assert ids(await get(api, RECORDINGS)) == []
    assert objects.statistics()["failed"] == 1
    (tmp_path / "objects").unlink()
    obstore.put(open_objects(f"file://{tmp_path}/objects"), recording.key, b"hello")
    await remove_left_files(database, objects)
    assert await objects.find(recording.key) is None
    assert objects.statistics()["removed"] == 1


# -- recording


async def test_a_recording_is_started_and_changed(api: httpx.AsyncClient, database: Database, rooms: Answering) -> None:
    story = Story()
    await keep(database, story.started())
    begun = story.recording(5)
    rooms.reply = Recorded(begun)
    answer = await api.post(f"{SESSIONS}/{story.id}/recordings")
    assert answer.status_code == 201
    body = answer.json()
    assert (body["id"], body["status"], body["uri"]) == (str(an_id(5)), "recording", None)
    assert await get(api, f"{RECORDINGS}/{an_id(5)}") == body | {"updated_at": shown(1)}, "before the journal tells"
    contents: list[dict[str, Any]] = [
        {"json": {}},
        {"json": {"strange": 1}},
        {"headers": {"content-type": "text/plain"}},
    ]
    for content in contents:
        assert (await api.post(f"{SESSIONS}/{story.id}/recordings", **content)).status_code == 201

    rooms.reply = Recorded(replace(begun, status=RecordingStatus.PAUSED))
    answer = await api.put(f"{SESSIONS}/{story.id}/recordings/{an_id(5)}", json=BODY)
    assert (answer.status_code, answer.json()["status"]) == (200, "paused")
    assert (await get(api, f"{RECORDINGS}/{an_id(5)}"))["status"] == "paused"
    start = (story.room_id, Record(str(story.id), "start"))
    assert rooms.asked == [start] * 4 + [(story.room_id, Record(str(story.id), "pause", str(an_id(5))))]


@pytest.mark.parametrize(
    ("reply", "status", "code"),
    [
        (Refused(404, "no_such_session", "This session is over."), 404, None),
        (Refused(404, "no_such_call", "the room is not alive"), 404, None),
        (Refused(404, "no_such_recording", "There is no such recording in this session."), 404, None),
        (Refused(422, "invalid_state", "The recording is paused."), 422, "invalid_state"),
        (Refused(503, "busy", "the worker has too much to do"), 503, None),
        (Refused(503, "lost", "the room has lost its worker"), 503, None),
        (Done(), 503, None),
    ],
)
async def test_what_a_room_refuses(
    api: httpx.AsyncClient, database: Database, rooms: Answering, reply: Reply, status: int, code: str | None
) -> None:
    story = Story()
    await keep(database, story.started())
    rooms.reply = reply
    for answer in (
        await api.post(f"{SESSIONS}/{story.id}/recordings"),
        await api.put(f"{SESSIONS}/{story.id}/recordings/{an_id(5)}", json=BODY),
    ):
        assert answer.status_code == status
        if code is not None and isinstance(reply, Refused):
            (problem,) = answer.json()["errors"]
            assert (problem["code"], problem["message"]) == (code, reply.message)
    assert ids(await get(api, RECORDINGS)) == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "missing_required_parameter"),
        ({"action": "play"}, "invalid_parameter"),
        ({"action": 1}, "invalid_parameter"),
        ({"action": None}, "invalid_parameter"),
    ],
)
async def test_what_cannot_be_asked_of_a_recording(
    api: httpx.AsyncClient, database: Database, rooms: Answering, body: dict[str, Any], code: str
) -> None:
    story = Story()
    await keep(database, story.started())
    answer = await api.put(f"{SESSIONS}/{story.id}/recordings/{an_id(5)}", json=body)
    assert [problem["code"] for problem in answer.json()["errors"]] == [code]
    assert rooms.asked == []


async def test_bodies_that_are_none(api: httpx.AsyncClient, database: Database) -> None:
    story = Story()
    await keep(database, story.started())
    path = f"{SESSIONS}/{story.id}/recordings"
    for method, where in (("POST", path), ("PUT", f"{path}/{an_id(5)}")):
        answer = await api.request(method, where, content=b"[1]", headers={"content-type": "application/json"})
        assert [problem["code"] for problem in answer.json()["errors"]] == ["not_parsable"]
    answer = await api.post(path, content=b" " * 70_000, headers={"content-type": "application/json"})
    assert answer.status_code == 413


async def test_a_session_that_began_just_now_is_found(
    api: httpx.AsyncClient, database: Database, rooms: Answering
) -> None:
    story = Story()
    story.id = time_ordered_id(time.time_ns(), 7)
    rooms.reply = Recorded(story.recording(5))
    asking = asyncio.create_task(api.post(f"{SESSIONS}/{story.id}/recordings"))
    await asyncio.sleep(0.01)
    await keep(database, story.started())
    assert (await asking).status_code == 201


async def test_nothing_to_record(api: httpx.AsyncClient, rooms: Answering) -> None:
    for name in (uuid4(), "me", time_ordered_id(time.time_ns(), 7)):
        assert (await api.post(f"{SESSIONS}/{name}/recordings")).status_code == 404
    assert rooms.asked == []


def ticket(**fields: Any) -> Ticket:
    """A ticket of the project, good for an hour."""
    now = int(utc_now().timestamp())
    return Ticket(str(uuid4()), UUID(PROJECT), Bearer.INVITE, now, now + 3600, **fields)


async def test_a_join_token_records_where_it_opens_the_room_and_may(
    app: ASGIApp, api: httpx.AsyncClient, database: Database, rooms: Answering
) -> None:
    room = await create(api)
    (address,) = (await api.get(f"/api/fabric/resources/conference_rooms/{room['id']}/addresses")).json()["data"]
    story = Story()
    story.room_id = UUID(room["conference_room"]["id"])
    await keep(database, story.started())
    rooms.reply = Recorded(story.recording(5))
    opened = frozenset({UUID(address["id"])})
    tickets = app_tickets(database)
    elsewhere = Story(1)
    await keep(database, elsewhere.started())

    async def statuses(of: Ticket, session: UUID) -> list[int]:
        bearer = {"Authorization": f"Bearer {await tickets.mint(of)}"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://parlour.test") as browser:
            path = f"{SESSIONS}/{session}/recordings"
            posted = await browser.post(path, headers=bearer)
            put = await browser.put(f"{path}/{an_id(5)}", json=BODY, headers=bearer)
            return [posted.status_code, put.status_code]

    assert await statuses(ticket(moderator=True, addresses=opened), story.id) == [201, 200]
    assert await statuses(ticket(moderator=True), story.id) == [201, 200]
    asked = len(rooms.asked)
    assert await statuses(ticket(addresses=opened), story.id) == [401, 401]
    assert await statuses(ticket(moderator=True, addresses=frozenset({uuid4()})), story.id) == [404, 404]
    assert await statuses(ticket(moderator=True, addresses=opened), elsewhere.id) == [404, 404]
    foreign = replace(ticket(moderator=True), project=uuid4())
    assert await statuses(foreign, story.id) == [404, 404]
    assert len(rooms.asked) == asked
    bearer = {"Authorization": f"Bearer {await tickets.mint(ticket(moderator=True))}"}
    for path in (f"{SESSIONS}/{story.id}/recordings", f"{RECORDINGS}/{an_id(5)}"):
        assert (await api.get(path, headers=bearer, auth=None)).status_code == 401, "what there is, is not for them"


def app_tickets(database: Database) -> Tickets:
    """Writes tickets that the application reads."""
    return Tickets(database, utc_now)


async def test_pages_of_other_origins_may_record(api: httpx.AsyncClient) -> None:
    path = f"{SESSIONS}/{uuid4()}/recordings"
    preflight = await api.request("OPTIONS", f"{path}/{uuid4()}", headers={"Origin": "https://other.example"})
    assert preflight.status_code == 204
    assert "PUT" in preflight.headers["access-control-allow-methods"]
    assert (await api.post(path)).headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in (await api.get(path)).headers
    assert "access-control-allow-origin" not in (await api.get(RECORDINGS)).headers
