"""Whether a server grows or leaves anything behind: people come and go for half an hour, and it is looked at.

    python -m benchmarks.soak [--minutes 30] [--every 3]

``parlour serve`` with one worker, and 20 members over the real signalling, in H.264 and VP8. Every few seconds one goes
and another comes; some vanish without a word. The resident memory of front and worker must not grow by more than 1 MB
in 10 minutes once warm; and when everybody has left there must be as many tasks and file descriptors as before. Ends
with 1 where that is not so.
"""

import argparse
import asyncio
import contextlib
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import uvloop
from tests.cluster.conftest import figures, until
from tests.support.caller import invite, make_room
from tests.support.server import RunningServer, serving

from parlour.loadtest.content import make_film, make_sounds
from parlour.loadtest.crowd import Crowd
from parlour.loadtest.signalling import Caller, NotIn
from parlour.media.video.codec import VideoCodec

MEMBERS: Final = 20
WATCHING: Final = 3
"""Every so many-th member only receives."""
VP8: Final = 4
"""Every so many-th member is one of VP8."""
VANISHING: Final = 4
"""Every so many-th who goes says nothing."""
CHANGE_S: Final = 3.0
"""Seconds from one change to the next, unless it is told otherwise."""
SAMPLE_S: Final = 5.0
WARM: Final = 1 / 3
"""The part of the time, at the beginning, in which a server fills what it fills once."""
GROWTH_MAX: Final = 1.0
"""Megabytes in ten minutes."""
REHEARSAL_S: Final = 20.0
EMPTY_S: Final = 120.0
LOOKS: Final = 5
LOOK_S: Final = 3.0
GRACE_S: Final = 5
LOSS: Final = 0.3
SEED: Final = 5


@dataclass(frozen=True, slots=True)
class Belongings:
    """What a process has: ``tasks`` of its event loop, ``threads``, of which a pool keeps some that it once needed, and
    what each file descriptor leads to."""

    tasks: int
    threads: int
    descriptors: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.tasks} tasks, {self.threads} threads, {len(self.descriptors)} file descriptors"


@dataclass(slots=True)
class Course:
    """What was seen of one process: minutes, and resident megabytes at each; before anybody came and after all left."""

    minutes: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)
    before: Belongings = Belongings(0, 0, ())
    after: Belongings = Belongings(0, 0, ())

    @property
    def growth(self) -> float:
        """Megabytes in ten minutes, by a straight line through what came after the warm-up."""
        return growth(self.minutes, self.megabytes)


@dataclass(slots=True)
class Soak:
    """What was found."""

    courses: dict[str, Course] = field(default_factory=dict)
    came: int = 0
    went: int = 0
    vanished: int = 0
    refused: list[str] = field(default_factory=list)

    @property
    def complaints(self) -> list[str]:
        """What is not as it has to be."""
        found = [f"somebody did not get in: {reason}" for reason in self.refused]
        for name, course in self.courses.items():
            if course.growth > GROWTH_MAX:
                found.append(f"the {name} grows by {course.growth:.2f} MB in 10 minutes")
            if (left := course.after.tasks - course.before.tasks) > 0:
                found.append(f"the {name} has more tasks than before: {left}")
            if new := Counter(course.after.descriptors) - Counter(course.before.descriptors):
                found.append(f"the {name} has more file descriptors than before: {', '.join(new.elements())}")
        return found


def growth(minutes: Sequence[float], megabytes: Sequence[float]) -> float:
    """The slope of a straight line through the values that came after the warm-up, megabytes in ten minutes."""
    if len(minutes) < 3:
        return 0.0
    start = minutes[0] + (minutes[-1] - minutes[0]) * WARM
    chosen = [index for index, minute in enumerate(minutes) if minute >= start]
    slope, _ = np.polyfit([minutes[index] for index in chosen], [megabytes[index] for index in chosen], 1)
    return float(slope) * 10


