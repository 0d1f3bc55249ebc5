"""A leg's RTCP: reports out and in, and who asks whom for packets, keyframes and bits."""

import random
from collections import Counter
from typing import TYPE_CHECKING, Final

from parlour.media.transport import rtcp
from parlour.media.transport.loss import LossMeter
from parlour.media.transport.receiving import Receiving
from parlour.media.transport.sink import LegSink
from parlour.media.transport.wire import Wire

if TYPE_CHECKING:
    from aiortc.rtp import AnyRtcpPacket, RtcpReceiverInfo

    from parlour.media.transport.leg import Leg
    from parlour.media.transport.outgoing import OutgoingAudio, OutgoingVideo

#: Seconds between reports: random in between, so that the legs of a room do not all report at once.
MIN_REPORT: Final = 2.0
MAX_REPORT: Final = 5.0
FIRST_REPORT: Final = 0.5
#: Keyframes are asked for at most so often, in seconds.
KEYFRAME_INTERVAL: Final = 1.0

_MAX_ESTIMATE: Final = 10**10


class Feedback:
    """The conversation about the media. ``round_trip`` is in seconds."""

    def __init__(self, leg: "Leg", sink: LegSink, wire: Wire, receiving: Receiving, dropped: Counter[str]) -> None:
        self._leg = leg
        self._sink = sink
        self._wire = wire
        self._receiving = receiving
        self._dropped = dropped
        self._report_due = 0.0
        self._keyframe_at = float("-inf")
        self._keyframe_due = False
        self._limit: int | None = None
        self._hopeless = 0
        self._demands: dict[int, int] = {}
        self._losses: dict[int, LossMeter] = {}
        self.round_trip: float | None = None
        self.loss: float | None = None
        self.estimate: int | None = None
        self.nacks_sent = 0
        self.keyframes_requested = 0
        self.keyframes_wanted = 0

    def start(self, now: float) -> None:
        """Media may go: report soon, so that the peer can tie audio to video."""
        self._report_due = now + FIRST_REPORT

    def tick(self, now: float, wall: float) -> None:
        """Send what is due."""
        if now >= self._report_due:
            self._report_due = now + random.uniform(MIN_REPORT, MAX_REPORT)  # noqa: S311 - no secret
            self._report(now, wall)
        if self._keyframe_due:
            self.request_keyframe(now)
        self.ask_for_missing(now)

    def request_keyframe(self, now: float) -> None:
        """Ask the peer for a keyframe, as soon as one may be asked for again."""
        self._keyframe_due = True
        stream = self._receiving.streams.get("video")
        video = self._leg.video
        if now - self._keyframe_at < KEYFRAME_INTERVAL or stream is None or video is None or not self._wire.ready:
            return
        self._keyframe_due = False
        self._keyframe_at = now
        self.keyframes_requested += 1
        if video.fir and not video.pli:
            self._send(rtcp.fir(self._leg.ssrc, stream.ssrc, self.keyframes_requested))
        else:
            self._send(rtcp.pli(self._leg.ssrc, stream.ssrc))

    def limit(self, bps: int) -> None:
        """Tell the peer now, and with every report, the most it may send."""
        self._limit = max(0, min(bps, _MAX_ESTIMATE))
        self.announce_limit()

    def announce_limit(self) -> None:
        """Tell the peer its limit, if it has one and there is somebody to tell."""
        limit = self._remb()
        if limit:
            self._send(limit)

    def ask_for_missing(self, now: float) -> None:
        """Ask for the video packets that are due to be asked for, and for a keyframe where that is of no use."""
        stream = self._receiving.streams.get("video")
        missing = self._receiving.missing
        hopeless = missing.overflows + missing.abandoned
        if hopeless != self._hopeless:
            self._hopeless = hopeless
            self.request_keyframe(now)
        if stream is None or not len(missing):
            return
        sequences = self._receiving.nacks(now, self.round_trip or 0.1)
        video = self._leg.video
        if sequences and video is not None and video.nack:
            self.nacks_sent += len(sequences)
            self._send(rtcp.nack(self._leg.ssrc, stream.ssrc, sequences))

    def goodbye(self, sources: list[int]) -> None:
        """Our sources end."""
        if sources:
            self._send(rtcp.goodbye(sources))

    def receive(self, plain: bytes, now: float, wall: float) -> None:
        """Take an unprotected compound packet."""
        if rtcp.named(plain) > rtcp.MAX_NAMED:
            self._dropped["rtcp asks for too much"] += 1
            return
        try:
            packets = rtcp.parse(plain)
        except rtcp.RtcpError:
            self._dropped["rtcp malformed"] += 1
            return
        for packet in packets:
            self._take(packet, now, wall)

    def _take(self, packet: "AnyRtcpPacket", now: float, wall: float) -> None:
        match packet:
            case rtcp.RtcpSrPacket():
                info = packet.sender_info
                for kind, stream in self._receiving.streams.items():
                    if stream.ssrc == packet.ssrc:
                        stream.note_report(info.ntp_timestamp, now)
                        seconds = rtcp.ntp_seconds(info.ntp_timestamp)
                        self._sink.on_sender_report(self._leg, kind, seconds, info.rtp_timestamp)
                self._blocks(packet.reports, now, wall)
            case rtcp.RtcpRrPacket():
                self._blocks(packet.reports, now, wall)
            case rtcp.RtcpRtpfbPacket(fmt=rtcp.RTCP_RTPFB_NACK):
                lost = [sequence & 0xFFFF for sequence in packet.lost]  # the parser counts on beyond 16 bits
                self._leg.resend(packet.media_ssrc, lost, now)
            case rtcp.RtcpPsfbPacket():
                self._payload_feedback(packet)
            case rtcp.RtcpByePacket() if self._wire.srtp is not None:
                for ssrc in packet.sources:
                    self._receiving.end(ssrc, self._wire.srtp)
            case _:
                pass

    def _payload_feedback(self, packet: rtcp.RtcpPsfbPacket) -> None:
        ours = self._leg.outgoing_video.ssrc
        if packet.fmt == rtcp.RTCP_PSFB_PLI and packet.media_ssrc == ours:
            self._keyframe_wanted()
        elif packet.fmt == rtcp.RTCP_PSFB_FIR:
            for ssrc, number in rtcp.fir_targets(packet):
                if ssrc == ours and self._demands.get(ssrc) != number:
                    self._demands[ssrc] = number
                    self._keyframe_wanted()
        elif packet.fmt == rtcp.RTCP_PSFB_APP:
            estimate = rtcp.estimate_of(packet)
            if estimate is not None:
                self.estimate = min(estimate, _MAX_ESTIMATE)
                self._sink.on_estimate(self._leg, self.estimate)

    def _keyframe_wanted(self) -> None:
        self.keyframes_wanted += 1
        self._sink.on_keyframe_wanted(self._leg)

    def _blocks(self, blocks: "list[RtcpReceiverInfo]", now: float, wall: float) -> None:
        leg = self._leg
        main: OutgoingVideo | OutgoingAudio = leg.outgoing_audio
        if leg.video is not None and leg.video.sends:
            main = leg.outgoing_video
        for block in blocks:
            if block.lsr and block.ssrc in (leg.outgoing_video.ssrc, leg.outgoing_audio.ssrc):
                middle = rtcp.ntp_time(wall) >> 16 & 0xFFFFFFFF
                taken = (middle - block.lsr - block.dlsr) & 0xFFFFFFFF
                if taken < 0x80000000:  # clocks that were set meanwhile give nonsense
                    self.round_trip = taken / 65536
            if block.ssrc == main.ssrc:
                meter = self._losses.setdefault(block.ssrc, LossMeter())
                loss = meter.take(block.fraction_lost / 256, block.highest_sequence, now)
                if loss is not None:
                    self.loss = loss
                    self._sink.on_loss(leg, loss)

    def _report(self, now: float, wall: float) -> None:
        leg = self._leg
        elapsed = now - leg.epoch
        streams = (leg.outgoing_audio, leg.outgoing_video)
        ours = [facts for stream in streams if (facts := stream.report(elapsed)) is not None]
        blocks = [stream.report(now) for stream in self._receiving.streams.values() if stream.ssrc]
        self._send(rtcp.compound(ours, blocks, leg.cname, wall, leg.ssrc) + self._remb())

    def _remb(self) -> bytes:
        stream = self._receiving.streams.get("video")
        video = self._leg.video
        if self._limit is None or stream is None or video is None or not video.remb:
            return b""
        return rtcp.remb(self._leg.ssrc, stream.ssrc, self._limit)

    def _send(self, packet: bytes) -> None:
        self._wire.send_rtcp(packet)
