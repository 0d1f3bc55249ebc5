"""Files of recordings behind links that expire, and previews: whole, in parts, from a folder and from S3."""

import asyncio
import hashlib
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import obstore
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from obstore.store import ObjectStore
from starlette.requests import Request

from parlour.domain.errors import Unavailable
from parlour.front import sending
from parlour.front.app import build_app
from parlour.front.front import utc_now
from parlour.front.objects import Changed, Objects
from parlour.front.sending import PIECE, Span, Unsatisfiable, wanted
from parlour.objects import open_objects, preview_key
from parlour.store.database import Database
from tests.front.test_auth import client
from tests.front.test_recordings import RECORDINGS, done
from tests.front.test_sessions import SESSIONS, get
from tests.store.entries import Story, an_id
from tests.store.test_sessions import keep
from tests.support.s3 import s3_server
from tests.support.server import PROJECT, TOKEN

FILM = bytes(range(256)) * (PIECE // 128) + b"the end"
"""Two pieces and a bit."""


class Clock:
    """The time, and what is added to it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.ahead


@pytest.fixture
def backend() -> str:
    """Files look the same over any database; SQLite will do."""
    return "sqlite"


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of each kind of store."""
    if request.param == "folder":
        yield f"file://{tmp_path}/objects"
        return
    with s3_server(monkeypatch) as server:
        yield server.url


@pytest.fixture
def store(storage: str) -> ObjectStore:
    """The store as who writes to it has it."""
    return open_objects(storage)


@pytest.fixture
async def objects(storage: str) -> AsyncIterator[Objects]:
    """The store as the front has it."""
    found = Objects(storage)
    yield found
    found.close()


@pytest.fixture
def clock() -> Clock:
    """What links expire by."""
    return Clock()


@pytest.fixture
async def api(database: Database, objects: Objects, clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    """The application, called with an API token."""
    async with client(build_app(database, objects=objects, now=clock), PROJECT, TOKEN) as found:
        yield found


@pytest.fixture
async def uri(api: httpx.AsyncClient, database: Database, store: ObjectStore) -> str:
    """The link to the film of a recording."""
    story = Story(name='Übung: 1/2 "Café"\t')
    recording = done(story, 5, size=len(FILM))
    obstore.put(store, recording.key, FILM)
    await keep(database, story.started(), story.recorded(recording, 11.0))
    found: str = (await get(api, f"{RECORDINGS}/{an_id(5)}"))["uri"]
    return found


async def fetch(api: httpx.AsyncClient, uri: str, method: str = "GET", **headers: str) -> httpx.Response:
    """Ask for a file, as who has nothing but its link."""
    return await api.request(method, uri, headers={k.replace("_", "-"): v for k, v in headers.items()}, auth=None)


async def test_a_film_is_downloaded(api: httpx.AsyncClient, uri: str) -> None:
    answer = await fetch(api, uri)
    assert answer.status_code == 200
    assert answer.content == FILM
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["content-length"] == str(len(FILM))
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-disposition"] == (
        'attachment; filename="ubung-1-2-cafe 2026-11-18 11-06.mp4";'
        " filename*=UTF-8''%C3%9Cbung_%201_2%20_Caf%C3%A9_%202026-11-18%2011-06.mp4"
    )
    head = await fetch(api, uri, "HEAD")
    assert (head.status_code, head.content) == (200, b"")
    same = {"content-type", "content-length", "accept-ranges", "content-disposition", "etag", "last-modified"}
    assert {name: head.headers[name] for name in same} == {name: answer.headers[name] for name in same}


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-", 0, len(FILM)),
        ("bytes=0-0", 0, 1),
        ("bytes=5-9", 5, 10),
        (f"bytes={PIECE - 2}-{PIECE + 2}", PIECE - 2, PIECE + 3),
        (f"bytes=3-{2 * PIECE + 4}", 3, 2 * PIECE + 5),
        ("bytes=-7", len(FILM) - 7, len(FILM)),
        (f"bytes={len(FILM) - 1}-", len(FILM) - 1, len(FILM)),
        (f"bytes=10-{10**17}", 10, len(FILM)),
        (f"bytes=-{10**17}", 0, len(FILM)),
    ],
)
async def test_a_part(api: httpx.AsyncClient, uri: str, asked: str, start: int, end: int) -> None:
    answer = await fetch(api, uri, range=asked)
    assert answer.status_code == 206
    assert answer.content == FILM[start:end]
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(FILM)}"
    assert answer.headers["content-length"] == str(end - start)
    assert answer.headers["content-type"] == "video/mp4"
    assert (await fetch(api, uri, "HEAD", range=asked)).status_code == 200, "ranges are for GET"


