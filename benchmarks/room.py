"""How much a live room costs, where the time goes, and how fast it is: a worker against its own native calls.

``python -m benchmarks.room`` starts a private bus and, for each room, a fresh worker and a crowd in a process of its
own. ``docs/performance.md`` says what is measured and what came out; ``--write`` puts it there.
"""

import argparse
import asyncio
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from benchmarks import bare, crowd, fanout, room_document, room_report, room_results
from benchmarks.content import FPS, Content, make_content, save
from benchmarks.crowd import Order, Report
from benchmarks.report import machine
from benchmarks.room_results import PARTS, Audience, Conversation, Given, Results
from parlour.bus.embedded import private_server
from parlour.domain.room import Layout
from parlour.media.video.codec import VideoCodec

MEMBERS = (1, 4, 9, 16, 25, 49, 100, 300)
SENDERS_OF = {300: 25}
"""How many of the members send, where it is not all of them; the others watch and hear."""
LAYOUT_OF = {300: Layout.FIVE_BY_FIVE}
CODECS_OF = {VideoCodec.H264: MEMBERS, VideoCodec.VP8: (1, 4, 9, 16)}
GIVEN = {1: (1280, 720), 4: (1280, 720), 9: (640, 360), 16: (640, 360)}
"""Rooms in which everybody sends pictures of this size, by members; see ``room_report.OTHERS``."""
SPEAKERS = 3
WATCHERS = 32
ATTEMPTS = 2
"""How often a room is measured at most, where other work on the machine kept the worker from its time."""
AGAIN_UNTIL_S = 60.0
"""Later than this into a run nothing is measured again, so that it comes to an end."""
SLACK_S = 90.0
STOP_S = 10.0


class CrowdError(Exception):
    """A crowd could not do what it was told to."""


console = Console(stderr=True, soft_wrap=True)


