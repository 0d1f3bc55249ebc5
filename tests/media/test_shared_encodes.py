"""One encode for each rendition, whoever gets it: everybody gets the same, and encoders do not multiply."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from parlour.loadtest.description import AUDIO, VIDEO
from parlour.media.transport import rtp
from parlour.media.video.codec import VideoCodec
from tests.cluster.conftest import figures, until
from tests.support.caller import invite, make_room
from tests.support.lean import Lean, content, lean, tone
from tests.support.server import RunningServer, serving

pytestmark = pytest.mark.slow

SPEAKERS = 2
CODECS = [VideoCodec.H264] * 4 + [VideoCodec.VP8] * 3
ENOUGH = 60
"""Packets of each kind after which there is something to compare."""


@contextlib.asynccontextmanager
async def gathering(server: RunningServer) -> AsyncIterator[list[Lean]]:
    """People with both codecs, of whom the first few speak and all send a camera."""
    to = make_room(server)
    token = invite(server, to)
    cameras = {codec: content(codec) for codec in set(CODECS)}
    async with contextlib.AsyncExitStack() as stack:
        people = [
            await stack.enter_async_context(lean(server.port, to, token, codec, watches=True)) for codec in CODECS
        ]
        for number, someone in enumerate(people):
            await someone.enter()
            voice = tone(500 + 500 * number) if number < SPEAKERS else None
            someone.media.start(cameras[someone.codec], voice)
        yield people


def payloads(someone: Lean, kind: int) -> list[bytes]:
    """What came of one kind since it was last cleared."""
    found = []
    for _, plain in someone.media.seen.captured:
        header = rtp.parse(plain)
        if header.payload_type == kind:
            found.append(plain[header.start : header.end])
    return found


def are_parts_of_one(streams: Sequence[list[bytes]]) -> bool:
    """Whether all are the same packets in the same order, apart from where each begins and ends."""
    first, *others = streams
    common = [packet for packet in first if all(packet in other for other in others)]
    return len(common) >= ENOUGH and all(_holds(stream, common) for stream in streams)


def _holds(stream: list[bytes], part: list[bytes]) -> bool:
    at = stream.index(part[0])
    return stream[at : at + len(part)] == part


async def test_everybody_with_a_codec_gets_the_same_encode(tmp_path: Path) -> None:
    settings = {"PARLOUR_MEDIA_HOST": "127.0.0.1"}
    with serving(tmp_path / "server", **settings) as server:
        async with gathering(server) as people:
            now: dict[str, float] = {}

            def look() -> bool:
                (found,) = figures(server).values()
                now.update(found)
                return now["sound_encoders"] == SPEAKERS + 1

            await until(look)
            assert now["picture_renditions"] == len(set(CODECS))
            before = dict(now)
            for someone in people:
                someone.media.seen.captured.clear()
            await until(lambda: look() and now["picture_ticks"] >= before["picture_ticks"] + ENOUGH)
            await until(
                lambda: all(len(payloads(one, kind)) > 2 * ENOUGH for one in people for kind in (VIDEO, AUDIO)), 30
            )
            ticks, encoded = (now[name] - before[name] for name in ("picture_ticks", "picture_encoded"))
            assert ENOUGH / 2 < encoded <= len(set(CODECS)) * (ticks + 1)
            for codec in set(CODECS):
                assert are_parts_of_one([payloads(one, VIDEO) for one in people if one.codec is codec]), codec
            assert are_parts_of_one([payloads(one, AUDIO) for one in people[SPEAKERS:]])
            voices = [payloads(one, AUDIO) for one in (people[-1], *people[:SPEAKERS])]
            assert not set(voices[0]) & set(voices[1]), "who speaks has a mix without the own voice"
            assert not set(voices[1]) & set(voices[2])
