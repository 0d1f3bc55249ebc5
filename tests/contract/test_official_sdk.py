"""The service's official Python SDK, unmodified, against the running server: every room method that it has.

To the SDK a loopback host speaks plain HTTP, so the server's port is all that it has to be told.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from signalwire.rest import RestClient
from signalwire.rest._base import SignalWireRestError

from tests.front.test_recordings import done
from tests.store.entries import Story
from tests.support.history import put_file, tell
from tests.support.server import RunningServer
from tests.support.waiting import PATIENCE_S

pytestmark = pytest.mark.slow

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def sdk(server: RunningServer) -> Iterator[RestClient]:
    """The SDK as the server's caller."""
    client = RestClient(project=server.project, token=server.token, host=f"localhost:{server.port}")
    yield client
    client._http._session.close()  # it has no way to be closed


def failure(call: Callable[[], object]) -> SignalWireRestError:
    """What the SDK raises for a call that the server refuses."""
    with pytest.raises(SignalWireRestError) as raised:
        call()
    return raised.value


def test_a_room_is_created_changed_and_deleted(sdk: RestClient) -> None:
    rooms = sdk.fabric.conference_rooms
    room = rooms.create(
        name="coffee_cafe",
        enable_room_previews=True,
        display_name="Reception",
        description="Where the day begins.",
        join_from="2026-05-06T12:00:00Z",
        join_until="2026-05-06T12:30:00Z",
        max_members=30,
        quality="1080p",
        remove_at="2026-05-06T13:00:00Z",
        remove_after_seconds_elapsed=3600,
        layout="highlight-1-responsive",
        record_on_start=True,
        meta={"department": "sales"},
        sync_audio_video=True,
        tone_on_entry_and_exit=False,
        room_join_video_off=True,
        user_join_video_off=True,
    )
    assert room["conference_room"] == {
        "id": room["conference_room"]["id"],
        "name": "coffee_cafe",
        "display_name": "Reception",
        "description": "Where the day begins.",
        "join_from": "2026-05-06T12:00:00Z",
        "join_until": "2026-05-06T12:30:00Z",
        "max_members": 30,
        "quality": "1080p",
        "fps": "30",
        "remove_at": "2026-05-06T13:00:00Z",
        "remove_after_seconds_elapsed": 3600,
        "layout": "highlight-1-responsive",
        "record_on_start": True,
        "meta": {"department": "sales"},
        "sync_audio_video": True,
        "tone_on_entry_and_exit": False,
        "room_join_video_off": True,
        "user_join_video_off": True,
        "enable_room_previews": True,
        "prioritize_handraise": False,
    }
    assert rooms.get(room["id"]) == room
    assert rooms.list()["data"] == [room]

    changed = rooms.update(room["id"], display_name="Lobby", extras={"join_from": None, "prioritize_handraise": True})
    assert changed["display_name"] == "Lobby"
    assert changed["conference_room"] == room["conference_room"] | {
        "display_name": "Lobby",
        "join_from": None,
        "prioritize_handraise": True,
    }
    assert rooms.get(room["id"]) == changed

    assert rooms.delete(room["id"]) == {}
    assert failure(lambda: rooms.get(room["id"])).status_code == 404
    assert rooms.list()["data"] == []


def test_every_page_is_walked_and_every_room_seen_once(sdk: RestClient) -> None:
    rooms = sdk.fabric.conference_rooms
    made = [rooms.create(name=f"room_{number}", enable_room_previews=False)["id"] for number in range(11)]
    newest_first = made[::-1]

    assert [room["id"] for room in rooms.paginate(page_size=3)] == newest_first
    assert [room["id"] for room in rooms.paginate(page_size=11)] == newest_first
    assert [room["id"] for room in rooms.paginate()] == newest_first
    page = rooms.list(page_size=3)
    assert [room["id"] for room in page["data"]] == newest_first[:3]
    assert set(page["links"]) == {"self", "first", "next"}


def test_rooms_are_dialled_at_their_addresses(sdk: RestClient, server: RunningServer) -> None:
    rooms = sdk.fabric.conference_rooms
    first = rooms.create(name="coffee_cafe", enable_room_previews=True)
    second = rooms.create(name="coffee_cafe", enable_room_previews=True)

    (address,) = rooms.list_addresses(first["id"])["data"]
    assert address == {
        "id": address["id"],
        "resource_id": first["id"],
        "name": "coffee_cafe",
        "display_name": "coffee_cafe",
        "type": "room",
        "cover_url": f"{server.origin}/covers/room.svg",
        "preview_url": None,
        "locked": False,
        "channels": {
            "audio": "/public/coffee_cafe?channel=audio",
            "messaging": "/public/coffee_cafe?channel=messaging",
            "video": "/public/coffee_cafe?channel=video",
        },
        "created_at": first["created_at"],
    }
    assert sdk.fabric.resources.list_addresses(first["id"])["data"] == [address]
    assert [address["name"] for address in rooms.list_addresses(second["id"])["data"]] == ["coffee_cafe-2"]


def test_rooms_are_resources(sdk: RestClient) -> None:
    resources = sdk.fabric.resources
    room = sdk.fabric.conference_rooms.create(name="coffee_cafe", enable_room_previews=True)
    assert resources.list()["data"] == [room]
    assert resources.get(room["id"]) == room
    assert resources.delete(room["id"]) == {}
    assert resources.list()["data"] == []
    assert failure(lambda: sdk.fabric.conference_rooms.get(room["id"])).status_code == 404


