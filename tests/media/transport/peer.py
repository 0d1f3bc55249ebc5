"""A peer in memory: everything that a browser's transport says, byte by byte, so that tests can say it wrongly."""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pylibsrtp
from aioice import stun as reference
from OpenSSL import SSL

from parlour.media.packets import MediaPacket, RtpPacket
from parlour.media.transport.burst import send_singly
from parlour.media.transport.dtls import Fingerprint, Identity
from parlour.media.transport.endpoint import Endpoint
from parlour.media.transport.ice import Address
from parlour.media.transport.leg import Leg
from parlour.media.transport.sink import Kind
from parlour.media.transport.srtp import PROFILES, Profile

OFFERS = Path(__file__).parent / "offers"
CHROMIUM = (OFFERS / "chromium-156-camera-and-microphone.sdp").read_bytes().decode()
WATCH_ONLY = (OFFERS / "chromium-156-watch-only-without-candidates.sdp").read_bytes().decode()

HOME: Address = ("192.0.2.7", 40000)


class Clock:
    """Time that stands still until it is told to move."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Memory:
    """A carrier that keeps what is sent; ``used`` is set by each datagram."""

    def __init__(self) -> None:
        self.peers: dict[Address, Leg] = {}
        self.sent: list[tuple[bytes, Address]] = []
        self.full = False
        self.used = asyncio.Event()

    def sendto(self, data: bytes, address: Address, /) -> None:
        if self.full:
            raise BlockingIOError
        self.sent.append((data, address))
        self.used.set()

    def send_burst(self, data: memoryview, size: int, address: Address, /) -> None:
        send_singly(self, data, size, address)

    def take(self) -> list[bytes]:
        """What was sent since the last call."""
        sent, self.sent = self.sent, []
        return [data for data, _ in sent]


class Sink:
    """An owner that writes down what it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.audio: list[RtpPacket] = []
        self.video: list[RtpPacket] = []

    def told(self, name: str) -> list[Any]:
        """The arguments of every call of ``name``."""
        return [value for call, value in self.calls if call == name]

    def on_connected(self, leg: Leg) -> None:
        self.calls.append(("connected", leg.profile))

    def on_audio(self, leg: Leg, packet: RtpPacket) -> None:
        self.audio.append(packet)

    def on_video(self, leg: Leg, packet: RtpPacket) -> None:
        self.video.append(packet)

    def on_keyframe_wanted(self, leg: Leg) -> None:
        self.calls.append(("keyframe wanted", None))

    def on_estimate(self, leg: Leg, bps: int) -> None:
        self.calls.append(("estimate", bps))

    def on_loss(self, leg: Leg, fraction: float) -> None:
        self.calls.append(("loss", fraction))

    def on_sender_report(self, leg: Leg, kind: Kind, ntp_time: float, rtp_timestamp: int) -> None:
        self.calls.append(("sender report", (kind, ntp_time, rtp_timestamp)))

    def on_closed(self, leg: Leg, reason: str) -> None:
        self.calls.append(("closed", reason))


class World:
    """An endpoint without sockets, on a clock that the test moves."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.carrier = Memory()
        self.endpoint = Endpoint(Identity(), self.clock, lambda: self.clock.now + 1_700_000_000)

    def deliver(self, data: bytes, address: Address = HOME) -> None:
        """A datagram arrives."""
        self.endpoint.take(data, self.carrier, address, self.clock.now)

    @property
    def dropped(self) -> dict[str, int]:
        return dict(self.endpoint.statistics().dropped)

    def pass_time(self, seconds: float, step: float = 0.1) -> None:
        """Move the clock, attending to the legs as the endpoint's timer does."""
        until = self.clock.now + seconds
        while self.clock.now < until - 1e-9:
            self.clock.now += min(step, until - self.clock.now)
            self.endpoint.tick()


