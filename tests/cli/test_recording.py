"""``parlour session`` and ``parlour recording`` against a real server, with what its journal told written down."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from parlour.cli.client import Api
from parlour.cli.output import BrokenOff
from parlour.domain.live.recording import RecordingStatus
from tests.cli.conftest import Parlour, point_to
from tests.front.test_recordings import done
from tests.store.entries import Story, an_id
from tests.support.caller import somebody_in_a_room
from tests.support.history import put_file, tell
from tests.support.server import RunningServer, serving
from tests.support.waiting import wait_until

FILM = bytes(range(256)) * 10_000
MISSING = "018f0000-0000-7000-8000-000000000000"
_numbers = iter(range(10_000_000, 20_000_000, 1_000_000))


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server of whose rooms there is something to tell: two sessions, three recordings."""
    folder = tmp_path_factory.mktemp("filmed")
    live, over = Story(1), Story(0, 2, name="Café: 1/2")
    failed = over.recording(7, status=RecordingStatus.COMPLETED, reason="The disk is full.")
    told = [
        *(over.started(), over.joined(2, 0.0), over.joined(3, 1.0, "Bob", "screen"), over.left(2, 0.0, 4000.0)),
        *(over.recorded(done(over, 5, size=len(FILM)), 11.0), over.recorded(failed, 12.0), over.ended(4000.0)),
        *(live.started(), live.joined(4, 0.0, "Cy"), live.recorded(live.recording(6), 1.0)),
    ]
    with serving(folder / "server") as server:
        tell(f"sqlite:///{folder}/server/data/parlour.sqlite3", told)
        put_file(folder / "server", done(over, 5).key, FILM)
        yield server


@pytest.fixture
def parlour(nowhere: Parlour, filmed: RunningServer, monkeypatch: pytest.MonkeyPatch) -> Parlour:
    """The command line in an environment that names the server."""
    point_to(filmed, monkeypatch)
    return nowhere


LIVE, OVER = str(Story(1).id), str(Story(0).id)
FILMED, GOING, FAILED = (str(an_id(number)) for number in (5, 6, 7))


def test_sessions_are_listed(parlour: Parlour) -> None:
    out = parlour.ok("session", "list").out.splitlines()
    assert out[0].split() == ["ID", "Room", "Status", "Started", "(UTC)"]
    assert [line.split()[0] for line in out[1:]] == [LIVE, OVER]
    assert [one["id"] for one in parlour.ok("session", "list", "--json").json] == [LIVE, OVER]
    assert [one["id"] for one in parlour.ok("session", "list", "--json", "-n", "1").json] == [LIVE]
    assert [one["id"] for one in parlour.ok("session", "list", "--status", "completed", "--json").json] == [OVER]
    assert [one["id"] for one in parlour.ok("session", "list", "--room", "coffee_cafe", "--json").json] == [LIVE]
    assert parlour.ok("session", "list", "--room", "nowhere").err == "There were no sessions yet.\n"
    assert parlour("session", "list", "--status", "odd").code == 2


def test_a_session_is_shown_with_who_was_in(parlour: Parlour) -> None:
    shown = parlour.ok("session", "show", OVER)
    assert shown.pairs["status"] == "completed"
    assert "Bob (screen)" in shown.out
    assert "1:06:40" in shown.out
    assert parlour.ok("session", "show", OVER, "--json").json["name"] == "Café: 1/2"
    assert parlour.trouble("session", "show", MISSING) == f"There is no session {MISSING} in this project.\n"
    assert parlour("session", "show", "me").code == 2


def test_recordings_are_listed_and_shown(parlour: Parlour) -> None:
    out = parlour.ok("recording", "list").out
    assert [line.split()[0] for line in out.splitlines()[1:]] == [FAILED, GOING, FILMED]
    assert "The disk" in out
    assert "0:00:07" in out
    assert parlour.ok("recording", "show", FAILED).pairs["reason"] == "The disk is full."
    found = parlour.ok("recording", "list", "--session", LIVE, "--json").json
    assert [one["id"] for one in found] == [GOING]
    assert "There is no session" in parlour.trouble("recording", "list", "--session", MISSING)
    assert parlour("recording", "list", "--session", "../me").code == 2
    assert parlour.ok("recording", "show", GOING).pairs["status"] == "recording"
    assert parlour.ok("recording", "show", FILMED, "--json").json["uri"].startswith("http://localhost:")
    assert parlour.trouble("recording", "show", MISSING) == f"There is no recording {MISSING} in this project.\n"