def descriptors(pid: int) -> tuple[str, ...]:
    """What a process's file descriptors lead to, without the numbers of sockets and pipes."""
    found = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            found.append(re.sub(r":\[\d+\]$", "", str(entry.readlink())))
    return tuple(sorted(found))


def least(looks: Sequence[Belongings]) -> Belongings:
    """The least of each kind that was seen."""
    return Belongings(
        min(look.tasks for look in looks),
        min(look.threads for look in looks),
        min((look.descriptors for look in looks), key=len),
    )


class Visitors:
    """Who is in, and who comes and goes."""

    def __init__(self, server: RunningServer, found: Soak, every: float) -> None:
        """``every`` is in seconds: so often one goes and another comes."""
        self.found = found
        self._server = server
        self._every = every
        self._to = make_room(server, max_members=MEMBERS + 10)
        self._token = invite(server, self._to)
        self._chance = random.Random(SEED)  # noqa: S311 - the same course each time
        sounds = make_sounds()
        self._crowds = {
            codec: Crowd(codec, make_film(codec, 320, 180, 300_000), sounds, own=None) for codec in VideoCodec
        }
        self._number = 0

    @property
    def count(self) -> int:
        """How many are in."""
        return sum(len(crowd.guests) for crowd in self._crowds.values())

    @contextlib.asynccontextmanager
    async def driven(self) -> AsyncIterator[None]:
        """Everybody's media run for the length of a block."""
        running = [asyncio.create_task(crowd.engine.run()) for crowd in self._crowds.values()]
        try:
            yield
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def come(self) -> None:
        """One more."""
        self._number += 1
        crowd = self._crowds[VideoCodec.VP8 if self._number % VP8 == 0 else VideoCodec.H264]
        url = f"ws://localhost:{self._server.port}/"
        door = Caller(url, self._token, self._to, f"Visitor {self._number}")
        voice = self._number if self._number % 5 == 1 else None
        try:
            await crowd.join(door, sends=self._number % WATCHING != 0, voice=voice)
        except NotIn as problem:
            self.found.refused.append(str(problem))
        else:
            self.found.came += 1

    async def go(self) -> None:
        """One less, of a codec that another has too while there is one: with the last of them an encoder goes that is
        large beside what may grow."""
        shared = [crowd for crowd in self._crowds.values() if len(crowd.guests) > 1]
        crowds = shared or [crowd for crowd in self._crowds.values() if crowd.guests]
        crowd, guest = self._chance.choice([(crowd, guest) for crowd in crowds for guest in crowd.guests])
        self.found.went += 1
        if self.found.went % VANISHING == 0:
            self.found.vanished += 1
            await crowd.lose(guest)
        else:
            await crowd.leave(guest)

    async def fill(self) -> None:
        """Until all are in."""
        for _ in range(MEMBERS - self.count):
            await self.come()

    def lose(self, part: float) -> None:
        """Let everybody who is in now lose so much that only a smaller rendition gets through."""
        for crowd in self._crowds.values():
            for guest in crowd.guests:
                guest.member.peer.loses = lambda data: self._chance.random() < part

    async def empty(self) -> None:
        """Until nobody is."""
        while self.count:
            await self.go()

    async def change(self, seconds: float, look: "Watch | None" = None) -> None:
        """Let people come and go."""
        began = time.monotonic()
        changed = looked = 0
        while (passed := time.monotonic() - began) < seconds:
            if passed >= changed * self._every:
                changed += 1
                await self.go()
                await self.come()
            if look is not None and passed >= looked * SAMPLE_S:
                looked += 1
                look.sample(passed / 60)
            await asyncio.sleep(0.1)


