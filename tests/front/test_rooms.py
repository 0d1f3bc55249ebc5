"""Rooms over REST, over both databases."""

from typing import Any
from uuid import UUID

import httpx
import pytest

ROOMS = "/api/fabric/resources/conference_rooms"
COFFEE = {"name": "coffee_cafe", "enable_room_previews": True}
EVERYTHING: dict[str, Any] = {
    "name": "Morning circle",
    "display_name": "Morning",
    "description": "Where the day begins.\nBring coffee.",
    "join_from": "2026-05-06T14:00:00+02:00",
    "join_until": "2026-05-06T12:30:00.999Z",
    "max_members": 0,
    "quality": "1080p",
    "remove_at": "2026-05-07",
    "remove_after_seconds_elapsed": 200_000,
    "layout": "highlight-1-responsive",
    "record_on_start": True,
    "enable_room_previews": False,
    "meta": {"department": "продажи", "numbers": [1, 2.5, 2**70], "nested": {"deep": [None, True]}},
    "sync_audio_video": True,
    "tone_on_entry_and_exit": False,
    "room_join_video_off": True,
    "user_join_video_off": True,
    "fps": 20,
    "prioritize_handraise": True,
}
DEFAULTS = {
    "name": "coffee_cafe",
    "description": "",
    "display_name": "coffee_cafe",
    "max_members": 20,
    "quality": "720p",
    "fps": "30",
    "join_from": None,
    "join_until": None,
    "remove_at": None,
    "remove_after_seconds_elapsed": None,
    "layout": "grid-responsive",
    "record_on_start": False,
    "tone_on_entry_and_exit": True,
    "room_join_video_off": False,
    "user_join_video_off": False,
    "enable_room_previews": True,
    "sync_audio_video": None,
    "meta": {},
    "prioritize_handraise": False,
}