class Bench:
    """One run: the bus, the folder of its files, what it was asked for, and what it found."""

    def __init__(self, asked: argparse.Namespace, folder: Path, nats_url: str) -> None:
        self.results = Results()
        self._asked, self._folder, self._nats_url = asked, folder, nats_url
        self._began = time.monotonic()

    async def run(self) -> Results:
        """Measure everything that was asked for."""
        results, busy, own = self.results, crowd.machine_busy(), os.times()
        results.machine, results.commit = machine(), await asyncio.to_thread(room_document.commit)
        results.command = " ".join(["python -m benchmarks.room", *sys.argv[1:]])
        for codec in self._asked.codecs:
            for members in self._asked.members:
                if members in CODECS_OF[codec]:
                    await self._try(f"{codec} {members}", self._conversation(codec, members))
        if not self._asked.rooms_only:
            for members, size in GIVEN.items():
                await self._try(f"{members} of {size[0]}×{size[1]}", self._given(members, size))
            await self._try("beeps", self._beeps())
            for codec in self._asked.codecs:
                await self._try(f"{codec}, listeners", self._audience(codec))
            results.fan_outs = [await asyncio.to_thread(fanout.measure, receivers) for receivers in (30, 300)]
        after = os.times()
        ours = sum(after[:4]) - sum(own[:4])  # the workers and crowds are waited for: they count as children
        results.seconds = time.monotonic() - self._began
        results.other_work = (crowd.machine_busy() - busy - ours) / results.seconds / (os.cpu_count() or 1)
        return results

    async def room(self, codec: VideoCodec, members: int) -> Conversation:
        """A room without its floor."""
        _, order = await self._talk(codec, members)
        return Conversation(codec, members, order.senders, order.speakers, await self._room(order))

    async def _try(self, name: str, measuring: Awaitable[None]) -> None:
        """Measure something; where the machine is too small or too busy for it, go on with the rest."""
        try:
            await measuring
        except (CrowdError, TimeoutError) as problem:
            reason = str(problem) or "it took too long"
            self.results.failed.append(f"{name}: {reason}")
            console.print(f"{name} could not be measured: {reason}")

    async def _conversation(self, codec: VideoCodec, members: int) -> None:
        content, order = await self._talk(codec, members)
        senders, speakers = order.senders, order.speakers
        for attempt in range(ATTEMPTS):
            warm = [await self._floor(content, senders, speakers)]
            found = Conversation(codec, members, senders, speakers, await self._room(order), attempts=attempt + 1)
            warm.append(await self._floor(content, senders, speakers))
            if found.held or self._asked.quick or time.monotonic() - self._began > AGAIN_UNTIL_S:
                break
            console.print(f"{codec} {members:>3}: {found.fps:.1f} pictures a second: the machine was too busy")
        paced = await asyncio.to_thread(self._paced_floor, content, senders, speakers)
        packets = await asyncio.to_thread(self._packets, content, found.report)
        found.floor = {name: statistics.mean(one[name] for one in warm) for name in warm[0]} | packets
        found.paced = paced | packets
        found.speeds = [await asyncio.to_thread(bare.speed) for _ in range(2)]
        self.results.conversations.append(found)
        parts = ", ".join(f"{name} {found.parts[name]:.1%}" for name in PARTS)
        console.print(
            f"{codec} {members:>3}: {found.cpu:.1%} of a core, {found.ratio_paced:.2f} of the floor in real time, "
            f"{found.ratio:.2f} of the floor without a pause, {found.fps:.1f} fps, "
            f"picture {room_results.middle(found.report.ages):.0f} ms old ({parts})"
        )

    async def _talk(self, codec: VideoCodec, members: int) -> tuple[Content, Order]:
        senders = SENDERS_OF.get(members, members)
        content, path = await self._content(codec, senders)
        order = self._order(
            codec, senders, path, watchers=members - senders, speakers=min(senders, SPEAKERS),
            layout=LAYOUT_OF.get(members, Layout.GRID_RESPONSIVE),
        )  # fmt: skip
        return content, order

    async def _given(self, members: int, size: tuple[int, int]) -> None:
        content, path = await self._content(VideoCodec.VP8, members, size)
        speakers = min(members, SPEAKERS)
        report = await self._room(self._order(VideoCodec.VP8, members, path, speakers=speakers))
        paced = await asyncio.to_thread(self._paced_floor, content, members, speakers)
        packets = await asyncio.to_thread(self._packets, content, report)
        found = Given(VideoCodec.VP8, members, size, report, paced | packets)
        self.results.given.append(found)
        console.print(
            f"{VideoCodec.VP8} {members:>3} of {size[0]}×{size[1]}: {found.cpu:.1%} of a core, "
            f"{found.cpu / found.floor:.2f} of the floor in real time"
        )

    async def _beeps(self) -> None:
        people = 4 if self._asked.quick else 9
        _, path = await self._content(VideoCodec.VP8, people)
        seconds = 4.0 if self._asked.quick else 25.0
        order = self._order(VideoCodec.VP8, people, path, beeps=True, seconds=seconds)
        self.results.beeps = await self._room(order)
        console.print(f"beeps: {room_results.middle(self.results.beeps.beeps):.0f} ms")

    async def _audience(self, codec: VideoCodec) -> None:
        _, path = await self._content(codec, 1)
        turns = 1 if self._asked.quick else 2
        seconds = min(self._asked.seconds, 4.0)
        order = self._order(codec, 1, path, watchers=WATCHERS, turns=turns, seconds=seconds, layout=Layout.ONE_BY_ONE)
        found = Audience(codec, await self._room(order))
        window = found.report.windows[1]
        size = window.octets_out // max(1, window.video_out + window.audio_out)
        costs = await asyncio.to_thread(bare.packets, size, 130, size)
        found.floor = costs.video_out
        self.results.audiences.append(found)
        console.print(
            f"{codec}: the next listener {found.listener:.2%} of a core, {found.cost:.1f} µs a packet, "
            f"bare {found.floor:.1f}"
        )

    def _order(self, codec: VideoCodec, senders: int, content: Path, **more: Any) -> Order:
        settle = 1.0 if self._asked.quick or "turns" in more else 3.0
        told = {"seconds": self._asked.seconds, "settle": settle, **more}
        return Order(self._nats_url, 0, str(content), codec, senders, **told)

    async def _content(
        self, codec: VideoCodec, people: int, size: tuple[int, int] | None = None
    ) -> tuple[Content, Path]:
        path = self._folder / f"{codec}-{people}-{size}"
        content = await asyncio.to_thread(make_content, codec, people, size)
        save(content, path)
        return content, path

    async def _floor(self, content: Content, senders: int, speakers: int) -> dict[str, float]:
        count = 30 if self._asked.quick or senders > crowd.LARGE else 90

        def measure() -> dict[str, float]:
            return bare.pictures(content.film, senders, count)._asdict() | {
                "audio": bare.sound(content, speakers, count)
            }

        return await asyncio.to_thread(measure)

    def _paced_floor(self, content: Content, senders: int, speakers: int) -> dict[str, float]:
        count = 30 if self._asked.quick else 90
        pictures = bare.pictures(content.film, senders, count, paced=True)
        return pictures._asdict() | {"audio": bare.sound(content, speakers, count, paced=True)}

    def _packets(self, content: Content, report: Report) -> dict[str, float]:
        """What the packets of that room cost in bare calls."""
        window = report.windows[0]
        size = max(400, window.octets_out // max(1, window.video_out + window.audio_out))
        inbound = round(content.film.bitrate / 8 / FPS / statistics.mean(map(len, content.film.payloads))) + 28
        costs = bare.packets(size, 130, min(1240, inbound))
        out = window.video_out * costs.video_out + window.audio_out * costs.audio_out
        return {"in": window.packets_in * costs.inbound / window.wall / 1e6, "out": out / window.wall / 1e6}

    async def _room(self, order: Order) -> Report:
        """A crowd in a room on a fresh worker."""
        async with _worker(self._nats_url, self._folder) as pid:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "benchmarks.crowd",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            told = msgspec.json.encode(replace(order, worker_pid=pid))
            try:
                async with asyncio.timeout(SLACK_S + (2 * order.turns + 1) * (order.seconds + order.settle)):
                    out, complaints = await process.communicate(told)
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
            if process.returncode:
                raise CrowdError(complaints.decode(errors="replace").strip().rpartition("\n")[2] or "the crowd gave up")
            return msgspec.json.decode(out, type=Report)


@asynccontextmanager
async def _worker(nats_url: str, folder: Path) -> AsyncIterator[int]:
    """``parlour worker`` on loopback with its defaults, but that it never goes without anything; its process id."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PARLOUR_")}
    environment |= {
        "PARLOUR_NATS_URL": nats_url,
        "PARLOUR_MEDIA_HOST": "127.0.0.1",
        "PARLOUR_DATA_DIR": str(folder / "data"),
        "PARLOUR_LOG_LEVEL": "warning",
        "PARLOUR_RELIEF": "0",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "parlour", "worker", env=environment, stdin=asyncio.subprocess.DEVNULL
    )
    try:
        yield process.pid
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def read_arguments() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.room", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--codecs", nargs="+", type=VideoCodec, choices=list(VideoCodec), default=list(VideoCodec))
    parser.add_argument("--members", nargs="+", type=int, choices=MEMBERS, default=MEMBERS)
    parser.add_argument("--seconds", type=float, default=8.0, help="measured seconds of a room (8)")
    parser.add_argument("--rooms-only", action="store_true", help="leave out beeps, audiences and the fan-out")
    parser.add_argument("--quick", action="store_true", help="three seconds a room: only to see that it runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    parser.add_argument("--from", dest="source", type=Path, metavar="FILE", help="show what --json or --write wrote")
    parser.add_argument("--write", action="store_true", help="renew the data, the plot and the tables in docs/")
    asked = parser.parse_args()
    if asked.quick:
        asked.seconds = 3.0
    return asked


@asynccontextmanager
async def bench(asked: argparse.Namespace) -> AsyncIterator[Bench]:
    """A run on a bus and in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="parlour-bench-") as name:
        async with private_server(Path(name) / "nats") as nats_url:
            yield Bench(asked, Path(name), nats_url)


async def measure(asked: argparse.Namespace) -> Results:
    """Run everything."""
    async with bench(asked) as everything:
        return await everything.run()


def main() -> None:
    """Measure and show."""
    asked = read_arguments()
    results = room_document.read(asked.source) if asked.source else asyncio.run(measure(asked))
    if asked.json:
        room_document.save(results, asked.json)
    if asked.write:
        room_document.write(results)
    output = Console(width=None if sys.stdout.isatty() else 160)
    output.print(room_report.about(results), soft_wrap=True)
    for table in room_report.tables(results):
        output.print(table)
    if broken := room_report.broken(results):
        sys.exit("\n".join(broken))


if __name__ == "__main__":
    main()
