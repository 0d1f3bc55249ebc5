"""Sessions of real people with real processes: nothing of them is lost, whatever ends in between."""

from collections import Counter
from pathlib import Path

import pytest

from tests.cluster.conftest import figures, until
from tests.support.caller import caller, invite, make_room
from tests.support.server import RunningServer, serving
from tests.support.signalling import Json

pytestmark = pytest.mark.slow

SESSIONS = "/api/video/room_sessions"


def look(server: RunningServer, path: str = SESSIONS, **query: str) -> Json:
    """What the API answers."""
    with server.client() as api:
        found: Json = api.get(path, params=query).raise_for_status().json()
    return found


def listed(server: RunningServer, path: str = SESSIONS, **query: str) -> list[Json]:
    """What a list of the API holds."""
    found: list[Json] = look(server, path, page_size="1000", **query)["data"]
    return found


def happened(server: RunningServer, session: str) -> Counter[str]:
    """How often what happened in a session."""
    return Counter(event["name"] for event in listed(server, f"{SESSIONS}/{session}/events"))


async def test_a_session_from_its_first_to_its_last(tmp_path: Path) -> None:
    with serving(tmp_path, PARLOUR_WORKERS="1") as server:
        to = make_room(server, enable_room_previews=True, max_members=5)
        await until(lambda: figures(server), 40)
        async with caller(server, to, invite(server, to)) as ana:
            joined = await ana.join()
            assert ana.seat is not None
            await until(lambda: listed(server))
            (session,) = listed(server)
            assert session["id"] == joined["room_session_id"]
            assert session["room_id"] == joined["room_id"]
            assert (session["status"], session["max_members"], session["name"]) == ("in-progress", 5, "coffee")
            url = f"{server.origin}{SESSIONS}/{session['id']}/preview/"
            assert session["preview_url"].startswith(url)
            assert joined["room_session"]["preview_url"] == session["preview_url"]
            await ana.seat.act("lock")
            await ana.seat.act("mute", channels=["audio"])
            await until(lambda: listed(server)[0]["locked"])
            await ana.seat.act("member.remove")
        await until(lambda: listed(server, status="completed"), 40)
        (session,) = listed(server)
        assert session["end_time"]
        assert session["preview_url"] is None
        (member,) = listed(server, f"{SESSIONS}/{session['id']}/members")
        assert member["id"] == joined["member_id"]
        assert member["leave_time"] == session["end_time"]
        assert happened(server, session["id"]) == Counter(
            dict.fromkeys(("room.started", "room.updated", "room.ended", "member.joined", "member.left"), 1)
            | {"member.updated": 1}
        )
