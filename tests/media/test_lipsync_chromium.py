"""Chromium claps: a canvas that flashes and an oscillator that beeps, over a network that is slower for one of them."""

import asyncio
import contextlib
from bisect import bisect
from collections.abc import AsyncIterator
from itertools import count

import av
import numpy as np
import pytest
from playwright.async_api import Page, async_playwright

from parlour.domain.live.commands import Accepted, Join
from parlour.media.call import Call
from parlour.media.conference import Conference
from parlour.media.lipsync.alignment import AS_IT_COMES
from parlour.media.lipsync.clock import ticks_between
from parlour.media.packets import RtpPacket
from parlour.media.transport import Endpoint, Leg
from parlour.media.transport.ice import Address, Carrier
from parlour.media.transport.sink import Kind
from parlour.media.video.codec import VideoCodec
from parlour.media.video.decode import PictureDecoder
from parlour.media.video.depacketize import Depacketizer
from tests.domain.live.people import a_room
from tests.media.clapper import Clap, Ear, Tape, claps, longest_run
from tests.media.guest import Guest, live
from tests.support.chromium import CHROMIUM, OPEN_ADDRESSES, PLAIN, UNASKED

pytestmark = pytest.mark.slow

TONE = 1000.0
APART = 1.2
BOUND = 0.04
IN_A_ROW = 4

CLAP = """async () => {
    const context = new AudioContext({sampleRate: 48000});
    const oscillator = new OscillatorNode(context, {frequency: 1000});
    const gain = new GainNode(context, {gain: 0});
    const microphone = new MediaStreamAudioDestinationNode(context, {channelCount: 1});
    oscillator.connect(gain).connect(microphone);
    oscillator.start();
    const start = context.currentTime + 1;
    for (let clap = 0; clap < 200; clap++) {
        gain.gain.setValueAtTime(0.3, start + clap * 1.2);
        gain.gain.setValueAtTime(0, start + clap * 1.2 + 0.1);
    }
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [320, 180];
    document.body.append(canvas);
    const paper = canvas.getContext('2d');
    const draw = () => {
        const since = context.currentTime - start;
        paper.fillStyle = since >= 0 && since % 1.2 < 0.1 ? '#eee' : '#222';
        paper.fillRect(0, 0, 320, 180);
        paper.fillStyle = `hsl(${performance.now() / 10 % 360} 50% 30%)`;
        paper.fillRect(0, 0, 40, 20);
        requestAnimationFrame(draw);
    };
    draw();
    const pc = window.pc = new RTCPeerConnection();
    pc.ontrack = ({streams: [stream]}) => {
        const video = document.querySelector('video') ?? document.createElement('video');
        video.autoplay = true;
        video.srcObject = stream;
        document.body.append(video);
    };
    const stream = canvas.captureStream(30);
    pc.addTrack(microphone.stream.getAudioTracks()[0], stream);
    pc.addTrack(stream.getVideoTracks()[0], stream);
    await pc.setLocalDescription();
    return pc.localDescription.sdp;
}"""


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=[*PLAIN, UNASKED, OPEN_ADDRESSES])
        page = await browser.new_page()
        await page.route("**/*", lambda route: route.fulfill(body="<html></html>", content_type="text/html"))
        await page.goto("http://localhost:1/")
        yield page
        await browser.close()