@pytest.mark.parametrize("asked", [f"bytes={len(FILM)}-", f"bytes={len(FILM)}-{len(FILM) + 5}", "bytes=-0"])
async def test_a_part_that_is_not_there(api: httpx.AsyncClient, uri: str, asked: str) -> None:
    answer = await fetch(api, uri, range=asked)
    assert (answer.status_code, answer.content) == (416, b"")
    assert answer.headers["content-range"] == f"bytes */{len(FILM)}"


@pytest.mark.parametrize(
    "asked",
    ["bytes=0-1,5-9", "bytes=9-5", "bytes=-", "bytes", "items=0-1", "bytes=a-b", "bytes=1-2-3", "bytes=" + "9" * 30],
)
async def test_what_is_no_part_is_the_whole(api: httpx.AsyncClient, uri: str, asked: str) -> None:
    answer = await fetch(api, uri, range=asked)
    assert (answer.status_code, len(answer.content)) == (200, len(FILM))


async def test_parts_of_the_same_film_only(api: httpx.AsyncClient, uri: str, store: ObjectStore) -> None:
    head = (await fetch(api, uri, "HEAD")).headers
    part = {"range": "bytes=5-9"}
    for same in (head["etag"], head["last-modified"]):
        assert (await fetch(api, uri, if_range=same, **part)).status_code == 206
    earlier = format_datetime(datetime.fromisoformat("2026-01-01T00:00:00+00:00"), usegmt=True)
    for other in ('"other"', f"W/{head['etag']}", earlier, "whenever", ""):
        assert (await fetch(api, uri, if_range=other, **part)).status_code == 200
    for known in (head["etag"], f'"x", W/{head["etag"]}', "*"):
        answer = await fetch(api, uri, if_none_match=known)
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", head["etag"])
    assert (await fetch(api, uri, if_none_match='"other"')).status_code == 200
    (path,) = (item["path"] for chunk in obstore.list(store) for item in chunk)
    obstore.put(store, path, FILM[::-1] + b"!")
    assert (await fetch(api, uri, if_range=head["etag"], **part)).status_code == 200


async def test_a_link_expires(api: httpx.AsyncClient, uri: str, clock: Clock) -> None:
    clock.ahead = timedelta(seconds=895)
    assert (await fetch(api, uri)).status_code == 200
    clock.ahead = timedelta(seconds=901)
    answer = await fetch(api, uri)
    assert (answer.status_code, answer.json()) == (410, {"error": "Gone"})
    for ttl, ahead, status in ((3600, 3590, 200), (3600, 3601, 410), (0, 0, 410)):
        clock.ahead = timedelta()
        short = (await get(api, f"{RECORDINGS}/{an_id(5)}", media_ttl=ttl))["uri"]
        clock.ahead = timedelta(seconds=ahead)
        assert (await fetch(api, short, "HEAD")).status_code == status


@pytest.mark.parametrize(
    "spoil",
    [
        lambda url: url.copy_remove_param("signature"),
        lambda url: url.copy_remove_param("expires"),
        lambda url: url.copy_set_param("signature", ""),
        lambda url: url.copy_set_param("signature", "é\udcff"[:1]),
        lambda url: url.copy_set_param("signature", url.params["signature"][:-1]),
        lambda url: url.copy_set_param("expires", str(int(url.params["expires"]) + 1)),
        lambda url: url.copy_set_param("expires", url.params["expires"] + " "),
        lambda url: url.copy_set_param("expires", "٣" * 10),
        lambda url: url.copy_set_param("expires", "9" * 5000),
        lambda url: url.copy_with(path=url.path.replace(str(an_id(5)), str(an_id(6)))),
        lambda url: url.copy_with(path=url.path.replace(str(an_id(5)), "me")),
    ],
)
async def test_a_link_that_is_not_ours(
    api: httpx.AsyncClient, uri: str, database: Database, store: ObjectStore, spoil: Any
) -> None:
    story = Story(1)
    other = done(story, 6)
    obstore.put(store, other.key, b"another film")
    await keep(database, story.started(), story.recorded(other, 11.0))
    answer = await fetch(api, str(spoil(httpx.URL(uri))))
    assert (answer.status_code, answer.json()) == (404, {"error": "Not Found"})


