"""Whether a server carries what was asked of it."""

from dataclasses import replace

import pytest

from parlour.loadtest.reception import Counts
from parlour.loadtest.report import LossReport, MemberReport, PictureReport, Report, Spread
from parlour.loadtest.server import WorkerReport
from parlour.loadtest.verdict import complaints

MEMBER = MemberReport("m", True, 20.0, 90.0, 29.9, 50.0, 0.0, 1.0, 1.0, "", Counts())
PICTURE = PictureReport("m", 1280, 720, 300, 0, 30.0, Spread(300, 25.0, 40.0, 60.0), 0.001, Spread(), 70.0, 0.99)
LOSING = LossReport(0.1, 5.0, 60, 50, 50, 0, 60, 0, Spread(50, 20.0, 40.0, 60.0), 150, 29.9, 70.0, 35.0, [(1280, 720)])
WORKER = WorkerReport("1-a", 0.5, {}, 40.0, 0, 0.0, 0.0)


def report(**changes: object) -> Report:
    """Three in a room that runs well."""
    fine = Report({}, joined=Spread(3, 90.0, 120.0, 130.0), members=[MEMBER] * 3, picture=PICTURE, server=[WORKER])
    fine.losses = [LOSING]
    return replace(fine, **changes)  # type: ignore[arg-type]  # each test knows what it changes


def test_a_room_that_runs_well_is_carried() -> None:
    assert complaints(report()) == []
    twenty = [replace(MEMBER, fps=19.8)] * 3
    picture = replace(PICTURE, fps=19.9)
    assert complaints(report(members=twenty, picture=picture)) == [], "a room may have 20 pictures a second"
    watchers = [replace(MEMBER, sends=False, fps=6.0)] * 3
    picture = replace(PICTURE, fps=6.0, age=Spread(), older=None, legible=None)
    assert complaints(report(members=watchers, picture=picture)) == [], "where nobody sends, nobody is seen"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"refused": ["the room is full"]}, "1 did not get in"),
        ({"members": [MEMBER, MEMBER, replace(MEMBER, ended="the room moved")]}, "put out again: the room moved"),
        ({"members": [MEMBER, MEMBER, replace(MEMBER, fps=12.0)]}, "as few as 12.0 pictures a second instead of 30"),
        ({"members": [replace(MEMBER, fps=24.0)] * 3}, "as few as 24.0 pictures a second instead of 30"),
        ({"members": [MEMBER, replace(MEMBER, loss=0.02)]}, "up to 2.0%"),
        ({"members": [MEMBER, replace(MEMBER, sound=0.0)]}, "as few as 0.0 packets of sound a second instead of 50"),
        ({"picture": None}, "nobody could look"),
        ({"picture": replace(PICTURE, fps=0.0, pictures=0)}, "of 29.9 pictures a second that came, 0.0 could be"),
        ({"picture": replace(PICTURE, fps=12.0)}, "12.0 could be decoded"),
        ({"picture": replace(PICTURE, age=Spread(), older=None, legible=0.0)}, "no camera could be made out"),
        ({"losses": [LOSING, replace(LOSING, whole_ms=None)]}, "after losing 10% the picture was not whole again"),
        ({"picture": replace(PICTURE, age=Spread(9, 100.0, 400.0, 500.0))}, "400 ms old"),
        ({"picture": replace(PICTURE, age=Spread(), older=1.0)}, "100% of the picture was more than 2 s old"),
        ({"joined": Spread(3, 100.0, 4000.0, 5000.0)}, "joining took 4.0 s"),
        ({"server": [replace(WORKER, late_sound=0.05)]}, "5.0% of the sound came late"),
        ({"server": [replace(WORKER, relief=3)]}, "the picture has half its rate (step 3 of 5)"),
        ({"server": [replace(WORKER, relief=9)]}, "this version does not know (step 9 of 5)"),
        (
            {"members": [replace(MEMBER, fps=19.8)] * 3, "server": [replace(WORKER, missed_pictures=0.34)]},
            "34% of the pictures were left out",
        ),
    ],
)
def test_what_people_would_notice_is_told(changes: dict[str, object], words: str) -> None:
    (found,) = complaints(report(**changes))
    assert words in found
