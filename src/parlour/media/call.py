"""One call: a leg, and what comes in on it."""

from typing import Protocol

from parlour.domain.live.room import Directions
from parlour.media.packets import RtpPacket
from parlour.media.transport.leg import Leg
from parlour.media.video.codec import VideoCodec
from parlour.media.video.decode import PictureDecoder
from parlour.media.video.depacketize import Depacketizer


class CallOwner(Protocol):
    """Who hears of a call."""

    def call_connected(self, call: "Call") -> None:
        """Media can flow."""

    def call_heard(self, call: "Call", packet: RtpPacket) -> None:
        """An Opus packet came."""

    def call_needs_keyframe(self, call: "Call") -> None:
        """The picture cannot start or go on without a keyframe."""

    def call_closed(self, call: "Call", reason: str) -> None:
        """The leg is gone."""


class Call:
    """A call of one member: the leg's sink, which turns the camera's packets into pictures that can be decoded."""

    def __init__(self, owner: CallOwner, member_id: str, call_id: str) -> None:
        self.member_id = member_id
        self.call_id = call_id
        self.leg: Leg | None = None
        self.decoder: PictureDecoder | None = None
        self._owner = owner
        self._depacketizer: Depacketizer | None = None

    @property
    def codec(self) -> VideoCodec | None:
        """What the call takes the room's picture in, ``None`` where it does not take it."""
        video = self.leg.video if self.leg else None
        return VideoCodec(video.codec) if video is not None and video.sends else None

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
            self._depacketizer = self.decoder = None
        elif self._depacketizer is None or self._depacketizer.codec is not VideoCodec(video.codec):
            codec = VideoCodec(video.codec)
            self._depacketizer, self.decoder = Depacketizer(codec), PictureDecoder(codec)

    # -- the leg's sink

    def on_connected(self, leg: Leg) -> None:
        """See ``LegSink``."""
        self._owner.call_connected(self)

    def on_audio(self, leg: Leg, packet: RtpPacket) -> None:
        """See ``LegSink``."""
        self._owner.call_heard(self, packet)

    def on_video(self, leg: Leg, packet: RtpPacket) -> None:
        """See ``LegSink``."""
        depacketizer, decoder = self._depacketizer, self.decoder
        if depacketizer is None or decoder is None:
            return
        for picture in depacketizer.push(packet):
            decoder.feed(picture)
        if depacketizer.refresh_wanted or decoder.refresh_wanted:
            leg.request_keyframe()

    def on_keyframe_wanted(self, leg: Leg) -> None:
        """See ``LegSink``."""
        self._owner.call_needs_keyframe(self)

    def on_estimate(self, leg: Leg, bps: int) -> None:
        """See ``LegSink``."""

    def on_loss(self, leg: Leg, fraction: float) -> None:
        """See ``LegSink``."""

    def on_sender_report(self, leg: Leg, kind: str, ntp_time: float, rtp_timestamp: int) -> None:
        """See ``LegSink``."""

    def on_closed(self, leg: Leg, reason: str) -> None:
        """See ``LegSink``."""
        self._owner.call_closed(self, reason)
