"""What one sender or receiver does wrong, or the network to it, stays with that one."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from parlour.media.conference import Conference
from parlour.media.packets import MediaPacket
from parlour.media.transport import Endpoint
from parlour.media.transport.leg import CONSENT
from parlour.media.video import h264
from parlour.media.video.codec import VideoCodec
from tests.media.guest import ROOM, Guest, every, film, live, while_filming

HOSTILE = Path(__file__).parent / "hostile"
EIGHT_K = {
    "H264": h264.packetize((HOSTILE / "8k-keyframe-cut.h264").read_bytes(), 1200),
    # A VP8 payload descriptor, then a frame header: a keyframe of 7680×4320.
    "VP8": [
        b"\x10" + b"\x10\x02\x00\x9d\x01\x2a" + (7680).to_bytes(2, "little") + (4320).to_bytes(2, "little") + bytes(50)
    ],
}


def decoded(conference: Conference) -> Callable[[], float]:
    return lambda: conference.statistics()["calls_camera_decoded"]


def grows(value: Callable[[], float], by: float) -> Callable[[], bool]:
    """Whether a value has grown by so much since now."""
    start = value()
    return lambda: value() >= start + by


async def test_a_camera_without_keyframes_is_asked_now_and_then_and_nobody_else_notices(
    conference: Conference, endpoint: Endpoint
) -> None:
    odd = await Guest(conference, endpoint, "odd", room=ROOM).join()
    good = await Guest(conference, endpoint, "good", room=ROOM).join()
    endless = film()[1:]

    async def act() -> None:
        def also(step: int) -> None:
            odd.send(endless[step % len(endless)], step * 1500)

        def seen() -> bool:
            counts = conference.statistics()
            enough = counts["calls_camera_dropped"] >= 50 and counts["calls_camera_decoded"] >= 30
            return enough and len(odd.asked_for_keyframe) >= 4 and len(good.frames) >= 20

        await live([odd, good], seen, also=also)

    before = time.monotonic()
    await while_filming(good, film(), act)
    took = time.monotonic() - before
    assert len(odd.asked_for_keyframe) <= took + 2
    assert median(after - before for before, after in pairwise(odd.asked_for_keyframe)) > 0.8


@pytest.mark.parametrize("codec", ["H264", "VP8"])
async def test_an_8k_camera_is_refused_until_it_sends_what_can_be_shown(
    conference: Conference, endpoint: Endpoint, codec: str
) -> None:
    odd = await Guest(conference, endpoint, "odd", room=ROOM, codec=codec).join()
    payloads = EIGHT_K[codec]
    last = len(payloads) - 1
    huge = [MediaPacket(payload, 0, at == 0, at == last, True) for at, payload in enumerate(payloads)]
    await live(
        [odd],
        lambda: conference.statistics()["calls_camera_refused"] >= 3,
        also=lambda step: odd.send(huge, step * 1500),
    )
    assert conference.statistics()["calls_camera_decoded"] == 0
    assert conference.statistics()["picture_missed"] == 0

    async def act() -> None:
        await live([odd], grows(decoded(conference), 5))

    odd.sequence += 5000
    await while_filming(odd, film(VideoCodec(codec)), act)


async def test_another_size_and_another_codec_in_the_middle(conference: Conference, endpoint: Endpoint) -> None:
    guest = await Guest(conference, endpoint, "guest", room=ROOM).join()

    async def act() -> None:
        seen = len(guest.frames)
        await live([guest], lambda: decoded(conference)() > 0 and len(guest.frames) > seen + 5)

    async def more() -> None:
        seen, enough = len(guest.frames), grows(decoded(conference), 5)
        await live([guest], lambda: enough() and len(guest.frames) > seen + 5)

    await while_filming(guest, film(), act)
    await while_filming(guest, film(VideoCodec.H264, 320, 240), more)
    guest.reoffer("VP8")
    await while_filming(guest, film(VideoCodec.VP8, 480, 270), more)
    guest.reoffer("H264")
    await while_filming(guest, film(), more)
    counts = conference.statistics()
    assert counts["calls_camera_errors"] == 0
    assert counts["picture_renditions"] == 1
    sequences = [sequence for sequence, _ in guest.stamps]
    assert sequences == sorted(set(sequences))


async def test_a_fifth_lost_both_ways_is_asked_for_again(conference: Conference, endpoint: Endpoint) -> None:
    lossy = await Guest(conference, endpoint, "lossy", room=ROOM).join()
    other = await Guest(conference, endpoint, "other", room=ROOM).join()
    lossy.line.loses, lossy.line.link.loses = every(5), every(5)
    shown, stills = decoded(conference), len(lossy.frames)
    due = conference.statistics()["picture_ticks"]

    async def act() -> None:
        await live([lossy, other], lambda: shown() >= 60 and len(lossy.frames) - stills >= 60)

    await while_filming(lossy, film(), act)
    counts = conference.statistics()
    assert counts["calls_recovered"] >= 20
    assert counts["calls_retransmitted"] >= 20
    assert lossy.recovered >= 20
    assert counts["picture_ticks"] - due < 450, "60 pictures were due in 60 without loss"
    assert len(other.frames) >= 30


async def test_fifty_joins_at_once_do_not_stop_the_sound(conference: Conference, endpoint: Endpoint) -> None:
    first = await Guest(conference, endpoint, "first", room=ROOM).join()
    await live([first], lambda: first.heard >= 25)
    heard, before, sound = first.heard, time.monotonic(), conference.statistics()
    crowd = []
    for number in range(50):
        crowd.append(Guest(conference, endpoint, f"one-{number}", room=ROOM))
        await asyncio.sleep(0)
    joining = asyncio.gather(*(guest.join() for guest in crowd))
    await live([first], lambda: all(guest.leg.connected for guest in crowd))
    await joining
    took = time.monotonic() - before
    counts = conference.statistics()
    assert counts["members"] == 51
    # Half of it at least: the fifty and the room share one process here, and one interpreter.
    assert counts["sound_ticks"] - sound["sound_ticks"] >= took * 25
    await live([first], lambda: first.heard - heard >= took * 50 - 10)
    await live(crowd, lambda: all(guest.frames for guest in crowd))


async def test_one_who_vanishes_keeps_a_seat_for_a_while_and_costs_nothing(
    conference: Conference, endpoint: Endpoint
) -> None:
    conference._state = replace(conference._state, grace=5.0)
    gone = await Guest(conference, endpoint, "gone", room=ROOM, codec="VP8").join()
    here = await Guest(conference, endpoint, "here", room=ROOM).join()
    assert conference.statistics()["picture_renditions"] == 2
    gone.leg._alive_at -= CONSENT  # as if nothing had come for so long

    def alive(step: int) -> None:
        if step % 10 == 0:
            here.validate()

    await live([here], lambda: gone.leg.closed is not None, also=alive)
    assert conference.members == 2
    assert conference.statistics()["picture_renditions"] == 1
    await live([here], lambda: conference.members == 1, also=alive)
    seen = len(here.frames)
    await live([here], lambda: len(here.frames) > seen, also=alive)
    assert conference.statistics()["calls_packets_sent"] > 0
