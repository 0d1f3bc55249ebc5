"""``parlour room`` against a real server."""

import json
import os
import pty
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from parlour.cli import options
from tests.cli.conftest import Done, Parlour, SecureServer, point_to, stranger
from tests.support.caller import caller, has_worker
from tests.support.server import RunningServer, serving
from tests.support.waiting import PATIENCE_S, until

PATH = "/api/fabric/resources/conference_rooms"
MISSING = "018f0000-0000-7000-8000-000000000000"

GIVEN: list[tuple[list[str], str, Any]] = [
    (["--display-name", "Reception"], "display_name", "Reception"),
    (["--description", "Where the day\nbegins."], "description", "Where the day\nbegins."),
    (["--join-from", "2026-05-06T12:00:00Z"], "join_from", "2026-05-06T12:00:00Z"),
    (["--join-until", "2026-05-06T15:00:00+01:00"], "join_until", "2026-05-06T14:00:00Z"),
    (["--max-members", "0"], "max_members", 0),
    (["--quality", "1080p"], "quality", "1080p"),
    (["--remove-at", "2026-05-07"], "remove_at", "2026-05-07T00:00:00Z"),
    (["--remove-after-seconds-elapsed", "0"], "remove_after_seconds_elapsed", 0),
    (["--layout", "3x3"], "layout", "3x3"),
    (["--record-on-start"], "record_on_start", True),
    (["--previews"], "enable_room_previews", True),
    (["--meta", '{"a": [1, 12345678901234567890123]}'], "meta", {"a": [1, 12345678901234567890123]}),
    (["--sync-audio-video"], "sync_audio_video", True),
    (["--no-tone-on-entry-and-exit"], "tone_on_entry_and_exit", False),
    (["--room-join-video-off"], "room_join_video_off", True),
    (["--user-join-video-off"], "user_join_video_off", True),
    (["--fps", "20"], "fps", "20"),
    (["--prioritize-handraise"], "prioritize_handraise", True),
]
ALL = [word for words, _, _ in GIVEN for word in words]


def stored(server: RunningServer, room_id: str) -> Any:
    """The room as the API has it, whatever the command line says."""
    with server.client() as client:
        answer = client.get(f"{PATH}/{room_id}")
    assert answer.status_code == 200
    return json.loads(answer.content)


def test_every_field_is_an_option_of_create(parlour: Parlour, shared_server: RunningServer) -> None:
    room = stored(shared_server, parlour.ok("room", "create", "coffee", *ALL).pairs["id"])["conference_room"]
    expected = {field: value for _, field, value in GIVEN} | {"name": "coffee", "id": room["id"]}
    assert room == expected


@pytest.mark.parametrize(("words", "field", "value"), GIVEN, ids=[field for _, field, _ in GIVEN])
def test_update_changes_what_is_given_and_nothing_else(
    parlour: Parlour, shared_server: RunningServer, words: list[str], field: str, value: Any
) -> None:
    before = parlour.ok("room", "create", "coffee", "--join-from", "2020-01-01").pairs
    room = stored(shared_server, before["id"])["conference_room"]
    assert room[field] != value
    parlour.ok("room", "update", before["id"], *words)
    assert stored(shared_server, before["id"])["conference_room"] == room | {field: value}


def test_no_switches_a_field_off(parlour: Parlour) -> None:
    room_id = parlour.ok("room", "create", "coffee", "--record-on-start", "--previews").pairs["id"]
    after = parlour.ok("room", "update", room_id, "--no-record-on-start", "--no-previews").pairs
    assert (after["record_on_start"], after["enable_room_previews"]) == ("no", "no")