async def test_any_front_knows_the_link_of_another(
    api: httpx.AsyncClient, uri: str, database: Database, objects: Objects
) -> None:
    async with client(build_app(database, objects=objects), PROJECT, TOKEN) as other:
        assert (await fetch(other, uri)).content == FILM


async def test_a_link_to_a_file_that_is_gone(api: httpx.AsyncClient, uri: str, store: ObjectStore) -> None:
    (path,) = (item["path"] for chunk in obstore.list(store) for item in chunk)
    obstore.delete(store, path)
    assert (await fetch(api, uri)).status_code == 404


async def test_a_film_that_changes_while_it_is_read_is_never_mixed(objects: Objects, store: ObjectStore) -> None:
    obstore.put(store, "a.mp4", b"first")
    found = await objects.find("a.mp4")
    assert found is not None
    assert await objects.read(found, 1, 3) == b"ir"
    obstore.put(store, "a.mp4", b"other!")
    with pytest.raises(Changed):
        await objects.read(found, 0, 5)
    obstore.delete(store, "a.mp4")
    with pytest.raises(Changed):
        await objects.read(found, 0, 5)
    assert await objects.find("a.mp4") is None
    await objects.remove("a.mp4")


async def test_a_store_that_is_away_is_503(
    api: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    story = Story()
    await keep(database, story.started(), story.recorded(done(story, 5), 11.0))
    uri = (await get(api, f"{RECORDINGS}/{an_id(5)}"))["uri"]
    with s3_server(monkeypatch) as server:
        away = Objects(server.url)
    async with client(build_app(database, objects=away, now=clock), PROJECT, TOKEN) as front:
        answer = await fetch(front, uri)
        assert (answer.status_code, answer.json()) == (503, {"error": "Service Unavailable"})
        assert answer.headers["retry-after"] == "5"
    assert away.statistics()["failed"] == 1
    away.close()


async def test_an_empty_file(api: httpx.AsyncClient, uri: str, store: ObjectStore) -> None:
    (path,) = (item["path"] for chunk in obstore.list(store) for item in chunk)
    obstore.put(store, path, b"")
    answer = await fetch(api, uri)
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")
    assert (await fetch(api, uri, range="bytes=0-")).status_code == 416


# -- what is sent, piece by piece


async def test_no_more_than_a_piece_is_in_memory(tmp_path: Path) -> None:
    size = 64 * PIECE
    with (tmp_path / "long.mp4").open("wb") as file:
        file.truncate(size)
    objects = Objects(f"file://{tmp_path}")
    found = await objects.find("long.mp4")
    assert found is not None
    scope = {"type": "http", "method": "GET", "headers": [], "asgi": {"spec_version": "2.3"}}
    sent = 0

    async def send(message: Any) -> None:
        nonlocal sent
        sent += len(message.get("body", b""))

    async def receive() -> Any:
        await asyncio.Event().wait()

    answer = await sending.send_object(Request(scope), objects, found, "video/mp4", {})
    tracemalloc.start()
    await answer(scope, receive, send)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    objects.close()
    assert sent == size
    assert peak < 4 * PIECE


async def test_a_client_that_takes_nothing_more_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sending, "STALL_S", 0.05)
    (tmp_path / "a.mp4").write_bytes(FILM)
    objects = Objects(f"file://{tmp_path}")
    found = await objects.find("a.mp4")
    assert found is not None
    scope = {"type": "http", "method": "GET", "headers": [], "asgi": {"spec_version": "2.3"}}
    bodies = 0

    async def send(message: Any) -> None:
        nonlocal bodies
        if message["type"] == "http.response.body":
            bodies += 1
            if bodies == 2:
                await asyncio.Event().wait()

    async def receive() -> Any:
        await asyncio.Event().wait()

    answer = await sending.send_object(Request(scope), objects, found, "video/mp4", {})
    await answer(scope, receive, send)
    objects.close()
    assert bodies == 2
    assert "takes no more" in caplog.text


