"""One call: a leg, and what comes in on it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from parlour.domain.live.room import Directions
from parlour.media.lipsync.alignment import AS_IT_COMES, Alignment, Plan
from parlour.media.packets import MediaPacket, RtpPacket
from parlour.media.tally import Tally, total
from parlour.media.transport.leg import Leg
from parlour.media.transport.sink import Kind
from parlour.media.video.codec import VideoCodec
from parlour.media.video.decode import PictureDecoder
from parlour.media.video.depacketize import Depacketizer
from parlour.media.video.receiver import Receiver
from parlour.media.video.rendition import RenditionId


class CallOwner(Protocol):
    """Who hears of a call."""

    def call_connected(self, call: "Call") -> None:
        """Media can flow."""

    def call_heard(self, call: "Call", packet: RtpPacket) -> None:
        """An Opus packet came."""

    def call_needs_keyframe(self, call: "Call") -> None:
        """The picture cannot start or go on without a keyframe."""

    def call_moved(self, call: "Call") -> None:
        """The call wants another rendition, or has just changed over to the one that it wanted."""

    def call_closed(self, call: "Call", reason: str) -> None:
        """The leg is gone."""


class Call:
    """A call of one member: the leg's sink, which turns the camera's packets into pictures that can be decoded."""

    def __init__(
        self, owner: CallOwner, member_id: str, call_id: str, receiver: Receiver, clock: Callable[[], float]
    ) -> None:
        """``receiver`` chooses the rendition; ``clock`` counts seconds, ``seen_at`` is when a picture came last."""
        self.member_id = member_id
        self.call_id = call_id
        self.leg: Leg | None = None
        self.decoder: PictureDecoder | None = None
        self.receiver = receiver
        self.watched: RenditionId | None = None
        self.seen_at = clock()
        self.alignment = Alignment()
        self.plan: Plan = AS_IT_COMES
        self._missed = False
        self._clock = clock
        self._former = Tally()
        self._dropped: Mapping[str, int] = {}
        self._owner = owner
        self._depacketizer: Depacketizer | None = None

    @property
    def codec(self) -> VideoCodec | None:
        """What the call takes the room's picture in, ``None`` where it does not take it."""
        video = self.leg.video if self.leg else None
        return VideoCodec(video.codec) if video is not None and video.sends else None

    @property
    def wanted(self) -> RenditionId | None:
        """The rendition that the call is to get; it is ``watched`` from that one's next keyframe on."""
        codec = self.codec
        return None if codec is None else RenditionId(codec, self.receiver.size)

    @property
    def renditions(self) -> frozenset[RenditionId]:
        """What must be made for the call: while it changes over, two."""
        if self.leg is None or not self.leg.connected:
            return frozenset()
        return frozenset(rendition for rendition in (self.watched, self.wanted) if rendition is not None)

    def directions(self) -> Directions:
        """What was negotiated, as seen from the member."""
        leg = self.leg
        audio, video = (leg.audio, leg.video) if leg else (None, None)
        return Directions(
            sends_audio=audio is not None and audio.receives,
            sends_video=video is not None and video.receives,
            receives_audio=audio is not None and audio.sends,
            receives_video=video is not None and video.sends,
        )

    def negotiated(self) -> None:
        """Take over what was negotiated, first or anew."""
        video = self.leg.video if self.leg else None
        if video is None or not video.receives:
            self._retire()
        elif self._depacketizer is None or self._depacketizer.codec is not VideoCodec(video.codec):
            self._retire()
            codec = VideoCodec(video.codec)
            self._depacketizer, self.decoder = Depacketizer(codec), PictureDecoder(codec)
        if self.watched is not None and self.watched.codec is not self.codec:
            self.watched = None

    def send_picture(self, rendition: RenditionId, packets: list[MediaPacket]) -> None:
        """Send a picture of the room if it is of the rendition watched, or the keyframe with which that changes."""
        leg = self.leg
        if leg is None or not packets:
            return
        if self._missed:  # what follows builds on pictures that the call has not got
            self._missed, self.watched = False, None
            self._owner.call_needs_keyframe(self)
        if rendition != self.watched and packets[0].keyframe and leg.connected and rendition == self.wanted:
            self.watched = rendition
            leg.use_rendition(rendition)
            self._owner.call_moved(self)
        if rendition == self.watched:
            leg.send_video(packets)

    def miss_picture(self, rendition: RenditionId) -> None:
        """A picture is kept from the call, as while it is on hold or wants no picture yet."""
        self._missed = self._missed or rendition in {self.watched, self.wanted}

    def tallies(self) -> Iterator[Tally]:
        """Counts since the start, to be added up."""
        yield self._former
        yield from self._camera()
        yield from self._connection()
        alignment = self.alignment.statistics()
        yield Tally(
            moved_down=self.receiver.downs,
            moved_up=self.receiver.ups,
            sender_reports=alignment.reports,
            sender_reports_odd=alignment.odd_reports,
            sender_clock_jumps=alignment.jumps,
            sync_given_up=alignment.given_up,
        )

    @property
    def dropped(self) -> Mapping[str, int]:
        """Datagrams that came and were dropped, by reason."""
        return self._dropped if self.leg is None else self.leg.dropped

    def let_go(self) -> Leg | None:
        """Part with the leg, which ends or has ended, and keep its counts."""
        self._former = total((self._former, *self._connection()))
        self._dropped = dict(self.dropped)
        leg, self.leg = self.leg, None
        self._retire()  # leg and call refer to one another: a decoder would wait with them for the garbage collector
        return leg

    def _retire(self) -> None:
        """Keep the counts of a codec that is no longer used."""
        self._former = total((self._former, *self._camera()))
        self._depacketizer = self.decoder = None

    def _camera(self) -> Iterator[Tally]:
        if self._depacketizer is not None and self.decoder is not None:
            packets, pictures = self._depacketizer.counts, self.decoder.counts
            yield Tally(
                camera_pictures=packets.pictures,
                camera_keyframes=packets.keyframes,
                camera_dropped=packets.dropped,
                camera_malformed=packets.malformed,
                camera_packets_lost=packets.lost,
                camera_packets_late=packets.late,
                camera_decoded=pictures.decoded,
                camera_superseded=pictures.superseded,
                camera_skipped=pictures.skipped,
                camera_refused=pictures.refused,
                camera_errors=pictures.errors,
                camera_overflows=pictures.overflows,
                camera_hurried=pictures.hurried,
            )

    def _connection(self) -> Iterator[Tally]:
        if self.leg is not None:
            leg = self.leg.statistics()
            yield Tally(
                packets_sent=leg.packets_sent,
                packets_received=leg.packets_received,
                send_blocked=leg.send_blocked,
                send_failed=leg.send_failed,
                retransmitted=leg.retransmitted,
                retransmissions_refused=leg.retransmissions_refused,
                nacks_sent=leg.nacks_sent,
                recovered=leg.recovered,
                abandoned=leg.abandoned,
                keyframes_requested=leg.keyframes_requested,
                keyframes_wanted=leg.keyframes_wanted,
            )

    # -- the leg's sink

    def on_connected(self, leg: Leg) -> None:
        """See ``LegSink``."""
        self._owner.call_connected(self)

    def on_audio(self, leg: Leg, packet: RtpPacket) -> None:
        """See ``LegSink``."""
        self.alignment.heard(packet.timestamp, packet.arrived)
        self._owner.call_heard(self, packet)

    def on_video(self, leg: Leg, packet: RtpPacket) -> None:
        """See ``LegSink``."""
        depacketizer, decoder = self._depacketizer, self.decoder
        if depacketizer is None or decoder is None:
            return
        for picture in depacketizer.push(packet):
            self.seen_at = self._clock()
            self.alignment.pictured(picture.timestamp, picture.arrived)
            decoder.feed(picture)
        if depacketizer.refresh_wanted or decoder.refresh_wanted:
            leg.request_keyframe()

    def on_keyframe_wanted(self, leg: Leg) -> None:
        """See ``LegSink``."""
        self._owner.call_needs_keyframe(self)

    def on_estimate(self, leg: Leg, bps: int) -> None:
        """See ``LegSink``."""
        before = self.receiver.size
        if self.receiver.estimated(bps, leg.outgoing_video.octets, self._clock()) is not before:
            self._owner.call_moved(self)

    def on_loss(self, leg: Leg, fraction: float) -> None:
        """See ``LegSink``."""
        before = self.receiver.size
        if self.receiver.lost(fraction, leg.outgoing_video.octets, self._clock()) is not before:
            self._owner.call_moved(self)

    def on_sender_report(self, leg: Leg, kind: Kind, ntp_time: float, rtp_timestamp: int) -> None:
        """See ``LegSink``."""
        self.alignment.report(kind, ntp_time, rtp_timestamp)

    def on_closed(self, leg: Leg, reason: str) -> None:
        """See ``LegSink``."""
        self._owner.call_closed(self, reason)