def test_update_renames_and_clears(parlour: Parlour, shared_server: RunningServer) -> None:
    room_id = parlour.ok("room", "create", "coffee", *ALL).pairs["id"]
    clear = ["--clear", "join-until", "--clear", "join_from", "--clear", "meta"]
    parlour.ok("room", "update", room_id, "--name", "tea", *clear)
    room = stored(shared_server, room_id)["conference_room"]
    assert (room["name"], room["join_until"], room["join_from"], room["meta"]) == ("tea", None, None, {})
    assert room["description"] == "Where the day\nbegins."


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Nothing to change"),
        (["--clear", "name"], "name cannot be cleared"),
        (["--clear", "join-from", "--join-from", "2026-01-01"], "join_from is given and cleared at once"),
        (["--meta", "[1]"], "must be a JSON object"),
        (["--meta", '{"a": NaN}'], "must be a JSON object"),
        (["--meta", "[" * 100_000], "must be a JSON object"),
        (["--layout", "7x7"], "7x7"),
        (["--fps", "25"], "25"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(parlour: Parlour, words: list[str], said: str) -> None:
    done = parlour("room", "update", MISSING, *words)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_json_is_the_api_s(parlour: Parlour, shared_server: RunningServer) -> None:
    created = parlour.ok("room", "create", "Café", *ALL, "--json").json
    assert created == stored(shared_server, created["id"])
    for arguments in (["show", created["id"]], ["update", created["id"], "--name", "Café"]):
        shown = parlour.ok("room", *arguments, "--json").json
        assert shown | {"updated_at": ""} == created | {"updated_at": ""}


def test_show_prints_each_field(parlour: Parlour) -> None:
    created = parlour.ok("room", "create", "[bold]coffee", "--quality", "1080p").pairs
    assert parlour.ok("room", "show", created["id"]).pairs == created
    assert created["name"] == "[bold]coffee"
    assert (created["quality"], created["sync_audio_video"], created["record_on_start"]) == ("1080p", "-", "no")


def test_a_description_cannot_write_on_the_terminal(parlour: Parlour) -> None:
    done = parlour.ok("room", "create", "coffee", "--description", "\x1b[2Jgone\x9b")
    assert done.pairs["description"] == "\\x1b[2Jgone\\x9b"


def test_delete(parlour: Parlour, shared_server: RunningServer) -> None:
    room_id = parlour.ok("room", "create", "coffee").pairs["id"]
    refused = parlour("room", "delete", room_id)
    assert refused.code == 2
    assert "--yes" in refused.err
    assert stored(shared_server, room_id)["id"] == room_id
    assert parlour.ok("room", "delete", room_id, "--yes").out == f"Deleted {room_id}.\n"
    assert parlour.trouble("room", "delete", room_id, "--yes") == f"There is no room {room_id} in this project.\n"
    assert parlour.trouble("room", "show", room_id) == f"There is no room {room_id} in this project.\n"


@pytest.mark.parametrize(
    ("answer", "code", "said"), [("n\n", 1, "Nothing was done."), ("\n", 1, "Nothing was done."), ("y\n", 0, "Deleted")]
)
def test_delete_asks_a_person(
    parlour: Parlour, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, said: str
) -> None:
    room_id = parlour.ok("room", "create", "coffee").pairs["id"]
    outer, inner = pty.openpty()
    with os.fdopen(outer, "wb"), os.fdopen(inner) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        os.write(outer, answer.encode())
        done = parlour("room", "delete", room_id)
    assert done.code == code
    assert f"Delete the room coffee ({room_id})? [y/N]" in done.err
    assert said in done.out + done.err
    assert parlour("room", "show", room_id).code == 1 - code


@pytest.mark.slow
@pytest.mark.parametrize(("words", "code"), [([], "403"), (["--moderator"], "200")], ids=["guest", "moderator"])
async def test_a_link_lets_a_guest_in_or_a_moderator(
    parlour: Parlour, shared_server: RunningServer, words: list[str], code: str
) -> None:
    name = f"open-to-{code}"
    parlour.ok("room", "create", name)
    page, _, token = parlour.ok("room", "link", name, *words).out.strip().partition("#")
    assert page == f"{shared_server.origin}/rooms/{name}"
    await until(lambda: has_worker(shared_server))
    async with caller(shared_server, f"/public/{name}?channel=video", token) as one:
        await one.join()
        assert one.seat is not None
        assert (await one.seat.act("lock"))["code"] == code


@pytest.mark.parametrize("wrong", ["..", "", "nope"])
def test_an_id_is_no_path(parlour: Parlour, wrong: str) -> None:
    assert parlour("room", "delete", wrong, "--yes").code == 2


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningServer, list[str]]]:
    """A server with rooms on more than one page, and their names from the newest down."""
    with serving(tmp_path_factory.mktemp("list") / "server") as server, server.client() as client:
        names = [f"room {number:03}" for number in range(120)]
        for name in names:
            client.post(PATH, json={"name": name, "enable_room_previews": False}).raise_for_status()
        yield server, names[::-1]


