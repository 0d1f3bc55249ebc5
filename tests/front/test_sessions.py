"""Sessions over REST: what is shown of them, in lists and one by one."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from parlour.domain.room import Quality
from parlour.store.database import Database
from tests.front.test_paging import ids, walk
from tests.front.test_rooms import create
from tests.store.entries import NOON, Story, an_id
from tests.store.test_sessions import keep

SESSIONS = "/api/video/room_sessions"


def shown(at: float) -> str:
    """A moment as the API shows it."""
    return datetime.fromtimestamp(NOON + at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def get(api: httpx.AsyncClient, path: str, **query: Any) -> dict[str, Any]:
    """What a path answers, which has to be well."""
    answer = await api.get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_session_is_shown_whole(api: httpx.AsyncClient, database: Database) -> None:
    story = Story(remove_after_seconds_elapsed=3600, quality=Quality.HD_1080, fps=20)
    await keep(database, story.started(preview="secret"), story.updated(2.0, locked=True))
    one = await get(api, f"{SESSIONS}/{story.id}")
    assert one == {
        "id": str(story.id),
        "room_id": str(story.room_id),
        "name": "coffee_cafe",
        "display_name": "coffee_cafe",
        "max_members": 20,
        "quality": "1080p",
        "fps": 20,
        "join_from": None,
        "join_until": None,
        "remove_at": None,
        "remove_after_seconds_elapsed": 3600,
        "layout": "grid-responsive",
        "record_on_start": False,
        "tone_on_entry_and_exit": True,
        "room_join_video_off": False,
        "user_join_video_off": False,
        "locked": True,
        "start_time": shown(0),
        "end_time": None,
        "duration": None,
        "status": "in-progress",
        "created_at": shown(0),
        "updated_at": shown(2),
        "preview_url": f"http://parlour.test{SESSIONS}/{story.id}/preview/secret",
        "prioritize_handraise": False,
        "sync_audio_video": None,
    }
    more = {
        "cost_in_dollars": 0,
        "enable_room_previews": True,
        "locked_cover": "http://parlour.test/covers/room.svg",
    }
    assert (await get(api, SESSIONS))["data"] == [one | more]

    await keep(database, story.ended(65.9))
    assert await get(api, f"{SESSIONS}/{story.id}") == one | {
        "end_time": shown(65),
        "duration": 65,
        "status": "completed",
        "updated_at": shown(65),
        "preview_url": None,
    }


async def test_who_was_in(api: httpx.AsyncClient, database: Database) -> None:
    story = Story()
    await keep(
        database,
        *(story.started(), story.joined(2, 0.0), story.left(2, 0.0, 61.0)),
        *(story.joined(3, 5.0, ""), story.joined(4, 6.0, "Ana", "screen")),
    )
    found = await get(api, f"{SESSIONS}/{story.id}/members")
    common = {"room_session_id": str(story.id), "cost_in_dollars": 0}
    inside = {"leave_time": None, "duration": None}
    assert found["data"] == [
        {"id": str(an_id(4)), "type": "screen", "name": "Ana", "join_time": shown(6), **inside, **common},
        {"id": str(an_id(3)), "type": "member", "name": None, "join_time": shown(5), **inside, **common},
        {"id": str(an_id(2)), "type": "member", "name": "Ana", "join_time": shown(0), **common}
        | {"leave_time": shown(61), "duration": 61},
    ]


async def test_what_happened(api: httpx.AsyncClient, database: Database) -> None:
    story = Story()
    started, joined = story.started(), story.entry("member.updated", 1.0, payload={"audio_muted": True})
    recorded, came = story.recorded(story.recording(5), 2.0), story.joined(2, 3.0)
    await keep(database, started, joined, recorded, came)
    found = await get(api, f"{SESSIONS}/{story.id}/events")
    common = {
        "project_id": str(story.project),
        "room_id": str(story.room_id),
        "room_session_id": str(story.id),
        "level": "info",
    }
    assert found["data"] == [
        {"id": str(entry.id), "name": entry.name, "created_at": shown(at), **common, **more}
        for at, entry, more in (
            (3, came, {"room_participant_id": str(an_id(2)), "payload": {}}),
            (2, recorded, {"room_recording_id": str(an_id(5)), "payload": {}}),
            (1, joined, {"payload": {"audio_muted": True}}),
            (0, started, {"payload": {}}),
        )
    ]


async def test_filters_and_pages(api: httpx.AsyncClient, database: Database) -> None:
    stories = [Story(number, room=1 + number % 2) for number in range(5)]
    await keep(database, *(story.started(number) for number, story in enumerate(stories)), stories[0].ended(9.0))
    newest_first = [str(story.id) for story in reversed(stories)]
    pages = await walk(api, f"{SESSIONS}?page_size=2")
    assert [ids(page) for page in pages] == [newest_first[:2], newest_first[2:4], newest_first[4:]]
    back = await walk(api, pages[-1]["links"]["self"], "prev")
    assert [ids(page) for page in back] == [ids(page) for page in reversed(pages)]

    room = str(stories[1].room_id)
    pages = await walk(api, f"{SESSIONS}?room_id={room}&status=in-progress&room_name_matches=OFFEE&page_size=1")
    assert [ids(page) for page in pages] == [[str(stories[3].id)], [str(stories[1].id)]]
    assert ids(await get(api, SESSIONS, status="completed")) == [str(stories[0].id)]
    assert ids(await get(api, SESSIONS, room_name="coffee_cafe")) == newest_first
    assert ids(await get(api, SESSIONS, room_name="coffee")) == []
    for of in ("members", "events"):
        pages = await walk(api, f"{SESSIONS}/{stories[0].id}/{of}?page_size=1")
        assert [len(page["data"]) for page in pages] == ([0] if of == "members" else [1, 1])


@pytest.mark.parametrize(
    ("query", "code", "attribute"),
    [
        ({"room_id": "me"}, "not_an_id", "room_id"),
        ({"room_name": "x" * 201}, "invalid_parameter_value", "room_name"),
        ({"room_name_matches": "a\0b"}, "invalid_parameter_value", "room_name_matches"),
        ({"status": "running"}, "invalid_parameter", "status"),
        ({"page_size": "0"}, "invalid_parameter", "page_size"),
    ],
)
async def test_what_cannot_be_asked(api: httpx.AsyncClient, query: dict[str, str], code: str, attribute: str) -> None:
    answer = await api.get(SESSIONS, params=query)
    assert answer.status_code == 422
    (problem,) = answer.json()["errors"]
    assert (problem["code"], problem["attribute"]) == (code, attribute)


@pytest.mark.parametrize("below", ["", "/members", "/events"])
async def test_there_is_no_such_session(api: httpx.AsyncClient, database: Database, below: str) -> None:
    foreign = Story()
    foreign.project = uuid4()
    await keep(database, foreign.started())
    for name in (uuid4(), "me", foreign.id):
        answer = await api.get(f"{SESSIONS}/{name}{below}")
        assert (answer.status_code, answer.json()) == (404, {"error": "Not Found"})


async def test_only_with_credentials(api: httpx.AsyncClient) -> None:
    for path in (SESSIONS, f"{SESSIONS}/{uuid4()}", f"{SESSIONS}/{uuid4()}/members"):
        assert (await api.get(path, auth=("nobody", "nothing"))).status_code == 401


async def test_addresses_follow_the_session(api: httpx.AsyncClient, database: Database) -> None:
    room, empty = await create(api), await create(api)
    await api.post("/api/fabric/resources/subscribers", json={"email": "ana@example.com"})
    story = Story()
    story.room_id = UUID(room["conference_room"]["id"])
    ways = (
        f"/api/fabric/resources/conference_rooms/{room['id']}/addresses",
        f"/api/fabric/resources/conference_room/{room['id']}/addresses",
        f"/api/fabric/resources/{room['id']}/addresses",
        "/api/fabric/addresses?type=room",
        "/api/fabric/addresses",
    )

    async def seen() -> list[tuple[str | None, bool]]:
        """The room's address in all ways in which it is shown, which have to agree; nothing else has a session."""
        found = []
        for way in ways:
            for address in (await get(api, way))["data"]:
                state = (address["preview_url"], address["locked"])
                if address["resource_id"] == room["id"]:
                    found.append(state)
                    assert await get(api, f"/api/fabric/addresses/{address['id']}") == address
                else:
                    assert state == (None, False)
        assert len(found) == len(ways)
        return found

    nothing: list[tuple[str | None, bool]] = [(None, False)] * len(ways)
    assert await seen() == nothing
    await keep(database, story.started(preview="secret"))
    url = f"http://parlour.test{SESSIONS}/{story.id}/preview/secret"
    assert await seen() == [(url, False)] * len(ways)
    await keep(database, story.updated(1.0, locked=True, preview=""))
    assert await seen() == [(None, True)] * len(ways)
    await keep(database, story.updated(2.0, preview="secret"), story.ended(3.0))
    assert await seen() == nothing
    assert empty["id"] != room["id"]


async def test_a_guest_sees_the_session_behind_an_address(api: httpx.AsyncClient, database: Database) -> None:
    room = await create(api)
    story = Story()
    story.room_id = UUID(room["conference_room"]["id"])
    (address,) = (await get(api, f"/api/fabric/resources/{room['id']}/addresses"))["data"]
    body = {"address_id": address["id"]}
    token = (await api.post("/api/fabric/subscriber/invites", json=body)).json()["token"]
    await keep(database, story.started(preview="secret", locked=True))
    info = await api.get("/api/fabric/subscriber/info", headers={"Authorization": f"Bearer {token}"}, auth=None)
    (seen,) = info.json()["fabric_addresses"]
    assert (seen["locked"], seen["preview_url"]) == (True, f"http://parlour.test{SESSIONS}/{story.id}/preview/secret")