def test_sessions_are_looked_up(sdk: RestClient, server: RunningServer, database_url: str) -> None:
    stories = [Story(number, room=1 + number % 2) for number in range(5)]
    first = stories[0]
    tell(
        database_url,
        [
            *(story.started(number, preview=f"secret{number}") for number, story in enumerate(stories)),
            *(first.joined(2, 0.0), first.joined(3, 1.0, "Bob"), first.left(2, 0.0, 8.0), first.ended(9.0)),
        ],
    )
    found = sdk.video.room_sessions
    newest_first = [str(story.id) for story in reversed(stories)]
    assert [session["id"] for session in found.list()["data"]] == newest_first
    assert [session["id"] for session in found.paginate(page_size=2)] == newest_first
    of_room = found.list(room_id=str(first.room_id), status="in-progress", room_name="coffee_cafe")["data"]
    assert [session["id"] for session in of_room] == [newest_first[0], newest_first[2]]
    assert found.list(room_name_matches="nothing")["data"] == []

    session = found.get(str(first.id))
    assert (session["status"], session["duration"], session["fps"]) == ("completed", 9, 30)
    assert session["preview_url"] is None
    live = found.get(newest_first[0])
    url = f"{server.origin}/api/video/room_sessions/{newest_first[0]}/preview/secret4"
    assert (live["status"], live["end_time"], live["preview_url"]) == ("in-progress", None, url)
    members = found.list_members(str(first.id))["data"]
    assert [(member["name"], member["duration"]) for member in members] == [("Bob", 8), ("Ana", 8)]
    events = found.list_events(str(first.id), page_size=2)
    assert [event["name"] for event in events["data"]] == ["room.ended", "member.left"]
    assert "next" in events["links"]
    assert found.list_recordings(str(first.id))["data"] == []
    error = failure(lambda: found.list_members(NOBODY))
    assert (error.status_code, error.body) == (404, {"error": "Not Found"})


def test_recordings_are_looked_up_downloaded_and_deleted(
    sdk: RestClient, server: RunningServer, database_url: str, tmp_path: Path
) -> None:
    story = Story()
    recording, live = done(story, 5, size=4), story.recording(6, 2.0)
    tell(database_url, [story.started(), story.recorded(recording, 1.0), story.recorded(live, 2.0)])
    put_file(tmp_path / "server", recording.key, b"film")
    found = sdk.video.room_recordings
    assert [one["id"] for one in found.list()["data"]] == [live.id, recording.id]
    page = found.list(page_size=1)
    assert ([one["id"] for one in page["data"]], "next" in page["links"]) == ([live.id], True)
    assert found.get(live.id)["uri"] is None
    shown = found.get(recording.id, media_ttl=60)
    assert (shown["status"], shown["size_in_bytes"], shown["format"]) == ("completed", 4, "video/mp4")
    uri = shown["uri"] or ""
    assert httpx.get(uri, timeout=PATIENCE_S).content == b"film"
    below = sdk.video.room_sessions.list_recordings(str(story.id), media_ttl=60)["data"]
    assert [one["id"] for one in below] == [live.id, recording.id]
    assert [event["room_recording_id"] for event in found.list_events(recording.id)["data"]] == [recording.id]

    error = failure(lambda: found.delete(live.id))
    assert (error.status_code, error.body["errors"][0]["code"]) == (422, "invalid_state")
    assert found.delete(recording.id) == {}
    assert failure(lambda: found.get(recording.id)).status_code == 404
    assert httpx.get(uri, timeout=PATIENCE_S).status_code == 404


def test_its_error_carries_a_401(server: RunningServer) -> None:
    stranger = RestClient(project=server.project, token="PTnobodynobodynobody", host=f"localhost:{server.port}")
    error = failure(lambda: stranger.fabric.conference_rooms.list())
    stranger._http._session.close()
    assert (error.status_code, error.body) == (401, {"error": "Unauthorized"})
    assert_request_id(error, server)


def test_its_error_carries_a_404(sdk: RestClient, server: RunningServer) -> None:
    error = failure(lambda: sdk.fabric.conference_rooms.update(NOBODY, display_name="Lobby"))
    assert (error.status_code, error.body) == (404, {"error": "Not Found"})
    assert_request_id(error, server)


def test_its_error_carries_a_422(sdk: RestClient, server: RunningServer) -> None:
    wrong: Any = {"max_members": 301, "layout": "7x7"}
    error = failure(lambda: sdk.fabric.conference_rooms.create(name="coffee_cafe", enable_room_previews=True, **wrong))
    assert error.status_code == 422
    assert [(item["type"], item["code"], item["attribute"]) for item in error.body["errors"]] == [
        ("validation_error", "invalid_parameter_value", "max_members"),
        ("validation_error", "invalid_parameter", "layout"),
    ]
    for item in error.body["errors"]:
        page, _, code = item["url"].partition("#")
        assert f'id="{code}"' in httpx.get(page, timeout=PATIENCE_S).text
    assert_request_id(error, server)


def assert_request_id(error: SignalWireRestError, server: RunningServer) -> None:
    """The error names the request by the id that the server logged it under."""
    assert error.headers is not None
    assert error.request_id == error.headers["x-request-id"]
    server.terminate()
    server.process.wait(PATIENCE_S)  # the line is written after the answer; an ended server has written all of them
    (line,) = [line for line in server.log.read_text().splitlines() if line.endswith(f" {error.request_id}")]
    assert f" {error.status_code} " in line
