"""Rooms over REST, over both databases."""

import httpx

ROOMS = "/api/fabric/resources/conference_rooms"
COFFEE = {"name": "coffee_cafe", "enable_room_previews": True}


async def test_create_gives_the_whole_room(api: httpx.AsyncClient) -> None:
    answer = await api.post(ROOMS, json=COFFEE)
    assert answer.status_code == 200
    body = answer.json()
    assert body["type"] == "video_room"
    assert body["conference_room"] | {"id": ""} == {
        "id": "",
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
    assert body["id"] != body["conference_room"]["id"]
    assert (await api.get(f"{ROOMS}/{body['id']}")).json() == body
