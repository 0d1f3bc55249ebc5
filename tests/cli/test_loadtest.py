"""``parlour loadtest`` against a real server with a real worker."""

import pytest

from parlour.cli.room import PATH
from tests.cli.conftest import Parlour
from tests.support.server import RunningServer

pytestmark = pytest.mark.slow

SHORT = ("--seconds", "2", "--join-every", "0", "--json")


def test_two_meet_and_see_one_another(parlour: Parlour, shared_server: RunningServer) -> None:
    found = parlour.ok("loadtest", "--senders", "2", "--loss", "0", *SHORT).json
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


def test_a_worker_says_where_its_time_goes(parlour: Parlour, shared_server: RunningServer) -> None:
    parlour.ok("room", "create", "measured")
    parlour.ok("loadtest", "measured", "--senders", "2", "--loss", "0", *SHORT)
    with shared_server.client() as api:
        lines = [line for line in api.get("/metrics").text.splitlines() if line.startswith("parlour_worker{")]
    workers: dict[str, dict[str, float]] = {}
    for line in lines:
        _, figure, _, worker, value = line.split('"')
        workers.setdefault(worker, {})[figure] = float(value.removeprefix("} "))
    busy = max(workers.values(), key=lambda figures: figures["cpu_seconds"])
    picture = [busy[f"picture_{part}_seconds"] for part in ("decode", "scale", "compose", "encode")]
    assert min(picture) > 0
    assert sum(picture) < busy["picture_seconds"]
    assert 0 < busy["in_seconds"] + busy["out_seconds"] < busy["loop_seconds"]
    assert busy["picture_seconds"] + busy["sound_seconds"] + busy["loop_seconds"] < busy["cpu_seconds"]
    assert busy["sound_ticks"] <= busy["sound_encoded"] <= busy["sound_ticks"] * 3


def test_another_machine_is_left_alone(parlour: Parlour) -> None:
    done = parlour("loadtest", "--host", "192.0.2.7:8080")
    assert done.code == 2
    assert "--yes-remote" in done.err
