"""``parlour loadtest`` against a real server with a real worker."""

import io
import re
from statistics import median
from typing import Any

import pytest
from rich.console import Console

from parlour.cli import loadtest_show
from parlour.cli.room import PATH
from tests.cli.conftest import Parlour
from tests.cluster.conftest import figures
from tests.support.server import RunningServer
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

SHORT = ("--seconds", "2", "--join-every", "0", "--json")


def measured(parlour: Parlour, *arguments: str) -> Any:
    """What a load test found. It ends with 1 where the server does not carry it, as on a machine that is busy."""
    done = parlour("loadtest", *arguments)
    assert done.err == ""
    assert done.code == (1 if done.json["complaints"] else 0)
    return done.json


@pytest.fixture(autouse=True)
def somebody_has_rooms(shared_server: RunningServer) -> None:
    """A server answers before its media worker is there."""
    wait_until(lambda: figures(shared_server))


def test_two_meet_and_see_one_another(parlour: Parlour, shared_server: RunningServer) -> None:
    found = measured(parlour, "--senders", "2", "--loss", "0", *SHORT)
    assert found["refused"] == []
    assert len(found["members"]) == 2
    for member in found["members"]:
        assert member["ended"] == ""
        assert member["counts"]["audio"] > 0
        assert member["counts"]["pictures"] > 0
        assert member["counts"]["refused"] == 0
    assert found["picture"]["width"] == 1280
    assert found["picture"]["age"]["count"] > 0
    with shared_server.client() as api:
        names = [item["display_name"] for item in api.get(PATH).json()["data"]]
    assert not [name for name in names if name.startswith("loadtest")]


def test_a_worker_says_where_its_time_goes(parlour: Parlour) -> None:
    name = parlour.ok("room", "create", "measured", "--json").json["conference_room"]["name"]
    (worker,) = measured(parlour, name, "--senders", "2", "--loss", "0", *SHORT)["server"]
    parts = worker["parts"]
    assert parts.pop("scale") >= 0  # nothing, once cameras send what their tiles have room for
    assert min(parts.values()) > 0
    assert sum(parts.values()) < worker["cores"]
    assert worker["load_percent"] > 0


def test_losses_are_healed_and_told(parlour: Parlour) -> None:
    two, ten = measured(parlour, "--senders", "2", "--codec", "vp8", "--loss", "2", "--loss", "10", *SHORT)["losses"]
    assert (two["loss"], ten["loss"]) == (0.02, 0.1)
    assert ten["dropped"] > two["dropped"] > 0
    assert ten["resent"] > 0
    assert ten["nacked"] >= ten["resent"]
    assert ten["healed"]["count"] == ten["resent"]
    assert ten["whole_ms"] is not None


@pytest.mark.parametrize("way", ["link", "invite"])
def test_a_link_is_enough(parlour: Parlour, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    name = f"by-{way}"
    parlour.ok("room", "create", name)
    link = parlour.ok("room", "link", name).out.strip()
    host = link.partition("/rooms/")[0]
    for variable in ("SIGNALWIRE_PROJECT_ID", "SIGNALWIRE_API_TOKEN", "SIGNALWIRE_SPACE"):
        monkeypatch.delenv(variable)
    where = [link] if way == "link" else [name, "--invite", link.partition("#")[2], "--host", host]
    found = measured(parlour, *where, "-n", "1", "-w", "1", "--loss", "0", *SHORT)
    assert [member["sends"] for member in found["members"]].count(True) == 1
    assert len(found["members"]) == 2


def test_who_does_not_get_in_is_told(parlour: Parlour) -> None:
    parlour.ok("room", "create", "narrow", "--max-members", "1")
    found = measured(parlour, "narrow", "--senders", "3", "--loss", "0", *SHORT)
    assert len(found["members"]) == 1
    assert len(found["refused"]) == 2
    assert all("full" in reason for reason in found["refused"])
    assert "2 did not get in" in found["complaints"]


def test_people_read_a_table(parlour: Parlour) -> None:
    done = parlour("loadtest", "-n", "1", "--loss", "0", "--seconds", "1")
    carried = done.code == 0
    assert done.out.splitlines()[-1].startswith("The server carries this" if carried else "The server does not carry")
    assert "1 sender of 1280×720 H264" in done.out
    for heading in ("first picture after dialling", "pictures a second", "The server's workers", "of one core"):
        assert heading in done.out


def test_losses_fit_a_narrow_terminal(parlour: Parlour) -> None:
    done = parlour("loadtest", "-n", "1", "--loss", "2", "--loss", "10", "--seconds", "1")
    (row,) = [line for line in done.out.splitlines() if line.startswith("until it was whole again, ms")]
    assert re.fullmatch(r".*, ms +\d+ +\d+ *", row)
    assert max(map(len, done.out.splitlines()[1:-1])) <= 80


def test_who_waits_at_a_terminal_sees_how_it_goes(parlour: Parlour, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(
        loadtest_show, "errors", Console(file=screen, force_terminal=True, color_system=None, width=160)
    )
    found = measured(parlour, "-n", "2", "--loss", "0", "--seconds", "5", "--join-every", "0", "--json")
    shown = screen.getvalue()
    for what in ("Making what they send", "Joining: ", "Settling", "Measuring"):
        assert what in shown
    line = r"Measuring .*? (\d+) in, ([\d,]+) packets/s, ([\d.]+) pictures/s, (\d+) ms old, \d+ lost"
    lines = [[float(value.replace(",", "")) for value in values] for values in re.findall(line, shown)]
    members, packets, pictures, ages = zip(*lines, strict=True)
    assert set(members) == {2}
    assert found["cost"]["packets_in"] / 3 < median(packets) < found["cost"]["packets_in"] * 3
    assert found["members"][0]["fps"] / 3 < median(pictures) < found["members"][0]["fps"] * 3
    assert found["picture"]["age"]["median"] / 10 < median(ages) < found["picture"]["age"]["median"] * 10


def test_nobody_is_shown_anything_where_there_is_no_terminal(parlour: Parlour) -> None:
    measured(parlour, "-n", "1", "--loss", "0", "--seconds", "1", "--join-every", "0", "--json")


def test_what_a_server_does_not_carry_is_the_result(parlour: Parlour) -> None:
    parlour.ok("room", "create", "small", "--max-members", "1")
    done = parlour("loadtest", "small", "-n", "2", "--loss", "0", "--seconds", "1")
    assert done.code == 1
    assert "The server does not carry this: 1 did not get in" in done.out.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "no room at /public/nowhere"),
        (["http://localhost:1/rooms/there"], "no link"),
        (["--invite", "abc"], "say which"),
        (["--senders", "0"], "1 to 1000 members"),
        (["--size", "63x64"], "even numbers"),
        (["--loss", "60"], "at most 50%"),
        (["--host", "localhost:1"], "Nothing answers"),
        (["http://localhost:1/rooms/there#token"], "Nobody gets in"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(parlour: Parlour, arguments: list[str], words: str) -> None:
    done = parlour("loadtest", *arguments)
    assert done.code in {1, 2}
    assert words in done.err


def test_another_machine_is_left_alone(parlour: Parlour) -> None:
    done = parlour("loadtest", "--host", "192.0.2.7:8080")
    assert done.code == 2
    assert "--yes-remote" in done.err


def test_a_link_to_another_machine_is_no_way_around(parlour: Parlour) -> None:
    done = parlour("loadtest", "http://192.0.2.7:8080/rooms/there#token")
    assert done.code == 2
    assert "--yes-remote" in done.err
