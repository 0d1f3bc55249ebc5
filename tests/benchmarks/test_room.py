"""The figures of live rooms: what follows from what was measured, and what is written."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from benchmarks.crowd import QUANTILES, Report, Window, thinned
from benchmarks.fanout import FanOut, measure
from benchmarks.plot import Series, stacked, step_for
from benchmarks.room_results import PARTS, Conversation, Given, Results

from benchmarks import room_document, room_report
from parlour.loadtest.server import PARTS as FIGURES
from parlour.media.video.codec import VideoCodec

SECONDS = 8.0
FLOOR = dict.fromkeys(PARTS[:-1], 0.05)


def conversation(members: int = 16, told: dict[str, float] | None = None) -> Conversation:
    """A room whose worker took half a core: a tenth of that for each part but the rest."""
    figures = dict.fromkeys(FIGURES.values(), 0.4) | {
        "cpu_seconds": 4.0, "picture_ticks": 240, "picture_encoded": 240, "sound_ticks": 400, "sound_encoded": 1600,
    }  # fmt: skip
    window = Window(members, SECONDS, 4.0, video_out=8000, audio_out=800, worker=figures | (told or {}))
    report = Report([window], joins=[40.0], ages=[20.0], pictures=240, ticks=240)
    return Conversation(VideoCodec.H264, members, members, 3, report, FLOOR, FLOOR)


def test_the_parts_are_all_that_the_worker_took() -> None:
    found = conversation()
    assert found.cpu == pytest.approx(0.5)
    assert sum(found.parts.values()) == pytest.approx(0.5)
    assert found.parts["encode"] == pytest.approx(0.05)
    assert found.parts["rest"] == pytest.approx(0.15)
    assert found.out_a_core == pytest.approx(8800 / 0.4)


def test_the_ratio_is_to_the_floor_and_pictures_left_out_need_not_be_made() -> None:
    found = conversation()
    assert found.ratio == pytest.approx(0.5 / 0.35)
    found.report.pictures = 200
    assert found.fps == pytest.approx(25)
    assert found.ratio_paced == pytest.approx(0.5 / (0.2 + 0.15 * 25 / 30))


def test_late_sound_counts_what_was_left_out_as_well() -> None:
    assert conversation(told={"sound_late": 1, "sound_missed": 1}).late_sound == pytest.approx(2 / 401)
    assert conversation().late_sound == 0


@pytest.mark.parametrize(
    ("told", "complaints"),
    [
        ({}, 0),
        ({"sound_encoded": 1605}, 1),
        ({"picture_encoded": 242}, 1),
        ({"picture_renditions": 1}, 1),
        ({"picture_encoded": 241, "sound_encoded": 1604}, 0),
        ({"picture_encoded": 200, "sound_encoded": 400}, 0),
    ],
)
def test_an_encode_too_many_is_noticed(told: dict[str, float], complaints: int) -> None:
    assert len(room_report.broken(Results([conversation(told=told)]))) == complaints


def test_targets_say_what_is_met() -> None:
    windows = {members: Window(members, SECONDS, SECONDS / 2) for members in (9, 16)}
    given = [
        Given(VideoCodec.VP8, members, (640, 360), Report([window], pictures=240, ticks=240), FLOOR)
        for members, window in windows.items()
    ]
    results = Results([conversation()], given, fan_outs=[FanOut(300, 70.0, 1.0, 1.0, 100.0, 200.0)])
    found = {line[0]: line[-1] for line in room_report.targets(results)}
    assert found["fan-out to 300"] == "met"
    assert found["CPU of 16, H264"] == "missed"
    assert (found["9 of 640×360, VP8"], found["16 of 640×360, VP8"]) == ("missed", "met")
    assert found["picture through the mixer, median"] == "met"
    assert room_report.given(results)[0][3:] == ["50.0%", "35.0%", "1.43", "80%", "0.62"]


def test_data_plot_and_tables_are_written_and_can_be_read_again(tmp_path: Path) -> None:
    page, data, plot = tmp_path / "page.md", tmp_path / "data" / "room.json", tmp_path / "plot.svg"
    page.write_text("before\n<!-- room figures: begin -->\nold\n<!-- room figures: end -->\nafter\n")
    results = Results([conversation(4), conversation(16)], machine="a machine", commit="abc")
    room_document.write(results, page, data, plot)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("<!-- room figures: end -->\nafter\n")
    assert "| H264 | 16 | 50.0% |" in text
    assert "old" not in text
    assert room_document.read(data) == results
    assert ElementTree.parse(plot).getroot().tag.endswith("svg")  # noqa: S314 - our own
    page.write_text("no place")
    with pytest.raises(ValueError, match="no place for the figures"):
        room_document.write(results, page, data, plot)


def test_the_page_has_a_place_for_the_figures(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(room_document.PAGE.read_text())
    room_document.write(Results([conversation()]), page, tmp_path / "data.json", tmp_path / "plot.svg")
    assert "| H264 | 16 | 50.0% |" in page.read_text()


def test_a_plot_of_one_point_and_of_none_of_the_cost() -> None:
    assert "NaN" not in stacked([1], [Series("a", [0.0])], Series("floor", [0.0]), title="<", across="x", up="y")
    assert [step_for(value) for value in (0.7, 7, 35, 160)] == [0.1, 1, 5, 20]


def test_many_values_become_quantiles_with_both_ends() -> None:
    assert thinned([0.001, 0.002]) == [1.0, 2.0]
    many = thinned([number / 1000 for number in range(10_000)])
    assert (len(many), many[0], many[-1]) == (QUANTILES, 0.0, 9999.0)


@pytest.mark.slow
def test_the_fan_out_is_measured_in_every_way_there_is() -> None:
    found = measure(3, rounds=1)
    assert min(found.legs, found.bare, found.bare_cut) > 0
    if found.in_c is not None and found.in_c_cut is not None:
        assert found.share == pytest.approx(found.legs / found.in_c)
