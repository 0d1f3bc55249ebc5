"""What workers say of themselves."""

import pytest

from parlour.loadtest.server import compared, parse

TEXT = """# HELP parlour_worker Statistics of the media workers.
parlour_worker{figure="rooms",worker="7-ab"} 1.0
parlour_worker{figure="uptime_seconds",worker="7-ab"} 100.0
parlour_worker{figure="cpu_seconds",worker="7-ab"} 40.0
parlour_worker{figure="load_percent",worker="7-ab"} NaN-ish
parlour_bus{figure="connected"} 1.0
"""


def test_figures_are_read_and_nonsense_is_left_out() -> None:
    assert parse(TEXT) == {"7-ab": {"rooms": 1.0, "uptime_seconds": 100.0, "cpu_seconds": 40.0}}
    assert parse("") == {}


def test_a_worker_over_a_time() -> None:
    before = {"7-ab": {"rooms": 1.0, "uptime_seconds": 100.0, "cpu_seconds": 40.0, "sound_ticks": 1000.0}}
    after = {
        "7-ab": {
            "rooms": 1.0, "uptime_seconds": 110.0, "cpu_seconds": 45.0, "picture_encode_seconds": 2.0,
            "sound_ticks": 1490.0, "sound_missed": 10.0, "load_percent": 25.0, "relief": 2.0,
        },
        "8-cd": {"rooms": 1.0, "uptime_seconds": 1.0},
    }  # fmt: skip
    (found,) = compared(before, after)
    assert (found.worker, found.cores, found.load_percent, found.relief) == ("7-ab", 0.5, 25.0, 2)
    assert found.parts["encode"] == pytest.approx(0.2)
    assert found.late_sound == pytest.approx(0.02)
    assert compared(before, {"7-ab": {**after["7-ab"], "rooms": 0.0}}) == []
    assert compared({}, after) == []
    assert compared(after, after) == []