async def test_files_that_are_sent_at_once_are_counted_and_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parlour.front.objects.DOWNLOADS_MAX", 1)
    (tmp_path / "a.mp4").write_bytes(FILM)
    objects = Objects(f"file://{tmp_path}")
    found = await objects.find("a.mp4")
    assert found is not None
    request = Request({"type": "http", "method": "GET", "headers": [], "asgi": {"spec_version": "2.3"}})
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def send(_message: Any) -> None:
        begun.set()
        await goes_on.wait()

    async def receive() -> Any:
        await asyncio.Event().wait()

    answer = await sending.send_object(request, objects, found, "video/mp4", {})
    downloading = asyncio.create_task(answer(request.scope, receive, send))
    await begun.wait()
    assert objects.statistics()["downloads"] == 1
    with pytest.raises(Unavailable):
        await sending.send_object(request, objects, found, "video/mp4", {})
    goes_on.set()
    await downloading
    assert (objects.statistics()["downloads"], objects.statistics()["refused"]) == (0, 1)
    await sending.send_object(request, objects, found, "video/mp4", {})
    objects.close()


SIZES = st.integers(0, 2000)


@given(st.text(max_size=30), SIZES)
@example("bytes=0-", 0)
@example("bytes=--1", 5)
def test_whatever_is_asked_for_is_in_the_file(asked: str, size: int) -> None:
    try:
        span = wanted(asked, size)
    except Unsatisfiable:
        return
    assert span is None or 0 <= span.start < span.end <= size


@given(SIZES, st.integers(0, 3000), st.integers(0, 3000))
def test_parts_are_those_of_the_standard(size: int, first: int, last: int) -> None:
    octets = hashlib.shake_128(b"x").digest(size)
    if last < first:
        assert wanted(f"bytes={first}-{last}", size) is None
    elif first >= size:
        with pytest.raises(Unsatisfiable):
            wanted(f"bytes={first}-{last}", size)
    else:
        span = wanted(f"bytes={first}-{last}", size)
        assert span is not None
        assert octets[span.start : span.end] == octets[first : last + 1]
    if min(last, size):
        assert wanted(f"bytes=-{last}", size) == Span(max(0, size - last), size)


# -- previews


async def test_a_preview_is_for_whoever_has_its_link(
    api: httpx.AsyncClient, database: Database, store: ObjectStore
) -> None:
    story, other, silent = Story(0, 1), Story(1, 2), Story(2, 3)
    await keep(database, story.started(preview="sEcret_-1"), other.started(preview="other"), silent.started())
    url = (await get(api, f"{SESSIONS}/{story.id}"))["preview_url"]
    assert url == f"http://parlour.test{SESSIONS}/{story.id}/preview/sEcret_-1"
    assert (await get(api, f"{SESSIONS}/{silent.id}"))["preview_url"] is None
    assert (await fetch(api, url)).status_code == 404, "none was made yet"
    obstore.put(store, preview_key("sEcret_-1"), b"RIFF moving")
    answer = await fetch(api, url, origin="https://other.example")
    assert (answer.status_code, answer.content) == (200, b"RIFF moving")
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    head = await fetch(api, url, "HEAD")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "11")
    obstore.put(store, preview_key("sEcret_-1"), b"RIFF renewed")
    assert (await fetch(api, url)).content == b"RIFF renewed"

    obstore.put(store, preview_key(""), b"nobody's")
    for wrong in (
        f"{SESSIONS}/{story.id}/preview/other",
        f"{SESSIONS}/{other.id}/preview/sEcret_-1",
        f"{SESSIONS}/{silent.id}/preview/",
        f"{SESSIONS}/{uuid4()}/preview/sEcret_-1",
        f"{SESSIONS}/me/preview/sEcret_-1",
        f"{SESSIONS}/{story.id}/preview/..%2fsEcret_-1",
    ):
        assert (await fetch(api, wrong)).status_code == 404
    await keep(database, story.updated(5.0, preview=""))
    assert (await fetch(api, url)).status_code == 404, "previews were turned off"
    await keep(database, story.updated(6.0, preview="sEcret_-1"))
    assert (await fetch(api, url)).status_code == 200
    await keep(database, story.ended(7.0))
    assert (await fetch(api, url)).status_code == 404, "the session is over"
