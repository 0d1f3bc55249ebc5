"""The member's side of a connection, against a real endpoint of the media plane over loopback."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from parlour.loadtest.content import FILM, Film, make_film, make_sounds
from parlour.loadtest.description import BadAnswer, read_answer
from parlour.loadtest.engine import Engine
from parlour.loadtest.eye import Eye
from parlour.loadtest.member import PAUSE_AFTER, REFRESH, Member, speech
from parlour.loadtest.peer import Certificate
from parlour.media.audio.frame import FRAME, RATE
from parlour.media.packets import MediaPacket, RtpPacket
from parlour.media.transport import Endpoint, Leg
from parlour.media.video.codec import VideoCodec
from tests.cluster.conftest import until
from tests.media.transport.peer import Sink

FILM_OF = (VideoCodec.H264, 320, 180, 300_000)
WHOLE = (0.0, 0.0, 100.0, 100.0)


@dataclass
class Mirror(Sink):
    """A room of one: what comes as a picture goes back, as it came."""

    def __init__(self) -> None:
        super().__init__()
        self.pictures: list[list[MediaPacket]] = []
        self._packets: list[MediaPacket] = []
        self.start: int | None = None

    def on_video(self, leg: Leg, packet: RtpPacket) -> None:
        """See ``LegSink``."""
        super().on_video(leg, packet)
        self.start = packet.timestamp if self.start is None else self.start
        first = not self._packets
        stamp = (packet.timestamp - self.start) & 0xFFFFFFFF
        self._packets.append(MediaPacket(packet.payload, stamp, first, packet.marker, keyframe=True))
        if packet.marker:
            leg.send_video(self._packets)
            self._packets = []

    def on_sender_report(self, leg: Leg, kind: str, ntp_time: float, rtp_timestamp: int) -> None:
        """See ``LegSink``."""
        self.calls.append(("report", kind))

    def on_closed(self, leg: Leg, reason: str) -> None:
        """See ``LegSink``."""
        self.calls.append(("closed", reason))


@pytest.fixture(scope="module")
def film() -> Film:
    """What is sent."""
    return make_film(*FILM_OF)


@contextlib.asynccontextmanager
async def connected(
    film: Film, *, bursts: bool = True, voice: int | None = 0, wants: str = ""
) -> AsyncIterator[tuple[Member, Mirror, Eye, Leg]]:
    """A member who sends to a mirror and looks into it. ``wants`` is left out of the answer."""
    engine = Engine(bursts=bursts)
    running = asyncio.create_task(engine.run())
    async with await Endpoint.open(("127.0.0.1",)) as endpoint:
        member, mirror = Member(engine, Certificate(), VideoCodec.H264, film), Mirror()
        eye = member.watch({"me": member.sent_at})
        eye.lay_out({"me": WHOLE})
        leg = endpoint.open_leg(mirror)
        answer = member.peer.answered(leg.answer(member.peer.offer()).replace(wants, ""))
        member.go(answer.places[0])
        await until(lambda: member.peer.connected and leg.connected)
        member.start(speech(make_sounds(), voice))
        try:
            yield member, mirror, eye, leg
        finally:
            member.close()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            engine.shut()


@pytest.mark.parametrize("bursts", [True, False])
async def test_what_is_sent_is_seen_again_with_its_age(film: Film, bursts: bool) -> None:
    async with connected(film, bursts=bursts) as (member, mirror, eye, _):
        await until(lambda: len(eye.seen.ages) > 20 and mirror.told("report"))
        counts = member.peer.reception.counts
        assert (counts.lost, counts.holes, counts.refused, counts.dropped) == (0, 0, 0, 0)
        assert counts.video > counts.pictures, "some pictures come in several packets"
        assert counts.pictures >= len(eye.seen.stamps) > 20
        assert eye.seen.sizes[0] == (320, 180)
        assert eye.seen.errors == 0
        assert eye.seen.legible == eye.seen.looked
        assert 0 < min(eye.seen.ages) < max(eye.seen.ages) < 2
        assert len(mirror.audio) > 20
        assert {packet.level for packet in mirror.audio} == {25}


@pytest.mark.parametrize("pauses", [True, False])
async def test_silence_is_sent_only_where_it_is_wanted(film: Film, pauses: bool) -> None:
    async with connected(film, voice=None, wants="" if pauses else "usedtx=1") as (_, mirror, _, _):
        await until(lambda: mirror.audio and mirror.audio[-1].timestamp - mirror.audio[0].timestamp > 2 * RATE)
        packets = len(mirror.audio)
        frames = (mirror.audio[packets - 1].timestamp - mirror.audio[0].timestamp) // FRAME
        assert {packet.level for packet in mirror.audio} == {127}
        assert mirror.audio[packets - 1].sequence - mirror.audio[0].sequence == packets - 1
        if pauses:
            assert packets < PAUSE_AFTER + frames / REFRESH + 2
            assert mirror.audio[-1].marker
        else:
            assert packets == frames + 1
            assert not mirror.audio[-1].marker


async def test_what_is_lost_is_asked_for_and_comes_again(film: Film) -> None:
    async with connected(film) as (member, _, eye, leg):
        await until(lambda: len(eye.seen.stamps) > 5)
        number = 0

        def every_seventh(_: bytes) -> bool:
            nonlocal number
            number += 1
            return number % 7 == 0

        member.peer.loses = every_seventh
        await until(lambda: len(member.peer.reception.healing) > 5)
        member.peer.loses = None
        counts = member.peer.reception.counts
        assert counts.dropped > 5
        assert counts.nacked >= counts.resent > 5
        assert leg.statistics().retransmitted >= counts.resent
        assert min(member.peer.reception.healing) > 0
        await until(lambda: counts.lost == 0 and not len(member.peer.reception.missing))


async def test_a_keyframe_is_made_for_who_asks(film: Film) -> None:
    async with connected(film) as (member, mirror, _, leg):
        await until(lambda: len(mirror.video) > 40)
        before = len(mirror.video)
        member.peer.keyframe_wanted = False
        leg.request_keyframe()
        await until(lambda: any(bytes(packet.payload) == film.payloads[0][0] for packet in mirror.video[before:]))
        assert len(mirror.video) - before < FILM


async def test_a_server_with_another_certificate_is_not_believed(film: Film) -> None:
    engine = Engine()
    running = asyncio.create_task(engine.run())
    async with await Endpoint.open(("127.0.0.1",)) as endpoint:
        member = Member(engine, Certificate(), VideoCodec.H264, film)
        sdp = endpoint.open_leg(Mirror()).answer(member.peer.offer())
        value = read_answer(sdp).fingerprints[0].value
        answer = member.peer.answered(sdp.replace(value, value[3:] + ":00"))
        member.go(answer.places[0])
        await until(lambda: member.peer.failure)
        assert "certificate" in member.peer.failure
        assert not member.peer.connected
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    engine.shut()


@pytest.mark.parametrize("text", ["", "v=0\r\n", "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", "no sdp"])
def test_an_answer_that_says_too_little_is_refused(text: str) -> None:
    with pytest.raises(BadAnswer):
        read_answer(text)


def test_the_engine_does_what_is_due_and_nothing_before() -> None:
    done: list[float] = []

    class Somebody:
        def take(self, data: bytes, now: float, arrived: float) -> None:
            raise AssertionError(data)

        def tend(self, now: float) -> float:
            raise AssertionError(now)

    def work(now: float) -> float:
        done.append(now)
        return now + 1.0

    engine, began = Engine(), time.monotonic()
    engine.add(Somebody(), [(10.0, work)])
    engine.turn(began + 9.9)
    assert done == []
    engine.turn(began + 10.5)
    engine.turn(began + 11.0)
    assert done == [began + 10.5]
    engine.turn(began + 11.6)
    assert len(done) == 2
    assert max(engine.lateness) == pytest.approx(0.5, abs=0.01)
    engine.shut()