def test_a_film_is_downloaded(parlour: Parlour, tmp_path: Path) -> None:
    said = parlour.ok("recording", "download", FILMED).out.strip()
    assert said.startswith("Café_ 1_2 ")
    assert said.endswith(".mp4")
    assert (tmp_path / said).read_bytes() == FILM
    assert "is there already" in parlour.trouble("recording", "download", FILMED)
    (tmp_path / said).write_bytes(b"older")
    parlour.ok("recording", "download", FILMED, "--force")
    assert (tmp_path / said).read_bytes() == FILM
    parlour.ok("recording", "download", FILMED, "-o", "film.mp4")
    assert (tmp_path / "film.mp4").read_bytes() == FILM
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([said, "film.mp4"])


def test_what_cannot_be_downloaded(parlour: Parlour, tmp_path: Path) -> None:
    assert "no file yet: it is recording" in parlour.trouble("recording", "download", GOING)
    assert "no file: The disk is full." in parlour.trouble("recording", "download", FAILED)
    assert "There is no recording" in parlour.trouble("recording", "download", MISSING)
    assert "cannot be written" in parlour.trouble("recording", "download", FILMED, "-o", "no/such/folder.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_breaks_off_is_taken_up_again(
    parlour: Parlour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[str | None] = []
    whole = Api.download

    def short(self: Api, link: str, thing: str, headers: Any) -> Any:
        tries.append(headers.get("Range"))
        return Cut(whole(self, link, thing, headers), len(tries) < 3)

    monkeypatch.setattr(Api, "download", short)
    done = parlour.ok("recording", "download", FILMED, "-o", "film.mp4")
    assert (tmp_path / "film.mp4").read_bytes() == FILM
    assert tries == [None, "bytes=1000-", "bytes=2000-"]
    assert done.err.count("taking it up again") == 2


class Cut:
    """An answer that breaks off after 1,000 octets."""

    def __init__(self, answer: Any, cut: bool) -> None:
        self.answer, self.cut = answer, cut

    def __enter__(self) -> Any:
        found = self.answer.__enter__()
        if not self.cut:
            return found
        self.found = found
        return self

    def __exit__(self, *what: Any) -> Any:
        return self.answer.__exit__(None, None, None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.found, name)

    def iter_raw(self) -> Iterator[bytes]:
        """Some, then nothing."""
        yield next(self.found.iter_raw(1000))
        raise BrokenOff("gone")


def test_what_a_room_refuses_is_told(parlour: Parlour) -> None:
    assert "There is no session" in parlour.trouble("recording", "start", LIVE), "its room is not alive"
    assert "that goes on" in parlour.trouble("recording", "stop", GOING)
    for command in ("pause", "resume", "stop"):
        assert "There is no recording" in parlour.trouble("recording", command, MISSING)
    said = parlour.trouble("recording", "delete", GOING, "--yes")
    assert "only a finished one can be deleted" in said


def test_a_recording_is_deleted(parlour: Parlour, filmed: RunningServer) -> None:
    assert parlour("recording", "delete", FAILED).code == 2
    assert parlour.ok("recording", "delete", FAILED, "--yes").out == f"Deleted {FAILED}.\n"
    assert "There is no recording" in parlour.trouble("recording", "show", FAILED)


@pytest.mark.slow
def test_a_session_is_recorded_from_the_command_line(
    nowhere: Parlour, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with serving(tmp_path / "server") as server, somebody_in_a_room(server) as session:
        point_to(server, monkeypatch)
        begun = nowhere.ok("recording", "start", session, "--json").json
        assert begun["status"] == "recording"
        assert "being recorded already" in nowhere.trouble("recording", "start", session)
        key = begun["id"]
        assert nowhere.ok("recording", "pause", key).pairs["status"] == "paused"
        assert nowhere.ok("recording", "resume", key).pairs["status"] == "recording"
        assert nowhere.ok("recording", "stop", key).pairs["status"] == "processing"
        wait_until(lambda: nowhere.ok("recording", "show", key, "--json").json["uri"], every=0.3)
        nowhere.ok("recording", "download", key, "-o", "film.mp4")
        assert Path("film.mp4").read_bytes()[4:8] == b"ftyp"
        (listed,) = nowhere.ok("session", "list", "--json").json
        assert listed["id"] == session
        assert nowhere.ok("session", "show", session).pairs["status"] == "in-progress"
