"""Whole calls with another implementation of WebRTC, over loopback."""

import asyncio
from collections.abc import AsyncIterator
from fractions import Fraction
from typing import Any

import pytest
from aiortc import (
    AudioStreamTrack,
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
    rtcdtlstransport,
)
from aiortc.codecs.vpx import Vp8Encoder
from av import VideoFrame

from parlour.media.packets import MediaPacket, RtpPacket
from parlour.media.transport import Endpoint, Leg
from parlour.media.transport.ice import Address
from tests.media.transport.peer import Sink
from tests.support.waiting import PATIENCE_S

pytestmark = pytest.mark.slow


class Echo(Sink):
    """Sends back all that comes."""

    def __init__(self) -> None:
        super().__init__()
        self.connected = asyncio.Event()
        self.closed = asyncio.Event()

    def on_connected(self, leg: Leg) -> None:
        super().on_connected(leg)
        self.connected.set()

    def on_closed(self, leg: Leg, reason: str) -> None:
        super().on_closed(leg, reason)
        self.closed.set()

    def on_audio(self, leg: Leg, packet: RtpPacket) -> None:
        super().on_audio(leg, packet)
        leg.send_audio(packet.payload, packet.timestamp, packet.marker)

    def on_video(self, leg: Leg, packet: RtpPacket) -> None:
        super().on_video(leg, packet)
        if packet.payload:
            leg.send_video([MediaPacket(packet.payload, packet.timestamp, True, packet.marker, True)])


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    async with await Endpoint.open(tcp_port=0) as endpoint:
        yield endpoint


@pytest.fixture
async def client() -> AsyncIterator[RTCPeerConnection]:
    client = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    yield client
    await client.close()


async def connect(endpoint: Endpoint, client: RTCPeerConnection, *, candidates: bool = True, **options: Any) -> Leg:
    """Offer, answer, and wait for the keys."""
    await client.setLocalDescription(await client.createOffer())
    offer = client.localDescription.sdp
    if not candidates:
        offer = "\r\n".join(line for line in offer.split("\r\n") if "candidate" not in line)
    sink = Echo()
    leg = endpoint.open_leg(sink)
    await client.setRemoteDescription(RTCSessionDescription(leg.answer(offer, **options), "answer"))
    async with asyncio.timeout(PATIENCE_S):
        await sink.connected.wait()
    return leg


async def ending(leg: Leg) -> str | None:
    """Why the leg ended, once it did."""
    assert isinstance(leg._sink, Echo)
    async with asyncio.timeout(PATIENCE_S):
        await leg._sink.closed.wait()
    return leg.closed


async def frames(track: MediaStreamTrack, count: int) -> list[Any]:
    """The next frames of a track."""
    async with asyncio.timeout(PATIENCE_S):
        return [await track.recv() for _ in range(count)]


def tracks(client: RTCPeerConnection) -> dict[str, MediaStreamTrack]:
    return {one.receiver.track.kind: one.receiver.track for one in client.getTransceivers()}


@pytest.mark.parametrize("codec", ["H264", "VP8"])
@pytest.mark.parametrize("profile", ["AEAD_AES_128_GCM", "AES128_CM_SHA1_80"])
async def test_sound_and_picture_both_ways(
    endpoint: Endpoint, client: RTCPeerConnection, codec: str, profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if profile == "AES128_CM_SHA1_80":
        monkeypatch.setattr(rtcdtlstransport, "SRTP_PROFILES", [rtcdtlstransport.SRTP_AES128_CM_SHA1_80])
    client.addTrack(AudioStreamTrack())
    client.addTrack(VideoStreamTrack())
    leg = await connect(endpoint, client, codecs=[codec])
    assert leg.profile == profile
    assert leg.video is not None
    assert leg.video.codec == codec
    received = tracks(client)
    pictures = await frames(received["video"], 10)
    assert (pictures[-1].width, pictures[-1].height) == (640, 480)
    await frames(received["audio"], 10)
    assert leg.statistics().dropped == {}
    await client.close()
    assert await ending(leg) == "the peer closed the connection"


async def test_loss_in_both_directions_is_repaired(
    endpoint: Endpoint, client: RTCPeerConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.addTrack(VideoStreamTrack())
    leg = await connect(endpoint, client, codecs=["VP8"])
    assert leg.video is not None
    number = leg.video.payload_type
    counts = {"in": 0, "out": 0}

    def lost(data: bytes, way: str) -> bool:
        if 128 <= data[0] < 192 and data[1] & 0x7F == number and not 192 <= data[1] <= 223:
            counts[way] += 1
            return counts[way] % 7 == 0
        return False

    take = endpoint.take
    monkeypatch.setattr(endpoint, "take", lambda data, *rest: None if lost(data, "in") else take(data, *rest))
    for port in endpoint._ports:
        sendto = port.sendto

        def lossy(data: bytes, address: Address, sendto: Any = sendto) -> int:
            return 0 if lost(data, "out") else int(sendto(data, address))

        monkeypatch.setattr(port, "sendto", lossy)
        monkeypatch.setattr(port, "_cuts", False)  # packets that are told apart by the test, not by the kernel
    await frames(tracks(client)["video"], 60)
    statistics = leg.statistics()
    assert statistics.recovered >= 3
    assert statistics.retransmitted >= 3
    assert statistics.abandoned == 0


async def test_a_watcher_without_candidates_gets_the_picture(endpoint: Endpoint, client: RTCPeerConnection) -> None:
    client.addTransceiver("audio", direction="recvonly")
    client.addTransceiver("video", direction="recvonly")
    leg = await connect(endpoint, client, candidates=False, codecs=["VP8"])
    assert leg.video is not None
    assert leg.video.sends
    assert not leg.video.receives
    frame = VideoFrame(320, 240, "yuv420p")
    encoder = Vp8Encoder()
    watching = asyncio.ensure_future(frames(tracks(client)["video"], 3))
    for number in range(200):
        frame.pts, frame.time_base = number * 3000, Fraction(1, 90000)
        payloads, timestamp = encoder.encode(frame, force_keyframe=number == 0)
        last = len(payloads) - 1
        leg.send_video(
            [MediaPacket(payload, timestamp, at == 0, at == last, number == 0) for at, payload in enumerate(payloads)]
        )
        await asyncio.sleep(0.01)
        if watching.done():
            break
    pictures = await watching
    assert (pictures[0].width, pictures[0].height) == (320, 240)


async def test_a_later_offer_adds_a_picture_to_a_call(endpoint: Endpoint, client: RTCPeerConnection) -> None:
    client.addTrack(AudioStreamTrack())
    leg = await connect(endpoint, client)
    assert leg.video is None
    await frames(tracks(client)["audio"], 3)
    client.addTrack(VideoStreamTrack())
    await client.setLocalDescription(await client.createOffer())
    answer = leg.answer(client.localDescription.sdp)
    await client.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    assert leg.connected, "the connection stays"
    await frames(tracks(client)["video"], 3)
    await frames(tracks(client)["audio"], 3)
    sink = leg._sink
    assert isinstance(sink, Echo)
    assert len(sink.told("connected")) == 1
