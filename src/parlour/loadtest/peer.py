"""The browser's side of one media connection, without a socket: checks, DTLS, SRTP, reports.

It has no jitter buffer and no congestion control, so that a hundred fit on one core; what a browser sends, it sends
too. Datagrams go out through a function and come in through :meth:`Peer.take`. There are two clocks: ``now`` counts
seconds for what is due, ``arrived`` is Unix time and what packets are measured by.
"""

import secrets
from collections.abc import Callable
from struct import Struct
from typing import Final, Protocol

import aioice.stun
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from OpenSSL import SSL

from parlour.loadtest.description import AUDIO, LEVEL_ID, SEND_TIME_ID, VIDEO, Answer, read_answer, write_offer
from parlour.loadtest.reception import Reception
from parlour.media.packets import RtpPacket
from parlour.media.transport import rtcp, rtp, stun
from parlour.media.transport.dtls import DATAGRAM_SIZE, Identity
from parlour.media.transport.ice import new_credentials
from parlour.media.transport.outgoing import SenderFacts
from parlour.media.transport.srtp import PROFILES, Keys, Srtp, SrtpError
from parlour.media.video.codec import VideoCodec

CHECK_S: Final = 2.5
REPORT_S: Final = 1.0
PLI_S: Final = 0.5
"""A keyframe is asked for at most so often."""
AGAIN_S: Final = 0.25
"""Until an answer comes, checks and handshakes are repeated so often."""

_AUDIO_HEADER = Struct("!BBHIIHHBBH")
_SEND_TIME = (SEND_TIME_ID << 4 | 2) << 24


class Sight(Protocol):
    """Who looks at the room's picture."""

    @property
    def refresh_wanted(self) -> bool:
        """Whether it cannot go on without a keyframe."""

    def push(self, packet: RtpPacket) -> None:
        """A packet of the picture came."""


class Certificate:
    """What all members of one load test prove themselves with, and the OpenSSL context of their sessions."""

    def __init__(self) -> None:
        identity = Identity()
        self.fingerprint = identity.fingerprint
        context = SSL.Context(SSL.DTLS_CLIENT_METHOD)
        context.set_options(SSL.OP_NO_QUERY_MTU)
        # The chain proves nothing: the certificate is held against the answer's fingerprint afterwards.
        context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
        context.set_tlsext_use_srtp(b":".join(profile.openssl for profile in PROFILES))
        context.use_certificate(identity.certificate)
        context.use_privatekey(identity.key)
        self._context = context

    def session(self) -> SSL.Connection:
        """A new session in the client's role."""
        connection = SSL.Connection(self._context)
        connection.set_ciphertext_mtu(DATAGRAM_SIZE)
        connection.set_connect_state()
        return connection


class _Stream:
    """Numbers of one stream that is sent."""

    def __init__(self) -> None:
        self.ssrc = 1 + secrets.randbelow(0xFFFFFFFE)
        self.sequence = secrets.randbelow(0x8000)
        self.timestamp = secrets.randbits(31)
        self.packets = self.octets = 0

    def facts(self) -> SenderFacts:
        return SenderFacts(self.ssrc, self.timestamp & 0xFFFFFFFF, self.packets & 0xFFFFFFFF, self.octets & 0xFFFFFFFF)


