"""A person in a conference without a browser: joins in memory, sends a camera, watches the room and reports on it."""

import asyncio
import contextlib
import struct
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import lru_cache
from math import gcd
from typing import TYPE_CHECKING

from aiortc.rtp import RtcpPsfbPacket, RtcpReceiverInfo, RtcpRtpfbPacket, RtcpSenderInfo, RtcpSrPacket

from parlour.domain.live.commands import Accepted, Answered, Join, Reoffer
from parlour.domain.room import Room
from parlour.media.conference import Conference
from parlour.media.lipsync.clock import ticks_between
from parlour.media.packets import MediaPacket, RtpPacket
from parlour.media.transport import Endpoint, rtcp, rtp
from parlour.media.transport.dtls import Identity
from parlour.media.transport.ice import Address
from parlour.media.transport.incoming import Missing
from parlour.media.transport.srtp import PROFILES
from parlour.media.video.codec import VIDEO_CLOCK, VideoCodec
from parlour.media.video.decode import PictureDecoder
from parlour.media.video.depacketize import Depacketizer
from tests.domain.live.people import a_room
from tests.media.transport.peer import CHROMIUM, Memory, Peer, World, with_fingerprint
from tests.media.video.scene import noisy, sent
from tests.support.waiting import PATIENCE_S

if TYPE_CHECKING:
    from av import VideoFrame


Loses = Callable[[bytes], bool]


def nothing(_: bytes) -> bool:
    """A link that loses nothing."""
    return False


def every(count: int) -> Loses:
    """A link that loses every ``count``-th datagram of RTP."""
    seen = 0

    def loses(data: bytes) -> bool:
        nonlocal seen
        if not is_media(data):
            return False
        seen += 1
        return seen % count == 0

    return loses


def is_media(data: bytes) -> bool:
    """Whether a datagram is RTP, not RTCP."""
    return 128 <= data[0] < 192 and not 192 <= data[1] <= 223


class Link(Memory):
    """The way from the room to one guest."""

    def __init__(self) -> None:
        super().__init__()
        self.loses: Loses = nothing

    def sendto(self, data: bytes, address: Address, /) -> None:
        if not self.loses(data):
            super().sendto(data, address)


