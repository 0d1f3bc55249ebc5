"""How much a live room costs, and how fast it is: a media worker against the floor of its own native calls.

``python -m benchmarks.room`` starts a private bus and, for each room, a fresh worker and a crowd in a process of its
own. ``docs/performance.md`` says what is measured and what came out.
"""

import argparse
import asyncio
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import orjson
from rich.console import Console

from benchmarks import bare, crowd, room_report
from benchmarks.content import FPS, Content, make_content, save
from benchmarks.crowd import Order, Report
from benchmarks.report import machine
from benchmarks.room_report import Audience, Conversation, Results
from parlour.bus.embedded import private_server
from parlour.domain.room import Layout
from parlour.media.video.codec import VideoCodec

PEOPLE = (1, 4, 9, 16)
SPEAKERS = 3
VIEWERS = 32
ATTEMPTS = 2
"""How often a room is measured at most, where other work on the machine kept the worker from its time."""
AGAIN_UNTIL_S = 60.0
"""Later than this into a run nothing is measured again, so that it comes to an end."""
SLACK_S = 90.0
STOP_S = 10.0

console = Console(stderr=True, soft_wrap=True)


class Bench:
    """One run: the bus, the folder of its files, what it was asked for, and what it found."""

    def __init__(self, asked: argparse.Namespace, folder: Path, nats_url: str) -> None:
        self.results = Results()
        self._asked, self._folder, self._nats_url = asked, folder, nats_url
        self._began = time.monotonic()

    async def run(self) -> Results:
        """Measure everything that was asked for."""
        busy = crowd.machine_busy()
        own = os.times()
        for codec in self._asked.codecs:
            for people in self._asked.people:
                await self._conversation(codec, people)
        if not self._asked.rooms_only:
            await self._beeps()
            for codec in self._asked.codecs:
                await self._audience(codec)
        after = os.times()
        ours = sum(after[:4]) - sum(own[:4])  # the workers and crowds are waited for: they count as children
        cores = os.cpu_count() or 1
        self.results.other_work = (crowd.machine_busy() - busy - ours) / (time.monotonic() - self._began) / cores
        self.results.seconds = time.monotonic() - self._began
        return self.results

    async def _conversation(self, codec: VideoCodec, people: int) -> None:
        content, path = await self._content(codec, people)
        speakers = min(people, SPEAKERS)
        order = self._order(codec, people, path, speakers=speakers)
        for attempt in range(ATTEMPTS):
            floors = [await self._floor(content, people, speakers)]
            found = Conversation(codec, people, await self._room(order), attempts=attempt + 1)
            floors.append(await self._floor(content, people, speakers))
            if found.held or self._asked.quick or time.monotonic() - self._began > AGAIN_UNTIL_S:
                break
            console.print(f"{codec} {people:>2}: {found.fps:.1f} pictures a second: the machine was too busy")
        found.paced_floor = await asyncio.to_thread(self._paced_floor, content, people, speakers)
        window = found.report.windows[0]
        found.decoding_floor = statistics.mean(floor[0] for floor in floors)
        found.making_floor = statistics.mean(floor[1] for floor in floors)
        found.sound_floor = statistics.mean(floor[2] for floor in floors)
        found.speeds = [floor[3] for floor in floors]
        size = max(400, window.octets_out // max(1, window.video_out + window.audio_out))
        inbound = round(content.film.bitrate / 8 / FPS / statistics.mean(map(len, content.film.payloads))) + 28
        costs = await asyncio.to_thread(bare.packets, size, 130, min(1240, inbound))
        found.packets_floor = (
            window.video_out * costs.video_out + window.audio_out * costs.audio_out + window.packets_in * costs.inbound
        ) / (window.wall * 1e6)
        self.results.conversations.append(found)
        console.print(
            f"{codec} {people:>2}: {found.cpu:.1%} of a core, {found.ratio:.2f} of the codecs' floor "
            f"({found.ratio_with_packets:.2f} with packets), flash {room_report.middle(found.report.flashes):.0f} ms"
        )

    async def _beeps(self) -> None:
        people = 4 if self._asked.quick else 9
        _, path = await self._content(VideoCodec.VP8, people)
        seconds = 4.0 if self._asked.quick else 25.0
        order = self._order(VideoCodec.VP8, people, path, beeps=True, seconds=seconds)
        self.results.beeps = await self._room(order)
        console.print(f"beeps: {room_report.middle(self.results.beeps.beeps):.0f} ms")

    async def _audience(self, codec: VideoCodec) -> None:
        _, path = await self._content(codec, 1)
        turns = 1 if self._asked.quick else 2
        seconds = min(self._asked.seconds, 4.0)
        order = self._order(codec, 1, path, viewers=VIEWERS, turns=turns, seconds=seconds, layout=Layout.ONE_BY_ONE)
        found = Audience(codec, await self._room(order))
        window = found.report.windows[1]
        size = window.octets_out // max(1, window.video_out + window.audio_out)
        costs = await asyncio.to_thread(bare.packets, size, 130, size)
        found.floor = costs.video_out
        self.results.audiences.append(found)
        console.print(f"{codec}: {found.cost:.1f} µs a packet, bare {found.floor:.1f}")

    def _order(self, codec: VideoCodec, people: int, content: Path, **more: Any) -> Order:
        settle = 1.0 if self._asked.quick or "turns" in more else 3.0
        told = {"seconds": self._asked.seconds, "settle": settle, **more}
        return Order(self._nats_url, 0, str(content), codec, people, **told)

    async def _content(self, codec: VideoCodec, people: int) -> tuple[Content, Path]:
        path = self._folder / f"{codec}-{people}"
        content = await asyncio.to_thread(make_content, codec, people)
        save(content, path)
        return content, path

    async def _floor(self, content: Content, people: int, speakers: int) -> tuple[float, float, float, float]:
        count = 45 if self._asked.quick else 90

        def measure() -> tuple[float, float, float, float]:
            speed = bare.speed()
            return *bare.pictures(content.film, people, count), bare.sound(content, speakers, count), speed

        return await asyncio.to_thread(measure)

    def _paced_floor(self, content: Content, people: int, speakers: int) -> float:
        count = 30 if self._asked.quick else 90
        pictures = bare.pictures(content.film, people, count, paced=True)
        return sum(pictures) + bare.sound(content, speakers, count, paced=True)

    async def _room(self, order: Order) -> Report:
        """A crowd in a room on a fresh worker."""
        async with _worker(self._nats_url, self._folder) as pid:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "benchmarks.crowd",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            async with asyncio.timeout(SLACK_S + (2 * order.turns + 1) * (order.seconds + order.settle)):
                out, _ = await process.communicate(msgspec.json.encode(replace(order, worker_pid=pid)))
            if process.returncode:
                raise RuntimeError("the crowd gave up")
            return msgspec.json.decode(out, type=Report)


@asynccontextmanager
async def _worker(nats_url: str, folder: Path) -> AsyncIterator[int]:
    """``parlour worker`` on loopback with its defaults; gives its process id."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PARLOUR_")}
    environment |= {
        "PARLOUR_NATS_URL": nats_url,
        "PARLOUR_MEDIA_HOST": "127.0.0.1",
        "PARLOUR_DATA_DIR": str(folder / "data"),
        "PARLOUR_LOG_LEVEL": "warning",
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
    parser.add_argument("--people", nargs="+", type=int, choices=PEOPLE, default=PEOPLE)
    parser.add_argument("--seconds", type=float, default=10.0, help="measured seconds of a room (10)")
    parser.add_argument("--rooms-only", action="store_true", help="leave out beeps and audiences")
    parser.add_argument("--quick", action="store_true", help="three seconds a room: only to see that it runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    parser.add_argument("--markdown", action="store_true", help="print Markdown for docs/performance.md")
    asked = parser.parse_args()
    if asked.quick:
        asked.seconds = 3.0
    return asked


async def measure(asked: argparse.Namespace) -> Results:
    """Run everything on a bus of its own."""
    with tempfile.TemporaryDirectory(prefix="parlour-bench-") as name:
        async with private_server(Path(name) / "nats") as nats_url:
            return await Bench(asked, Path(name), nats_url).run()


def main() -> None:
    """Measure and show."""
    asked = read_arguments()
    results = asyncio.run(measure(asked))
    if asked.json:
        asked.json.write_bytes(orjson.dumps(room_report.raw(results), option=orjson.OPT_INDENT_2))
    if asked.markdown:
        print(room_report.markdown(results))
    else:
        output = Console(width=None if sys.stdout.isatty() else 150)
        output.print(machine(), soft_wrap=True)
        for table in room_report.tables(results):
            output.print(table)
        output.print(room_report.noise(results), soft_wrap=True)


if __name__ == "__main__":
    main()
