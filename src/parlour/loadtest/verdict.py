"""Whether a server carries what was asked of it: what people would notice, and nothing else."""

from typing import Final

from parlour.loadtest.eye import LATEST
from parlour.loadtest.report import Report

RATE: Final = 0.95
"""The part of its frame rate that a picture must have."""
RATES: Final = (20.0, 30.0)
"""Frame rates of rooms; what lies between is the higher one that is missed."""
LOSS_MAX: Final = 0.005
AGE_MS_MAX: Final = 250.0
OLDER_MAX: Final = 0.05
"""The part of what is read that may be too old to be told from what is sent now; a number is read wrongly at times."""
MISSED_MAX: Final = 0.05
"""The part of its pictures that a worker may leave out."""
JOIN_MS_MAX: Final = 3000.0
LATE_MAX: Final = 0.01


def complaints(report: Report) -> list[str]:
    """What people would notice, in a sentence each; empty where the server carries it all."""
    return [*_of_members(report), *_of_times(report), *_of_workers(report)]


def _of_members(report: Report) -> list[str]:
    found = []
    if report.refused:
        found.append(f"{len(report.refused)} did not get in")
    ended = [member for member in report.members if member.ended]
    if ended:
        found.append(f"{len(ended)} were put out again: {ended[0].ended}")
    staying = [member for member in report.members if not member.ended]
    rates = sorted(member.fps for member in staying)
    if rates:
        due = _due(rates[len(rates) // 2])
        slow = [rate for rate in rates if rate < due * RATE]
        if slow:
            found.append(f"{len(slow)} got as few as {slow[0]:.1f} pictures a second instead of {due:.0f}")
    lossy = [member.loss for member in staying if member.loss > LOSS_MAX]
    if lossy:
        found.append(f"{len(lossy)} lost packets for good, up to {max(lossy):.1%}")
    return found


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
            found.append(f"the server went without something to keep up (step {worker.relief})")
    return found


def _due(middle: float) -> float:
    """The frame rate that a room has in which members get so many pictures a second in the middle."""
    return next((rate for rate in RATES if middle <= rate + 1), RATES[-1])