class Source:
    """What Chromium itself says of its claps: its own packets and reports, before the room has to do with them."""

    def __init__(self, call: Call) -> None:
        self.tape = Tape(self._when, TONE)
        self._reports: dict[Kind, tuple[float, int]] = {}
        assert call.leg is not None
        assert call.leg.video is not None
        codec = VideoCodec(call.leg.video.codec)
        self._packets, self._pictures = Depacketizer(codec), PictureDecoder(codec)
        self._voice = av.CodecContext.create("libopus", "r")
        self._voice.layout = "mono"
        audio, video, report = call.on_audio, call.on_video, call.on_sender_report

        def on_audio(leg: Leg, packet: RtpPacket) -> None:
            samples = [frame.to_ndarray()[0] for frame in self._voice.decode(av.Packet(packet.payload))]
            self.tape.listen(np.concatenate(samples).astype(np.float64), packet.timestamp)
            audio(leg, packet)

        def on_video(leg: Leg, packet: RtpPacket) -> None:
            for picture in self._packets.push(packet):
                self._pictures.feed(picture)
                frame = self._pictures.newest()
                if frame is not None:
                    self.tape.look(frame, picture.timestamp, (frame.width // 2, frame.height // 2))
            video(leg, packet)

        def on_sender_report(leg: Leg, kind: Kind, ntp_time: float, rtp_timestamp: int) -> None:
            self._reports[kind] = (ntp_time, rtp_timestamp)
            report(leg, kind, ntp_time, rtp_timestamp)

        call.on_audio, call.on_video, call.on_sender_report = on_audio, on_video, on_sender_report  # type: ignore[method-assign]

    def _when(self, kind: Kind, timestamp: int) -> float | None:
        told = self._reports.get(kind)
        rate = 48_000 if kind == "audio" else 90_000
        return None if told is None else told[0] + ticks_between(told[1], timestamp) / rate


def slow_down(endpoint: Endpoint, leg: Leg, kind: Kind, seconds: float) -> None:
    """Let the packets of one kind take longer on their way to a leg."""
    facts = leg.audio if kind == "audio" else leg.video
    assert facts is not None
    take, loop = endpoint.take, asyncio.get_running_loop()

    def later(data: bytes, carrier: Carrier, address: Address, now: float) -> None:
        late = 128 <= data[0] < 192 and data[1] & 0x7F == facts.payload_type and carrier.peers.get(address) is leg
        if late:
            loop.call_later(seconds, lambda: take(data, carrier, address, endpoint.clock()))
        else:
            take(data, carrier, address, now)

    endpoint.take = later  # type: ignore[method-assign]


def added(own: list[Clap], found: list[Clap]) -> list[float]:
    """What the room added to the offset of each clap, which a page does not make on the dot; both in order.

    The clocks are one machine's: a clap of the room is the last one that was made before.
    """
    made = [clap.heard for clap in own]
    return [
        clap.offset - own[at - 1].offset
        for clap in found
        if (at := bisect(made, clap.heard)) and clap.heard - made[at - 1] < APART
    ]


@pytest.mark.parametrize("sync", [True, False])
@pytest.mark.parametrize(("slower", "seconds"), [("video", 0.2), ("audio", 0.15)])
async def test_chromium_claps(page: Page, sync: bool, slower: Kind, seconds: float) -> None:
    room = a_room(max_members=0, sync_audio_video=sync)
    numbers = count(1)
    async with contextlib.AsyncExitStack() as stack:
        endpoint = await stack.enter_async_context(await Endpoint.open())
        conference = Conference(
            room, "session", endpoint, lambda told: None, lambda: None, new_id=lambda: f"m{next(numbers)}"
        )
        stack.push_async_callback(conference.close)
        watcher = await Guest(conference, endpoint, "watcher", room=room).join()
        reply = conference.ask(Join(room, "call-chromium", await page.evaluate(CLAP), "chromium", (), channel="video"))
        assert isinstance(reply, Accepted), reply
        call = conference._calls[reply.member_id]
        assert call.leg is not None
        source = Source(call)
        slow_down(endpoint, call.leg, slower, seconds)
        await page.evaluate("sdp => pc.setRemoteDescription({type: 'answer', sdp})", reply.sdp)
        tape = Tape.of(watcher, TONE)

        def place() -> tuple[int, int] | None:
            for tile in conference._stage._tiles:
                if tile.member_id == reply.member_id:
                    return tile.rect.x + tile.rect.width // 2, tile.rect.y + tile.rect.height // 2
            return None

        Ear(watcher, (tape, place))
        errors: list[float] = []

        def enough(step: int) -> None:
            if step % 300 == 0:
                watcher.line.deliver(watcher.check())
            if step % 30 == 0:
                errors[:] = added(claps(source.tape, APART), claps(tape, APART))

        def together() -> bool:
            return longest_run(errors, BOUND) >= IN_A_ROW if sync else len(errors) >= IN_A_ROW

        await live([watcher], together, also=enough)
        middle = sorted(errors)[len(errors) // 2]
        if sync:
            assert conference.statistics()["sync_senders"] == 1
        else:
            assert abs(middle) > BOUND
            assert (middle > 0) == (slower == "video")
            assert call.plan is AS_IT_COMES