async def create(api: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    """Make a room; give its body."""
    answer = await api.post(ROOMS, json=COFFEE | fields)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def settings(body: dict[str, Any]) -> dict[str, Any]:
    """The settings a room shows, without its id."""
    return {name: value for name, value in body["conference_room"].items() if name != "id"}


async def test_create_gives_the_whole_room_with_its_defaults(api: httpx.AsyncClient) -> None:
    body = await create(api)
    assert settings(body) == DEFAULTS
    assert list(body) == [
        "id", "project_id", "display_name", "type", "created_at", "updated_at", "conference_room",
    ]  # fmt: skip
    assert body["type"] == "video_room"
    assert body["display_name"] == "coffee_cafe"
    assert body["id"] != body["conference_room"]["id"]
    assert (await api.get(f"{ROOMS}/{body['id']}")).json() == body


async def test_every_field_is_kept_as_given(api: httpx.AsyncClient) -> None:
    body = await create(api, **EVERYTHING)
    assert settings(body) == EVERYTHING | {
        "join_from": "2026-05-06T12:00:00Z",
        "join_until": "2026-05-06T12:30:00Z",
        "remove_at": "2026-05-07T00:00:00Z",
        "fps": "20",
    }
    assert (await api.get(f"{ROOMS}/{body['id']}")).json() == body


async def test_name_is_trimmed_and_unknown_keys_are_ignored(api: httpx.AsyncClient) -> None:
    body = await create(api, name="  Кафе  ", something="else")
    assert body["conference_room"]["name"] == "Кафе"
    assert body["conference_room"]["display_name"] == "Кафе"


async def test_null_in_create_means_not_set(api: httpx.AsyncClient) -> None:
    nullable = ("join_from", "join_until", "remove_at", "remove_after_seconds_elapsed", "sync_audio_video")
    body = await create(api, **dict.fromkeys((*nullable, "description", "meta")))
    assert settings(body) == DEFAULTS


async def test_one_name_twice_makes_two_rooms_at_two_addresses(api: httpx.AsyncClient) -> None:
    names = []
    for _ in range(3):
        room = await create(api)
        listed = (await api.get(f"{ROOMS}/{room['id']}/addresses")).json()
        names.append(listed["data"][0]["name"])
    assert names == ["coffee_cafe", "coffee_cafe-2", "coffee_cafe-3"]


@pytest.mark.parametrize("path", ["conference_room", "conference_rooms", ""])
async def test_addresses(api: httpx.AsyncClient, path: str) -> None:
    room = await create(api, name="Café Zürich", display_name="Café")
    address = "/".join(part for part in ("/api/fabric/resources", path, room["id"], "addresses") if part)
    body = (await api.get(address)).json()
    [found] = body["data"]
    assert found == {
        "id": found["id"],
        "resource_id": room["id"],
        "name": "cafe-zurich",
        "display_name": "Café",
        "type": "room",
        "cover_url": "http://parlour.test/covers/room.svg",
        "preview_url": None,
        "locked": False,
        "channels": {
            "audio": "/public/cafe-zurich?channel=audio",
            "messaging": "/public/cafe-zurich?channel=messaging",
            "video": "/public/cafe-zurich?channel=video",
        },
        "created_at": room["created_at"],
    }
    assert body["links"]["self"].startswith(f"http://parlour.test{address}?")
    assert (await api.get(found["cover_url"])).headers["content-type"] == "image/svg+xml"


async def test_update_merges(api: httpx.AsyncClient) -> None:
    room = await create(api, **EVERYTHING)
    answer = await api.put(f"{ROOMS}/{room['id']}", json={"max_members": 7, "record_on_start": False})
    assert answer.status_code == 200
    changed = answer.json()
    assert settings(changed) == settings(room) | {"max_members": 7, "record_on_start": False}
    assert changed["conference_room"]["id"] == room["conference_room"]["id"]
    assert (await api.get(f"{ROOMS}/{room['id']}")).json() == changed


async def test_update_clears_with_null(api: httpx.AsyncClient) -> None:
    room = await create(api, **EVERYTHING)
    nulls: dict[str, Any] = dict.fromkeys(
        ("join_from", "join_until", "remove_at", "remove_after_seconds_elapsed", "sync_audio_video")
    )
    changed = (await api.put(f"{ROOMS}/{room['id']}", json=nulls | {"description": None, "meta": None})).json()
    assert settings(changed) == settings(room) | nulls | {"description": "", "meta": {}}


async def test_a_new_name_brings_a_new_address(api: httpx.AsyncClient) -> None:
    taken = await create(api, name="tea")
    room = await create(api, name="coffee")
    for name, expected in (("tea", "tea-2"), ("tea", "tea-2"), ("Milk & tea", "milk-tea")):
        await api.put(f"{ROOMS}/{room['id']}", json={"name": name})
        [address] = (await api.get(f"{ROOMS}/{room['id']}/addresses")).json()["data"]
        assert address["name"] == expected
    [untouched] = (await api.get(f"{ROOMS}/{taken['id']}/addresses")).json()["data"]
    assert untouched["name"] == "tea"


async def test_update_is_checked_against_what_is_kept(api: httpx.AsyncClient) -> None:
    room = await create(api, join_from="2026-05-06T12:00:00Z")
    answer = await api.put(f"{ROOMS}/{room['id']}", json={"join_until": "2026-05-06T11:00:00Z", "name": "changed"})
    assert answer.status_code == 422
    assert [item["code"] for item in answer.json()["errors"]] == ["invalid_join_until_date"]
    assert (await api.get(f"{ROOMS}/{room['id']}")).json() == room


@pytest.mark.parametrize("base", [ROOMS, "/api/fabric/resources"])
async def test_delete(api: httpx.AsyncClient, base: str) -> None:
    room = await create(api)
    answer = await api.delete(f"{base}/{room['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    for again in (
        api.get(f"{ROOMS}/{room['id']}"),
        api.get(f"{ROOMS}/{room['id']}/addresses"),
        api.put(f"{ROOMS}/{room['id']}", json={"name": "ghost"}),
        api.delete(f"{base}/{room['id']}"),
    ):
        assert (await again).status_code == 404
    reused = await create(api)
    [address] = (await api.get(f"{ROOMS}/{reused['id']}/addresses")).json()["data"]
    assert address["name"] == "coffee_cafe"


@pytest.mark.parametrize("room", [str(UUID(int=7)), "nonsense", "%00", "%C3%A9", "%FF", "0" * 4000])
@pytest.mark.parametrize("base", [ROOMS, "/api/fabric/resources"])
async def test_what_is_not_there_is_404(api: httpx.AsyncClient, base: str, room: str) -> None:
    for method in ("GET", "DELETE"):
        answer = await api.request(method, httpx.URL(f"{base}/").copy_with(raw_path=f"{base}/{room}".encode()))
        assert (answer.status_code, answer.json()) == (404, {"error": "Not Found"})


async def test_the_inner_id_is_no_resource(api: httpx.AsyncClient) -> None:
    room = await create(api)
    assert (await api.get(f"{ROOMS}/{room['conference_room']['id']}")).status_code == 404


async def test_resources_show_the_rooms(api: httpx.AsyncClient) -> None:
    room = await create(api)
    listed = (await api.get("/api/fabric/resources")).json()
    assert listed["data"] == [room]
    assert (await api.get(f"/api/fabric/resources/{room['id']}")).json() == room