class Peer:
    """A client of one leg. ``connect`` goes all the way; the steps can be gone alone."""

    def __init__(
        self, world: World, offer: str = CHROMIUM, profiles: Sequence[Profile] = PROFILES, **options: Any
    ) -> None:
        self.world = world
        self.sink = Sink()
        self.leg = world.endpoint.open_leg(self.sink, "test")
        self.identity = Identity()
        self.profiles = profiles
        self.offer = with_fingerprint(offer, self.identity.fingerprint)
        self.answer = self.leg.answer(self.offer, **options)
        self.ssl = self._client()
        self.inbound: pylibsrtp.Session
        self.outbound: pylibsrtp.Session

    def check(
        self,
        *,
        nominate: bool = True,
        password: str | None = None,
        username: str | None = None,
        change: Callable[[reference.Message], None] | None = None,
    ) -> bytes:
        """A connectivity check, made by another implementation than the one under test."""
        ice = self.leg.ice
        assert ice is not None
        message = reference.Message(reference.Method.BINDING, reference.Class.REQUEST)
        message.attributes["USERNAME"] = username or ice.username
        message.attributes["PRIORITY"] = 1
        message.attributes["ICE-CONTROLLING"] = secrets.randbits(64)
        if nominate:
            message.attributes["USE-CANDIDATE"] = None
        if change is not None:
            change(message)
        message.add_message_integrity((password or ice.local.password).encode())
        return bytes(message)

    def validate(self, address: Address = HOME) -> None:
        """Prove an address, and throw the answer away."""
        self.world.deliver(self.check(), address)
        self.world.carrier.take()

    def hello(self) -> list[bytes]:
        """The next datagram of the handshake, if there is one."""
        with contextlib.suppress(SSL.WantReadError):
            self.ssl.do_handshake()
        return self.flight()

    def flight(self) -> list[bytes]:
        """What the client wants sent."""
        try:
            return [self.ssl.bio_read(4096)]
        except SSL.WantReadError:
            return []

    async def handshake(self, address: Address = HOME) -> None:
        """Go through DTLS and set up SRTP."""
        for _ in range(10):
            for datagram in self.hello():
                self.world.deliver(datagram, address)
            await settle()
            for datagram in self.world.carrier.take():
                self.ssl.bio_write(datagram)
            if self.sink.told("connected") or self.leg.closed:
                self.hello()
                break
        if self.leg.closed is None:
            self._keys()

    async def connect(self) -> "Peer":
        self.validate()
        await self.handshake()
        assert self.leg.connected
        return self

    def rtp(self, packet: bytes, address: Address = HOME) -> bytes:
        """Protect and deliver an RTP packet; returns the protected bytes."""
        data = self.outbound.protect(packet)
        self.world.deliver(data, address)
        return data

    def rtcp(self, packet: bytes) -> bytes:
        """Protect and deliver a compound RTCP packet; returns the protected bytes."""
        data = self.outbound.protect_rtcp(packet)
        self.world.deliver(data)
        return data

    def received(self) -> tuple[list[bytes], list[bytes]]:
        """The RTP and the RTCP packets that came since the last call, unprotected."""
        media: list[bytes] = []
        control: list[bytes] = []
        for data in self.world.carrier.take():
            if 128 <= data[0] < 192:
                if 192 <= data[1] <= 223:
                    control.append(self.inbound.unprotect_rtcp(data))
                else:
                    media.append(self.inbound.unprotect(data))
        return media, control

    def _client(self) -> SSL.Connection:
        context = SSL.Context(SSL.DTLS_CLIENT_METHOD)
        context.set_verify(SSL.VERIFY_NONE, lambda *_: True)
        context.set_tlsext_use_srtp(b":".join(profile.openssl for profile in self.profiles))
        context.use_certificate(self.identity.certificate)
        context.use_privatekey(self.identity.key)
        connection = SSL.Connection(context)
        connection.set_connect_state()
        return connection

    def _keys(self) -> None:
        chosen = self.ssl.get_selected_srtp_profile()
        profile = next(profile for profile in PROFILES if profile.openssl == chosen)
        keys = profile.split(self.ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", profile.material_length))
        sessions = []
        for key, direction in (
            (keys.peer, pylibsrtp.Policy.SSRC_ANY_OUTBOUND),
            (keys.ours, pylibsrtp.Policy.SSRC_ANY_INBOUND),
        ):
            policy = pylibsrtp.Policy(key=key, ssrc_type=direction, srtp_profile=profile.libsrtp)
            policy.window_size = 4096
            policy.allow_repeat_tx = True
            sessions.append(pylibsrtp.Session(policy))
        self.outbound, self.inbound = sessions


async def settle() -> None:
    """Let the endpoint's handshake queue run empty."""
    for _ in range(8):
        await asyncio.sleep(0)


def with_fingerprint(offer: str, fingerprint: Fingerprint) -> str:
    """The offer with another certificate's fingerprint."""
    lines = [
        f"a=fingerprint:{fingerprint.algorithm} {fingerprint.value}" if line.startswith("a=fingerprint:") else line
        for line in offer.split("\r\n")
    ]
    return "\r\n".join(lines)


def picture(timestamp: int, *, keyframe: bool = False, size: int = 3) -> list[MediaPacket]:
    """A picture of a rendition in ``size`` packets, each with a payload of its own."""
    return [
        MediaPacket(f"{timestamp}/{number}".encode(), timestamp, number == 0, number == size - 1, keyframe)
        for number in range(size)
    ]