class Peer:
    """One connection. ``keyframe_wanted`` is set by the server's requests, and for whoever sends to take back.

    ``failure`` says why there is no connection and will be none; ``loses`` leaves datagrams out that came, before they
    are looked at; ``sight`` looks at the picture.
    """

    def __init__(
        self, certificate: Certificate, codec: VideoCodec, send: Callable[[bytes], object], *, sends: bool
    ) -> None:
        self.reception = Reception()
        self.connected = False
        self.failure = ""
        self.keyframe_wanted = False
        self.sent = 0
        self.blocked = 0
        self.round_trip = 0.1
        self.loses: Callable[[bytes], bool] | None = None
        self.sight: Sight | None = None
        self.heard: Callable[[bytes, float], None] | None = None
        self._certificate = certificate
        self._codec, self._sends, self._send = codec, sends, send
        self._ours = new_credentials()
        self._theirs: Answer | None = None
        self._ssl = certificate.session()
        self._srtp: Srtp | None = None
        self._check_due = self._again_due = 0.0
        self._report_due = float("inf")
        self._pli_at = float("-inf")
        self._hopeless = 0
        self._tie_breaker = secrets.randbits(64)
        self._checks: dict[bytes, float] = {}
        self._audio, self._video = _Stream(), _Stream()
        self._paused = False

    # -- the beginning

    def offer(self) -> str:
        """The offer to send."""
        return write_offer(self._ours, self._certificate.fingerprint, self._codec, sends=self._sends)

    def answered(self, sdp: str) -> Answer:
        """Take the answer; where to connect to is in it. Raises ``BadAnswer``."""
        self._theirs = read_answer(sdp)
        return self._theirs

    def tick(self, now: float, wall: float) -> None:
        """Do what is due: called every few hundredths of a second. ``wall`` is Unix time."""
        if self._theirs is None or self.failure:
            return
        if now >= self._check_due:
            self._check_due = now + (CHECK_S if self.connected else AGAIN_S)
            self._check(self._theirs, now)
        if not self.connected:
            if now >= self._again_due:
                self._again_due = now + AGAIN_S
                self._shake(now)
        else:
            if now >= self._report_due:
                self._report_due = now + REPORT_S
                self._report(wall)
            self._ask(now, wall)

    def close(self) -> None:
        """Say goodbye."""
        if self._srtp is not None:
            sources = [stream.ssrc for stream in (self._audio, self._video) if stream.packets]
            if sources:
                self._emit(self._srtp.protect_rtcp(rtcp.goodbye(sources)))
            try:
                self._ssl.shutdown()
            except SSL.Error:
                return
            self._flush()

    # -- sending

    def send_picture(self, payloads: list[bytes], ticks: int, now: float) -> None:
        """Send a picture, ``ticks`` of 90 kHz after the one before."""
        srtp, stream = self._srtp, self._video
        if srtp is None:
            return
        stream.timestamp = stamp = (stream.timestamp + ticks) & 0xFFFFFFFF
        element = _SEND_TIME | rtp.abs_send_time(now)
        for number, payload in enumerate(payloads, 1):
            second = VIDEO | rtp.MARKER if number == len(payloads) else VIDEO
            header = rtp.HEADER_WITH_SEND_TIME.pack(
                0x90, second, stream.sequence, stamp, stream.ssrc, rtp.ONE_BYTE_PROFILE, 1, element
            )
            stream.sequence = (stream.sequence + 1) & 0xFFFF
            self._emit(srtp.protect(header + payload))
            stream.packets += 1
            stream.octets += len(payload)

    @property
    def may_pause(self) -> bool:
        """Whether silence need not be sent."""
        return self._theirs is not None and self._theirs.pauses

    def pause(self, ticks: int) -> None:
        """Send nothing for ``ticks`` of 48 kHz."""
        self._audio.timestamp = (self._audio.timestamp + ticks) & 0xFFFFFFFF
        self._paused = True

    def send_sound(self, payload: bytes, level: int, ticks: int) -> None:
        """Send 20 ms of sound, ``ticks`` of 48 kHz after the last; ``level`` is in -dBov."""
        srtp, stream = self._srtp, self._audio
        if srtp is None:
            return
        stream.timestamp = stamp = (stream.timestamp + ticks) & 0xFFFFFFFF
        kind = AUDIO | rtp.MARKER if self._paused else AUDIO
        header = _AUDIO_HEADER.pack(
            0x90, kind, stream.sequence, stamp, stream.ssrc, rtp.ONE_BYTE_PROFILE, 1, LEVEL_ID << 4, level, 0
        )
        self._paused = False
        stream.sequence = (stream.sequence + 1) & 0xFFFF
        self._emit(srtp.protect(header + payload))
        stream.packets += 1
        stream.octets += len(payload)

    def _emit(self, datagram: bytes) -> None:
        try:
            self._send(datagram)
        except OSError:
            self.blocked += 1
        else:
            self.sent += 1

    # -- receiving

    def take(self, data: bytes, now: float, arrived: float) -> None:
        """One datagram came. Never raises."""
        first = data[0] if len(data) > 1 else 255
        if 128 <= first < 192:
            if self._srtp is not None:
                self._media(data, self._srtp, arrived)
        elif first < 4:
            self._checked(data, now)
        elif 20 <= first < 64:
            self._ssl.bio_write(data)
            self._shake(now)
        else:
            self.reception.counts.refused += 1

    def _media(self, data: bytes, srtp: Srtp, arrived: float) -> None:
        counts = self.reception.counts
        if self.loses is not None and self.loses(data):
            counts.dropped += 1
            return
        try:
            if 192 <= data[1] <= 223:
                self._control(srtp.unprotect_rtcp(data), arrived)
                return
            plain = srtp.unprotect(data)
            packet = self.reception.take(plain, arrived)
        except (SrtpError, ValueError):
            counts.refused += 1
            return
        if packet is not None:
            if self.sight is not None:
                self.sight.push(packet)
        elif self.heard is not None:
            self.heard(plain, arrived)

    def _control(self, plain: bytes, arrived: float) -> None:
        for packet in rtcp.parse(plain):
            if isinstance(packet, rtcp.RtcpPsfbPacket) and packet.fmt in {rtcp.RTCP_PSFB_PLI, rtcp.RTCP_PSFB_FIR}:
                self.keyframe_wanted = True
            elif isinstance(packet, rtcp.RtcpSrPacket):
                for stream in (self.reception.audio, self.reception.video):
                    if stream is not None and stream.ssrc == packet.ssrc:
                        stream.note_report(packet.sender_info.ntp_timestamp, arrived)

    # -- what browsers do besides

    def _check(self, theirs: Answer, now: float) -> None:
        message = aioice.stun.Message(aioice.stun.Method.BINDING, aioice.stun.Class.REQUEST)
        message.attributes["USERNAME"] = f"{theirs.credentials.ufrag}:{self._ours.ufrag}"
        message.attributes["PRIORITY"] = 1
        message.attributes["ICE-CONTROLLING"] = self._tie_breaker
        message.attributes["USE-CANDIDATE"] = None
        message.add_message_integrity(theirs.credentials.password.encode())
        message.add_fingerprint()
        self._checks[message.transaction_id] = now
        while len(self._checks) > 8:
            del self._checks[next(iter(self._checks))]
        self._emit(bytes(message))

    def _checked(self, data: bytes, now: float) -> None:
        try:
            message = stun.parse(data)
        except stun.StunError:
            self.reception.counts.refused += 1
            return
        asked = self._checks.pop(message.transaction, None)
        if asked is None or self._theirs is None:
            return
        if message.kind == stun.SUCCESS and stun.is_authentic(
            message, data, self._theirs.credentials.password.encode()
        ):
            self.round_trip = now - asked
        else:
            self.reception.counts.refused += 1

    def _shake(self, now: float) -> None:
        if self.connected or self.failure:
            return
        try:
            self._ssl.do_handshake()
        except SSL.WantReadError:
            if self._ssl.DTLSv1_get_timeout() == 0:
                self._ssl.DTLSv1_handle_timeout()
            self._flush()
            return
        except SSL.Error as problem:
            self.failure = f"DTLS: {problem}"
            return
        self._flush()
        self._agree(now)

    def _agree(self, now: float) -> None:
        certificate = self._ssl.get_peer_certificate(as_cryptography=True)
        if certificate is None or self._theirs is None or not _is_of(certificate, self._theirs):
            self.failure = "DTLS: the certificate is not the one of the answer"
            return
        chosen = self._ssl.get_selected_srtp_profile()
        profile = next((profile for profile in PROFILES if profile.openssl == chosen), None)
        if profile is None:
            self.failure = "DTLS: no SRTP profile in common"
            return
        material = self._ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", profile.material_length)
        server = profile.split(material)
        self._srtp = Srtp(profile, Keys(peer=server.ours, ours=server.peer))
        self.connected = True
        self._report_due = now + secrets.randbelow(1000) / 1000

    def _flush(self) -> None:
        try:
            while True:
                self._emit(self._ssl.bio_read(4096))
        except SSL.WantReadError:
            pass

    def _report(self, wall: float) -> None:
        if self._srtp is None:
            return
        ours = [stream.facts() for stream in (self._audio, self._video) if stream.packets]
        streams = (self.reception.audio, self.reception.video)
        blocks = [stream.report(wall) for stream in streams if stream is not None]
        self._emit(self._srtp.protect_rtcp(rtcp.compound(ours, blocks, self._ours.ufrag, wall, self._audio.ssrc)))

    def _ask(self, now: float, wall: float) -> None:
        """Ask for packets that are missing, and for a keyframe where nothing else helps."""
        reception, video, srtp = self.reception, self.reception.video, self._srtp
        if video is None or srtp is None:
            return
        missing = reception.missing
        if len(missing):
            wanted = missing.due(wall, self.round_trip)
            if wanted:
                reception.counts.nacked += len(wanted)
                self._emit(srtp.protect_rtcp(rtcp.nack(self._audio.ssrc, video.ssrc, wanted)))
        hopeless = missing.overflows + missing.abandoned
        blind = self.sight is not None and self.sight.refresh_wanted
        if (hopeless != self._hopeless or blind) and now - self._pli_at >= PLI_S:
            self._hopeless, self._pli_at = hopeless, now
            reception.counts.plis += 1
            self._emit(srtp.protect_rtcp(rtcp.pli(self._audio.ssrc, video.ssrc)))


def _is_of(certificate: x509.Certificate, theirs: Answer) -> bool:
    digest = certificate.fingerprint(hashes.SHA256()).hex(":").upper()
    return any(print_.algorithm == "sha-256" and print_.value.upper() == digest for print_ in theirs.fingerprints)
