"""Whether a server carries what was asked of it: what people would notice, and nothing else."""

from collections.abc import Mapping, Sequence
from typing import Final

from parlour.domain.live.relief import Relief
from parlour.loadtest.eye import LATEST
from parlour.loadtest.report import MemberReport, Report

RATE: Final = 0.95
"""The part of its frame rate that a picture must have."""
RATES: Final = (20.0, 30.0)
"""Frame rates of rooms; what lies between is the higher one that is missed."""
SOUND: Final = 50.0
"""Packets of sound that everybody gets a second, also while nobody speaks."""
LOSS_MAX: Final = 0.005
AGE_MS_MAX: Final = 250.0
OLDER_MAX: Final = 0.05
"""The part of what is read that may be too old to be told from what is sent now; a number is read wrongly at times."""
MISSED_MAX: Final = 0.05
"""The part of its pictures that a worker may leave out."""
JOIN_MS_MAX: Final = 3000.0
LATE_MAX: Final = 0.01
WHOLE_S: Final = 8.0
"""How long a picture may take to be whole again after losses."""

GIVEN_UP: Final[Mapping[int, str]] = {
    Relief.SLOWER_SMALL_TILES: "small tiles move at half the rate",
    Relief.SMALLER_CAMERAS: "cameras are asked for less",
    Relief.SLOWER_PICTURE: "the picture has half its rate",
    Relief.NO_MORE_CAMERAS: "no more cameras are taken",
    Relief.NO_MORE_MEMBERS: "nobody new gets in",
}


def complaints(report: Report) -> list[str]:
    """What people would notice, in a sentence each; empty where the server carries it all."""
    return [*_of_members(report), *_of_picture(report), *_of_times(report), *_of_losses(report), *_of_workers(report)]


def _of_members(report: Report) -> list[str]:
    found = []
    if report.refused:
        found.append(f"{len(report.refused)} did not get in")
    ended = [member for member in report.members if member.ended]
    if ended:
        found.append(f"{len(ended)} were put out again: {ended[0].ended}")
    staying = [member for member in report.members if not member.ended]
    due = _due(_middle(staying)) if _moves(report) else 0.0
    slow = [member.fps for member in staying if member.fps < due * RATE]
    if slow:
        found.append(f"{len(slow)} got as few as {min(slow):.1f} pictures a second instead of {due:.0f}")
    quiet = [member.sound for member in staying if member.sound < SOUND * RATE]
    if quiet:
        found.append(f"{len(quiet)} got as few as {min(quiet):.1f} packets of sound a second instead of {SOUND:.0f}")
    lossy = [member.loss for member in staying if member.loss > LOSS_MAX]
    if lossy:
        found.append(f"{len(lossy)} lost packets for good, up to {max(lossy):.1%}")
    return found


def _of_picture(report: Report) -> list[str]:
    """Of what one member made of the packets that came."""
    picture = report.picture
    if picture is None:
        return ["nobody could look at the picture"] if report.members else []
    came = next((member.fps for member in report.members if member.member_id == picture.member_id), 0.0)
    if picture.fps < came * RATE:
        return [f"of {came:.1f} pictures a second that came, {picture.fps:.1f} could be decoded"]
    if not picture.legible and _moves(report):
        return ["no camera could be made out in the picture"]
    return []


def _of_losses(report: Report) -> list[str]:
    broken = [losing.loss for losing in report.losses if losing.whole_ms is None]
    return [f"after losing {loss:.0%} the picture was not whole again within {WHOLE_S:.0f} s" for loss in broken]


def _of_times(report: Report) -> list[str]:
    found, picture = [], report.picture
    if picture is not None and picture.age.p95 is not None and picture.age.p95 > AGE_MS_MAX:
        found.append(f"the picture was {picture.age.p95:.0f} ms old")
    if picture is not None and picture.older is not None and picture.older > OLDER_MAX:
        found.append(f"{picture.older:.0%} of the picture was more than {LATEST:.0f} s old")
    if report.joined.p95 is not None and report.joined.p95 > JOIN_MS_MAX:
        found.append(f"joining took {report.joined.p95 / 1000:.1f} s")
    return found


def _of_workers(report: Report) -> list[str]:
    found = []
    for worker in report.server:
        if worker.late_sound > LATE_MAX:
            found.append(f"{worker.late_sound:.1%} of the sound came late")
        if worker.missed_pictures > MISSED_MAX:
            found.append(f"{worker.missed_pictures:.0%} of the pictures were left out")
        if worker.relief:
            what = GIVEN_UP.get(worker.relief, "what this version does not know")
            found.append(f"to keep up, the server gives something up: {what} (step {worker.relief} of {len(GIVEN_UP)})")
    return found


def _moves(report: Report) -> bool:
    """Whether there is anything to be seen that moves; else a room makes few pictures."""
    return any(member.sends for member in report.members)


def _middle(members: Sequence[MemberReport]) -> float:
    """The pictures a second that members got, in the middle."""
    rates = sorted(member.fps for member in members)
    return rates[len(rates) // 2] if rates else 0.0


def _due(middle: float) -> float:
    """The frame rate that a room has in which members get so many pictures a second in the middle."""
    return next((rate for rate in RATES if middle <= rate + 1), RATES[-1])