class Line(World):
    """One guest's view of an endpoint that runs on the real clock."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__()
        self.endpoint = endpoint
        self.carrier = self.link = Link()
        self.loses: Loses = nothing

    def deliver(self, data: bytes, address: Address = ("192.0.2.7", 40000)) -> None:
        if not self.loses(data):
            self.endpoint.take(data, self.carrier, address, self.endpoint.clock())


class Guest(Peer):
    """A client of one call. ``frames`` are the sizes of the pictures decoded, ``heard`` counts packets of sound,
    whose Opus payloads are in ``sound``.

    ``keyframes`` says of each picture whether it stands alone. ``look`` is called with each picture and its RTP time,
    ``listen`` with each packet of sound and its; ``reports`` are the NTP and RTP times of the room's last sender
    reports, by source. ``stamps`` are the extended sequence number and the RTP time of each packet of the picture, in
    the order of ``arrivals`` (seconds).
    """

    def __init__(
        self,
        conference: Conference,
        endpoint: Endpoint,
        name: str,
        *,
        room: Room,
        codec: str = "H264",
        capabilities: tuple[str, ...] = (),
        screen_of: str | None = None,
    ) -> None:
        self.world = self.line = Line(endpoint)
        self.conference = conference
        self.name = name
        self.identity = Identity()
        self.profiles = PROFILES
        self.offer = with_fingerprint(only(CHROMIUM, codec), self.identity.fingerprint)
        join = Join(room, f"call-{name}", self.offer, name, capabilities, channel="video", screen_of=screen_of)
        reply = conference.ask(join)
        assert isinstance(reply, Accepted), reply
        self.answer, self.member_id = reply.sdp, reply.member_id
        leg = conference._calls[self.member_id].leg
        assert leg is not None
        self.leg = leg
        self.ssl = self._client()
        self.ssrc = 0x1234
        self.voice_ssrc = 0x5678
        self.sequence = 65_500
        self.sent: dict[int, bytes] = {}
        self.asked_for_keyframe: list[float] = []
        self.limits: list[int] = []
        self.heard = 0
        self.sound: list[bytes] = []
        self.frames: list[tuple[int, int]] = []
        self.stamps: list[tuple[int, int]] = []
        self.keyframes: list[bool] = []
        self.arrivals: list[float] = []
        self.look: Callable[[VideoFrame, int], None] | None = None
        self.listen: Callable[[bytes, int], None] | None = None
        self.reports: dict[int, tuple[float, int]] = {}
        self.missing = Missing()
        self.recovered = 0
        self.resent = 0
        self.picture: VideoFrame | None = None
        self._wanted_at = 0.0
        self._highest = 0
        self._decode_as(VideoCodec(codec))

    def reoffer(self, codec: str) -> None:
        """Negotiate the call anew with another codec."""
        offer = with_fingerprint(only(CHROMIUM, codec), self.identity.fingerprint)
        reply = self.conference.ask(Reoffer(f"call-{self.name}", offer))
        assert isinstance(reply, Answered), reply
        self._decode_as(VideoCodec(codec))

    async def join(self) -> "Guest":
        """Go through ICE and DTLS."""
        self.validate()
        for _ in range(500):
            for datagram in self.hello():
                self.world.deliver(datagram)
            await asyncio.sleep(0.005)
            for datagram in self.world.carrier.take():
                if 20 <= datagram[0] < 64:
                    self.ssl.bio_write(datagram)
            if self.leg.connected:
                self.hello()
                self._keys()
                return self
        raise AssertionError("no keys")

    # -- the camera

    def send(self, packets: Iterable[MediaPacket], timestamp: int | None = None) -> None:
        """Send a picture of the camera."""
        video = self.leg.video
        assert video is not None
        for packet in packets:
            stamp = packet.timestamp if timestamp is None else timestamp
            second = video.payload_type | (rtp.MARKER if packet.marker else 0)
            header = rtp.HEADER.pack(rtp.VERSION, second, self.sequence & 0xFFFF, stamp & 0xFFFFFFFF, self.ssrc)
            self.sent[self.sequence & 0xFFFF] = header + packet.payload
            self.rtp(header + packet.payload)
            self.sequence += 1

    def speak(self, payload: bytes, sequence: int, timestamp: int, level: int | None = None) -> None:
        """Send a packet of sound, with its level (RFC 6464) where there is one."""
        audio = self.leg.audio
        assert audio is not None
        first, extension = rtp.VERSION, b""
        if level is not None:
            assert audio.audio_level_id is not None
            first |= rtp.EXTENSION
            extension = struct.pack("!HHBBxx", rtp.ONE_BYTE_PROFILE, 1, audio.audio_level_id << 4, level)
        numbers = (audio.payload_type, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, self.voice_ssrc)
        self.rtp(rtp.HEADER.pack(first, *numbers) + extension + payload)

    def tell(self, ssrc: int, seconds: float, timestamp: int) -> None:
        """Report that the own source's ``timestamp`` was at ``seconds`` of the own clock."""
        ntp = int(seconds * 2**32) & 0xFFFFFFFFFFFFFFFF
        self.rtcp(bytes(RtcpSrPacket(ssrc, RtcpSenderInfo(ntp, timestamp & 0xFFFFFFFF, 0, 0))))

    def heard_at(self, ssrc: int, rate: int, timestamp: int) -> float | None:
        """When something that the room sent belongs, in seconds by the room's own reports."""
        found = self.reports.get(ssrc)
        return None if found is None else found[0] + ticks_between(found[1], timestamp) / rate

    def send_again(self, sequences: Sequence[int]) -> None:
        """Answer a NACK on the retransmission stream."""
        video = self.leg.video
        assert video is not None
        assert video.rtx_payload_type is not None
        for sequence in sequences:
            packet = self.sent.get(sequence)
            if packet is not None:
                self.resent += 1
                first, second, _, stamp, _ = rtp.HEADER.unpack_from(packet)
                second = second & 0x80 | video.rtx_payload_type
                header = rtp.HEADER.pack(first, second, self.resent & 0xFFFF, stamp, self.ssrc + 1)
                self.rtp(header + sequence.to_bytes(2) + packet[rtp.HEADER.size :])

    # -- the room

    def watch(self) -> None:
        """Take what has come: decode the picture, count the sound, answer NACKs, ask for what is missing."""
        media, control = self.received()
        for plain in media:
            self._take(plain)
        for compound in control:
            for packet in rtcp.parse(compound):
                self._hear(packet)
        wanted = self.missing.due(time.monotonic(), 0.05)
        if wanted:
            self.rtcp(rtcp.nack(self.ssrc, self.leg.outgoing_video.ssrc, wanted))
        if self._packets.refresh_wanted or self._decoder.refresh_wanted:
            now = time.monotonic()
            if now - self._wanted_at > 0.3:
                self._wanted_at = now
                self.rtcp(rtcp.pli(self.ssrc, self.leg.outgoing_video.ssrc))
        frame = self._decoder.newest()
        if frame is not None:
            self.frames.append((frame.width, frame.height))
            self.picture = frame

    def report(self, *, estimate: int | None = None, loss: float | None = None) -> None:
        """Say what a receiver says once a second."""
        theirs = self.leg.outgoing_video.ssrc
        if loss is not None:
            block = RtcpReceiverInfo(theirs, round(loss * 256), 0, self._highest & 0xFFFFFFFF, 0, 0, 0)
            self.rtcp(rtcp.compound([], [block], "guest", time.time(), self.ssrc))
        if estimate is not None:
            self.rtcp(rtcp.remb(self.ssrc, theirs, estimate))

    def _hear(self, packet: object) -> None:
        match packet:
            case RtcpPsfbPacket(fmt=rtcp.RTCP_PSFB_PLI):
                self.asked_for_keyframe.append(time.monotonic())
            case RtcpPsfbPacket(fmt=rtcp.RTCP_PSFB_APP):
                self.limits.append(rtcp.estimate_of(packet) or 0)
            case RtcpSrPacket():
                info = packet.sender_info
                self.reports[packet.ssrc] = (rtcp.ntp_seconds(info.ntp_timestamp), info.rtp_timestamp)
            case RtcpRtpfbPacket(fmt=rtcp.RTCP_RTPFB_NACK):
                self.send_again(packet.lost)
            case _:
                pass

    def _decode_as(self, codec: VideoCodec) -> None:
        self._packets, self._decoder = Depacketizer(codec), PictureDecoder(codec)

    def _take(self, plain: bytes) -> None:
        header, video, audio = rtp.parse(plain), self.leg.video, self.leg.audio
        payload = plain[header.start : header.end]
        assert video is not None
        if audio is not None and header.payload_type == audio.payload_type:
            self.heard += 1
            self.sound.append(payload)
            if self.listen is not None:
                self.listen(payload, header.timestamp)
            return
        if header.payload_type == video.rtx_payload_type:
            self.recovered += 1
            sequence = rtp.extend(int.from_bytes(payload[:2], "big"), self._highest)
            payload = payload[2:]
        elif header.payload_type == video.payload_type:
            sequence = rtp.extend(header.sequence, self._highest or header.sequence)
            self.stamps.append((sequence, header.timestamp))
            self.arrivals.append(time.monotonic())
        else:
            return  # the codec from before a new offer
        self._highest = max(self._highest, sequence)
        now = time.monotonic()
        if self.missing.arrived(sequence, now):
            packet = RtpPacket(payload, sequence, header.timestamp, header.marker, now)
            for picture in self._packets.push(packet):
                self.keyframes.append(picture.keyframe)
                self._decoder.feed(picture)
                if self.look is not None and (frame := self._decoder.newest()) is not None:
                    self.frames.append((frame.width, frame.height))
                    self.picture = frame
                    self.look(frame, picture.timestamp)


