"""Real Chromium calls, and gets its own sound and picture back."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright

from parlour.media.transport import Endpoint, Leg
from tests.media.transport.test_peer_connection import Echo, ending
from tests.support.chromium import CHROMIUM, DEVICES
from tests.support.waiting import PATIENCE_S

pytestmark = pytest.mark.slow


CALL = """async ({camera}) => {
    const pc = window.pc = new RTCPeerConnection();
    pc.ontrack = ({streams: [stream]}) => {
        if (document.querySelector('video')) return;
        const video = document.createElement('video');
        video.autoplay = video.muted = true;
        video.srcObject = stream;
        document.body.append(video);
    };
    if (camera) {
        const local = await navigator.mediaDevices.getUserMedia({audio: true, video: {width: 640, height: 360}});
        for (const track of local.getTracks()) pc.addTrack(track, local);
    } else {
        pc.addTransceiver('audio', {direction: 'recvonly'});
        pc.addTransceiver('video', {direction: 'recvonly'});
    }
    await pc.setLocalDescription();
    return pc.localDescription.sdp;
}"""

RECEIVED = """async () => {
    const found = {state: pc.connectionState};
    for (const report of (await pc.getStats()).values()) {
        if (report.type === 'inbound-rtp') found[report.kind] = report;
    }
    return found;
}"""


class BrowserEcho(Echo):
    """Asks for little, so that the picture is cheap to make."""

    def on_connected(self, leg: Leg) -> None:
        super().on_connected(leg)
        leg.limit_sender(500_000)
        leg.request_keyframe()

    def on_keyframe_wanted(self, leg: Leg) -> None:
        leg.request_keyframe()


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=DEVICES)
        page = await browser.new_page()
        # A page of our own without a server: any origin on localhost is secure enough for the camera.
        await page.route("**/*", lambda route: route.fulfill(body="<html></html>", content_type="text/html"))
        await page.goto("http://localhost:1/")
        yield page
        await browser.close()


async def received(page: Page, enough: int) -> dict[str, Any]:
    """The statistics once as many packets and pictures came."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found: dict[str, Any] = await page.evaluate(RECEIVED)
            video, audio = found.get("video", {}), found.get("audio", {})
            if video.get("framesDecoded", 0) >= enough and audio.get("packetsReceived", 0) >= enough:
                return found
            await asyncio.sleep(0.1)


async def call(endpoint: Endpoint, page: Page, *, tcp: bool = False, **options: Any) -> tuple[Leg, BrowserEcho]:
    """Offer and answer; with ``tcp`` the page never hears of the UDP candidates."""
    sink = BrowserEcho()
    leg = endpoint.open_leg(sink, "chromium")
    answer = leg.answer(await page.evaluate(CALL, {"camera": True}), **options)
    if tcp:
        answer = "\r\n".join(line for line in answer.split("\r\n") if not line.startswith("a=candidate:udp"))
    await page.evaluate("sdp => pc.setRemoteDescription({type: 'answer', sdp})", answer)
    return leg, sink


@pytest.mark.parametrize("codec", ["H264", "VP8"])
async def test_chromium_hears_and_sees_itself(page: Page, codec: str) -> None:
    async with await Endpoint.open(tcp_port=0) as endpoint:
        leg, sink = await call(endpoint, page, codecs=[codec])
        found = await received(page, 25)
        assert found["state"] == "connected"
        assert found["video"]["frameWidth"] == 640
        assert leg.profile == "AEAD_AES_128_GCM"
        assert not leg.statistics().tcp
        assert any(packet.level is not None for packet in sink.audio)
        assert "video" in {kind for kind, *_ in sink.told("sender report")}
        await page.evaluate("pc.close()")
        assert await ending(leg) == "the peer closed the connection"


async def test_chromium_over_tcp(page: Page) -> None:
    async with await Endpoint.open(tcp_port=0) as endpoint:
        leg, _ = await call(endpoint, page, tcp=True)
        await received(page, 25)
        assert leg.statistics().tcp


async def test_chromium_changes_its_mind_without_a_new_connection(page: Page) -> None:
    async with await Endpoint.open() as endpoint:
        leg, sink = await call(endpoint, page)
        await received(page, 5)
        offer = await page.evaluate(
            """async () => {
                for (const transceiver of pc.getTransceivers()) transceiver.direction = 'recvonly';
                await pc.setLocalDescription();
                return pc.localDescription.sdp;
            }"""
        )
        await page.evaluate("sdp => pc.setRemoteDescription({type: 'answer', sdp})", leg.answer(offer))
        assert leg.connected
        assert leg.video is not None
        assert not leg.video.receives
        assert len(sink.told("connected")) == 1
        directions = await page.evaluate("pc.getTransceivers().map(one => one.currentDirection)")
        assert directions == ["recvonly", "recvonly"]
        assert await page.evaluate("pc.connectionState") == "connected"
