"""A lean client of a media worker: a connectivity check, DTLS, and packets that were encoded before.

It has no jitter buffer, no decoder and no congestion control: many of them must fit beside the worker that they are to
load. What a browser sends it sends too: checks and reports, audio levels and send times in headers.
"""

import asyncio
import contextlib
import secrets
import socket
import struct
import time
from dataclasses import dataclass, field
from typing import Final

import aioice.stun
import pylibsrtp
from aiortc.rtp import RtcpReceiverInfo
from OpenSSL import SSL

from benchmarks.content import FPS, LOUD, QUIET, Content, is_light
from parlour.media.packets import RtpPacket
from parlour.media.transport import rtcp, rtp
from parlour.media.transport.dtls import Identity
from parlour.media.transport.outgoing import SenderFacts
from parlour.media.transport.srtp import PROFILES
from parlour.media.video.codec import VideoCodec
from parlour.media.video.depacketize import Depacketizer

AUDIO, VIDEO, RTX = 111, 96, 97
_LEVEL_ID, _SEND_TIME_ID = 1, 2
_BATCH = 64
_CHECK_S, _REPORT_S, _CONNECT_S = 2.5, 1.0, 5.0
_AUDIO_HEADER = struct.Struct("!BBHIIHHBBH")
_SO_TIMESTAMPNS = 35  # linux, asm-generic/socket.h
_TIMESPEC = struct.Struct("@qq")
_ROOM_FOR_STAMP = socket.CMSG_SPACE(_TIMESPEC.size)
_BUFFER: Final = 4 << 20
_PICTURE_TICKS, _FRAME_TICKS = 90_000 // FPS, 960


@dataclass(slots=True)
class Seen:
    """What came. ``captured`` are unprotected RTP packets with the kernel's Unix time, where they are kept."""

    video: int = 0
    audio: int = 0
    octets: int = 0
    keyframe_at: float | None = None
    captured: list[tuple[float, bytes]] = field(default_factory=list)


@dataclass(slots=True)
class Sent:
    """What went. ``flashes`` and ``beeps`` are Unix times, ``lateness`` seconds behind the plan, picture by picture."""

    packets: int = 0
    flashes: list[float] = field(default_factory=list)
    beeps: list[float] = field(default_factory=list)
    lateness: list[float] = field(default_factory=list)


