"""One peer's media connection: signalled by offer and answer, carried by the worker's endpoint.

A leg is made by :meth:`Endpoint.open_leg` and used from the event loop only.
"""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from parlour.media.packets import MediaPacket
from parlour.media.transport.answer import VIDEO_CODECS, LocalMedia, MediaFacts, choose, write_answer
from parlour.media.transport.dtls import DtlsSession, DtlsState, Fingerprint
from parlour.media.transport.feedback import KEYFRAME_INTERVAL, Feedback
from parlour.media.transport.ice import STALE, IceLite, Route
from parlour.media.transport.outgoing import OutgoingAudio, OutgoingVideo
from parlour.media.transport.receiving import Receiving
from parlour.media.transport.sdp import parse_offer
from parlour.media.transport.sink import LegSink, LegStatistics
from parlour.media.transport.srtp import Srtp
from parlour.media.transport.wire import Wire

if TYPE_CHECKING:
    from parlour.media.transport.endpoint import Endpoint

#: Seconds without a valid check and without valid media after which a peer is taken for gone (RFC 7675).
CONSENT: Final = 30.0
#: Seconds from the first valid check within which the keys must be agreed.
HANDSHAKE: Final = 15.0

logger = logging.getLogger(__name__)


class Leg:
    """A peer, from its offer to its end.

    ``audio`` and ``video`` are the negotiated facts, ``None`` for what was not taken; ``owner`` is for whoever opened
    the leg to find its own things by. ``epoch`` is the moment, in seconds of the endpoint's clock, from which the
    timestamps of all that is sent count.
    """

    def __init__(self, endpoint: "Endpoint", sink: LegSink, name: str, epoch: float) -> None:
        self.name = name
        self.epoch = epoch
        self.owner: object = None
        self.audio: MediaFacts | None = None
        self.video: MediaFacts | None = None
        self.profile: str | None = None
        self.closed: str | None = None
        self.cname = secrets.token_hex(8)
        self.outgoing_audio = OutgoingAudio()
        self.outgoing_video = OutgoingVideo()
        self.ssrc = self.outgoing_audio.ssrc
        self.dropped: Counter[str] = Counter()
        self.ice: IceLite | None = None
        self._endpoint = endpoint
        self._sink = sink
        self._wire = Wire(endpoint.burst)
        self._receiving = Receiving(self, sink, self.dropped)
        self._feedback = Feedback(self, sink, self._wire, self._receiving, self.dropped)
        self._dtls: DtlsSession | None = None
        self._fingerprints: tuple[Fingerprint, ...] = ()
        self._retransmission: asyncio.TimerHandle | None = None
        self._handshake_until: float | None = None
        self._alive_at = endpoint.clock()
        self._wanted_at = float("-inf")
        self._announced = False
        self._last_statistics: LegStatistics | None = None
        self._session = secrets.randbits(62)
        self._version = 0

    @property
    def connected(self) -> bool:
        """Whether media can be sent now."""
        return self._wire.ready

    # -- signalling

    def answer(self, offer: str, *, audio_first: bool = False, codecs: Sequence[str] = VIDEO_CODECS) -> str:
        """Take an offer, the first one or a later one, and return the answer.

        With ``audio_first`` the answer has audio before video even where the offer has not, as one browser SDK expects;
        ``codecs`` are the video codecs that may be taken, best first. A later offer from the same ICE user and
        with the same fingerprints keeps the connection; another ICE user restarts ICE, another fingerprint the keys.

        Raises :class:`BadOffer`, and then nothing has changed.
        """
        if self.closed is not None:
            raise RuntimeError("the leg is closed")
        choice = choose(parse_offer(offer), codecs, self.video.codec if self.video else None)
        now = self._endpoint.clock()
        ice = self.ice
        if ice is None or ice.remote_ufrag != choice.ufrag:
            ice = self._restart_ice(choice.ufrag, now)
        if self._dtls is None or self._fingerprints != choice.fingerprints:
            self._restart_dtls(choice.fingerprints, now)
        before, self.audio, self.video = self.video, choice.audio, choice.video
        if _wire_format(before) != _wire_format(self.video):
            self.outgoing_video.forget()
        self._receiving.expect(self.audio, self.video)
        self._version += 1
        ours = LocalMedia(
            self._session,
            self._version,
            ice.local,
            self._endpoint.identity.fingerprint,
            self._endpoint.candidates,
            f"parlour-{self.cname}",
            self.cname,
            self.outgoing_audio.ssrc,
            self.outgoing_video.ssrc,
            self.outgoing_video.rtx_ssrc,
        )
        return write_answer(choice, ours, audio_first=audio_first)

    # -- media out

    def send_audio(self, payload: bytes, timestamp: int, marker: bool = False) -> None:
        """Send an Opus packet; ``timestamp`` counts 48 kHz ticks from the leg's ``epoch``."""
        if self._wire.ready and self.audio is not None and self.audio.sends:
            self.outgoing_audio.send(self.audio, payload, timestamp, marker, self._wire)

    def send_video(self, packets: Sequence[MediaPacket]) -> None:
        """Send a picture of the rendition in use, as it was made, with payloads of at most 1200 bytes.

        The sequence must not change any more: what all legs have in common is worked out when the first one sends it.
        Before the first keyframe they are left out, and the owner is told that one is wanted.
        """
        if not self._wire.ready or self.video is None or not self.video.sends:
            return
        now = self._endpoint.clock()
        self.outgoing_video.send(self.video, packets, self._wire, now)
        if self.outgoing_video.waiting and now - self._wanted_at >= KEYFRAME_INTERVAL:
            self._wanted_at = now
            self._sink.on_keyframe_wanted(self)

    def use_rendition(self, source_id: object) -> None:
        """Say whose packets :meth:`send_video` gets from now on.

        A rendition other than before starts at its next keyframe, with sequence numbers and timestamps that go on. So
        that the picture does not stand still meanwhile, say it just before the keyframe's packets are sent.
        """
        self.outgoing_video.use(source_id)

    def request_keyframe(self) -> None:
        """Ask the peer for a keyframe; at most one request a second goes out, and none is lost."""
        if self.closed is None:
            self._feedback.request_keyframe(self._endpoint.clock())

    def limit_sender(self, bps: int) -> None:
        """Tell the peer the most that it may send, in bits per second, now and with every report."""
        if self.closed is None:
            self._feedback.limit(bps)

    # -- the end

    def close(self, reason: str) -> None:
        """End the leg: say goodbye to the peer, then tell the owner. A second call does nothing."""
        if self.closed is not None:
            return
        self.closed = reason
        if self._wire.ready:
            outgoing = (self.outgoing_audio, self.outgoing_video)
            self._feedback.goodbye([stream.ssrc for stream in outgoing if stream.packets])
        if self._dtls is not None:
            self._send_plain(self._dtls.close())
        self._cancel_retransmission()
        self._endpoint.forget(self)
        self._wire.point(None)
        self._sink.on_closed(self, reason)
        self.outgoing_video.forget()
        self._wire.protect(None)
        self._dtls = None
        # What refers to the leg goes, so that neither of them waits for the garbage collector, which comes rarely.
        self._last_statistics = self.statistics()
        del self._receiving, self._feedback

    def statistics(self) -> LegStatistics:
        """What happened so far."""
        if self._last_statistics is not None:
            return self._last_statistics
        wire, feedback, receiving, video = self._wire, self._feedback, self._receiving, self.outgoing_video
        return LegStatistics(
            connected=wire.ready,
            profile=self.profile,
            tcp=wire.route is not None and self._endpoint.is_tcp(wire.route.carrier),
            packets_sent=wire.packets,
            bytes_sent=wire.bytes,
            send_blocked=wire.blocked,
            send_failed=wire.failed,
            packets_received=receiving.packets,
            bytes_received=receiving.bytes,
            retransmitted=video.resent,
            retransmissions_refused=video.refused,
            skipped_before_keyframe=video.skipped,
            nacks_sent=feedback.nacks_sent,
            recovered=receiving.recovered,
            abandoned=receiving.missing.abandoned,
            keyframes_requested=feedback.keyframes_requested,
            keyframes_wanted=feedback.keyframes_wanted,
            checks=self.ice.checks if self.ice else 0,
            round_trip=feedback.round_trip,
            loss=feedback.loss,
            estimate=feedback.estimate,
            dropped=dict(self.dropped),
        )

    # -- what the endpoint brings

    def checked(self, route: Route, now: float, *, nominated: bool) -> Route | None:
        """An authentic check came over ``route``; returns a route that is no longer the leg's, if one had to go."""
        if self.ice is None:
            return None
        gone = self.ice.validate(route, now, nominated=nominated)
        self._alive_at = now
        if self._wire.route != self.ice.selected:
            self._wire.point(self.ice.selected)
        if self._handshake_until is None and self.profile is None:
            self._handshake_until = now + HANDSHAKE
        return gone

    def lives_at(self, route: Route, now: float) -> bool:
        """Whether media goes over ``route`` to a peer that gave a sign of life not long ago."""
        return self._wire.ready and self._wire.route == route and now - self._alive_at <= STALE

    def lost(self, route: Route) -> None:
        """``route`` is gone."""
        if self.ice is not None:
            self.ice.forget(route)
            self._wire.point(self.ice.selected)

    def receive_media(self, data: bytes, now: float) -> None:
        """SRTP or SRTCP came from an address of this leg."""
        srtp = self._wire.srtp
        if srtp is None:
            self.dropped["media before keys"] += 1
        elif 192 <= data[1] <= 223:
            plain = self._receiving.open_rtcp(data, srtp)
            if plain is not None:
                self._alive_at = now
                self._feedback.receive(plain, now, self._endpoint.wall())
        elif self._receiving.receive(data, srtp, now) and self.closed is None:
            self._alive_at = now
            self._feedback.ask_for_missing(now)

    def receive_dtls(self, data: bytes) -> None:
        """A DTLS datagram came from an address of this leg."""
        dtls = self._dtls
        if dtls is None or self.closed is not None:
            return
        before, discarded, restarts = dtls.state, dtls.discarded, dtls.restarts
        self._send_plain(dtls.receive(data))
        if dtls.discarded > discarded:
            self.dropped["dtls malformed"] += 1
        if dtls.restarts > restarts:
            self.dropped["dtls handshake broken"] += 1
        if dtls.state is DtlsState.CLOSED:
            self.close("the peer closed the connection")
        elif dtls.state is DtlsState.FAILED:
            self.close(f"DTLS: {dtls.failure}")
        elif dtls.state is DtlsState.CONNECTED and before is DtlsState.HANDSHAKING:
            self._connected(dtls)
        self._schedule_retransmission()

    def new_video_source(self) -> None:
        """The peer's video comes from a source not seen before."""
        self._feedback.announce_limit()

    def resend(self, ssrc: int, sequences: list[int], now: float) -> None:
        """The peer lost packets of ours."""
        if ssrc == self.outgoing_video.ssrc and self.video is not None and self.video.sends:
            self.outgoing_video.resend(self.video, sequences, self._wire, now)

    def tick(self, now: float) -> None:
        """See to what is due: called a few times a second."""
        if self.closed is not None:
            return
        if now - self._alive_at > CONSENT:
            self.close(f"no sign of life for {CONSENT:.0f} s")
        elif self._handshake_until is not None and now > self._handshake_until:
            self.close(f"DTLS: no agreement within {HANDSHAKE:.0f} s")
        elif self._wire.ready:
            self._feedback.tick(now, self._endpoint.wall())

    # -- inside

    def _restart_ice(self, remote_ufrag: str, now: float) -> IceLite:
        if self.ice is not None:
            self._endpoint.release(self, self.ice)
            self._wire.point(None)
        self.ice = IceLite(remote_ufrag, now)
        self._alive_at = now
        self._endpoint.register(self, self.ice)
        return self.ice

    def _restart_dtls(self, fingerprints: tuple[Fingerprint, ...], now: float) -> None:
        self._cancel_retransmission()
        again = self._dtls is not None
        self._dtls = DtlsSession(self._endpoint.identity, fingerprints)
        self._fingerprints = fingerprints
        self._wire.protect(None)
        self.profile = None
        self._handshake_until = now + HANDSHAKE if again else None
        self._receiving.reset()
        self.outgoing_video.forget()

    def _connected(self, dtls: DtlsSession) -> None:
        if dtls.agreed is None:
            return
        profile, keys = dtls.agreed
        self._handshake_until = None
        self.profile = profile.name
        self._wire.protect(Srtp(profile, keys))
        self._feedback.start(self._endpoint.clock())
        logger.debug("leg %s agreed on %s", self.name, self.profile)
        if not self._announced:
            self._announced = True
            self._sink.on_connected(self)

    def _send_plain(self, datagrams: list[bytes]) -> None:
        for datagram in datagrams:
            self._wire.send_plain(datagram)

    def _schedule_retransmission(self) -> None:
        self._cancel_retransmission()
        delay = self._dtls.timeout() if self._dtls is not None and self.closed is None else None
        if delay is not None:
            self._retransmission = asyncio.get_running_loop().call_later(delay, self._retransmit)

    def _retransmit(self) -> None:
        self._retransmission = None
        if self._dtls is not None and self.closed is None:
            self._send_plain(self._dtls.expire())
            if self._dtls.state is DtlsState.FAILED:
                self.close(f"DTLS: {self._dtls.failure}")
            self._schedule_retransmission()

    def _cancel_retransmission(self) -> None:
        if self._retransmission is not None:
            self._retransmission.cancel()
            self._retransmission = None


def _wire_format(facts: MediaFacts | None) -> tuple[object, ...]:
    """What of the facts shows in packets: a packet may only be repeated while this stays the same."""
    return () if facts is None else (facts.codec, facts.payload_type, facts.rtx_payload_type, facts.abs_send_time_id)