def only(offer: str, codec: str) -> str:
    """The offer with all other video codecs' names made unknown ones."""
    for name in ("H264", "VP8"):
        if name != codec:
            offer = offer.replace(f" {name}/90000", f" X-{name}/90000")
    return offer


def is_at(rate: int, steps: Sequence[int]) -> bool:
    """Whether pictures come at exactly this rate, by the steps between them: where one is missing, a whole step is."""
    step = VIDEO_CLOCK // rate
    return gcd(*steps) == step and sorted(steps)[len(steps) // 2] == step


@lru_cache
def film(
    codec: VideoCodec = VideoCodec.H264, width: int = 640, height: int = 360, bitrate: int = 1_500_000
) -> list[list[MediaPacket]]:
    """A second of noise, of which the first picture is a keyframe."""
    return sent((noisy(width, height, seed) for seed in range(15)), codec, bitrate=bitrate)


async def live(
    guests: Sequence[Guest],
    until: Callable[[], bool],
    *,
    also: Callable[[int], object] = lambda step: None,
) -> None:
    """Let guests watch until something is so; ``also`` is called at each step, some sixty times a second."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE_S
    step = 0
    while not until():
        assert loop.time() < end, "it did not come to pass"
        also(step)
        for guest in guests:
            guest.watch()
        step += 1
        await asyncio.sleep(1 / 60)


async def while_filming(
    guest: Guest, pictures: Sequence[Sequence[MediaPacket]], act: Callable[[], Awaitable[None]]
) -> None:
    """Send a film over and over, at 30 pictures a second, for as long as ``act`` takes."""

    async def roll() -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        number = 0
        while True:
            guest.send(pictures[number % len(pictures)], number * 3000)
            number += 1
            await asyncio.sleep(max(0.0, started + number / 30 - loop.time()))

    task = asyncio.create_task(roll())
    try:
        await act()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


ROOM = a_room(max_members=0)