class TestList:
    """A list of several pages."""

    @pytest.fixture
    def names(
        self, nowhere: Parlour, full: tuple[RunningServer, list[str]], monkeypatch: pytest.MonkeyPatch
    ) -> list[str]:
        point_to(full[0], monkeypatch)
        return full[1]

    def listed(self, done: Done) -> list[str]:
        return [room["conference_room"]["name"] for room in done.json]

    def test_the_default_is_fifty(self, nowhere: Parlour, names: list[str]) -> None:
        done = nowhere.ok("room", "list", "--json")
        assert self.listed(done) == names[:50]
        assert "There are more" in done.err

    @pytest.mark.parametrize("limit", [1, 100, 119])
    def test_limit(self, nowhere: Parlour, names: list[str], limit: int) -> None:
        done = nowhere.ok("room", "list", "--json", "--limit", str(limit))
        assert self.listed(done) == names[:limit]
        assert "There are more" in done.err

    @pytest.mark.parametrize("words", [["--all"], ["--limit", "120"], ["-n", "1000"]])
    def test_all(self, nowhere: Parlour, names: list[str], words: list[str]) -> None:
        done = nowhere.ok("room", "list", "--json", *words)
        assert self.listed(done) == names
        assert done.err == ""

    def test_table(self, nowhere: Parlour, names: list[str]) -> None:
        lines = nowhere.ok("room", "list", "--all").out.splitlines()
        assert lines[0].split() == ["ID", "Name", "Max", "Created"]
        assert [line[38:46] for line in lines[1:]] == names
        assert max(map(len, lines)) <= 80

    def test_pages_are_fetched_when_they_are_needed(
        self, nowhere: Parlour, names: list[str], full: tuple[RunningServer, list[str]]
    ) -> None:
        counted = f'parlour_http_requests_total{{method="GET",route="{PATH}"'

        def requests() -> float:
            text = httpx.get(f"{full[0].origin}/metrics", timeout=PATIENCE_S).text
            return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(counted))

        before = requests()
        nowhere.ok("room", "list", "--limit", "20")
        assert requests() == before + 1
        nowhere.ok("room", "list", "--all")
        assert requests() == before + 3


def test_an_empty_list(nowhere: Parlour, secure: SecureServer, monkeypatch: pytest.MonkeyPatch) -> None:
    point_to(secure.server, monkeypatch)
    where = ["--host", secure.server.origin, "--ca-file", secure.ca_file]
    assert nowhere.ok("room", "list", "--json", *where).json == []
    done = nowhere.ok("room", "list", *where)
    assert (done.out, done.err) == ("", "There are no rooms yet.\n")


def test_a_list_that_never_ends_is_noticed(parlour: Parlour) -> None:
    body = b'{"data": [], "links": {"next": "http://elsewhere.invalid/?page_number=1&page_token=PA"}}'
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
    with stranger(head + body) as host:
        assert "same page again" in parlour.trouble("room", "list", "--all", "--host", host)


def test_few_items_are_held_at_a_time() -> None:
    asked: list[int] = []

    def items(size: int) -> Any:
        asked.append(size)
        return iter([])

    options.Listing(limit=100_000).show(items, {"ID": None}, lambda item: [], "none")
    options.Listing(everything=True).show(items, {"ID": None}, lambda item: [], "none")
    assert asked == [options.PAGE_MAX, options.PAGE_MAX]
