"""Twice the load that fits: the picture gives way, step by step, and comes back; the sound never breaks.

Who sends all this must not stand still either: what blocks is done in other threads.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from parlour.domain.live.relief import Relief
from parlour.loadtest.description import AUDIO
from parlour.media.audio.frame import FRAME, RATE
from parlour.media.transport import rtp
from parlour.media.video.codec import VideoCodec
from tests.cluster.conftest import figures, owner, until
from tests.media.audio.signals import decoded
from tests.support.caller import invite, make_room
from tests.support.lean import Lean, content, lean, tone
from tests.support.server import RunningServer, serving

pytestmark = pytest.mark.slow

HERTZ = 700
PEOPLE = 44
"""Each sends 1280×720 whatever is asked for. Twenty keep one core busy."""
STAY = 2
"""So few are carried by any machine, however slow it is."""
PACKETS = 400
SETTLED = 50
CLIMB = 0.95
"""The part of the sound that is whole while the worker finds out how much it is, and gives up what it can."""
WHOLE = 0.98
"""And of the sound afterwards: all of it, but that who speaks stands still for a moment where the machine does."""
WINDOWS = 3
"""So often it is listened to: a machine that itself stands still for a moment breaks one, too much to do breaks all."""


@contextlib.contextmanager
def on_one_core(folder: Path) -> Iterator[RunningServer]:
    """A server that may use one core; whoever runs the test keeps to the others, where there are any."""
    cores = os.sched_getaffinity(0)
    core = {min(cores)}
    settings = {"PARLOUR_MEDIA_HOST": "127.0.0.1", "PARLOUR_RELIEF": "true"}
    os.sched_setaffinity(0, core)
    try:
        with serving(folder, **settings) as server:
            os.sched_setaffinity(0, cores - core or cores)
            yield server
    finally:
        os.sched_setaffinity(0, cores)


@contextlib.asynccontextmanager
async def crowd(server: RunningServer, to: str, token: str) -> AsyncIterator[list[Lean]]:
    """Everybody is in, and nobody sends yet. The first one watches closely."""
    async with contextlib.AsyncExitStack() as stack:
        people = [
            await stack.enter_async_context(lean(server.port, to, token, VideoCodec.H264, watches=number == 0))
            for number in range(PEOPLE)
        ]
        for someone in people:
            await someone.enter()
        yield people


def sounds(someone: Lean) -> dict[int, bytes]:
    """The Opus packets that came, by their times in 48 kHz samples."""
    found = {}
    for _, plain in someone.media.seen.captured:
        header = rtp.parse(plain)
        if header.payload_type == AUDIO:
            found[header.timestamp] = plain[header.start : header.end]
    return dict(sorted(found.items()))


def whole(someone: Lean) -> float:
    """The part of 20 ms frames that came and have the tone at its usual loudness. With the first a decoder begins."""
    heard = sounds(someone)
    turns = np.exp(2j * np.pi * HERTZ / RATE * np.arange(FRAME))
    loud = np.abs(decoded(heard.values()).reshape(-1, FRAME) @ turns)[1:]
    due = (max(heard) - min(heard)) // FRAME
    return float((loud > np.median(loud) / 2).sum() / due)


class Steps:
    """What the worker went without, one after the other, as its own figures tell."""

    def __init__(self, figure: Callable[[str], float]) -> None:
        self.taken: list[float] = []
        self._figure = figure

    def look(self) -> float:
        """What it goes without now."""
        relief = self._figure("relief")
        if self.taken[-1:] != [relief]:
            self.taken.append(relief)
        return relief


async def test_twice_the_load_that_fits(tmp_path: Path) -> None:
    with on_one_core(tmp_path / "server") as server:
        to = make_room(server, max_members=0)
        token = invite(server, to)
        await until(lambda: figures(server))
        async with crowd(server, to, token) as people:
            worker = owner(server)
            assert worker is not None

            def figure(name: str) -> float:
                return figures(server)[worker][name]

            camera = content(VideoCodec.H264, 1)
            steps = Steps(figure)
            await asyncio.to_thread(steps.look)
            people[1].media.start(camera, tone(HERTZ))
            await until(lambda: figure("sound_encoders") == 2)
            await until(lambda: len(sounds(people[0])) > SETTLED)
            people[0].media.seen.captured.clear()
            for someone in (people[0], *people[2:]):
                someone.media.start(camera, None)
            await until(lambda: steps.look() == Relief.NO_MORE_MEMBERS)
            assert steps.taken == sorted(steps.taken), "one after the other"
            assert await asyncio.to_thread(whole, people[0]) > CLIMB, "also until enough was given up"

            async def sounds_whole() -> bool:
                before = await asyncio.to_thread(figures, server)
                people[0].media.seen.captured.clear()
                await until(lambda: len(sounds(people[0])) > PACKETS)
                after = await asyncio.to_thread(figures, server)
                missed = after[worker]["sound_missed"] - before[worker]["sound_missed"]
                return missed == 0 and await asyncio.to_thread(whole, people[0]) > WHOLE

            windows = [await sounds_whole()]
            while not windows[-1]:
                assert len(windows) < WINDOWS, "frames are missing"
                windows.append(await sounds_whole())
            async with lean(server.port, to, token) as late:
                refused = await late.client.dial(to, late.call_id, late.media.offer())
                assert refused["code"] == "503"
                assert "too much to do" in refused["message"]
            for someone in people[STAY:]:
                await someone.leave()
            await until(lambda: figure("relief") < Relief.NO_MORE_MEMBERS, 120)
            async with lean(server.port, to, token) as late:
                await late.enter()
            await until(lambda: figure("relief") < Relief.NO_MORE_CAMERAS, 120)
