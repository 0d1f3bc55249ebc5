"""Recordings over REST of real people with real processes: asked over the bus, filmed, stored, downloaded."""

import io
from pathlib import Path

import av
import httpx
import pytest

from tests.cluster.conftest import figures, until
from tests.cluster.test_sessions import SESSIONS, listed
from tests.support.caller import Caller, caller, invite, make_room
from tests.support.s3 import s3_server
from tests.support.server import RunningServer, serving
from tests.support.signalling import Json
from tests.support.waiting import PATIENCE_S

pytestmark = pytest.mark.slow

RECORDINGS = "/api/video/room_recordings"


def ask(server: RunningServer, method: str, path: str, token: str | None = None, **content: object) -> httpx.Response:
    """Ask the API, with an API token or with a join token."""
    with server.client() as api:
        if token is None:
            return api.request(method, path, json=content or None)
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.request(method, server.origin + path, json=content or None, headers=headers, timeout=PATIENCE_S)


def follow(link: str, method: str = "GET", **headers: str) -> httpx.Response:
    """What a link leads to, for who has nothing else."""
    return httpx.request(method, link, headers=headers, timeout=PATIENCE_S)


def recording_of(server: RunningServer, recording: Json) -> Json:
    """A recording as it is now."""
    found: Json = ask(server, "GET", f"{RECORDINGS}/{recording['id']}").raise_for_status().json()
    return found


async def sees_recording(one: Caller, on: bool) -> None:
    """Wait until somebody in the room is told whether it is being recorded."""
    while (await one.client.event("call.updated"))["room_session"]["recording"] is not on:
        pass


@pytest.mark.parametrize("storage", ["folder", "s3"])
async def test_a_session_is_recorded_and_the_film_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, storage: str
) -> None:
    with s3_server(monkeypatch) as s3:
        settings = {"PARLOUR_STORAGE_URL": s3.url} if storage == "s3" else {}
        with serving(tmp_path, **settings) as server:
            to = make_room(server)
            await until(lambda: figures(server))
            async with caller(server, to, invite(server, to)) as ana:
                await film(server, ana, invite(server, to))


async def film(server: RunningServer, ana: Caller, token: str) -> None:
    """Record somebody, with pauses and what is refused meanwhile."""
    session = (await ana.join())["room_session_id"]
    path = f"{SESSIONS}/{session}/recordings"
    answer = ask(server, "POST", path)  # at once, whatever the database knows already
    assert answer.status_code == 201, answer.text
    recording: Json = answer.json()
    assert (recording["status"], recording["room_session_id"], recording["uri"]) == ("recording", session, None)
    await sees_recording(ana, on=True)
    assert recording_of(server, recording)["status"] == "recording"
    again = ask(server, "POST", path)
    assert (again.status_code, again.json()["errors"][0]["code"]) == (422, "invalid_state")
    assert "being recorded already" in again.json()["errors"][0]["message"]
    assert ask(server, "DELETE", f"{RECORDINGS}/{recording['id']}").status_code == 422

    one = f"{path}/{recording['id']}"
    await ana.sees()
    assert ask(server, "PUT", one, token, action="resume").status_code == 422
    paused = ask(server, "PUT", one, token, action="pause")
    assert (paused.status_code, paused.json()["status"]) == (200, "paused")
    assert recording_of(server, recording)["status"] == "paused"
    await sees_recording(ana, on=False)
    assert ask(server, "PUT", one, token, action="resume").json()["status"] == "recording"
    await sees_recording(ana, on=True)
    stopped = ask(server, "PUT", one, action="stop").json()
    assert stopped["status"] == "processing"
    assert stopped["finished_at"]
    assert ask(server, "PUT", one, action="stop").status_code == 422

    await until(lambda: recording_of(server, recording)["uri"])
    done = recording_of(server, recording)
    assert (done["status"], done["format"], done["reason"]) == ("completed", "video/mp4", None)
    film = follow(done["uri"])
    assert film.headers["content-type"] == "video/mp4"
    assert len(film.content) == done["size_in_bytes"]
    assert follow(done["uri"], Range="bytes=4-7").content == b"ftyp"
    assert follow(done["uri"], "HEAD").headers["content-length"] == str(done["size_in_bytes"])
    check_film(film.content)

    (below,) = listed(server, path)
    assert below["id"] == recording["id"]
    names = [event["name"] for event in listed(server, f"{RECORDINGS}/{recording['id']}/events")]
    assert names == ["recording.ended", *["recording.updated"] * 3, "recording.started"]
    assert ask(server, "DELETE", f"{RECORDINGS}/{recording['id']}").status_code == 204
    assert follow(done["uri"]).status_code == 404
    assert listed(server, path) == []
    assert ask(server, "POST", path).status_code == 201, "it can be recorded once more"


def check_film(octets: bytes) -> None:
    """A film has a picture and a sound."""
    with av.open(io.BytesIO(octets), "r") as container:
        assert next(container.decode(video=0)).width == 1280
        assert container.streams.audio[0].codec_context.name == "aac"


async def test_a_guest_may_not_record(tmp_path: Path) -> None:
    with serving(tmp_path, PARLOUR_SEAT_GRACE="10") as server:
        to = make_room(server)
        await until(lambda: figures(server))
        with server.client() as api:
            address = api.get("/api/fabric/addresses").json()["data"][0]["id"]
            guest = api.post("/api/fabric/guests/tokens", json={"allowed_addresses": [address]}).json()["token"]
        async with caller(server, to, guest) as one:
            session = (await one.join())["room_session_id"]
            path = f"{SESSIONS}/{session}/recordings"
            answer = ask(server, "POST", path, guest)
            assert (answer.status_code, answer.json()) == (401, {"error": "Unauthorized"})
            assert ask(server, "POST", path, invite(server, to)).status_code == 201
        await until(lambda: listed(server, status="completed"), 90)
        assert ask(server, "POST", path).status_code == 404, "the session is over"
        (recording,) = listed(server, path)
        await until(lambda: recording_of(server, recording)["status"] == "completed")


async def test_a_preview_is_seen_by_whoever_has_its_link(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        to = make_room(server, enable_room_previews=True)
        await until(lambda: figures(server))
        async with caller(server, to, invite(server, to)) as ana:
            joined = await ana.join()
            url = joined["room_session"]["preview_url"]
            await until(lambda: follow(url).status_code == 200)
            picture = follow(url)
            assert picture.content[:4] == b"RIFF"
            assert picture.content[8:12] == b"WEBP"
            assert picture.headers["content-type"] == "image/webp"
            assert listed(server)[0]["preview_url"] == url
            assert listed(server, "/api/fabric/addresses")[0]["preview_url"] == url
            assert ana.seat is not None
            await ana.seat.act("lock")
            await until(lambda: listed(server, "/api/fabric/addresses")[0]["locked"])
            await ana.seat.act("member.remove")
        await until(lambda: listed(server, status="completed"))
        assert follow(url).status_code == 404
        (address,) = listed(server, "/api/fabric/addresses")
        assert (address["preview_url"], address["locked"]) == (None, False)
