"""Twice the load that fits: the picture gives way, step by step, and comes back; the sound never breaks."""

import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from parlour.domain.live.relief import Relief
from parlour.loadtest.description import AUDIO
from parlour.media.transport import rtp
from parlour.media.video.codec import VideoCodec
from tests.cluster.conftest import figures, owner, until
from tests.support.caller import invite, make_room
from tests.support.lean import Lean, content, lean, tone
from tests.support.server import RunningServer, serving

pytestmark = pytest.mark.slow

FRAME = 960
PEOPLE = 44
"""Each sends 1280×720 whatever is asked for. Twenty keep one core busy."""
STAY = 2
"""So few are carried by any machine, however slow it is."""
PACKETS = 600
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


def sound_times(someone: Lean) -> list[int]:
    """The times of the packets of sound that came, in 48 kHz samples."""
    headers = (rtp.parse(plain) for _, plain in someone.media.seen.captured)
    return sorted({header.timestamp for header in headers if header.payload_type == AUDIO})


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
            for number, someone in enumerate(people):
                someone.media.start(camera, tone(700) if number == 1 else None)
            await until(lambda: figure("sound_encoders") == 2)

            async def sounds_whole() -> bool:
                missed = figure("sound_missed")
                people[0].media.seen.captured.clear()
                await until(lambda: len(sound_times(people[0])) > PACKETS)
                steps = {after - before for before, after in pairwise(sound_times(people[0]))}
                return steps == {FRAME} and figure("sound_missed") == missed

            windows = [await sounds_whole()]
            await until(lambda: figure("relief") == Relief.NO_MORE_MEMBERS)
            while not windows[-1] or len(windows) == 1:
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