class Client:
    """One person. ``watches`` keeps all that comes, with arrival times of the kernel."""

    def __init__(self, identity: Identity, codec: VideoCodec, *, sends: bool, watches: bool = False) -> None:
        self.seen, self.sent = Seen(), Sent()
        self.beep_wanted = False
        self._identity, self._codec, self._sends, self._watches = identity, codec, sends, watches
        self._ufrag, self._password = secrets.token_hex(4), secrets.token_hex(12)
        self._remote = ("", "")
        self._ssl = _dtls(identity)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        if watches:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._out: pylibsrtp.Session | None = None
        self._in: pylibsrtp.Session | None = None
        self._connected = asyncio.Event()
        self._first = asyncio.Event()
        self._depacketizer = Depacketizer(codec)
        self._highest = 0xFFFF
        self._keyframe_wanted = False
        self._tasks: list[asyncio.Task[None]] = []
        self._video_ssrc, self._audio_ssrc = (1 + secrets.randbelow(0xFFFFFFFE) for _ in range(2))
        self._facts = {"audio": (0, 0, 0), "video": (0, 0, 0)}  # packets, octets, timestamp
        self._theirs: dict[int, int] = {}

    def offer(self) -> str:
        """One audio and one video section, as a browser would cut them down to what is used here."""
        direction = "sendrecv" if self._sends else "recvonly"
        fingerprint = self._identity.fingerprint
        common = [
            "c=IN IP4 0.0.0.0",
            f"a=ice-ufrag:{self._ufrag}",
            f"a=ice-pwd:{self._password}",
            f"a=fingerprint:{fingerprint.algorithm} {fingerprint.value}",
            "a=setup:actpass",
            "a=rtcp-mux",
            f"a={direction}",
        ]
        name = "H264" if self._codec is VideoCodec.H264 else "VP8"
        parameters = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
        lines = [
            "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1",
            f"m=audio 9 UDP/TLS/RTP/SAVPF {AUDIO}", *common, "a=mid:0",
            f"a=extmap:{_LEVEL_ID} urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            f"a=rtpmap:{AUDIO} opus/48000/2", f"a=fmtp:{AUDIO} minptime=10;useinbandfec=1",
            f"m=video 9 UDP/TLS/RTP/SAVPF {VIDEO} {RTX}", *common, "a=mid:1",
            f"a=extmap:{_SEND_TIME_ID} http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
            f"a=rtpmap:{VIDEO} {name}/90000",
            *(f"a=rtcp-fb:{VIDEO} {feedback}" for feedback in ("goog-remb", "ccm fir", "nack", "nack pli")),
            *([f"a=fmtp:{VIDEO} {parameters}"] if self._codec is VideoCodec.H264 else []),
            f"a=rtpmap:{RTX} rtx/90000", f"a=fmtp:{RTX} apt={VIDEO}",
        ]  # fmt: skip
        return "\r\n".join(lines) + "\r\n"

    async def connect(self, answer: str) -> None:
        """Go where the answer points, agree on keys and wait for the first keyframe. Raises ``TimeoutError``."""
        attributes = dict(line[2:].partition(":")[::2] for line in answer.split("\r\n") if line.startswith("a="))
        parts = attributes["candidate"].split()
        self._remote = (attributes["ice-ufrag"], attributes["ice-pwd"])
        self._socket.connect((parts[4], int(parts[5])))
        asyncio.get_running_loop().add_reader(self._socket, self._readable)
        self._check()
        self._shake()
        async with asyncio.timeout(_CONNECT_S):
            await self._connected.wait()
            await self._first.wait()

    def start(self, content: Content, voice: list[bytes] | None) -> None:
        """Begin to send, at a random point of the film and of the clock; ``voice`` is what is said, if anything."""
        self._tasks = [asyncio.create_task(self._attend())]
        if self._sends:
            self._tasks += [
                asyncio.create_task(self._pictures(content)),
                asyncio.create_task(self._sound(content, voice)),
            ]

    async def close(self) -> None:
        """Say nothing more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    # -- sending

    async def _pictures(self, content: Content) -> None:
        loop, film, sent = asyncio.get_running_loop(), content.film.payloads, self.sent
        sequence, stamp = secrets.randbelow(0x8000), secrets.randbits(31)
        send_time_element = (_SEND_TIME_ID << 4 | 2) << 24
        due, index, light = loop.time() + secrets.randbelow(1000) / 1000 / FPS, 0, False
        packets = octets = 0
        while True:
            await asyncio.sleep(due - loop.time())
            sent.lateness.append(loop.time() - due)
            if self._keyframe_wanted or index == len(film):
                self._keyframe_wanted, index = False, 0
            parts = film[index]
            element = send_time_element | rtp.abs_send_time(loop.time())
            for number, payload in enumerate(parts, 1):
                second = VIDEO | rtp.MARKER if number == len(parts) else VIDEO
                header = rtp.HEADER_WITH_SEND_TIME.pack(
                    0x90, second, sequence, stamp & 0xFFFFFFFF, self._video_ssrc, rtp.ONE_BYTE_PROFILE, 1, element
                )
                sequence = (sequence + 1) & 0xFFFF
                self._send(header + payload)
                packets, octets = packets + 1, octets + len(payload)
            before, light = light, is_light(index)
            if light and not before:
                sent.flashes.append(time.time())
            self._facts["video"] = (packets, octets, stamp & 0xFFFFFFFF)
            index, stamp, due = index + 1, stamp + _PICTURE_TICKS, due + 1 / FPS

    async def _sound(self, content: Content, voice: list[bytes] | None) -> None:
        loop, beep = asyncio.get_running_loop(), content.beep
        sequence, stamp = secrets.randbelow(0x8000), secrets.randbits(31)
        due, index, at = loop.time() + secrets.randbelow(1000) / 1000 * 0.02, secrets.randbelow(250), -1
        packets = octets = 0
        while True:
            await asyncio.sleep(due - loop.time())
            if self.beep_wanted:
                self.beep_wanted, at = False, 0
            if 0 <= at < len(beep.payloads):
                payload, level = beep.payloads[at], beep.levels[at]
                at += 1
            elif voice is not None:
                payload, level = voice[index % len(voice)], LOUD
            else:
                payload, level = content.silence, QUIET
            header = _AUDIO_HEADER.pack(
                0x90, AUDIO, sequence, stamp & 0xFFFFFFFF, self._audio_ssrc, rtp.ONE_BYTE_PROFILE, 1,
                _LEVEL_ID << 4, level, 0,
            )  # fmt: skip
            self._send(header + payload)
            if at == 1:
                self.sent.beeps.append(time.time())
            packets, octets = packets + 1, octets + len(payload)
            self._facts["audio"] = (packets, octets, stamp & 0xFFFFFFFF)
            sequence, stamp = (sequence + 1) & 0xFFFF, stamp + _FRAME_TICKS
            index, due = index + 1, due + 0.02

    def _send(self, packet: bytes) -> None:
        if self._out is None:
            return
        with contextlib.suppress(OSError):
            self._socket.send(self._out.protect(packet))
            self.sent.packets += 1

    async def _attend(self) -> None:
        """Checks and reports, as browsers make them."""
        loop = asyncio.get_running_loop()
        check_due = loop.time() + _CHECK_S
        await asyncio.sleep(secrets.randbelow(1000) / 1000)
        while True:
            await asyncio.sleep(_REPORT_S)
            if loop.time() >= check_due:
                check_due = loop.time() + _CHECK_S
                self._check()
            self._report()

    def _report(self) -> None:
        if self._out is None:
            return
        ssrcs = {"audio": self._audio_ssrc, "video": self._video_ssrc}
        ours = [
            SenderFacts(ssrcs[kind], stamp, packets, octets)
            for kind, (packets, octets, stamp) in self._facts.items()
            if packets
        ]
        blocks = [RtcpReceiverInfo(ssrc, 0, 0, highest, 0, 0, 0) for ssrc, highest in self._theirs.items()]
        report = rtcp.compound(ours, blocks, self._ufrag, time.time(), self._audio_ssrc)
        with contextlib.suppress(OSError):
            self._socket.send(self._out.protect_rtcp(report))
            self.sent.packets += 1

    def _check(self) -> None:
        message = aioice.stun.Message(aioice.stun.Method.BINDING, aioice.stun.Class.REQUEST)
        message.attributes["USERNAME"] = f"{self._remote[0]}:{self._ufrag}"
        message.attributes["PRIORITY"] = 1
        message.attributes["ICE-CONTROLLING"] = secrets.randbits(64)
        message.attributes["USE-CANDIDATE"] = None
        message.add_message_integrity(self._remote[1].encode())
        message.add_fingerprint()
        self._socket.send(bytes(message))

    def _shake(self) -> None:
        with contextlib.suppress(SSL.WantReadError):
            self._ssl.do_handshake()
            self._agree()
        with contextlib.suppress(SSL.WantReadError):
            while True:
                self._socket.send(self._ssl.bio_read(4096))

    def _agree(self) -> None:
        chosen = self._ssl.get_selected_srtp_profile()
        profile = next(profile for profile in PROFILES if profile.openssl == chosen)
        keys = profile.split(self._ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", profile.material_length))
        self._out = _srtp(keys.peer, pylibsrtp.Policy.SSRC_ANY_OUTBOUND, profile.libsrtp)
        self._in = _srtp(keys.ours, pylibsrtp.Policy.SSRC_ANY_INBOUND, profile.libsrtp)
        self._connected.set()

    # -- receiving

    def _readable(self) -> None:
        arrived = time.time()
        for _ in range(_BATCH):
            try:
                if self._watches:
                    data, ancillary, _, _ = self._socket.recvmsg(2048, _ROOM_FOR_STAMP)
                    for _, _, stamp in ancillary:
                        seconds, nanoseconds = _TIMESPEC.unpack_from(stamp)
                        arrived = seconds + nanoseconds / 1e9
                else:
                    data = self._socket.recv(2048)
            except OSError:
                return
            first = data[0]
            if first >= 128:
                self._media(data, arrived)
            elif 20 <= first < 64 and self._out is None:
                self._ssl.bio_write(data)
                self._shake()

    def _media(self, data: bytes, arrived: float) -> None:
        seen, kind = self.seen, data[1]
        if self._in is None:
            return
        if 192 <= kind <= 223:
            self._control(self._in.unprotect_rtcp(data))
            return
        seen.octets += len(data)
        if kind & 0x7F == VIDEO:
            seen.video += 1
            if seen.keyframe_at is None:
                self._until_keyframe(self._in, data, arrived)
                return
        else:
            seen.audio += 1
        if self._watches:
            seen.captured.append((arrived, self._in.unprotect(data)))

    def _until_keyframe(self, session: pylibsrtp.Session, data: bytes, arrived: float) -> None:
        plain = session.unprotect(data)
        header = rtp.parse(plain)
        self._highest = rtp.extend(header.sequence, self._highest)
        self._theirs[header.ssrc] = header.sequence
        if self._watches:
            self.seen.captured.append((arrived, plain))
        payload = plain[header.start : header.end]
        packet = RtpPacket(payload, self._highest, header.timestamp, header.marker, arrived)
        if any(picture.keyframe for picture in self._depacketizer.push(packet)):
            self.seen.keyframe_at = arrived
            self._first.set()

    def _control(self, plain: bytes) -> None:
        for packet in rtcp.parse(plain):
            if isinstance(packet, rtcp.RtcpPsfbPacket) and packet.fmt == rtcp.RTCP_PSFB_PLI:
                self._keyframe_wanted = True


def _dtls(identity: Identity) -> SSL.Connection:
    context = SSL.Context(SSL.DTLS_CLIENT_METHOD)
    context.set_options(SSL.OP_NO_QUERY_MTU)
    context.set_verify(SSL.VERIFY_NONE, lambda *_: True)
    context.set_tlsext_use_srtp(b":".join(profile.openssl for profile in PROFILES))
    context.use_certificate(identity.certificate)
    context.use_privatekey(identity.key)
    connection = SSL.Connection(context)
    connection.set_ciphertext_mtu(1200)
    connection.set_connect_state()
    return connection


def _srtp(key: bytes, direction: int, profile: int) -> pylibsrtp.Session:
    policy = pylibsrtp.Policy(key=key, ssrc_type=direction, srtp_profile=profile)
    policy.window_size = 1024
    return pylibsrtp.Session(policy)