class Watch:
    """Looks at the processes of a server."""

    def __init__(self, server: RunningServer, found: Soak) -> None:
        (worker,) = figures(server)
        self._server = server
        self._pids = {"front": server.process.pid, "worker": worker}
        self._found = found
        found.courses = {name: Course() for name in self._pids}

    def sample(self, minute: float) -> None:
        """Look at the memory."""
        for name, pid in self._pids.items():
            course = self._found.courses[name]
            course.minutes.append(round(minute, 3))
            status = Path(f"/proc/{pid}/status").read_text()
            course.megabytes.append(int(status.partition("VmRSS:")[2].split()[0]) / 1024)

    def figure(self, name: str) -> float:
        """What the worker says of itself."""
        return figures(self._server)[self._pids["worker"]].get(name, 0.0)

    def belongings(self) -> dict[str, Belongings]:
        """What each process has."""
        with self._server.client() as api:
            text = api.get("/metrics").text
        front = float(text.partition('parlour_loop{figure="tasks"} ')[2].split("\n")[0])
        tasks = {"front": front, "worker": figures(self._server)[self._pids["worker"]]["tasks"]}
        return {
            name: Belongings(
                int(tasks[name]),
                len(list(Path(f"/proc/{pid}/task").iterdir())),
                descriptors(pid),
            )
            for name, pid in self._pids.items()
        }

    async def settled(self) -> dict[str, Belongings]:
        """What each process has once the room is over and what was held for it is let go: the least of some looks."""
        give_up = time.monotonic() + EMPTY_S
        looks: list[dict[str, Belongings]] = []
        while len(looks) < LOOKS and time.monotonic() < give_up:
            worker = await asyncio.to_thread(figures, self._server)
            if not worker[self._pids["worker"]]["rooms"]:
                looks.append(await asyncio.to_thread(self.belongings))
            await asyncio.sleep(LOOK_S)
        if not looks:
            raise RuntimeError("the room is not over")
        return {name: least([look[name] for look in looks]) for name in self._pids}


async def soak(server: RunningServer, minutes: float, every: float) -> Soak:
    """Rehearse, so that what is made once is made, every rendition at last; then look."""
    found = Soak()
    await until(lambda: figures(server), EMPTY_S)
    watch, visitors = Watch(server, found), await asyncio.to_thread(Visitors, server, Soak(), every)
    async with visitors.driven():
        await visitors.fill()
        await visitors.change(min(REHEARSAL_S, minutes * 60))
        visitors.lose(LOSS)
        await until(lambda: watch.figure("picture_renditions_small") == len(VideoCodec), EMPTY_S)
        await visitors.empty()
        for name, belongings in (await watch.settled()).items():
            found.courses[name].before = belongings
        visitors.found = found
        await visitors.fill()
        print(f"{visitors.count} are in", file=sys.stderr)
        await visitors.change(minutes * 60, watch)
        await visitors.empty()
        for name, belongings in (await watch.settled()).items():
            found.courses[name].after = belongings
    return found


def main() -> None:
    """Soak, and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30.0, help="how long people come and go (30)")
    parser.add_argument("--every", type=float, default=CHANGE_S, help="seconds from one change to the next (3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="parlour-soak-") as folder:
        settings = {
            "PARLOUR_WORKERS": "1",
            "PARLOUR_MEDIA_HOST": "127.0.0.1",
            "PARLOUR_SEAT_GRACE": str(GRACE_S),
            "PARLOUR_LOG_LEVEL": "warning",
        }
        with serving(Path(folder), **settings) as server:
            found = uvloop.run(soak(server, asked.minutes, asked.every))
    if asked.json:
        asked.json.write_bytes(msgspec.json.encode(found))
    print(f"{asked.minutes:g} minutes: {found.came} came, {found.went} went, {found.vanished} of them without a word")
    for name, course in found.courses.items():
        if seen := course.megabytes:
            print(f"{name}: {seen[0]:.1f} to {seen[-1]:.1f} MB, {course.growth:+.2f} MB in 10 minutes once warm")
        print(f"  before {course.before}\n  after  {course.after}")
    if complaints := found.complaints:
        sys.exit("\n".join(complaints))
    print("Nothing grows, and nothing is left behind.")


if __name__ == "__main__":
    main()
