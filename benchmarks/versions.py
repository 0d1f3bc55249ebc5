"""Two versions of a worker at once, each with a room and a crowd of its own, so that the machine's moods meet both.

``python -m benchmarks.versions ../before`` takes the ``src`` of another checkout and compares it with this one's. How
fast a shared machine is changes by a quarter from one minute to the next, but hardly between two that run beside each
other: what a room takes then differs by a few tenths of a percent of a core from turn to turn.
"""

import argparse
import asyncio
import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.room import MEMBERS, bench
from benchmarks.room_results import PARTS
from parlour.media.video.codec import VideoCodec

HERE = Path(__file__).resolve().parents[1]
Shares = Mapping[str, float]
"""Parts of a core, by name, and ``all``."""


class Difference(NamedTuple):
    """Of a part of the work, in parts of a core: the middle of each version, of their differences, and the extremes."""

    before: float
    after: float
    middle: float
    least: float
    most: float


def differences(turns: Sequence[tuple[Shares, Shares]]) -> dict[str, Difference]:
    """What turns of before and after say of each part."""
    found = {}
    for name in turns[0][0]:
        changes = [after[name] - before[name] for before, after in turns]
        found[name] = Difference(
            statistics.median(before[name] for before, _ in turns),
            statistics.median(after[name] for _, after in turns),
            statistics.median(changes),
            min(changes),
            max(changes),
        )
    return found


async def one(asked: argparse.Namespace) -> Shares:
    """What the worker of this process's version takes for a room."""
    async with bench(asked) as alone:
        found = await alone.room(asked.codec, asked.members)
    return {"all": found.cpu, **{part: found.parts[part] for part in PARTS}}


async def measure(source: Path) -> Shares:
    """The same in a process of its own, with this ``src``."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.versions", *sys.argv[1:], "--one",
        env=os.environ | {"PYTHONPATH": f"{source}{os.pathsep}{HERE}"}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    if process.returncode:
        sys.exit(f"the room of {source} could not be measured")
    return msgspec.json.decode(out, type=dict[str, float])


async def compare(asked: argparse.Namespace, console: Console) -> list[tuple[Shares, Shares]]:
    """Turns of both at once."""
    turns = []
    for turn in range(asked.turns):
        before, after = await asyncio.gather(measure(asked.other / "src"), measure(HERE / "src"))
        turns.append((before, after))
        console.print(f"{turn + 1} of {asked.turns}: {before['all']:.1%} before, {after['all']:.1%} after")
    return turns


def show(found: Mapping[str, Difference]) -> Table:
    """A line for each part."""
    table = Table("% of a core", "before", "after", "difference", "from", "to", title="Two versions at once")
    for name, difference in found.items():
        shares = [f"{100 * share:.2f}" for share in (difference.before, difference.after)]
        changes = [f"{100 * change:+.2f}" for change in (difference.middle, difference.least, difference.most)]
        table.add_row(name, *shares, *changes)
    return table


def main() -> None:
    """Compare."""
    said = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.versions", description=said)
    parser.add_argument("other", type=Path, help="folder of the checkout to compare with")
    parser.add_argument("--codec", type=VideoCodec, choices=list(VideoCodec), default=VideoCodec.H264)
    parser.add_argument("--members", type=int, choices=MEMBERS, default=16)
    parser.add_argument("--seconds", type=float, default=8.0, help="measured seconds of a turn (8)")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    asked.quick = False
    if asked.one:
        sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(one(asked))))
        return
    if not (asked.other / "src" / "parlour").is_dir():
        sys.exit(f"{asked.other} is no checkout: it has no src/parlour")
    turns = asyncio.run(compare(asked, Console(stderr=True)))
    Console().print(show(differences(turns)))


if __name__ == "__main__":
    main()
