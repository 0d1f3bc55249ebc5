"""Where the figures of live rooms are kept: the raw data, the plot, and the tables in ``docs/performance.md``."""

import re
import subprocess
from pathlib import Path
from typing import Final

import msgspec

from benchmarks import room_report
from benchmarks.plot import Series, stacked
from benchmarks.room_results import PARTS, Results
from parlour.media.video.codec import VideoCodec

DOCS: Final = Path(__file__).parents[1] / "docs"
PAGE: Final = DOCS / "performance.md"
DATA: Final = DOCS / "data" / "room.json"
PLOT: Final = DOCS / "images" / "room-cost.svg"

_REGION = re.compile(r"(<!-- room figures: begin -->\n).*?(<!-- room figures: end -->)", re.DOTALL)


def commit() -> str:
    """The commit that is measured, marked where the files are not the commit's."""
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=10"],
        cwd=DOCS,
        capture_output=True,
        text=True,
        check=False,
    )
    return said.stdout.strip() or "unknown"


def save(results: Results, path: Path) -> None:
    """Write every figure as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")


def read(path: Path) -> Results:
    """What ``save`` wrote."""
    return msgspec.json.decode(path.read_bytes(), type=Results)


def write(results: Results, page: Path = PAGE, data: Path = DATA, plot: Path = PLOT) -> None:
    """Renew data, plot and tables."""
    save(results, data)
    plot.write_text(drawn(results))
    text = page.read_text()
    new, count = _REGION.subn(lambda found: f"{found[1]}{markdown(results)}\n{found[2]}", text)
    if count != 1:
        raise ValueError(f"{page} has no place for the figures")
    page.write_text(new)


def markdown(results: Results) -> str:
    """The figures for the page."""
    blocks = [room_report.about(results)]
    for title, headings, lines in room_report.sections(results):
        if lines:
            table = [f"| {' | '.join(headings)} |", "|" + " --- |" * len(headings)]
            blocks += [f"**{title}**", "\n".join([*table, *(f"| {' | '.join(line)} |" for line in lines)])]
    return "\n" + "\n\n".join(blocks) + "\n"


def drawn(results: Results) -> str:
    """The plot: the parts of the cost over members for H.264, and the floor in real time."""
    found = [one for one in results.conversations if one.codec is VideoCodec.H264] or results.conversations
    members = [one.members for one in found]
    series = [Series(part, [one.parts[part] * 100 for one in found]) for part in PARTS]
    floor = Series("floor", [sum(one.paced.values()) * 100 for one in found])
    return stacked(members, series, floor, title="What a room costs", across="members", up="% of one core of a worker")
